"""What changes a pool's make-up: ``pool.create``, disks going offline, online, away, being replaced (truenas-api 4)."""

import errno
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final, Literal

from pydantic import Field

from mock_truenas.api.errors import CallError, Problem, ValidationErrors
from mock_truenas.api.methods.checking import Given
from mock_truenas.api.methods.method import Access, Call, JobPlan, Kind, Method, Param
from mock_truenas.api.methods.pool import imported
from mock_truenas.api.methods.tables import job
from mock_truenas.api.resources import pool as pools
from mock_truenas.api.resources import pool_changes as changes
from mock_truenas.api.resources.moment import Moment
from mock_truenas.appliance import draws, health
from mock_truenas.appliance.model import Dataset, Disk, Pool, Topology, Vdev, VdevStatus, VdevType
from mock_truenas.appliance.nas import Appliance

_POOL_WRITE: Final = frozenset({"POOL_WRITE"})
_LEAST: Final[Mapping[str, int]] = {"MIRROR": 2, "RAIDZ1": 3, "RAIDZ2": 4, "RAIDZ3": 5}
_USABLE: Final = 0.97


class GivenVdev(Given):
    """A vdev to make."""

    type: Literal["STRIPE", "MIRROR", "RAIDZ1", "RAIDZ2", "RAIDZ3"]
    disks: list[str] = Field(min_length=1)


class GivenTopology(Given):
    """Vdevs by purpose; spares are disks."""

    data: list[GivenVdev] = Field(min_length=1)
    log: list[GivenVdev] = Field(default_factory=list)
    cache: list[GivenVdev] = Field(default_factory=list)
    special: list[GivenVdev] = Field(default_factory=list)
    dedup: list[GivenVdev] = Field(default_factory=list)
    spares: list[str] = Field(default_factory=list)


class PoolCreate(Given):
    """A pool to make."""

    name: str
    topology: GivenTopology
    encryption: bool = False
    encryption_options: dict[str, Any] = Field(default_factory=dict)
    deduplication: Literal["ON", "VERIFY", "OFF"] | None = None
    checksum: str | None = None
    dedup_table_quota: str | None = "AUTO"
    dedup_table_quota_value: int | None = None
    allow_duplicate_serials: bool = False


class Label(Given):
    """A vdev, named by its guid."""

    label: str


class Replacement(Given):
    """A vdev by its guid, and the disk, by its identifier, that takes its place."""

    label: str
    disk: str
    force: bool = False
    preserve_settings: bool = True
    preserve_description: bool = True


def _groups(given: GivenTopology) -> Iterator[tuple[str, int, GivenVdev]]:
    for purpose in ("data", "log", "cache", "special", "dedup"):
        for place, vdev in enumerate(getattr(given, purpose)):
            yield purpose, place, vdev


def _create_problems(appliance: Appliance, given: PoolCreate) -> Iterable[Problem]:
    base = appliance.base
    problem = changes.name_problem(given.name)
    if problem:
        yield "pool_create.name", problem, errno.EINVAL
    if given.name in base.pools:
        yield "pool_create.name", "A pool with this name already exists.", errno.EEXIST
    seen: set[str] = set()
    for purpose, place, vdev in _groups(given.topology):
        path = f"pool_create.topology.{purpose}.{place}.disks"
        least = _LEAST.get(vdev.type, 1)
        if len(vdev.disks) < least:
            yield path, f"You need at least {least} disk(s) for this vdev type.", errno.EINVAL
        for name in vdev.disks:
            disk = base.disks.get(name)
            if disk is None:
                yield path, f"The following disks were not found in system: {name}.", errno.EINVAL
            elif disk.pool is not None or name in seen:
                yield path, f"The following disks are already in use: {name}.", errno.EINVAL
            seen.add(name)


def _create(call: Call) -> JobPlan:
    given: PoolCreate = call.arguments["pool_create"]
    problems = list(_create_problems(call.appliance, given))
    if problems:
        raise ValidationErrors(problems)
    dialect = call.dialect

    def result(appliance: Appliance) -> dict[str, Any]:
        made = _made(appliance, given)
        return pools.row(appliance, made, Moment.of(appliance, appliance.now_ns()), dialect)

    return job(20, result, "Creating pool", "Formatting disks", "Creating pool")


def _made(appliance: Appliance, given: PoolCreate) -> Pool:
    base = appliance.base
    topology = _topology(appliance, given)
    size = sum(vdev.size for vdev in topology.data)
    usable = round(_USABLE * sum(vdev.size * health.data_share(vdev) for vdev in topology.data))
    number = 1 + max((pool.id for pool in base.pools.values()), default=0)
    pool = Pool(number, given.name, _guid(appliance, given.name), size, 1 << 20, topology)
    placed = {leaf.disk: leaf.guid for group in vars(topology).values() for vdev in group for leaf in vdev.leaves()}
    disks = {
        name: replace(disk, pool=given.name, zfs_guid=placed[name]) if name in placed else disk
        for name, disk in base.disks.items()
    }
    root = Dataset(
        name=given.name,
        guid=_guid(appliance, given.name, "root"),
        used=1 << 20,
        available=usable - (1 << 20),
        snapshots_used=0,
        created_at_ns=appliance.now_ns(),
        encrypted=given.encryption,
        encryption_root=given.name if given.encryption else None,
        key_loaded=True if given.encryption else None,
        mountpoint=f"/mnt/{given.name}",
    )
    appliance.change(pools={**base.pools, given.name: pool}, disks=disks, datasets={**base.datasets, given.name: root})
    return pool


