"""Contract A4: from a snapshot to records, row by row."""

from dataclasses import replace
from typing import Any

import pytest

from pulse_sim.stack.annotations import severity
from pulse_sim.stack.provider import Provider, dataset_status
from pulse_sim.stack.resources import Record, canonical_id
from pulse_sim.stack.snapshot import Alert, Dataset, Disk, Pool, Scan, Snapshot, System

SYSTEM = System("nas", "24.10.2", "model", "S1", 4, 2**34, 0.5, 100.0)
POOL = Pool("tank", "ONLINE", True, 100, 25, 75, Scan("SCRUB", "FINISHED", 100.0, 0), 1, 2, 3, {"sda": "ONLINE"})
DATASET = Dataset("tank/a", "tank", "FILESYSTEM", 1, 3, None, "/mnt/tank/a", False, False)
DISK = Disk("sda", "SER1", "WD", 1000, "HDD", "ATA", None)
SNAPSHOT = Snapshot(SYSTEM, (POOL,), (DATASET,), (DISK,), ())


def records(snapshot: Snapshot = SNAPSHOT, connection_id: str = "nas-1") -> dict[str, Record]:
    return {record.source_id: record for record in Provider(connection_id).records(snapshot)}


def test_types_source_ids_and_parents() -> None:
    found = records()
    ids = {source_id: record.resource_id for source_id, record in found.items()}
    assert {source_id: (record.type, record.parent_id) for source_id, record in found.items()} == {
        "system:nas-1": ("host", None),
        "system:nas-1/pool:tank": ("storage", ids["system:nas-1"]),
        "system:nas-1/dataset:tank/a": ("storage", ids["system:nas-1/pool:tank"]),
        "system:nas-1/disk:sda": ("physical_disk", ids["system:nas-1/pool:tank"]),
    }


def test_a_disk_outside_pools_and_a_dataset_of_an_unlisted_pool_hang_below_the_system() -> None:
    found = records(replace(SNAPSHOT, pools=()))
    system = found["system:nas-1"].resource_id
    assert found["system:nas-1/disk:sda"].parent_id == found["system:nas-1/dataset:tank/a"].parent_id == system


def test_canonical_ids_are_type_and_sixteen_digits_of_the_source_id_or_the_serial() -> None:
    # sha256("truenas:system:nas-1") begins b3bbae03835dbdf3
    found = records()
    assert found["system:nas-1"].resource_id == "host-b3bbae03835dbdf3"
    assert found["system:nas-1/disk:sda"].resource_id == canonical_id(
        found["system:nas-1/disk:sda"].type, "machine:SER1"
    )


def test_pools_of_the_same_name_on_two_appliances_never_merge() -> None:
    one, other = records(), records(connection_id="nas-2")
    assert one["system:nas-1/pool:tank"].resource_id != other["system:nas-2/pool:tank"].resource_id


@pytest.mark.parametrize(
    ("serials", "believed"),
    [
        (("A", "B"), (True, True)),
        (("A", "A"), (False, False)),
        (("", "B"), (False, True)),
        ((None, "B"), (False, True)),
        (("Not Specified", "none"), (False, False)),
        (("None", "UNKNOWN"), (False, False)),
    ],
)
def test_only_believable_serials_name_a_disk(serials: tuple[Any, Any], believed: tuple[bool, bool]) -> None:
    disks = tuple(Disk(f"sd{at}", serial, None, None, None, None, None) for at, serial in enumerate(serials))
    found = records(replace(SNAPSHOT, disks=disks))
    for at, (serial, by_serial) in enumerate(zip(serials, believed, strict=True)):
        record = found[f"system:nas-1/disk:sd{at}"]
        key = f"machine:{serial}" if by_serial else f"truenas:system:nas-1/disk:sd{at}"
        assert record.resource_id == canonical_id(record.type, key)


@pytest.mark.parametrize(
    ("status", "pool", "disk"),
    [
        ("ONLINE", "online", "online"), ("DEGRADED", "warning", "warning"), ("FAULTED", "offline", "offline"),
        ("OFFLINE", "offline", "offline"), ("REMOVED", "offline", "offline"), ("UNAVAIL", "offline", "offline"),
        ("SUSPENDED", "offline", "unknown"), ("AVAIL", "unknown", "unknown"), ("", "unknown", "unknown"),
    ],
)  # fmt: skip
def test_statuses_of_pool_and_disk(status: str, pool: str, disk: str) -> None:
    found = records(replace(SNAPSHOT, pools=(replace(POOL, status=status, members={"sda": status}),)))
    assert (found["system:nas-1/pool:tank"].status, found["system:nas-1/disk:sda"].status) == (pool, disk)


