"""Checks of what ``/api/alerts/active`` shows: an alert begins, ends, or never is (pulse-contract A9, A10).

Only what was seen is believed, not the times an alert says of itself; an alert that came and went between two samples
was not seen. Which thresholds there are is the scenario's business.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from pulse_sim.checks.coverage import connection_of, is_seen_at, require_seen, require_started
from pulse_sim.checks.judgement import CheckKind, Finding, NoEvidence, check_kind
from pulse_sim.checks.parameters import Name, Parameters, Window
from pulse_sim.checks.wording import at_ms, within
from pulse_sim.observation import RunLog
from pulse_sim.units import Duration, format_duration

Rule = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,63}$")]
"""The id of a rule, such as ``poll-failing``, or ``appliance`` for what an appliance says itself."""


class AlertFires(Parameters):
    """An alert of a connection is active ``by`` a time, or begins ``between`` two times and not before."""

    alert: Rule
    connection: Name
    by: Duration | None = None
    between: Window | None = None

    @model_validator(mode="after")
    def _one_moment(self) -> Self:
        if (self.by is None) == (self.between is None):
            raise ValueError("give exactly one of by and between")
        return self


class AlertResolves(Parameters):
    """An alert of a connection is still active at ``after``, and over ``by`` a later time."""

    alert: Rule
    connection: Name
    by: Duration
    after: Duration

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.after >= self.by:
            raise ValueError("after goes with a later by")
        return self


class AlertSilent(Parameters):
    """An alert, of one connection or of any, is never active, over the run or ``between`` two times."""

    alert: Rule
    connection: Name | None = None
    between: Window | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """One sample of the active alerts of one system. ``whose`` are the connections for which the alert was active.

    ``is_readable``: every alert in it said of which rule and of whom it is.
    """

    time_ns: int
    seq: int
    whose: tuple[str, ...]
    is_readable: bool


def expected_begin(given: AlertFires) -> str:
    """In words."""
    when = within(given.between) if given.by is None else f" by {format_duration(given.by)}"
    return f"alert {given.alert} of {given.connection} {'begins' if given.by is None else 'active'}{when}"


def find_begin(log: RunLog, given: AlertFires) -> Finding:
    """With ``between``, the last sample at or before the window must show it not active yet."""
    system = connection_of(log, given.connection).system
    looks = _looks(log, system, given.alert)
    from_ns, to_ns = given.between or (-1, given.by or 0)
    if given.between is not None:
        before = _last(log, system, looks, from_ns)
        if given.connection in before.whose:
            return Finding(False, f"active already at {at_ms(before.time_ns)}", [before.seq])
        _require_readable(before)
    inside = [look for look in looks if from_ns < look.time_ns <= to_ns]
    first = next((look for look in inside if given.connection in look.whose), None)
    if first is not None:
        return Finding(True, f"active at {at_ms(first.time_ns)}", [first.seq])
    last = _last(log, system, looks, to_ns)
    for look in inside:
        _require_readable(look)
    return Finding(False, "never active", [look.seq for look in inside] or [last.seq])


def expected_end(given: AlertResolves) -> str:
    """In words."""
    after, by = format_duration(given.after), format_duration(given.by)
    return f"alert {given.alert} of {given.connection} active at {after} and over by {by}"


def find_end(log: RunLog, given: AlertResolves) -> Finding:
    """The last sample at or before ``after`` shows it, the last at or before ``by`` does not."""
    system = connection_of(log, given.connection).system
    looks = _looks(log, system, given.alert)
    before = _last(log, system, looks, given.after)
    if given.connection not in before.whose:
        _require_readable(before)
        return Finding(False, f"not active at {at_ms(before.time_ns)}", [before.seq])
    last = _last(log, system, looks, given.by)
    if last.seq == before.seq:
        raise NoEvidence(_no_look(system, given.by), [before.seq])
    if given.connection in last.whose:
        return Finding(False, f"still active at {at_ms(last.time_ns)}", [before.seq, last.seq])
    active = [look for look in looks if before.seq <= look.seq < last.seq and given.connection in look.whose]
    over = next(look for look in looks if look.seq > active[-1].seq)
    _require_readable(over)
    _require_readable(last)
    return Finding(True, f"over at {at_ms(over.time_ns)}", [active[-1].seq, over.seq, last.seq])


def expected_silence(given: AlertSilent) -> str:
    """In words."""
    whose = "any connection" if given.connection is None else given.connection
    return f"alert {given.alert} of {whose} never active{within(given.between)}"


def find_silence(log: RunLog, given: AlertSilent) -> Finding:
    """Every sample counts, and the time must be seen at all times."""
    systems = log.systems if given.connection is None else (connection_of(log, given.connection).system,)
    if not systems:
        raise NoEvidence("the log knows no system")
    seen: list[Look] = []
    gap: NoEvidence | None = None
    for system in systems:
        require_started(log, system)
        window = given.between or (log.up(system)[0].from_ns, log.end_ns)
        inside = [look for look in _looks(log, system, given.alert) if window[0] <= look.time_ns <= window[1]]
        loud = [look for look in inside if (look.whose if given.connection is None else given.connection in look.whose)]
        if loud:
            whose = given.connection or loud[0].whose[0]
            return Finding(False, f"active for {whose} at {at_ms(loud[0].time_ns)}", [look.seq for look in loud])
        try:
            _require_watched(log, system, inside, window)
        except NoEvidence as missing:
            gap = gap or missing
        seen.extend(inside)
    if gap is not None:
        raise gap
    return Finding(True, f"not active in {len(seen)} of {len(seen)} samples", [look.seq for look in seen])


def _require_watched(log: RunLog, system: str, looks: Sequence[Look], window: tuple[int, int]) -> None:
    for look in looks:
        _require_readable(look)
    what = f"sample of the alerts of {system}"
    require_seen(log, system, [look.time_ns for look in looks], window, log.resources_interval_ns, what)


def _looks(log: RunLog, system: str, rule: str) -> Sequence[Look]:
    """Every sample of the alerts. Raises NoEvidence when there is none, as of a system without that page."""
    looks = []
    for sample in log.alerts(system):
        shown = sample.by_id.values()
        whose = {str(alert.get("instance")) for alert in shown if alert.get("rule") == rule}
        is_readable = all(alert.get("rule") is not None and alert.get("instance") is not None for alert in shown)
        looks.append(Look(sample.time_ns, sample.seq, tuple(sorted(whose)), is_readable))
    if not looks:
        raise NoEvidence(f"no sample of the alerts of {system}")
    return looks


def _last(log: RunLog, system: str, looks: Sequence[Look], time_ns: int) -> Look:
    """The last sample at or before a time, recent enough to tell of it."""
    before = [look for look in looks if look.time_ns <= time_ns]
    if not before or not is_seen_at(log, system, before[-1].time_ns, time_ns, log.resources_interval_ns):
        raise NoEvidence(_no_look(system, time_ns), [before[-1].seq] if before else ())
    return before[-1]


def _no_look(system: str, time_ns: int) -> str:
    return f"no sample of the alerts of {system} just before {format_duration(time_ns)}"


def _require_readable(look: Look) -> None:
    """An alert that does not say of which rule and of whom it is may be the one that is looked for."""
    if not look.is_readable:
        raise NoEvidence(f"an alert at {at_ms(look.time_ns)} does not tell its rule and connection", [look.seq])


KINDS: Final[tuple[CheckKind, ...]] = (
    check_kind("alert_fires", AlertFires, expected_begin, find_begin),
    check_kind("alert_resolves", AlertResolves, expected_end, find_end),
    check_kind("alert_silent", AlertSilent, expected_silence, find_silence),
)
