"""From a snapshot of an appliance to the records the registry ingests (contract A4).

Pure but for a memory of its last output, so that what did not change is the same object again, and a disk keeps its id
where an answer does not tell its serial. Fetches nothing.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from pulse_sim.stack.annotations import Annotations, annotate
from pulse_sim.stack.disk_names import believable_serials, disk_ids
from pulse_sim.stack.resources import Record, ResourceType, Status, canonical_id, worst
from pulse_sim.stack.snapshot import Alert, Dataset, Disk, Pool, Snapshot

_POOL_STATUS: Final = {
    "ONLINE": Status.ONLINE,
    "DEGRADED": Status.WARNING,
    "FAULTED": Status.OFFLINE,
    "OFFLINE": Status.OFFLINE,
    "REMOVED": Status.OFFLINE,
    "UNAVAIL": Status.OFFLINE,
    "SUSPENDED": Status.OFFLINE,
}
_DISK_STATUS: Final = {name: status for name, status in _POOL_STATUS.items() if name != "SUSPENDED"}


class Provider:
    """Maps the snapshots of one connection. One instance per connection, because it remembers.

    `known` are the records of before a restart by source id: disks are called as they were.
    """

    def __init__(self, connection_id: str, known: Mapping[str, Record] = MappingProxyType({})) -> None:
        self.system_id = f"system:{connection_id}"
        self._resource_of_system = canonical_id(ResourceType.HOST, f"truenas:{self.system_id}")
        self._memory: dict[str, tuple[tuple[Any, ...], tuple[Record, ...]]] = {}
        self._suspects_emptiness = False
        self._disk_ids = {
            source_id: record.resource_id
            for source_id, record in known.items()
            if record.type is ResourceType.PHYSICAL_DISK
        }

    def records(self, snapshot: Snapshot) -> tuple[Record, ...]:
        """All records of a snapshot: system, pools, datasets, disks."""
        notes = annotate(snapshot.alerts, snapshot.pools, snapshot.disks)
        names = frozenset(pool.name for pool in snapshot.pools)
        memberships = {disk: (pool.name, status) for pool in snapshot.pools for disk, status in pool.members.items()}
        pools = self._remembered("pools", (snapshot.pools, snapshot.alerts), self._pools, notes)
        datasets = self._remembered("datasets", (snapshot.datasets, names), self._datasets, notes)
        disks = self._remembered("disks", (snapshot.disks, snapshot.alerts, memberships), self._disks, notes)
        return (self._system(snapshot, pools, notes), *pools, *datasets, *disks)

    def is_believable(self, snapshot: Snapshot, known_pools: int) -> bool:
        """False for the first snapshot without any pool where pools were known; a second in a row is believed."""
        suspicious = known_pools > 0 and not snapshot.pools
        believed = not suspicious or self._suspects_emptiness
        self._suspects_emptiness = suspicious and not believed
        return believed

    def _remembered(self, part: str, inputs: tuple[Any, ...], build: Any, notes: Annotations) -> tuple[Record, ...]:
        """The records made last time when their inputs are equal, otherwise new ones."""
        kept = self._memory.get(part)
        if kept is not None and all(a is b or a == b for a, b in zip(kept[0], inputs, strict=True)):
            return kept[1]
        made: tuple[Record, ...] = build(*inputs, notes)
        self._memory[part] = (inputs, made)
        return made

    def _storage_id(self, kind: str, name: str) -> tuple[str, str]:
        source_id = f"{self.system_id}/{kind}:{name}"
        return source_id, canonical_id(ResourceType.STORAGE, f"truenas:{source_id}")

    def _system(self, snapshot: Snapshot, pools: tuple[Record, ...], notes: Annotations) -> Record:
        system = snapshot.system
        troubled = bool(pools) and worst(pool.status for pool in pools) in (Status.WARNING, Status.OFFLINE)
        return Record(
            source_id=self.system_id,
            resource_id=self._resource_of_system,
            type=ResourceType.HOST,
            name=system.hostname or self.system_id,
            status=Status.WARNING if troubled else Status.ONLINE,
            parent_id=None,
            tags=("truenas", system.version, "zfs"),
            identity={"hostname": system.hostname, "serial": system.serial, "model": system.model},
            metrics={"uptimeSeconds": system.uptime_s, "load1": system.load},
            details={
                "version": system.version,
                "cores": system.cores,
                "memoryBytes": system.memory,
                "unreadableFields": list(snapshot.unreadable),
            },
            alerts=notes.of_system,
        )

    def _pools(self, pools: tuple[Pool, ...], _alerts: tuple[Alert, ...], notes: Annotations) -> tuple[Record, ...]:
        return tuple(self._pool(pool, notes) for pool in pools)

    def _pool(self, pool: Pool, notes: Annotations) -> Record:
        source_id, resource_id = self._storage_id("pool", pool.name)
        scan, health = pool.scan, pool.status or "unknown"
        errors = (pool.read_errors, pool.write_errors, pool.checksum_errors)
        scanned = f"scan:{scan.function or 'none'}:{scan.state or 'none'}".lower()
        return Record(
            source_id=source_id,
            resource_id=resource_id,
            type=ResourceType.STORAGE,
            name=pool.name,
            status=_POOL_STATUS.get(health, Status.UNKNOWN),
            parent_id=self._resource_of_system,
            tags=("truenas", "pool", "zfs", f"health:{health}".lower(), scanned, "errors:{}/{}/{}".format(*errors)),
            metrics=_usage(pool.size, pool.allocated, pool.free),
            details={
                "kind": "pool",
                "health": health,
                "healthy": pool.healthy,
                "scan": {
                    "function": scan.function,
                    "state": scan.state,
                    "percentage": scan.percentage,
                    "errors": scan.errors,
                },
                "readErrors": errors[0],
                "writeErrors": errors[1],
                "checksumErrors": errors[2],
            },
            alerts=notes.of_pools.get(pool.name, ()),
        )

    def _datasets(self, datasets: tuple[Dataset, ...], pools: frozenset[str], _: Annotations) -> tuple[Record, ...]:
        return tuple(self._dataset(dataset, dataset.pool in pools) for dataset in datasets)

    def _dataset(self, dataset: Dataset, has_pool: bool) -> Record:
        source_id, resource_id = self._storage_id("dataset", dataset.name)
        status, state = dataset_status(dataset)
        total = None if dataset.used is None or dataset.available is None else dataset.used + dataset.available
        return Record(
            source_id=source_id,
            resource_id=resource_id,
            type=ResourceType.STORAGE,
            name=dataset.name,
            status=status,
            parent_id=self._storage_id("pool", dataset.pool)[1] if has_pool else self._resource_of_system,
            tags=("truenas", "dataset", "zfs", f"state:{state}"),
            metrics=_usage(total, dataset.used, dataset.available),
            details={
                "kind": "volume" if dataset.kind == "VOLUME" else "dataset",
                "pool": dataset.pool,
                "mountpoint": dataset.mountpoint,
                "locked": dataset.locked,
                "readonly": dataset.readonly,
                "quotaBytes": dataset.quota,
            },
        )

    def _disks(
        self,
        disks: tuple[Disk, ...],
        _alerts: tuple[Alert, ...],
        memberships: Mapping[str, tuple[str, str]],
        notes: Annotations,
    ) -> tuple[Record, ...]:
        serials = {self._disk_source(disk): disk.serial for disk in disks}
        self._disk_ids = disk_ids(serials, "truenas", self._believable(disks), self._disk_ids)
        return tuple(self._disk(disk, memberships.get(disk.name), notes) for disk in disks)

    def _believable(self, disks: tuple[Disk, ...]) -> frozenset[str]:
        return believable_serials(disk.serial for disk in disks)

    def _disk_source(self, disk: Disk) -> str:
        return f"{self.system_id}/disk:{disk.name}"

    def _disk(self, disk: Disk, membership: tuple[str, str] | None, notes: Annotations) -> Record:
        source_id = self._disk_source(disk)
        pool, vdev_status = membership or (None, "")
        return Record(
            source_id=source_id,
            resource_id=self._disk_ids[source_id],
            type=ResourceType.PHYSICAL_DISK,
            name=disk.name,
            status=_DISK_STATUS.get(vdev_status, Status.UNKNOWN),
            parent_id=self._storage_id("pool", pool)[1] if pool else self._resource_of_system,
            tags=("truenas", "disk", (disk.bus or "unknown").lower()),
            identity={"serial": disk.serial, "model": disk.model},
            metrics={"sizeBytes": disk.size, "temperatureCelsius": disk.temperature},
            details={
                "pool": pool,
                "kind": disk.kind,
                "bus": disk.bus,
                "vdevStatus": vdev_status or None,
                "temperatureCelsius": disk.temperature,
            },
            alerts=notes.of_disks.get(disk.name, ()),
        )


def dataset_status(dataset: Dataset) -> tuple[Status, str]:
    """Status and state word. Mounted means a mountpoint and not locked; a VOLUME counts as mounted."""
    if dataset.locked:
        return Status.OFFLINE, "locked"
    if dataset.mountpoint is None and dataset.kind != "VOLUME":
        return Status.OFFLINE, "unmounted"
    if dataset.readonly:
        return Status.WARNING, "readonly"
    return Status.ONLINE, "mounted"


def _usage(total: int | None, used: int | None, free: int | None) -> dict[str, Any]:
    share = round(used / total * 100, 2) if total and used is not None and total > 0 else None
    return {"disk": {"totalBytes": total, "usedBytes": used, "freeBytes": free, "usedPercent": share}}
