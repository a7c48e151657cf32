"""faults_took_effect and isolation on handwritten logs."""

from typing import Any

import pytest

from pulse_sim.outcome import Outcome
from pulse_sim.units import MINUTE, SECOND, parse_duration
from tests.checks.log_builder import LABELS, LogBuilder, every, judge, poll_errors, poll_total

PASSED, FAILED, INCONCLUSIVE = Outcome.PASSED, Outcome.FAILED, Outcome.INCONCLUSIVE
NEVER = "never took effect: f1 (auth.revoke_key on nas-1, 5m to 10m)"
AUTH = poll_errors("auth")


def faulty(**fault: Any) -> LogBuilder:
    heal = fault.pop("heal", True)
    return LogBuilder().phase("0s", "warm-up").phase("5m", "inject").fault("5m", "10m", heal=heal, **fault)


def felt(builder: LogBuilder, end: str = "20m") -> tuple[Outcome, str]:
    result = judge(builder.log(end), "faults_took_effect")
    return result.outcome, result.observed


@pytest.mark.parametrize(
    ("arrival", "entry", "outcome"),
    [
        ("5m", {"status": 401, "faults": ["f1"]}, PASSED),
        (10 * MINUTE - 1, {"status": 401, "faults": ["f1", "f2"]}, PASSED),
        ("10m", {"status": 401, "faults": ["f1"]}, INCONCLUSIVE),
        (5 * MINUTE - 1, {"status": 401, "faults": ["f1"]}, INCONCLUSIVE),
        ("6m", {"status": 401, "faults": ["f2"]}, INCONCLUSIVE),
        ("6m", {"status": 403, "faults": ["f1"]}, INCONCLUSIVE),
    ],
)
def test_an_answer_the_fault_shaped_inside_its_window_is_its_witness(
    arrival: str | int, entry: dict[str, Any], outcome: Outcome
) -> None:
    observed = "1 of 1 took effect" if outcome is PASSED else NEVER
    assert felt(faulty().request(arrival, **entry)) == (outcome, observed)


@pytest.mark.parametrize(
    ("matcher", "outcome"),
    [
        ({"ended": ["silent", "cut"]}, PASSED),
        ({"ended": ["complete"]}, INCONCLUSIVE),
        ({"duration_at_least_ns": 2 * SECOND}, PASSED),
        ({"duration_at_least_ns": 2 * SECOND + 1}, INCONCLUSIVE),
        ({"fault": True, "ended": ["cut"], "status": [200]}, PASSED),
        ({"fault": True, "ended": ["cut"], "status": [500]}, INCONCLUSIVE),
        ({"fault": False}, INCONCLUSIVE),
        ({}, INCONCLUSIVE),
        ({"fault": True, "colour": "red"}, INCONCLUSIVE),
    ],
)
def test_all_of_a_matcher_must_hold(matcher: dict[str, Any], outcome: Outcome) -> None:
    log = faulty(witness={"journal": [matcher]})
    assert felt(log.request("6m", ended="cut", faults=["f1"], duration_ns=2 * SECOND))[0] is outcome


def test_requests_to_another_appliance_witness_nothing() -> None:
    log = LogBuilder({"nas-1": "nas-1", "nas-2": "nas-2"}).phase("0s", "warm-up").fault("5m", "10m")
    assert felt(log.request("6m", "nas-2", status=401, faults=["f1"])) == (INCONCLUSIVE, NEVER)


def test_a_fault_on_something_else_is_witnessed_by_the_appliances_it_lies_before() -> None:
    log = LogBuilder({"nas-1": "box"}).phase("0s", "warm-up").fault("5m", "10m", on="uplink", connections=["nas-1"])
    assert felt(log.request("6m", "box", status=401, faults=["f1"]))[0] is PASSED


def test_an_error_counted_by_the_scrape_after_the_slack_is_a_witness() -> None:
    counted = faulty().scrape("4m17s", {AUTH: 1}).scrape("10m29s", {AUTH: 1}).scrape("10m30s", {AUTH: 2})
    assert felt(counted)[0] is PASSED
    late = faulty().scrape("4m17s", {AUTH: 1}).scrape("10m30s", {AUTH: 1}).scrape("10m31s", {AUTH: 2})
    assert felt(late) == (INCONCLUSIVE, NEVER)
    before = faulty().scrape("4m17s", {AUTH: 0}).scrape("4m59s", {AUTH: 1}).scrape("11m", {AUTH: 1})
    assert felt(before) == (INCONCLUSIVE, NEVER)


def test_an_error_of_another_type_is_no_witness() -> None:
    log = faulty().scrape("4m17s", {poll_errors("api"): 0}).scrape("11m", {poll_errors("api"): 3})
    assert felt(log) == (INCONCLUSIVE, NEVER)


def polls(total: float, seconds: float, quick: float) -> dict[str, float | str]:
    name = "pulse_monitor_poll_duration_seconds"
    return {
        f"{name}_count{{{LABELS}}}": total,
        f"{name}_sum{{{LABELS}}}": seconds,
        f'{name}_bucket{{{LABELS},le="5.0"}}': 0,
        f'{name}_bucket{{{LABELS},le="10.0"}}': quick,
        f'{name}_bucket{{{LABELS},le="+Inf"}}': total,
    }


