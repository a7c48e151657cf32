"""Builds the plan of a NAS step by step, in words that read like a packing list::

    nas = (
        NasBuilder("nas-1")
        .pool("tank", raidz2=6, disk="18TB", spares=1)
        .dataset("tank/media", used="4T", grows="2G")
        .service("cifs")
        .smb("media", "/mnt/tank/media")
        .snapshot_task("tank/media", "0 * * * *", keep="2 days")
        .build(clock=clock, entropy=os.urandom, rng=random.Random(1), release="25.10")
    )

Every step checks what it is given at once; a refusal is a ValueError that names the step, the value and a way out.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Any, Final, Literal

from mock_truenas.appliance import peripherals, rows, workloads
from mock_truenas.appliance.layout import construct
from mock_truenas.appliance.model import AlertLevel, Row
from mock_truenas.appliance.nas import Appliance
from mock_truenas.appliance.peripherals import Seat
from mock_truenas.appliance.plans import (
    AlertPlan,
    DatasetPlan,
    DiskPlan,
    Fixture,
    PoolPlan,
    Purpose,
    VdevPlan,
    VdevType,
)
from mock_truenas.appliance.sizes import read_size
from mock_truenas.clock import Clock

Media = Literal["HDD", "SSD", "NVME"]
_LEAST: Final[Mapping[VdevType, int]] = {"DISK": 1, "MIRROR": 2, "RAIDZ1": 3, "RAIDZ2": 4, "RAIDZ3": 5}
_UNITS: Final = {"hour": "HOUR", "day": "DAY", "week": "WEEK", "month": "MONTH", "year": "YEAR"}
_MODELS: Final[Mapping[Media, tuple[str, str]]] = {
    "HDD": ("ST18000NM004J-2TV103", "ZR5"),
    "SSD": ("INTEL SSDSC2KB240G8", "PHYF9"),
    "NVME": ("Samsung SSD 990 PRO 2TB", "S7DN"),
}
_DISKS_TO_AN_ENCLOSURE: Final = 100
MakeRow = Callable[[Seat, int], Row]


def disk_name(number: int, media: Media = "HDD") -> str:
    """The kernel's name of the n-th disk, from 0: sda, …, sdz, sdaa, …; nvme0n1 and on."""
    if media == "NVME":
        return f"nvme{number}n1"
    letters = ""
    number += 1
    while number:
        number, place = divmod(number - 1, 26)
        letters = chr(ord("a") + place) + letters
    return f"sd{letters}"


