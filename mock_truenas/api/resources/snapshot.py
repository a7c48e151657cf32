"""Snapshots as ``zfs.snapshot.query`` and ``pool.snapshot.query`` show them (truenas-api 3.8).

Like those of datasets, a row keeps to what varies: lists of ten thousand and more are ordinary.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from mock_truenas.api.pieces import Row, Stencil, gap, scalar, texts
from mock_truenas.api.resources.moment import date, date_ms
from mock_truenas.api.resources.properties import creation_text, nice
from mock_truenas.appliance.dialect import Dialect
from mock_truenas.appliance.model import Snapshot
from mock_truenas.appliance.nas import Appliance

_NUMBERS: Final = ("used", "referenced", "written", "logicalreferenced")
_LEAVES: Final = (
    *("name", "pool", "dataset", "snapshot_name", "createtxg", "guid", "userrefs"),
    *("creation_parsed", "creation_raw", "creation_value"),
    *(name + end for name in _NUMBERS for end in ("", "_raw", "_value")),
)
_COMMON: Final[Mapping[str, str]] = {
    "type": "snapshot",
    "compressratio": "1.00",
    "refcompressratio": "1.00",
    "primarycache": "all",
    "secondarycache": "all",
    "defer_destroy": "off",
    "objsetid": "388",
    "mlslabel": "none",
    "encryption": "off",
    "redact_snaps": "none",
}
_FILESYSTEM: Final[Mapping[str, str]] = {
    "devices": "on",
    "exec": "on",
    "setuid": "on",
    "xattr": "sa",
    "version": "5",
    "utf8only": "off",
    "normalization": "none",
    "casesensitivity": "sensitive",
    "nbmand": "off",
    "acltype": "posix",
    "context": "none",
    "fscontext": "none",
    "defcontext": "none",
    "rootcontext": "none",
}


@dataclass(frozen=True)
class Kind:
    """All that decides about a snapshot's text but for the leaves; ``names`` of properties, None for all."""

    volume: bool
    creation_is_date: bool
    names: frozenset[str] | None
    holds: bool
    retention: bool


class SnapshotRow(Row):
    """One snapshot."""

    __slots__ = ("_kind", "_snapshot")

    def __init__(self, snapshot: Snapshot, kind: Kind) -> None:
        self._snapshot = snapshot
        self._kind = kind

    def __getitem__(self, key: str) -> Any:
        if key in ("id", "name"):
            return self._snapshot.name
        if key in ("pool", "dataset", "snapshot_name"):
            return getattr(self._snapshot, key)
        if key in ("holds", "retention") and key in self:
            return self._hole(key)
        return self._full()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(_shape(self._kind))

    def __len__(self) -> int:
        return len(_shape(self._kind))

    def __contains__(self, key: object) -> bool:
        return key in _shape(self._kind)

    def items(self) -> Any:
        """All of it at once."""
        return self._full().items()

    def values(self) -> Any:
        """All of it at once."""
        return self._full().values()

    def texts(self, indent: int | None, level: int) -> Iterator[str]:
        """See Row."""
        leaves = _leaves(self._snapshot, self._kind)
        stencil = _stencil(self._kind, indent, level)
        first, *following = stencil.filled([scalar(leaves[name]) for name in _LEAVES])
        yield first
        for hole, text in zip(stencil.holes, following, strict=True):
            yield from texts(self._hole(hole), indent, level + 1)
            yield text

    def _full(self) -> dict[str, Any]:
        shown = _filled(self._kind, _leaves(self._snapshot, self._kind))
        for hole in ("holds", "retention"):
            if hole in shown:
                shown[hole] = self._hole(hole)
        return shown

    def _hole(self, name: str) -> Any:
        snapshot = self._snapshot
        if name == "holds":
            return {tag: date(at_ns) for tag, at_ns in snapshot.holds.items()}
        if snapshot.keep_until_ns is None:
            return None
        return {"datetime": date(snapshot.keep_until_ns), "source": "name"}


def rows(appliance: Appliance, extra: Mapping[str, Any], dialect: Dialect) -> list[SnapshotRow]:
    """All snapshots before filters; ``extra`` may ask for holds, retention, some properties, a range of txgs."""
    make = _maker(appliance, extra, dialect)
    return [make(snapshot) for snapshot in _within(appliance, extra)]


def one(appliance: Appliance, name: str, dialect: Dialect) -> SnapshotRow:
    """A snapshot as it is shown after it was made or changed."""
    return _maker(appliance, {}, dialect)(appliance.state.snapshots[name])


