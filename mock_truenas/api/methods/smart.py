"""``smart.*``: settings, tests and their results; gone with 25.10 (truenas-api 3.6)."""

from typing import Any, Final, Literal

from mock_truenas.api.errors import Problem, ValidationErrors
from mock_truenas.api.methods.checking import Given
from mock_truenas.api.methods.method import Access, Call, Method, Param
from mock_truenas.api.methods.tables import Extras, Table, Writing, config, crud, fields_of
from mock_truenas.api.resources import smart

_ROLES: Final = frozenset({"DISK_WRITE"})
_SCHEDULE: Final = {"hour": "00", "dom": "*", "month": "*", "dow": "7"}
_TASKS: Final = Table(
    "smart.test",
    "SMART Test",
    {"id": 1, "schedule": _SCHEDULE, "desc": "", "all_disks": False, "disks": [], "type": "SHORT"},
)
_SETTINGS: Final[dict[str, Any]] = {
    "id": 1,
    "interval": 30,
    "powermode": "NEVER",
    "difference": 0,
    "informational": 0,
    "critical": 0,
}


class ManualTest(Given):
    """A test to start; ``mode`` counts for SCSI disks only."""

    identifier: str
    mode: Literal["FOREGROUND", "BACKGROUND"] = "BACKGROUND"
    type: Literal["LONG", "SHORT", "CONVEYANCE", "OFFLINE"]


def _check(call: Call, given: Any, _key: Any) -> list[Problem]:
    known = {disk.identifier for disk in call.appliance.state.disks.values()}
    return [("disks", f"Disk {name} not found", 22) for name in given.get("disks", ()) if name not in known]


def _manual(call: Call) -> list[dict[str, Any]]:
    """Starts tests now; each row says when its test will be over, or what was wrong."""
    appliance = call.appliance
    by_identifier = {disk.identifier: disk for disk in appliance.state.disks.values()}
    if not call.arguments["disks"]:
        raise ValidationErrors.one("disks", "At least one disk must be selected")
    shown: list[dict[str, Any]] = []
    for test in call.arguments["disks"]:
        disk = by_identifier.get(test.identifier)
        row: dict[str, Any] = {"disk": None if disk is None else disk.name, "identifier": test.identifier}
        if disk is None or not smart.readable(disk) or test.type in ("CONVEYANCE", "OFFLINE"):
            shown.append({**row, "error": "Disk not found" if disk is None else "Test is not supported"})
            continue
        now_ns = appliance.now_ns()
        kept = appliance.state.tables.get("smart.test.started", {}).get(disk.name)
        begun = [{"type": test.type, "at_ns": now_ns}]
        if kept is None:
            appliance.insert_row("smart.test.started", {"tests": begun}, key=disk.name)
        else:
            appliance.change_row("smart.test.started", disk.name, tests=[*kept["tests"], *begun])
        ends_ms = (now_ns + smart.DURATION_NS[test.type]) // 1_000_000_000 * 1000
        shown.append({**row, "error": None, "expected_result_time": {"$date": ends_ms}, "job": None})
    return shown


METHODS: Final = (
    Method(
        "smart.test.results",
        "Results of self-tests",
        lambda call: smart.rows(call.appliance, call.dialect),
        filterable=True,
    ),
    Method(
        "smart.test.manual_test",
        "Start self-tests now",
        _manual,
        (Param("disks", list[ManualTest]),),
        access=Access.WRITE,
        roles=_ROLES,
    ),
    Method(
        "smart.test.disk_choices",
        "Disks that can be tested",
        lambda call: {disk.identifier: disk.name for disk in call.appliance.state.disks.values()},
        (Param("full_disk", bool, default=False),),
    ),
    *crud(
        _TASKS,
        Writing(
            "smart_task",
            {**fields_of(_TASKS.blank), "disks": list[str], "type": Literal["LONG", "SHORT", "CONVEYANCE", "OFFLINE"]},
            frozenset({"type"}),
            check=_check,
        ),
        extras=Extras(roles=_ROLES),
    ),
    *config("smart", _SETTINGS),
)
