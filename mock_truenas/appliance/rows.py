"""Rows of the peripheral tables in the newest shape (truenas-api 3.8): what is not given has the appliance's default.

Knows nothing of older releases: how they show a row is the faces' business.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from mock_truenas.appliance.model import Row

SERVICES = ("cifs", "ftp", "iscsitarget", "nfs", "nvmet", "smartd", "snmp", "ssh", "ups")
"""Services every appliance has, running or not; ``smartd`` up to 25.04, ``nvmet`` since 25.10."""

NEW_NFS: Final = {
    "id": 0,
    "path": "",
    "aliases": [],
    "comment": "",
    "networks": [],
    "hosts": [],
    "ro": False,
    "maproot_user": None,
    "maproot_group": None,
    "mapall_user": None,
    "mapall_group": None,
    "security": [],
    "enabled": True,
    "locked": False,
    "expose_snapshots": False,
}
"""What an export says that does not name it."""
NEW_EXTENT: Final = {
    "id": 0,
    "name": "",
    "type": "DISK",
    "disk": None,
    "serial": "",
    "path": "",
    "filesize": "0",
    "blocksize": 512,
    "pblocksize": False,
    "avail_threshold": None,
    "comment": "",
    "naa": "",
    "insecure_tpc": True,
    "xen": False,
    "rpm": "SSD",
    "ro": False,
    "enabled": True,
    "vendor": "TrueNAS",
    "product_id": "iSCSI Disk",
    "locked": False,
}
"""What an extent says that does not name it."""


def schedule(text: str = "0 0 * * *", begin: str = "00:00", end: str = "23:59") -> dict[str, str]:
    """The schedule of a crontab line ``minute hour dom month dow``."""
    fields = dict(zip(("minute", "hour", "dom", "month", "dow"), text.split(), strict=True))
    return {**fields, "begin": begin, "end": end}


def service(number: int, name: str, *, running: bool = False, enable: bool | None = None, pid: int = 0) -> Row:
    """A service; one that runs is enabled unless said otherwise."""
    return {
        "id": number,
        "service": name,
        "enable": running if enable is None else enable,
        "state": "RUNNING" if running else "STOPPED",
        "pids": [pid or 1200 + 37 * number] if running else [],
    }


def interface(name: str, address: str, *, prefix: int = 24, up: bool = True, mtu: int = 1500, mac: str = "") -> Row:
    """A network card with one address of its own."""
    alias = {"type": "INET", "address": address, "netmask": prefix}
    broadcast = address.rpartition(".")[0] + ".255"
    media = "1000Mb/s Twisted Pair" if up else ""
    link = mac or "3c:ec:ef:" + ":".join(f"{sum(name.encode()) * step & 255:02x}" for step in (3, 7, 11))
    return {
        "id": name,
        "name": name,
        "fake": False,
        "type": "PHYSICAL",
        "aliases": [alias],
        "ipv4_dhcp": False,
        "ipv6_auto": False,
        "description": "",
        "mtu": None if mtu == 1500 else mtu,
        "state": {
            "name": name,
            "orig_name": name,
            "description": name,
            "mtu": mtu,
            "cloned": False,
            "flags": ["UP", "BROADCAST", "RUNNING", "MULTICAST", "LOWER_UP"] if up else ["BROADCAST", "MULTICAST"],
            "nd6_flags": [],
            "capabilities": ["tx-checksumming", "rx-checksumming", "generic-receive-offload"],
            "link_state": "LINK_STATE_UP" if up else "LINK_STATE_DOWN",
            "media_type": "Ethernet",
            "media_subtype": "autoselect",
            "active_media_type": "Ethernet",
            "active_media_subtype": media,
            "supported_media": ["100baseT/Full", "1000baseT/Full"],
            "media_options": None,
            "link_address": link,
            "permanent_link_address": link,
            "hardware_link_address": link,
            "rx_queues": 8,
            "tx_queues": 8,
            "aliases": [{**alias, "broadcast": broadcast}, {"type": "LINK", "address": link}],
            "vrrp_config": [],
        },
    }


def smb(
    number: int, name: str, path: str, *, purpose: str = "DEFAULT_SHARE", comment: str = "", readonly: bool = False
) -> Row:
    """An SMB share."""
    options: dict[str, Any] = {"purpose": purpose, "aapl_name_mangling": False}
    if purpose == "TIMEMACHINE_SHARE":
        options = {
            "purpose": purpose,
            "timemachine_quota": 0,
            "auto_snapshot": False,
            "auto_dataset_creation": False,
            "dataset_naming_schema": None,
            "vuid": None,
        }
    return {
        "id": number,
        "purpose": purpose,
        "name": name,
        "path": path,
        "enabled": True,
        "comment": comment,
        "readonly": readonly,
        "browsable": True,
        "access_based_share_enumeration": False,
        "locked": False,
        "audit": {"enable": False, "watch_list": [], "ignore_list": []},
        "options": options,
    }


def nfs(number: int, path: str, *, networks: Sequence[str] = (), readonly: bool = False, comment: str = "") -> Row:
    """An NFS export."""
    given = {"id": number, "path": path, "comment": comment, "networks": list(networks), "ro": readonly}
    return {**NEW_NFS, **given}


def iscsi(name: str, zvol: str, serial: str) -> dict[str, Mapping[Any, Row]]:
    """The tables of one target over one volume, open to every initiator."""
    naa = f"0x6589cfc000000{sum(serial.encode()):019x}"
    device = f"zvol/{zvol}"
    extent = {**NEW_EXTENT, "id": 1, "name": name, "disk": device, "path": device, "serial": serial, "naa": naa}
    groups = [{"portal": 1, "initiator": 1, "authmethod": "NONE", "auth": None}]
    target = {"id": 1, "name": name, "alias": None, "mode": "ISCSI", "groups": groups, "auth_networks": []}
    listen = [{"ip": "0.0.0.0", "port": 3260}]  # noqa: S104
    return {
        "iscsi.target": {1: {**target, "rel_tgt_id": 1, "iscsi_parameters": None}},
        "iscsi.extent": {1: extent},
        "iscsi.targetextent": {1: {"id": 1, "target": 1, "lunid": 0, "extent": 1}},
        "iscsi.portal": {1: {"id": 1, "listen": listen, "comment": "", "tag": 1}},
        "iscsi.initiator": {1: {"id": 1, "initiators": [], "comment": ""}},
        "iscsi.auth": {},
    }


def snapshot_task(
    number: int,
    dataset: str,
    when: str,
    *,
    keep: int = 2,
    unit: str = "WEEK",
    recursive: bool = False,
    exclude: Sequence[str] = (),
    naming_schema: str = "auto-%Y-%m-%d_%H-%M",
    enabled: bool = True,
) -> Row:
    """A periodic snapshot task; ``when`` is a crontab line."""
    return {
        "id": number,
        "dataset": dataset,
        "recursive": recursive,
        "exclude": list(exclude),
        "lifetime_value": keep,
        "lifetime_unit": unit,
        "naming_schema": naming_schema,
        "schedule": schedule(when),
        "allow_empty": True,
        "enabled": enabled,
        "vmware_sync": False,
        "state": {"state": "PENDING"},
    }


def replication(number: int, name: str, sources: Sequence[str], target: str, when: str, *, enabled: bool = True) -> Row:
    """A replication to another pool of the same machine."""
    unset = (
        "ssh_credentials netcat_active_side netcat_active_side_listen_address netcat_active_side_port_min "
        "netcat_active_side_port_max netcat_passive_side_connect_address encryption_inherit encryption_key "
        "encryption_key_format encryption_key_location name_regex restrict_schedule lifetime_value lifetime_unit "
        "compression speed_limit logging_level job"
    )
    return {
        "id": number,
        "name": name,
        "direction": "PUSH",
        "transport": "LOCAL",
        **dict.fromkeys(unset.split()),
        "sudo": False,
        "source_datasets": list(sources),
        "target_dataset": target,
        "recursive": False,
        "exclude": [],
        "properties": True,
        "properties_exclude": [],
        "properties_override": {},
        "replicate": False,
        "encryption": False,
        "periodic_snapshot_tasks": [],
        "naming_schema": [],
        "also_include_naming_schema": ["auto-%Y-%m-%d_%H-%M"],
        "auto": True,
        "schedule": schedule(when),
        "only_matching_schedule": False,
        "allow_from_scratch": False,
        "readonly": "SET",
        "hold_pending_snapshots": False,
        "retention_policy": "SOURCE",
        "lifetimes": [],
        "large_block": True,
        "embed": False,
        "compressed": True,
        "retries": 5,
        "enabled": enabled,
        "state": {"state": "PENDING"},
        "has_encrypted_dataset_keys": False,
    }


def scrub_task(number: int, pool: int, pool_name: str, when: str = "0 0 * * 7", threshold: int = 35) -> Row:
    """A scrub, on schedule but not more often than every ``threshold`` days."""
    return {
        "id": number,
        "pool": pool,
        "pool_name": pool_name,
        "threshold": threshold,
        "description": "",
        "enabled": True,
        "schedule": {name: field for name, field in schedule(when).items() if name not in ("begin", "end")},
    }


def user(
    number: int, uid: int, username: str, full_name: str = "", *, builtin: bool = False, roles: Iterable[str] = ()
) -> Row:
    """A user and its primary group of the same numbers."""
    return {
        "id": number,
        "uid": uid,
        "username": username,
        "unixhash": "*",
        "smbhash": "*",
        "home": "/root" if uid == 0 else "/var/empty",
        "shell": "/usr/bin/zsh" if builtin else "/usr/sbin/nologin",
        "full_name": full_name or username,
        "builtin": builtin and uid < 900,
        "smb": not builtin,
        "userns_idmap": None,
        "group": {"id": number, "bsdgrp_gid": uid, "bsdgrp_group": username},
        "groups": [],
        "password_disabled": uid == 0,
        "ssh_password_enabled": False,
        "sshpubkey": None,
        "locked": False,
        "sudo_commands": [],
        "sudo_commands_nopasswd": ["ALL"] if "FULL_ADMIN" in set(roles) else [],
        "email": None,
        "id_type_both": False,
        "local": True,
        "immutable": builtin,
        "twofactor_auth_configured": False,
        "sid": None if builtin else f"S-1-5-21-1004336348-1177238915-682003330-{20000 + uid}",
        "last_password_change": None,
        "password_age": None,
        "password_history": None,
        "password_change_required": False,
        "roles": sorted(roles),
        "api_keys": [],
    }


def group(number: int, gid: int, name: str, users: Sequence[int] = (), *, builtin: bool = False) -> Row:
    """A group and the ids of its users."""
    return {
        "id": number,
        "gid": gid,
        "name": name,
        "group": name,
        "builtin": builtin,
        "sudo_commands": [],
        "sudo_commands_nopasswd": [],
        "smb": not builtin,
        "userns_idmap": None,
        "id_type_both": False,
        "local": True,
        "sid": None if builtin else f"S-1-5-21-1004336348-1177238915-682003330-{200000 + gid}",
        "roles": [],
        "users": list(users),
    }


def certificate(number: int, name: str, since: str, until: str, common: str = "localhost") -> Row:
    """A certificate the appliance made for itself; dates as ``Mon Feb  9 00:00:00 2026``."""
    subject = {"country": "US", "state": "Tennessee", "city": "Maryville", "organization": "iXsystems"}
    return {
        "id": number,
        "type": 8,
        "name": name,
        "certificate": "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
        "privatekey": "********",
        "CSR": None,
        "acme_uri": None,
        "domains_authenticators": None,
        "renew_days": None,
        "acme": None,
        "add_to_trusted_store": False,
        "root_path": "/etc/certificates",
        "certificate_path": f"/etc/certificates/{name}.crt",
        "privatekey_path": f"/etc/certificates/{name}.key",
        "csr_path": f"/etc/certificates/{name}.csr",
        "cert_type": "CERTIFICATE",
        "cert_type_existing": True,
        "cert_type_CSR": False,
        "chain_list": [],
        "key_length": 2048,
        "key_type": "RSA",
        **subject,
        "organizational_unit": None,
        "common": common,
        "san": [f"DNS:{common}"],
        "email": "info@example.org",
        "DN": f"/C=US/O=iXsystems/CN={common}/emailAddress=info@example.org/ST=Tennessee/L=Maryville",
        "subject_name_hash": 3193428416,
        "extensions": {"SubjectAltName": f"DNS:{common}", "ExtendedKeyUsage": "TLS Web Server Authentication"},
        "digest_algorithm": "SHA256",
        "lifetime": 397,
        "from": since,
        "until": until,
        "serial": 1,
        "chain": False,
        "fingerprint": ":".join(["AB"] * 20),
        "expired": False,
        "parsed": True,
    }
