"""What must be shown of an appliance, field by field, and how a sample is read to be compared with it."""

from typing import Any

import pytest

from pulse_sim.checks.likeness import alerts_of, is_like, likeness, printable, shown_fields, when_stale
from pulse_sim.observation import Truth
from tests.checks.log_builder import LogBuilder


def truth(**parts: Any) -> Truth:
    (only,) = LogBuilder().truth(0, **parts).log("1m").truths("nas-1")
    return only


SYSTEM = {"type": "host", "name": "nas-1", "hostname": "nas-1", "serial": "SYS-1", "model": "Mini"}


def test_everything_an_appliance_has_is_to_be_shown_with_every_field_of_it() -> None:
    scan = {"function": "SCRUB", "state": "FINISHED", "errors": 4}
    volume = {"type": "VOLUME", "mountpoint": None, "used": 7, "available": 8, "pool": "tank"}
    whole = truth(
        pools={"tank": {"status": "DEGRADED", "healthy": False, "errors": [1, 2, 3], "scan": scan}},
        datasets={"tank/a": {"readonly": True}, "tank/v": volume, "far/b": {"pool": "far", "locked": True}},
        disks={
            "sda": {"status": "FAULTED", "bus": "NVME", "type": "SSD"},
            "sdb": {"status": None, "temperature": None},
        },
    )
    assert likeness(whole) == {
        "": {**SYSTEM, "status": "warning", "version": "TrueNAS-SCALE-24.10.2.4"},
        "/pool:tank": {
            "type": "storage",
            "kind": "pool",
            "name": "tank",
            "status": "warning",
            "parent": "",
            "health": "DEGRADED",
            "healthy": False,
            "totalBytes": 1000,
            "usedBytes": 400,
            "freeBytes": 600,
            "readErrors": 1,
            "writeErrors": 2,
            "checksumErrors": 3,
            "scan.function": "SCRUB",
            "scan.state": "FINISHED",
            "scan.errors": 4,
        },
        "/dataset:tank/a": {
            "type": "storage",
            "kind": "dataset",
            "name": "tank/a",
            "status": "warning",
            "parent": "/pool:tank",
            "pool": "tank",
            "usedBytes": 300,
            "freeBytes": 500,
            "locked": False,
            "readonly": True,
            "mountpoint": "/mnt/tank",
        },
        "/dataset:tank/v": {
            "type": "storage",
            "kind": "volume",
            "name": "tank/v",
            "status": "online",
            "parent": "/pool:tank",
            "pool": "tank",
            "usedBytes": 7,
            "freeBytes": 8,
            "locked": False,
            "readonly": False,
            "mountpoint": None,
        },
        "/dataset:far/b": {
            "type": "storage",
            "kind": "dataset",
            "name": "far/b",
            "status": "offline",
            "parent": "",
            "pool": "far",
            "usedBytes": 300,
            "freeBytes": 500,
            "locked": True,
            "readonly": False,
            "mountpoint": "/mnt/tank",
        },
        "/disk:sda": {
            "type": "physical_disk",
            "kind": "SSD",
            "name": "sda",
            "status": "offline",
            "parent": "/pool:tank",
            "pool": "tank",
            "vdevStatus": "FAULTED",
            "serial": "D-1",
            "model": "HD",
            "bus": "NVME",
            "sizeBytes": 1000,
            "temperatureCelsius": 30,
        },
        "/disk:sdb": {
            "type": "physical_disk",
            "kind": "HDD",
            "name": "sdb",
            "status": "unknown",
            "parent": "",
            "pool": None,
            "vdevStatus": None,
            "serial": "D-1",
            "model": "HD",
            "bus": "ATA",
            "sizeBytes": 1000,
            "temperatureCelsius": None,
        },
    }


