"""Lays out an appliance from its plan: identity from a seeded stream, sizes that add up. Draws in a fixed order."""

import hashlib
import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final, TypeVar

from mock_truenas.appliance import draws, health
from mock_truenas.appliance.accounts import Accounts
from mock_truenas.appliance.model import Alert, Dataset, Disk, Host, Pool, Scan, State, Topology, Update, Vdev
from mock_truenas.appliance.nas import Appliance
from mock_truenas.appliance.peripherals import Seat
from mock_truenas.appliance.plans import AlertPlan, DatasetPlan, DiskPlan, Fixture, PoolPlan
from mock_truenas.appliance.releases import Release, find_release
from mock_truenas.appliance.snapshots import past
from mock_truenas.appliance.update import newer_than
from mock_truenas.clock import Clock

_Value = TypeVar("_Value")
_HOUR_NS: Final = 3_600_000_000_000
_SLOP: Final = 0.97  # ZFS keeps about a thirty-second part for itself
_LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"
_RATIOS: Final = tuple(f"{1 + place / 100:.2f}" for place in range(80))
_UNSET: Final[Mapping[str, str]] = MappingProxyType({})


def construct(
    plan: Fixture,
    *,
    release: str,
    hostname: str | None = None,
    clock: Clock,
    entropy: Callable[[int], bytes],
    rng: random.Random,
    key_prefix: str = "",
) -> Appliance:
    """An appliance as planned, its clock already running. Raises ValueError for what does not fit, or no release."""
    found = find_release(release)
    state = Layout(plan, found, rng, clock.now_ns()).state(hostname or plan.hostname)
    return Appliance(state, found, Accounts(entropy, key_prefix), clock, random.Random(rng.getrandbits(64)))


