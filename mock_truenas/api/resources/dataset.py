"""Datasets as ``pool.dataset.query`` shows them (truenas-api 3.3): flat, and each one also inside its ancestors.

Ten thousand of them are 100 MB of JSON, so a row here keeps to what varies between datasets; the rest of its text it
has in common with all datasets of its :class:`Kind`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Final, Literal

from mock_truenas.api.pieces import MARK, Row, Stencil, gap, scalar, texts
from mock_truenas.api.resources.moment import date_ms
from mock_truenas.api.resources.properties import (
    COMMON,
    FILESYSTEM,
    Property,
    creation_text,
    inherits,
    nice,
    number,
    prop,
    setting,
)
from mock_truenas.appliance.model import Dataset
from mock_truenas.appliance.nas import Appliance

_NUMBERS: Final = ("used", "usedbychildren", "usedbydataset", "usedbysnapshots", "available", "volsize")
_PLAIN_LEAVES: Final = (
    "name",
    "pool",
    "mountpoint",
    "encryption_root",
    "compressratio",
    "compressratio_value",
    "creation_ms",
    "creation_raw",
    "creation_value",
)
_LEAVES: Final = (*_PLAIN_LEAVES, *(name + end for name in _NUMBERS for end in ("", "_raw", "_value")))
_HIDDEN: Final = frozenset({".system", "ix-applications", "ix-apps", ".ix-virt"})

Part = Literal["settings", "user_properties"]
Origin = tuple[str, str, str | None]
"""Name and raw value of a setting, and the ancestor it is inherited from; None for the dataset's own."""


@dataclass(frozen=True)
class Wanted:
    """What a query wants to be told of each dataset; ``names`` of properties, None for all."""

    names: frozenset[str] | None = None
    children: bool = True
    user_properties: bool = True
    snapshots: bool = False
    snapshot_count: bool = False

    @classmethod
    def of(cls, extra: Mapping[str, Any]) -> "Wanted":
        """From ``query-options.extra``."""
        named = extra.get("properties")
        return cls(
            names=frozenset(map(str, named)) if isinstance(named, list) else None,
            children=extra.get("retrieve_children") is not False,
            user_properties=extra.get("retrieve_user_props") is not False,
            snapshots=extra.get("snapshots") is True,
            snapshot_count=extra.get("snapshots_count") is True,
        )


@dataclass(frozen=True)
class Kind:
    """All that decides about a dataset's text but for the leaves filled in."""

    type: Literal["FILESYSTEM", "VOLUME"]
    encryption: Literal["none", "own", "inherited"]
    key_loaded: bool | None
    readonly: bool
    settings: tuple[Origin, ...]
    user_properties: tuple[Origin, ...]
    wanted: Wanted


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
        if key in _NUMBERS and key in self:
            # Filters and orders ask for these, of every row.
            return number(self._view.amounts(self._dataset)[key], "LOCAL" if key == "volsize" else "NONE")
        return self._full()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(_constants(self.kind))

    def __len__(self) -> int:
        return len(_constants(self.kind))

    def __contains__(self, key: object) -> bool:
        return key in _constants(self.kind)

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
            self._fragments = tuple(scalar(leaves[name]) for name in _LEAVES)
        stencil = _stencil(self.kind, indent, level)
        first, *following = stencil.filled(self._fragments)
        yield first
        for hole, text in zip(stencil.holes, following, strict=True):
            yield from texts(self._hole(hole), indent, level + 1)
            yield text

    def _full(self) -> dict[str, Any]:
        shown = _filled(self.kind, self._view.leaves(self._dataset))
        for name in ("children", "snapshots", "snapshot_count"):
            if name in shown:
                shown[name] = self._hole(name)
        return shown

    def _hole(self, name: str) -> Any:
        if name not in _constants(self.kind):
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
        shown = [dataset for name, dataset in self._all.items() if not _hidden(name)]
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


def _hidden(name: str) -> bool:
    below = name.partition("/")[2]
    return below.partition("/")[0] in _HIDDEN