def test_what_a_terminal_would_obey_is_to_be_shown_with_escapes_wherever_it_stands() -> None:
    odd, escaped = "a\x1bb", "a\\x1bb"
    named = {"hostname": odd, "version": odd, "serial": odd, "model": odd}
    whole = truth(
        system=named,
        pools={odd: {}},
        datasets={odd: {"pool": odd, "mountpoint": odd}},
        disks={odd: {"pool": odd, "serial": odd, "model": odd}},
    )
    told = likeness(whole)
    assert list(told) == ["", f"/pool:{escaped}", f"/dataset:{escaped}", f"/disk:{escaped}"]
    assert odd not in [value for fields in told.values() for value in fields.values()]
    assert [sum(value == escaped for value in fields.values()) for fields in told.values()] == [5, 1, 3, 4]
    assert told[f"/dataset:{escaped}"]["parent"] == told[f"/disk:{escaped}"]["parent"] == f"/pool:{escaped}"


@pytest.mark.parametrize(
    ("text", "shown"), [("tank", "tank"), ("a\nb", "a\\nb"), ("\u202e", "\\u202e"), (None, None), (3, 3), ("", "")]
)
def test_only_what_is_not_printable_is_escaped(text: Any, shown: Any) -> None:
    assert printable(text) == shown


def test_only_alerts_nobody_dismissed_are_to_be_shown() -> None:
    alerts = {"a": {"level": "INFO", "klass": "K"}, "b": {"dismissed": True}, "c": {"level": "NEW"}}
    assert alerts_of(truth(alerts=alerts)) == {"a": ("info", "K"), "c": ("warning", "VolumeStatus")}


def test_a_stale_status_is_a_warning_unless_it_was_worse() -> None:
    stale = {status: when_stale(status) for status in ("online", "warning", "unknown", "offline")}
    assert stale == {"online": "warning", "warning": "warning", "unknown": "warning", "offline": "offline"}


def test_a_resource_is_read_flat_and_only_as_far_as_it_tells() -> None:
    facts = {"disk": {"usedBytes": 1}, "scan": {"state": "X", "errors": 0}, "health": "ONLINE", "more": {"a": 1}}
    pool = {"type": "storage", "name": "tank", "status": "online", "parentId": "p", "facts": facts}
    by_id: dict[str, dict[str, Any]] = {
        "p": {"sourceId": "system:nas-1"},
        "q": {"sourceId": None},
        "None": {"sourceId": "system:nas-1/x"},
    }
    base = {"type": "storage", "name": "tank", "status": "online"}
    flat = {**base, "usedBytes": 1, "scan.state": "X", "scan.errors": 0, "health": "ONLINE", "more": {"a": 1}}
    assert shown_fields(pool, by_id, "system:nas-1") == {**flat, "parent": ""}
    disk = shown_fields(pool, {"p": {"sourceId": "system:nas-1/pool:tank"}}, "system:nas-1")
    assert disk == {**flat, "parent": "/pool:tank"}
    assert shown_fields({**pool, "parentId": "q"}, by_id, "system:nas-1") == flat
    assert shown_fields({**pool, "parentId": "z"}, by_id, "system:nas-1") == flat
    assert shown_fields({**pool, "facts": None, "parentId": "z"}, by_id, "system:nas-1") == base
    assert shown_fields({**pool, "facts": {"disk": None, "scan": "x"}}, {}, "system:nas-1") == {
        **base,
        "disk": None,
        "scan": "x",
    }


@pytest.mark.parametrize(
    ("field", "shown", "true", "like"),
    [
        ("usedBytes", 1, 1, True),
        ("usedBytes", 1, 2, False),
        ("usedBytes", 1.0, 1, False),
        ("healthy", 1, True, False),
        ("healthy", True, True, True),
        ("pool", None, None, True),
        ("temperatureCelsius", None, 30, True),
        ("temperatureCelsius", None, None, True),
        ("temperatureCelsius", 30, 30, True),
        ("temperatureCelsius", 35, 30, True),
        ("temperatureCelsius", 36, 30, False),
        ("temperatureCelsius", 29, 30, False),
        ("temperatureCelsius", 30, None, False),
        ("temperatureCelsius", True, 1, False),
        ("temperatureCelsius", 30.0, 30, False),
    ],
)
def test_a_field_is_like_the_truth_in_value_and_type(field: str, shown: Any, true: Any, like: bool) -> None:
    assert is_like(field, shown, true) is like
