"""One reading of an appliance, as plain values. No I/O, no mapping to resources."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class System:
    """`system.info` (truenas-api 3.1). Memory in bytes, uptime in seconds."""

    hostname: str | None
    version: str
    model: str | None
    serial: str | None
    cores: int | None
    memory: int | None
    load: float | None
    uptime_s: float | None


@dataclass(frozen=True, slots=True)
class Scan:
    """The last or running scrub or resilver; every part may be None on a pool never scanned."""

    function: str | None
    state: str | None
    percentage: float | None
    errors: int | None


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool (truenas-api 3.2). Sizes in bytes; error counts are summed over top-level vdevs.

    `members` maps the disks below it to the status of their vdev.
    """

    name: str
    status: str | None
    healthy: bool | None
    size: int | None
    allocated: int | None
    free: int | None
    scan: Scan
    read_errors: int
    write_errors: int
    checksum_errors: int
    members: dict[str, str]


@dataclass(frozen=True, slots=True)
class Dataset:
    """A file system or volume (truenas-api 3.3). Sizes in bytes."""

    name: str
    pool: str
    kind: str
    used: int | None
    available: int | None
    quota: int | None
    mountpoint: str | None
    locked: bool
    readonly: bool


@dataclass(frozen=True, slots=True)
class Disk:
    """A disk (truenas-api 3.4). Size in bytes, temperature in °C where a release sends one."""

    name: str
    serial: str | None
    model: str | None
    size: int | None
    kind: str | None
    bus: str | None
    temperature: int | None


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert of the appliance that nobody dismissed (truenas-api 3.5). `subjects` are the texts of its arguments."""

    id: str
    klass: str
    level: str
    text: str
    raised_ns: int | None
    subjects: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One whole reading. A part that is the very object of the reading before did not change in between.

    `unreadable` holds the paths of fields that arrived in a shape nobody expected.
    """

    system: System
    pools: tuple[Pool, ...]
    datasets: tuple[Dataset, ...]
    disks: tuple[Disk, ...]
    alerts: tuple[Alert, ...]
    unreadable: tuple[str, ...] = ()
