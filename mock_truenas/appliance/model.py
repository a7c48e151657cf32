"""The state of a NAS as plain values. Knows no API: how these are shown is the faces' business.

Sizes are bytes, instants nanoseconds since the Unix epoch, names as the appliance prints them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

PoolStatus = Literal["ONLINE", "DEGRADED", "FAULTED", "OFFLINE", "UNAVAIL", "REMOVED", "SUSPENDED"]
VdevStatus = Literal["ONLINE", "DEGRADED", "FAULTED", "OFFLINE", "UNAVAIL", "REMOVED", "AVAIL", "INUSE"]
AlertLevel = Literal["INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL", "ALERT", "EMERGENCY"]


@dataclass(frozen=True)
class Host:
    """The machine and its identity."""

    hostname: str
    model: str
    cores: int
    physical_cores: int
    memory: int
    serial: str | None
    product: str | None
    product_version: str | None
    manufacturer: str | None
    ecc_memory: bool
    timezone: str
    host_id: str
    boot_id: str
    booted_at_ns: int
    typical_load: float
    state: Literal["BOOTING", "READY", "SHUTTING_DOWN"] = "READY"
    two_factor: bool = False


@dataclass(frozen=True)
class Disk:
    """A disk; ``temperature`` is its usual one in °C, None where none can be read; ``rotationrate`` None on an SSD."""

    name: str
    serial: str
    lunid: str | None
    size: int
    model: str | None
    type: Literal["HDD", "SSD", "UNKNOWN"]
    bus: str
    rotationrate: int | None
    pool: str | None
    zfs_guid: str | None
    temperature: int | None

    @property
    def identifier(self) -> str:
        """The key of the disk in the API."""
        if self.lunid is not None:
            return f"{{serial_lunid}}{self.serial}_{self.lunid}"
        return f"{{serial}}{self.serial}" if self.serial else f"{{devicename}}{self.name}"


@dataclass(frozen=True)
class Vdev:
    """A node of a pool's topology; a leaf is a ``DISK`` and names its disk and partition."""

    type: Literal["DISK", "MIRROR", "RAIDZ1", "RAIDZ2", "RAIDZ3"]
    name: str
    guid: str
    size: int
    status: VdevStatus = "ONLINE"
    children: tuple["Vdev", ...] = ()
    path: str | None = None
    device: str | None = None
    disk: str | None = None
    read_errors: int = 0
    write_errors: int = 0
    checksum_errors: int = 0

    def leaves(self) -> tuple["Vdev", ...]:
        """The disks below this node, or itself."""
        if self.type == "DISK":
            return (self,)
        return tuple(leaf for child in self.children for leaf in child.leaves())


@dataclass(frozen=True)
class Topology:
    """Vdevs by purpose."""

    data: tuple[Vdev, ...] = ()
    log: tuple[Vdev, ...] = ()
    cache: tuple[Vdev, ...] = ()
    spare: tuple[Vdev, ...] = ()
    special: tuple[Vdev, ...] = ()
    dedup: tuple[Vdev, ...] = ()


@dataclass(frozen=True)
class Scan:
    """A scrub or resilver; whether it still runs follows from the clock."""

    function: Literal["SCRUB", "RESILVER"]
    started_at_ns: int
    takes_ns: int
    total: int
    errors: int = 0


@dataclass(frozen=True)
class Pool:
    """A pool; with status OFFLINE it is exported and has no numbers, topology or scan (truenas-api 3.2)."""

    id: int
    name: str
    guid: str
    size: int
    allocated: int
    topology: Topology
    status: PoolStatus = "ONLINE"
    status_code: str = "OK"
    status_detail: str | None = None
    fragmentation: int = 0
    scan: Scan | None = None


@dataclass(frozen=True)
class Dataset:
    """A filesystem or volume. ``settings`` are properties set locally, by their name in the API."""

    name: str
    guid: str
    used: int
    available: int
    snapshots_used: int
    created_at_ns: int
    type: Literal["FILESYSTEM", "VOLUME"] = "FILESYSTEM"
    volsize: int | None = None
    encrypted: bool = False
    encryption_root: str | None = None
    key_loaded: bool | None = None
    readonly: bool = False
    mountpoint: str | None = None
    compressratio: str = "1.00"
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def pool(self) -> str:
        """The pool it lives in."""
        return self.name.partition("/")[0]

    @property
    def locked(self) -> bool:
        """Encrypted, and its key is not loaded."""
        return self.encrypted and not self.key_loaded


@dataclass(frozen=True)
class Alert:
    """A raised alert. ``text`` is a template over ``args``."""

    uuid: str
    klass: str
    level: AlertLevel
    text: str
    raised_at_ns: int
    args: Mapping[str, object] | list[object] | None = None
    source: str = ""
    node: str = "Controller A"
    dismissed: bool = False
    one_shot: bool = False


@dataclass(frozen=True)
class State:
    """Everything that clients can read and that does not move by itself. Keyed by name, in the order shown."""

    host: Host
    pools: Mapping[str, Pool]
    boot_pool: Pool
    datasets: Mapping[str, Dataset]
    disks: Mapping[str, Disk]
    alerts: Mapping[str, Alert]
