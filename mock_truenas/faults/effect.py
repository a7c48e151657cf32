"""What an active fault does, as values. Carries nothing out, and knows neither kinds nor which of them it serves.

Faces read the fields; those left at their defaults do nothing.
"""

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from mock_truenas.api.answer import Answer
from mock_truenas.api.errors import MethodError
from mock_truenas.behaviour import Behaviour


class Stage(enum.IntEnum):
    """Where overlapping faults act, in this order (DESIGN R5)."""

    REFUSE = 0
    DROP = 1
    DELAY = 2
    STATUS = 3
    BODY = 4
    PACE = 5
    STATE = 6


class Keyring(Protocol):
    """The part of an appliance that state faults change."""

    @property
    def accounts(self) -> Any: ...
    def revoke(self, name: str, *, by: str = ...) -> None: ...
    def restore(self, name: str, *, by: str = ...) -> None: ...
    def now_ns(self) -> int: ...
    def overlay(self, fault_id: str, change: Callable[[Any], Any]) -> None: ...
    def lift(self, fault_id: str) -> None: ...
    def reboot(self, takes_ns: int = ...) -> None: ...
    def finish_boot(self) -> None: ...


class LiveSessions(Protocol):
    """The part of the open WebSocket sessions that faults change."""

    def suspend(self, fault_id: str) -> None: ...
    def resume(self, fault_id: str) -> None: ...


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
class Asked:
    """What an answer of the front may depend on: ``host`` is the Host header, ``target`` path and query; as sent."""

    scheme: str
    host: str
    target: str


@dataclass(frozen=True)
class Result:
    """A result answered without running the method; a wrapper, because null is a result."""

    value: Any


@dataclass(frozen=True)
class Close:
    """A WebSocket close frame, and the end of the connection."""

    code: int
    reason: str = ""


@dataclass(frozen=True)
class Delivery:
    """What happens to a text message on its way out over a WebSocket.

    ``edit`` changes the text. ``before`` and ``after`` make messages, from the text, that are sent around it; the
    second argument is the face (``rpc`` or ``ddp``). ``copies`` counts it and its repetitions, ``gap_ns`` apart.
    ``keep_bytes``: so many bytes of its frame are sent, at least one less than it has, and the connection ends.
    """

    edit: Callable[[str], str] | None = None
    before: Callable[[str, str], tuple[str, ...]] | None = None
    after: Callable[[str, str], tuple[str, ...]] | None = None
    copies: int = 1
    gap_ns: int = 0
    keep_bytes: int | None = None


@dataclass(frozen=True)
class Effect:
    """What an active fault does, in the order of the stages.

    - ``closes_door``: nothing listens. ``cuts``: as it begins, live WebSockets (``sockets``) end without a close frame,
      or all connections are reset (``all``). ``handshake`` is TLS's. ``idle_ns``: a WebSocket on which nothing came or
      went for so long is ended without a close frame.
    - ``silent``: a request, handshake or call is never answered; an event is not sent.
    - ``delay_ns``: held back so long before it is looked at, in the slot it takes. ``stall_ns``: whatever meets the
      fault before this time since the first meeting has passed waits until then. With ``in_method`` that is time the
      method takes, on which the front gives up after its own; otherwise the request is held up on its way.
    - ``answer``, or ``replies`` where it depends on what was asked: the HTTP answer instead; with ``performs`` the
      method runs all the same. ``close``: a handshake is accepted and the connection then closed; on a call, instead of
      the reply. ``refuses`` makes what the method raises instead of running; ``result`` is what it returns instead.
    - ``change_value``: the JSON result of a call, or fields of an event, before they are rendered; the value given is
      never changed in place. ``rewrite``: the HTTP answer. ``keep_bytes``: body bytes sent, at least one byte is
      missing. ``delivery``: the text message.
    - ``reset_after``: body bytes sent before the reset, at least one byte is missing.
    - ``change`` and ``undo`` get the appliance and the fault's id; ``change_sessions`` and ``undo_sessions`` the open
      sessions. ``behaviour``: switches set while it is active.
    """

    closes_door: bool = False
    cuts: Literal["sockets", "all"] | None = None
    handshake: Handshake | None = None
    idle_ns: int | None = None
    silent: bool = False
    delay_ns: int = 0
    stall_ns: int = 0
    in_method: bool = False
    answer: Answer | None = None
    replies: Callable[[Asked], Answer] | None = None
    performs: bool = False
    close: Close | None = None
    refuses: Callable[[], MethodError] | None = None
    result: Result | None = None
    change_value: Callable[[Any], Any] | None = None
    rewrite: Callable[[Answer], Answer] | None = None
    keep_bytes: int | None = None
    delivery: Delivery | None = None
    reset_after: int | None = None
    change: Callable[[Any, str], None] | None = None
    undo: Callable[[Any, str], None] | None = None
    change_sessions: Callable[[LiveSessions, str], None] | None = None
    undo_sessions: Callable[[LiveSessions, str], None] | None = None
    behaviour: Callable[[Behaviour], Behaviour] | None = None

    def stages(self) -> frozenset[Stage]:
        """The stages at which it does something to what meets it."""
        acts: Mapping[Stage, bool] = {
            Stage.DROP: self.silent,
            Stage.DELAY: bool(self.delay_ns or self.stall_ns),
            Stage.STATUS: any(
                part is not None for part in (self.answer, self.replies, self.close, self.refuses, self.result)
            ),
            Stage.BODY: any(
                part is not None for part in (self.change_value, self.rewrite, self.keep_bytes, self.delivery)
            ),
            Stage.PACE: self.reset_after is not None,
            Stage.STATE: self.change is not None or self.change_sessions is not None,
        }
        return frozenset(stage for stage, does in acts.items() if does)
