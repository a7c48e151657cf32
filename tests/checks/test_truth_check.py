"""What a system shows of an appliance against what the appliance is, on logs of a few records."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from pulse_sim.outcome import Outcome
from pulse_sim.units import MINUTE
from tests.checks.log_builder import LogBuilder, judge, poll_total

PASSED, FAILED, INCONCLUSIVE = Outcome.PASSED, Outcome.FAILED, Outcome.INCONCLUSIVE
CRITICAL = {"id": "a-1", "severity": "critical", "class": "VolumeStatus"}
HOST = {"hostname": "nas-1", "version": "TrueNAS-SCALE-24.10.2.4", "serial": "SYS-1", "model": "Mini"}
SPACE = {"totalBytes": 1000, "usedBytes": 400, "freeBytes": 600}
POOL: dict[str, Any] = {"kind": "pool", "health": "ONLINE", "healthy": True, "disk": SPACE, "readErrors": 0}
DATASET: dict[str, Any] = {"kind": "dataset", "pool": "tank", "disk": {"usedBytes": 300, "freeBytes": 500}}
DISK: dict[str, Any] = {"serial": "D-1", "sizeBytes": 1000, "pool": "tank", "vdevStatus": "ONLINE"}
PARTS: dict[str, Any] = {"pools": {"tank": {}}, "datasets": {"tank": {}}, "disks": {"sda": {}}, "alerts": {"a-1": {}}}
Shown = Mapping[str, Mapping[str, Any]]


def shown(source: str = "online", /, **changed: Any) -> dict[str, dict[str, Any]]:
    """A sample of what is there, or of something else where ``host``, ``pool``, ``dataset`` or ``disk`` say so."""
    plain: dict[str, dict[str, Any]] = {
        "host": {"name": "nas-1", "type": "host", "facts": HOST, "alerts": [CRITICAL]},
        "pool": {"name": "tank", "type": "storage", "facts": POOL, "alerts": [CRITICAL]},
        "dataset": {"name": "tank", "type": "storage", "facts": DATASET, "alerts": []},
        "disk": {"name": "sda", "type": "physical_disk", "facts": DISK, "alerts": []},
    }
    ids = {"host": "nas-1", "pool": "nas-1/pool:tank", "dataset": "nas-1/dataset:tank", "disk": "nas-1/disk:sda"}
    status = {} if source == "online" else {"status": "warning"}
    whole = {
        ids[thing]: {**fields, "source": source, **status, **(changed.get(thing) or {})}
        for thing, fields in plain.items()
        if changed.get(thing, {}) is not None
    }
    return {name: {key: value for key, value in one.items() if value is not None} for name, one in whole.items()}


def log_of(*samples: Shown, truth: bool = True, warm: bool = True, **parts: Any) -> LogBuilder:
    """A sample a minute and one more, a truth at the start, and polls that succeed."""
    log = LogBuilder(resources_every_ns=MINUTE)
    if truth:
        log.truth(0, **{**PARTS, **parts})
    if warm:
        log.scrape("17s", {poll_total("success"): 1})
    for minute, sample in enumerate(samples):
        log.resources(minute * MINUTE + 1, sample)
    return log


def verdict(log: LogBuilder, end: str = "10m", **given: Any) -> tuple[Outcome, str]:
    result = judge(log.log(end), "shows_truth", connection="nas-1", **{"lag": "2m30s", **given})
    return result.outcome, result.observed


def facts(of: Mapping[str, Any], **changed: Any) -> dict[str, Any]:
    return {"facts": {**of, **changed}}


def test_what_is_shown_as_it_is_is_true() -> None:
    assert verdict(log_of(*[shown()] * 10)) == (PASSED, "7 samples true, 3 more excused in part, 1 truth")


@pytest.mark.parametrize(
    ("sample", "told"),
    [
        (shown(host={"name": "nas-2"}), 'system:nas-1 shows name "nas-2", not "nas-1"'),
        (shown(host={"status": "warning"}), 'system:nas-1 shows status "warning", not "online"'),
        (shown(host=facts(HOST, version="13")), 'system:nas-1 shows version "13", not "TrueNAS-SCALE-24.10.2.4"'),
        (shown(host=facts(HOST, serial="SYS-2")), 'system:nas-1 shows serial "SYS-2", not "SYS-1"'),
        (shown(host=None), "system:nas-1 is not shown"),
        (shown(pool={"status": "warning"}), 'system:nas-1/pool:tank shows status "warning", not "online"'),
        (shown(pool={"type": "host"}), 'system:nas-1/pool:tank shows type "host", not "storage"'),
        (
            shown(pool=facts(POOL, health="DEGRADED")),
            'system:nas-1/pool:tank shows health "DEGRADED", not "ONLINE"',
        ),
        (shown(pool=facts(POOL, healthy=False)), "system:nas-1/pool:tank shows healthy false, not true"),
        (shown(pool=facts(POOL, readErrors=1)), "system:nas-1/pool:tank shows readErrors 1, not 0"),
        (
            shown(pool=facts(POOL, disk={**SPACE, "usedBytes": 401})),
            "system:nas-1/pool:tank shows usedBytes 401, not 400",
        ),
        (
            shown(pool=facts(POOL, disk={**SPACE, "usedBytes": None})),
            "system:nas-1/pool:tank shows usedBytes null, not 400",
        ),
        (shown(pool=facts(POOL, scan={"errors": 3})), "system:nas-1/pool:tank shows scan.errors 3, not null"),
        (shown(pool=None), "system:nas-1/pool:tank is not shown"),
        (shown(dataset={"status": "offline"}), 'system:nas-1/dataset:tank shows status "offline", not "online"'),
        (shown(dataset=facts(DATASET, readonly=True)), "system:nas-1/dataset:tank shows readonly true, not false"),
        (shown(dataset=None), "system:nas-1/dataset:tank is not shown"),
        (shown(disk=facts(DISK, serial="D-2")), 'system:nas-1/disk:sda shows serial "D-2", not "D-1"'),
        (shown(disk=facts(DISK, pool=None)), 'system:nas-1/disk:sda shows pool null, not "tank"'),
        (shown(disk=facts(DISK, temperatureCelsius=36)), "system:nas-1/disk:sda shows temperatureCelsius 36, not 30"),
        (shown(disk=None), "system:nas-1/disk:sda is not shown"),
        (
            {**shown(), "nas-1/pool:flash": {"type": "storage"}},
            "system:nas-1/pool:flash is shown, and its appliance has none",
        ),
        (
            {**shown(), "twin": {**shown()["nas-1/pool:tank"], "id": "other", "sourceId": "system:nas-1/pool:tank"}},
            "system:nas-1/pool:tank is shown twice",
        ),
        (shown("stale"), "system:nas-1 is stale, and its appliance can be reached"),
        (shown("unknown"), "system:nas-1 is unknown, and its appliance can be reached"),
    ],
)
def test_what_is_shown_as_it_is_not_is_told(sample: Shown, told: str) -> None:
    wrong = log_of(*[shown()] * 5, sample, *[shown()] * 4)
    assert verdict(wrong) == (FAILED, f"{told} at 5m")


@pytest.mark.parametrize(
    ("alerts", "told"),
    [
        ([], 'does not show the alert "a-1"'),
        ([{**CRITICAL, "severity": "info"}], 'shows the alert "a-1" as ["info", "VolumeStatus"]'),
        ([{**CRITICAL, "class": "ZpoolCapacity"}], 'shows the alert "a-1" as ["critical", "ZpoolCapacity"]'),
        ([CRITICAL, CRITICAL], 'shows the alert "a-1" twice'),
        ([CRITICAL, {**CRITICAL, "id": "a-2"}], 'shows the alert "a-2" as ["critical", "VolumeStatus"]'),
    ],
)
def test_every_alert_nobody_dismissed_is_shown_once_and_no_other(alerts: list[Any], told: str) -> None:
    wrong = shown(host={"alerts": alerts})
    assert verdict(log_of(*[shown()] * 5, wrong, *[shown()] * 4)) == (FAILED, f"system:nas-1 {told} at 5m")


def test_a_dismissed_alert_is_not_to_be_shown() -> None:
    none = shown(host={"alerts": []}, pool={"alerts": []})
    dismissed: dict[str, Any] = {"alerts": {"a-1": {"dismissed": True}}}
    assert verdict(log_of(*[none] * 10, **dismissed))[0] is PASSED
    assert verdict(log_of(*[shown()] * 10, **dismissed))[0] is FAILED


def test_a_pool_bears_no_alert_that_its_appliance_has_not() -> None:
    wrong = shown(pool={"alerts": [{**CRITICAL, "id": "a-2"}]})
    told = 'system:nas-1/pool:tank shows the alert "a-2" as ["critical", "VolumeStatus"] at 5m'
    assert verdict(log_of(*[shown()] * 5, wrong, *[shown()] * 4)) == (FAILED, told)


@pytest.mark.parametrize(
    ("level", "severity"),
    [
        ("EMERGENCY", "critical"),
        ("ALERT", "critical"),
        ("ERROR", "critical"),
        ("WARNING", "warning"),
        ("NOTICE", "info"),
        ("INFO", "info"),
        ("SOMETHING", "warning"),
    ],
)
def test_levels_are_severities(level: str, severity: str) -> None:
    alert = {**CRITICAL, "severity": severity}
    sample = shown(host={"alerts": [alert]}, pool={"alerts": [alert]})
    assert verdict(log_of(*[sample] * 10, alerts={"a-1": {"level": level}}))[0] is PASSED


@pytest.mark.parametrize(
    ("status", "is_shown"),
    [
        ("ONLINE", "online"),
        ("DEGRADED", "warning"),
        ("FAULTED", "offline"),
        ("OFFLINE", "offline"),
        ("REMOVED", "offline"),
        ("UNAVAIL", "offline"),
        ("SUSPENDED", "offline"),
        ("SOMETHING", "unknown"),
    ],
)
def test_the_status_of_a_pool_and_what_it_makes_of_its_system(status: str, is_shown: str) -> None:
    troubled = {"host": {"status": "warning"}} if is_shown in ("warning", "offline") else {}
    sample = shown(pool={"status": is_shown, **facts(POOL, health=status)}, **troubled)
    assert verdict(log_of(*[sample] * 10, pools={"tank": {"status": status}}))[0] is PASSED


@pytest.mark.parametrize(
    ("true", "status"),
    [
        ({"locked": True}, "offline"),
        ({"mountpoint": None}, "offline"),
        ({"readonly": True}, "warning"),
        ({"locked": True, "readonly": True}, "offline"),
        ({"type": "VOLUME", "mountpoint": None}, "online"),
    ],
)
def test_the_status_of_a_dataset(true: dict[str, Any], status: str) -> None:
    kind = {"kind": "volume"} if true.get("type") == "VOLUME" else {}
    told = facts(DATASET, **kind)
    right = log_of(*[shown(dataset={"status": status, **told})] * 10, datasets={"tank": true})
    assert verdict(right)[0] is PASSED
    wrong = log_of(*[shown(dataset={"status": "unknown", **told})] * 10, datasets={"tank": true})
    assert verdict(wrong)[0] is FAILED


def test_a_disk_of_no_pool_has_no_status() -> None:
    loose = shown(disk={"status": "unknown", **facts(DISK, pool=None, vdevStatus=None)})
    assert verdict(log_of(*[loose] * 10, disks={"sda": {"status": None, "pool": "boot-pool"}}))[0] is PASSED


def test_a_temperature_is_the_usual_one_or_that_of_a_hot_afternoon_or_not_shown() -> None:
    for warm in (30, 35, None):
        assert verdict(log_of(*[shown(disk=facts(DISK, temperatureCelsius=warm))] * 10))[0] is PASSED
    assert verdict(log_of(*[shown(disk=facts(DISK, temperatureCelsius=29))] * 10))[0] is FAILED


def test_a_name_that_a_terminal_would_obey_is_shown_with_escapes() -> None:
    log = log_of(datasets={"tank": {}, "tank/\x1b[2J": {}})
    for minute in range(10):
        odd = {"name": "tank/\\x1b[2J", "type": "storage", "facts": DATASET, "alerts": []}
        log.resources(minute * MINUTE + 1, {**shown(), "nas-1/dataset:tank/\\x1b[2J": odd})
    assert verdict(log)[0] is PASSED


def degraded() -> dict[str, dict[str, Any]]:
    return shown(host={"status": "warning"}, pool={"status": "warning", **facts(POOL, health="DEGRADED")})


@pytest.mark.parametrize(("late", "outcome"), [(6, PASSED), (7, FAILED)])
def test_a_change_may_be_shown_late_by_the_lag_and_no_later(late: int, outcome: Outcome) -> None:
    samples = [shown() if minute <= late else degraded() for minute in range(12)]
    log = log_of(*samples).truth(4 * MINUTE, **{**PARTS, "pools": {"tank": {"status": "DEGRADED"}}})
    assert verdict(log, "12m")[0] is outcome


def test_a_change_is_not_shown_before_it_happens() -> None:
    samples = [shown() if minute < 4 else degraded() for minute in range(12)]
    log = log_of(*samples).truth("4m30s", **{**PARTS, "pools": {"tank": {"status": "DEGRADED"}}})
    told = 'system:nas-1 shows status "warning", not "online" at 4m'
    assert verdict(log, "12m") == (FAILED, told)


def test_a_truth_that_came_and_went_between_two_samples_may_be_shown() -> None:
    samples = [degraded() if minute == 5 else shown() for minute in range(12)]
    log = (
        log_of(*samples).truth("4m10s", **{**PARTS, "pools": {"tank": {"status": "DEGRADED"}}}).truth("4m50s", **PARTS)
    )
    assert verdict(log, "12m")[0] is PASSED


def outage(kind: str = "net.down", back: int = 12, stale: Shown | None = None) -> LogBuilder:
    """Twenty minutes with a fault from 5 to 10 m; stale from 7 m until ``back``."""
    old = shown("stale") if stale is None else stale
    log = log_of(*[old if 7 <= minute < back else shown() for minute in range(20)])
    return log.fault("5m", "10m", kind=kind)


@pytest.mark.parametrize(
    ("back", "after_heal", "outcome"),
    [(12, None, PASSED), (13, None, PASSED), (14, None, FAILED), (16, "5m30s", PASSED), (17, "5m30s", FAILED)],
)
def test_a_source_may_be_stale_while_nobody_can_reach_it_and_a_while_after(
    back: int, after_heal: str | None, outcome: Outcome
) -> None:
    given = {} if after_heal is None else {"after_heal": after_heal}
    assert verdict(outage(back=back), "20m", **given)[0] is outcome


def test_a_fault_of_something_else_excuses_nothing() -> None:
    told = "system:nas-1 is stale, and its appliance can be reached at 7m"
    assert verdict(outage(kind="pool.status"), "20m") == (FAILED, told)
    elsewhere = log_of(*[shown("stale") if 7 <= minute < 12 else shown() for minute in range(20)])
    assert verdict(elsewhere.fault("5m", "10m", on="nas-2"), "20m") == (FAILED, told)


@pytest.mark.parametrize(
    "invented",
    [
        shown("stale", pool=facts(POOL, disk={**SPACE, "usedBytes": 1})),
        shown("stale", disk=None),
        shown("stale", host={"alerts": []}),
        {**shown("stale"), "nas-1/pool:flash": {"type": "storage", "source": "stale"}},
        shown("stale", pool={"status": "online"}),
        shown("stale", pool={"status": "offline"}),
    ],
)
def test_stale_data_is_what_was_true_before(invented: Shown) -> None:
    assert verdict(outage(stale=invented), "20m")[0] is FAILED


def test_what_failed_does_not_look_better_because_it_is_stale() -> None:
    bad = {"pool": {"status": "offline", **facts(POOL, health="FAULTED")}, "host": {"status": "warning"}}
    for stale, outcome in (("offline", PASSED), ("warning", FAILED)):
        old = shown("stale", pool={**bad["pool"], "status": stale})
        log = log_of(
            *[old if 7 <= minute < 12 else shown(**bad) for minute in range(20)], pools={"tank": {"status": "FAULTED"}}
        )
        assert verdict(log.fault("5m", "10m", kind="net.down"), "20m")[0] is outcome


def test_what_an_answer_lacked_under_a_fault_is_not_known_and_may_be_shown_so() -> None:
    lacking = shown(pool=facts(POOL, health=None, healthy=None) | {"status": "unknown"})
    samples = [lacking if 6 <= minute < 10 else shown() for minute in range(20)]
    assert verdict(log_of(*samples), "20m")[0] is FAILED
    assert verdict(log_of(*samples).fault("5m", "10m", kind="payload.null_field"), "20m")[0] is PASSED


def test_a_connection_just_added_need_not_be_shown_yet_and_one_removed_not_any_more() -> None:
    log = LogBuilder({}, resources_every_ns=MINUTE).truth(0, **PARTS).scrape("17s", {poll_total("success"): 1})
    log.action("4m", "add_connection", id="nas-1", appliance="nas-1").action("12m", "remove_connection", id="nas-1")
    for minute in range(20):
        log.resources(minute * MINUTE + 1, {} if minute < 6 else shown() if minute < 12 else shown("stale"))
    assert verdict(log, "20m")[0] is PASSED


def test_a_connection_added_longer_ago_than_the_lag_must_be_shown() -> None:
    late = LogBuilder({}, resources_every_ns=MINUTE).truth(0, **PARTS).scrape("17s", {poll_total("success"): 1})
    late.action("4m", "add_connection", id="nas-1", appliance="nas-1")
    for minute in range(20):
        late.resources(minute * MINUTE + 1, {} if minute < 8 else shown())
    assert verdict(late, "20m") == (FAILED, "system:nas-1 is not shown at 7m")


def test_a_system_that_was_down_shows_what_it_knew_until_it_has_asked_again() -> None:
    log = LogBuilder(resources_every_ns=MINUTE).truth(0, **PARTS).scrape("17s", {poll_total("success"): 1})
    for minute in [*range(5), *range(9, 20)]:
        log.resources(minute * MINUTE + 1, shown("stale") if 9 <= minute < 11 else shown())
    log.add("5m", "sut/stopped", "pulse").add("8m30s", "sut/started", "pulse")
    assert verdict(log, "20m")[0] is PASSED


def test_a_disk_may_be_shown_as_another_sources_where_both_tell_one_serial() -> None:
    other = {"type": "physical_disk", "facts": {"serial": "D-1"}, "sourceId": "host:web/disk:sda"}
    shared = {**shown(disk=None), "web": {**other, "sources": ["agent", "truenas"]}}
    assert verdict(log_of(*[shared] * 10))[0] is PASSED
    wrong = {**shared, "web": {**shared["web"], "facts": {"serial": "D-2"}}}
    assert verdict(log_of(*[wrong] * 10))[0] is FAILED
    two: dict[str, Any] = {"sda": {}, "sdb": {}}
    assert verdict(log_of(*[shown()] * 10, disks=two)) == (FAILED, "system:nas-1/disk:sdb is not shown at 3m")


def test_another_connection_with_a_longer_name_is_not_this_one() -> None:
    other = {"nas-10/pool:tank": {"type": "storage", "status": "offline"}, "nas-10": {"status": "offline"}}
    assert verdict(log_of(*[{**shown(), **other}] * 10))[0] is PASSED


def untold(thing: str) -> dict[str, dict[str, Any]]:
    return shown(**{thing: {"facts": {}}})


@pytest.mark.parametrize(
    ("log", "given", "missing"),
    [
        (lambda: log_of(), {}, "no sample of the resources of pulse between 0s and 10m"),
        (lambda: log_of(*[shown()] * 10, truth=False), {}, "no truth of nas-1 is on record"),
        (lambda: log_of(*[shown()] * 10, truth=False).truth("9m", **PARTS), {}, "no truth of nas-1 up to 0s"),
        (lambda: log_of(*[shown()] * 10, warm=False), {}, "no poll of nas-1 ever succeeded"),
        (lambda: log_of(*[shown()] * 3), {"between": ["0s", "2m"]}, "every sample of system:nas-1 was excused"),
        (lambda: log_of(*[shown()] * 5), {}, "no sample of the resources of pulse between 4m1ns and 10m"),
        (
            lambda: log_of(*[shown()] * 3),
            {"between": ["3m", "5m"]},
            "no sample of the resources of pulse while nas-1 was configured",
        ),
        (lambda: log_of(*[shown()] * 10), {"between": ["1m", "11m"]}, "the run ended at 10m, before the window did"),
        (
            lambda: log_of(*[shown()] * 10).action("1m", "disable_connection", id="nas-1"),
            {"between": ["2m", "9m"]},
            "nas-1 was not configured between 2m and 9m",
        ),
        (
            lambda: log_of(*[shown()] * 10).action("1m", "update_connection", id="nas-1", appliance="nas-2"),
            {},
            "nas-1 led to several appliances: nas-1, nas-2",
        ),
        (lambda: log_of(*[untold("host")] * 10), {}, "no sample tells hostname of system:nas-1"),
        (lambda: log_of(*[untold("pool")] * 10), {}, "no sample tells health of system:nas-1/pool:tank"),
        (lambda: log_of(*[untold("dataset")] * 10), {}, "no sample tells usedBytes of system:nas-1/dataset:tank"),
        (lambda: log_of(*[untold("disk")] * 10), {}, "no sample tells serial of system:nas-1/disk:sda"),
        (
            lambda: log_of(*[shown(host={"alerts": None})] * 10),
            {},
            "no sample tells the alerts of system:nas-1",
        ),
    ],
)
def test_what_cannot_be_told_is_inconclusive(log: Callable[[], LogBuilder], given: Any, missing: str) -> None:
    assert verdict(log(), **given) == (INCONCLUSIVE, missing)


def test_an_unknown_connection_is_inconclusive() -> None:
    result = judge(log_of(*[shown()] * 10).log("10m"), "shows_truth", connection="nas-9", lag="2m30s")
    assert (result.outcome, result.observed) == (INCONCLUSIVE, "the log has no connection nas-9")


def test_only_the_window_is_judged() -> None:
    log = log_of(*[shown() if minute != 5 else shown(pool=None) for minute in range(10)])
    assert verdict(log, between=["6m", "9m30s"])[0] is PASSED
    assert verdict(log, between=["4m", "9m30s"])[0] is FAILED
