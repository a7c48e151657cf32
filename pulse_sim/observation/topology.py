"""What a log tells of the run's topology: systems and when they were up, connections, faults, requests.

Plain values for the reader. Knows nothing of scenarios; it reads ``world/start`` and what happened afterwards.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from pulse_sim.observation.record import Record
from pulse_sim.units import SECOND, parse_duration

DEFAULT_POLL_INTERVAL_NS: Final = 60 * SECOND


@dataclass(frozen=True, slots=True)
class Span:
    """``[from_ns, to_ns)`` in time and, exactly, the records between two sequence numbers.

    ``None`` is the end of the run.
    """

    from_ns: int
    to_ns: int | None
    from_seq: int
    to_seq: int | None

    def has_time(self, time_ns: int) -> bool:
        """Whether ``time_ns`` lies in it."""
        return self.from_ns <= time_ns and (self.to_ns is None or time_ns < self.to_ns)

    def has_seq(self, seq: int) -> bool:
        """Whether the record ``seq`` lies in it; tells apart what happened at one instant."""
        return self.from_seq <= seq and (self.to_seq is None or seq < self.to_seq)


@dataclass(frozen=True, slots=True)
class Connection:
    """One connection of a system to an appliance.

    ``configured``: when the system was told to poll; several spans when it was removed and added again, or disabled.
    """

    id: str
    system: str
    appliance: str
    poll_interval_ns: int
    configured: tuple[Span, ...]

    def is_configured_at(self, time_ns: int) -> bool:
        """Whether the system was told to poll at ``time_ns``."""
        return any(span.has_time(time_ns) for span in self.configured)


@dataclass(frozen=True, slots=True)
class FaultWindow:
    """One fault, active in ``[from_ns, to_ns)``; ``healed_seq`` is None when the log has no heal for it."""

    id: str
    kind: str
    on: str
    from_ns: int
    to_ns: int
    witness: Mapping[str, Any]
    connections: tuple[str, ...]
    seq: int
    healed_seq: int | None


@dataclass(frozen=True, slots=True)
class Request:
    """One exchange in an appliance's journal. ``seq`` is the record written when it ended.

    ``kind`` is ``request``, or on a WebSocket ``handshake``, ``call``, ``event`` or ``close``.
    """

    arrival_ns: int
    ended_ns: int
    seq: int
    appliance: str
    method: str
    path: str
    status: int | None
    ended: str
    faults: tuple[str, ...]
    credential: str | None
    duration_ns: int
    kind: str = "request"

    @property
    def was_asked(self) -> bool:
        """Whether a client asked for it; an event and the end of a connection come by themselves."""
        return self.kind not in ("event", "close")

    @classmethod
    def of(cls, record: Record) -> "Request":
        """Raises ValueError when the exchange would have begun before the run."""
        data = record.data
        arrival_ns = record.time_ns - data["duration_ns"]
        if arrival_ns < 0:
            raise ValueError("a request arrived before the run began")
        return cls(
            arrival_ns,
            record.time_ns,
            record.seq,
            record.subject,
            data["method"],
            data["path"],
            data["status"],
            data["ended"],
            tuple(data["faults"]),
            data.get("credential"),
            data["duration_ns"],
            data.get("kind", "request"),
        )


def up_spans(records: Iterable[Record]) -> tuple[Span, ...]:
    """When a system was up, from its ``sut/started`` and ``sut/stopped`` records in order."""
    spans: list[Span] = []
    for record in records:
        is_up = bool(spans) and spans[-1].to_seq is None
        if is_up:  # started twice without a stop between: the first life ended unseen
            spans[-1] = replace(spans[-1], to_ns=record.time_ns, to_seq=record.seq)
        if record.kind == "started":
            spans.append(Span(record.time_ns, None, record.seq, None))
    return tuple(spans)


def connections(start: Record | None, actions: Iterable[Record]) -> dict[str, Connection]:
    """Every connection that was ever configured: those of ``world/start``, then what operators changed.

    Add and enable begin a span, remove and disable end it, update may change the interval; only an action answered 2xx
    counts. Raises ValueError for a poll interval that is none.
    """
    found: dict[str, Connection] = {}
    if start is not None:
        for name, data in start.data["connections"].items():
            span = Span(start.time_ns, None, start.seq, None)
            found[name] = Connection(name, data["system"], data["appliance"], data["poll_interval_ns"], (span,))
    for action in actions:
        status, name = action.data["status"], action.data["with"].get("id")
        if status is not None and 200 <= status < 300 and isinstance(name, str):
            connection = _after(found.get(name), name, action)
            if connection is not None:
                found[name] = connection
    return found


def _after(before: Connection | None, name: str, action: Record) -> Connection | None:
    """The connection as ``action`` left it; None when it is about nothing known."""
    do, given = action.data["do"], action.data["with"]
    interval_ns = _poll_interval(given, before)
    if do == "add_connection":
        appliance = str(given.get("appliance", before.appliance if before else name))
        spans = _closed(before.configured if before else (), action)
        return Connection(name, action.subject, appliance, interval_ns, (*spans, _opened(action)))
    if before is None:
        return None
    if do in ("remove_connection", "disable_connection"):
        return replace(before, configured=_closed(before.configured, action))
    if do == "enable_connection":
        return replace(before, configured=(*_closed(before.configured, action), _opened(action)))
    if do == "update_connection":
        return replace(before, appliance=str(given.get("appliance") or before.appliance), poll_interval_ns=interval_ns)
    return before


def _opened(action: Record) -> Span:
    return Span(action.time_ns, None, action.seq, None)


def _closed(spans: Sequence[Span], action: Record) -> tuple[Span, ...]:
    if not spans or spans[-1].to_seq is not None:
        return tuple(spans)
    return (*spans[:-1], replace(spans[-1], to_ns=action.time_ns, to_seq=action.seq))


def _poll_interval(given: Mapping[str, Any], before: Connection | None) -> int:
    exact, text = given.get("poll_interval_ns"), given.get("poll_interval")
    if type(exact) is int and exact > 0:
        return exact
    if isinstance(text, str):
        return parse_duration(text)
    return before.poll_interval_ns if before else DEFAULT_POLL_INTERVAL_NS
