"""poll_errors, poll_success_rate and request_rate on handwritten logs."""

from typing import Any

import pytest

from pulse_sim.outcome import Outcome
from pulse_sim.units import SECOND
from tests.checks.log_builder import LogBuilder, judge, poll_errors, poll_total

PASSED, FAILED, INCONCLUSIVE = Outcome.PASSED, Outcome.FAILED, Outcome.INCONCLUSIVE
AUTH = poll_errors("auth")


def counted(*samples: tuple[str, float]) -> LogBuilder:
    """A log whose counter of auth errors showed these values."""
    builder = LogBuilder()
    for time, value in samples:
        builder.scrape(time, {AUTH: value})
    return builder


def errors(builder: LogBuilder, end: str = "10m", **bounds: object) -> tuple[Outcome, str]:
    result = judge(builder.log(end), "poll_errors", connection="nas-1", error_type="auth", **bounds)
    return result.outcome, result.observed


def test_the_rise_runs_from_the_last_sample_before_a_window_to_the_first_after_it() -> None:
    log = counted(("4m17s", 1), ("5m17s", 2), ("6m17s", 5), ("7m17s", 9))
    assert errors(log, at_least=4, between=["5m", "6m"]) == (Outcome.PASSED, "4 auth errors")
    assert errors(log, at_least=5, between=["5m", "6m"]) == (Outcome.FAILED, "4 auth errors")
    assert errors(log, at_most=4, between=["5m", "6m"]) == (Outcome.PASSED, "4 auth errors")
    assert errors(log, at_most=3, between=["5m", "6m"]) == (Outcome.FAILED, "4 auth errors")


def test_samples_exactly_at_both_ends_of_a_window_bound_it() -> None:
    log = counted(("5m", 1), ("6m", 3), ("7m", 9))
    assert errors(log, at_least=2, at_most=2, between=["5m", "6m"]) == (Outcome.PASSED, "2 auth errors")


def test_without_a_window_errors_before_the_first_scrape_count() -> None:
    assert errors(counted(("17s", 1), ("1m17s", 1)), end="2m", at_most=0) == (Outcome.FAILED, "1 auth error")


def test_a_counter_that_falls_began_anew() -> None:
    log = counted(("17s", 0), ("1m17s", 5), ("2m17s", 2), ("3m17s", 3))
    assert errors(log, end="4m", at_least=8, at_most=8) == (Outcome.PASSED, "8 auth errors")


def test_a_restart_begins_the_counter_anew_even_when_it_rose() -> None:
    log = LogBuilder().scrape("17s", {AUTH: 2}).add("20s", "sut/stopped", "pulse")
    log.add("30s", "sut/started", "pulse").scrape("1m17s", {AUTH: 3})
    assert errors(log, end="2m", at_least=5, at_most=5) == (Outcome.PASSED, "5 auth errors")


def test_a_series_that_appears_inside_the_window_began_at_0() -> None:
    log = LogBuilder().scrape("17s", {}).scrape("1m17s", {AUTH: 2}).scrape("2m17s", {}).scrape("3m17s", {AUTH: 1})
    assert errors(log, end="4m", at_least=3, at_most=3, between=["1m", "4m"])[0] is Outcome.PASSED


def test_a_connection_added_on_the_way_is_judged() -> None:
    log = LogBuilder({}).scrape("17s", {}).action("1m", "add_connection", id="nas-1", appliance="nas-1")
    assert errors(log.scrape("1m17s", {AUTH: 1}), end="2m", at_least=1)[0] is Outcome.PASSED


@pytest.mark.parametrize(
    ("builder", "missing"),
    [
        (LogBuilder(), "no scrape of pulse after 0s"),
        (LogBuilder().scrape("17s", {poll_errors("timeout"): 0}), "no samples of pulse_monitor_poll_errors_total"),
        (LogBuilder(started=False).scrape("17s", {AUTH: 0}), "system pulse never started"),
        (LogBuilder({}).scrape("17s", {AUTH: 0}), "the log has no connection nas-1"),
        (LogBuilder().scrape("17s", {AUTH: "NaN"}), "pulse_monitor_poll_errors_total was nan at 17s"),
        (LogBuilder().scrape("17s", {AUTH: "seven"}), "pulse_monitor_poll_errors_total was nan at 17s"),
    ],
)
def test_errors_that_cannot_be_counted_are_inconclusive(builder: LogBuilder, missing: str) -> None:
    for bounds in ({"at_most": 0}, {"at_least": 1}):
        result = judge(builder.log("1m"), "poll_errors", connection="nas-1", error_type="auth", **bounds)
        assert result.outcome is Outcome.INCONCLUSIVE
        assert result.reason.startswith(missing)


def test_a_window_without_a_scrape_before_it_is_inconclusive() -> None:
    outcome, observed = errors(counted(("5m17s", 0), ("6m17s", 0)), at_most=0, between=["5m", "6m"])
    assert (outcome, observed) == (Outcome.INCONCLUSIVE, "no scrape of pulse at or before 5m")


def test_scrapes_that_end_early_leave_open_what_they_have_not_decided() -> None:
    log = counted(("4m17s", 0), ("5m17s", 1))
    late = ["5m", "9m"]
    assert errors(log, at_most=1, between=late)[0] is Outcome.INCONCLUSIVE
    assert errors(log, at_least=2, between=late)[0] is Outcome.INCONCLUSIVE
    assert errors(log, at_least=1, between=late)[0] is Outcome.PASSED
    assert errors(log, at_most=0, between=late)[0] is Outcome.FAILED


