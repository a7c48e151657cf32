"""The same methods through REST's paths and bodies, and through JSON-RPC."""

import json
from typing import Any

import pytest

from tests.contract.box import Box, box

RESTFUL = ("24.04", "24.10", "25.04.0", "25.04", "25.10.0", "25.10")


async def told(served: Box, verb: str, target: str, body: Any = None, status: int = 200) -> Any:
    reply = await served.json(verb, target, body)
    assert reply.status == status, (verb, target, reply.status, reply.body[:400])
    return json.loads(reply.body)


@pytest.mark.parametrize("release", RESTFUL)
@pytest.mark.asyncio
async def test_a_share_is_made_changed_and_removed_by_paths(release: str) -> None:
    async with box(release, "homelab") as served:
        made = await told(served, "POST", "/sharing/nfs", {"path": "/mnt/tank", "hosts": ["a"]})
        path = f"/sharing/nfs/id/{made['id']}"
        assert await told(served, "GET", path) == made
        changed = await told(served, "PUT", path, {"ro": True})
        assert changed == {**made, "ro": True}
        assert await told(served, "GET", "/sharing/nfs?ro=true&path=/mnt/tank") == [changed]
        assert await told(served, "DELETE", path) is True
        assert await told(served, "GET", path, status=404) == {"message": ""}
        wrong = await told(served, "POST", "/sharing/nfs", {"path": 5}, status=422)
        assert list(wrong) == ["sharingnfs_create.path"]


@pytest.mark.parametrize("release", RESTFUL)
@pytest.mark.asyncio
async def test_samples_are_asked_for_by_the_names_of_the_release(release: str) -> None:
    async with box(release) as served:
        right, wrong = "reporting_query", "query"
        if not release.startswith("24"):
            right, wrong = wrong, right
        graphs = [{"name": "cpu"}, {"name": "disk", "identifier": "none"}]
        (row,) = await told(
            served, "POST", "/reporting/get_data", {"graphs": graphs, right: {"unit": "HOUR", "page": 1}}
        )
        assert row["name"] == "cpu" and 0 < len(row["data"]) <= 2999
        refused = await told(served, "POST", "/reporting/get_data", {"graphs": graphs, wrong: {}}, status=400)
        assert refused == {"message": f"The following attributes are not expected: {wrong}"}
        both = {"unit": "HOUR", "start": 1_770_000_000}
        told_so = await told(served, "POST", "/reporting/get_data", {"graphs": graphs, right: both}, status=422)
        assert list(told_so) == [f"{right}.start"]


@pytest.mark.parametrize("release", RESTFUL)
@pytest.mark.asyncio
async def test_a_service_is_stopped_by_its_path(release: str) -> None:
    async with box(release, "homelab") as served:
        assert await told(served, "POST", "/service/stop", {"service": "cifs"}) is True
        (row,) = await told(served, "GET", "/service?service=cifs")
        assert (row["state"], row["pids"]) == ("STOPPED", [])
        assert await told(served, "PUT", f"/service/id/{row['id']}", {"enable": False}) == row["id"]
        assert (await told(served, "GET", f"/service/id/{row['id']}"))["enable"] is False


@pytest.mark.asyncio
async def test_a_machine_is_stopped_below_its_id_as_a_job() -> None:
    async with box("25.10", "homelab") as served:
        number = await told(served, "POST", "/vm/id/1/stop", {})
        assert isinstance(number, int)
        served.clock.at_ns += 60_000_000_000
        (job,) = await told(served, "GET", f"/core/get_jobs?id={number}")
        assert (job["method"], job["state"], job["arguments"]) == ("vm.stop", "SUCCESS", [1, {}])
        assert await told(served, "POST", "/vm/id/1/status") == {
            "state": "STOPPED",
            "pid": None,
            "domain_state": "SHUTOFF",
        }


@pytest.mark.asyncio
async def test_what_is_open_is_open_on_a_socket_before_login() -> None:
    async with box("25.10") as served, served.rpc(login=False) as socket:
        assert await socket.call("truenas.managed_by_truecommand") is False
        assert await socket.call("user.has_local_administrator_set_up") is True
        refused = await socket.answer("sharing.smb.query")
        assert refused["error"]["data"]["error"] == 207


@pytest.mark.parametrize("release", ["25.04", "25.10", "26.0"])
@pytest.mark.asyncio
async def test_a_write_on_a_socket_shows_in_the_next_query(release: str) -> None:
    async with box(release, "homelab") as served, served.rpc() as socket:
        made = await socket.call("pool.snapshottask.create", {"dataset": "tank/media"})
        assert await socket.call("pool.snapshottask.query", [["id", "=", made["id"]]]) == [made]
        assert await socket.call("pool.snapshottask.get_instance", made["id"]) == made
        refused = await socket.answer("pool.snapshottask.create", {"dataset": "tank/none"})
        assert refused["error"]["code"] == -32602
        assert refused["error"]["data"]["extra"] == [["periodic_snapshot_create.dataset", "Dataset not found", 2]]


@pytest.mark.asyncio
async def test_an_app_action_is_a_job_on_a_socket() -> None:
    async with box("25.10", "homelab") as served, served.rpc() as socket:
        number = await socket.call("app.stop", "jellyfin")
        served.clock.at_ns += 60_000_000_000
        (job,) = await socket.call("core.get_jobs", [["id", "=", number]])
        assert (job["method"], job["state"]) == ("app.stop", "SUCCESS")
        (row,) = await socket.call("app.query", [["id", "=", "jellyfin"]])
        assert row["state"] == "STOPPED"


@pytest.mark.parametrize("release", ["25.04", "25.10", "26.0"])
@pytest.mark.asyncio
async def test_a_key_with_an_end_opens_until_then(release: str) -> None:
    async with box(release, "homelab") as served, served.rpc() as socket:
        end = {"$date": served.clock.at_ns // 10**6 + 60_000}
        made = await socket.call("api_key.create", {"name": "brief", "username": "truenas_admin", "expires_at": end})
        assert made["expires_at"] == end
        async with served.rpc(login=False) as other:
            assert await other.call("auth.login_with_api_key", made["key"]) is True
        served.clock.at_ns += 61_000_000_000
        async with served.rpc(login=False) as other:
            assert await other.call("auth.login_with_api_key", made["key"]) is False
