"""login_rate and no_retry_storm on handwritten journals."""

from typing import Any

import pytest
from pydantic import ValidationError

from pulse_sim.checks import CHECK_KINDS
from pulse_sim.outcome import Outcome
from tests.checks.log_builder import LogBuilder, at, judge

PASSED, FAILED, INCONCLUSIVE = Outcome.PASSED, Outcome.FAILED, Outcome.INCONCLUSIVE
LOGIN: dict[str, Any] = {"kind": "call", "call": "auth.login_ex", "method": "", "status": None}
CALL: dict[str, Any] = {"kind": "call", "call": "pool.query", "method": "", "status": None}


def logins(*times: str, **entry: Any) -> LogBuilder:
    log = LogBuilder()
    for time in times:
        log.request(time, **(entry or LOGIN))
    return log


def rate(builder: LogBuilder, at_most: int, **given: Any) -> tuple[Outcome, str]:
    parameters = {"appliance": "nas-1", "at_most_per_minute": at_most, **given}
    result = judge(builder.log("30m"), "login_rate", **parameters)
    return result.outcome, result.observed


def test_the_fullest_minute_of_logins_counts_its_end_not_included() -> None:
    log = logins("5m", "5m20s", "5m59s", "6m", "6m19s")
    assert rate(log, 4) == (PASSED, "4 logins in the 60 s from 5m20s")
    assert rate(log, 3) == (FAILED, "4 logins in the 60 s from 5m20s")
    assert rate(logins("5m", "6m"), 1) == (PASSED, "1 login in the 60 s from 5m")


def test_refused_credentials_over_rest_are_logins_and_other_refusals_are_none() -> None:
    assert rate(logins("5m", "5m1s", status=401), 1) == (FAILED, "2 logins in the 60 s from 5m")
    for status in (200, 403, 404, 500, None):
        assert rate(logins("5m", "5m1s", status=status), 0) == (PASSED, "none, and 2 other requests")


def test_every_method_that_logs_in_counts_and_no_other() -> None:
    for call in ("auth.login", "auth.login_ex", "auth.login_with_api_key", "auth.login_with_token"):
        assert rate(logins("5m", **{**LOGIN, "call": call}), 0)[0] is FAILED
    for call in ("auth.me", "auth.mechanism_choices", "core.ping", "pool.query"):
        assert rate(logins("5m", **{**CALL, "call": call}), 0)[0] is PASSED


def test_logins_outside_the_window_do_not_count_and_its_ends_do() -> None:
    log = logins("4m", "5m", "6m", "7m").request("5m30s", **CALL)
    assert rate(log, 0, between=["4m1s", "4m59s"])[0] is INCONCLUSIVE
    assert rate(log, 0, between=["5m1s", "5m59s"]) == (PASSED, "none, and 1 other request")
    assert rate(log, 0, between=["5m1s", "6m"])[0] is FAILED
    assert rate(log, 0, between=["5m", "5m59s"])[0] is FAILED


def test_a_silent_journal_a_late_window_and_a_nameless_call_tell_nothing_of_logins() -> None:
    assert rate(LogBuilder(), 5)[0] is INCONCLUSIVE
    assert rate(logins("5m"), 5, between=["4m", "31m"])[0] is INCONCLUSIVE
    assert rate(logins("5m", **{**LOGIN, "call": None}), 5)[0] is INCONCLUSIVE


def storm(usual: int, later: int, *, fault: str | None = "10m", on: str = "nas-1") -> LogBuilder:
    log = LogBuilder({"nas-1": "nas-1", "nas-2": "nas-2"}).phase("1m", "steady")
    if fault:
        log.fault(fault, "15m", on=on, connections=[on])
    for index in range(usual):
        log.request(at("5m") + index, "nas-1")
    for index in range(later):
        log.request(at("12m") + index, "nas-1")
    return log


def calm(builder: LogBuilder, times: float) -> tuple[Outcome, str]:
    result = judge(builder.log("30m"), "no_retry_storm", appliance="nas-1", at_most_times=times)
    return result.outcome, result.observed


def test_trouble_may_multiply_the_usual_requests_up_to_the_limit() -> None:
    assert calm(storm(4, 10), 2.5) == (PASSED, "10 requests in the 60 s from 12m, usual 4")
    assert calm(storm(4, 11), 2.5) == (FAILED, "11 requests in the 60 s from 12m, usual 4")


def test_a_storm_without_trouble_a_usual_or_a_later_request_is_inconclusive() -> None:
    assert calm(storm(4, 4, fault=None), 2.0) == (INCONCLUSIVE, "no fault struck nas-1")
    assert calm(storm(4, 4, on="nas-2"), 2.0) == (INCONCLUSIVE, "no fault struck nas-1")
    assert calm(storm(0, 4), 2.0)[0] is INCONCLUSIVE
    assert calm(storm(4, 0), 2.0)[0] is INCONCLUSIVE
    assert calm(storm(4, 4, fault="1m59s"), 2.0)[0] is INCONCLUSIVE
    no_phase = LogBuilder().fault("10m", "15m").request("5m").request("12m")
    assert calm(no_phase, 2.0)[0] is INCONCLUSIVE


def test_a_fault_on_the_way_of_a_connection_strikes_its_appliance() -> None:
    log = storm(4, 11, fault=None).fault("10m", "15m", on="pulse", connections=["nas-1"])
    assert calm(log, 2.5)[0] is FAILED


@pytest.mark.parametrize("times", [0.5, float("inf"), float("nan")])
def test_less_than_the_usual_is_no_limit_of_a_storm(times: float) -> None:
    with pytest.raises(ValidationError):
        CHECK_KINDS["no_retry_storm"].parameters.model_validate({"appliance": "nas-1", "at_most_times": times})
