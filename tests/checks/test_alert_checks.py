"""alert_fires, alert_resolves and alert_silent on handwritten logs; the alerts are looked at every minute."""

from typing import Any

import pytest
from pydantic import ValidationError

from pulse_sim.checks import CHECK_KINDS
from pulse_sim.outcome import Outcome
from pulse_sim.units import MINUTE
from tests.checks.log_builder import LogBuilder, judge

PASSED, FAILED, INCONCLUSIVE = Outcome.PASSED, Outcome.FAILED, Outcome.INCONCLUSIVE


def shown(*samples: tuple[str, str]) -> LogBuilder:
    """A log of samples, each with the connections whose alert ``stale`` it shows, separated by blanks."""
    log = LogBuilder({"nas-1": "nas-1", "nas-2": "nas-2"}, resources_every_ns=MINUTE)
    for time, connections in samples:
        log.alerts(time, {name: ("stale", name) for name in connections.split()})
    return log


def minutes(first: int, last: int, active: range, who: str = "nas-1") -> list[tuple[str, str]]:
    return [(f"{minute}m", who if minute in active else "") for minute in range(first, last + 1)]


def told(builder: LogBuilder, check: str, end: str = "30m", **given: Any) -> tuple[Outcome, str]:
    result = judge(builder.log(end), check, **{"alert": "stale", "connection": "nas-1", **given})
    return result.outcome, result.observed


def test_an_alert_fires_by_a_time_when_some_sample_up_to_it_shows_it() -> None:
    log = shown(*minutes(1, 20, range(8, 10)))
    assert told(log, "alert_fires", by="8m") == (PASSED, "active at 8m")
    assert told(log, "alert_fires", by="7m59s") == (FAILED, "never active")
    assert told(log, "alert_fires", by="20m", connection="nas-2") == (FAILED, "never active")
    assert told(log, "alert_fires", by="20m", alert="auth") == (FAILED, "never active")


def test_an_alert_begins_between_two_times_only_when_it_was_not_active_before() -> None:
    log = shown(*minutes(1, 20, range(8, 12)))
    assert told(log, "alert_fires", between=["7m", "8m"]) == (PASSED, "active at 8m")
    assert told(log, "alert_fires", between=["7m59s", "8m"]) == (PASSED, "active at 8m")
    assert told(log, "alert_fires", between=["8m", "9m"]) == (FAILED, "active already at 8m")
    assert told(log, "alert_fires", between=["11m", "20m"]) == (FAILED, "active already at 11m")
    assert told(log, "alert_fires", between=["12m", "20m"]) == (FAILED, "never active")
    assert told(log, "alert_fires", between=["5m", "7m59s"]) == (FAILED, "never active")


def test_a_time_nobody_looked_at_tells_of_no_beginning() -> None:
    log = shown(*minutes(1, 4, range(0)), *minutes(8, 12, range(0)))
    assert told(log, "alert_fires", by="15m")[0] is FAILED
    assert told(log, "alert_fires", by="15m1s")[0] is INCONCLUSIVE
    assert told(log, "alert_fires", between=["7m1s", "9m"])[0] is INCONCLUSIVE
    assert told(log, "alert_fires", between=["30s", "9m"])[0] is INCONCLUSIVE
    assert told(log, "alert_fires", by="31m")[0] is INCONCLUSIVE


def test_an_alert_resolves_when_it_is_active_at_the_first_time_and_not_at_the_second() -> None:
    log = shown(*minutes(1, 20, range(5, 10)))
    assert told(log, "alert_resolves", after="9m", by="10m") == (PASSED, "over at 10m")
    assert told(log, "alert_resolves", after="5m", by="20m") == (PASSED, "over at 10m")
    assert told(log, "alert_resolves", after="9m", by="9m59s") == (INCONCLUSIVE, told_nothing("9m59s"))
    assert told(log, "alert_resolves", after="7m", by="9m") == (FAILED, "still active at 9m")
    assert told(log, "alert_resolves", after="10m", by="15m") == (FAILED, "not active at 10m")
    assert told(log, "alert_resolves", after="4m", by="15m") == (FAILED, "not active at 4m")


def told_nothing(time: str) -> str:
    return f"no sample of the alerts of pulse just before {time}"


