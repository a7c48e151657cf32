"""How sick disks make a vdev sick, and vdevs a pool (truenas-api 4). Pure."""

from dataclasses import replace
from typing import Final

from mock_truenas.appliance.model import Pool, PoolStatus, Topology, Vdev, VdevStatus

WORKS: Final = frozenset({"ONLINE", "AVAIL", "INUSE", "DEGRADED"})
PARITY: Final = {"RAIDZ1": 1, "RAIDZ2": 2, "RAIDZ3": 3}
"""How many disks of a vdev hold parity, and may be lost; as many as all but one of any other."""
_REDUNDANT: Final = "Enough replicas are left for the pool to go on, degraded."
_INSUFFICIENT: Final = "Too few replicas are left for the pool to go on."
DETAILS: Final = {
    "OK": None,
    "MISSING_DEV_R": f"One or more devices could not be opened. {_REDUNDANT}",
    "MISSING_DEV_NR": f"One or more devices could not be opened. {_INSUFFICIENT}",
    "FAULTED_DEV_R": f"One or more devices are faulted after too many errors. {_REDUNDANT}",
    "FAULTED_DEV_NR": f"One or more devices are faulted after too many errors. {_INSUFFICIENT}",
    "OFFLINE_DEV": f"One or more devices were taken offline by the administrator. {_REDUNDANT}",
    "REMOVED_DEV": f"One or more devices were removed. {_REDUNDANT}",
    "RESILVERING": "One or more devices are being resilvered. The pool goes on, perhaps degraded.",
    "FAILING_DEV": "One or more devices had an error that could not be recovered. Applications saw nothing of it.",
    "FEAT_DISABLED": "Some features are not enabled on the pool. It can be used, without them.",
    "CORRUPT_DATA": "One or more devices had an error that damaged data. Applications may have seen it.",
    "IO_FAILURE_WAIT": "One or more devices are faulted, and the pool waits for them.",
}
"""The sentence of a status code: what it means, in our own words."""


def detail_of(pool: Pool) -> str | None:
    """What is said of a pool's health, where nothing else was said that of its status code; None when all is well."""
    return pool.status_detail or DETAILS.get(pool.status_code)


def data_share(vdev: Vdev) -> float:
    """The part of a vdev's size that holds data."""
    return 1 - PARITY.get(vdev.type, 0) / max(1, len(vdev.children))


def judged(pool: Pool, topology: Topology) -> Pool:
    """A pool with a topology, its health following from the leaves."""
    topology = Topology(**{purpose: tuple(map(_vdev, vdevs)) for purpose, vdevs in vars(topology).items()})
    holding = (*topology.data, *topology.special, *topology.dedup)
    leaves = [leaf for vdev in (*holding, *topology.log) for leaf in vdev.leaves()]
    sick = [leaf for leaf in leaves if leaf.status not in WORKS]
    lost = any(vdev.status not in WORKS for vdev in holding)
    status: PoolStatus = "UNAVAIL" if lost else "DEGRADED" if sick else "ONLINE"
    code = _code({leaf.status for leaf in sick}, lost=lost)
    if code == "OK" and any(leaf.checksum_errors or leaf.read_errors or leaf.write_errors for leaf in leaves):
        code = "FAILING_DEV"
    return replace(pool, topology=topology, status=status, status_code=code, status_detail=DETAILS[code])


def _code(statuses: set[VdevStatus], *, lost: bool) -> str:
    if not statuses:
        return "OK"
    if "FAULTED" in statuses:
        return "FAULTED_DEV_NR" if lost else "FAULTED_DEV_R"
    if "UNAVAIL" in statuses or lost:
        return "MISSING_DEV_NR" if lost else "MISSING_DEV_R"
    return "REMOVED_DEV" if "REMOVED" in statuses else "OFFLINE_DEV"


def _vdev(vdev: Vdev) -> Vdev:
    """An interior vdev judged by its children; a leaf as it is."""
    if not vdev.children:
        return vdev
    children = tuple(map(_vdev, vdev.children))
    bad = sum(child.status not in WORKS for child in children)
    bears = PARITY.get(vdev.type, len(children) - 1)
    hurt = bad or any(child.status == "DEGRADED" for child in children)
    status: VdevStatus = "UNAVAIL" if bad > bears else "DEGRADED" if hurt else "ONLINE"
    return replace(vdev, children=children, status=status)


def with_vdev(topology: Topology, guid: str, becomes: Vdev) -> Topology:
    """A topology in which another vdev stands where the one of a guid stood."""

    def put(vdev: Vdev) -> Vdev:
        if vdev.guid == guid:
            return becomes
        return replace(vdev, children=tuple(map(put, vdev.children))) if vdev.children else vdev

    return Topology(**{purpose: tuple(map(put, vdevs)) for purpose, vdevs in vars(topology).items()})


def with_leaf(topology: Topology, disk: str, becomes: Vdev | None = None, **fields: object) -> Topology:
    """A topology in which the leaf of a disk has other fields, or is another vdev. Raises KeyError."""
    found = False

    def put(vdev: Vdev) -> Vdev:
        nonlocal found
        if vdev.type == "DISK" and vdev.disk == disk:
            found = True
            return becomes if becomes is not None else replace(vdev, **fields)  # type: ignore[arg-type]
        return replace(vdev, children=tuple(map(put, vdev.children))) if vdev.children else vdev

    made = Topology(**{purpose: tuple(map(put, vdevs)) for purpose, vdevs in vars(topology).items()})
    if not found:
        raise KeyError(disk)
    return made


def settled(topology: Topology) -> Topology:
    """After a resilver: of what was being replaced only the new one is left."""

    def settle(vdev: Vdev) -> Vdev:
        if vdev.type == "REPLACING":
            return vdev.children[-1]
        return replace(vdev, children=tuple(map(settle, vdev.children))) if vdev.children else vdev

    made = Topology(**{purpose: tuple(map(settle, vdevs)) for purpose, vdevs in vars(topology).items()})
    return relieved(made)


def relieved(topology: Topology) -> Topology:
    """Without the spares that stood in for what is well again; they are free."""
    busy: set[str] = set()

    def relieve(vdev: Vdev) -> Vdev:
        if vdev.type == "SPARE" and vdev.children[0].status in WORKS - {"DEGRADED"}:
            return vdev.children[0]
        if vdev.type == "SPARE":
            busy.update(child.guid for child in vdev.children[1:])
        return replace(vdev, children=tuple(map(relieve, vdev.children))) if vdev.children else vdev

    made = Topology(**{purpose: tuple(map(relieve, vdevs)) for purpose, vdevs in vars(topology).items()})
    spares = tuple(
        replace(leaf, status="AVAIL") if leaf.status == "INUSE" and leaf.guid not in busy else leaf
        for leaf in made.spare
    )
    return replace(made, spare=spares)
