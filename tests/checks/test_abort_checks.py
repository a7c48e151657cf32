"""abort_criteria on handwritten logs."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from pulse_sim.checks import judge_run
from pulse_sim.outcome import Outcome
from pulse_sim.units import MINUTE, SECOND
from tests.checks.log_builder import LogBuilder, judge, poll_errors, poll_total

PASSED, FAILED, INCONCLUSIVE = Outcome.PASSED, Outcome.FAILED, Outcome.INCONCLUSIVE
ALL = ["crash", "corruption", "interference", "failure_rate", "auth_errors"]
OURS: Mapping[str, Mapping[str, Any]] = {"nas-1": {}, "nas-1/pool:tank": {"type": "storage"}}
AGENT: Mapping[str, Any] = {"type": "host", "sources": ["agent"], "id": "machine:a"}


def run(
    bad: Callable[[int], bool] = lambda minute: False,
    auth: Callable[[int], bool] = lambda minute: False,
    minutes: int = 30,
    polls: Callable[[int], bool] = lambda minute: True,
) -> LogBuilder:
    """One poll a minute, scraped 17 s later; ``bad`` and ``auth`` tell which failed, and which of these by auth."""
    log = LogBuilder()
    good = failed = refused = 0
    for minute in range(minutes):
        good += polls(minute) and not bad(minute)
        failed += polls(minute) and bad(minute)
        refused += polls(minute) and bad(minute) and auth(minute)
        counters = {poll_total("success"): good, poll_total("error"): failed, poll_errors("auth"): refused}
        log.scrape(minute * MINUTE + 17 * SECOND, counters)
    return log


def aborted(builder: LogBuilder, criteria: list[str], end: str = "30m", **expect: Any) -> tuple[Outcome, str]:
    result = judge(builder.log(end), "abort_criteria", criteria=criteria, **expect)
    return result.outcome, result.observed


def shown(*samples: Mapping[str, Mapping[str, Any]]) -> LogBuilder:
    log = run()
    for index, sample in enumerate(samples):
        log.resources(f"{5 * index + 1}m", sample)
    return log


def test_a_quiet_run_meets_no_criterion() -> None:
    assert aborted(shown(*[OURS] * 6), ALL) == (PASSED, "none fired")


def test_more_than_half_failed_for_five_minutes_holds_off_and_for_longer_fires() -> None:
    assert aborted(run(lambda minute: 5 <= minute <= 10), ["failure_rate"]) == (PASSED, "none fired")
    fired = "failure_rate at 11m17s: more than half of the polls failed for more than 5m"
    assert aborted(run(lambda minute: 5 <= minute <= 11), ["failure_rate"]) == (FAILED, fired)


def test_a_good_interval_in_between_begins_the_time_anew() -> None:
    assert aborted(run(lambda minute: 5 <= minute <= 15 and minute != 10), ["failure_rate"])[0] is PASSED


def test_an_interval_without_a_poll_changes_nothing() -> None:
    sparse = run(lambda minute: 5 <= minute <= 15, polls=lambda minute: minute < 5 or minute % 3 == 0)
    assert aborted(sparse, ["failure_rate"])[0] is FAILED


def test_exactly_half_is_not_more_than_half() -> None:
    def both(second_fails: bool) -> LogBuilder:
        log = LogBuilder({"nas-1": "nas-1", "nas-2": "nas-2"})
        for minute in range(30):
            counters = {
                poll_total("success"): 0,
                poll_total("error"): minute,
                poll_total("success", "nas-2"): 0 if second_fails else minute,
                poll_total("error", "nas-2"): minute if second_fails else 0,
            }
            log.scrape(minute * MINUTE + 17 * SECOND, counters)
        return log

    assert aborted(both(False), ["failure_rate"])[0] is PASSED
    assert aborted(both(True), ["failure_rate"])[0] is FAILED


def test_auth_errors_for_ten_minutes_hold_off_and_for_longer_fire() -> None:
    at_limit, over = (lambda minute: 5 <= minute <= 15), (lambda minute: 5 <= minute <= 16)
    assert aborted(run(at_limit, at_limit), ["auth_errors"]) == (PASSED, "none fired")
    assert (
        aborted(run(over, over), ["auth_errors"])[1] == "auth_errors at 16m17s: auth errors of nas-1 for more than 10m"
    )


def test_a_success_ends_auth_errors_and_other_errors_do_not() -> None:
    with_success = run(lambda minute: 5 <= minute <= 20 and minute != 12, lambda minute: True)
    assert aborted(with_success, ["auth_errors"])[0] is PASSED
    with_timeout = run(lambda minute: 5 <= minute <= 20, lambda minute: minute != 12)
    assert aborted(with_timeout, ["auth_errors"])[0] is FAILED


def test_a_crash_fires() -> None:
    log = run().add("7m", "sut/crash", "pulse", kind="task", exception="KeyError", template="t")
    assert aborted(log, ["crash"]) == (FAILED, "crash at 7m: pulse crashed")


@pytest.mark.parametrize(
    ("after", "told"),
    [
        ({"nas-1": {}}, "system:nas-1/pool:tank vanished"),
        ({**OURS, "nas-1/pool:tank": {"type": "host"}}, "system:nas-1/pool:tank changed its type"),
        (
            {"nas-1": {}, "nas-1/pool:tonk": {"type": "storage", "id": "id-nas-1/pool:tank"}},
            "system:nas-1/pool:tank changed its sourceId",
        ),
    ],
)
def test_a_resource_that_vanishes_or_becomes_another_is_corrupted(after: Mapping[str, Any], told: str) -> None:
    assert aborted(shown(OURS, OURS, after), ["corruption"]) == (FAILED, f"corruption at 11m: {told}")


def test_a_changed_status_is_no_corruption() -> None:
    samples = [OURS, *[{**OURS, "nas-1/pool:tank": {"type": "storage", "status": "offline"}}] * 5]
    assert aborted(shown(*samples), ["corruption"])[0] is PASSED


def test_a_resource_may_go_with_its_connection() -> None:
    gone = [OURS, OURS, *[{}] * 4]
    assert aborted(shown(*gone).action("7m", "remove_connection", id="nas-1"), ["corruption"])[0] is PASSED
    assert aborted(shown(*gone).action("7m", "disable_connection", id="nas-1"), ["corruption"])[0] is PASSED
    assert aborted(shown(*gone).action("7m", "remove_connection", 500, id="nas-1"), ["corruption"])[0] is FAILED
    assert aborted(shown(*gone).action("12m", "remove_connection", id="nas-1"), ["corruption"])[0] is FAILED


def test_a_resource_must_stay_once_its_connection_is_enabled_again() -> None:
    log = shown(*[OURS] * 5, {"nas-1": {}}).action("7m", "disable_connection", id="nas-1")
    log.action("8m", "enable_connection", id="nas-1")
    assert aborted(log, ["corruption"]) == (FAILED, "corruption at 26m: system:nas-1/pool:tank vanished")


def test_a_resource_may_go_when_the_appliance_no_longer_has_it() -> None:
    less = [OURS, OURS, *[{"nas-1": {}}] * 4]
    truth = truth_with("tank")
    had = shown(*less).add("2m", "appliance/truth", "nas-1", **truth)
    assert aborted(had, ["corruption"])[0] is FAILED
    lost = shown(*less).add("2m", "appliance/truth", "nas-1", **truth)
    assert aborted(lost.add("8m", "appliance/truth", "nas-1", **truth_with()), ["corruption"])[0] is PASSED


def truth_with(*pools: str) -> dict[str, Any]:
    pool = {
        "guid": "1",
        "status": "ONLINE",
        "healthy": True,
        "size": 1,
        "allocated": 0,
        "free": 1,
        "errors": [0, 0, 0],
        "scan": {"function": None, "state": None, "errors": None},
    }
    system = {"hostname": "nas-1", "version": "24.10", "serial": None, "model": None}
    return {"system": system, "pools": dict.fromkeys(pools, pool), "datasets": {}, "disks": {}, "alerts": []}


def pointed(*looks: str, polled: bool = True, after: Mapping[str, Any] | None = None) -> LogBuilder:
    """nas-1 is pointed at nas-2, which has the pool flash, at 7m; ``looks`` show these pools every 5 minutes."""
    shown_then = [{"nas-1": {}, f"nas-1/pool:{pool}": {"type": "storage", **(after or {})}} for pool in looks]
    log = shown_after(lambda minute: polled, *shown_then).add("1m", "appliance/truth", "nas-1", **truth_with("tank"))
    log.add("1m", "appliance/truth", "nas-2", **truth_with("flash", "tank"))
    return log.action("7m", "update_connection", id="nas-1", appliance="nas-2")


def shown_after(polls: Callable[[int], bool], *samples: Mapping[str, Mapping[str, Any]]) -> LogBuilder:
    log = run(polls=lambda minute: minute < 7 or polls(minute))
    for index, sample in enumerate(samples):
        log.resources(f"{5 * index + 1}m", sample)
    return log


def test_what_came_from_the_appliance_before_may_go_when_a_connection_is_pointed_at_another() -> None:
    assert aborted(pointed("tank", "tank", "flash", "flash", "flash", "flash"), ["corruption"])[0] is PASSED


def test_a_connection_removed_and_added_again_elsewhere_is_pointed_there() -> None:
    log = pointed("tank", "tank", "flash", "flash", "flash", "flash")
    log.records = [record for record in log.records if record.kind != "action"]
    log.action("7m", "remove_connection", id="nas-1")
    assert aborted(log.action("8m", "add_connection", id="nas-1", appliance="nas-2"), ["corruption"])[0] is PASSED
    held = shown(*[OURS] * 3, *[{"nas-1": {}}] * 3).action("7m", "remove_connection", id="nas-1")
    assert aborted(held.action("8m", "add_connection", id="nas-1", appliance="nas-1"), ["corruption"])[0] is FAILED


def test_nobody_polling_yet_it_may_go_later() -> None:
    quiet = pointed("tank", "tank", "tank", "tank", "flash", "flash", polled=False)
    assert aborted(quiet, ["corruption"])[0] is PASSED


def test_what_is_known_of_the_new_appliance_must_stay() -> None:
    lost = pointed("tank", "tank", "flash", "flash", "tank", "tank")
    assert aborted(lost, ["corruption"]) == (FAILED, "corruption at 21m: system:nas-1/pool:flash vanished")


def test_being_pointed_at_another_appliance_excuses_no_other_type() -> None:
    log = pointed("tank").resources("11m", {"nas-1": {}, "nas-1/pool:tank": {"type": "host"}})
    assert aborted(log, ["corruption"])[0] is FAILED


def test_the_version_without_the_feature_may_show_none_of_it() -> None:
    log = shown(OURS, OURS, *[{}] * 4).add("7m", "sut/stopped", "pulse")
    assert aborted(log.add("8m", "sut/started", "pulse", variant="without-truenas"), ["corruption"])[0] is PASSED


@pytest.mark.parametrize(
    ("after", "told"),
    [
        (OURS, "system:agent vanished"),
        ({**OURS, "agent": {**AGENT, "sources": ["agent", "truenas"]}}, "system:agent changed its sources"),
        ({**OURS, "agent": {**AGENT, "name": "other"}}, "system:agent changed its name"),
    ],
)
def test_another_sources_resource_that_changes_is_interfered_with(after: Mapping[str, Any], told: str) -> None:
    before = {**OURS, "agent": AGENT}
    assert aborted(shown(before, before, after), ["interference"]) == (FAILED, f"interference at 11m: {told}")


def test_another_sources_resource_may_wait_for_its_source_after_a_restart_and_comes_back_the_same() -> None:
    before = {**OURS, "agent": AGENT}
    log = shown(before, before, OURS, before, before, before).add("7m", "sut/stopped", "pulse")
    assert aborted(log.add("8m", "sut/started", "pulse"), ["interference"])[0] is PASSED
    other = {**OURS, "agent": {**AGENT, "name": "other"}}
    log = shown(before, before, other).add("7m", "sut/stopped", "pulse")
    assert aborted(log.add("8m", "sut/started", "pulse"), ["interference"])[0] is FAILED


def test_another_sources_status_is_its_own_business() -> None:
    samples = [{**OURS, "agent": AGENT}, *[{**OURS, "agent": {**AGENT, "status": "warning"}}] * 5]
    assert aborted(shown(*samples), ["interference"])[0] is PASSED


@pytest.mark.parametrize("criterion", ALL)
def test_a_criterion_without_samples_cannot_be_judged(criterion: str) -> None:
    for builder in (LogBuilder(), LogBuilder(started=False), LogBuilder({}, systems=())):
        outcome, observed = aborted(builder, [criterion])
        assert outcome is INCONCLUSIVE
        assert observed.startswith(f"{criterion} cannot be judged: ")


@pytest.mark.parametrize("criterion", ALL)
def test_samples_that_end_early_leave_a_criterion_unjudged(criterion: str) -> None:
    assert aborted(shown(*[OURS] * 6), [criterion], end="2h")[0] is INCONCLUSIVE


def test_resources_without_a_source_id_cannot_be_judged() -> None:
    anonymous = {"nas-1": {"sourceId": None}}
    assert aborted(shown(*[anonymous] * 6), ["corruption"])[0] is INCONCLUSIVE


def test_what_fired_decides_even_when_another_criterion_cannot_be_judged() -> None:
    log = run().add("7m", "sut/crash", "pulse", kind="task", exception="KeyError", template="t")
    assert aborted(log, ["corruption", "crash"])[0] is FAILED


def told(builder: LogBuilder, criterion: str = "failure_rate", time: str = "12m", what: str = "") -> LogBuilder:
    """The run was aborted, and says so."""
    words = what or "more than half of the polls failed for more than 5m"
    return builder.add(time, "world/abort", "run", criterion=criterion, what=words, evidence=[])


def expecting(builder: LogBuilder, criteria: list[str], *between: str, reason: str = "aborted") -> Outcome:
    expect_abort = {"criterion": "failure_rate", "between": list(between)}
    log = builder.log("30m", reason)
    return judge(log, "abort_criteria", criteria=criteria, expect_abort=expect_abort).outcome


def failing(minutes: int = 30) -> LogBuilder:
    return run(lambda minute: minute >= 5, minutes=minutes)


def test_an_expected_abort_must_come_in_its_window_and_alone() -> None:
    assert expecting(told(failing()), ["failure_rate"], "11m17s", "12m") is PASSED
    assert expecting(told(failing()), ["failure_rate"], "10m", "11m16s") is FAILED
    assert expecting(told(failing()), ["failure_rate"], "12m", "20m") is FAILED
    assert expecting(run(), ["failure_rate"], "1m", "30m", reason="completed") is FAILED
    assert expecting(told(failing()), ["failure_rate", "corruption"], "11m", "12m") is INCONCLUSIVE
    crashed = told(failing()).add("7m", "sut/crash", "pulse")
    assert expecting(crashed, ["failure_rate", "crash"], "11m", "12m") is FAILED


def test_an_expected_abort_that_did_not_end_the_run_is_none() -> None:
    assert expecting(failing(), ["failure_rate"], "11m", "12m", reason="completed") is FAILED


def test_an_abort_the_records_do_not_show_or_that_is_told_twice_or_not_at_all_is_inconclusive() -> None:
    assert expecting(told(run()), ["failure_rate"], "11m", "12m") is INCONCLUSIVE
    assert expecting(told(failing(), what="other words"), ["failure_rate"], "11m", "12m") is INCONCLUSIVE
    assert expecting(told(failing(), time="11m"), ["failure_rate"], "11m", "12m") is INCONCLUSIVE
    assert expecting(told(told(failing())), ["failure_rate"], "11m", "12m") is INCONCLUSIVE
    assert expecting(failing(), ["failure_rate"], "11m", "12m") is INCONCLUSIVE
    assert expecting(told(failing()), ["failure_rate"], "11m", "12m", reason="completed") is INCONCLUSIVE


def test_nothing_else_of_a_run_passes_that_was_aborted_unless_that_abort_was_expected() -> None:
    def rate(builder: LogBuilder, *between: str) -> Outcome:
        expect = {"expect_abort": {"criterion": "failure_rate", "between": list(between)}} if between else {}
        checks: list[dict[str, Any]] = [
            {"check": "poll_success_rate", "connection": "nas-1", "at_least": 0.1},
            {"check": "abort_criteria", "criteria": ["failure_rate"], **expect},
        ]
        return judge_run(builder.log("30m", "aborted"), checks)[0].outcome

    assert rate(told(failing()), "11m", "12m") is PASSED
    assert rate(told(failing()), "12m", "13m") is INCONCLUSIVE
    assert rate(told(failing())) is INCONCLUSIVE
    assert rate(told(run()), "11m", "12m") is INCONCLUSIVE


def test_polls_that_fail_while_a_rollback_takes_hold_do_not_fire_and_a_crash_then_does() -> None:
    auth_later = run(lambda minute: minute >= 5, lambda minute: True, minutes=30)
    told(auth_later, time="12m")
    assert expecting(auth_later, ["failure_rate", "auth_errors"], "11m", "12m") is PASSED
    crashed = told(failing()).add("20m", "sut/crash", "pulse")
    assert expecting(crashed, ["failure_rate", "crash"], "11m", "12m") is FAILED