def test_an_alert_that_came_back_has_not_resolved() -> None:
    log = shown(*minutes(1, 6, range(5, 6)), ("7m", "nas-1"), ("8m", ""))
    assert told(log, "alert_resolves", after="5m", by="7m")[0] is FAILED
    assert told(log, "alert_resolves", after="5m", by="8m") == (PASSED, "over at 8m")


def test_an_alert_is_silent_when_no_sample_at_all_times_shows_it() -> None:
    log = shown(*minutes(0, 30, range(8, 9)))
    assert told(log, "alert_silent", connection="nas-2") == (PASSED, "not active in 31 of 31 samples")
    assert told(log, "alert_silent", alert="auth") == (PASSED, "not active in 31 of 31 samples")
    assert told(log, "alert_silent") == (FAILED, "active for nas-1 at 8m")
    assert told(log, "alert_silent", between=["0s", "7m59s"])[0] is PASSED
    assert told(log, "alert_silent", between=["8m", "9m"])[0] is FAILED
    assert told(log, "alert_silent", between=["8m1s", "30m"])[0] is PASSED


def test_silence_of_any_connection_is_broken_by_one() -> None:
    log = shown(*minutes(0, 30, range(8, 9), "nas-2"))
    (result,) = [judge(log.log("30m"), "alert_silent", alert="stale")]
    assert (result.outcome, result.observed) == (FAILED, "active for nas-2 at 8m")
    assert judge(log.log("30m"), "alert_silent", alert="auth").outcome is PASSED


@pytest.mark.parametrize("hole", [range(10, 14), range(27, 31), range(4)])
def test_silence_with_a_hole_in_the_samples_is_inconclusive(hole: range) -> None:
    log = shown(*[sample for sample in minutes(0, 30, range(0)) if int(sample[0][:-1]) not in hole])
    assert told(log, "alert_silent")[0] is INCONCLUSIVE
    short = shown(*[sample for sample in minutes(0, 30, range(0)) if int(sample[0][:-1]) not in hole[:2]])
    assert told(short, "alert_silent")[0] is PASSED


def test_what_an_alert_lasted_decides_where_a_hole_leaves_the_rest_open() -> None:
    log = shown(*minutes(0, 8, range(8, 9)))
    assert told(log, "alert_silent")[0] is FAILED
    assert told(log, "alert_fires", by="30m")[0] is PASSED


@pytest.mark.parametrize(
    ("check", "given"),
    [
        ("alert_fires", {"by": "5m"}),
        ("alert_resolves", {"by": "5m", "after": "2m"}),
        ("alert_silent", {}),
    ],
)
def test_a_system_that_shows_no_alerts_leaves_everything_open(check: str, given: dict[str, Any]) -> None:
    never = LogBuilder(resources_every_ns=MINUTE).missed("1m", "alerts", status=404).missed("2m", "alerts")
    assert told(never, check, **given) == (INCONCLUSIVE, "no sample of the alerts of pulse")
    assert told(LogBuilder({}), check, **given)[1] == "the log has no connection nas-1"
    assert told(LogBuilder(started=False), check, **given)[0] is INCONCLUSIVE


def test_an_alert_that_does_not_say_what_it_is_may_be_the_one() -> None:
    log = LogBuilder(resources_every_ns=MINUTE)
    for minute in range(31):
        log.alerts(f"{minute}m", {"x": (None, "nas-1")} if minute == 8 else {})
    assert told(log, "alert_silent")[0] is INCONCLUSIVE
    assert told(log, "alert_silent", between=["9m", "30m"])[0] is PASSED
    assert told(log, "alert_fires", by="9m")[0] is INCONCLUSIVE
    assert told(log, "alert_resolves", after="8m", by="9m")[0] is INCONCLUSIVE


@pytest.mark.parametrize(
    ("check", "given"),
    [
        ("alert_fires", {}),
        ("alert_fires", {"by": "5m", "between": ["1m", "2m"]}),
        ("alert_fires", {"by": "5m", "alert": "Poll Failing"}),
        ("alert_resolves", {"by": "5m"}),
        ("alert_resolves", {"by": "5m", "after": "5m"}),
        ("alert_silent", {"between": ["5m", "4m"]}),
    ],
)
def test_alert_parameters_that_make_no_sense_are_refused(check: str, given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        CHECK_KINDS[check].parameters.model_validate({"alert": "stale", "connection": "nas-1", **given})