class NasBuilder:
    """A NAS to be. Each step returns the builder; ``plan`` and ``build`` may be called more than once."""

    def __init__(self, hostname: str) -> None:
        self._disks: list[DiskPlan] = []
        self._pools: dict[str, PoolPlan] = {}
        self._datasets: dict[str, DatasetPlan] = {}
        self._alerts: list[AlertPlan] = []
        self._rows: list[tuple[str, MakeRow]] = []
        self._running: dict[str, bool] = {"ssh": True}
        self._people: list[str] = []
        self._address = "192.168.1.20"
        self._counts: dict[str, int] = {"sd": 0, "nvme": 0}
        self._enclosures = False
        self._machine: dict[str, Any] = {
            "hostname": hostname,
            "model": "Intel(R) Xeon(R) Silver 4314 CPU @ 2.40GHz",
            "cores": 16,
            "physical_cores": 8,
            "memory": 64 << 30,
            "manufacturer": "Supermicro",
            "product": "X12DPi",
            "ecc_memory": True,
            "up_days": 30,
            "typical_load": 0.6,
            "boot_disk": None,
        }

    # -- the machine -----------------------------------------------------------------------------------------------

    def machine(self, *, memory: int | str | None = None, **known: Any) -> "NasBuilder":
        """The machine itself: memory, model, cores, physical_cores, manufacturer, product, ecc_memory, up_days,
        typical_load, ups.
        """
        allowed = (*self._machine, "ups")
        for name in known:
            if name not in allowed:
                raise ValueError(f"machine: there is no {name!r}{_near(name, allowed)}; known: {', '.join(allowed)}")
        if memory is not None:
            known["memory"] = read_size(memory, "machine: memory")
        self._machine |= known
        return self

    def enclosures(self) -> "NasBuilder":
        """Put all disks in enclosures of 100 slots, in the order of their names."""
        self._enclosures = True
        return self

    def address(self, address: str) -> "NasBuilder":
        """The address of its first network card."""
        self._address = address
        return self

    def boots_from(self, size: int | str = "240GB", media: Media = "SSD") -> "NasBuilder":
        """Boot from a disk of its own instead of a stick the disk list does not show."""
        self._machine["boot_disk"] = self._add_disk(read_size(size, "boots_from: size"), media, None, None)
        return self

    def disk(
        self, size: int | str, *, media: Media = "HDD", count: int = 1, temperature: int | None = None, model: str = ""
    ) -> "NasBuilder":
        """Disks that belong to no pool."""
        for _ in range(count):
            self._add_disk(read_size(size, "disk: size"), media, temperature, model or None)
        return self

    def pool(
        self,
        name: str,
        *,
        stripe: int = 0,
        mirror: int = 0,
        raidz1: int = 0,
        raidz2: int = 0,
        raidz3: int = 0,
        disk: int | str = "4TB",
        media: Media = "HDD",
        vdevs: int = 1,
        spares: int = 0,
        log: int = 0,
        cache: int = 0,
        temperature: int | None = None,
        fragmentation: int = 5,
        scrubbed_h_ago: int = 100,
        scrub_min: int = 240,
    ) -> "NasBuilder":
        """A pool of ``vdevs`` vdevs of one layout, say ``raidz2=6`` for six disks in each, all of the size ``disk``.

        ``stripe`` counts single disks; ``spares`` and the single ``log`` and ``cache`` disks come on top.
        """
        layouts: dict[VdevType, int] = {
            "DISK": stripe,
            "MIRROR": mirror,
            "RAIDZ1": raidz1,
            "RAIDZ2": raidz2,
            "RAIDZ3": raidz3,
        }
        chosen = [(layout, width) for layout, width in layouts.items() if width]
        if name in self._pools:
            raise ValueError(f"pool {name!r}: there is one already; choose another name")
        if len(chosen) != 1:
            raise ValueError(f"pool {name!r}: give one of stripe, mirror, raidz1, raidz2, raidz3; {len(chosen)} given")
        layout, width = chosen[0]
        if width < _LEAST[layout]:
            raise ValueError(f"pool {name!r}: {layout.lower()}={width} is too few; it takes at least {_LEAST[layout]}")
        if vdevs < 1 or spares < 0 or log < 0 or cache < 0:
            raise ValueError(
                f"pool {name!r}: vdevs={vdevs}, spares={spares}: a count is never negative, vdevs at least 1"
            )
        size = read_size(disk, f"pool {name!r}: disk")

        def take(count: int, kind: Media) -> tuple[str, ...]:
            return tuple(self._add_disk(size, kind, temperature, None) for _ in range(count))

        made = [VdevPlan(layout, take(width, media)) for _ in range(vdevs)]
        if layout == "DISK":
            made = [VdevPlan("DISK", (one,)) for vdev in made for one in vdev.disks]
        extras: tuple[tuple[int, Purpose, Media], ...] = (
            (spares, "spare", media),
            (log, "log", "NVME"),
            (cache, "cache", "NVME"),
        )
        for count, purpose, kind in extras:
            made += [VdevPlan("DISK", take(1, kind), purpose) for _ in range(count)]
        self._pools[name] = PoolPlan(name, tuple(made), fragmentation, scrubbed_h_ago, scrub_min)
        self._datasets[name] = DatasetPlan(name, 0)
        return self

    def dataset(
        self,
        name: str,
        *,
        used: int | str = 0,
        snapshots: int | str = 0,
        volume: int | str | None = None,
        grows: int | str = 0,
        encrypted: bool = False,
        locked: bool = False,
        readonly: bool = False,
        **settings: str | int,
    ) -> "NasBuilder":
        """A filesystem, or with ``volume`` a volume of that size. ``grows`` is per hour.

        Settings are properties by their name in the API, sizes among them as text: ``quota="2T"``. Missing parents are
        made.
        """
        place = f"dataset {name!r}"
        pool, _, rest = name.partition("/")
        if pool not in self._pools:
            known = ", ".join(self._pools) or "none yet"
            raise ValueError(
                f"{place}: there is no pool {pool!r}; pools: {known}; add it with .pool({pool!r}, …) before"
            )
        if name in self._datasets and rest:
            raise ValueError(f"{place}: there is one already; choose another name")
        if not all(part.strip() for part in rest.split("/")) and rest:
            raise ValueError(f"{place}: a level has no name; write {pool}/a/b")
        above = name.rpartition("/")[0]
        if above and above not in self._datasets:
            self.dataset(above)
        given = {key: _setting(key, value, place) for key, value in settings.items()}
        self._datasets[name] = DatasetPlan(
            name,
            read_size(used, f"{place}: used"),
            read_size(snapshots, f"{place}: snapshots"),
            None if volume is None else read_size(volume, f"{place}: volume"),
            encrypted=encrypted or locked,
            locked=locked,
            readonly=readonly,
            settings=given,
            grows=read_size(grows, f"{place}: grows"),
            unit=1,
        )
        return self

    # -- what runs on it -------------------------------------------------------------------------------------------

    def service(self, name: str, *, running: bool = True) -> "NasBuilder":
        """A service, by its name in the API."""
        if name not in rows.SERVICES:
            raise ValueError(
                f"service: there is no {name!r}{_near(name, rows.SERVICES)}; known: {', '.join(rows.SERVICES)}"
            )
        self._running[name] = running
        return self

    def user(self, name: str) -> "NasBuilder":
        """A person with an account."""
        self._people.append(name)
        return self

    def smb(self, name: str, path: str, **known: Any) -> "NasBuilder":
        """An SMB share; further fields as of ``rows.smb``."""
        return self.row("sharing.smb", lambda _, number: rows.smb(number, name, path, **known))

    def nfs(self, path: str, **known: Any) -> "NasBuilder":
        """An NFS export; further fields as of ``rows.nfs``."""
        return self.row("sharing.nfs", lambda _, number: rows.nfs(number, path, **known))

    def app(
        self, name: str, version: str = "1.0.0", image: str = "", *, port: int = 30000, **known: Any
    ) -> "NasBuilder":
        """An app; further fields as of ``workloads.app``."""
        return self.row(
            "app", lambda _, __: workloads.app(name, version, image or f"{name}:latest", port=port, **known)
        )

    def vm(self, name: str, zvol: str, **known: Any) -> "NasBuilder":
        """A virtual machine on a volume; further fields as of ``workloads.vm``."""
        return self.row("vm", lambda seat, number: workloads.vm(number, name, zvol, seat.uuid(f"vm {number}"), **known))

    def snapshot_task(self, dataset: str, when: str = "0 0 * * *", keep: str = "2 weeks", **known: Any) -> "NasBuilder":
        """A periodic snapshot task: ``when`` as in a crontab, ``keep`` like ``3 days``."""
        count, _, unit = keep.partition(" ")
        if not count.isdigit() or unit.removesuffix("s") not in _UNITS:
            units = ", ".join(f"{name}s" for name in _UNITS)
            raise ValueError(f"snapshot_task {dataset!r}: keep={keep!r} is no lifetime; write 3 days; units: {units}")
        lifetime: dict[str, Any] = {"keep": int(count), "unit": _UNITS[unit.removesuffix("s")]}
        return self.row(
            "pool.snapshottask", lambda _, number: rows.snapshot_task(number, dataset, when, **lifetime, **known)
        )

    def replication(self, sources: Sequence[str], target: str, when: str = "0 4 * * *", name: str = "") -> "NasBuilder":
        """A replication to another pool of the same machine."""
        called = name or f"{sources[0]} - {target}"
        return self.row("replication", lambda _, number: rows.replication(number, called, list(sources), target, when))

    def row(self, table: str, make: MakeRow) -> "NasBuilder":
        """A row of any peripheral table: ``make`` gets the seat and the row's number."""
        self._rows.append((table, make))
        return self

    def alert(
        self,
        klass: str,
        *,
        level: AlertLevel = "WARNING",
        text: str = "",
        args: Mapping[str, object] | None = None,
        hours_ago: int = 1,
        dismissed: bool = False,
    ) -> "NasBuilder":
        """An alert that is there from the start and has no cause in the state."""
        self._alerts.append(AlertPlan(klass, level, text or klass, args, hours_ago, dismissed=dismissed, one_shot=True))
        return self

    def update(self, version: str = "next") -> "NasBuilder":
        """Have an update offered; ``next`` is the newest of the line that follows."""
        self._machine["update"] = version
        return self

    # -- the result ------------------------------------------------------------------------------------------------

    def plan(self) -> Fixture:
        """The plan so far."""
        if not self._pools:
            raise ValueError("a NAS has at least one pool; add it with .pool(name, mirror=2)")
        disks = tuple(self._disks)
        if self._enclosures:
            disks = tuple(
                replace(disk, enclosure=(1 + place // _DISKS_TO_AN_ENCLOSURE, 1 + place % _DISKS_TO_AN_ENCLOSURE))
                for place, disk in enumerate(disks)
            )
        return Fixture(
            **self._machine,
            disks=disks,
            pools=tuple(self._pools.values()),
            datasets=tuple(self._datasets.values()),
            alerts=tuple(self._alerts),
            tables=_Tables(tuple(self._rows), dict(self._running), tuple(self._people), self._address),
        )

    def build(
        self,
        *,
        clock: Clock,
        entropy: Callable[[int], bytes],
        rng: random.Random,
        release: str = "25.10",
        key_prefix: str = "",
    ) -> Appliance:
        """The NAS. Raises ValueError when a pool holds more than fits, or for an unknown release."""
        return construct(self.plan(), release=release, clock=clock, entropy=entropy, rng=rng, key_prefix=key_prefix)

    def _add_disk(self, size: int, media: Media, temperature: int | None, model: str | None) -> str:
        family = "nvme" if media == "NVME" else "sd"
        number = self._counts[family]
        self._counts[family] += 1
        name = disk_name(number, media)
        usual, serial = _MODELS[media]
        degrees = temperature if temperature is not None else 34 + number % 5
        kind: Literal["HDD", "SSD"] = "HDD" if media == "HDD" else "SSD"
        bus = "NVME" if media == "NVME" else "ATA"
        self._disks.append(DiskPlan(name, model or usual, serial, size, degrees, kind, bus))
        return name


class _Tables:
    """Makes the peripheral rows for the seat of an appliance."""

    def __init__(
        self,
        added: tuple[tuple[str, MakeRow], ...],
        running: Mapping[str, bool],
        people: tuple[str, ...],
        address: str,
    ) -> None:
        self._added = added
        self._running = [name for name, runs in running.items() if runs]
        self._people = people
        self._address = address

    def __call__(self, seat: Seat) -> dict[str, Mapping[Any, Row]]:
        tables = peripherals.common(seat, running=self._running, address=self._address, people=self._people)
        for table, make in self._added:
            known = tables.get(table, {})
            row = make(seat, len(known) + 1)
            tables[table] = {**known, row["id"]: row}
        return tables


def _setting(name: str, value: str | int, place: str) -> str:
    """A property's raw text; sizes are read."""
    if name in ("quota", "refquota", "reservation", "refreservation", "recordsize"):
        return str(read_size(value, f"{place}: {name}"))
    return str(value)


def _near(name: str, known: Sequence[str]) -> str:
    near = get_close_matches(name, known, 1)
    return f", did you mean {near[0]}?" if near else ""
