"""Rows of the API read back into the state they show (truenas-api 3): lenient about keys, strict about values."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from mock_truenas.api.resources import disk as disks
from mock_truenas.api.resources.properties import COMMON, FILESYSTEM, USER
from mock_truenas.appliance.model import (
    Alert,
    AlertLevel,
    Dataset,
    Disk,
    Pool,
    PoolStatus,
    Scan,
    Snapshot,
    Topology,
    Vdev,
    VdevStatus,
    VdevType,
)

_MS_NS: Final = 1_000_000
_DEFAULTS: Final = {**COMMON, **FILESYSTEM}
# They follow from other fields of the state, or from nothing.
_DERIVED: Final = frozenset(
    {"readonly", "volsize", "used", "usedbychildren", "usedbydataset", "usedbyrefreservation", "usedbysnapshots"}
    | {"available", "creation", "compressratio", "origin", "key_format", "encryption_algorithm", "pbkdf2iters"}
)
_UNSET: Final = {"volblocksize": "16384", "sparse": "on", "reservation": "0", "refreservation": "0"}


def _instant(value: Any) -> Any:
    return value["$date"] * _MS_NS if isinstance(value, dict) and isinstance(value.get("$date"), int) else value


Instant = Annotated[int, BeforeValidator(_instant)]
Size = Annotated[int, Field(ge=0, lt=2**63)]
Text = Annotated[str, Field(max_length=4096)]


class Shown(BaseModel):
    """Base: keys nobody needs are passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True, coerce_numbers_to_str=True)


class ScanRow(Shown):
    function: Literal["SCRUB", "RESILVER"] | None = None
    state: Text | None = None
    start_time: Instant | None = None
    end_time: Instant | None = None
    percentage: float | None = None
    bytes_processed: Size | None = None
    pause: Instant | None = None
    errors: Size | None = None

    def scan(self, at_ns: int) -> Scan | None:
        """The scan it shows at an instant."""
        if self.function is None or self.start_time is None:
            return None
        total, errors = self.bytes_processed or 0, self.errors or 0
        ended_ns = self.end_time if self.end_time is not None else self.pause if self.pause is not None else at_ns
        worked_ns = max(0, ended_ns - self.start_time)
        if self.state == "FINISHED":
            return Scan(self.function, self.start_time, worked_ns, total, errors)
        share = min(1.0, max(0.001, (self.percentage or 0.0) / 100))
        takes_ns = round(worked_ns / share)
        cancelled_at_ns = ended_ns if self.state == "CANCELED" else None
        return Scan(
            self.function,
            self.start_time,
            takes_ns,
            total,
            errors,
            paused_at_ns=self.pause,
            cancelled_at_ns=cancelled_at_ns,
        )


class Stats(Shown):
    size: Size = 0
    read_errors: Size = 0
    write_errors: Size = 0
    checksum_errors: Size = 0


class VdevRow(Shown):
    type: VdevType
    name: Text
    guid: Text
    status: VdevStatus
    path: Text | None = None
    stats: Stats = Stats()
    children: list["VdevRow"] = Field(default_factory=list)
    device: Text | None = None
    disk: Text | None = None

    def vdev(self) -> Vdev:
        """The vdev it shows."""
        return Vdev(
            type=self.type,
            name=self.name,
            guid=self.guid,
            size=self.stats.size,
            status=self.status,
            children=tuple(child.vdev() for child in self.children),
            path=self.path,
            device=self.device,
            disk=self.disk,
            read_errors=self.stats.read_errors,
            write_errors=self.stats.write_errors,
            checksum_errors=self.stats.checksum_errors,
        )


class TopologyRow(Shown):
    data: list[VdevRow] = Field(default_factory=list)
    log: list[VdevRow] = Field(default_factory=list)
    cache: list[VdevRow] = Field(default_factory=list)
    spare: list[VdevRow] = Field(default_factory=list)
    special: list[VdevRow] = Field(default_factory=list)
    dedup: list[VdevRow] = Field(default_factory=list)


