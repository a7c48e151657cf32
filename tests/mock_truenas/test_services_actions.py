"""Starting, stopping, upgrading: what an action changes, when, and what it says when it cannot."""

import errno
from typing import Any

import pytest

from mock_truenas.api.errors import CallError, InstanceNotFound, ValidationErrors
from mock_truenas.api.methods.method import Principal
from tests.mock_truenas.calls import EVERY, READER, ROOT, Machine, machine

WITH_APPS = tuple(release for release in EVERY if release != "24.04")
WITH_MACHINES = tuple(release for release in EVERY if release not in ("25.04.0", "25.04.1"))
WITH_INSTANCES = ("25.04.0", "25.04.1", "25.04", "25.10.0", "25.10")


def service(box: Machine, name: str) -> Any:
    (row,) = box.call("service.query", [["service", "=", name]])
    return row


# -- services ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("release", EVERY)
def test_a_service_stops_and_starts(release: str) -> None:
    box = machine(release)
    assert (service(box, "cifs")["state"], box.call("service.started", "cifs")) == ("RUNNING", True)
    assert box.call("service.stop", "cifs") is True
    assert (service(box, "cifs")["state"], service(box, "cifs")["pids"]) == ("STOPPED", [])
    assert box.call("service.started", "cifs") is False
    assert box.call("service.start", "cifs", {"silent": False}) is True
    assert service(box, "cifs")["state"] == "RUNNING"
    assert len(service(box, "cifs")["pids"]) == 1


@pytest.mark.parametrize("release", EVERY)
def test_a_service_is_enabled_by_number_or_name(release: str) -> None:
    box = machine(release)
    number = service(box, "ftp")["id"]
    assert box.call("service.update", number, {"enable": True}) == number
    assert service(box, "ftp")["enable"] is True
    assert box.call("service.update", "ftp", {"enable": False}) == number
    assert service(box, "ftp")["enable"] is False
    with pytest.raises(InstanceNotFound):
        box.call("service.update", "gopher", {"enable": True})
    with pytest.raises(ValidationErrors):
        box.call("service.start", "gopher")


def test_reloading_leaves_a_service_as_it_was() -> None:
    box = machine("25.10")
    assert (box.call("service.reload", "ftp"), service(box, "ftp")["state"]) == (False, "STOPPED")
    assert (box.call("service.reload", "cifs"), service(box, "cifs")["state"]) == (True, "RUNNING")


def test_nobody_is_asked_for_states_that_are_not_wanted() -> None:
    rows = machine("24.10").call("service.query", [], {"extra": {"include_state": False}})
    assert {(row["state"], tuple(row["pids"])) for row in rows} == {("UNKNOWN", ())}


@pytest.mark.parametrize(
    ("release", "absent", "present"),
    [("25.04", "nvmet", "smartd"), ("25.10", "smartd", "nvmet"), ("26.0", "smartd", "nvmet")],
)
def test_services_come_and_go_with_releases(release: str, absent: str, present: str) -> None:
    box = machine(release)
    names = {row["service"] for row in box.call("service.query")}
    assert present in names and absent not in names
    with pytest.raises(ValidationErrors):
        box.call("service.start", absent)


def test_control_of_a_service_is_a_job() -> None:
    box = machine("25.10")
    job = box.call("service.control", "STOP", "cifs")
    assert (job.state, service(box, "cifs")["state"]) == ("RUNNING", "RUNNING")
    box.pass_s(2)
    assert (box.appliance.jobs.get(job.id).result, service(box, "cifs")["state"]) == (True, "STOPPED")


# -- apps --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("release", WITH_APPS)
def test_an_app_stops_and_starts(release: str) -> None:
    box = machine(release)
    running = box.row("app", "jellyfin")
    job = box.call("app.stop", "jellyfin")
    assert box.row("app", "jellyfin")["state"] == "STOPPING"
    box.pass_s(job.takes_ns / 1e9)
    stopped = box.row("app", "jellyfin")
    assert (stopped["state"], stopped["active_workloads"]["containers"]) == ("STOPPED", 0)
    assert stopped["active_workloads"]["used_ports"] == []
    assert box.job("app.start", "jellyfin").state == "SUCCESS"
    assert box.row("app", "jellyfin") == running


@pytest.mark.parametrize("release", WITH_APPS)
def test_an_upgrade_brings_the_newest_version(release: str) -> None:
    box = machine(release)
    summary = box.call("app.upgrade_summary", "jellyfin")
    before = box.row("app", "jellyfin")
    assert (before["upgrade_available"], before["version"]) == (True, "1.2.36")
    assert box.job("app.upgrade", "jellyfin").state == "SUCCESS"
    after = box.row("app", "jellyfin")
    assert (after["upgrade_available"], after["version"], after["state"]) == (
        False,
        summary["upgrade_version"],
        "RUNNING",
    )
    with pytest.raises(CallError):
        box.call("app.upgrade", "jellyfin")


