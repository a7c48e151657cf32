"""Disks as ``disk.query`` shows them, and their temperatures (truenas-api 3.4)."""

import re
from collections.abc import Mapping
from typing import Any

from mock_truenas.appliance.dialect import Dialect
from mock_truenas.appliance.model import Disk
from mock_truenas.appliance.nas import Appliance


def row(disk: Disk, dialect: Dialect, *, with_pool: bool = False, with_passwords: bool = False) -> dict[str, Any]:
    """One disk; its pool is told only when asked for, else null."""
    nvme = disk.bus == "NVME"
    shown: dict[str, Any] = {
        "identifier": disk.identifier,
        "name": disk.name,
        "subsystem": "nvme" if nvme else "scsi",
        "number": _number(disk.name),
        "serial": disk.serial,
        "lunid": disk.lunid,
        "size": disk.size,
        "description": "",
        "transfermode": "Auto",
        "hddstandby": "ALWAYS ON",
        "advpowermgmt": "DISABLED",
        "togglesmart": True,
        "smartoptions": "",
        "expiretime": None,
        "critical": None,
        "difference": None,
        "informational": None,
        "model": disk.model,
        "rotationrate": disk.rotationrate,
        "type": disk.type,
        "zfs_guid": disk.zfs_guid,
        "bus": disk.bus,
        "devname": disk.name,
        "enclosure": None,
        "supports_smart": None,
        "pool": disk.pool if with_pool else None,
    }
    if with_passwords:
        shown |= {"passwd": "", "kmip_uid": None}
    return dialect.shaped("disk", shown)


def rows(appliance: Appliance, extra: Mapping[str, Any], dialect: Dialect | None = None) -> list[dict[str, Any]]:
    """``GET /disk`` before filters."""
    pools, passwords = extra.get("pools") is True, extra.get("passwords") is True
    spoken = dialect or appliance.release.dialect
    disks = appliance.state.disks.values()
    return [row(disk, spoken, with_pool=pools, with_passwords=passwords) for disk in disks]


def temperatures(appliance: Appliance, names: list[str], now_ns: int) -> dict[str, int | None]:
    """``POST /disk/temperatures``: °C by name, null where none can be read; no names means every disk."""
    disks = appliance.state.disks
    return {
        name: appliance.temperature(disks[name], now_ns) if name in disks else None for name in (names or list(disks))
    }


def _number(name: str) -> int:
    """The kernel's minor-like number: sda 2048, sdb 2064 and on; NVMe 66304."""
    match = re.fullmatch(r"sd([a-z])", name)
    return 2048 + 16 * (ord(match[1]) - ord("a")) if match else 66304
