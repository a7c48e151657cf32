"""Pools with their topology, as ``pool.query`` and ``boot.get_state`` show them (truenas-api 3.2, 4)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from mock_truenas.api.resources import disk as disks
from mock_truenas.api.resources.moment import Moment, date
from mock_truenas.appliance.alert_findings import WARNING_CODES
from mock_truenas.appliance.dialect import Dialect
from mock_truenas.appliance.health import detail_of
from mock_truenas.appliance.model import Pool, Scan, Vdev
from mock_truenas.appliance.nas import Appliance

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
    """``GET /pool`` before filters; ``extra.is_upgraded`` tells of each whether it has all feature flags."""
    spoken = dialect or appliance.release.dialect
    shown = [row(appliance, pool, moment, spoken) for pool in appliance.state.pools.values()]
    if extra.get("is_upgraded") is True:
        for pool in shown:
            pool["is_upgraded"] = is_upgraded(appliance.state.pools[pool["name"]])
    return shown


def boot_state(appliance: Appliance, moment: Moment, dialect: Dialect | None = None) -> dict[str, Any]:
    """``GET /boot/get_state``: a pool without id and guid."""
    shown = row(appliance, appliance.state.boot_pool, moment, dialect or appliance.release.dialect)
    del shown["id"], shown["guid"]
    return {**shown, "path": "/"}


def row(appliance: Appliance, pool: Pool, moment: Moment, dialect: Dialect) -> dict[str, Any]:
    """One pool; an exported one (OFFLINE) has neither numbers nor topology."""
    exported = pool.status == "OFFLINE"
    now_ns = appliance.now_ns() if moment.now_ns is None else moment.now_ns
    suspended = pool.status == "SUSPENDED" and not dialect.has("pool_status_suspended")
    code = None if exported else pool.status_code
    shown = {
        "id": pool.id,
        "name": pool.name,
        "guid": pool.guid,
        "path": f"/mnt/{pool.name}",
        "status": "UNAVAIL" if suspended else pool.status,
        "scan": None if exported else scan_row(appliance, pool.scan, now_ns),
        "expand": None,
        "healthy": code == "OK" or code in WARNING_CODES,
        "warning": code in WARNING_CODES,
        "status_code": code,
        "status_detail": None if code is None else detail_of(pool),
        **_numbers(pool, exported=exported),
        "autotrim": {"value": "off", "rawvalue": "off", "parsed": "off", "source": "DEFAULT"},
        "dedup_table_size": None if exported else 0,
        "dedup_table_quota": None if exported else "auto",
        "is_upgraded": False,
        "all_sed": None if exported else False,
        "topology": None if exported else _topology(appliance, pool, moment, dialect),
    }
    return dialect.shaped("pool", shown)


def is_upgraded(pool: Pool) -> bool:
    """Whether a pool has all feature flags."""
    return pool.status_code not in ("FEAT_DISABLED", "VERSION_OLDER")


def scans_end_ns(appliance: Appliance) -> int:
    """When the last scan ends or ended; from then on pools move only as templates do."""
    pools = (*appliance.state.pools.values(), appliance.state.boot_pool)
    ends = (pool.scan.ends_at_ns for pool in pools if pool.scan is not None)
    return max((end for end in ends if end is not None), default=0)


def with_scan(pool: Pool, scan: Scan) -> Pool:
    """The pool with another scan."""
    return replace(pool, scan=scan)


def vdevs(pool: Pool) -> Iterator[Vdev]:
    """Every vdev of a pool, interior ones too."""
    waiting = [vdev for group in vars(pool.topology).values() for vdev in group]
    while waiting:
        vdev = waiting.pop()
        yield vdev
        waiting += vdev.children


def _numbers(pool: Pool, *, exported: bool) -> dict[str, Any]:
    numbers = {"size": pool.size, "allocated": pool.allocated, "free": pool.size - pool.allocated, "freeing": 0}
    known: dict[str, int | None] = dict.fromkeys(numbers) if exported else dict(numbers)
    texts = {f"{name}_str": None if number is None else str(number) for name, number in known.items()}
    return {**known, "fragmentation": None if exported else str(pool.fragmentation), **texts}


def scan_row(appliance: Appliance, scan: Scan | None, now_ns: int) -> dict[str, Any]:
    """A scrub or resilver as it stands at an instant; a pool that never had one has an object of nulls."""
    if scan is None:
        return dict.fromkeys(_SCAN_KEYS)
    progress = appliance.progress(scan, now_ns)
    done = round(scan.total * progress.fraction)
    running = not progress.finished
    cancelled = scan.cancelled_at_ns is not None
    return {
        "function": scan.function,
        "state": "CANCELED" if cancelled else "SCANNING" if running else "FINISHED",
        "start_time": date(scan.started_at_ns),
        "end_time": None if running or scan.ends_at_ns is None else date(scan.ends_at_ns),
        "percentage": 100.0 * progress.fraction,
        # Upstream swaps the two: bytes_to_process is what has been scanned (truenas-api 3.2).
        "bytes_to_process": done,
        "bytes_processed": scan.total,
        "bytes_issued": done,
        "pause": date(scan.paused_at_ns) if running and scan.paused_at_ns is not None else None,
        "errors": scan.errors,
        "total_secs_left": progress.left_s if running else None,
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
    leaf = vdev.path is not None
    shown = {
        # What cannot be opened has no name left but its guid (truenas-api, Appendix A).
        "name": vdev.guid if leaf and vdev.status == "UNAVAIL" else vdev.name,
        "type": vdev.type,
        "path": vdev.path,
        "guid": vdev.guid,
        "status": vdev.status,
        # The numbers of a leaf below a mirror or raidz belong to its parent.
        "stats": _stats(vdev, moment, used, fragmentation),
        "children": [_vdev(appliance, child, moment, used, fragmentation, dialect) for child in vdev.children],
        "unavail_disk": _missing_disk(appliance, vdev, dialect),
    }
    if leaf:
        present = vdev.status in ("ONLINE", "AVAIL", "INUSE", "DEGRADED")
        shown |= {"device": vdev.device if present else None, "disk": vdev.disk if present else None}
    return shown


def _stats(vdev: Vdev, moment: Moment, used: float, fragmentation: int) -> dict[str, Any]:
    allocated = round(vdev.size * used) if vdev.status != "AVAIL" else 0
    operations = allocated >> 16
    stats = {
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
    return stats | _draid(vdev) if vdev.type == "DRAID" else stats


def _draid(vdev: Vdev) -> dict[str, int]:
    """From its name, as in ``draid2:8d:24c:1s-0``: parity, data disks of a group, children, spares."""
    match = re.match(r"draid(\d)(?::(\d+)d)?(?::(\d+)c)?(?::(\d+)s)?", vdev.name)
    parity, data, _, spares = (int(part or 0) for part in match.groups()) if match else (1, 0, 0, 0)
    return {"draid_spare_disks": spares, "draid_data_disks": data, "draid_parity": parity or 1}


def _missing_disk(appliance: Appliance, vdev: Vdev, dialect: Dialect) -> dict[str, Any] | None:
    if vdev.status in ("ONLINE", "AVAIL", "INUSE"):
        return None
    return disks.missing(appliance, vdev, dialect)
