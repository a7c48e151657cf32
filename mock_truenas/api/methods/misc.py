"""Small services that monitoring clients look at once: high availability, directories, files, enclosures, audit.

What has settings only is in ``settings``.
"""

import errno
from collections.abc import Mapping
from typing import Any, Final

from mock_truenas.api.errors import CallError
from mock_truenas.api.methods.method import Access, Call, Kind, Method, Param
from mock_truenas.api.methods.tables import Row, constant

_OPEN: Final = {"access": Access.OPEN}
_QUERY: Final = {"kind": Kind.QUERY, "filterable": True}

# -- files -------------------------------------------------------------------------------------------------------------


def _directories(call: Call) -> Mapping[str, str | None]:
    """Paths of directories that are there, with the dataset each is the root of."""
    mounts = {f"/mnt/{name}": name for name, row in call.appliance.state.datasets.items() if row.type == "FILESYSTEM"}
    return {"/": None, "/mnt": None, **{f"/mnt/{name}": name for name in call.appliance.state.pools}, **mounts}


def _found(call: Call) -> tuple[str, str | None]:
    path = call.arguments["path"].rstrip("/") or "/"
    known = _directories(call)
    if not path.startswith("/"):
        raise CallError("Path must be absolute", errno.EINVAL)
    if path not in known:
        raise CallError(f"Path {path} not found", errno.ENOENT)
    return path, known[path]


def _number(path: str) -> int:
    number = 7
    for byte in path.encode("utf-8", "surrogatepass"):
        number = number * 31 + byte & 0x7FFF_FFFF
    return number


def _stat(call: Call) -> Row:
    path, dataset = _found(call)
    changed_s = call.appliance.state.host.booted_at_ns / 1e9
    return {
        "realpath": path,
        "type": "DIRECTORY",
        "size": 512,
        "allocation_size": 512,
        "mode": 16_877,
        "uid": 0,
        "gid": 0,
        "atime": changed_s,
        "mtime": changed_s,
        "ctime": changed_s,
        "btime": changed_s,
        "mount_id": 40 + _number(dataset or "") % 900,
        "dev": 30 + _number(dataset or "") % 900,
        "inode": 34 if dataset is not None else _number(path),
        "nlink": 2,
        "acl": False,
        "is_mountpoint": dataset is not None or path == "/",
        "is_ctldir": False,
        "attributes": ["MOUNT_ROOT"] if dataset is not None else [],
        "user": "root",
        "group": "root",
    }


def _listdir(call: Call) -> list[Row]:
    path, _ = _found(call)
    below = path.rstrip("/") + "/"
    inside = [other for other in _directories(call) if other.startswith(below) and "/" not in other[len(below) :]]
    return [
        {
            "name": other[len(below) :],
            "path": other,
            "realpath": other,
            "type": "DIRECTORY",
            "size": 512,
            "allocation_size": 512,
            "mode": 16_877,
            "acl": False,
            "uid": 0,
            "gid": 0,
            "mount_id": 40 + _number(other) % 900,
            "is_mountpoint": True,
            "is_ctldir": False,
            "attributes": ["MOUNT_ROOT"],
            "xattrs": [],
            "zfs_attrs": ["ARCHIVE"],
        }
        for other in sorted(inside)
        if other != "/"
    ]


