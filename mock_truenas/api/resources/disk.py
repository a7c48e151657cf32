"""Disks as ``disk.query`` and ``disk.details`` show them, and their temperatures (truenas-api 3.4)."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from mock_truenas.api.resources.moment import date
from mock_truenas.appliance.dialect import Dialect
from mock_truenas.appliance.model import Disk, Vdev
from mock_truenas.appliance.nas import Appliance

_HOUR_NS: Final = 3_600_000_000_000
_SECTOR: Final = 512
# Majors of the kernel's SCSI disk driver; each has room for sixteen disks of sixteen partitions.
_MAJORS: Final[tuple[int, ...]] = (8, *range(65, 72), *range(128, 136))
SETTINGS: Final[Mapping[str, Any]] = {
    "description": "",
    "hddstandby": "ALWAYS ON",
    "advpowermgmt": "DISABLED",
    "togglesmart": True,
    "smartoptions": "",
    "critical": None,
    "difference": None,
    "informational": None,
}
"""What can be set, with what it is before anybody does."""


def row(disk: Disk, dialect: Dialect, *, with_pool: bool = False, with_passwords: bool = False) -> dict[str, Any]:
    """One disk; its pool is told only when asked for, else null."""
    nvme = disk.bus == "NVME"
    settings = {**SETTINGS, **disk.settings}
    shown: dict[str, Any] = {
        "identifier": disk.identifier,
        "name": disk.name,
        "subsystem": "nvme" if nvme else "scsi",
        "number": _number(disk.name),
        "serial": disk.serial,
        "lunid": disk.lunid,
        "size": disk.size,
        "description": settings["description"],
        "transfermode": "Auto",
        "hddstandby": settings["hddstandby"],
        "advpowermgmt": settings["advpowermgmt"],
        "togglesmart": settings["togglesmart"],
        "smartoptions": settings["smartoptions"],
        "expiretime": None if disk.expires_at_ns is None else date(disk.expires_at_ns),
        "critical": settings["critical"],
        "difference": settings["difference"],
        "informational": settings["informational"],
        "model": disk.model,
        "rotationrate": disk.rotationrate,
        "type": disk.type,
        "zfs_guid": disk.zfs_guid,
        "bus": disk.bus,
        "devname": disk.name,
        "enclosure": None if disk.enclosure is None else dict(zip(("number", "slot"), disk.enclosure, strict=True)),
        "supports_smart": None,
        "pool": disk.pool if with_pool else None,
    }
    if with_passwords:
        shown |= {"passwd": settings.get("passwd", ""), "kmip_uid": None}
    return dialect.shaped("disk", shown)


def rows(appliance: Appliance, extra: Mapping[str, Any], dialect: Dialect | None = None) -> list[dict[str, Any]]:
    """``GET /disk`` before filters."""
    spoken = dialect or appliance.release.dialect
    pools, passwords = extra.get("pools") is True, extra.get("passwords") is True
    expired = extra.get("include_expired") is True
    return [
        row(disk, spoken, with_pool=pools, with_passwords=passwords)
        for disk in appliance.state.disks.values()
        if expired or disk.expires_at_ns is None
    ]


def temperatures(appliance: Appliance, names: Iterable[str], now_ns: int) -> dict[str, int | None]:
    """°C by name, null where none can be read; no names means every disk."""
    disks = appliance.state.disks
    return {
        name: appliance.temperature(disks[name], now_ns) if name in disks else None for name in (names or list(disks))
    }


def with_thresholds(appliance: Appliance, known: Mapping[str, int | None]) -> dict[str, list[int | None] | None]:
    """``[temperature, critical]`` by name; null for a disk that is not there."""
    disks = appliance.state.disks
    return {name: [value, disks[name].too_hot] if name in disks else None for name, value in known.items()}


def temperature_summary(appliance: Appliance, names: Iterable[str], now_ns: int) -> dict[str, dict[str, float]]:
    """Least, greatest and mean of the last days: by the hour of one day, as one is like another."""
    shown: dict[str, dict[str, float]] = {}
    for name in names:
        disk = appliance.state.disks.get(name)
        if disk is None:
            continue
        read = [appliance.temperature(disk, now_ns - hour * _HOUR_NS) for hour in range(24)]
        values = [value for value in read if value is not None]
        if values:
            mean = round(sum(values) / len(values), 2)
            shown[name] = {"min": min(values), "max": max(values), "avg": mean}
    return shown


def details(appliance: Appliance, kind: str) -> Any:
    """``disk.details``: ``{used, unused}``, or one list of them."""
    disks = appliance.state.disks.values()
    of_serial: dict[str, list[str]] = {}
    for disk in disks:
        of_serial.setdefault(disk.serial, []).append(disk.name)
    imported = {pool.name for pool in appliance.state.pools.values() if pool.status != "OFFLINE"} | {"boot-pool"}
    shown: dict[str, list[dict[str, Any]]] = {"used": [], "unused": []}
    for disk in disks:
        twins = [name for name in of_serial[disk.serial] if name != disk.name]
        entry = _detail(disk, twins, imported)
        shown["used" if disk.pool is not None else "unused"].append(entry)
    return shown if kind == "BOTH" else shown[kind.lower()]


def missing(appliance: Appliance, vdev: Vdev, dialect: Dialect) -> dict[str, Any] | None:
    """The disk a leaf had, looked up by its guid (``unavail_disk``)."""
    for disk in appliance.state.disks.values():
        if disk.zfs_guid == vdev.guid:
            return row(disk, dialect)
    return None


def _detail(disk: Disk, twins: list[str], imported: set[str]) -> dict[str, Any]:
    size = disk.size or 0
    return {
        "name": disk.name,
        "sectorsize": _SECTOR,
        "number": _number(disk.name),
        "subsystem": "nvme" if disk.bus == "NVME" else "scsi",
        "driver": "nvme" if disk.bus == "NVME" else "sd",
        "hctl": "",
        "size": disk.size,
        "mediasize": disk.size,
        "vendor": None if disk.bus == "NVME" else "ATA",
        "ident": disk.serial,
        "serial": disk.serial,
        "model": disk.model,
        "descr": disk.model,
        "lunid": disk.lunid,
        "bus": disk.bus,
        "type": disk.type,
        "blocks": size // _SECTOR,
        "serial_lunid": f"{disk.serial}_{disk.lunid}" if disk.lunid is not None else None,
        "rotationrate": disk.rotationrate,
        "stripesize": None,
        "parts": [],
        "dif": False,
        "identifier": disk.identifier,
        "devname": disk.name,
        "imported_zpool": disk.pool if disk.pool in imported else None,
        "exported_zpool": disk.pool if disk.pool is not None and disk.pool not in imported else None,
        "unsupported_md_devices": [],
        "duplicate_serial": twins,
        "enclosure_slot": None if disk.enclosure is None else disk.enclosure[1],
        "partitions": [],
    }


def _number(name: str) -> int:
    """The device number the kernel gives it: sda 2048, sdb 2064; nvme0n1 66304."""
    match = re.fullmatch(r"sd([a-z]+)", name)
    if match is None:
        digits = re.match(r"nvme(\d+)", name)
        return 66304 + (int(digits[1]) if digits else 0)
    place = 0
    for letter in match[1]:
        place = place * 26 + ord(letter) - ord("a") + 1
    place -= 1
    major: int = _MAJORS[place // 16 % len(_MAJORS)]
    return (place // 256 << 20) + (major << 8) + 16 * (place % 16)