@pytest.mark.parametrize(
    ("after", "outcome"),
    [
        (polls(3, 9.5, 3), PASSED),  # one poll of 7.5 s
        (polls(3, 9.4, 3), INCONCLUSIVE),  # one of 7.4 s
        (polls(12, 13.0, 11), PASSED),  # eleven quick ones hide the one over 10 s from the mean, not from the buckets
        (polls(12, 13.0, 12), INCONCLUSIVE),
        (polls(2, 2.0, 2), INCONCLUSIVE),  # no poll at all
    ],
)
def test_a_slow_poll_is_a_witness(after: dict[str, float | str], outcome: Outcome) -> None:
    log = faulty(witness={"poll_slower_than_ns": 7_500_000_000})
    assert felt(log.scrape("4m17s", polls(2, 2.0, 2)).scrape("9m17s", after))[0] is outcome


@pytest.mark.parametrize(
    ("before", "after", "outcome"),
    [
        (((1, 6.0), (1, 6.0)), (1, 6.5), PASSED),
        (((1, 6.0), (1, 6.0)), (1, 6.4), INCONCLUSIVE),
        (((1, 6.0), (1, 9.0), (1, 6.0)), (1, 6.5), PASSED),  # one slow poll before does not raise the bar
        (((1, 6.0), (2, 12.0)), (2, 13.0), PASSED),
        ((), (1, 9.0), INCONCLUSIVE),  # nothing to compare with
        (((1, 6.0), (0, 0.0)), (0, 0.0), INCONCLUSIVE),
    ],
)
def test_a_poll_longer_than_was_usual_before_the_window_is_a_witness(
    before: tuple[tuple[int, float], ...], after: tuple[int, float], outcome: Outcome
) -> None:
    log, total, seconds = faulty(witness={"poll_slower_than_usual_ns": SECOND // 2}), 0, 0.0
    for minute, (count, spent) in enumerate(before):
        total, seconds = total + count, seconds + spent
        log.scrape(minute * MINUTE + 17 * SECOND, polls(total, seconds, total))
    log.scrape("5m", polls(total, seconds, total))
    log.scrape("9m17s", polls(total + after[0], seconds + after[1], total + after[0]))
    assert felt(log)[0] is outcome


@pytest.mark.parametrize(("spent", "outcome"), [(6.0, INCONCLUSIVE), (6.000_000_1, PASSED)])
def test_even_a_tenth_of_a_microsecond_longer_is_told_from_the_usual(spent: float, outcome: Outcome) -> None:
    log = faulty(witness={"poll_slower_than_usual_ns": 100}).scrape("4m17s", polls(1, 6.0, 1))
    assert felt(log.scrape("9m17s", polls(2, 6.0 + spent, 2)))[0] is outcome


@pytest.mark.parametrize(
    ("off_s", "told_s", "time", "outcome"),
    [
        (3600, 3600, "6m17s", PASSED),
        (3600, 1800, "6m17s", PASSED),  # a second step over it took half away
        (3600, 1799, "6m17s", INCONCLUSIVE),
        (3600, -3600, "6m17s", INCONCLUSIVE),
        (-3600, -3600, "6m17s", PASSED),
        (-3600, 0, "6m17s", INCONCLUSIVE),
        (3600, 3600, "4m17s", INCONCLUSIVE),
        (3600, 3600, "10m", INCONCLUSIVE),
        (0, 0, "6m17s", INCONCLUSIVE),
    ],
)
def test_a_stepped_clock_shows_in_what_the_system_takes_for_now(
    off_s: int, told_s: int, time: str, outcome: Outcome
) -> None:
    """Now is, for the system, the stamp of its last success and the time since."""
    age_s = 17
    now_s = LogBuilder().log("20m").start_unix_ns // SECOND + parse_duration(time) // SECOND
    shown: dict[str, float | str] = {
        f"pulse_monitor_poll_last_success_timestamp{{{LABELS}}}": now_s + told_s - age_s,
        f"pulse_monitor_poll_staleness_seconds{{{LABELS}}}": age_s,
    }
    assert felt(faulty(witness={"clock_off_ns": off_s * SECOND}).scrape(time, shown))[0] is outcome


def test_one_fault_that_was_not_felt_is_named() -> None:
    log = faulty().fault("12m", "13m", fault="f2").request("6m", status=401, faults=["f1"])
    observed = "never took effect: f2 (auth.revoke_key on nas-1, 12m to 13m)"
    assert felt(log) == (INCONCLUSIVE, observed)


def test_a_fault_without_a_witness_or_without_an_end_is_inconclusive() -> None:
    assert felt(faulty(witness={}).request("6m", status=401, faults=["f1"]))[0] is INCONCLUSIVE
    endless = faulty(heal=False).request("6m", status=401, faults=["f1"])
    assert felt(endless) == (INCONCLUSIVE, "never healed: f1")


def test_no_fault_passes_only_where_none_was_scheduled() -> None:
    assert felt(LogBuilder().phase("0s", "steady")) == (PASSED, "none scheduled")
    assert felt(LogBuilder().phase("0s", "steady").phase("5m", "inject"))[0] is INCONCLUSIVE
    assert felt(LogBuilder())[0] is INCONCLUSIVE


BOTH = {"nas-1": "nas-1", "nas-2": "nas-2"}
QUIET = poll_errors("timeout", "nas-2")


def neighbours(missed: tuple[int, ...] = (), late_ns: int = 0, counted: bool = True) -> LogBuilder:
    """nas-1 is in trouble from 5m to 10m; nas-2 is polled at every full minute with two requests, except the
    ``missed``.
    """
    log = LogBuilder(BOTH).fault("5m", "10m")
    for minute in range(20):
        if minute not in missed:
            delay_ns = late_ns if minute == 6 else 0
            log.request(minute * MINUTE + delay_ns, "nas-2").request(minute * MINUTE + delay_ns + SECOND, "nas-2")
    for time in every(MINUTE, 17 * SECOND, 20 * MINUTE):
        log.scrape(time, {QUIET: 0, poll_total("success", "nas-2"): time // MINUTE if counted else 3})
    return log


def isolated(builder: LogBuilder, end: str = "20m", **parameters: Any) -> tuple[Outcome, str]:
    result = judge(builder.log(end), "isolation", **{"undisturbed": ["nas-2"], **parameters})
    return result.outcome, result.observed


def test_a_connection_that_polls_on_is_isolated() -> None:
    assert isolated(neighbours()) == (PASSED, "no error, widest gap 1m, 1 window")


def test_a_poll_may_come_ten_seconds_late_and_no_later() -> None:
    assert isolated(neighbours(late_ns=10 * SECOND)) == (PASSED, "no error, widest gap 1m10s, 1 window")
    late = isolated(neighbours(late_ns=10 * SECOND + 1))
    assert late == (FAILED, "1m10s1ms without a poll of nas-2 from 5m")
    assert isolated(neighbours(late_ns=10 * SECOND + 1), at_most_gap="1m11s")[0] is PASSED


@pytest.mark.parametrize(("missed", "outcome"), [(4, PASSED), (5, FAILED), (10, FAILED), (11, FAILED), (12, PASSED)])
def test_the_window_and_the_minute_after_it_count(missed: int, outcome: Outcome) -> None:
    assert isolated(neighbours(missed=(missed,)))[0] is outcome


def test_a_connection_that_never_polls_again_is_disturbed() -> None:
    assert isolated(neighbours(missed=tuple(range(7, 20)))) == (FAILED, "14m without a poll of nas-2 from 6m")


def test_an_error_of_the_undisturbed_is_a_disturbance() -> None:
    log = LogBuilder(BOTH).fault("5m", "10m").request("1m", "nas-2").scrape("4m17s", {QUIET: 3})
    assert isolated(log.scrape("11m17s", {QUIET: 4})) == (FAILED, "1 error of nas-2 during f1")


def test_a_count_that_stands_still_is_no_peace() -> None:
    assert isolated(neighbours(counted=False)) == (FAILED, "no poll of nas-2 succeeded during f1")
    uncounted = neighbours()
    for record in uncounted.records:
        if record.kind == "metrics":
            record.data["changed"].pop(poll_total("success", "nas-2"), None)
    assert isolated(uncounted)[0] is INCONCLUSIVE


def test_trouble_of_its_own_excuses_a_connection() -> None:
    log = neighbours(missed=(7, 8)).fault("7m", "8m", on="nas-2", fault="f2")
    assert isolated(log) == (INCONCLUSIVE, "no fault window on another appliance")


def test_trouble_of_its_own_in_the_minute_after_excuses_it_too() -> None:
    during = neighbours().fault(11 * MINUTE - 1, "12m", on="nas-2", fault="f2")
    assert isolated(during) == (INCONCLUSIVE, "no fault window on another appliance")
    later = neighbours().fault("11m", "12m", on="nas-2", fault="f2")
    assert isolated(later)[0] is PASSED
    earlier = neighbours().fault("3m", "5m", on="nas-2", fault="f2")
    assert isolated(earlier)[0] is PASSED


def test_without_trouble_journal_scrapes_or_connection_nothing_is_known() -> None:
    assert isolated(LogBuilder(BOTH).request("1m", "nas-2"))[0] is INCONCLUSIVE
    silent = LogBuilder(BOTH).fault("5m", "10m").scrape("17s", {QUIET: 0}).scrape("12m", {QUIET: 0})
    assert isolated(silent) == (INCONCLUSIVE, "no request to nas-2 in the journal")
    assert isolated(LogBuilder(BOTH).fault("5m", "10m").request("1m", "nas-2"))[0] is INCONCLUSIVE
    assert isolated(LogBuilder().fault("5m", "10m"))[0] is INCONCLUSIVE
    short = LogBuilder(BOTH).fault("5m", "10m").request("1m", "nas-2").scrape("4m", {QUIET: 0})
    assert isolated(short.scrape("6m", {QUIET: 0}))[0] is INCONCLUSIVE
