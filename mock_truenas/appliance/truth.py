"""Ground truth of an appliance as plain JSON, for those who judge what others read. Holds no secrets.

Everything a reader of the API is shown of system, pools, datasets, disks and alerts, but for what moves by the clock
alone (uptime, load, the percentage of a scan, the temperature of the hour): a truth that is another one every second
would say nothing. Of a disk's temperature its usual one is told; ``nas.temperature`` says how far it strays.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, get_args

from mock_truenas.appliance.alert_findings import WARNING_CODES
from mock_truenas.appliance.model import Alert, AlertLevel, Dataset, Disk, Pool, State, Vdev
from mock_truenas.appliance.releases import Release

_SOUND: Final = frozenset({"OK", *WARNING_CODES})
_NO_SCAN: Final[Mapping[str, None]] = {"function": None, "state": None, "errors": None}


def truth_of(state: State, release: Release, now_ns: int) -> dict[str, Any]:
    """System, pools, datasets and disks by name, alerts, as they are at ``now_ns`` (truenas-api 3, 4)."""
    status = {leaf.disk: leaf.status for pool in _shown(state) for leaf in _leaves(pool)}
    levels = _levels(state)
    return {
        "system": {
            "hostname": state.host.hostname,
            "version": release.info_version,
            "serial": state.host.serial,
            "model": state.host.model,
            "booted_at_ns": state.host.booted_at_ns,
            "state": state.host.state,
        },
        "pools": {name: _pool_truth(pool, release, now_ns) for name, pool in state.pools.items()},
        "datasets": {
            name: _dataset_truth(dataset) for name, dataset in state.datasets.items() if not dataset.is_hidden
        },
        "disks": {
            name: _disk_truth(disk, status.get(name))
            for name, disk in state.disks.items()
            if disk.expires_at_ns is None
        },
        "alerts": [_alert_truth(alert, levels) for alert in state.alerts.values()],
    }


def _shown(state: State) -> Iterator[Pool]:
    """The pools whose topology is shown."""
    return (pool for pool in state.pools.values() if pool.status != "OFFLINE")


def _vdevs(pool: Pool) -> Iterator[Vdev]:
    return (vdev for purpose in vars(pool.topology).values() for vdev in purpose)


def _leaves(pool: Pool) -> Iterator[Vdev]:
    return (leaf for vdev in _vdevs(pool) for leaf in vdev.leaves())


def _pool_truth(pool: Pool, release: Release, now_ns: int) -> dict[str, Any]:
    """``errors`` are read, write and checksum errors of the top-level vdevs; an exported pool has no numbers."""
    exported = pool.status == "OFFLINE"
    vdevs = () if exported else tuple(_vdevs(pool))
    suspended = pool.status == "SUSPENDED" and not release.dialect.has("pool_status_suspended")
    return {
        "id": pool.id,
        "guid": pool.guid,
        "status": "UNAVAIL" if suspended else pool.status,
        "healthy": not exported and pool.status_code in _SOUND,
        "size": None if exported else pool.size,
        "allocated": None if exported else pool.allocated,
        "free": None if exported else pool.size - pool.allocated,
        "errors": [
            sum(vdev.read_errors for vdev in vdevs),
            sum(vdev.write_errors for vdev in vdevs),
            sum(vdev.checksum_errors for vdev in vdevs),
        ],
        "scan": dict(_NO_SCAN) if exported else _scan_truth(pool, now_ns),
    }


def _scan_truth(pool: Pool, now_ns: int) -> dict[str, Any]:
    scan = pool.scan
    if scan is None:
        return dict(_NO_SCAN)
    cancelled = scan.cancelled_at_ns is not None
    state = "CANCELED" if cancelled else "SCANNING" if scan.runs_at(now_ns) else "FINISHED"
    return {"function": scan.function, "state": state, "errors": scan.errors}


def _dataset_truth(dataset: Dataset) -> dict[str, Any]:
    return {
        "type": dataset.type,
        "pool": dataset.pool,
        "used": dataset.used,
        "available": dataset.available,
        "readonly": dataset.readonly,
        "encrypted": dataset.encrypted,
        "locked": dataset.locked,
        "mountpoint": dataset.mountpoint,
    }


def _disk_truth(disk: Disk, status: str | None) -> dict[str, Any]:
    """``status`` is that of its vdev; None for a disk of no pool that is shown."""
    return {
        "serial": disk.serial,
        "model": disk.model,
        "type": disk.type,
        "bus": disk.bus,
        "size": disk.size,
        "pool": disk.pool,
        "status": status,
        "temperature": disk.temperature,
    }


def _levels(state: State) -> Mapping[str, Any]:
    """The levels that somebody set for classes of alerts."""
    classes = state.tables.get("config", {}).get("alertclasses", {}).get("classes", {})
    chosen = {klass: setting.get("level") for klass, setting in classes.items() if isinstance(setting, Mapping)}
    return {klass: level for klass, level in chosen.items() if level in get_args(AlertLevel)}


def _alert_truth(alert: Alert, levels: Mapping[str, Any]) -> Mapping[str, Any]:
    level = levels.get(alert.klass, alert.level)
    return {"uuid": alert.uuid, "klass": alert.klass, "level": level, "dismissed": alert.dismissed}
