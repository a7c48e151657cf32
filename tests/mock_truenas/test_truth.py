"""The truth of an appliance: all a reader is shown of system, pools, datasets, disks and alerts, and nothing else."""

from dataclasses import replace
from typing import Any

import pytest

from mock_truenas.appliance import FIXTURES
from mock_truenas.appliance.model import Alert
from mock_truenas.appliance.nas import Appliance
from mock_truenas.appliance.releases import RELEASES
from tests.mock_truenas.wire import SetClock, appliance

SECOND = 1_000_000_000


def pool_of(nas: Appliance, name: str = "tank") -> dict[str, Any]:
    found: dict[str, Any] = nas.truth()["pools"][name]
    return found


@pytest.mark.parametrize("fixture", list(FIXTURES))
def test_a_disk_has_the_status_of_its_vdev_in_the_pool_it_is_of(fixture: str) -> None:
    nas = appliance(fixture)
    leaves = {
        leaf.disk: (name, leaf.status)
        for name, pool in nas.state.pools.items()
        for vdevs in vars(pool.topology).values()
        for vdev in vdevs
        for leaf in vdev.leaves()
    }
    for name, disk in nas.truth()["disks"].items():
        if disk["status"] is None:
            assert name not in leaves
        else:
            assert (disk["pool"], disk["status"]) == leaves[name]


def test_a_failed_disk_makes_its_pool_degraded_and_not_healthy() -> None:
    nas = appliance()
    assert (pool_of(nas)["status"], pool_of(nas)["healthy"]) == ("ONLINE", True)
    nas.fail_disk("sda")
    assert (pool_of(nas)["status"], pool_of(nas)["healthy"]) == ("DEGRADED", False)
    assert nas.truth()["disks"]["sda"]["status"] == "UNAVAIL"


def test_errors_are_those_of_the_top_level_vdevs() -> None:
    nas = appliance()
    topology = nas.state.pools["tank"].topology
    first = replace(topology.data[0], read_errors=1, write_errors=2, checksum_errors=3)
    nas.change_pool("tank", topology=replace(topology, data=(first, *topology.data[1:])))
    assert pool_of(nas)["errors"] == [1, 2, 3]


def test_a_scan_is_told_without_its_percentage() -> None:
    clock = SetClock()
    nas = appliance(clock=clock)
    nas.start_scrub("tank", takes_ns=100 * SECOND)
    assert pool_of(nas)["scan"] == {"function": "SCRUB", "state": "SCANNING", "errors": 0}
    before = nas.truth()
    clock.at_ns += 50 * SECOND
    assert nas.truth() == before
    clock.at_ns += 60 * SECOND
    assert pool_of(nas)["scan"]["state"] == "FINISHED"


def test_an_exported_pool_has_no_numbers_and_its_disks_no_status() -> None:
    nas = appliance()
    disks = [name for name, disk in nas.truth()["disks"].items() if disk["pool"] == "tank"]
    nas.change_pool("tank", status="OFFLINE")
    pool = pool_of(nas)
    assert [pool[name] for name in ("size", "allocated", "free", "healthy")] == [None, None, None, False]
    assert pool["scan"] == {"function": None, "state": None, "errors": None}
    assert {nas.truth()["disks"][name]["status"] for name in disks} == {None}


@pytest.mark.parametrize("release", list(RELEASES))
def test_a_suspended_pool_is_called_as_the_release_calls_it(release: str) -> None:
    nas = appliance(release=release)
    nas.change_pool("tank", status="SUSPENDED")
    knows_the_word = nas.release.dialect.has("pool_status_suspended")
    assert pool_of(nas)["status"] == ("SUSPENDED" if knows_the_word else "UNAVAIL")


def test_what_no_query_shows_is_not_told() -> None:
    nas = appliance()
    hidden = replace(nas.state.datasets["tank"], name="tank/.system/cores")
    nas.change(datasets={**nas.base.datasets, hidden.name: hidden})
    nas.change_disk("sda", expires_at_ns=1)
    assert "tank/.system/cores" not in nas.truth()["datasets"]
    assert "sda" not in nas.truth()["disks"]


def test_an_alert_has_the_level_somebody_set_for_its_class() -> None:
    nas = appliance()
    nas.raise_alert(Alert("u-1", "VolumeStatus", "CRITICAL", "text", nas.now_ns()))
    assert told(nas) == ["CRITICAL"]
    classes = {"classes": {"VolumeStatus": {"level": "INFO"}, "Other": {"policy": "NEVER"}}}
    config = {**nas.base.tables.get("config", {}), "alertclasses": {"id": 1, **classes}}
    nas.change(tables={**nas.base.tables, "config": config})
    assert told(nas) == ["INFO"]


def told(nas: Appliance) -> list[str]:
    return [alert["level"] for alert in nas.truth()["alerts"] if alert["uuid"] == "u-1"]