@pytest.mark.parametrize("release", WITH_APPS)
def test_an_app_is_installed_and_removed(release: str) -> None:
    box = machine(release)
    job = box.job("app.create", {"app_name": "plex", "catalog_app": "plex"})
    assert job.result == box.row("app", "plex")
    assert box.row("app", "plex")["state"] == "RUNNING"
    with pytest.raises(ValidationErrors):
        box.call("app.create", {"app_name": "plex", "catalog_app": "plex"})
    assert box.job("app.delete", "plex").result is True
    assert box.call("app.query", [["name", "=", "plex"]]) == []


def test_an_app_deleted_while_it_starts_fails_the_job() -> None:
    box = machine("25.10")
    start = box.call("app.start", "gitea")
    box.appliance.delete_row("app", "gitea")
    box.pass_s(60)
    job = box.appliance.jobs.get(start.id)
    assert (job.state, type(job.exc)) == ("FAILED", CallError)


def test_a_reboot_settles_what_a_job_was_doing_to_apps() -> None:
    box = machine("25.10")
    box.call("app.start", "gitea")
    box.call("app.stop", "jellyfin")
    box.appliance.reboot(takes_ns=60_000_000_000)
    box.pass_s(61)
    assert [box.row("app", name)["state"] for name in ("gitea", "jellyfin")] == ["STOPPED", "RUNNING"]
    assert box.appliance.jobs.all() == ()


@pytest.mark.parametrize(("release", "kind"), [("24.10", str), ("25.04", int), ("25.10", int), ("26.0", int)])
def test_ports_of_apps_are_text_before_25_04(release: str, kind: type) -> None:
    workloads = machine(release).row("app", "jellyfin")["active_workloads"]
    ports = [*workloads["used_ports"], *(port for one in workloads["container_details"] for port in one["port_config"])]
    numbers = [number for port in ports for number in (port["container_port"], port["host_ports"][0]["host_port"])]
    assert {type(number) for number in numbers} == {kind}


def test_containers_and_images_of_apps_are_told() -> None:
    box = machine("25.10")
    (container,) = box.call("app.container_ids", "jellyfin").values()
    assert (container["service_name"], container["state"]) == ("jellyfin", "running")
    assert box.call("app.container_ids", "gitea", {"alive_only": False}) == {}
    tags = [tag for image in box.call("app.image.query") for tag in image["repo_tags"]]
    assert container["image"] in tags
    assert 8096 in box.call("app.used_ports")
    assert box.call("docker.status") == {"status": "RUNNING", "description": "Application(s) are currently running"}


def test_charts_of_24_04_are_scaled() -> None:
    box = machine("24.04")
    assert box.row("chart.release", "jellyfin")["status"] == "ACTIVE"
    box.job("chart.release.scale", "jellyfin", {"replica_count": 0})
    row = box.row("chart.release", "jellyfin")
    assert (row["status"], row["pod_status"]) == ("STOPPED", {"desired": 0, "available": 0})


# -- machines, instances, containers -----------------------------------------------------------------------------------


@pytest.mark.parametrize("release", WITH_MACHINES)
def test_a_machine_runs_and_is_stopped(release: str) -> None:
    box = machine(release)
    assert box.call("vm.status", 1)["state"] == "RUNNING"
    with pytest.raises(CallError):
        box.call("vm.start", 1)
    assert box.job("vm.stop", 1).state == "SUCCESS"
    assert box.call("vm.status", 1) == {"state": "STOPPED", "pid": None, "domain_state": "SHUTOFF"}
    with pytest.raises(CallError):
        box.call("vm.stop", 1)
    box.call("vm.start", 1)
    assert box.row("vm", 1)["status"]["state"] == "RUNNING"
    box.call("vm.suspend", 1)
    assert box.call("vm.status", 1)["domain_state"] == "PAUSED"
    box.call("vm.resume", 1)
    box.call("vm.poweroff", 1)
    assert box.call("vm.status", 1)["pid"] is None


def test_a_machine_that_wants_more_memory_than_there_is_does_not_start() -> None:
    box = machine("25.10")
    host = box.appliance.state.host
    wanted = host.memory // 1024**2
    key = box.call("vm.create", {"name": "big", "memory": wanted})["id"]
    with pytest.raises(CallError) as caught:
        box.call("vm.start", key)
    assert (caught.value.errno, box.call("vm.status", key)["state"]) == (errno.ENOMEM, "STOPPED")
    box.call("vm.start", key, {"overcommit": True})
    assert box.call("vm.status", key)["state"] == "RUNNING"