class Layout:
    """Draws one appliance's identity and lays out its state at ``start_ns``."""

    def __init__(self, plan: Fixture, release: Release, rng: random.Random, start_ns: int) -> None:
        self._plan = plan
        self._rng = rng
        self._start_ns = start_ns
        self._plans: dict[str, list[DatasetPlan]] = {pool.name: [] for pool in plan.pools}
        for dataset in plan.datasets:
            self._plans[dataset.name.partition("/")[0]].append(dataset)
        self._newer = newer_than(release) if plan.update == "next" else plan.update

    def state(self, hostname: str) -> State:
        host = self._host(hostname)
        self._identity = host.host_id
        bare = {disk.name: self._disk(disk) for disk in self._plan.disks}
        topologies = {pool.name: self._topology(pool, bare) for pool in self._plan.pools}
        boot = self._boot_pool(bare)
        disks = _in_pools(bare, {**topologies, "boot-pool": boot.topology})
        datasets: dict[str, Dataset] = {}
        pools: dict[str, Pool] = {}
        for number, pool in enumerate(self._plan.pools, start=1):
            usable, size = _capacity(topologies[pool.name])
            datasets |= self._datasets(pool.name, usable)
            allocated = datasets[pool.name].used * size // usable
            pools[pool.name] = self._pool(number, pool, topologies[pool.name], size, allocated)
        alerts = {alert.uuid: alert for alert in map(self._alert, self._plan.alerts)}
        seat = Seat(self._start_ns, self._uuid_for, {pool.name: pool.id for pool in pools.values()})
        tables = dict(self._plan.tables(seat))
        tasks = tables.get("pool.snapshottask", {})
        return State(
            host,
            _frozen(pools),
            boot,
            _frozen(datasets),
            _frozen(disks),
            _frozen(alerts),
            snapshots=_frozen(past(list(tasks.values()), datasets, self._start_ns, self._identity)),
            tables=_frozen(tables),
            update=Update(available=self._newer),
        )

    def _guid(self) -> str:
        return str(self._rng.getrandbits(63) | 1 << 62)

    def _uuid(self) -> str:
        digits = f"{self._rng.getrandbits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"

    def _uuid_for(self, purpose: str) -> str:
        return draws.uuid(0, self._identity, purpose)

    def _host(self, hostname: str) -> Host:
        plan = self._plan
        seconds = plan.up_days * 86400 + self._rng.randrange(3600, 80000)
        return Host(
            hostname=hostname,
            model=plan.model,
            cores=plan.cores,
            physical_cores=plan.physical_cores,
            memory=plan.memory - 512 * 1024 * self._rng.randrange(600, 900),
            serial="".join(self._rng.choices(_LETTERS, k=12)),
            product=plan.product,
            product_version="0123456789",
            manufacturer=plan.manufacturer,
            ecc_memory=plan.ecc_memory,
            timezone="Europe/Berlin",
            host_id=hashlib.sha256(self._rng.randbytes(32)).hexdigest(),
            boot_id=self._uuid(),
            booted_at_ns=self._start_ns - seconds * 1_000_000_000 - self._rng.randrange(1_000_000) * 1000,
            typical_load=plan.typical_load,
            ups=plan.ups,
        )

    def _disk(self, plan: DiskPlan) -> Disk:
        lunid = "5000c500" if plan.type == "HDD" else "50025385"
        return Disk(
            name=plan.name,
            serial=plan.serial + "".join(self._rng.choices(_LETTERS, k=6)),
            lunid=lunid + f"{self._rng.getrandbits(32):08x}" if plan.bus == "ATA" else None,
            size=plan.size,
            model=plan.model,
            type=plan.type,
            bus=plan.bus,
            rotationrate=7200 if plan.type == "HDD" else None,
            pool=None,
            zfs_guid=None,
            temperature=plan.temperature,
            enclosure=plan.enclosure,
        )

    def _leaf(self, disk: Disk, partition: int) -> Vdev:
        separator = "p" if disk.name.startswith("nvme") else ""
        path = f"/dev/disk/by-partuuid/{self._uuid()}"
        device = f"{disk.name}{separator}{partition}"
        return Vdev("DISK", path, self._guid(), disk.size, path=path, device=device, disk=disk.name)

    def _topology(self, plan: PoolPlan, disks: Mapping[str, Disk]) -> Topology:
        by_purpose: dict[str, tuple[Vdev, ...]] = {}
        for number, vdev in enumerate(plan.vdevs):
            leaves = tuple(self._leaf(disks[name], 1) for name in vdev.disks)
            if vdev.type == "DISK":
                made = leaves
            else:
                size = leaves[0].size * (1 if vdev.type == "MIRROR" else len(leaves))
                made = (Vdev(vdev.type, f"{vdev.type.lower()}-{number}", self._guid(), size, children=leaves),)
            if vdev.purpose == "spare":
                made = tuple(replace(leaf, status="AVAIL") for leaf in made)
            by_purpose[vdev.purpose] = by_purpose.get(vdev.purpose, ()) + made
        return Topology(**by_purpose)

    def _pool(self, number: int, plan: PoolPlan, topology: Topology, size: int, allocated: int) -> Pool:
        began_ns = self._start_ns - plan.scrubbed_h_ago * _HOUR_NS
        scan = Scan("SCRUB", began_ns, plan.scrub_min * 60_000_000_000, allocated)
        return Pool(
            number, plan.name, self._guid(), size, allocated, topology, fragmentation=plan.fragmentation, scan=scan
        )

    def _boot_pool(self, disks: Mapping[str, Disk]) -> Pool:
        name = self._plan.boot_disk
        if name is None:
            path = "/dev/disk/by-id/usb-SanDisk_Ultra_Fit-part3"
            leaf = Vdev("DISK", path, self._guid(), 31_004_295_168, path=path)
        else:
            leaf = self._leaf(disks[name], 3)
        allocated = 3_221_225_472 + 4096 * self._rng.randrange(100_000)
        scan = Scan("SCRUB", self._start_ns - 70 * _HOUR_NS, 41_000_000_000, allocated)
        return Pool(0, "boot-pool", self._guid(), leaf.size, allocated, Topology((leaf,)), fragmentation=0, scan=scan)

    def _datasets(self, pool: str, usable: int) -> dict[str, Dataset]:
        plans = self._plans[pool]
        below = dict.fromkeys((plan.name for plan in plans), 0)
        taken = 0
        for plan in plans:
            own = _own(plan)
            taken += own
            above = plan.name
            while "/" in above:
                above = above.rpartition("/")[0]
                below[above] = below.get(above, 0) + own
        if taken > usable:
            raise ValueError(f"pool {pool!r}: its datasets use {taken} bytes, but {usable} fit; use less or add disks")
        encrypted = {plan.name for plan in plans if plan.encrypted}
        return {plan.name: self._dataset(plan, below[plan.name], usable - taken, encrypted) for plan in plans}

    def _dataset(self, plan: DatasetPlan, below: int, free: int, encrypted: set[str]) -> Dataset:
        volume = plan.volume is not None
        return Dataset(
            name=plan.name,
            guid=self._guid(),
            used=_own(plan) + below,
            available=free,
            snapshots_used=plan.snapshots * plan.unit,
            created_at_ns=self._start_ns - self._rng.randrange(60, 700) * 86_400_000_000_000,
            type="VOLUME" if volume else "FILESYSTEM",
            volsize=plan.volume * plan.unit if plan.volume is not None else None,
            encrypted=plan.encrypted,
            encryption_root=_highest(plan.name, encrypted) if plan.encrypted else None,
            key_loaded=not plan.locked if plan.encrypted else None,
            readonly=plan.readonly,
            mountpoint=None if volume else f"/mnt/{plan.name}",
            compressratio=_RATIOS[self._rng.randrange(80)],
            settings=_frozen(dict(plan.settings)) if plan.settings else _UNSET,
            growth=plan.grows,
            user_properties=_UNSET,
        )

    def _alert(self, plan: AlertPlan) -> Alert:
        args = list(plan.args) if isinstance(plan.args, tuple) else plan.args
        return Alert(
            uuid=self._uuid(),
            klass=plan.klass,
            level=plan.level,
            text=plan.text,
            raised_at_ns=self._start_ns - plan.raised_h_ago * _HOUR_NS,
            args=args,
            source=plan.source,
            dismissed=plan.dismissed,
            one_shot=plan.one_shot,
        )


