"""Alerts are raised and cleared by the state that causes them, class by class."""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from mock_truenas.appliance import Appliance, NasBuilder, rows
from mock_truenas.appliance.alert_rules import RULES
from mock_truenas.appliance.health import DETAILS
from mock_truenas.appliance.model import Alert, Snapshot
from mock_truenas.appliance.peripherals import certificate_date
from tests.mock_truenas.nases import DAY, HOUR, MINUTE, START_NS, Aged, aged, built

GIB = 1 << 30


def fill(percent: int) -> Callable[[Appliance], None]:
    def act(nas: Appliance) -> None:
        size = nas.state.pools["tank"].size
        nas.change_pool("tank", allocated=-(-size * percent // 100))

    return act


def quota(limit: int | None, **more: str) -> Callable[[Appliance], None]:
    settings = {} if limit is None else {"quota": str(limit), **more}
    return lambda nas: void(nas.change_dataset("tank/documents", settings=settings))


def void(_: object) -> None:
    return None


def snapshots(count: int, dataset: str = "tank/documents") -> Callable[[Appliance], None]:
    def act(nas: Appliance) -> None:
        made = (Snapshot(f"{dataset}@s{number}", str(number), number, START_NS, 0, 0) for number in range(count))
        nas.change(snapshots={snapshot.name: snapshot for snapshot in made})

    return act


def certificate(days: float) -> Callable[[Appliance], None]:
    return lambda nas: void(nas.change_row("certificate", 1, until=certificate_date(START_NS + round(days * DAY))))


def pause(hours_ago: int | None) -> Callable[[Appliance], None]:
    def act(nas: Appliance) -> None:
        if hours_ago is None:
            nas.change_pool("tank", scan=None)
            return
        nas.start_scrub("tank", takes_ns=DAY)
        scan = nas.state.pools["tank"].scan
        assert scan is not None
        nas.change_pool("tank", scan=replace(scan, started_at_ns=0, paused_at_ns=nas.now_ns() - hours_ago * HOUR))

    return act


def pool(**fields: Any) -> Callable[[Appliance], None]:
    return lambda nas: void(nas.change_pool("tank", **fields))


def disk(**fields: Any) -> Callable[[Appliance], None]:
    return lambda nas: void(nas.change_disk("sda", **fields))


def host(**fields: Any) -> Callable[[Appliance], None]:
    return lambda nas: nas.change_host(**fields)


def boot_pool(code: str) -> Callable[[Appliance], None]:
    return lambda nas: nas.change(boot_pool=replace(nas.state.boot_pool, status_code=code))


def update(version: str | None) -> Callable[[Appliance], None]:
    return lambda nas: nas.change(update=replace(nas.state.update, available=version))


def replication(state: str) -> Callable[[Appliance], None]:
    return lambda nas: void(nas.change_row("replication", 1, state={"state": state, "error": "no space"}))


def key(*, revoked: bool) -> Callable[[Appliance], None]:
    def act(nas: Appliance) -> None:
        if revoked:
            nas.mint_api_key("pulse")
            nas.revoke("pulse", by="f", reason="It was used over plain HTTP.")
        else:
            nas.restore("pulse", by="f")

    return act


@dataclass(frozen=True)
class Case:
    """A class, what raises and what clears it, its arguments and level."""

    klass: str
    cause: Callable[[Appliance], None]
    cure: Callable[[Appliance], None]
    args: Any
    level: str
    release: str = "25.10"


CASES = (
    Case(
        "VolumeStatus",
        pool(status="SUSPENDED", status_code="IO_FAILURE_WAIT", status_detail="It waits."),
        pool(status="ONLINE", status_code="OK", status_detail=None),
        {"volume": "tank", "state": "SUSPENDED", "status": "It waits.", "devices": ""},
        "CRITICAL",
    ),
    Case(
        "BootPoolStatus",
        boot_pool("FAILING_DEV"),
        boot_pool("OK"),
        {"status": "ONLINE", "status_detail": DETAILS["FAILING_DEV"]},
        "CRITICAL",
    ),
    Case("ZpoolCapacityNotice", fill(70), fill(69), {"volume": "tank", "capacity": 70}, "NOTICE"),
    Case("ZpoolCapacityWarning", fill(89), fill(10), {"volume": "tank", "capacity": 89}, "WARNING"),
    Case("ZpoolCapacityCritical", fill(100), fill(10), {"volume": "tank", "capacity": 100}, "CRITICAL"),
    Case(
        "QuotaWarning",
        quota(1000 * GIB),
        quota(None),
        {
            "name": "Quota",
            "dataset": "tank/documents",
            "used_fraction": 85.3,
            "used": "853.00 GiB",
            "quota_value": "1000.00 GiB",
        },
        "WARNING",
    ),
    Case(
        "QuotaCritical",
        quota(1000 * GIB, quota_critical="85"),
        quota(2000 * GIB),
        {
            "name": "Quota",
            "dataset": "tank/documents",
            "used_fraction": 85.3,
            "used": "853.00 GiB",
            "quota_value": "1000.00 GiB",
        },
        "CRITICAL",
    ),
    Case("ScrubPaused", pause(8), pause(None), {"volume": "tank"}, "WARNING"),
    Case(
        "SnapshotTotalCount",
        snapshots(10_001, "fast"),
        snapshots(10_000, "fast"),
        {"count": 10_001, "max": 10_000},
        "WARNING",
    ),
    Case(
        "SnapshotCount",
        snapshots(513),
        snapshots(512),
        {"dataset": "tank/documents", "count": 513, "max": 512},
        "WARNING",
    ),
    Case(
        "SMART",
        disk(smart_message="8 Currently unreadable (pending) sectors"),
        disk(smart_message=None),
        {"device": "/dev/sda", "message": "Device: /dev/sda, 8 Currently unreadable (pending) sectors"},
        "CRITICAL",
        "25.04",
    ),
    Case(
        "SMART",
        disk(temperature=65),
        disk(temperature=30),
        {
            "device": "/dev/sda",
            "message": "Device: /dev/sda, Temperature 65 Celsius reached critical limit of 60 Celsius",
        },
        "CRITICAL",
        "24.10",
    ),
    Case(
        "DiskTemperatureTooHot",
        disk(temperature=60, serial="Z1"),
        disk(temperature=59),
        {"device": "sda", "serial": "Z1", "crit_threshold": 60, "temp": 60},
        "CRITICAL",
    ),
    Case(
        "SMARTUncorrectedErrors",
        disk(smart_message="4 uncorrected errors", serial="Z1"),
        disk(smart_message=None),
        {"device": "sda", "serial": "Z1", "message": "4 uncorrected errors"},
        "CRITICAL",
    ),
    Case(
        "ApiKeyRevoked",
        key(revoked=True),
        key(revoked=False),
        {"name": "pulse", "reason": "It was used over plain HTTP."},
        "WARNING",
    ),
    Case("ApiKeyRevoked", key(revoked=True), key(revoked=False), {"key_name": "pulse"}, "WARNING", "25.04"),
    Case("HasUpdate", update("26.0.1"), update(None), None, "INFO"),
    Case(
        "NTPHealthCheck",
        host(clock_offset_ns=-301 * 10**9),
        host(clock_offset_ns=0),
        {"reason": "the clock is off by -301.000 s"},
        "WARNING",
    ),
    Case("UPSOnBattery", host(ups="ups", ups_on_battery=True), host(ups_on_battery=False), {"name": "ups"}, "CRITICAL"),
    Case("CertificateIsExpiring", certificate(29), certificate(31), {"name": "truenas_default"}, "NOTICE"),
    Case("CertificateIsExpiringSoon", certificate(6), certificate(31), {"name": "truenas_default"}, "WARNING"),
    Case("CertificateExpired", certificate(-1), certificate(31), {"name": "truenas_default"}, "CRITICAL"),
    Case(
        "ReplicationFailed",
        replication("ERROR"),
        replication("RUNNING"),
        {"name": "tank/documents - backup/documents", "message": "no space"},
        "CRITICAL",
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.klass}-{case.release}")
def test_a_cause_raises_its_alert_and_only_that_until_it_is_gone(case: Case) -> None:
    home = aged("baseline", case.release)
    case.cause(home.nas)
    (alert,) = home.nas.state.alerts.values()
    assert (alert.klass, alert.args, alert.level) == (case.klass, case.args, case.level)
    assert (alert.raised_at_ns, alert.one_shot, alert.dismissed) == (START_NS, False, False)
    assert alert.text % (alert.args or ()), "the template fits its arguments"
    case.cure(home.nas)
    assert home.classes() == []


def test_every_class_that_has_a_rule_is_tried_here() -> None:
    assert {case.klass for case in CASES} | {"RESTAPIUsage"} == {rule.klass for rule in RULES}


@pytest.mark.parametrize(("release", "raised"), [("25.10", True), ("25.10.0", False), ("24.10", False)])
def test_use_of_rest_is_told_of_at_one_in_the_morning_from_25_10_1_on(release: str, raised: bool) -> None:
    home = aged("baseline", release)
    for address in ("10.0.0.7", "10.0.0.5", "10.0.0.7"):
        home.nas.note_rest_use(address)
    home.wait(HOUR - 1)
    assert home.classes() == []
    home.wait(1)
    alerts = [alert for alert in home.nas.state.alerts.values() if alert.klass == "RESTAPIUsage"]
    assert [alert.args for alert in alerts] == [{"count": 3, "ip_addresses": "10.0.0.7, 10.0.0.5"}] * raised
    home.wait(DAY)
    assert "RESTAPIUsage" not in home.classes()


@pytest.mark.parametrize("code", ["RESILVERING", "VERSION_OLDER", "FEAT_DISABLED", "NON_NATIVE_ASHIFT"])
def test_a_code_that_only_warns_raises_nothing(code: str) -> None:
    home = aged()
    home.nas.change_pool("tank", status_code=code)
    assert home.classes() == []


def test_a_degraded_pool_names_the_disks_that_are_not_healthy() -> None:
    home = aged()
    home.nas.fail_disk("sdb", "FAULTED")
    (alert,) = home.nas.state.alerts.values()
    sick = home.nas.state.disks["sdb"]
    assert isinstance(alert.args, dict)
    assert (alert.args["state"], alert.args["devices"]) == (
        "DEGRADED",
        f"<br>The following devices are not healthy:<ul><li>Disk {sick.model} {sick.serial} is FAULTED</li></ul>",
    )


def test_an_alert_changes_its_arguments_and_stays_the_same() -> None:
    home = aged()
    fill(71)(home.nas)
    (before,) = home.nas.state.alerts.values()
    home.nas.dismiss_alert(before.uuid, dismissed=True)
    home.clock.at_ns += HOUR
    fill(75)(home.nas)
    (after,) = home.nas.state.alerts.values()
    args = {"volume": "tank", "capacity": 75}
    assert after == replace(before, args=args, dismissed=True, last_at_ns=START_NS + HOUR)


def test_an_alert_that_comes_again_is_another_and_not_dismissed() -> None:
    home = aged()
    fill(71)(home.nas)
    (before,) = home.nas.state.alerts
    home.nas.dismiss_alert(before, dismissed=True)
    fill(10)(home.nas)
    home.clock.at_ns += MINUTE
    fill(71)(home.nas)
    (after,) = home.nas.state.alerts.values()
    assert (after.uuid != before, after.dismissed) == (True, False)


def test_an_alert_cleared_by_hand_stays_away_until_its_cause_has_ended_once() -> None:
    home = aged()
    fill(71)(home.nas)
    home.nas.clear_alert(next(iter(home.nas.state.alerts)))
    home.wait(HOUR)
    assert home.classes() == []
    fill(10)(home.nas)
    fill(71)(home.nas)
    assert home.classes() == ["ZpoolCapacityNotice"]


def test_an_alert_raised_by_hand_stays_whatever_the_state() -> None:
    home = aged()
    home.nas.raise_alert(Alert("u", "VolumeStatus", "CRITICAL", "t", START_NS, {"volume": "other"}))
    home.nas.fail_disk("sda")
    home.nas.fail_disk("sda", "ONLINE")
    assert list(home.nas.state.alerts) == ["u"]


@pytest.mark.parametrize(("fixture", "klass"), [("small-office", "HasUpdate"), ("homelab", "ZpoolCapacityNotice")])
def test_what_a_fixture_says_already_is_not_said_twice(fixture: str, klass: str) -> None:
    home = aged(fixture)
    assert home.classes().count(klass) == 1
    alert = next(alert for alert in home.nas.state.alerts.values() if alert.klass == klass)
    assert alert.raised_at_ns < START_NS


def test_time_alone_expires_a_certificate() -> None:
    home = built(NasBuilder("n").pool("tank", mirror=2))
    found = []
    for days in (160, 8, 23, 7):
        home.wait(days * DAY)
        found.append([klass for klass in home.classes() if klass.startswith("Certificate")])
    assert found == [[], ["CertificateIsExpiring"], ["CertificateIsExpiringSoon"], ["CertificateExpired"]]


def test_a_disk_gets_too_hot_in_the_afternoon_and_cools_at_night() -> None:
    home = aged("baseline", "25.10")
    home.nas.change_disk("sda", temperature=59)
    found = []
    for hours in (3, 12, 12):
        home.wait(hours * HOUR)
        found.append("DiskTemperatureTooHot" in home.classes())
    assert found == [False, True, False]


def test_an_upgrade_says_what_the_new_release_says() -> None:
    home = aged("baseline", "25.04")
    home.nas.change_disk("sda", smart_message="errors")
    key(revoked=True)(home.nas)
    assert sorted(home.classes()) == ["ApiKeyRevoked", "SMART"]
    home.nas.upgrade("25.10")
    assert sorted(home.classes()) == ["ApiKeyRevoked", "SMARTUncorrectedErrors"]
    alert = next(alert for alert in home.nas.state.alerts.values() if alert.klass == "ApiKeyRevoked")
    assert alert.text % alert.args == "pulse: API key has been revoked. It was used over plain HTTP."


def test_alerts_are_the_same_for_the_same_seed() -> None:
    def uuids(seed: int) -> list[str]:
        home = Aged(**vars(aged(seed=seed)))
        fill(95)(home.nas)
        home.nas.fail_disk("sda")
        return list(home.nas.state.alerts)

    assert uuids(1) == uuids(1)
    assert not set(uuids(1)) & set(uuids(2))


def test_rows_of_other_shapes_raise_nothing_and_break_nothing() -> None:
    home = aged()
    stream = random.Random(1)
    for until in (None, 7, "", "never", "Mon Foo 99 00:00:00 2026", "Mon Feb 31 00:00:00 2026"):
        home.nas.change_row("certificate", 1, until=until)
    states: tuple[object, ...] = (None, "ERROR", [], {"state": stream.random()})
    for state in states:
        home.nas.change_row("replication", 1, state=state)
    home.nas.insert_row("replication", rows.replication(9, "x", ["tank"], "fast", "0 4 * * *", enabled=False))
    assert home.classes() == []
