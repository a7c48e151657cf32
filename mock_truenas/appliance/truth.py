"""Ground truth of an appliance as plain JSON, for those who judge what others read. Holds no secrets."""

from collections.abc import Mapping
from typing import Any

from mock_truenas.appliance.model import Alert, Dataset, Disk, Pool, State
from mock_truenas.appliance.releases import Release


def truth_of(state: State, release: Release) -> dict[str, Any]:
    """System, pools, datasets, disks and snapshots by name, alerts."""
    return {
        "system": {
            "hostname": state.host.hostname,
            "version": release.info_version,
            "serial": state.host.serial,
            "booted_at_ns": state.host.booted_at_ns,
            "state": state.host.state,
        },
        "pools": {name: _pool_truth(pool) for name, pool in state.pools.items()},
        "datasets": {name: _dataset_truth(dataset) for name, dataset in state.datasets.items()},
        "disks": {name: _disk_truth(disk) for name, disk in state.disks.items()},
        "alerts": [_alert_truth(alert) for alert in state.alerts.values()],
    }


def _pool_truth(pool: Pool) -> dict[str, Any]:
    exported = pool.status == "OFFLINE"
    return {
        "id": pool.id,
        "guid": pool.guid,
        "status": pool.status,
        "size": None if exported else pool.size,
        "allocated": None if exported else pool.allocated,
        "free": None if exported else pool.size - pool.allocated,
    }


def _dataset_truth(dataset: Dataset) -> dict[str, Any]:
    return {
        "type": dataset.type,
        "pool": dataset.pool,
        "used": dataset.used,
        "available": dataset.available,
        "readonly": dataset.readonly,
        "encrypted": dataset.encrypted,
        "locked": dataset.locked,
    }


def _disk_truth(disk: Disk) -> dict[str, Any]:
    return {
        "serial": disk.serial,
        "model": disk.model,
        "type": disk.type,
        "size": disk.size,
        "pool": disk.pool,
    }


def _alert_truth(alert: Alert) -> Mapping[str, Any]:
    return {"uuid": alert.uuid, "klass": alert.klass, "level": alert.level, "dismissed": alert.dismissed}
