"""What is done to datasets, as functions of values; sizes go on adding up. Changes no appliance itself."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from mock_truenas.api.resources.properties import LIMITS, USER
from mock_truenas.appliance.model import Dataset, Pool, State

_LONGEST: Final = 200
_STEP: Final = re.compile(r"[A-Za-z0-9_.:-](?:[A-Za-z0-9 _.:-]*[A-Za-z0-9_.:-])?")
EMPTY: Final = 98_304
"""What a new filesystem uses."""
_NOT_SETTINGS: Final = frozenset(
    {
        *("name", "type", "force_size", "share_type", "encryption", "encryption_options", "inherit_encryption"),
        *("user_properties", "user_properties_update", "create_ancestors", "volsize", "readonly"),
    }
)


def is_name(name: str) -> bool:
    """Whether ZFS takes it for the full name of a dataset."""
    steps = name.split("/")
    return len(name) <= _LONGEST and all(_STEP.fullmatch(step) and step not in (".", "..") for step in steps)


def is_ending(name: str) -> bool:
    """Whether ZFS takes it for what stands behind the @ of a snapshot."""
    return len(name) <= _LONGEST and _STEP.fullmatch(name) is not None


def parent_of(name: str) -> str:
    """The name of a dataset's parent; empty for a pool's root."""
    return name.rpartition("/")[0]


def below(datasets: Mapping[str, Dataset], name: str) -> list[str]:
    """A dataset and all below it."""
    return [other for other in datasets if other == name or other.startswith(f"{name}/")]


def raw(name: str, value: Any) -> str:
    """A setting as ZFS has it, from how the API takes it."""
    if name in LIMITS:
        return str(value or 0)
    if name == "recordsize" or name == "volblocksize":
        return str(amount(str(value)))
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value) if name in USER else str(value).lower()


def amount(text: str) -> int:
    """Bytes of ``128K``, ``1M``, ``512B`` or ``512``. Raises ValueError."""
    digits = text.upper().removesuffix("B")
    power = "BKMG".find(digits[-1:])
    return int(digits) if power <= 0 else int(digits[:-1]) << (10 * power)


def with_settings(settings: Mapping[str, str], given: Mapping[str, Any]) -> dict[str, str]:
    """The settings after a change; ``INHERIT`` and null take one away."""
    changed = dict(settings)
    for name, value in given.items():
        if name in _NOT_SETTINGS:
            continue
        if value is None or value == "INHERIT" or (name in LIMITS and not value) or (name in USER and value == ""):
            changed.pop(name, None)
        else:
            changed[name] = raw(name, value)
    return changed


def with_user_properties(kept: Mapping[str, str], changes: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """User properties after ``[{key, value}]``; ``remove`` takes one away."""
    changed = dict(kept)
    for change in changes:
        if change.get("remove"):
            changed.pop(change["key"], None)
        else:
            changed[change["key"]] = str(change.get("value", ""))
    return changed


def added(state: State, dataset: Dataset) -> dict[str, Any]:
    """Parts of the state with one more dataset, its space taken from its pool and counted in its ancestors."""
    datasets = {**state.datasets, dataset.name: dataset}
    return _moved(state, _in_place(datasets, dataset.name), dataset.name, dataset.used, {dataset.name})


def removed(state: State, name: str) -> dict[str, Any]:
    """Parts of the state without a dataset, all below it and their snapshots."""
    gone = set(below(state.datasets, name))
    freed = state.datasets[name].used
    datasets = {other: dataset for other, dataset in state.datasets.items() if other not in gone}
    snapshots = {key: snapshot for key, snapshot in state.snapshots.items() if snapshot.dataset not in gone}
    return {**_moved(state, datasets, name, -freed, set()), "snapshots": snapshots}


def resized(state: State, dataset: Dataset) -> dict[str, Any]:
    """Parts of the state with a changed dataset whose use of space may have changed too."""
    grown = dataset.used - state.datasets[dataset.name].used
    datasets = {**state.datasets, dataset.name: dataset}
    return _moved(state, datasets, dataset.name, grown, {dataset.name}) if grown else {"datasets": datasets}


def _in_place(datasets: dict[str, Dataset], name: str) -> dict[str, Dataset]:
    """The datasets with a new one standing behind those it follows by name, as ZFS lists them."""
    parent = parent_of(name)
    place = None
    for other in datasets:
        if other != name and (other == parent or (other.startswith(f"{parent}/") and other < name)):
            place = other
    if place is None:
        return datasets
    ordered: dict[str, Dataset] = {}
    for other, dataset in datasets.items():
        if other != name:
            ordered[other] = dataset
        if other == place:
            ordered[name] = datasets[name]
    return ordered


def _moved(state: State, datasets: dict[str, Dataset], name: str, grown: int, done: set[str]) -> dict[str, Any]:
    pool_name = name.partition("/")[0]
    for other, dataset in datasets.items():
        if dataset.pool != pool_name:
            continue
        inside = name.startswith(f"{other}/") and other not in done
        datasets[other] = replace(
            dataset,
            used=dataset.used + grown if inside else dataset.used,
            available=max(0, dataset.available - grown),
        )
    pool = state.pools.get(pool_name)
    if pool is None:
        return {"datasets": datasets}
    return {"datasets": datasets, "pools": {**state.pools, pool_name: _filled(pool, grown)}}


def _filled(pool: Pool, grown: int) -> Pool:
    return replace(pool, allocated=min(pool.size, max(0, pool.allocated + grown)))
