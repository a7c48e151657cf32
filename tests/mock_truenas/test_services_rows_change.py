"""What is created, changed and deleted is what the next query shows, in every release that has the service."""

import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from mock_truenas.api.errors import CallError, InstanceNotFound, NoSuchMethod, NotAuthorized, ValidationErrors
from mock_truenas.api.methods.catalogue import METHODS
from mock_truenas.api.methods.method import Principal
from mock_truenas.appliance.dialect import differences
from tests.mock_truenas.calls import EVERY, READER, machine

FLAT = ("24.04", "24.10", "25.04.0", "25.04.1", "25.04")
OPTIONS = ("25.10.0", "25.10", "26.0")


@dataclass(frozen=True)
class Case:
    """One service: what is created, what changed; ``shown`` is what differs from what was given."""

    service: str
    create: Mapping[str, Any]
    change: Mapping[str, Any]
    shown: Mapping[str, Any] = field(default_factory=dict)
    releases: tuple[str, ...] = EVERY

    def __str__(self) -> str:
        return self.service


CASES = (
    Case(
        "sharing.smb",
        {"path": "/mnt/tank/films", "name": "films", "ro": True, "guestok": True, "hostsallow": ["10.0.0.1"]},
        {"abe": True, "timemachine_quota": 5, "comment": "for all"},
        {"path_local": "/mnt/tank/films", "purpose": "DEFAULT_SHARE"},
        FLAT,
    ),
    Case(
        "sharing.smb",
        {"path": "/mnt/tank/films", "name": "films", "purpose": "PRIVATE_DATASETS", "recyclebin": True},
        {"ro": True},
        {"guestok": False},
        FLAT,
    ),
    Case(
        "sharing.smb",
        {"path": "/mnt/tank/films", "name": "films", "purpose": "LEGACY_SHARE", "readonly": True},
        {"access_based_share_enumeration": True, "audit": {"enable": True, "watch_list": [], "ignore_list": []}},
        releases=OPTIONS,
    ),
    Case(
        "sharing.nfs",
        {"path": "/mnt/tank/films", "hosts": ["a.example"], "security": ["SYS"], "maproot_user": "root"},
        {"ro": True, "networks": ["10.0.0.0/8"]},
        {"enabled": True, "aliases": []},
    ),
    Case("sharing.nfs", {"path": "/mnt/tank"}, {"expose_snapshots": True}, releases=OPTIONS),
    Case("iscsi.target", {"name": "films", "alias": "Films"}, {"mode": "BOTH"}, {"groups": []}),
    Case(
        "iscsi.extent",
        {"name": "films", "type": "DISK", "disk": "zvol/tank/films", "blocksize": 4096},
        {"ro": True, "comment": "mine"},
        {"rpm": "SSD"},
    ),
    Case("iscsi.portal", {"listen": [{"ip": "10.0.0.5"}], "comment": "all"}, {"comment": "everything"}),
    Case("iscsi.initiator", {"initiators": ["iqn.a"], "comment": ""}, {"initiators": []}),
    Case("iscsi.auth", {"tag": 7, "user": "anna", "secret": "twelve-chars"}, {"user": "berta"}),
    Case("iscsi.targetextent", {"target": 1, "extent": 1}, {"lunid": 9}, {"lunid": 1}),
    Case(
        "pool.snapshottask",
        {"dataset": "tank/media", "recursive": True, "schedule": {"hour": "3"}},
        {"lifetime_value": 9, "lifetime_unit": "DAY", "enabled": False},
        {
            "schedule": {
                "minute": "00",
                "hour": "3",
                "dom": "*",
                "month": "*",
                "dow": "*",
                "begin": "00:00",
                "end": "23:59",
            }
        },
    ),
    Case(
        "replication",
        {
            "name": "films",
            "direction": "PUSH",
            "transport": "LOCAL",
            "source_datasets": ["tank/media"],
            "target_dataset": "vault/films",
            "recursive": False,
            "auto": False,
            "retention_policy": "NONE",
        },
        {"enabled": False, "speed_limit": 1000},
        {"state": {"state": "PENDING"}, "job": None},
    ),
    Case("cronjob", {"command": "true", "user": "root"}, {"enabled": False}),
    Case("rsynctask", {"path": "/mnt/tank", "user": "root"}, {"desc": "copy"}),
    Case(
        "vm",
        {"name": "films", "memory": 512, "cores": 2},
        {"memory": 1024, "autostart": False},
        {"devices": [], "status": {"state": "STOPPED", "pid": None, "domain_state": "SHUTOFF"}},
        ("24.04", "24.10", "25.04", "25.10", "26.0"),
    ),
    Case("container", {"name": "films", "description": "a"}, {"description": "b"}, {"devices": []}, ("26.0",)),
    Case("user", {"username": "films", "full_name": "Films"}, {"email": "films@example.org", "locked": True}),
    Case("group", {"name": "films"}, {"name": "cinema", "smb": False}),
    Case(
        "interface",
        {"type": "BRIDGE", "name": "br7", "bridge_members": ["enp5s0"]},
        {"description": "bridge", "mtu": 9000},
        {"id": "br7"},
    ),
    Case(
        "interface",
        {"type": "VLAN", "vlan_parent_interface": "enp5s0", "vlan_tag": 7},
        {"vlan_tag": 8},
        {"name": "vlan0"},
    ),
)
PAIRS = [pytest.param(release, case, id=f"{release} {case}") for case in CASES for release in case.releases]


