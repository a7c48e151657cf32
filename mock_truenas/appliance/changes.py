"""What changed between two states, as the appliance's own events name it (truenas-api 5.5)."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from mock_truenas.appliance.model import State


@dataclass(frozen=True, slots=True)
class Change:
    """One event: ``collection`` like ``pool.query``, ``id`` as the rows of that collection have it."""

    collection: str
    msg: Literal["added", "changed", "removed"]
    id: Any


Listener = Callable[[Change], None]
_NOTHING: Final[Mapping[Any, Any]] = {}


def between(before: State, after: State) -> Iterator[Change]:
    """The events of a change of state."""
    if before.pools is not after.pools:
        yield from _pools(before, after)
    yield from _rows("pool.dataset.query", before.datasets, after.datasets)
    if before.disks is not after.disks:
        old = {disk.identifier: disk for disk in before.disks.values()}
        yield from _rows("disk.query", old, {disk.identifier: disk for disk in after.disks.values()})
    for collection in ("zfs.snapshot.query", "pool.snapshot.query"):
        yield from _rows(collection, before.snapshots, after.snapshots)
    yield from _rows("alert.list", before.alerts, after.alerts)
    if before.tables is not after.tables:
        for name in dict.fromkeys((*before.tables, *after.tables)):
            yield from _rows(f"{name}.query", before.tables.get(name, _NOTHING), after.tables.get(name, _NOTHING))
    if before.host.state != after.host.state and after.host.state == "READY":
        yield Change("system.ready", "added", None)


def _pools(before: State, after: State) -> Iterator[Change]:
    old = {pool.id: pool for pool in before.pools.values()}
    yield from _rows("pool.query", old, {pool.id: pool for pool in after.pools.values()})
    for name, pool in after.pools.items():
        known = before.pools.get(name)
        if known is not None and known.scan is not pool.scan:
            yield Change("zfs.pool.scan", "changed", name)


def _rows(collection: str, before: Mapping[Any, Any], after: Mapping[Any, Any]) -> Iterator[Change]:
    if before is after:
        return
    for key in before:
        if key not in after:
            yield Change(collection, "removed", key)
    for key, row in after.items():
        known = before.get(key)
        if known is None:
            yield Change(collection, "added", key)
        elif known is not row:
            yield Change(collection, "changed", key)