@pytest.mark.parametrize(
    ("changes", "status", "state"),
    [
        ({}, "online", "mounted"),
        ({"locked": True}, "offline", "locked"),
        ({"mountpoint": None}, "offline", "unmounted"),
        ({"readonly": True}, "warning", "readonly"),
        ({"kind": "VOLUME", "mountpoint": None}, "online", "mounted"),
        ({"kind": "VOLUME", "mountpoint": None, "locked": True}, "offline", "locked"),
        ({"mountpoint": None, "readonly": True}, "offline", "unmounted"),
    ],
)
def test_statuses_of_datasets(changes: dict[str, Any], status: str, state: str) -> None:
    dataset = replace(DATASET, **changes)
    assert dataset_status(dataset) == (status, state)
    assert records(replace(SNAPSHOT, datasets=(dataset,)))["system:nas-1/dataset:tank/a"].tags == (
        "truenas", "dataset", "zfs", f"state:{state}",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("pools", "status"),
    [(("ONLINE",), "online"), (("ONLINE", "DEGRADED"), "warning"), (("FAULTED",), "warning"), (("?",), "online"),
     ((), "online")],
)  # fmt: skip
def test_the_system_warns_when_a_pool_is_in_trouble(pools: tuple[str, ...], status: str) -> None:
    made = tuple(replace(POOL, name=f"p{at}", status=each) for at, each in enumerate(pools))
    assert records(replace(SNAPSHOT, pools=made))["system:nas-1"].status == status


def test_tags_and_metadata() -> None:
    found = records()
    assert found["system:nas-1"].tags == ("truenas", "24.10.2", "zfs")
    assert found["system:nas-1/pool:tank"].tags == (
        "truenas", "pool", "zfs", "health:online", "scan:scrub:finished", "errors:1/2/3",
    )  # fmt: skip
    assert found["system:nas-1/disk:sda"].tags == ("truenas", "disk", "ata")
    pool = found["system:nas-1/pool:tank"]
    assert pool.metrics["disk"] == {"totalBytes": 100, "usedBytes": 25, "freeBytes": 75, "usedPercent": 25.0}
    assert pool.details["scan"] == {"function": "SCRUB", "state": "FINISHED", "percentage": 100.0, "errors": 0}
    assert found["system:nas-1/disk:sda"].identity == {"serial": "SER1", "model": "WD"}


@pytest.mark.parametrize(
    ("level", "expected"),
    [("CRITICAL", "critical"), ("ALERT", "critical"), ("EMERGENCY", "critical"), ("ERROR", "critical"),
     ("WARNING", "warning"), ("INFO", "info"), ("NOTICE", "info"), ("PURPLE", "warning"), ("", "warning")],
)  # fmt: skip
def test_severities(level: str, expected: str) -> None:
    assert severity(level) == expected


@pytest.mark.parametrize(
    ("text", "subjects", "pool", "disk"),
    [
        ("Pool tank is DEGRADED.", (), True, False),
        ("Pool tank2 is DEGRADED", (), False, False),
        ("Disk /dev/sda: bad", (), False, True),
        ("hot", ("sda",), False, True),
        ("hot", ("/dev/sda", "tank"), True, True),
        ("update available", (), False, False),
    ],
)
def test_an_alert_goes_to_the_system_and_to_what_it_names(
    text: str, subjects: tuple[str, ...], pool: bool, disk: bool
) -> None:
    alert = Alert("id", "K", "CRITICAL", text, 1_769_421_342_000_000_000, subjects)
    found = records(replace(SNAPSHOT, alerts=(alert,)))
    note = {"id": "id", "severity": "critical", "class": "K", "message": text, "raisedAt": "2026-01-26T09:55:42.000Z"}
    assert found["system:nas-1"].alerts == (note,)
    assert bool(found["system:nas-1/pool:tank"].alerts) is pool
    assert bool(found["system:nas-1/disk:sda"].alerts) is disk


