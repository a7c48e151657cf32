"""Datasets as ``pool.dataset.query`` shows them (truenas-api 3.3): flat, and each one also inside its ancestors.

Ten thousand of them are 100 MB of JSON, so a row here keeps to what varies between datasets; the rest of its text it
has in common with all datasets of its kind.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, Literal

from mock_truenas.api.pieces import MARK, Row, scalar, texts
from mock_truenas.api.resources.dataset_kinds import (
    LEAVES,
    NUMBERS,
    Kind,
    Origin,
    Wanted,
    constants,
    filled,
    stencil_of,
)
from mock_truenas.api.resources.moment import date_ms
from mock_truenas.api.resources.properties import creation_text, inherits, nice, number
from mock_truenas.appliance.model import Dataset
from mock_truenas.appliance.nas import Appliance

Part = Literal["settings", "user_properties"]


class DatasetRow(Row):
    """One dataset of a view."""

    __slots__ = ("_dataset", "_fragments", "_kind", "_view")

    def __init__(self, view: "View", dataset: Dataset) -> None:
        self._view = view
        self._dataset = dataset
        self._kind: Kind | None = None
        self._fragments: tuple[str, ...] | None = None

    @property
    def kind(self) -> Kind:
        """What it has in common with others."""
        if self._kind is None:
            self._kind = self._view.kind(self._dataset)
        return self._kind

    def __getitem__(self, key: str) -> Any:
        if key in ("id", "name"):
            return self._dataset.name
        if key in ("pool", "type", "mountpoint", "encrypted", "locked"):
            return getattr(self._dataset, key)
        if key in ("children", "snapshots", "snapshot_count"):
            return self._hole(key)
        if key in NUMBERS and key in self:
            # Filters and orders ask for these, of every row.
            return number(self._view.amounts(self._dataset)[key], "LOCAL" if key == "volsize" else "NONE")
        return self._full()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(constants(self.kind))

    def __len__(self) -> int:
        return len(constants(self.kind))

    def __contains__(self, key: object) -> bool:
        return key in constants(self.kind)

    def items(self) -> Any:
        """All of it at once."""
        return self._full().items()

    def values(self) -> Any:
        """All of it at once."""
        return self._full().values()

    def texts(self, indent: int | None, level: int) -> Iterator[str]:
        """See Row."""
        if self._view.has_marks(self.kind):
            yield from texts(self._full(), indent, level)
            return
        if self._fragments is None:
            leaves = self._view.leaves(self._dataset)
            self._fragments = tuple(scalar(leaves[name]) for name in LEAVES)
        stencil = stencil_of(self.kind, indent, level)
        first, *following = stencil.filled(self._fragments)
        yield first
        for hole, text in zip(stencil.holes, following, strict=True):
            yield from texts(self._hole(hole), indent, level + 1)
            yield text

    def _full(self) -> dict[str, Any]:
        shown = filled(self.kind, self._view.leaves(self._dataset))
        for name in ("children", "snapshots", "snapshot_count"):
            if name in shown:
                shown[name] = self._hole(name)
        return shown

    def _hole(self, name: str) -> Any:
        if name not in constants(self.kind):
            raise KeyError(name)
        name_of_this = self._dataset.name
        if name == "children":
            return self._view.children.get(name_of_this, [])
        found = self._view.snapshots.get(name_of_this, [])
        return found if name == "snapshots" else len(found)


class View:
    """The datasets of an appliance as one query sees them."""

    def __init__(self, appliance: Appliance, wanted: Wanted) -> None:
        self._appliance = appliance
        self._all = appliance.state.datasets
        self.wanted = wanted
        shown = [dataset for dataset in self._all.values() if not dataset.is_hidden]
        self.rows = {dataset.name: DatasetRow(self, dataset) for dataset in shown}
        self.children: dict[str, list[DatasetRow]] = {}
        self._below = dict.fromkeys(self._all, 0)
        for name, row in self.rows.items():
            self.children.setdefault(name.rpartition("/")[0], []).append(row)
        for name, dataset in self._all.items():
            parent = name.rpartition("/")[0]
            if parent in self._below:
                self._below[parent] += dataset.used
        self._heritage: dict[tuple[Part, str], tuple[Origin, ...]] = {}
        self._marked: dict[Kind, bool] = {}

    @property
    def roots(self) -> list[DatasetRow]:
        """The datasets of the pools themselves."""
        return self.children.get("", [])

    @cached_property
    def snapshots(self) -> dict[str, list[dict[str, Any]]]:
        """Short rows of the snapshots by dataset."""
        by_dataset: dict[str, list[dict[str, Any]]] = {}
        for name in getattr(self._appliance.state, "snapshots", {}):
            dataset, _, short = name.partition("@")
            row = {"id": name, "name": name, "pool": dataset.partition("/")[0], "type": "SNAPSHOT"}
            by_dataset.setdefault(dataset, []).append({**row, "snapshot_name": short, "dataset": dataset})
        return by_dataset

    def has_marks(self, kind: Kind) -> bool:
        """Whether somebody's own text looks like the marks of a stencil."""
        known = self._marked.get(kind)
        if known is None:
            origins = (*kind.settings, *kind.user_properties)
            known = self._marked[kind] = any(MARK in text for origin in origins for text in origin if text)
        return known

    def kind(self, dataset: Dataset) -> Kind:
        """What a dataset has in common with others."""
        root = dataset.encryption_root
        return Kind(
            type=dataset.type,
            encryption="none" if not dataset.encrypted else "own" if root == dataset.name else "inherited",
            key_loaded=dataset.key_loaded,
            readonly=dataset.readonly,
            settings=self._set("settings", dataset),
            user_properties=self._set("user_properties", dataset),
            wanted=self.wanted,
        )

    def amounts(self, dataset: Dataset) -> dict[str, int]:
        """The sizes that vary, in bytes."""
        below = self._below[dataset.name]
        return {
            "used": dataset.used,
            "usedbychildren": below,
            "usedbydataset": max(0, dataset.used - dataset.snapshots_used - below),
            "usedbysnapshots": dataset.snapshots_used,
            "available": dataset.available,
            "volsize": dataset.volsize or 0,
        }

    def leaves(self, dataset: Dataset) -> dict[str, Any]:
        """What varies between datasets of a kind, as plain scalars."""
        leaves: dict[str, Any] = {
            "name": dataset.name,
            "pool": dataset.pool,
            "mountpoint": dataset.mountpoint,
            "encryption_root": dataset.encryption_root,
            "compressratio": dataset.compressratio,
            "compressratio_value": f"{dataset.compressratio}x",
            "creation_ms": date_ms(dataset.created_at_ns),
            "creation_raw": str(dataset.created_at_ns // 1_000_000_000),
            "creation_value": creation_text(dataset.created_at_ns),
        }
        for name, amount in self.amounts(dataset).items():
            leaves[name], leaves[f"{name}_raw"], leaves[f"{name}_value"] = amount, str(amount), nice(amount)
        return leaves

    def _set(self, part: Part, dataset: Dataset) -> tuple[Origin, ...]:
        """Settings or user properties a dataset has, its own last."""
        inherited = self._inherited(part, dataset.name.rpartition("/")[0])
        own: Mapping[str, str] = getattr(dataset, part)
        if not own:
            return inherited
        return (*(origin for origin in inherited if origin[0] not in own), *((name, own[name], None) for name in own))

    def _inherited(self, part: Part, ancestor: str) -> tuple[Origin, ...]:
        """What the children of a dataset take over."""
        known = self._heritage.get((part, ancestor))
        if known is None:
            dataset = self._all.get(ancestor)
            own: Mapping[str, str] = {} if dataset is None else getattr(dataset, part)
            above = self._inherited(part, ancestor.rpartition("/")[0]) if ancestor else ()
            kept = (origin for origin in above if origin[0] not in own)
            known = (*kept, *((name, raw, ancestor) for name, raw in own.items() if inherits(name)))
            self._heritage[part, ancestor] = known
        return known


def rows(appliance: Appliance, extra: Mapping[str, Any], named: Iterable[str] | str | None = None) -> list[DatasetRow]:
    """``GET /pool/dataset`` before filters.

    ``named`` are the datasets a query asks for by id or name; they are then looked at instead of the pools' roots.
    ``extra``: ``flat`` false gives the roots with all below them; ``retrieve_children`` false gives the roots alone,
    without a ``children`` key; ``properties`` is a list of property names to show, null for all; ``snapshots`` and
    ``snapshots_count`` add what they say; ``retrieve_user_props`` false empties ``user_properties``.
    """
    wanted = Wanted.of(extra)
    view = View(appliance, wanted)
    if named is None:
        tops = view.roots
    else:
        names = {named} if isinstance(named, str) else set(named)
        tops = [row for name, row in view.rows.items() if name in names]
    if not wanted.children or extra.get("flat") is False:
        return tops
    return list(view.rows.values()) if named is None else [row for top in tops for row in _flat(top)]


def _flat(top: DatasetRow) -> Iterator[DatasetRow]:
    yield top
    for child in top["children"]:
        yield from _flat(child)