def without_secrets(row: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in wanted}


@pytest.mark.parametrize(("release", "case"), PAIRS)
def test_each_write_shows_in_the_next_query(release: str, case: Case) -> None:
    box = machine(release)
    before = box.call(f"{case.service}.query")
    made = box.call(f"{case.service}.create", case.create)
    assert made == box.row(case.service, made["id"]) == box.call(f"{case.service}.get_instance", made["id"])
    wanted = {**case.create, **case.shown}
    assert without_secrets(made, wanted) == wanted
    assert made.keys() == (before[0].keys() if before and case.service != "interface" else made.keys())

    changed = box.call(f"{case.service}.update", made["id"], case.change)
    assert changed == box.row(case.service, made["id"])
    assert without_secrets(changed, case.change) == case.change
    assert {name for name in made if made[name] != changed[name]} <= {*case.change, "group"}

    assert box.call(f"{case.service}.delete", made["id"]) is True
    assert box.call(f"{case.service}.query") == before
    for verb in ("get_instance", "delete"):
        with pytest.raises(InstanceNotFound):
            box.call(f"{case.service}.{verb}", made["id"])
    with pytest.raises(InstanceNotFound):
        box.call(f"{case.service}.update", made["id"], case.change)


@pytest.mark.parametrize(("release", "case"), PAIRS)
def test_a_write_is_for_those_who_may_write(release: str, case: Case) -> None:
    box = machine(release)
    before = box.call(f"{case.service}.query", who=READER)
    with pytest.raises(NotAuthorized):
        box.call(f"{case.service}.create", case.create, who=READER)
    assert box.call(f"{case.service}.query", who=READER) == before


@pytest.mark.parametrize(("release", "case"), PAIRS)
def test_a_field_the_release_does_not_know_is_refused_and_nothing_changes(release: str, case: Case) -> None:
    box = machine(release)
    revision = box.appliance.revision
    with pytest.raises(ValidationErrors) as caught:
        box.call(f"{case.service}.create", {**case.create, "surprise": 1})
    (problem,) = caught.value.problems
    assert (problem[0].partition(".")[2], problem[2]) == ("surprise", 22)
    assert box.appliance.revision == revision


WRONG: tuple[tuple[str, Mapping[str, Any], str, int, str], ...] = (
    ("sharing.nfs", {}, "path", 22, "24.10"),
    ("sharing.nfs", {"path": "/etc"}, "path", 22, "25.10"),
    ("sharing.nfs", {"path": "/mnt/tank", "expose_snapshots": True}, "expose_snapshots", 22, "25.04"),
    ("sharing.nfs", {"path": "/mnt/tank", "maproot_user": "a", "mapall_user": "b"}, "mapall_user", 22, "25.04"),
    ("sharing.smb", {"path": "/mnt/tank", "name": "MEDIA"}, "name", 17, "24.10"),
    ("sharing.smb", {"path": "/mnt/tank", "name": "x", "ro": True}, "ro", 22, "25.10"),
    ("sharing.smb", {"path": "/mnt/tank", "name": "x", "readonly": True}, "readonly", 22, "25.04"),
    ("sharing.smb", {"path": "/mnt/tank", "name": "global"}, "name", 22, "26.0"),
    ("iscsi.targetextent", {"target": 99, "extent": 1}, "target", 2, "25.10"),
    ("iscsi.auth", {"tag": 1, "user": "a", "secret": "short"}, "secret", 22, "25.10"),
    ("pool.snapshottask", {"dataset": "tank/none"}, "dataset", 2, "25.10"),
    ("pool.snapshottask", {"dataset": "tank", "exclude": ["vault"]}, "exclude", 22, "25.10"),
    ("pool.snapshottask", {"dataset": "tank", "lifetime_value": 1.0}, "lifetime_value", 22, "25.10"),
    ("vm", {"name": "debian", "memory": 512}, "name", 17, "25.10"),
    ("vm", {"name": "big", "memory": 10**9}, "memory", 22, "25.10"),
    ("user", {"username": "alice", "full_name": "A"}, "username", 17, "25.10"),
    ("user", {"username": "x", "full_name": "A", "groups": [12345]}, "groups", 2, "25.10"),
    ("group", {"name": "bob"}, "name", 17, "25.10"),
    ("interface", {"type": "PHYSICAL"}, "type", 22, "25.10"),
    ("interface", {"type": "BRIDGE", "bridge_members": ["eno9"]}, "bridge_members", 22, "25.10"),
    ("interface", {"type": "BRIDGE", "name": "enp5s0"}, "name", 17, "25.10"),
)