@pytest.mark.parametrize(
    ("readings", "verdicts"),
    [("p0", "10"), ("p00", "101"), ("p0p", "101"), ("p0p0", "1010"), ("00", "11"), ("pp", "11"), ("p0000", "10111")],
)
def test_a_suddenly_empty_snapshot_is_believed_at_the_second_time(readings: str, verdicts: str) -> None:
    provider, known, found = Provider("nas-1"), 0, ""
    for reading in readings:
        snapshot = SNAPSHOT if reading == "p" else replace(SNAPSHOT, pools=(), datasets=())
        believed = provider.is_believable(snapshot, known)
        found += "1" if believed else "0"
        known = len(snapshot.pools) if believed else known
    assert found == verdicts


def test_what_did_not_change_is_the_same_record_again() -> None:
    provider = Provider("nas-1")
    first = provider.records(SNAPSHOT)
    second = provider.records(replace(SNAPSHOT, system=replace(SYSTEM, uptime_s=160.0), pools=(replace(POOL),)))
    assert [a is b for a, b in zip(first, second, strict=True)] == [False, True, True, True]


def test_the_metadata_of_every_type_is_complete() -> None:
    disk = replace(DISK, temperature=35)
    found = records(replace(SNAPSHOT, disks=(disk,), unreadable=("pool.0.size",)))
    assert found["system:nas-1"].identity == {"hostname": "nas", "serial": "S1", "model": "model"}
    assert found["system:nas-1"].metrics == {"uptimeSeconds": 100.0, "load1": 0.5}
    assert found["system:nas-1"].details == {
        "version": "24.10.2", "cores": 4, "memoryBytes": 2**34, "unreadableFields": ["pool.0.size"],
    }  # fmt: skip
    assert found["system:nas-1/pool:tank"].details == {
        "kind": "pool", "health": "ONLINE", "healthy": True, "readErrors": 1, "writeErrors": 2, "checksumErrors": 3,
        "scan": {"function": "SCRUB", "state": "FINISHED", "percentage": 100.0, "errors": 0},
    }  # fmt: skip
    assert found["system:nas-1/dataset:tank/a"].metrics == {
        "disk": {"totalBytes": 4, "usedBytes": 1, "freeBytes": 3, "usedPercent": 25.0}
    }
    assert found["system:nas-1/dataset:tank/a"].details == {
        "kind": "dataset", "pool": "tank", "mountpoint": "/mnt/tank/a", "locked": False, "readonly": False,
        "quotaBytes": None,
    }  # fmt: skip
    assert found["system:nas-1/disk:sda"].metrics == {"sizeBytes": 1000, "temperatureCelsius": 35}
    assert found["system:nas-1/disk:sda"].details == {
        "pool": "tank", "kind": "HDD", "bus": "ATA", "vdevStatus": "ONLINE", "temperatureCelsius": 35,
    }  # fmt: skip


def test_what_an_appliance_does_not_tell_is_unknown_and_never_a_failure() -> None:
    bare = Snapshot(
        System(None, "", None, None, None, None, None, None),
        (Pool("tank", None, None, None, None, None, Scan(None, None, None, None), 0, 0, 0, {}),),
        (Dataset("tank", "tank", "FILESYSTEM", None, None, None, None, False, False),),
        (Disk("sda", None, None, None, None, None, None),),
        (),
    )
    found = records(bare)
    assert found["system:nas-1"].name == "system:nas-1"
    assert found["system:nas-1/pool:tank"].status == "unknown"
    assert found["system:nas-1/pool:tank"].tags == (
        "truenas", "pool", "zfs", "health:unknown", "scan:none:none", "errors:0/0/0",
    )  # fmt: skip
    assert found["system:nas-1/pool:tank"].metrics["disk"]["usedPercent"] is None
    assert found["system:nas-1/disk:sda"].tags == ("truenas", "disk", "unknown")
    assert found["system:nas-1/disk:sda"].parent_id == found["system:nas-1"].resource_id


@pytest.mark.parametrize(
    ("size", "used", "share"), [(100, 25, 25.0), (0, 0, None), (None, 1, None), (100, None, None), (3, 1, 33.33)]
)
def test_the_share_in_use(size: int | None, used: int | None, share: float | None) -> None:
    found = records(replace(SNAPSHOT, pools=(replace(POOL, size=size, allocated=used),)))
    assert found["system:nas-1/pool:tank"].metrics["disk"]["usedPercent"] == share
