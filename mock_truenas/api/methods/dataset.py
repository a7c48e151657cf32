"""``pool.dataset.*``: what filesystems and volumes tell of themselves (truenas-api 3.3). Changes them nowhere."""

import asyncio
from typing import Any, Final, Literal

from mock_truenas.api.errors import InstanceNotFound
from mock_truenas.api.methods.method import Call, Kind, Method, Param
from mock_truenas.api.methods.tables import constant
from mock_truenas.api.resources import dataset, dataset_details
from mock_truenas.api.resources.pool_changes import attachments
from mock_truenas.appliance.model import Dataset

_ID: Final = Param("id", str)


def dataset_of(call: Call, attribute: str = "") -> Dataset:
    """The dataset a call names. Raises InstanceNotFound."""
    name = call.arguments["id"]
    found: Dataset | None = call.appliance.seen("datasets", name)
    if found is None:
        raise InstanceNotFound(f"Dataset {name}", attribute)
    return found


def _named(call: Call) -> list[str] | None:
    """The datasets the first filter asks for by name: only these are looked at (truenas-api 3.3)."""
    filters = call.query.filters if call.query is not None else ()
    if not filters or not isinstance(filters[0], list | tuple) or len(filters[0]) != 3:
        return None
    field, op, value = filters[0]
    if field not in ("id", "name"):
        return None
    if op == "in" and isinstance(value, list):
        return [str(name) for name in value]
    return [str(value)] if op == "=" else None


def _rows(call: Call) -> Any:
    return dataset.rows(call.appliance, call.extra, _named(call))


async def _details(call: Call) -> list[dict[str, Any]]:
    roots: list[dict[str, Any]] = []
    for _ in dataset_details.building(call.appliance, roots):
        # There may be thousands; others get their turn in between.
        await asyncio.sleep(0)
    return roots


def _quota(call: Call) -> list[dict[str, Any]]:
    found = call.appliance.seen("datasets", call.arguments["ds"])
    if found is None:
        raise InstanceNotFound(f"Dataset {call.arguments['ds']}", "ds")
    return dataset_details.quotas(found, call.arguments["quota_type"])


def _attachments(call: Call) -> list[dict[str, Any]]:
    return attachments(call.appliance, f"/mnt/{dataset_of(call).name}")


def _processes(call: Call) -> list[Any]:
    dataset_of(call)
    return []


def _snapshot_count(call: Call) -> int:
    name = call.arguments["dataset"]
    return sum(snapshot.dataset == name for snapshot in call.appliance.state.snapshots.values())


def _block_size(call: Call) -> str:
    found = call.appliance.state.pools.get(call.arguments["pool"])
    if found is None:
        raise InstanceNotFound(f"Pool {call.arguments['pool']}", "pool")
    widest = max((len(vdev.children) for vdev in found.topology.data), default=1)
    return "16K" if widest <= 8 else "32K" if widest <= 16 else "64K"


_COMPRESSIONS: Final = ("OFF", "ON", "LZ4", "ZSTD", "ZSTD-FAST", "GZIP", "GZIP-1", "GZIP-9", "ZLE", "LZJB")
_CHECKSUMS: Final = ("ON", "FLETCHER2", "FLETCHER4", "SHA256", "SHA512", "SKEIN", "EDONR", "BLAKE3")
_CIPHERS: Final = ("AES-128-CCM", "AES-192-CCM", "AES-256-CCM", "AES-128-GCM", "AES-192-GCM", "AES-256-GCM")
_RECORD_SIZES: Final = ("512B", "1K", "2K", "4K", "8K", "16K", "32K", "64K", "128K", "256K", "512K", "1M")


def _choices(name: str, doc: str, values: tuple[str, ...]) -> Method:
    return constant(f"pool.dataset.{name}", doc, {value: value for value in values})


METHODS: Final = (
    Method("pool.dataset.query", "Datasets, flat and nested", _rows, kind=Kind.QUERY, filterable=True, moving="never"),
    Method("pool.dataset.details", "Datasets as a tree, with what uses them", _details, moving="never"),
    Method(
        "pool.dataset.get_quota",
        "Quotas of a dataset",
        _quota,
        (
            Param("ds", str),
            Param("quota_type", Literal["USER", "GROUP", "DATASET", "PROJECT"]),
            Param("filters", list[Any], [], since="25.04.0"),
            Param("options", dict[str, Any], {}, since="25.04.0"),
        ),
        moving="never",
    ),
    Method("pool.dataset.attachments", "What uses a dataset", _attachments, (_ID,), item=True, moving="never"),
    Method(
        "pool.dataset.processes",
        "Processes that hold files of a dataset open",
        _processes,
        (_ID,),
        item=True,
        moving="never",
    ),
    Method(
        "pool.dataset.snapshot_count",
        "How many snapshots a dataset has",
        _snapshot_count,
        (Param("dataset", str),),
        moving="never",
    ),
    Method(
        "pool.dataset.recommended_zvol_blocksize",
        "Block size for volumes of a pool",
        _block_size,
        (Param("pool", str),),
        moving="never",
    ),
    _choices("compression_choices", "Compressions", _COMPRESSIONS),
    _choices("checksum_choices", "Checksums", _CHECKSUMS),
    _choices("encryption_algorithm_choices", "Ciphers", _CIPHERS),
    constant("pool.dataset.recordsize_choices", "Record sizes", list(_RECORD_SIZES), Param("pool", str | None, None)),
)