@pytest.mark.parametrize(("service", "arguments", "attribute", "number", "release"), WRONG)
def test_a_wrong_value_is_told_by_its_path(
    service: str, arguments: Mapping[str, Any], attribute: str, number: int, release: str
) -> None:
    box = machine(release)
    before = box.call(f"{service}.query")
    with pytest.raises(ValidationErrors) as caught:
        box.call(f"{service}.create", arguments)
    assert [(path.partition(".")[2], errno) for path, _, errno in caught.value.problems] == [(attribute, number)]
    assert box.call(f"{service}.query") == before


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(ValidationErrors) as caught:
        machine("25.10").call("sharing.smb.create", {"path": "/nowhere", "name": "scans"})
    assert [path for path, _, _ in caught.value.problems] == ["smb_share_create.path", "smb_share_create.name"]


def test_an_update_keeps_what_it_does_not_name() -> None:
    box = machine("25.04")
    key = box.call("sharing.smb.create", {"path": "/mnt/tank", "name": "x", "hostsallow": ["a"], "recyclebin": True})[
        "id"
    ]
    box.call("sharing.smb.update", key, {"guestok": True})
    row = box.row("sharing.smb", key)
    assert (row["hostsallow"], row["recyclebin"], row["guestok"]) == (["a"], True, True)


def test_a_share_of_25_10_is_seen_flat_through_an_older_endpoint() -> None:
    box = machine("25.10")
    (newest,) = box.call("sharing.smb.query", [["name", "=", "timemachine"]])
    box.api_version = "v25.04.2"
    (flat,) = box.call("sharing.smb.query", [["name", "=", "timemachine"]])
    assert (newest["purpose"], flat["purpose"], flat["timemachine"]) == (
        "TIMEMACHINE_SHARE",
        "ENHANCED_TIMEMACHINE",
        True,
    )
    assert "options" not in flat and "ro" in flat and "readonly" not in flat


def test_deleting_a_target_takes_its_associations_with_it() -> None:
    box = machine("25.10")
    assert len(box.call("iscsi.targetextent.query")) == 1
    box.call("iscsi.target.delete", 1)
    assert box.call("iscsi.targetextent.query") == []


def test_a_new_association_gets_the_lowest_free_lun() -> None:
    box = machine("25.10")
    extent = box.call("iscsi.extent.create", {"name": "second"})["id"]
    assert box.call("iscsi.targetextent.create", {"target": 1, "extent": extent})["lunid"] == 1
    box.call("iscsi.targetextent.delete", 1)
    assert box.call("iscsi.targetextent.create", {"target": 1, "extent": 1})["lunid"] == 0


def test_secrets_are_shown_to_those_who_may_write() -> None:
    box = machine("25.10")
    key = box.call("iscsi.auth.create", {"tag": 1, "user": "a", "secret": "twelve-chars"})["id"]
    assert box.row("iscsi.auth", key)["secret"] == "twelve-chars"
    (hidden,) = box.call("iscsi.auth.query", who=READER)
    assert (hidden["secret"], hidden["user"]) == ("********", "a")