def _filled(kind: Kind, leaves: Mapping[str, Any]) -> dict[str, Any]:
    """A whole row: what the kind says, and the leaves. Holes are left as the kind has them."""
    shown = dict(_constants(kind))
    shown["id"] = shown["name"] = leaves["name"]
    shown["pool"], shown["mountpoint"] = leaves["pool"], leaves["mountpoint"]
    shown["encryption_root"] = leaves["encryption_root"]
    for name in _NUMBERS:
        if name in shown:
            source = "LOCAL" if name == "volsize" else "NONE"
            shown[name] = prop(leaves[name], leaves[f"{name}_raw"], leaves[f"{name}_value"], source)
    if "compressratio" in shown:
        shown["compressratio"] = prop(
            leaves["compressratio"], leaves["compressratio"], leaves["compressratio_value"], "NONE"
        )
    if "creation" in shown:
        shown["creation"] = prop(
            {"$date": leaves["creation_ms"]}, leaves["creation_raw"], leaves["creation_value"], "NONE"
        )
    if kind.encryption == "inherited":
        for name in _ENCRYPTION:
            if name in shown:
                shown[name] = {**shown[name], "source_info": leaves["encryption_root"]}
    return shown


@lru_cache(maxsize=512)
def _stencil(kind: Kind, indent: int | None, level: int) -> Stencil:
    value = _filled(kind, {name: gap(name) for name in _LEAVES})
    holes = {name: gap(name) for name in ("children", "snapshots", "snapshot_count") if name in value}
    return Stencil({**value, **holes}, _LEAVES, indent, level)


@lru_cache(maxsize=1024)
def _constants(kind: Kind) -> dict[str, Any]:
    """The row of a kind in its order; what the leaves and holes will hold is None. Nobody changes it."""
    names = kind.wanted.names
    properties = _properties(kind)
    shown: dict[str, Any] = {
        "id": None,
        "type": kind.type,
        "name": None,
        "pool": None,
        "encrypted": kind.encryption != "none",
        "encryption_root": None,
        "key_loaded": kind.key_loaded,
        **{name: value for name, value in properties.items() if names is None or name in names},
        "mountpoint": None,
        "user_properties": _user_properties(kind) if kind.wanted.user_properties else {},
        "locked": kind.encryption != "none" and not kind.key_loaded,
    }
    holes = {
        "snapshots": kind.wanted.snapshots,
        "snapshot_count": kind.wanted.snapshot_count,
        "children": kind.wanted.children,
    }
    return shown | {name: None for name, there in holes.items() if there}


_ENCRYPTION: Final[Mapping[str, tuple[str, str]]] = {
    "key_format": ("none", "passphrase"),
    "encryption_algorithm": ("off", "aes-256-gcm"),
    "pbkdf2iters": ("0", "350000"),
}
"""Raw values without and with encryption."""


def _properties(kind: Kind) -> dict[str, Property | None]:
    """All properties in their order; None where the leaves fill in."""
    volume = kind.type == "VOLUME"
    base = COMMON if volume else {**COMMON, **FILESYSTEM}
    shown: dict[str, Property | None] = {name: setting(name, raw) for name, raw in base.items()}
    for name, raw, origin in kind.settings:
        if "@" in name:
            continue  # a user's or group's quota, which is no property of the dataset
        if origin is None:
            shown[name] = setting(name, raw, "LOCAL")
        elif name in base:
            shown[name] = setting(name, raw, "INHERITED", origin)
    set_here = {name for name, _, origin in kind.settings if origin is None}
    if volume:
        shown["volsize"] = None
        if "volblocksize" not in set_here:
            shown["volblocksize"] = number(16384, "NONE")
        if "sparse" not in set_here:
            shown["sparse"] = prop(True, "on", "ON", "LOCAL")
    shown["readonly"] = setting("readonly", "on" if kind.readonly else "off", "LOCAL" if kind.readonly else None)
    shown["compressratio"] = None
    shown["origin"] = prop("", "", "", "NONE")
    for name in ("reservation", "refreservation"):
        shown.setdefault(name, setting(name, "0"))
    for name, (without, with_it) in _ENCRYPTION.items():
        shown[name] = _encryption(kind, without, with_it)
    shown |= dict.fromkeys(("used", "usedbychildren", "usedbydataset"))
    shown["usedbyrefreservation"] = number(0, "NONE")
    shown |= dict.fromkeys(("usedbysnapshots", "available", "creation"))
    return shown


def _encryption(kind: Kind, without: str, with_it: str) -> Property:
    raw = without if kind.encryption == "none" else with_it
    source = {"none": "NONE", "own": "LOCAL", "inherited": "INHERITED"}[kind.encryption]
    return prop(raw, raw, None if raw in ("none", "off") else raw.upper(), source)


def _user_properties(kind: Kind) -> dict[str, Property]:
    return {
        name: prop(raw, raw, raw, "LOCAL" if origin is None else "INHERITED", origin)
        for name, raw, origin in kind.user_properties
    }
