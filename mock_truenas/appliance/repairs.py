"""Disks that fail and disks that replace them, as changes of a state. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Final

from mock_truenas.appliance import draws, health
from mock_truenas.appliance.model import Pool, Scan, State, Topology, Vdev, VdevStatus

_FAILURES: Final = frozenset({"FAULTED", "UNAVAIL", "REMOVED"})
_BYTES_PER_S: Final = 900_000_000
_SECOND_NS: Final = 1_000_000_000


def failed(state: State, disk: str, status: VdevStatus, now_ns: int, seed: int) -> dict[str, Any]:
    """The parts of the state that change when a disk of a pool fails, or is well again. Raises KeyError.

    A hot spare takes its side and is resilvered, until it is well again or replaced.
    """
    pool = _pool_of(state, disk)
    topology = health.with_leaf(pool.topology, disk, status=status)
    if status in health.WORKS:
        topology = health.relieved(topology)
    elif status in _FAILURES:
        beside = _with_spare(topology, disk, seed)
        if beside is not None:
            takes_ns = max(_SECOND_NS, pool.allocated * _SECOND_NS // _BYTES_PER_S)
            topology, pool = beside, replace(pool, scan=Scan("RESILVER", now_ns, takes_ns, pool.allocated))
    return {"pools": {**state.pools, pool.name: health.judged(pool, topology)}}


def _with_spare(topology: Topology, disk: str, seed: int) -> Topology | None:
    """The topology with the first free spare beside the leaf of a disk; None when there is none, or need of none."""
    free = next((leaf for leaf in topology.spare if leaf.status == "AVAIL"), None)
    holding = [vdev for purpose in ("data", "special", "dedup") for vdev in getattr(topology, purpose)]
    gone = next((leaf for vdev in holding for leaf in vdev.leaves() if leaf.disk == disk), None)
    if free is None or gone is None or any(gone in vdev.children for vdev in _all(holding) if vdev.type == "SPARE"):
        return None
    guid = draws.guid(seed, "spare", gone.guid, free.guid)
    both = Vdev("SPARE", f"spare-{gone.guid[:4]}", guid, gone.size, children=(gone, replace(free, status="ONLINE")))
    spares = tuple(replace(leaf, status="INUSE") if leaf is free else leaf for leaf in topology.spare)
    return replace(health.with_vdev(topology, gone.guid, both), spare=spares)


def _all(vdevs: Iterable[Vdev]) -> Iterator[Vdev]:
    for vdev in vdevs:
        yield vdev
        yield from _all(vdev.children)


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
