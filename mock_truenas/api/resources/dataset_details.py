"""Datasets as ``pool.dataset.details`` shows them, and their quotas (truenas-api 3.3)."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

from mock_truenas.api.pieces import plain
from mock_truenas.api.resources import dataset as datasets
from mock_truenas.appliance.model import Dataset
from mock_truenas.appliance.nas import Appliance

QuotaType = Literal["USER", "GROUP", "DATASET", "PROJECT"]
_AT_ONCE: Final = 100
_SHOWN: Final = (
    *("used", "available", "usedbysnapshots", "usedbydataset", "usedbychildren", "volsize"),
    *("refquota", "refreservation", "reservation", "quota", "encryption_algorithm", "key_format"),
    *("deduplication", "compression", "checksum", "sync", "atime", "readonly", "origin"),
)
_WORDS: Final = {"sharing.smb": "smb_shares", "sharing.nfs": "nfs_shares", "iscsi.extent": "iscsi_shares"}


def building(appliance: Appliance, roots: list[dict[str, Any]]) -> Iterator[None]:
    """Fill ``roots`` with the rows of ``pool.dataset.details``, giving way after every few.

    They are the pools' own datasets with all below them, fewer properties, and what uses each.
    """
    extra = {"properties": list(_SHOWN), "retrieve_children": False, "snapshots_count": True}
    used = _users(appliance)
    made: dict[str, dict[str, Any]] = {}
    known = tuple(appliance.state.datasets)
    for number, shown in enumerate(datasets.rows(appliance, extra, known), start=1):
        row = made[shown["name"]] = _detail(plain(shown), used)
        parent = made.get(row["name"].rpartition("/")[0])
        (roots if parent is None else parent["children"]).append(row)
        if number % _AT_ONCE == 0:
            yield


def _detail(row: dict[str, Any], used: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {
        **row,
        **{word: [] for word in _WORDS.values()},
        "vms": [],
        "apps": [],
        "virt_instances": [],
        "replication_tasks_count": 0,
        "snapshot_tasks_count": 0,
        "cloudsync_tasks_count": 0,
        "rsync_tasks_count": 0,
        "atime": "atime" in row and row["atime"]["parsed"] is True,
        "casesensitive": True,
        "readonly": row["readonly"]["parsed"] is True,
        "thick_provisioned": False,
        **used.get(row["name"], {}),
        "children": [],
    }


def quotas(dataset: Dataset, kind: QuotaType) -> list[dict[str, Any]]:
    """Quotas set on a dataset itself; nobody has one of a user, group or project until somebody sets it."""
    if kind == "DATASET":
        entry = {
            "quota_type": "DATASET",
            "id": dataset.name,
            "name": dataset.name,
            "quota": int(dataset.settings.get("quota", "0")),
            "refquota": int(dataset.settings.get("refquota", "0")),
            "used_bytes": dataset.used,
        }
        return [entry]
    found = []
    for name, raw in dataset.settings.items():
        opening, _, who = name.partition("@")
        if who and opening in (f"{kind.lower()}quota", f"{kind.lower()}objquota"):
            found.append({"quota_type": kind, "id": _id(who), "name": who, "quota": int(raw), "used_bytes": 0})
    return found


def _id(who: str) -> int:
    return int(who) if who.isdigit() else 0


def _users(appliance: Appliance) -> dict[str, dict[str, Any]]:
    """Shares and tasks by the dataset they use."""
    used: dict[str, dict[str, Any]] = {}
    for table, word in _WORDS.items():
        for row in appliance.state.tables.get(table, {}).values():
            path = str(row.get("path", ""))
            entry = {key: row[key] for key in ("enabled", "path", "name", "comment") if key in row}
            name = path.removeprefix("/mnt/").removeprefix("zvol/")
            used.setdefault(name, {}).setdefault(word, []).append(entry)
    for row in appliance.state.tables.get("pool.snapshottask", {}).values():
        counts = used.setdefault(str(row.get("dataset")), {})
        counts["snapshot_tasks_count"] = counts.get("snapshot_tasks_count", 0) + 1
    return used
