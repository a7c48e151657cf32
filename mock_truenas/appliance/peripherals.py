"""What the ready-made appliances have besides disks and datasets: services, network, apps, shares, tasks, people."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from mock_truenas.appliance import rows, workloads
from mock_truenas.appliance.model import Row, Tables

_DAY_NS: Final = 86_400_000_000_000
_WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True)
class Seat:
    """For whom tables are made: its start, a source of UUIDs by purpose, and its pools' numbers by name."""

    start_ns: int
    uuid: Callable[[str], str]
    pools: Mapping[str, int]


MakeTables = Callable[[Seat], Tables]


def certificate_date(at_ns: int) -> str:
    """A date as certificates show it, ``Mon Feb  9 00:00:00 2026``, whatever the locale."""
    at = datetime.fromtimestamp(at_ns // 1_000_000_000, UTC)
    return f"{_WEEKDAYS[at.weekday()]} {_MONTHS[at.month - 1]} {at.day:2} {at:%H:%M:%S} {at.year}"


def numbered(table: Sequence[Row]) -> dict[Any, Row]:
    """Rows by their id."""
    return {row["id"]: row for row in table}


def common(
    seat: Seat,
    *,
    running: Sequence[str] = ("cifs", "ssh", "smartd"),
    address: str = "192.168.1.20",
    people: Sequence[str] = (),
) -> dict[str, Mapping[Any, Row]]:
    """What every appliance has. ``people`` get numbers from 3000 on."""
    services = [
        rows.service(number, name, running=name in running, enable=name in running)
        for number, name in enumerate(rows.SERVICES, start=1)
    ]
    users = [
        rows.user(1, 0, "root", builtin=True, roles=["FULL_ADMIN"]),
        rows.user(2, 950, "truenas_admin", "Local Administrator", builtin=True, roles=["FULL_ADMIN"]),
        *(rows.user(70 + place, 3000 + place, name) for place, name in enumerate(people)),
    ]
    groups = [
        rows.group(1, 0, "root", [1], builtin=True),
        rows.group(2, 950, "truenas_admin", [2], builtin=True),
        rows.group(3, 544, "builtin_administrators", [2], builtin=True),
        rows.group(4, 545, "builtin_users", [70 + place for place in range(len(people))], builtin=True),
        *(rows.group(70 + place, 3000 + place, name, [70 + place]) for place, name in enumerate(people)),
    ]
    made = certificate_date(seat.start_ns - 200 * _DAY_NS), certificate_date(seat.start_ns + 197 * _DAY_NS)
    return {
        "service": numbered(services),
        "interface": numbered([rows.interface("eno1", address)]),
        "app": {},
        "vm": {},
        "virt.instance": {},
        "container": {},
        "sharing.smb": {},
        "sharing.nfs": {},
        "iscsi.target": {},
        "iscsi.extent": {},
        "iscsi.targetextent": {},
        "iscsi.portal": {},
        "iscsi.initiator": {},
        "iscsi.auth": {},
        "replication": {},
        "pool.snapshottask": {},
        "pool.scrub": numbered([rows.scrub_task(number, number, name) for name, number in seat.pools.items()]),
        "user": numbered(users),
        "group": numbered(groups),
        "certificate": numbered([rows.certificate(1, "truenas_default", *made)]),
    }


def baseline(seat: Seat) -> Tables:
    """A small machine: one share, one virtual machine, daily snapshots."""
    return {
        **common(seat, people=("anna",)),
        "app": numbered([workloads.app("syncthing", "1.2.9", "syncthing/syncthing:2.0.12", port=20910)]),
        "vm": numbered([workloads.vm(1, "firewall", "fast/vm-disk", seat.uuid("vm 1"))]),
        "sharing.smb": numbered([rows.smb(1, "documents", "/mnt/tank/documents", comment="Shared documents")]),
        "pool.snapshottask": numbered([rows.snapshot_task(1, "tank/documents", "0 0 * * *")]),
        "replication": numbered(
            [rows.replication(1, "tank/documents - backup/documents", ["tank/documents"], "backup", "30 1 * * *")]
        ),
    }


def small_office(seat: Seat) -> Tables:
    """An office: shares for everybody, a volume over iSCSI, snapshots through the working day."""
    shares = [
        rows.smb(1, "shares", "/mnt/office/shares"),
        rows.smb(2, "archive", "/mnt/office/archive", readonly=True, comment="Old years"),
        rows.smb(3, "payroll", "/mnt/office/payroll"),
    ]
    tasks = [
        rows.snapshot_task(1, "office/shares", "0 8-18 * * 1-5", keep=3, unit="DAY"),
        rows.snapshot_task(2, "office/payroll", "15 23 * * *", keep=4, unit="WEEK"),
    ]
    running = ("cifs", "iscsitarget", "nfs", "ssh", "smartd", "ups")
    return {
        **common(seat, running=running, address="10.20.0.5", people=("berta", "carl", "dora", "emil")),
        **rows.iscsi("erp", "office/erp-vm", "a1b2c3d4e5f6000"),
        "interface": numbered([rows.interface("eno1", "10.20.0.5"), rows.interface("eno2", "10.21.0.5", mtu=9000)]),
        "sharing.smb": numbered(shares),
        "sharing.nfs": numbered([rows.nfs(1, "/mnt/office/shares", networks=["10.20.0.0/24"])]),
        "pool.snapshottask": numbered(tasks),
    }


def homelab(seat: Seat) -> Tables:
    """Somebody's cellar: apps, machines and containers, snapshots of most things, replication to another pool."""
    apps = [
        workloads.app("jellyfin", "1.2.36", "jellyfin/jellyfin:10.11.4", port=8096, newer="1.2.37"),
        workloads.app("nextcloud", "2.1.14", "nextcloud:32.0.3", port=30027),
        workloads.app("grafana", "1.4.6", "grafana/grafana:12.3.1", port=30037),
        workloads.app("gitea", "1.1.22", "gitea/gitea:1.25.3", port=30008, state="STOPPED"),
    ]
    machines = [
        workloads.vm(1, "homeassistant", "flash/vms/home-assistant", seat.uuid("vm 1")),
        workloads.vm(2, "debian", "flash/vms/debian", seat.uuid("vm 2"), memory_mib=8192, vcpus=4),
        workloads.vm(3, "windows", "flash/vms/windows", seat.uuid("vm 3"), memory_mib=16384, vcpus=8, running=False),
    ]
    shares = [
        rows.smb(1, "media", "/mnt/tank/media"),
        rows.smb(2, "home", "/mnt/tank/home", purpose="PRIVATE_DATASETS_SHARE"),
        rows.smb(3, "timemachine", "/mnt/tank/timemachine", purpose="TIMEMACHINE_SHARE"),
        rows.smb(4, "scans", "/mnt/tank/scans", comment="<i>new</i> & unsorted"),
    ]
    tasks = [
        rows.snapshot_task(1, "tank/home", "0 * * * *", keep=2, unit="DAY", recursive=True),
        rows.snapshot_task(2, "tank/photos", "0 0 * * *", recursive=True, exclude=["tank/photos/albums"]),
        rows.snapshot_task(3, "flash/vms", "30 3 * * *", keep=5, unit="DAY", recursive=True),
    ]
    name = "tank/photos - vault/replica/photos"
    return {
        **common(
            seat,
            running=("cifs", "iscsitarget", "nfs", "ssh", "smartd", "snmp"),
            address="192.168.178.10",
            people=("alice", "bob", "carol"),
        ),
        **rows.iscsi("games", "tank/iscsi/games", "0cc47a3bd2f1000"),
        "interface": numbered(
            [rows.interface("enp5s0", "192.168.178.10"), rows.interface("enp6s0", "10.0.9.1", up=False)]
        ),
        "app": numbered(apps),
        "vm": numbered(machines),
        "virt.instance": numbered(
            [
                workloads.virt_instance("dns", "flash", address="192.168.178.11"),
                workloads.virt_instance("build", "flash", running=False, memory=4 << 30),
            ]
        ),
        "container": numbered([workloads.container(1, "dns", "flash/.truenas_containers/dns", seat.uuid("container"))]),
        "sharing.smb": numbered(shares),
        "sharing.nfs": numbered(
            [
                rows.nfs(1, "/mnt/tank/media", networks=["192.168.178.0/24"], readonly=True),
                rows.nfs(2, "/mnt/tank/isos"),
            ]
        ),
        "pool.snapshottask": numbered(tasks),
        "replication": numbered(
            [
                rows.replication(1, name, ["tank/photos"], "vault/replica/photos", "0 4 * * *"),
                rows.replication(
                    2, "tank/home - vault/replica/home", ["tank/home"], "vault/replica/home", "20 4 * * 7"
                ),
            ]
        ),
    }


def plain(seat: Seat) -> Tables:
    """A machine that does nothing but store."""
    return common(seat, running=("nfs", "ssh", "smartd", "snmp"))
