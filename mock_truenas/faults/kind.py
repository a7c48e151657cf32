"""What a fault kind is: parameters, effect, worlds, and how the other side can tell that it took effect.

Pure data. The mechanism that applies effects reads the fields of :class:`Effect` and never asks for a kind.
"""

import enum
import fnmatch
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from mock_truenas.api.answer import Answer


class Stage(enum.IntEnum):
    """Where overlapping faults act, in this order (DESIGN R5)."""

    REFUSE = 0
    DROP = 1
    DELAY = 2
    STATUS = 3
    BODY = 4
    PACE = 5
    STATE = 6


class Parameters(BaseModel):
    """Base of every kind's parameters."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class RequestParameters(Parameters):
    """Parameters of a kind that acts on single requests, and which of them it acts on."""

    path: Annotated[str, StringConstraints(pattern=r"^[/*]", max_length=1000)] = Field(
        "*", description="Glob on the path below /api/v2.0, such as /pool or /system/*"
    )
    method: Annotated[str, StringConstraints(pattern=r"^[A-Z]+$")] | None = Field(
        None, description="Only requests with this method, such as POST"
    )
    first: Annotated[int, Field(ge=1)] | None = Field(None, description="Only the first N matching requests")


class Keyring(Protocol):
    """The part of an appliance that state faults change."""

    def revoke(self, name: str, *, by: str = ...) -> None: ...
    def restore(self, name: str, *, by: str = ...) -> None: ...


@dataclass(frozen=True)
class CertificateOrder:
    """How a certificate differs from the one the NAS serves with.

    It is valid over the calendar years [from, to), names ``name`` and nothing else, and belongs to a new key.
    """

    years: tuple[int, int] | None = None
    name: str | None = None
    new_key: bool = False


@dataclass(frozen=True)
class Handshake:
    """What happens to TLS handshakes that begin now. ``newest`` is the newest version the NAS still speaks."""

    silent: bool = False
    newest: Literal["TLSv1_1"] | None = None
    certificate: CertificateOrder | None = None


@dataclass(frozen=True)
class Effect:
    """What an active fault does. Fields left at their defaults do nothing.

    ``keep_bytes`` and ``reset_after`` count body bytes and are clamped so that at least one byte is missing.
    ``change`` and ``undo`` get the appliance and the fault's id.
    """

    closes_door: bool = False
    silent: bool = False
    delay_ns: int = 0
    answer: Answer | None = None
    rewrite: Callable[[Answer], Answer] | None = None
    keep_bytes: int | None = None
    reset_after: int | None = None
    change: Callable[[Keyring, str], None] | None = None
    undo: Callable[[Keyring, str], None] | None = None
    handshake: Handshake | None = None


@dataclass(frozen=True)
class Witness:
    """Signs, seen from the other side, that a fault took effect; any one of them is enough.

    ``journal``: patterns for the appliance's journal, of the keys ``fault`` (True: the entry names this fault),
    ``status`` and ``ended`` (lists of accepted values) and ``duration_at_least_ns``. ``poll_errors``: error types that
    rise for a connection to the appliance. ``poll_slower_than_ns``: a poll in the window lasted at least this long;
    ``poll_slower_than_usual_ns``: at least this much longer than polls before the window mostly did.
    ``clock_off_ns``: the system's own time stamps are off by at least half of this, in its direction. Without any sign
    nothing shows the effect, and a run with it is inconclusive.
    """

    journal: tuple[Mapping[str, Any], ...] = ()
    poll_errors: tuple[str, ...] = ()
    poll_slower_than_ns: int | None = None
    poll_slower_than_usual_ns: int | None = None
    clock_off_ns: int | None = None

    def to_data(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "journal": [dict(pattern) for pattern in self.journal],
            "poll_errors": list(self.poll_errors),
            "poll_slower_than_ns": self.poll_slower_than_ns,
            "poll_slower_than_usual_ns": self.poll_slower_than_usual_ns,
            "clock_off_ns": self.clock_off_ns,
        }


ALL_WORLDS: Final = frozenset({"simulated", "live"})


@dataclass(frozen=True)
class FaultKind:
    """One row of the catalogue. ``target`` is what it happens to."""

    name: str
    doc: str
    parameters: type[BaseModel]
    stage: Stage
    witness: Callable[[Any], Witness]
    effect: Callable[[Any], Effect]
    worlds: frozenset[str] = ALL_WORLDS
    needs_tls: bool = False
    target: Literal["appliance", "system"] = "appliance"


@dataclass(frozen=True)
class Scope:
    """Which requests a fault is about; counts nothing itself."""

    pattern: re.Pattern[str]
    method: str | None
    first: int | None

    @classmethod
    def of(cls, parameters: BaseModel) -> "Scope | None":
        """The scope of per-request parameters, None for kinds that act on the whole appliance."""
        if not isinstance(parameters, RequestParameters):
            return None
        return cls(re.compile(fnmatch.translate(parameters.path)), parameters.method, parameters.first)

    def covers(self, method: str, path: str) -> bool:
        """Whether a request for ``path`` (below /api/v2.0) is meant."""
        return (self.method is None or self.method == method) and self.pattern.match(path) is not None