def test_scrapes_may_end_three_intervals_before_the_window_and_no_more() -> None:
    log = counted(("4m", 0), ("6m", 0))
    assert errors(log, at_most=0, between=["5m", "9m"])[0] is Outcome.PASSED
    assert errors(log, at_most=0, between=["5m", "9m1ns"])[0] is Outcome.INCONCLUSIVE


def test_a_window_that_outlasts_the_run_is_inconclusive() -> None:
    assert errors(counted(("17s", 0), ("1m17s", 0)), end="2m", at_most=0, between=["1m", "3m"])[0] is (
        Outcome.INCONCLUSIVE
    )


def rate(good: float, bad: float, **parameters: object) -> tuple[Outcome, str]:
    log = LogBuilder().scrape("17s", {poll_total("success"): 0, poll_total("error"): 0})
    log.scrape("1m17s", {poll_total("success"): good, poll_total("error"): bad})
    result = judge(log.log("2m"), "poll_success_rate", connection="nas-1", **parameters)
    return result.outcome, result.observed


def test_a_success_rate_is_compared_exactly() -> None:
    assert rate(95, 5, at_least=0.95) == (Outcome.PASSED, "95.00 %: 95 of 100 polls succeeded")
    assert rate(949, 51, at_least=0.95) == (Outcome.FAILED, "94.90 %: 949 of 1000 polls succeeded")
    assert rate(1, 0, at_least=1.0)[0] is Outcome.PASSED
    assert rate(99999, 1, at_least=1.0) == (Outcome.FAILED, "99.99 %: 99999 of 100000 polls succeeded")


def test_no_polls_have_no_success_rate() -> None:
    assert rate(0, 0, at_least=0.0) == (Outcome.INCONCLUSIVE, "no poll of nas-1 was counted")


def test_a_success_rate_needs_both_results_and_the_whole_window() -> None:
    log = LogBuilder().scrape("17s", {poll_total("success"): 1}).log("1m")
    assert judge(log, "poll_success_rate", connection="nas-1", at_least=0.5).outcome is Outcome.INCONCLUSIVE
    both = LogBuilder().scrape("17s", {poll_total("success"): 1, poll_total("error"): 0}).log("10m")
    assert judge(both, "poll_success_rate", connection="nas-1", at_least=0.5).outcome is Outcome.INCONCLUSIVE


def requests(*arrivals: str | int, **parameters: object) -> tuple[Outcome, str]:
    log = LogBuilder()
    for arrival in arrivals:
        log.request(arrival)
    result = judge(log.log("10m"), "request_rate", appliance="nas-1", **parameters)
    return result.outcome, result.observed


def test_requests_are_counted_in_any_60_seconds_without_their_end() -> None:
    close, apart = (60 * SECOND, 120 * SECOND - 1), (60 * SECOND, 120 * SECOND)
    assert requests(*close, at_most_per_minute=1) == (Outcome.FAILED, "2 requests in the 60 s from 1m")
    assert requests(*apart, at_most_per_minute=1) == (Outcome.PASSED, "1 request in the 60 s from 1m")
    assert requests(*close, at_most_per_minute=2)[0] is Outcome.PASSED


def test_the_fullest_minute_is_shown_wherever_it_is() -> None:
    few, many = ("1m", "1m1s"), ("5m", "5m1s", "5m2s")
    assert requests(*few, *many, at_most_per_minute=3) == (Outcome.PASSED, "3 requests in the 60 s from 5m")
    assert requests(*many, "8m", "8m1s", at_most_per_minute=3) == (Outcome.PASSED, "3 requests in the 60 s from 5m")


def test_only_requests_that_arrive_inside_the_window_count() -> None:
    assert requests("1m", "1m1s", "5m", at_most_per_minute=1, between=["2m", "6m"])[0] is Outcome.PASSED


def test_a_slow_request_counts_when_it_arrived() -> None:
    log = LogBuilder().request("1m", duration_ns=90 * SECOND).request("1m30s", duration_ns=1).log("5m")
    assert judge(log, "request_rate", appliance="nas-1", at_most_per_minute=1).observed.startswith("2 requests")


def test_silence_is_no_request_rate_of_0() -> None:
    assert requests(at_most_per_minute=10)[0] is Outcome.INCONCLUSIVE
    assert requests("1m", at_most_per_minute=10, between=["2m", "3m"])[0] is Outcome.INCONCLUSIVE
    assert requests("9m", at_most_per_minute=10, between=["8m", "11m"])[0] is Outcome.INCONCLUSIVE


def test_demanded_silence_passes_only_when_the_journal_was_listening_at_other_times() -> None:
    demanded: dict[str, Any] = {"at_most_per_minute": 0, "between": ["5m", "6m"]}
    assert requests(**demanded)[0] is Outcome.INCONCLUSIVE
    assert requests("4m", **demanded) == (Outcome.PASSED, "none, and 1 at other times")
    assert requests("4m", "5m30s", **demanded)[0] is Outcome.FAILED


def test_silence_beyond_the_end_of_the_run_is_inconclusive() -> None:
    assert requests("1m", at_most_per_minute=0, between=["9m", "11m"])[0] is INCONCLUSIVE