def _frozen(mapping: dict[str, _Value]) -> Mapping[str, _Value]:
    return MappingProxyType(mapping)


def _own(plan: DatasetPlan) -> int:
    return (plan.own + plan.snapshots) * plan.unit


def _highest(name: str, encrypted: set[str]) -> str:
    """The encryption root of an encrypted dataset: the highest of those above it that are, or itself."""
    parts = name.split("/")
    above = ("/".join(parts[:count]) for count in range(1, len(parts)))
    return next((one for one in above if one in encrypted), name)


def _capacity(topology: Topology) -> tuple[int, int]:
    """Usable bytes and the size ``zpool`` prints, parity included."""
    usable = sum(vdev.size * health.data_share(vdev) for vdev in topology.data)
    return int(usable * _SLOP), sum(vdev.size for vdev in topology.data)


def _in_pools(disks: Mapping[str, Disk], topologies: Mapping[str, Topology]) -> dict[str, Disk]:
    """The disks, each knowing its pool and the guid of its leaf."""
    placed = dict(disks)
    for pool, topology in topologies.items():
        for vdevs in vars(topology).values():
            for leaf in (leaf for vdev in vdevs for leaf in vdev.leaves()):
                if leaf.disk is not None:
                    placed[leaf.disk] = replace(placed[leaf.disk], pool=pool, zfs_guid=leaf.guid)
    return placed
