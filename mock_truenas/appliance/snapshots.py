"""Snapshots: how a task names and makes them, and which of them its retention has outlived. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from mock_truenas.appliance import draws
from mock_truenas.appliance.cron import due_after
from mock_truenas.appliance.model import Dataset, Row, Snapshot

_HOUR_NS: Final = 3_600_000_000_000
_UNITS_NS: Final = {
    "HOUR": _HOUR_NS,
    "DAY": 24 * _HOUR_NS,
    "WEEK": 7 * 24 * _HOUR_NS,
    "MONTH": 30 * 24 * _HOUR_NS,
    "YEAR": 365 * 24 * _HOUR_NS,
}
_MOST_PAST: Final = 400


def named(schema: str, at_ns: int) -> str:
    """A naming schema filled in for an instant, in UTC. Not strftime: its names follow the locale."""
    at = datetime.fromtimestamp(at_ns // 1_000_000_000, UTC)
    parts = {
        "%Y": f"{at.year:04}",
        "%m": f"{at.month:02}",
        "%d": f"{at.day:02}",
        "%H": f"{at.hour:02}",
        "%M": f"{at.minute:02}",
        "%S": f"{at.second:02}",
        "%s": str(at_ns // 1_000_000_000),
    }
    for mark, text in parts.items():
        schema = schema.replace(mark, text)
    return schema


def lifetime_ns(row: Row) -> int:
    """How long a task keeps what it made."""
    return int(row.get("lifetime_value", 2)) * _UNITS_NS.get(str(row.get("lifetime_unit", "WEEK")), _HOUR_NS)


def covered(row: Row, datasets: Mapping[str, Dataset]) -> list[str]:
    """The datasets a task is about that are there."""
    root, exclude = str(row.get("dataset", "")), row.get("exclude") or ()
    names = [root] if root in datasets else []
    if row.get("recursive"):
        names += [name for name in datasets if name.startswith(f"{root}/")]
    return [name for name in names if not any(name == out or name.startswith(f"{out}/") for out in exclude)]


def taken(
    row: Row, datasets: Mapping[str, Dataset], names: Iterable[str], at_ns: int, seed: object
) -> dict[str, Snapshot]:
    """The snapshots a task makes at an instant."""
    ending = named(str(row.get("naming_schema", "auto-%Y-%m-%d_%H-%M")), at_ns)
    keep_until_ns = at_ns + lifetime_ns(row)
    return {
        f"{name}@{ending}": snapshot(f"{name}@{ending}", datasets[name], at_ns, seed, keep_until_ns) for name in names
    }


def snapshot(name: str, dataset: Dataset, at_ns: int, seed: object, keep_until_ns: int | None = None) -> Snapshot:
    """A snapshot of a dataset as it is."""
    drawn = draws.number(0, seed, "snapshot", name)
    return Snapshot(
        name=name,
        guid=str(drawn >> 1 | 1 << 62),
        createtxg=max(4, at_ns // 5_000_000_000 - 340_000_000),
        created_at_ns=at_ns,
        referenced=max(98_304, dataset.used - dataset.snapshots_used),
        used=drawn % 16384 * 4096,
        keep_until_ns=keep_until_ns,
    )


def kept(snapshots: Mapping[str, Snapshot], now_ns: int) -> dict[str, Snapshot]:
    """Without those whose time is over; one that is held stays."""
    return {
        name: snapshot
        for name, snapshot in snapshots.items()
        if snapshot.keep_until_ns is None or snapshot.keep_until_ns > now_ns or snapshot.holds
    }


def past(tasks: Sequence[Row], datasets: Mapping[str, Dataset], now_ns: int, seed: object) -> dict[str, Snapshot]:
    """What tasks have made up to now and still keep, the oldest first."""
    found: list[Snapshot] = []
    for row in tasks:
        names = covered(row, datasets)
        at_ns: int | None = now_ns - lifetime_ns(row)
        for _ in range(_MOST_PAST):
            at_ns = _next(row, at_ns)
            if at_ns is None or at_ns > now_ns:
                break
            there = [name for name in names if datasets[name].created_at_ns < at_ns]
            found += taken(row, datasets, there, at_ns, seed).values()
    found.sort(key=lambda snapshot: snapshot.created_at_ns)
    return {snapshot.name: snapshot for snapshot in found}


def _next(row: Row, at_ns: int | None) -> int | None:
    schedule: Any = row.get("schedule")
    return None if at_ns is None or not row.get("enabled") or not schedule else due_after(schedule, at_ns)