class PoolRow(Shown):
    id: Size = 0
    name: Annotated[str, Field(min_length=1, max_length=255)]
    guid: Text = "0"
    status: PoolStatus
    status_code: Text | None = None
    status_detail: Text | None = None
    size: Size | None = None
    allocated: Size | None = None
    fragmentation: Annotated[str, Field(pattern=r"^[0-9]{1,3}$")] | None = None
    scan: ScanRow | None = None
    topology: TopologyRow | None = None

    def pool(self, at_ns: int) -> Pool:
        """The pool it shows; of an exported one little is known."""
        groups = {} if self.topology is None else dict(self.topology)
        size = self.size or 0
        return Pool(
            id=self.id,
            name=self.name,
            guid=self.guid,
            size=size,
            allocated=min(self.allocated or 0, size),
            topology=Topology(**{name: tuple(row.vdev() for row in rows) for name, rows in groups.items()}),
            status=self.status,
            status_code=self.status_code or "OK",
            status_detail=self.status_detail,
            fragmentation=int(self.fragmentation or 0),
            scan=None if self.scan is None else self.scan.scan(at_ns),
        )


class PropertyRow(Shown):
    rawvalue: Text = ""
    source: Text = "NONE"


class DatasetRow(Shown):
    name: Annotated[str, Field(min_length=1, max_length=255)]
    type: Literal["FILESYSTEM", "VOLUME"]
    encrypted: bool = False
    encryption_root: Text | None = None
    key_loaded: bool | None = None
    mountpoint: Text | None = None
    user_properties: dict[str, PropertyRow] = Field(default_factory=dict)
    model_config = ConfigDict(extra="allow", frozen=True, coerce_numbers_to_str=True)

    def dataset(self) -> Dataset:
        """The dataset it shows, without those below it."""
        found = self._properties()
        volume = self.type == "VOLUME"
        settings = {name: row.rawvalue for name, row in found.items() if name not in _DERIVED and _is_set(name, row)}
        readonly = found.get("readonly", PropertyRow())
        return Dataset(
            name=self.name,
            guid="0",
            used=_number(found, "used"),
            available=_number(found, "available"),
            snapshots_used=_number(found, "usedbysnapshots"),
            created_at_ns=_number(found, "creation") * 1_000_000_000,
            type=self.type,
            volsize=_number(found, "volsize") if volume else None,
            encrypted=self.encrypted,
            encryption_root=self.encryption_root,
            key_loaded=self.key_loaded,
            readonly=readonly.rawvalue == "on" and readonly.source != "INHERITED",
            mountpoint=self.mountpoint,
            compressratio=found.get("compressratio", PropertyRow(rawvalue="1.00")).rawvalue or "1.00",
            settings=settings,
            user_properties={
                name: row.rawvalue for name, row in self.user_properties.items() if row.source != "INHERITED"
            },
        )

    def _properties(self) -> dict[str, PropertyRow]:
        extra = self.model_extra or {}
        shown = {name: value for name, value in extra.items() if isinstance(value, dict) and "rawvalue" in value}
        return {name: PropertyRow.model_validate(value) for name, value in shown.items()}


def _is_set(name: str, row: PropertyRow) -> bool:
    """Whether it is not what an appliance shows by itself."""
    if row.source == "INHERITED":
        return False
    if name in USER or row.source in ("LOCAL", "RECEIVED"):
        return not (name in ("sparse", "volblocksize") and row.rawvalue == _UNSET[name])
    usual = _DEFAULTS.get(name, _UNSET.get(name))
    return usual is not None and row.rawvalue != usual


def _number(found: Mapping[str, PropertyRow], name: str) -> int:
    text = found.get(name, PropertyRow()).rawvalue
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0


class Enclosure(Shown):
    number: int
    slot: int


