"""The state of a NAS as plain values. Knows no API: how these are shown is the faces' business.

Sizes are bytes, instants nanoseconds since the Unix epoch, names as the appliance prints them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

PoolStatus = Literal["ONLINE", "DEGRADED", "FAULTED", "OFFLINE", "UNAVAIL", "REMOVED", "SUSPENDED"]
VdevStatus = Literal["ONLINE", "DEGRADED", "FAULTED", "OFFLINE", "UNAVAIL", "REMOVED", "AVAIL", "INUSE"]
AlertLevel = Literal["INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL", "ALERT", "EMERGENCY"]
VdevType = Literal["DISK", "FILE", "MIRROR", "RAIDZ1", "RAIDZ2", "RAIDZ3", "DRAID", "REPLACING", "SPARE"]
Row = Mapping[str, Any]
"""A row of a peripheral table: JSON values in the shape of the newest release, dates as ``{"$date": ms}``."""
Tables = Mapping[str, Mapping[Any, Row]]
_OWN_DATASETS = frozenset({".system", "ix-applications", "ix-apps", ".ix-virt"})


@dataclass(frozen=True, slots=True)
class Host:
    """The machine and its identity.

    ``clock_offset_ns`` is how far its wall clock is off from the appliance's own time; ``answers`` is False while it is
    switched off or between shutdown and boot; ``ups`` names the UPS it hangs on, if any.
    """

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
    clock_offset_ns: int = 0
    answers: bool = True
    ups: str | None = None
    ups_on_battery: bool = False


@dataclass(frozen=True, slots=True)
class Disk:
    """A disk; ``temperature`` is its usual one in °C, None where none can be read; ``rotationrate`` None on an SSD.

    ``too_hot`` is the temperature it calls critical; ``smart_message`` what its self-monitoring complains of;
    ``enclosure`` is (enclosure, slot). ``settings`` are what somebody set, by their name in the API. A disk that was
    taken out is still known until ``expires_at_ns``.
    """

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
    too_hot: int = 60
    smart_message: str | None = None
    enclosure: tuple[int, int] | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    expires_at_ns: int | None = None

    @property
    def identifier(self) -> str:
        """The key of the disk in the API."""
        if self.lunid is not None:
            return f"{{serial_lunid}}{self.serial}_{self.lunid}"
        return f"{{serial}}{self.serial}" if self.serial else f"{{devicename}}{self.name}"


@dataclass(frozen=True, slots=True)
class Vdev:
    """A node of a pool's topology; a leaf is a ``DISK`` and names its disk and partition."""

    type: VdevType
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


@dataclass(frozen=True, slots=True)
class Scan:
    """A scrub or resilver; whether it still runs follows from the clock.

    ``held_ns`` is how long earlier pauses lasted; ``paused_at_ns`` is set while it is paused, ``cancelled_at_ns`` once
    somebody stopped it.
    """

    function: Literal["SCRUB", "RESILVER"]
    started_at_ns: int
    takes_ns: int
    total: int
    errors: int = 0
    held_ns: int = 0
    paused_at_ns: int | None = None
    cancelled_at_ns: int | None = None

    @property
    def ends_at_ns(self) -> int | None:
        """When it ends or ended; None while it is paused."""
        if self.cancelled_at_ns is not None:
            return self.cancelled_at_ns
        return None if self.paused_at_ns is not None else self.started_at_ns + self.held_ns + self.takes_ns

    def passed_ns(self, now_ns: int) -> int:
        """How much of its time it has worked."""
        stands = [at_ns for at_ns in (self.paused_at_ns, self.cancelled_at_ns) if at_ns is not None]
        return min(max(0, min((now_ns, *stands)) - self.started_at_ns - self.held_ns), self.takes_ns)

    def runs_at(self, now_ns: int) -> bool:
        """Whether it is under way, paused or not."""
        return self.cancelled_at_ns is None and self.passed_ns(now_ns) < self.takes_ns


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class Dataset:
    """A filesystem or volume. ``settings`` are properties set locally, by their name in the API.

    ``growth`` is about how many bytes it gains an hour; ``user_properties`` are by their own names.
    """

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
    growth: int = 0
    user_properties: Mapping[str, str] = field(default_factory=dict)

    @property
    def pool(self) -> str:
        """The pool it lives in."""
        return self.name.partition("/")[0]

    @property
    def is_hidden(self) -> bool:
        """Whether it is one of the system's own, which no query shows."""
        return self.name.partition("/")[2].partition("/")[0] in _OWN_DATASETS

    @property
    def locked(self) -> bool:
        """Encrypted, and its key is not loaded."""
        return self.encrypted and not self.key_loaded


@dataclass(frozen=True, slots=True)
class Alert:
    """A raised alert. ``text`` is a template over ``args``; ``key`` is None where the arguments are the key.

    ``last_at_ns`` is when it was last found to hold, None for when it was raised.
    """

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
    key: str | None = None
    last_at_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot ``<dataset>@<snapshot_name>``; ``holds`` are tags and when they were set."""

    name: str
    guid: str
    createtxg: int
    created_at_ns: int
    referenced: int
    used: int
    keep_until_ns: int | None = None
    holds: Mapping[str, int] = field(default_factory=dict)

    @property
    def dataset(self) -> str:
        """What it is a snapshot of."""
        return self.name.partition("@")[0]

    @property
    def snapshot_name(self) -> str:
        """The part after the @."""
        return self.name.partition("@")[2]

    @property
    def pool(self) -> str:
        """The pool it lives in."""
        return self.name.partition("/")[0].partition("@")[0]


@dataclass(frozen=True, slots=True)
class Update:
    """What the update servers offer: ``available`` is a version, None when this is the newest.

    ``applied`` is the one that will run after the next reboot.
    """

    available: str | None = None
    profile: str = "GENERAL"
    applied: str | None = None


@dataclass(frozen=True, slots=True)
class RestUse:
    """REST requests since the last daily look: how many, and from where (truenas-api 0, alert RESTAPIUsage)."""

    count: int = 0
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True)
class State:
    """Everything that clients can read and that does not move by itself. Keyed by name, in the order shown.

    ``tables`` are the peripheral rows by service and id; ``revoked`` the names of revoked API keys with the reason;
    ``rest_use`` what the daily look at REST last found.
    """

    host: Host
    pools: Mapping[str, Pool]
    boot_pool: Pool
    datasets: Mapping[str, Dataset]
    disks: Mapping[str, Disk]
    alerts: Mapping[str, Alert]
    snapshots: Mapping[str, Snapshot] = field(default_factory=dict)
    tables: Tables = field(default_factory=dict)
    update: Update = Update()
    revoked: Mapping[str, str] = field(default_factory=dict)
    rest_use: RestUse = RestUse()