def test_a_running_machine_is_deleted_only_by_force() -> None:
    box = machine("25.10")
    with pytest.raises(CallError):
        box.call("vm.delete", 1)
    assert box.call("vm.delete", 1, {"force": True}) is True
    assert [row["id"] for row in box.call("vm.query")] == [2, 3]


@pytest.mark.parametrize("release", WITH_INSTANCES)
def test_an_instance_is_created_moved_and_deleted(release: str) -> None:
    box = machine(release)
    made = box.job("virt.instance.create", {"name": "c1", "image": "debian/bookworm", "autostart": True}).result
    assert made == box.row("virt.instance", "c1")
    assert (made["status"], made["memory"], made["type"]) == ("RUNNING", None, "CONTAINER")
    box.job("virt.instance.update", "c1", {"memory": 2**30})
    assert box.row("virt.instance", "c1")["memory"] == 2**30
    box.job("virt.instance.stop", "c1", {"force": True})
    assert box.row("virt.instance", "c1")["status"] == "STOPPED"
    with pytest.raises(CallError):
        box.call("virt.instance.stop", "c1")
    box.job("virt.instance.start", "c1")
    assert box.row("virt.instance", "c1")["status"] == "RUNNING"
    box.job("virt.instance.delete", "c1")
    assert box.call("virt.instance.query", [["id", "=", "c1"]]) == []


def test_a_container_of_26_starts_and_stops() -> None:
    box = machine("26.0")
    key = box.call("container.create", {"name": "c1"})["id"]
    box.call("container.start", key)
    assert box.row("container", key)["status"]["state"] == "RUNNING"
    with pytest.raises(CallError):
        box.call("container.delete", key)
    box.job("container.stop", key)
    assert box.row("container", key)["status"]["pid"] is None
    assert box.call("container.delete", key) is True


