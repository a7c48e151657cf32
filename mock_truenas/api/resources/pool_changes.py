"""What is done to pools, as functions of values: scans, vdevs, names, what uses them. Changes no appliance itself."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from mock_truenas.appliance.model import Disk, Pool, Scan, Topology, Vdev
from mock_truenas.appliance.nas import Appliance

_BYTES_PER_S: Final = 900_000_000
_SECOND_NS: Final = 1_000_000_000
_RESERVED: Final = frozenset({"log", "mirror", "raidz", "raidz1", "raidz2", "raidz3", "spare", "draid", "boot-pool"})
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9 _.:-]*")
_USERS: Final[Mapping[str, tuple[str, str | None]]] = {
    "sharing.smb": ("SMB Share", "cifs"),
    "sharing.nfs": ("NFS Share", "nfs"),
    "pool.snapshottask": ("Snapshot Task", None),
    "replication": ("Replication", None),
}
"""Tables whose rows use a dataset: how they are called, and the service that serves them."""


def scrub_takes_ns(pool: Pool) -> int:
    """How long a scrub of what is allocated takes; at least a second."""
    return max(_SECOND_NS, pool.allocated * _SECOND_NS // _BYTES_PER_S)


def paused(scan: Scan, now_ns: int) -> Scan:
    """The scan, resting from now on; one that rests already goes on doing so."""
    return scan if scan.paused_at_ns is not None else replace(scan, paused_at_ns=now_ns)


def resumed(scan: Scan, now_ns: int) -> Scan:
    """The scan, going on after a pause."""
    if scan.paused_at_ns is None:
        return scan
    return replace(scan, paused_at_ns=None, held_ns=scan.held_ns + now_ns - scan.paused_at_ns)


def cancelled(scan: Scan, now_ns: int) -> Scan:
    """The scan, stopped now."""
    return replace(resumed(scan, now_ns), cancelled_at_ns=now_ns)


def disk_names(pool: Pool) -> list[str]:
    """The disks of a pool, in the order of its topology."""
    return [
        leaf.disk
        for group in vars(pool.topology).values()
        for vdev in group
        for leaf in vdev.leaves()
        if leaf.disk is not None
    ]


def without_pool(disks: Mapping[str, Disk], pool: str) -> dict[str, Disk]:
    """The disks, those of a pool free again."""
    return {
        name: replace(disk, pool=None, zfs_guid=None) if disk.pool == pool else disk for name, disk in disks.items()
    }


def name_problem(name: str) -> str | None:
    """What is wrong with a pool's name; None when nothing is."""
    if _NAME.fullmatch(name) is None or len(name) > 50 or name.endswith(" "):
        return "Invalid name"
    if name.lower() in _RESERVED or re.fullmatch(r"c[0-9].*|(mirror|raidz|draid|spare).*", name):
        return "This name is reserved"
    return None


def changed_vdevs(topology: Topology, change: Callable[[Vdev], Vdev | None]) -> Topology:
    """The topology with ``change`` applied to every vdev from the leaves up; None takes one away."""

    def of(vdev: Vdev) -> Vdev | None:
        children = tuple(made for made in map(of, vdev.children) if made is not None)
        return change(replace(vdev, children=children) if children != vdev.children else vdev)

    groups = {
        purpose: tuple(made for made in map(of, vdevs) if made is not None) for purpose, vdevs in vars(topology).items()
    }
    return Topology(**groups)


def attachments(appliance: Appliance, path: str) -> list[dict[str, Any]]:
    """``[{type, service, attachments}]`` of what uses a path or the dataset mounted there."""
    dataset = path.removeprefix("/mnt/")
    found: list[dict[str, Any]] = []
    for table, (kind, service) in _USERS.items():
        names = [
            str(row.get("name") or row.get("path") or row.get("dataset"))
            for row in appliance.state.tables.get(table, {}).values()
            if any(_is_at(place, path) or _is_at(place, dataset) for place in _places(row))
        ]
        if names:
            found.append({"type": kind, "service": service, "attachments": names})
    return found


def _places(row: Mapping[str, Any]) -> list[str]:
    listed = [row.get("path"), row.get("dataset"), row.get("target_dataset"), *(row.get("source_datasets") or ())]
    return [place for place in listed if isinstance(place, str)]


def _is_at(place: str, path: str) -> bool:
    return place == path or place.startswith(f"{path}/")
