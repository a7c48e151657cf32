"""What a fault kind is: parameters, effect, worlds, and how the other side can tell that it took effect.

Pure data. The mechanism that applies effects reads the fields of :class:`Effect` and never asks for a kind.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import BaseModel

from mock_truenas.faults.effect import CertificateOrder, Effect, Handshake, Keyring, LiveSessions, Stage
from mock_truenas.faults.scope import Parameters, RequestParameters, Scope
from mock_truenas.faults.target import Face, Occasion

__all__ = [
    "ALL_WORLDS",
    "CertificateOrder",
    "Effect",
    "FaultKind",
    "Handshake",
    "Keyring",
    "LiveSessions",
    "Parameters",
    "RequestParameters",
    "Scope",
    "Stage",
    "Witness",
]


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
HTTP: Final[frozenset[Occasion]] = frozenset({"request", "handshake"})
"""What a client asks over HTTP of an API, a WebSocket's handshake included; pages of the front are something else."""


def _nothing_spared(_: Any) -> str:
    return ""


@dataclass(frozen=True)
class FaultKind:
    """One row of the catalogue. ``target`` is what it happens to.

    ``acts_on`` and ``faces`` say where it can act at all (None: on every face); ``shows``, for a kind without request
    parameters, in which calls it can be seen: globs separated by ``|``. ``spares`` makes such globs, of calls that are
    never struck, from the parameters. ``lasting``: healing ends it, and what it did to the appliance stays.
    """

    name: str
    doc: str
    parameters: type[BaseModel]
    stage: Stage
    witness: Callable[[Any], Witness]
    effect: Callable[[Any], Effect]
    worlds: frozenset[str] = ALL_WORLDS
    needs_tls: bool = False
    target: Literal["appliance", "system"] = "appliance"
    acts_on: frozenset[Occasion] = HTTP
    faces: frozenset[Face] | None = None
    shows: str = ""
    spares: Callable[[Any], str] = _nothing_spared
    lasting: bool = False
