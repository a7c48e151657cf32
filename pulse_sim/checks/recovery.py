"""Checks of freshness: how old the last success ever was, and how soon a connection is well again."""

from collections.abc import Sequence
from math import isfinite
from typing import Final

from pulse_sim.checks.coverage import connection_of, is_seen_at, require_seen
from pulse_sim.checks.judgement import CheckKind, Finding, NoEvidence, check_kind
from pulse_sim.checks.parameters import Recovers, StalenessBelow
from pulse_sim.checks.polls import INSTANCE_TYPE
from pulse_sim.checks.statuses import shown, source_of
from pulse_sim.checks.wording import at_most_ms, at_ms, within
from pulse_sim.observation import Connection, RunLog, Sample
from pulse_sim.units import MICROSECOND, SECOND, format_duration

STALENESS: Final = "pulse_monitor_poll_staleness_seconds"
LAST_SUCCESS: Final = "pulse_monitor_poll_last_success_timestamp"
FAILURES: Final = "pulse_monitor_poll_consecutive_failures"
BREAKER: Final = "pulse_scheduler_breaker_state"
CLOSED: Final = 0


def expected_staleness(given: StalenessBelow) -> str:
    """In words."""
    limit = format_duration(given.at_most)
    return f"the last success of {given.connection} at most {limit} old at all times{within(given.between)}"


def find_staleness(log: RunLog, given: StalenessBelow) -> Finding:
    """The oldest the data ever was, from the live gauge. One sample over the limit is enough to fail."""
    connection = connection_of(log, given.connection)
    first, last = connection.configured[0], connection.configured[-1]
    window = given.between or (first.from_ns, log.end_ns if last.to_ns is None else last.to_ns)
    samples = [one for one in _gauge(log, connection, STALENESS) if window[0] <= one.time_ns <= window[1]]
    if not samples:
        raise NoEvidence(f"no samples of {STALENESS} of {given.connection}{within(given.between)}")
    unreadable = [one.seq for one in samples if not isfinite(one.value) or one.value < 0]
    if unreadable:
        raise NoEvidence(f"{STALENESS} of {given.connection} was no age", unreadable)
    worst = max(samples, key=lambda one: one.value)
    observed = f"at most {at_most_ms(worst.value * SECOND)}, at {at_ms(worst.time_ns)}"
    over = [one.seq for one in samples if one.value > given.at_most / SECOND]
    if over:
        return Finding(False, observed, [worst.seq, *over[:3], over[-1]])
    times = [one.time_ns for one in samples]
    require_seen(log, connection.system, times, window, log.metrics_interval_ns, "sample of staleness")
    return Finding(True, observed, [worst.seq])


def expected_recovery(given: Recovers) -> str:
    """In words."""
    return f"{given.connection} recovered within {format_duration(given.within)} after {format_duration(given.after)}"


def find_recovery(log: RunLog, given: Recovers) -> Finding:
    """Recovered: a success newer than ``after``, no failures in a row, breaker closed; then the source shown online.

    The instant is that of the success when the next sample of the resources is online, else that of the first that is.
    """
    connection = connection_of(log, given.connection)
    candidates = _after(log, connection, given)
    well = _first_well(log, connection, candidates, given.after)
    if well is None:
        deadline_ns = given.after + given.within
        if not is_seen_at(log, connection.system, candidates[-1].time_ns, deadline_ns, log.metrics_interval_ns):
            raise NoEvidence(f"the log does not show {given.connection} up to {format_duration(deadline_ns)}")
        return Finding(False, "not recovered by the end of the run", [one.seq for one in candidates])
    success_ns = _since_start(log, well)
    sources = shown(log.resources(connection.system), f"system:{given.connection}", source_of)
    later = [one for one in sources if one.time_ns >= success_ns]
    if not later:
        raise NoEvidence(f"no sample of the resources after the success at {at_ms(success_ns)}", [well.seq])
    online = next((one for one in later if one.status == "online"), None)
    if online is None:
        observed = f"polled again at {at_ms(success_ns)}, but shown {later[-1].status}"
        return Finding(False, observed, [well.seq, *(one.seq for one in later)])
    took_ns = (success_ns if online is later[0] else online.time_ns) - given.after
    return Finding(took_ns <= given.within, f"recovered after {at_most_ms(took_ns)}", [well.seq, online.seq])


def _after(log: RunLog, connection: Connection, given: Recovers) -> Sequence[Sample]:
    """The samples of the last success after ``after``. Raises NoEvidence when any of the three gauges is missing."""
    for name in (LAST_SUCCESS, FAILURES, BREAKER):
        if not any(one.time_ns > given.after for one in _gauge(log, connection, name)):
            raise NoEvidence(f"no samples of {name} of {given.connection} after {format_duration(given.after)}")
    return [one for one in _gauge(log, connection, LAST_SUCCESS) if one.time_ns > given.after]


def _first_well(log: RunLog, connection: Connection, candidates: Sequence[Sample], after_ns: int) -> Sample | None:
    failures = {one.seq: one.value for one in _gauge(log, connection, FAILURES)}
    breaker = {one.seq: one.value for one in _gauge(log, connection, BREAKER)}
    for one in candidates:
        is_calm = failures.get(one.seq) == 0 and breaker.get(one.seq) == CLOSED
        if is_calm and _since_start(log, one) > after_ns:
            return one
    return None


def _since_start(log: RunLog, sample: Sample) -> int:
    """A unix time in seconds as nanoseconds of the run, to the microsecond a double of today can tell."""
    if not isfinite(sample.value):
        raise NoEvidence(f"{LAST_SUCCESS} was {sample.value}", [sample.seq])
    since_ns = round(sample.value * SECOND) - log.start_unix_ns
    return (since_ns + MICROSECOND // 2) // MICROSECOND * MICROSECOND


def _gauge(log: RunLog, connection: Connection, name: str) -> Sequence[Sample]:
    return log.series(connection.system, name, instance_type=INSTANCE_TYPE, instance=connection.id)


KINDS: Final[tuple[CheckKind, ...]] = (
    check_kind("recovers", Recovers, expected_recovery, find_recovery),
    check_kind("staleness_below", StalenessBelow, expected_staleness, find_staleness),
)
