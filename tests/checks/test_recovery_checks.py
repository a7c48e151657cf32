"""recovers and staleness_below on handwritten logs."""

from typing import Any

import pytest

from pulse_sim.outcome import Outcome
from pulse_sim.units import MINUTE, SECOND
from tests.checks.log_builder import START_UNIX, LogBuilder, every, gauge, judge

PASSED, FAILED, INCONCLUSIVE = Outcome.PASSED, Outcome.FAILED, Outcome.INCONCLUSIVE
STALENESS = gauge("pulse_monitor_poll_staleness_seconds")
SUCCESS = gauge("pulse_monitor_poll_last_success_timestamp")
FAILURES = gauge("pulse_monitor_poll_consecutive_failures")
BREAKER = gauge("pulse_scheduler_breaker_state")


def shown(success_s: float, failures: int = 0, breaker: int = 0) -> dict[str, float | str]:
    return {SUCCESS: START_UNIX + success_s, FAILURES: failures, BREAKER: breaker}


def recovery(builder: LogBuilder, within: str = "2m", end: str = "20m") -> tuple[Outcome, str]:
    result = judge(builder.log(end), "recovers", connection="nas-1", within=within, after="10m")
    return result.outcome, result.observed


def online(builder: LogBuilder, time: str = "12m", source: str = "online") -> LogBuilder:
    return builder.resources(time, {"nas-1": {"source": source}})


def test_recovery_is_measured_from_the_success_itself() -> None:
    log = online(LogBuilder().scrape("10m17s", shown(540, 4, 2)).scrape("11m17s", shown(661)))
    assert recovery(log, within="1m1s") == (PASSED, "recovered after 1m1s")
    assert recovery(log, within="1m999ms") == (FAILED, "recovered after 1m1s")


def test_a_success_at_the_very_end_of_the_trouble_is_none_after_it() -> None:
    log = online(LogBuilder().scrape("10m17s", shown(600)).scrape("11m17s", shown(660)))
    assert recovery(log) == (PASSED, "recovered after 1m")


def test_failures_in_a_row_or_an_open_breaker_are_no_recovery() -> None:
    log = LogBuilder().scrape("11m17s", shown(661, failures=1)).scrape("12m17s", shown(661, breaker=1))
    assert recovery(online(log, "14m"), end="14m") == (FAILED, "not recovered by the end of the run")
    assert recovery(online(log.scrape("13m17s", shown(780)), "14m"), within="3m") == (PASSED, "recovered after 3m")


def test_a_source_shown_online_late_is_a_late_recovery() -> None:
    log = online(LogBuilder().scrape("11m17s", shown(661)), "11m30s", "stale")
    assert recovery(online(log, "13m"), within="3m") == (PASSED, "recovered after 3m")
    assert recovery(online(log, "13m"), within="2m59s") == (FAILED, "recovered after 3m")


def test_a_sample_at_the_instant_of_the_success_may_show_it() -> None:
    log = online(LogBuilder().scrape("11m17s", shown(661)), "11m1s")
    assert recovery(log, within="1m1s") == (PASSED, "recovered after 1m1s")


def test_a_source_never_shown_online_is_no_recovery() -> None:
    log = online(LogBuilder().scrape("11m17s", shown(661)), "12m", "stale")
    assert recovery(log) == (FAILED, "polled again at 11m1s, but shown stale")


@pytest.mark.parametrize(
    "builder",
    [
        LogBuilder(),
        LogBuilder().scrape("9m17s", shown(540)),
        LogBuilder().scrape("11m17s", {SUCCESS: START_UNIX + 661, FAILURES: 0}),
        LogBuilder().scrape("11m17s", {SUCCESS: START_UNIX + 661, BREAKER: 0}),
        LogBuilder().scrape("11m17s", {FAILURES: 0, BREAKER: 0}),
        LogBuilder().scrape("11m17s", {SUCCESS: "NaN", FAILURES: 0, BREAKER: 0}),
        LogBuilder().scrape("11m17s", shown(661)),
        LogBuilder(started=False).scrape("11m17s", shown(661)),
    ],
)
def test_a_recovery_nobody_could_have_seen_is_inconclusive(builder: LogBuilder) -> None:
    assert recovery(builder)[0] is INCONCLUSIVE


def test_a_log_that_ends_before_the_deadline_does_not_tell() -> None:
    log = online(LogBuilder().scrape("10m17s", shown(540, 4, 2)))
    assert recovery(log, within="3m17s", end="14m")[0] is FAILED
    assert recovery(log, within="3m18s", end="14m")[0] is INCONCLUSIVE
    assert recovery(log, within="5m", end="14m")[0] is INCONCLUSIVE


def ages(step: int = MINUTE, to: int = 10 * MINUTE, **odd: float | str) -> LogBuilder:
    log = LogBuilder()
    for time in every(step, 17 * SECOND, to):
        log.scrape(time, {STALENESS: odd.get(f"at_{time // SECOND}", 17.0)})
    return log


def staleness(builder: LogBuilder, end: str = "10m", **parameters: Any) -> tuple[Outcome, str]:
    result = judge(builder.log(end), "staleness_below", **{"connection": "nas-1", "at_most": "2m", **parameters})
    return result.outcome, result.observed


def test_an_age_at_the_limit_is_allowed_and_the_next_double_is_not() -> None:
    assert staleness(ages(at_77=120.0)) == (PASSED, "at most 2m, at 1m17s")
    assert staleness(ages(at_77=120.00000000000001)) == (FAILED, "at most 2m1ms, at 1m17s")


def test_only_the_window_is_judged() -> None:
    assert staleness(ages(at_77=500.0), between=["2m", "9m"])[0] is PASSED
    assert staleness(ages(at_137=500.0), between=["2m", "9m"])[0] is FAILED


def test_a_gap_of_more_than_three_intervals_is_inconclusive_unless_the_limit_was_passed() -> None:
    assert staleness(ages(step=3 * MINUTE))[0] is PASSED
    assert staleness(ages(step=3 * MINUTE + 1))[0] is INCONCLUSIVE
    assert staleness(ages(step=4 * MINUTE, at_257=121.0))[0] is FAILED


def test_no_age_at_all_is_an_age() -> None:
    assert staleness(ages(at_77=0.0))[0] is PASSED


def test_an_age_that_is_none_or_missing_is_inconclusive() -> None:
    for value in ("NaN", "-1.0", "+Inf"):
        assert staleness(ages(at_77=value))[0] is INCONCLUSIVE
    assert staleness(LogBuilder())[0] is INCONCLUSIVE
    assert staleness(LogBuilder().scrape("17s", {}))[0] is INCONCLUSIVE
    assert staleness(ages(), between=["5m", "11m"])[0] is INCONCLUSIVE


def test_a_connection_is_judged_only_while_it_was_configured() -> None:
    log = LogBuilder().action("1m", "remove_connection", id="nas-1")
    for time in every(MINUTE, 17 * SECOND, 10 * MINUTE):
        log.scrape(time, {STALENESS: 5.0} if time < MINUTE else {})
    assert staleness(log)[0] is PASSED
