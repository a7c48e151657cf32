"""abort_criteria on handwritten logs."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

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


def test_a_resource_may_go_when_the_appliance_no_longer_has_it() -> None:
    less = [OURS, OURS, *[{"nas-1": {}}] * 4]
    truth: dict[str, Any] = {"system": {}, "pools": {"tank": {}}, "datasets": {}, "disks": {}}
    had = shown(*less).add("2m", "appliance/truth", "nas-1", **truth)
    assert aborted(had, ["corruption"])[0] is FAILED
    lost = shown(*less).add("2m", "appliance/truth", "nas-1", **truth)
    assert aborted(lost.add("8m", "appliance/truth", "nas-1", **{**truth, "pools": {}}), ["corruption"])[0] is PASSED


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


def expecting(builder: LogBuilder, criteria: list[str], *between: str) -> Outcome:
    expect_abort = {"criterion": "failure_rate", "between": list(between)}
    return aborted(builder, criteria, expect_abort=expect_abort)[0]


def test_an_expected_abort_must_come_in_its_window_and_alone() -> None:
    log = run(lambda minute: minute >= 5)
    assert expecting(log, ["failure_rate"], "11m17s", "12m") is PASSED
    assert expecting(log, ["failure_rate"], "10m", "11m16s") is FAILED
    assert expecting(log, ["failure_rate"], "12m", "20m") is FAILED
    assert expecting(run(), ["failure_rate"], "1m", "30m") is FAILED
    assert expecting(log, ["failure_rate", "corruption"], "11m", "12m") is INCONCLUSIVE
    crashed = run(lambda minute: minute >= 5).add("7m", "sut/crash", "pulse")
    assert expecting(crashed, ["failure_rate", "crash"], "11m", "12m") is FAILED