class DiskRow(Shown):
    name: Annotated[str, Field(min_length=1, max_length=64)]
    serial: Text = ""
    lunid: Text | None = None
    size: Size | None = None
    model: Text | None = None
    type: Literal["HDD", "SSD", "UNKNOWN"] | None = None
    bus: Text = "UNKNOWN"
    rotationrate: Size | None = None
    pool: Text | None = None
    zfs_guid: Text | None = None
    expiretime: Instant | None = None
    enclosure: Enclosure | None = None
    model_config = ConfigDict(extra="allow", frozen=True, coerce_numbers_to_str=True)

    def disk(self, temperature: int | None) -> Disk:
        """The disk it shows, with the temperature it usually has."""
        extra = self.model_extra or {}
        return Disk(
            name=self.name,
            serial=self.serial,
            lunid=self.lunid,
            size=self.size or 0,
            model=self.model,
            type=self.type or "UNKNOWN",
            bus=self.bus,
            rotationrate=self.rotationrate,
            pool=self.pool,
            zfs_guid=self.zfs_guid,
            temperature=temperature,
            enclosure=None if self.enclosure is None else (self.enclosure.number, self.enclosure.slot),
            settings={name: extra[name] for name, usual in disks.SETTINGS.items() if extra.get(name, usual) != usual},
            expires_at_ns=self.expiretime,
        )


class AlertRow(Shown):
    uuid: Text
    klass: Text
    level: AlertLevel
    text: Annotated[str, Field(max_length=1 << 20)]
    datetime: Instant
    last_occurrence: Instant | None = None
    args: dict[str, Any] | list[Any] | None = None
    source: Text = ""
    node: Text = "Controller A"
    key: Annotated[str, Field(max_length=1 << 20)] | None = None
    dismissed: bool = False
    one_shot: bool = False

    def alert(self) -> Alert:
        """The alert it shows."""
        return Alert(
            uuid=self.uuid,
            klass=self.klass,
            level=self.level,
            text=self.text,
            raised_at_ns=self.datetime,
            args=self.args,
            source=self.source,
            node=self.node,
            dismissed=self.dismissed,
            one_shot=self.one_shot,
            key=self.key,
            last_at_ns=self.last_occurrence,
        )


class SnapshotRow(Shown):
    name: Annotated[str, Field(pattern=r"^[^@]+@[^@]+$", max_length=512)]
    createtxg: Annotated[str, Field(pattern=r"^[0-9]{1,18}$")] = "0"
    properties: dict[str, PropertyRow] = Field(default_factory=dict)
    holds: dict[str, Instant] = Field(default_factory=dict)

    def snapshot(self) -> Snapshot:
        """The snapshot it shows."""
        return Snapshot(
            name=self.name,
            guid=self.properties.get("guid", PropertyRow()).rawvalue or "0",
            createtxg=int(self.createtxg),
            created_at_ns=_number(self.properties, "creation") * 1_000_000_000,
            referenced=_number(self.properties, "referenced"),
            used=_number(self.properties, "used"),
            holds=self.holds,
        )


class InfoRow(Shown):
    version: Text
    hostname: Text
    physmem: Size
    model: Text = ""
    cores: Annotated[int, Field(ge=1, le=65536)] = 1
    physical_cores: Annotated[int, Field(ge=1, le=65536)] = 1
    loadavg: list[float] = Field(default_factory=lambda: [0.5, 0.5, 0.5])
    system_serial: Text | None = None
    system_product: Text | None = None
    system_product_version: Text | None = None
    system_manufacturer: Text | None = None
    boottime: Instant
    timezone: Text = "UTC"
    ecc_memory: bool = False


def nested(rows: list[Any], depth: int = 0) -> Iterator[Any]:
    """Datasets and all below them, parents first. Raises ValueError for what nests without end."""
    if depth > 64:
        raise ValueError("datasets are nested deeper than 64 levels")
    for row in rows:
        yield row
        children = row.get("children") if isinstance(row, dict) else None
        if isinstance(children, list):
            yield from nested(children, depth + 1)
