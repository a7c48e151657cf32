"""Self-tests of disks as ``smart.test.results`` shows them, up to 25.04 (truenas-api 3.6)."""

from typing import Any, Final

from mock_truenas.api.resources import disk as disks
from mock_truenas.appliance import draws
from mock_truenas.appliance.dialect import Dialect
from mock_truenas.appliance.model import Disk
from mock_truenas.appliance.nas import Appliance

_DAY_H: Final = 24

DURATION_NS: Final = {"SHORT": 120_000_000_000, "LONG": 36_000_000_000_000}


def rows(appliance: Appliance, dialect: Dialect) -> list[dict[str, Any]]:
    """The disks that tell of their tests; one whose data cannot be read is left out."""
    now_ns = appliance.now_ns()
    return [
        {**disks.row(disk, dialect), "disk": disk.name, **_tests(appliance, disk, now_ns)}
        for disk in appliance.state.disks.values()
        if readable(disk)
    ]


def readable(disk: Disk) -> bool:
    """Whether its self-monitoring can be read: not without a serial, behind USB, or when it is gone."""
    return bool(disk.serial) and disk.bus != "USB" and disk.type != "UNKNOWN" and disk.expires_at_ns is None


def _tests(appliance: Appliance, disk: Disk, now_ns: int) -> dict[str, Any]:
    """Two weekly tests from before, the newest first, and those started by hand."""
    age_h = draws.number(appliance.seed, "power on", disk.serial) % 40_000 + 2000
    begun = appliance.state.tables.get("smart.test.started", {}).get(disk.name, {}).get("tests", ())
    done: list[tuple[str, int, bool]] = [("SHORT", age_h - 7 * _DAY_H, True), ("LONG", age_h - 14 * _DAY_H, True)]
    current = None
    for test in begun:
        kind, at_ns = test["type"], test["at_ns"]
        passed = (now_ns - at_ns) / DURATION_NS[kind]
        if passed < 1:
            current = {"progress": max(0, round(100 * passed))}
        done.insert(0, (kind, age_h, passed >= 1))
    tests = [_shown(disk, number, *test) for number, test in enumerate(done, start=1)]
    return {"tests": tests, "current_test": current}


def _shown(disk: Disk, number: int, kind: str, hours: int, finished: bool) -> dict[str, Any]:
    failed = finished and number == 1 and disk.smart_message is not None
    status = "FAILED" if failed else "SUCCESS" if finished else "RUNNING"
    nvme = disk.bus == "NVME"
    verbose = {
        "SUCCESS": "Completed without error",
        "FAILED": "Completed: read failure",
        "RUNNING": "Self-test routine in progress",
    }[status]
    shown: dict[str, Any] = {
        "num": number,
        "description": _description(disk, kind),
        "status": status,
        "status_verbose": verbose,
    }
    if nvme:
        return shown | {
            "power_on_hours": hours,
            "failing_lba": 123_456 if failed else None,
            "nsid": None,
            "seg": None,
            "sct": "0x0",
            "code": "0x00",
        }
    if disk.bus == "SCSI":
        return shown | {
            "segment_number": None,
            "lifetime": hours,
            "lba_of_first_error": "123456" if failed else None,
        }
    return shown | {
        "remaining": 0.0 if finished else 0.9,
        "lifetime": hours,
        "lba_of_first_error": "123456" if failed else None,
    }


def _description(disk: Disk, kind: str) -> str:
    if disk.bus == "NVME":
        return "Short" if kind == "SHORT" else "Extended"
    if disk.bus == "SCSI":
        return "Background short" if kind == "SHORT" else "Background long"
    return "Short offline" if kind == "SHORT" else "Extended offline"