def _within(appliance: Appliance, extra: Mapping[str, Any]) -> Iterator[Snapshot]:
    least, most = extra.get("min_txg"), extra.get("max_txg")
    for snapshot in appliance.state.snapshots.values():
        above = not isinstance(least, int) or snapshot.createtxg >= least
        if above and (not isinstance(most, int) or not most or snapshot.createtxg <= most):
            yield snapshot


def _maker(appliance: Appliance, extra: Mapping[str, Any], dialect: Dialect) -> Callable[[Snapshot], SnapshotRow]:
    named = extra.get("properties")
    names = frozenset(map(str, named)) if isinstance(named, list) else None
    holds, retention = extra.get("holds") is True, extra.get("retention") is True
    dated = dialect.has("snapshot_creation_is_date")
    kinds = {volume: Kind(volume, dated, names, holds, retention) for volume in (False, True)}
    datasets = appliance.state.datasets

    def make(snapshot: Snapshot) -> SnapshotRow:
        dataset = datasets.get(snapshot.dataset)
        return SnapshotRow(snapshot, kinds[dataset is not None and dataset.type == "VOLUME"])

    return make


def _leaves(snapshot: Snapshot, kind: Kind) -> dict[str, Any]:
    seconds = snapshot.created_at_ns // 1_000_000_000
    numbers = {
        "used": snapshot.used,
        "referenced": snapshot.referenced,
        "written": snapshot.used,
        "logicalreferenced": snapshot.referenced,
    }
    leaves: dict[str, Any] = {
        "name": snapshot.name,
        "pool": snapshot.pool,
        "dataset": snapshot.dataset,
        "snapshot_name": snapshot.snapshot_name,
        "createtxg": str(snapshot.createtxg),
        "guid": snapshot.guid,
        "userrefs": str(len(snapshot.holds)),
        "creation_parsed": date_ms(snapshot.created_at_ns) if kind.creation_is_date else seconds,
        "creation_raw": str(seconds),
        "creation_value": creation_text(snapshot.created_at_ns),
    }
    for name, amount in numbers.items():
        leaves[name], leaves[f"{name}_raw"], leaves[f"{name}_value"] = amount, str(amount), nice(amount)
    return leaves


def _filled(kind: Kind, leaves: Mapping[str, Any]) -> dict[str, Any]:
    shown = dict(_shape(kind))
    shown["id"] = shown["name"] = leaves["name"]
    for name in ("pool", "dataset", "snapshot_name", "createtxg"):
        shown[name] = leaves[name]
    properties = dict(shown["properties"])
    if "creation" in properties:
        parsed = {"$date": leaves["creation_parsed"]} if kind.creation_is_date else leaves["creation_parsed"]
        properties["creation"] = _prop(leaves["creation_value"], leaves["creation_raw"], parsed)
    for name in _NUMBERS:
        if name in properties:
            properties[name] = _prop(leaves[f"{name}_value"], leaves[f"{name}_raw"], leaves[name])
    for name in ("createtxg", "guid", "userrefs"):
        if name in properties:
            properties[name] = _prop(leaves[name], leaves[name], leaves[name])
    return {**shown, "properties": properties}


@lru_cache(maxsize=256)
def _stencil(kind: Kind, indent: int | None, level: int) -> Stencil:
    value = _filled(kind, {name: gap(name) for name in _LEAVES})
    holes = {name: gap(name) for name in ("holds", "retention") if name in value}
    return Stencil({**value, **holes}, _LEAVES, indent, level)


@lru_cache(maxsize=256)
def _shape(kind: Kind) -> dict[str, Any]:
    """The row of a kind in its order; what varies is None. Nobody changes it."""
    fixed = _COMMON if kind.volume else {**_COMMON, **_FILESYSTEM}
    varying = dict.fromkeys(("creation", "createtxg", "guid", "userrefs", *_NUMBERS))
    properties = {**varying, **{name: _prop(_nice(name, raw), raw, raw) for name, raw in fixed.items()}}
    names = kind.names
    shown: dict[str, Any] = {
        "id": None,
        "properties": {name: value for name, value in properties.items() if names is None or name in names},
        "pool": None,
        "name": None,
        "type": "SNAPSHOT",
        "snapshot_name": None,
        "dataset": None,
        "createtxg": None,
    }
    wanted = {"holds": kind.holds, "retention": kind.retention}
    return shown | {name: None for name, there in wanted.items() if there}


def _nice(name: str, raw: str) -> str | None:
    if raw == "none":
        return None
    return f"{raw}x" if name.endswith("compressratio") else raw


def _prop(value: str | None, raw: str, parsed: Any) -> dict[str, Any]:
    return {"value": value, "rawvalue": raw, "source": "NONE", "parsed": parsed}
