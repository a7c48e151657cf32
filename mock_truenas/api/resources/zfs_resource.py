"""Datasets and snapshots as ``zfs.resource.query`` and ``zfs.resource.snapshot.query`` show them (truenas-api 3.8)."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from mock_truenas.api.pieces import plain
from mock_truenas.api.resources import dataset as datasets
from mock_truenas.appliance.model import Dataset, Snapshot
from mock_truenas.appliance.nas import Appliance

_AT_ONCE: Final = 100
_SNAPSHOT_PROPERTIES: Final = ("creation", "used", "referenced", "written", "guid", "createtxg")


@dataclass(frozen=True)
class Asked:
    """What a query wants: ``properties`` None for none, empty for all there are."""

    paths: tuple[str, ...] = ()
    properties: tuple[str, ...] | None = ()
    user_properties: bool = False
    source: bool = True
    children: bool = False
    nested: bool = False


def building(appliance: Appliance, asked: Asked, tops: list[dict[str, Any]]) -> Iterator[None]:
    """Fill ``tops`` with the datasets at some paths, giving way after every few.

    Without paths they are the pools' own; with children all below are there too, nested or not.
    """
    known = appliance.state.datasets
    paths = asked.paths or tuple(name for name in known if "/" not in name)
    wanted = [name for name in known if name in paths or (asked.children and _is_below(name, paths))]
    made: dict[str, dict[str, Any]] = {}
    for number, shown in enumerate(datasets.rows(appliance, {"retrieve_children": False}, wanted), start=1):
        name = shown["name"]
        row = made[name] = _row(known[name], shown, asked)
        parent = made.get(name.rpartition("/")[0]) if asked.nested else None
        (tops if parent is None else parent["children"]).append(row)
        if number % _AT_ONCE == 0:
            yield


def snapshot_rows(
    appliance: Appliance,
    asked: Asked,
    *,
    holds: bool,
    recursive: bool,
    txgs: tuple[int, int] = (0, 0),
) -> list[dict[str, Any]]:
    """The snapshots at some paths, which name snapshots or datasets; all of them without paths."""
    least, most = txgs
    return [
        _snapshot(found, asked, holds=holds)
        for found in appliance.state.snapshots.values()
        if _asked_for(found, asked.paths, recursive=recursive)
        and found.createtxg >= least
        and (not most or found.createtxg <= most)
    ]


def _asked_for(found: Snapshot, paths: tuple[str, ...], *, recursive: bool) -> bool:
    if not paths or found.name in paths or found.dataset in paths:
        return True
    return recursive and _is_below(found.dataset, paths)


def _is_below(name: str, tops: Iterable[str]) -> bool:
    return any(name.startswith(f"{top}/") for top in tops)


def _row(dataset: Dataset, shown: Mapping[str, Any], asked: Asked) -> dict[str, Any]:
    names = asked.properties
    every = {name: value for name, value in shown.items() if isinstance(value, dict) and "rawvalue" in value}
    properties = None
    if names is not None:
        properties = {name: _property(value, asked) for name, value in every.items() if not names or name in names}
    row: dict[str, Any] = {
        "createtxg": dataset.created_at_ns // 5_000_000_000 % 100_000_000,
        "guid": int(dataset.guid),
        "name": dataset.name,
        "pool": dataset.pool,
        "type": dataset.type,
        "properties": properties,
        "user_properties": dict(dataset.user_properties) if asked.user_properties else None,
    }
    return {**row, "children": []} if asked.nested or asked.children else {**row, "children": None}


def _property(value: Mapping[str, Any], asked: Asked) -> dict[str, Any]:
    parsed = plain(value["parsed"])
    if isinstance(parsed, dict):
        parsed = int(value["rawvalue"])
    source = {"type": value["source"], "value": value["source_info"]} if asked.source else None
    return {"raw": value["rawvalue"], "value": parsed, "source": source}


def _snapshot(found: Snapshot, asked: Asked, *, holds: bool) -> dict[str, Any]:
    numbers = {
        "creation": found.created_at_ns // 1_000_000_000,
        "used": found.used,
        "referenced": found.referenced,
        "written": found.used,
        "guid": int(found.guid),
        "createtxg": found.createtxg,
    }
    properties = None
    if asked.properties is not None:
        properties = {
            name: {"raw": str(numbers[name]), "value": numbers[name], "source": None}
            for name in _SNAPSHOT_PROPERTIES
            if not asked.properties or name in asked.properties
        }
    return {
        "createtxg": found.createtxg,
        "guid": int(found.guid),
        "name": found.name,
        "pool": found.pool,
        "dataset": found.dataset,
        "snapshot_name": found.snapshot_name,
        "type": "SNAPSHOT",
        "properties": properties,
        "user_properties": {} if asked.user_properties else None,
        "holds": list(found.holds) if holds else None,
    }
