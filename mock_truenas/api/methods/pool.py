"""``pool.*``: pools, their topology, their scans and what is done to them (truenas-api 3.2)."""

import errno
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from mock_truenas.api.errors import CallError, InstanceNotFound, ValidationErrors
from mock_truenas.api.methods.checking import Given
from mock_truenas.api.methods.method import Access, Call, JobPlan, Kind, Method, Param
from mock_truenas.api.methods.tables import config, job
from mock_truenas.api.resources import pool
from mock_truenas.api.resources import pool_changes as changes
from mock_truenas.appliance.model import Pool
from mock_truenas.appliance.nas import Appliance

_RESILVER: Final[dict[str, Any]] = {
    "id": 1,
    "begin": "18:00",
    "end": "9:00",
    "enabled": True,
    "weekday": [1, 2, 3, 4, 5, 6, 7],
}
_ID: Final = Param("id", int)


class ExportOptions(Given):
    """How a pool is exported."""

    cascade: bool = False
    restart_services: bool = False
    destroy: bool = False


def pool_of(call: Call, attribute: str = "") -> Pool:
    """The pool whose id a call names. Raises InstanceNotFound."""
    number = call.arguments["id"]
    for found in call.appliance.base.pools.values():
        if found.id == number and call.appliance.seen("pools", found.name) is not None:
            return found
    raise InstanceNotFound(f"Pool {number}", attribute)


def imported(call: Call) -> Pool:
    """The same; raises CallError for one that is exported."""
    found = pool_of(call)
    if found.status == "OFFLINE":
        raise CallError(f"Pool {found.name} is not imported", errno.ENOENT)
    return found


def _rows(call: Call) -> list[dict[str, Any]]:
    return pool.rows(call.appliance, call.moment, call.extra, call.dialect)


def _scrub(call: Call) -> JobPlan:
    return scrub(call.appliance, imported(call), call.arguments["action"])


def scrub(appliance: Appliance, found: Pool, action: str) -> JobPlan:
    """Start, pause, go on with or stop a scrub. Raises CallError when a scan is in the way, or none is there."""
    now_ns = appliance.now_ns()
    running = found.scan is not None and found.scan.runs_at(now_ns)
    if action == "START":
        if running and found.scan is not None and found.scan.paused_at_ns is None:
            raise CallError("Scrub is already in progress", errno.EBUSY)
        return _started(appliance, found)
    if found.scan is None or not running:
        raise CallError("There is no active scrub", errno.ENOENT)
    if action == "PAUSE":
        appliance.change_pool(found.name, scan=changes.paused(found.scan, now_ns))
    else:
        appliance.change_pool(found.name, scan=changes.cancelled(found.scan, now_ns))
    return job(0, lambda _: None)


def _started(appliance: Appliance, found: Pool) -> JobPlan:
    now_ns = appliance.now_ns()
    scan = found.scan
    if scan is not None and scan.runs_at(now_ns) and scan.paused_at_ns is not None:
        scan = changes.resumed(scan, now_ns)
        appliance.change_pool(found.name, scan=scan)
    else:
        appliance.start_scrub(found.name, changes.scrub_takes_ns(found))
        scan = appliance.base.pools[found.name].scan
    left_ns = max(0, (scan.ends_at_ns or now_ns) - now_ns) if scan is not None else 0
    steps = ((0.0, "Scrubbing"),)
    return JobPlan(left_ns, lambda _: None, "Scrubbing", steps, abortable=True)


def _export(call: Call) -> JobPlan:
    found = imported(call)
    options: ExportOptions = call.arguments["options"]

    def result(appliance: Appliance) -> None:
        base = appliance.base
        datasets = {name: dataset for name, dataset in base.datasets.items() if dataset.pool != found.name}
        snapshots = {name: snapshot for name, snapshot in base.snapshots.items() if snapshot.pool != found.name}
        pools = {name: other for name, other in base.pools.items() if name != found.name}
        made: dict[str, Any] = {"datasets": datasets, "snapshots": snapshots, "pools": pools}
        if options.destroy:
            made["disks"] = changes.without_pool(base.disks, found.name)
        appliance.change(**made)

    return job(5, result, "Exporting pool", "Cleaning up attachments", "Exporting pool")


def _attachments(call: Call) -> list[dict[str, Any]]:
    return changes.attachments(call.appliance, f"/mnt/{pool_of(call).name}")


def _processes(call: Call) -> list[Any]:
    pool_of(call)
    return []


def _upgrade(call: Call) -> bool:
    found = imported(call)
    if not pool.is_upgraded(found):
        call.appliance.change_pool(found.name, status_code="OK", status_detail=None)
    return True


def _disks(call: Call) -> list[str]:
    if call.arguments["id"] is None:
        pools = call.appliance.state.pools.values()
        return [name for found in pools for name in changes.disk_names(found)]
    return changes.disk_names(pool_of(call))


def _validated(call: Call) -> bool:
    problem = changes.name_problem(call.arguments["pool_name"])
    if problem:
        raise ValidationErrors.one("pool_name", problem)
    return True


def _filesystems(call: Call) -> list[str]:
    types = call.arguments["types"]
    return [name for name, dataset in call.appliance.state.datasets.items() if dataset.type in types]


_ACTION: Final = Literal["START", "STOP", "PAUSE"]
_KINDS: Final = list[Literal["FILESYSTEM", "VOLUME"]]

METHODS: Final = (
    Method("pool.query", "Pools with topology", _rows, kind=Kind.QUERY, filterable=True, moving="template"),
    Method(
        "pool.scrub",
        "Start, stop or pause a scrub",
        _scrub,
        (_ID, Param("action", _ACTION, "START")),
        access=Access.WRITE,
        roles=frozenset({"POOL_WRITE", "POOL_SCRUB_WRITE"}),
        item=True,
        job=True,
    ),
    Method(
        "pool.export",
        "Export a pool, or destroy it",
        _export,
        (_ID, Param("options", ExportOptions, {})),
        access=Access.WRITE,
        roles=frozenset({"POOL_WRITE"}),
        item=True,
        job=True,
    ),
    Method("pool.attachments", "What uses a pool", _attachments, (_ID,), item=True, moving="never"),
    Method(
        "pool.processes",
        "Processes that hold files of a pool open",
        _processes,
        (_ID,),
        item=True,
        moving="never",
    ),
    Method(
        "pool.upgrade",
        "Switch on all feature flags",
        _upgrade,
        (_ID,),
        access=Access.WRITE,
        roles=frozenset({"POOL_WRITE"}),
        item=True,
    ),
    Method(
        "pool.is_upgraded",
        "Whether a pool has all feature flags",
        lambda call: pool.is_upgraded(pool_of(call)),
        (_ID,),
        item=True,
        moving="never",
    ),
    Method("pool.get_disks", "Names of the disks of a pool, or of all", _disks, (Param("id", int | None, None),)),
    Method(
        "pool.validate_name",
        "Whether a name can be a pool's",
        _validated,
        (Param("pool_name", Annotated[str, Field(max_length=1024)]),),
    ),
    Method("pool.filesystem_choices", "Names of datasets", _filesystems, (Param("types", _KINDS, ["FILESYSTEM"]),)),
    *config("pool.resilver", _RESILVER),
)
