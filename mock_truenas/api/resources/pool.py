"""Pools with their topology, as ``pool.query`` and ``boot.get_state`` show them (truenas-api 3.2, 4)."""

from collections.abc import Mapping
from typing import Any, Final

from mock_truenas.api.resources import disk as disks
from mock_truenas.api.resources.moment import Moment, date
from mock_truenas.appliance.dialect import Dialect
from mock_truenas.appliance.model import Pool, Scan, Vdev
from mock_truenas.appliance.nas import Appliance

_WARNINGS: Final = frozenset({"RESILVERING", "VERSION_OLDER", "FEAT_DISABLED", "NON_NATIVE_ASHIFT"})
_SCAN_KEYS: Final = (
    "function",
    "state",
    "start_time",
    "end_time",
    "percentage",
    "bytes_to_process",
    "bytes_processed",
    "bytes_issued",
    "pause",
    "errors",
    "total_secs_left",
)


def rows(
    appliance: Appliance, moment: Moment, extra: Mapping[str, Any], dialect: Dialect | None = None
) -> list[dict[str, Any]]:
    """``GET /pool`` before filters."""
    shown = [row(appliance, pool, moment, dialect) for pool in appliance.state.pools.values()]
    if extra.get("is_upgraded") is True:
        for pool in shown:
            pool["is_upgraded"] = True
    return shown


def boot_state(appliance: Appliance, moment: Moment, dialect: Dialect | None = None) -> dict[str, Any]:
    """``GET /boot/get_state``: a pool without id and guid."""
    shown = row(appliance, appliance.state.boot_pool, moment, dialect)
    del shown["id"], shown["guid"]
    return {**shown, "path": "/"}


def row(appliance: Appliance, pool: Pool, moment: Moment, dialect: Dialect | None = None) -> dict[str, Any]:
    """One pool; an exported one (OFFLINE) has neither numbers nor topology."""
    dialect = dialect or appliance.release.dialect
    exported = pool.status == "OFFLINE"
    now_ns = appliance.now_ns() if moment.now_ns is None else moment.now_ns
    shown = {
        "id": pool.id,
        "name": pool.name,
        "guid": pool.guid,
        "path": f"/mnt/{pool.name}",
        "status": pool.status,
        "scan": None if exported else _scan(appliance, pool.scan, now_ns),
        "expand": None,
        "healthy": not exported and (pool.status_code == "OK" or pool.status_code in _WARNINGS),
        "warning": pool.status_code in _WARNINGS,
        "status_code": pool.status_code,
        "status_detail": pool.status_detail,
        **_numbers(pool, exported=exported),
        "autotrim": {"value": "off", "rawvalue": "off", "parsed": "off", "source": "DEFAULT"},
        "dedup_table_size": 0,
        "dedup_table_quota": "auto",
        "all_sed": False,
        "topology": None if exported else _topology(appliance, pool, moment, dialect),
    }
    return dialect.shaped("pool", shown)


def scans_end_ns(appliance: Appliance) -> int:
    """When the last scan ends or ended; from then on pools move only as templates do."""
    pools = (*appliance.state.pools.values(), appliance.state.boot_pool)
    return max((pool.scan.started_at_ns + pool.scan.takes_ns for pool in pools if pool.scan is not None), default=0)


def _numbers(pool: Pool, *, exported: bool) -> dict[str, Any]:
    numbers = {"size": pool.size, "allocated": pool.allocated, "free": pool.size - pool.allocated, "freeing": 0}
    known: dict[str, int | None] = dict.fromkeys(numbers) if exported else dict(numbers)
    texts = {f"{name}_str": None if number is None else str(number) for name, number in known.items()}
    return {**known, "fragmentation": None if exported else str(pool.fragmentation), **texts}


def _scan(appliance: Appliance, scan: Scan | None, now_ns: int) -> dict[str, Any]:
    if scan is None:
        return dict.fromkeys(_SCAN_KEYS)
    progress = appliance.progress(scan, now_ns)
    done = round(scan.total * progress.fraction)
    return {
        "function": scan.function,
        "state": "FINISHED" if progress.finished else "SCANNING",
        "start_time": date(scan.started_at_ns),
        "end_time": date(scan.started_at_ns + scan.takes_ns) if progress.finished else None,
        "percentage": 100.0 * progress.fraction,
        # Upstream swaps the two: bytes_to_process is what has been scanned (truenas-api 3.2).
        "bytes_to_process": done,
        "bytes_processed": scan.total,
        "bytes_issued": done,
        "pause": None,
        "errors": scan.errors,
        "total_secs_left": None if progress.finished else progress.left_s,
    }


def _topology(appliance: Appliance, pool: Pool, moment: Moment, dialect: Dialect) -> dict[str, Any]:
    used = pool.allocated / pool.size if pool.size else 0.0
    return {
        purpose: [_vdev(appliance, vdev, moment, used, pool.fragmentation, dialect) for vdev in vdevs]
        for purpose, vdevs in vars(pool.topology).items()
    }


def _vdev(
    appliance: Appliance, vdev: Vdev, moment: Moment, used: float, fragmentation: int, dialect: Dialect
) -> dict[str, Any]:
    leaf = vdev.type == "DISK"
    shown = {
        "name": vdev.name,
        "type": vdev.type,
        "path": vdev.path,
        "guid": vdev.guid,
        "status": vdev.status,
        # The numbers of a leaf below a mirror or raidz belong to its parent.
        "stats": _stats(vdev, moment, used, fragmentation),
        "children": [_vdev(appliance, child, moment, used, fragmentation, dialect) for child in vdev.children],
        "unavail_disk": _missing_disk(appliance, vdev, dialect) if leaf else None,
    }
    if leaf:
        present = vdev.status in ("ONLINE", "AVAIL", "INUSE", "DEGRADED")
        shown |= {"device": vdev.device if present else None, "disk": vdev.disk if present else None}
    return shown


def _stats(vdev: Vdev, moment: Moment, used: float, fragmentation: int) -> dict[str, Any]:
    allocated = round(vdev.size * used) if vdev.status != "AVAIL" else 0
    operations = allocated >> 16
    return {
        "timestamp": moment.hrtime,
        "read_errors": vdev.read_errors,
        "write_errors": vdev.write_errors,
        "checksum_errors": vdev.checksum_errors,
        "ops": [0, operations, operations // 3, 0, 0, 0, 0],
        "bytes": [0, operations << 15, operations << 14, 0, 0, 0, 0],
        "size": vdev.size,
        "allocated": allocated,
        "fragmentation": fragmentation,
        "self_healed": 0,
        "configured_ashift": 12,
        "logical_ashift": 9,
        "physical_ashift": 12,
    }


def _missing_disk(appliance: Appliance, vdev: Vdev, dialect: Dialect) -> dict[str, Any] | None:
    if vdev.status in ("ONLINE", "AVAIL", "INUSE"):
        return None
    for disk in appliance.state.disks.values():
        if disk.zfs_guid == vdev.guid:
            return disks.row(disk, dialect)
    return None
