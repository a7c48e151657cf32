"""checkpoint and green_for on handwritten logs."""

from collections.abc import Callable, Mapping

from pulse_sim.outcome import Outcome
from pulse_sim.units import MINUTE, SECOND
from tests.checks.log_builder import LogBuilder, gauge, judge, poll_errors, poll_total

PASSED, FAILED, INCONCLUSIVE = Outcome.PASSED, Outcome.FAILED, Outcome.INCONCLUSIVE
STALENESS = "pulse_monitor_poll_staleness_seconds"


def never(_minute: int) -> bool:
    return False


def run(
    minutes: int,
    bad: Callable[[int], bool] = never,
    auth: Callable[[int], bool] = never,
    old: Mapping[int, float | str] | None = None,
    alerts: Mapping[int, str] | None = None,
    skip: Callable[[int], bool] = never,
) -> LogBuilder:
    """A poll a minute, scraped 17 s later and its alerts looked at every 5 minutes.

    ``bad`` polls failed, ``auth`` ones by auth; ``old`` is the staleness of a minute, ``alerts`` the rule active in it.
    """
    log = LogBuilder()
    good = failed = refused = 0
    for minute in range(minutes):
        failed += bad(minute)
        refused += auth(minute)
        good += not bad(minute)
        values: dict[str, float | str] = {
            poll_total("success"): good,
            poll_total("error"): failed,
            poll_errors("auth"): refused,
            gauge(STALENESS): (old or {}).get(minute, 17),
        }
        if not skip(minute):
            log.scrape(minute * MINUTE + 17 * SECOND, values)
        if minute % 5 == 0:
            rule = (alerts or {}).get(minute)
            shown = {"a1": {"rule": rule, "instance": "nas-1"}} if rule else {}
            log._sample(minute * MINUTE + 20 * SECOND, "alerts", "pulse", shown)
    return log


def checkpoint(log: LogBuilder, at: str = "2h", end: str = "3h", reason: str = "completed", **given: object) -> Outcome:
    return judge(log.log(end, reason), "checkpoint", at=at, **given).outcome


def green(log: LogBuilder, length: str, end: str = "3h") -> tuple[Outcome, str]:
    result = judge(log.log(end), "green_for", **{"for": length})
    return result.outcome, result.observed


# ---- checkpoint


def test_a_checkpoint_of_a_quiet_run_passes() -> None:
    assert checkpoint(run(180)) is PASSED
    assert checkpoint(run(180), since="1h", connections=["nas-1"]) is PASSED


def test_a_checkpoint_wants_data_younger_than_five_minutes() -> None:
    assert checkpoint(run(180, old={119: 299})) is PASSED
    assert checkpoint(run(180, old={119: 300})) is FAILED
    assert checkpoint(run(180, old={119: "NaN"})) is INCONCLUSIVE


def test_a_checkpoint_wants_nearly_every_poll_since_the_last_one_to_succeed() -> None:
    def lost(count: int) -> LogBuilder:
        return run(180, bad=lambda minute: 70 <= minute < 70 + count)

    assert checkpoint(lost(3), since="1h") is PASSED
    assert checkpoint(lost(4), since="1h") is FAILED
    assert checkpoint(lost(4)) is PASSED
    assert checkpoint(lost(4), since="1h30m") is PASSED
    assert checkpoint(lost(4), since="1h", success_rate=0.9) is PASSED


def test_a_checkpoint_wants_no_alert_but_may_have_what_an_appliance_says_itself() -> None:
    assert checkpoint(run(180, alerts={115: "slow"})) is FAILED
    assert checkpoint(run(180, alerts={115: "appliance"})) is PASSED
    assert checkpoint(run(180, alerts={110: "slow", 125: "slow"})) is PASSED


def test_a_checkpoint_after_an_abort_is_not_green_and_one_before_it_is() -> None:
    def aborted(time: str) -> LogBuilder:
        return run(180).add(time, "world/abort", "run", criterion="crash", what="x", evidence=[])

    assert checkpoint(aborted("1h59m")) is FAILED
    assert checkpoint(aborted("2h1m"), reason="aborted") is INCONCLUSIVE