# -- tasks -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("release", EVERY)
def test_a_replication_run_by_hand_finishes(release: str) -> None:
    box = machine(release)
    row, *_ = box.call("replication.query")
    started = box.call("replication.run", row["id"])
    running = box.row("replication", row["id"])
    assert (running["state"]["state"], running["job"]["id"]) == ("RUNNING", started.id)
    box.pass_s(started.takes_ns / 1e9)
    state = box.row("replication", row["id"])["state"]
    assert (state["state"], state["datetime"]["$date"]) == ("FINISHED", box.clock.at_ns // 10**9 * 1000)
    assert state["last_snapshot"].partition("@")[0] in row["source_datasets"]
    box.call("replication.update", row["id"], {"enabled": False})
    with pytest.raises(CallError):
        box.call("replication.run", row["id"])


@pytest.mark.parametrize("release", EVERY)
def test_a_snapshot_task_run_by_hand_takes_snapshots(release: str) -> None:
    box = machine(release)
    before = set(box.appliance.state.snapshots)
    box.pass_s(61)
    box.call("pool.snapshottask.run", 3)
    taken = set(box.appliance.state.snapshots) - before
    assert {name.partition("@")[0].partition("/")[0] for name in taken} == {"flash"}
    assert box.row("pool.snapshottask", 3)["state"]["state"] == "FINISHED"


# -- keys --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("release", EVERY)
def test_a_key_is_shown_once(release: str) -> None:
    box = machine(release)
    made = box.call("api_key.create", {"name": "monitoring"})
    text = made.pop("key")
    assert box.appliance.check_api_key(text).ok
    assert box.row("api_key", made["id"]) == made
    assert text not in str(box.call("api_key.query", who=READER))
    renewed = box.call("api_key.update", made["id"], {"reset": True})["key"]
    assert box.appliance.check_api_key(renewed).ok and not box.appliance.check_api_key(text).ok
    assert box.call("api_key.update", made["id"], {"name": "other"})["name"] == "other"
    assert box.call("api_key.delete", made["id"]) is True
    assert not box.appliance.check_api_key(renewed).ok
    assert box.call("api_key.query") == []


def test_a_key_of_24_10_has_paths_and_one_of_25_04_a_user_and_an_end() -> None:
    paths = [{"method": "GET", "resource": "/pool*"}]
    assert machine("24.10").call("api_key.create", {"name": "k", "allowlist": paths})["allowlist"] == paths
    box = machine("25.04")
    with pytest.raises(ValidationErrors):
        box.call("api_key.create", {"name": "k", "allowlist": paths})
    end = {"$date": box.clock.at_ns // 10**6 + 60_000}
    made = box.call("api_key.create", {"name": "k", "username": "alice", "expires_at": end})
    assert (made["username"], made["expires_at"]) == ("alice", end)
    assert box.appliance.check_api_key(made["key"]).ok
    box.pass_s(61)
    assert box.appliance.check_api_key(made["key"]).why == "expired"
    with pytest.raises(ValidationErrors):
        box.call("api_key.create", {"name": "late", "username": "alice", "expires_at": end})


def test_a_user_has_ten_keys_at_most_from_25_04_on() -> None:
    box = machine("25.10")
    for number in range(10):
        box.call("api_key.create", {"name": f"k{number}", "username": "bob"})
    with pytest.raises(ValidationErrors):
        box.call("api_key.create", {"name": "one more", "username": "bob"})
    (bob,) = box.call("user.query", [["username", "=", "bob"]])
    assert len(bob["api_keys"]) == 10


@pytest.mark.parametrize(("release", "keys"), [("25.04", {"revoked"}), ("25.10", {"revoked", "revoked_reason"})])
def test_a_revoked_key_says_so(release: str, keys: set[str]) -> None:
    box = machine(release)
    made = box.call("api_key.create", {"name": "k", "username": "alice"})
    box.appliance.revoke("k", reason="seen over plain HTTP")
    row = box.row("api_key", made["id"])
    assert {name for name in row if name.startswith("revoked")} == keys
    assert row["revoked"] is True and row.get("revoked_reason", "seen over plain HTTP") == "seen over plain HTTP"


# -- updates -----------------------------------------------------------------------------------------------------------


def offered(release: str) -> Machine:
    box = machine(release)
    update = box.appliance.base.update
    box.appliance.change(update=type(update)("25.10.7", update.profile))
    return box


@pytest.mark.parametrize("release", ["24.04", "24.10", "25.04"])
def test_an_older_release_checks_for_an_update_and_installs_it(release: str) -> None:
    box = machine(release)
    box.appliance.change(update=type(box.appliance.base.update)())
    assert box.call("update.check_available") == {"status": "UNAVAILABLE"}
    with pytest.raises(CallError):
        box.call("update.update")
    box = offered(release)
    found = box.call("update.check_available")
    assert (found["status"], found["version"]) == ("AVAILABLE", "TrueNAS-SCALE-25.10.7")
    assert box.job("update.download").result is True
    assert box.job("update.update", {"reboot": False}).result is True
    assert box.call("update.check_available") == {"status": "REBOOT_REQUIRED"}


@pytest.mark.parametrize("release", ["25.10.0", "25.10", "26.0"])
def test_a_newer_release_tells_its_update_status(release: str) -> None:
    box = offered(release)
    status = box.call("update.status")
    assert (status["code"], status["status"]["new_version"]["version"], status["error"]) == ("NORMAL", "25.10.7", None)
    download = box.call("update.download")
    box.pass_s(download.takes_ns / 2e9)
    assert box.call("update.status")["update_download_progress"]["percent"] == 50.0
    box.pass_s(download.takes_ns / 2e9)
    assert box.call("update.status")["update_download_progress"] is None
    assert box.call("update.update", {"autocheck": False, "profile": "MISSION_CRITICAL"})["autocheck"] is False
    assert box.call("update.status")["status"]["current_version"]["profile"] == "MISSION_CRITICAL"
    assert box.job("update.run").result is True
    assert box.call("update.status")["code"] == "REBOOT_REQUIRED"


# -- the rest ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("release", EVERY)
def test_anybody_may_ask_what_is_open_to_anybody(release: str) -> None:
    box = machine(release)
    assert box.call("truenas.managed_by_truecommand", who=None) is False
    assert box.call("user.has_local_administrator_set_up", who=None) is True


@pytest.mark.parametrize("release", EVERY)
@pytest.mark.parametrize("who", [ROOT, READER, Principal("x", roles=frozenset({"READONLY_ADMIN"}))])
def test_a_single_machine_is_no_pair(release: str, who: Principal) -> None:
    box = machine(release)
    assert box.call("failover.licensed", who=who) is False
    assert box.call("failover.status", who=who) == "SINGLE"


def test_paths_of_datasets_are_there_and_others_are_not() -> None:
    box = machine("25.10")
    assert box.call("filesystem.stat", "/mnt/tank/media")["is_mountpoint"] is True
    assert "media" in [entry["name"] for entry in box.call("filesystem.listdir", "/mnt/tank")]
    full = box.call("filesystem.statfs", "/mnt/tank")
    tank = box.appliance.state.datasets["tank"]
    assert (full["avail_bytes"], full["total_bytes"]) == (tank.available, tank.available + tank.used)
    with pytest.raises(CallError) as caught:
        box.call("filesystem.stat", "/mnt/none")
    assert caught.value.errno == errno.ENOENT


def test_the_ups_of_the_machine_is_named() -> None:
    box = machine("25.10", "small-office")
    named = box.appliance.state.host.ups
    assert box.call("ups.config")["complete_identifier"] == f"{named or 'ups'}@localhost:3493"