def _statfs(call: Call) -> Row:
    path, name = _found(call)
    dataset = call.appliance.state.datasets.get(name or "")
    used, available = (dataset.used, dataset.available) if dataset is not None else (4 << 30, 40 << 30)
    total, block = used + available, 131_072
    return {
        "flags": ["RW", "XATTR", "NOATIME"],
        "fsid": f"{_number(path):x}",
        "fstype": "zfs",
        "source": name or "boot-pool/ROOT",
        "dest": path,
        "blocksize": block,
        "total_blocks": total // block,
        "free_blocks": available // block,
        "avail_blocks": available // block,
        "files": available // 512,
        "free_files": available // 512,
        "name_max": 255,
        "total_bytes": total,
        "free_bytes": available,
        "avail_bytes": available,
        "total_blocks_str": str(total // block),
        "free_blocks_str": str(available // block),
        "avail_blocks_str": str(available // block),
        "files_str": str(available // 512),
        "free_files_str": str(available // 512),
        "total_bytes_str": str(total),
        "free_bytes_str": str(available),
        "avail_bytes_str": str(available),
    }


# -- the machine -------------------------------------------------------------------------------------------------------


def _enclosures(call: Call) -> list[Row]:
    """Shelves, as far as disks say which one they sit in."""
    slots: dict[int, dict[str, Row]] = {}
    for disk in call.appliance.state.disks.values():
        if disk.enclosure is not None:
            number, slot = disk.enclosure
            slots.setdefault(number, {})[str(slot)] = {
                "descriptor": f"slot{slot:02}",
                "status": "OK",
                "value": None,
                "dev": disk.name,
                "is_front": True,
                "is_top": False,
                "is_internal": False,
                "is_rear": False,
            }
    return [
        {
            "id": f"5b0bd6d1a307{number:04x}",
            "dmi": "TRUENAS",
            "model": "ES102" if number else call.appliance.state.host.model,
            "name": f"shelf {number}",
            "should_ignore": False,
            "sg": f"/dev/sg{number + 40}",
            "bsg": f"/dev/bsg/{number}:0:0:0",
            "rackmount": True,
            "top_loaded": True,
            "top_slots": len(found),
            "front_loaded": False,
            "front_slots": 0,
            "rear_slots": 0,
            "internal_slots": 0,
            "controller": number == 0,
            "status": ["OK"],
            "elements": {"Array Device Slot": found},
            "label": f"shelf {number}",
        }
        for number, found in sorted(slots.items())
    ]


def _is_ix(call: Call) -> bool:
    return str(call.appliance.state.host.product or "").startswith("TRUENAS-")


def _chassis(call: Call) -> str:
    return str(call.appliance.state.host.product) if _is_ix(call) else "TRUENAS-UNKNOWN"


def _directory_states(call: Call) -> Row:
    del call
    return {"activedirectory": "DISABLED", "ldap": "DISABLED"}


_DIRECTORY: Final = {"type": None, "status": None, "status_msg": None}
_NTP: Final = {
    "mode": "CLIENT",
    "state": "BEST",
    "remote": "0.debian.pool.ntp.org",
    "stratum": 2,
    "poll_interval": 6,
    "reach": 377,
    "lastrx": 20,
    "offset": 0.0002,
    "offset_measured": 0.0002,
    "offset_error": 0.004,
    "active": True,
}
_FAILOVER: Final = {"id": 1, "disabled": True, "master": None, "timeout": 0}

METHODS: Final[tuple[Method, ...]] = (
    Method("filesystem.stat", "What is at a path", _stat, (Param("path", str),), moving="never"),
    Method(
        "filesystem.listdir",
        "What is in a directory",
        _listdir,
        (
            Param("path", str),
            Param("query-filters", list[Any], [], until="25.04.0"),
            Param("query-options", dict[str, Any], {}, until="25.04.0"),
            Param("query_filters", list[Any], [], since="25.04.0"),
            Param("query_options", dict[str, Any], {}, since="25.04.0"),
        ),
        moving="never",
    ),
    Method("filesystem.statfs", "How full the filesystem of a path is", _statfs, (Param("path", str),), moving="never"),
    Method("enclosure2.query", "Shelves and their slots", _enclosures, moving="never", **_QUERY),  # type: ignore[arg-type]
    Method("enclosure.query", "Shelves and their slots", _enclosures, moving="never", **_QUERY),  # type: ignore[arg-type]
    constant("jbof.query", "Shelves over the network", [], **_QUERY),
    constant("failover.licensed", "Whether this is half of a pair", value=False),
    constant("failover.status", "Which half this is", "SINGLE"),
    constant("failover.node", "Which node this is", "MANUAL"),
    constant("failover.in_progress", "Whether it is failing over", value=False),
    constant("failover.disabled.reasons", "Why it would not fail over", ["NO_LICENSE"]),
    constant("failover.config", "Settings of the pair", _FAILOVER),
    constant("truenas.managed_by_truecommand", "Whether TrueCommand is in charge", value=False, **_OPEN),
    constant("truenas.is_production", "Whether this is in production", value=True),
    constant("truenas.is_eula_accepted", "Whether the licence was accepted", value=True),
    Method("truenas.is_ix_hardware", "Whether the vendor built it", _is_ix, moving="never"),
    Method("truenas.get_chassis_hardware", "Which chassis the vendor built", _chassis, moving="never"),
    Method("directoryservices.get_state", "Whether directories are joined", _directory_states, moving="never"),
    constant("directoryservices.status", "Which directory is joined", _DIRECTORY),
    constant("system.ntpserver.peers", "Peers of the clock", [_NTP], filterable=True),
    constant("audit.query", "What was done", [], Param("data", dict[str, Any], {})),
    constant("alertservice.query", "Where alerts are sent", [], **_QUERY),
    constant("initshutdownscript.query", "Scripts at boot and shutdown", [], **_QUERY),
    constant("tunable.query", "Tunables", [], **_QUERY),
    constant("staticroute.query", "Static routes", [], **_QUERY),
    constant("acme.dns.authenticator.query", "DNS authenticators", [], **_QUERY),
    constant("kerberos.realm.query", "Kerberos realms", [], **_QUERY),
    constant("kerberos.keytab.query", "Kerberos keytabs", [], **_QUERY),
    constant("nvmet.subsys.query", "NVMe subsystems", [], **_QUERY),
    constant("nvmet.namespace.query", "NVMe namespaces", [], **_QUERY),
    constant("nvmet.port.query", "NVMe ports", [], **_QUERY),
    constant("nvmet.host.query", "NVMe hosts", [], **_QUERY),
    constant("fcport.query", "Fibre Channel ports", [], **_QUERY),
    constant("fc.capable", "Whether Fibre Channel is there", value=False),
    constant("rdma.capable_protocols", "Protocols that can use RDMA", []),
    constant("ipmi.is_loaded", "Whether there is a management controller", value=False),
    constant("ipmi.lan.query", "Networks of the management controller", [], **_QUERY),
    constant(
        "truecommand.info", "TrueCommand", {"status": "DISABLED", "status_reason": None, "remote_ip_address": None}
    ),
)
