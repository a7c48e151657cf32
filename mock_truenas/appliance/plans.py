"""What an appliance is made from, as data. Sizes of disks are bytes, of datasets GiB; serials get a seeded ending."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from mock_truenas.appliance import peripherals
from mock_truenas.appliance.model import AlertLevel
from mock_truenas.appliance.peripherals import MakeTables

VdevType = Literal["DISK", "MIRROR", "RAIDZ1", "RAIDZ2", "RAIDZ3"]
Purpose = Literal["data", "log", "cache", "spare", "special", "dedup"]


@dataclass(frozen=True)
class DiskPlan:
    """A disk; ``serial`` is how its serial number begins."""

    name: str
    model: str
    serial: str
    size: int
    temperature: int | None
    type: Literal["HDD", "SSD"] = "HDD"
    bus: str = "ATA"
    enclosure: tuple[int, int] | None = None


@dataclass(frozen=True)
class VdevPlan:
    """A vdev over named disks; ``DISK`` over one disk is a stripe member or a spare."""

    type: VdevType
    disks: tuple[str, ...]
    purpose: Purpose = "data"


@dataclass(frozen=True)
class PoolPlan:
    """A pool; its last scrub began ``scrubbed_h_ago`` hours before the start and took ``scrub_min`` minutes."""

    name: str
    vdevs: tuple[VdevPlan, ...]
    fragmentation: int
    scrubbed_h_ago: int
    scrub_min: int


@dataclass(frozen=True)
class DatasetPlan:
    """A dataset with ``own`` of its own and ``snapshots`` in snapshots; it gains ``grows`` bytes an hour.

    ``own``, ``snapshots`` and ``volume`` count in ``unit``.
    """

    name: str
    own: int
    snapshots: int = 0
    volume: int | None = None
    encrypted: bool = False
    locked: bool = False
    readonly: bool = False
    settings: Mapping[str, str] = field(default_factory=dict)
    grows: int = 0
    unit: int = 1 << 30


@dataclass(frozen=True)
class AlertPlan:
    """An alert that is there from the start."""

    klass: str
    level: AlertLevel
    text: str
    args: Mapping[str, object] | tuple[object, ...] | None
    raised_h_ago: int
    source: str = ""
    dismissed: bool = False
    one_shot: bool = False


@dataclass(frozen=True)
class Fixture:
    """A whole appliance. ``boot_disk`` None: it boots from a stick that the disk list does not show."""

    hostname: str
    model: str
    cores: int
    physical_cores: int
    memory: int
    manufacturer: str
    product: str
    ecc_memory: bool
    up_days: int
    typical_load: float
    boot_disk: str | None
    disks: tuple[DiskPlan, ...]
    pools: tuple[PoolPlan, ...]
    datasets: tuple[DatasetPlan, ...]
    alerts: tuple[AlertPlan, ...] = ()
    tables: MakeTables = peripherals.plain
    update: str | None = None
    ups: str | None = None