@pytest.mark.parametrize(
    ("service", "change", "secret"),
    [
        ("ssh", {"tcpport": 2222}, None),
        ("snmp", {"location": "cellar", "v3_password": "hidden-words"}, "v3_password"),
        ("ups", {"driver": "usbhid-ups$auto", "monpwd": "hidden-words"}, "monpwd"),
        ("mail", {"fromemail": "nas@example.org", "pass": "hidden-words"}, "pass"),
        ("ftp", {"banner": "hello"}, None),
        ("smb", {"workgroup": "OFFICE"}, None),
        ("nfs", {"allow_nonroot": True}, None),
        ("iscsi.global", {"basename": "iqn.2026-01.org.example"}, None),
        ("reporting", {"tier0_days": 3}, None),
        ("network.configuration", {"hostname": "renamed", "nameserver1": "9.9.9.9"}, None),
        ("audit", {"retention": 30}, None),
    ],
)
@pytest.mark.parametrize("release", EVERY)
def test_settings_change(release: str, service: str, change: Mapping[str, Any], secret: str | None) -> None:
    box = machine(release)
    before = box.call(f"{service}.config")
    after = box.call(f"{service}.update", change)
    assert after == box.call(f"{service}.config")
    assert {name: after[name] for name in change} == change
    assert before.keys() == after.keys()
    again = box.call(f"{service}.config", who=READER)
    assert {name for name in after if after[name] != again[name]} == ({secret} if secret else set())


def test_a_new_host_name_is_the_machines_own() -> None:
    box = machine("25.10")
    box.call("network.configuration.update", {"hostname": "cellar"})
    assert box.call("system.info")["hostname"] == "cellar"


def test_a_role_for_sharing_writes_shares_only() -> None:
    box, sharer = machine("25.10"), Principal("s", roles=frozenset({"SHARING_ADMIN"}))
    assert box.call("sharing.nfs.create", {"path": "/mnt/tank"}, who=sharer)["id"] > 0
    with pytest.raises(NotAuthorized):
        box.call("user.create", {"username": "x", "full_name": "X"}, who=sharer)


@pytest.mark.parametrize(
    ("role", "reads", "not_this"),
    [
        ("APPS_READ", "app.query", "vm.query"),
        ("VM_WRITE", "vm.query", "app.query"),
        ("SERVICE_READ", "service.query", "sharing.smb.query"),
        ("SHARING_READ", "sharing.smb.query", "user.query"),
        ("ACCOUNT_READ", "user.query", "replication.query"),
        ("REPLICATION_TASK_READ", "replication.query", "interface.query"),
    ],
)
def test_a_role_for_one_thing_reads_that_thing(role: str, reads: str, not_this: str) -> None:
    box, limited = machine("25.10"), Principal("x", roles=frozenset({role}))
    assert box.call(reads, who=limited) != []
    with pytest.raises(NotAuthorized):
        box.call(not_this, who=limited)


@pytest.mark.parametrize(
    ("release", "name"),
    [
        ("24.04", "app.query"),
        ("24.10", "chart.release.query"),
        ("25.04.0", "vm.query"),
        ("25.04.1", "vm.query"),
        ("24.10", "virt.instance.query"),
        ("26.0", "virt.instance.query"),
        ("25.10", "container.query"),
        ("25.04", "service.control"),
        ("25.04", "update.status"),
        ("25.10", "update.check_available"),
    ],
)
def test_a_method_of_another_release_is_not_there(release: str, name: str) -> None:
    with pytest.raises(NoSuchMethod):
        machine(release).call(name)


def test_a_physical_interface_cannot_be_deleted() -> None:
    box = machine("25.10")
    with pytest.raises(CallError):
        box.call("interface.delete", "enp5s0")
    assert box.row("interface", "enp5s0")["type"] == "PHYSICAL"


def test_the_summary_of_the_network_tells_addresses_and_servers() -> None:
    box = machine("25.10")
    assert box.call("network.general.summary") == {
        "ips": {"enp5s0": {"IPV4": ["192.168.178.10/24"]}, "enp6s0": {"IPV4": ["10.0.9.1/24"]}},
        "default_routes": ["192.168.178.1"],
        "nameservers": ["192.168.178.1"],
    }


def test_changes_are_told_to_those_who_watch() -> None:
    box = machine("25.10")
    heard: list[tuple[str, str, Any]] = []
    box.appliance.watch(lambda change: heard.append((change.collection, change.msg, change.id)))
    key = box.call("sharing.nfs.create", {"path": "/mnt/tank"})["id"]
    box.call("sharing.nfs.update", key, {"ro": True})
    box.call("sharing.nfs.delete", key)
    assert heard == [("sharing.nfs.query", msg, key) for msg in ("added", "changed", "removed")]


def test_every_difference_between_methods_is_about_some_method() -> None:
    patterns = differences().methods
    assert [one for one in patterns if not any(fnmatch.fnmatchcase(name, one) for name in METHODS)] == []
