"""``zfs.resource.*``: datasets (25.10) and snapshots (26) nearer to how ZFS has them (truenas-api 3.8)."""

import asyncio
from typing import Any, Final

from pydantic import Field

from mock_truenas.api.errors import ValidationErrors
from mock_truenas.api.methods.checking import Given
from mock_truenas.api.methods.method import Call, Method, Param
from mock_truenas.api.resources import zfs_resource
from mock_truenas.api.resources.zfs_resource import Asked

_ROLES: Final = frozenset({"DATASET_READ", "SNAPSHOT_READ"})


class ResourceQuery(Given):
    """Which datasets, and what of them."""

    paths: list[str] = Field(default_factory=list)
    properties: list[str] | None = Field(default_factory=list)
    get_user_properties: bool = False
    get_source: bool = True
    nest_results: bool = False
    get_children: bool = False
    exclude_internal_paths: bool = True


class SnapshotQuery(Given):
    """Which snapshots, and what of them."""

    paths: list[str] = Field(default_factory=list)
    properties: list[str] | None = None
    get_user_properties: bool = False
    get_source: bool = True
    get_holds: bool = False
    recursive: bool = False
    min_txg: int = 0
    max_txg: int = 0


async def _datasets(call: Call) -> list[dict[str, Any]]:
    given: ResourceQuery = call.arguments["data"]
    if any("@" in path for path in given.paths):
        raise ValidationErrors.one("data.paths", "Paths of datasets cannot have an @ in them")
    asked = Asked(
        paths=tuple(given.paths),
        properties=None if given.properties is None else tuple(given.properties),
        user_properties=given.get_user_properties,
        source=given.get_source,
        children=given.get_children,
        nested=given.nest_results,
    )
    tops: list[dict[str, Any]] = []
    for _ in zfs_resource.building(call.appliance, asked, tops):
        # There may be thousands; others get their turn in between.
        await asyncio.sleep(0)
    return tops


def _snapshots(call: Call) -> list[dict[str, Any]]:
    given: SnapshotQuery = call.arguments["data"]
    asked = Asked(
        paths=tuple(given.paths),
        properties=None if given.properties is None else tuple(given.properties),
        user_properties=given.get_user_properties,
        source=given.get_source,
    )
    return zfs_resource.snapshot_rows(
        call.appliance,
        asked,
        holds=given.get_holds,
        recursive=given.recursive,
        txgs=(given.min_txg, given.max_txg),
    )


METHODS: Final = (
    Method(
        "zfs.resource.query",
        "Datasets by their paths",
        _datasets,
        (Param("data", ResourceQuery, {}),),
        roles=_ROLES,
        moving="never",
    ),
    Method(
        "zfs.resource.snapshot.query",
        "Snapshots by their paths",
        _snapshots,
        (Param("data", SnapshotQuery, {}),),
        roles=_ROLES,
        moving="never",
    ),
)
