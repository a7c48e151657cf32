"""Disks that fail and disks that replace them, as changes of a state. Pure."""

from dataclasses import replace
from typing import Any

from mock_truenas.appliance import draws, health
from mock_truenas.appliance.model import Pool, Scan, State, Vdev, VdevStatus


def failed(state: State, disk: str, status: VdevStatus) -> dict[str, Any]:
    """The parts of the state that change when a disk of a pool fails, or is well again. Raises KeyError."""
    pool = _pool_of(state, disk)
    topology = health.with_leaf(pool.topology, disk, status=status)
    return {"pools": {**state.pools, pool.name: health.judged(pool, topology)}}


def replaced(state: State, old: str, new: str, now_ns: int, takes_ns: int, seed: int) -> dict[str, Any]:
    """The parts that change when a resilver onto a free disk begins. Raises KeyError; ValueError if it is not free.

    ``old`` is the disk that goes, or the guid of its leaf, for one that is gone altogether.
    """
    (pool, gone), disk = _leaf_of(state, old), state.disks[new]
    if disk.pool is not None:
        raise ValueError(f"disk {new} belongs to pool {disk.pool}; replace {old} with a free one")
    path = f"/dev/disk/by-partuuid/{draws.uuid(seed, 'partition', new, now_ns)}"
    partition = f"{new}p1" if new.startswith("nvme") else f"{new}1"
    fresh = Vdev("DISK", path, draws.guid(seed, "leaf", new, now_ns), disk.size, path=path, device=partition, disk=new)
    both = Vdev("REPLACING", f"replacing-{gone.guid[:4]}", draws.guid(seed, new), gone.size, children=(gone, fresh))
    made = health.judged(pool, health.with_vdev(pool.topology, gone.guid, both))
    if made.status_code == "OK":
        made = replace(made, status_code="RESILVERING", status_detail=health.DETAILS["RESILVERING"])
    disks = dict(state.disks)
    disks[new] = replace(disk, pool=pool.name, zfs_guid=fresh.guid)
    if gone.disk in disks:
        disks[gone.disk] = replace(disks[gone.disk], pool=None)
    scan = Scan("RESILVER", now_ns, takes_ns, pool.allocated)
    return {"pools": {**state.pools, pool.name: replace(made, scan=scan)}, "disks": disks}


def _leaf_of(state: State, name: str) -> tuple[Pool, Vdev]:
    for pool in state.pools.values():
        for vdevs in vars(pool.topology).values():
            for leaf in (leaf for vdev in vdevs for leaf in vdev.leaves()):
                if name in (leaf.disk, leaf.guid):
                    return pool, leaf
    raise KeyError(f"disk {name} belongs to no pool")


def _pool_of(state: State, disk: str) -> Pool:
    name = state.disks[disk].pool
    if name is None or name not in state.pools:
        raise KeyError(f"disk {disk} belongs to no pool")
    return state.pools[name]
