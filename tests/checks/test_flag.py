"""Whether a system was told to poll at all, from its variant and its environment over a run."""

from typing import Any

import pytest

from pulse_sim.checks.flag import is_ever_polling, is_on
from tests.checks.log_builder import LogBuilder, judge, poll_errors, poll_total

OFF_BY_DEFAULT, ON_BY_DEFAULT, WITHOUT = "truenas-off-by-default", "truenas-on-by-default", "without-truenas"


@pytest.mark.parametrize(
    ("variant", "flag", "on"),
    [
        (OFF_BY_DEFAULT, None, False),
        (OFF_BY_DEFAULT, "", False),
        (OFF_BY_DEFAULT, "false", False),
        (OFF_BY_DEFAULT, "enabled", False),
        *[(OFF_BY_DEFAULT, flag, True) for flag in ("1", "true", "YES", " on ")],
        (ON_BY_DEFAULT, None, True),
        (ON_BY_DEFAULT, " ", True),
        (ON_BY_DEFAULT, "true", True),
        (ON_BY_DEFAULT, "false", False),
        (ON_BY_DEFAULT, "nonsense", False),
        (WITHOUT, "true", False),
        (None, None, False),
    ],
)
def test_the_flag_is_read_as_the_contract_says(variant: str | None, flag: str | None, on: bool) -> None:
    assert is_on(variant, {} if flag is None else {"PULSE_ENABLE_TRUENAS": flag}) is on


def started(variant: str, environment: dict[str, str] | None) -> LogBuilder:
    log = LogBuilder()
    told: dict[str, Any] = {"variant": variant}
    log.records[0].data["systems"] = {"pulse": told if environment is None else {**told, "environment": environment}}
    return log


def test_a_system_counts_from_the_first_restart_that_switched_it_on() -> None:
    off = started(OFF_BY_DEFAULT, {})
    assert not is_ever_polling(off.log("1h"), "pulse")
    restarted = off.action("5m", "restart_system", environment={"X": "1"}, variant=None)
    assert not is_ever_polling(restarted.log("1h"), "pulse")
    on = restarted.action("6m", "restart_system", environment={}, variant=ON_BY_DEFAULT)
    assert is_ever_polling(on.log("1h"), "pulse")
    off_again = on.action("7m", "restart_system", environment={"PULSE_ENABLE_TRUENAS": "false"}, variant=None)
    assert is_ever_polling(off_again.log("1h"), "pulse")


def test_a_restart_keeps_what_it_does_not_change() -> None:
    flag = {"PULSE_ENABLE_TRUENAS": "true"}
    without = started(WITHOUT, flag).action("5m", "restart_system", environment={"X": "1"}, variant=OFF_BY_DEFAULT)
    assert is_ever_polling(without.log("1h"), "pulse")
    by_default = started(ON_BY_DEFAULT, {"PULSE_ENABLE_TRUENAS": "false"})
    assert not is_ever_polling(by_default.log("1h"), "pulse")
    assert is_ever_polling(started(ON_BY_DEFAULT, {}).log("1h"), "pulse")
    kept = by_default.action("5m", "restart_system", environment={"PULSE_ENABLE_TRUENAS": ""}, variant=None)
    assert is_ever_polling(kept.log("1h"), "pulse")


def test_a_restart_of_another_system_switches_nothing_on() -> None:
    log = started(OFF_BY_DEFAULT, {}).add("0s", "sut/started", "other")
    log.action("5m", "restart_system", system="other", environment={"PULSE_ENABLE_TRUENAS": "true"})
    assert not is_ever_polling(log.log("1h"), "pulse")


def test_a_log_that_does_not_tell_the_environment_is_of_a_system_that_polls() -> None:
    assert is_ever_polling(started(OFF_BY_DEFAULT, None).log("1h"), "pulse")
    assert is_ever_polling(LogBuilder().log("1h"), "nobody")


@pytest.mark.parametrize(("flag", "outcome"), [("false", "passed"), ("true", "inconclusive")])
def test_criteria_about_polls_ask_nothing_of_a_system_that_was_never_told_to_poll(flag: str, outcome: str) -> None:
    log = LogBuilder()
    on, given = {"PULSE_ENABLE_TRUENAS": "true"}, {"PULSE_ENABLE_TRUENAS": flag}
    log.records[0].data["systems"] = {
        "pulse": {"variant": OFF_BY_DEFAULT, "environment": on},
        "other": {"variant": OFF_BY_DEFAULT, "environment": given},
    }
    idle = {"system": "other", "appliance": "nas-1", "poll_interval_ns": 60_000_000_000}
    log.records[0].data["connections"]["idle"] = idle
    log.add("0s", "sut/started", "other", version="1", variant=OFF_BY_DEFAULT)
    for minute in range(10):
        counters = {poll_total("success"): minute, poll_total("error"): 0, poll_errors("auth"): 0}
        log.scrape(minute * 60_000_000_000, counters).scrape(minute * 60_000_000_000, {}, system="other")
    criteria = ["failure_rate", "auth_errors"]
    assert judge(log.log("10m"), "abort_criteria", criteria=criteria).outcome.value == outcome