def test_a_checkpoint_that_nobody_saw_is_inconclusive() -> None:
    assert checkpoint(run(180, skip=lambda minute: minute > 100)) is INCONCLUSIVE
    assert checkpoint(run(180), connections=["nas-9"]) is INCONCLUSIVE
    assert checkpoint(LogBuilder({}), at="1h") is INCONCLUSIVE
    assert checkpoint(run(100)) is INCONCLUSIVE
    without_alerts = run(180)
    without_alerts.records = [record for record in without_alerts.records if record.kind != "alerts"]
    assert checkpoint(without_alerts) is INCONCLUSIVE


# ---- green_for


def test_a_run_without_trouble_is_green_since_it_began() -> None:
    assert green(run(180), "3h") == (PASSED, "green for 3h at the end")
    assert green(run(180), "3h1m")[0] is FAILED


def test_green_counts_from_the_last_thing_that_was_not() -> None:
    stale = run(180, old={59: 300})
    assert green(stale, "2h") == (PASSED, "green for 2h at the end")
    assert green(stale, "2h1m") == (
        FAILED,
        "green for 2h at the end, staleness of nas-1 over its limit at 59m17s",
    )
    assert green(run(180, old={59: 299}), "3h")[0] is PASSED


def test_one_auth_error_is_not_green() -> None:
    log = run(180, bad=lambda minute: minute == 120, auth=lambda minute: minute == 120)
    assert green(log, "59m")[0] is PASSED
    assert green(log, "1h")[1] == "green for 59m at the end, an auth error of nas-1 at 2h17s"


def test_five_per_cent_failed_in_any_hour_is_not_green() -> None:
    def lost(count: int) -> LogBuilder:
        return run(180, bad=lambda minute: 60 <= minute < 60 + count)

    two, three = lost(2), lost(3)
    assert green(two, "3h")[0] is PASSED
    outcome, observed = green(three, "1h30m")
    assert (outcome, observed) == (
        FAILED,
        "green for 1h at the end, 5 % or more of the polls of nas-1 failed in an hour at 1h59m17s",
    )
    assert green(three, "1h")[0] is PASSED


def test_an_alert_a_crash_and_an_abort_are_not_green() -> None:
    assert green(run(180, alerts={150: "slow"}), "30m")[0] is FAILED
    assert green(run(180, alerts={150: "appliance"}), "3h")[0] is PASSED
    assert green(run(180).add("2h50m", "sut/crash", "pulse"), "11m")[0] is FAILED
    assert green(run(180).add("2h50m", "world/abort", "run", criterion="x", what="", evidence=[]), "11m")[0] is FAILED


def test_time_that_was_not_seen_is_not_green() -> None:
    assert green(run(180, skip=lambda minute: 100 < minute < 110), "2h")[0] is INCONCLUSIVE
    assert green(run(180, skip=lambda minute: 100 < minute < 110), "30m")[0] is PASSED
    assert green(run(180, old={170: "-1"}), "2h")[0] is FAILED


def test_a_connection_of_a_system_that_was_never_told_to_poll_is_nobodys_concern() -> None:
    def two(flag: str) -> LogBuilder:
        log = run(180)
        data = log.records[0].data
        data["systems"] = {"pulse": {"variant": "x", "environment": {"PULSE_ENABLE_TRUENAS": "true"}}}
        data["systems"]["other"] = {"variant": "truenas-on-by-default", "environment": {"PULSE_ENABLE_TRUENAS": flag}}
        data["connections"]["far"] = {"system": "other", "appliance": "nas-1", "poll_interval_ns": 60 * SECOND}
        return log.add("1s", "sut/started", "other")

    assert green(two("false"), "2h")[0] is PASSED
    assert checkpoint(two("false")) is PASSED
    assert green(two("true"), "2h")[0] is INCONCLUSIVE
    assert checkpoint(two(""), at="2h") is INCONCLUSIVE