def _topology(appliance: Appliance, given: PoolCreate) -> Topology:
    groups: dict[str, tuple[Vdev, ...]] = {}
    for number, (purpose, _, vdev) in enumerate(_groups(given.topology)):
        leaves = tuple(_leaf(appliance, appliance.base.disks[name]) for name in vdev.disks)
        if vdev.type != "STRIPE":
            size = min(leaf.size for leaf in leaves) * (1 if vdev.type == "MIRROR" else len(leaves))
            name = f"{vdev.type.lower()}-{number}"
            kind: VdevType = vdev.type
            leaves = (Vdev(kind, name, _guid(appliance, given.name, name), size, children=leaves),)
        groups[purpose] = groups.get(purpose, ()) + leaves
    spares = tuple(
        replace(_leaf(appliance, appliance.base.disks[name]), status="AVAIL")
        for name in given.topology.spares
        if name in appliance.base.disks
    )
    return Topology(**groups, spare=spares)


def _leaf(appliance: Appliance, disk: Disk) -> Vdev:
    path = f"/dev/disk/by-partuuid/{appliance.new_uuid('partition', disk.name, appliance.now_ns())}"
    device = f"{disk.name}p1" if disk.name.startswith("nvme") else f"{disk.name}1"
    guid = _guid(appliance, disk.name, appliance.now_ns())
    return Vdev("DISK", path, guid, disk.size or 0, path=path, device=device, disk=disk.name)


def _guid(appliance: Appliance, *purpose: object) -> str:
    return draws.guid(appliance.seed, *purpose)


def _found(pool: Pool, label: str) -> Vdev:
    """The leaf of a pool that a label means."""
    for vdev in pools.vdevs(pool):
        if not vdev.children and label in (vdev.guid, vdev.device, vdev.disk):
            return vdev
    raise ValidationErrors.one("options.label", f"Failed to find vdev for {label}")


def _judge(appliance: Appliance, pool: Pool, topology: Topology) -> None:
    """Give a pool a topology, and the health that follows from it (truenas-api 4)."""
    made = health.judged(pool, topology)
    told = {"status": made.status, "status_code": made.status_code, "status_detail": made.status_detail}
    appliance.change_pool(pool.name, topology=made.topology, **told)


def _switch(status: VdevStatus) -> Callable[[Call], bool]:
    def run(call: Call) -> bool:
        pool = imported(call)
        leaf = _found(pool, call.arguments["options"].label)
        topology = health.with_vdev(pool.topology, leaf.guid, replace(leaf, status=status))
        if status == "OFFLINE" and health.judged(pool, topology).status == "UNAVAIL":
            raise CallError(f"cannot offline {leaf.name}: no valid replicas", errno.EBUSY)
        _judge(call.appliance, pool, topology)
        return True

    return run


def _replace(call: Call) -> JobPlan:
    """The new disk joins the old one at once; the job ends with the resilver, and the old one goes."""
    appliance, pool = call.appliance, imported(call)
    options: Replacement = call.arguments["options"]
    old = _found(pool, options.label)
    disk = next((disk for disk in appliance.base.disks.values() if disk.identifier == options.disk), None)
    if disk is None:
        raise ValidationErrors.one("options.disk", "Disk not found.", errno.ENOENT)
    if disk.pool is not None:
        # Force overwrites what is left of a foreign pool, never a disk of one that is imported.
        raise ValidationErrors.one("options.disk", "Disk is already in use.", errno.EBUSY)
    takes_ns = changes.scrub_takes_ns(pool)
    appliance.replace_disk(old.guid, disk.name, takes_ns)
    return JobPlan(takes_ns, lambda _: True, "Replacing disk", ((0.0, "Replacing disk"),))


def _detach(call: Call) -> bool:
    pool = imported(call)
    leaf = _found(pool, call.arguments["options"].label)
    parent = next((vdev for vdev in pools.vdevs(pool) if leaf in vdev.children), None)
    if parent is None or parent.type not in ("MIRROR", "REPLACING", "SPARE"):
        raise CallError("cannot detach: only applicable to mirror and replacing vdevs")

    def without(vdev: Vdev) -> Vdev | None:
        if vdev.guid == leaf.guid:
            return None
        return vdev.children[0] if vdev.guid == parent.guid and len(vdev.children) == 1 else vdev

    disks = {
        name: replace(disk, pool=None, zfs_guid=None) if name == leaf.disk else disk
        for name, disk in call.appliance.base.disks.items()
    }
    call.appliance.change(disks=disks)
    _judge(call.appliance, pool, changes.changed_vdevs(pool.topology, without))
    return True


def _item(name: str, doc: str, run: Any, options: Any, **more: Any) -> Method:
    accepts = (Param("id", int), Param("options", options))
    return Method(f"pool.{name}", doc, run, accepts, access=Access.WRITE, roles=_POOL_WRITE, item=True, **more)


METHODS: Final = (
    Method(
        "pool.create",
        "Make a pool",
        _create,
        (Param("pool_create", PoolCreate),),
        kind=Kind.CREATE,
        access=Access.WRITE,
        roles=_POOL_WRITE,
        job=True,
    ),
    _item("offline", "Take a disk offline", _switch("OFFLINE"), Label),
    _item("online", "Take a disk online", _switch("ONLINE"), Label),
    _item("detach", "Take a disk out of a mirror", _detach, Label),
    _item("replace", "Put another disk in a disk's place", _replace, Replacement, job=True),
)
