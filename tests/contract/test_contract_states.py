"""What changes with the state of the appliance, in every release: nulls, alerts, keys (truenas-api 2.4, 3, 5.3)."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.contract.box import QUIET, Box, box
from tests.contract.shape import RELEASES, REST, RPC, Shapes
from tests.contract.test_contract_appendix import degrade

NULL_WHEN_EXPORTED = {"scan", "topology", "fragmentation"} | {
    f"{name}{end}" for name in ("size", "allocated", "free", "freeing") for end in ("", "_str")
}


async def ask(served: Box, method: str, *params: Any) -> Any:
    """A call over the older face, which every release has; its rows are those of the models it speaks."""
    if served.release in RPC:
        async with served.rpc() as socket:
            return await socket.call(method, *params)
    async with served.ddp() as older:
        return await older.call(method, *params)


async def alerts(served: Box, klass: str) -> list[dict[str, Any]]:
    """All of one class."""
    return [alert for alert in await ask(served, "alert.list") if alert["klass"] == klass]


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.asyncio
async def test_exported_pool_has_nulls_and_is_unhealthy(release: str) -> None:
    async with box(release) as served:
        served.inject("away", "pool.exported", pool="backup")
        (pool,) = await ask(served, "pool.query", [["name", "=", "backup"]])
        assert Shapes(release).problems(pool, "@pool") == []
        assert {key for key in NULL_WHEN_EXPORTED if pool[key] is not None} == set()
        assert (pool["status"], pool["healthy"]) == ("OFFLINE", False)
        assert pool["autotrim"] == {"value": "off", "rawvalue": "off", "parsed": "off", "source": "DEFAULT"}
        served.nas.heal("away")
        (pool,) = await ask(served, "pool.query", [["name", "=", "backup"]])
        assert (pool["status"], pool["scan"] is None) == ("ONLINE", False)


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.asyncio
async def test_end_of_a_scan_is_null_while_it_runs_and_its_remaining_time_when_it_does_not(release: str) -> None:
    async with box(release) as served:
        served.nas.appliance.start_scrub("tank", takes_ns=10**12)
        for moved_s, state in ((0, "SCANNING"), (250, "SCANNING"), (1000, "FINISHED")):
            served.clock.at_ns += moved_s * 10**9
            (pool,) = await ask(served, "pool.query", [["name", "=", "tank"]])
            assert Shapes(release).problems(pool, "@pool") == []
            scan = pool["scan"]
            running = state == "SCANNING"
            assert (scan["state"], scan["end_time"] is None, scan["total_secs_left"] is None) == (
                state,
                running,
                not running,
            )


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.asyncio
async def test_pool_never_scanned_has_a_scan_of_nulls(release: str) -> None:
    async with box(release) as served:
        served.nas.appliance.change_pool("tank", scan=None)
        (pool,) = await ask(served, "pool.query", [["name", "=", "tank"]])
        assert set(pool["scan"].values()) == {None}


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.asyncio
async def test_ssd_does_not_rotate_and_a_sleeping_disk_has_no_temperature(release: str) -> None:
    async with box(release) as served:
        rows = await ask(served, "disk.query")
        assert {row["type"] for row in rows} == {"HDD", "SSD"}
        assert all((row["rotationrate"] is None) == (row["type"] == "SSD") for row in rows)
        served.inject("asleep", "disk.no_temperature", disk="sda")
        temperatures = await ask(served, "disk.temperatures", ["sda", "sdb"])
        assert temperatures["sda"] is None
        assert isinstance(temperatures["sdb"], int)


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.asyncio
async def test_missing_disk_degrades_its_pool_and_raises_an_alert_until_it_is_back(release: str) -> None:
    async with box(release) as served:
        assert await alerts(served, "VolumeStatus") == []
        whole = served.nas.appliance.state.pools["tank"]
        degrade(served)
        (pool,) = await ask(served, "pool.query", [["name", "=", "tank"]])
        assert Shapes(release).problems(pool, "@pool") == []
        leaf = pool["topology"]["data"][0]["children"][1]
        assert (leaf["status"], leaf["device"], leaf["disk"]) == ("UNAVAIL", None, None)
        assert leaf["unavail_disk"] is not None
        (alert,) = await alerts(served, "VolumeStatus")
        assert Shapes(release).problems(alert, "@alert") == []
        assert (list(alert["args"]), alert["level"]) == (["volume", "state", "status", "devices"], "CRITICAL")
        served.nas.appliance.change_pool("tank", status="ONLINE", status_code="OK", topology=whole.topology)
        assert await alerts(served, "VolumeStatus") == []


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.asyncio
async def test_pool_with_features_disabled_is_healthy_with_a_warning_and_no_alert(release: str) -> None:
    async with box(release) as served:
        served.nas.appliance.change_pool("tank", status_code="FEAT_DISABLED")
        (pool,) = await ask(served, "pool.query", [["name", "=", "tank"]])
        assert (pool["healthy"], pool["warning"], pool["status"]) == (True, True, "ONLINE")
        assert await alerts(served, "VolumeStatus") == []


@pytest.mark.parametrize("release", RPC)
@pytest.mark.asyncio
async def test_key_used_in_the_clear_dies_and_says_so(release: str) -> None:
    async with box(release, behaviour=replace(QUIET, revoke_plaintext_keys=True)) as served:
        other = served.nas.appliance.mint_api_key("other")
        login = {"mechanism": "API_KEY_PLAIN", "username": "truenas_admin"}
        async with served.rpc(login=False) as socket:
            assert await socket.call("auth.login_ex", {**login, "api_key": served.key}) == {"response_type": "EXPIRED"}
            again = await socket.call("auth.login_ex", {**login, "api_key": served.key})
            assert again == {"response_type": "AUTH_ERR"}
            assert (await socket.answer("system.info"))["error"]["data"]["error"] == 207
        if release in REST:
            reply = await served.ask("/api/v2.0/system/info")
            assert (reply.status, reply.body) == (401, b"Invalid API key")
            rows = json.loads(
                (await served.ask("/api/v2.0/alert/list", headers={"Authorization": f"Bearer {other}"})).body
            )
            (alert,) = [row for row in rows if row["klass"] == "ApiKeyRevoked"]
            assert Shapes(release).problems(alert, "@alert") == []
            expected = {"key_name"} if release.startswith("25.04") else {"name", "reason"}
            assert set(alert["args"]) == expected
            assert "pulse" in alert["args"].values()


@pytest.mark.parametrize("release", REST)
@pytest.mark.asyncio
async def test_key_that_was_deleted_breaks_rest_of_25_and_is_refused_by_24(release: str) -> None:
    async with box(release) as served:
        served.nas.appliance.accounts.delete_key(int(served.key.partition("-")[0]))
        reply = await served.ask("/api/v2.0/system/info")
        text = "text/plain; charset=utf-8"
        if release.startswith("24"):
            expected = (401, text, b"Invalid API key")
        else:
            expected = (500, text, b"500 Internal Server Error\n\nServer got itself in trouble")
        assert (reply.status, reply.header("Content-Type"), reply.body) == expected


@pytest.mark.parametrize("release", REST)
@pytest.mark.asyncio
async def test_arguments_that_changed_their_names_are_refused_under_the_old_ones(release: str) -> None:
    old = {"graphs": [{"name": "cpu"}], "reporting_query": {"unit": "HOUR", "page": 1}}
    new = {"graphs": [{"name": "cpu"}], "query": {"unit": "HOUR", "page": 1}}
    right, wrong = (old, new) if release.startswith("24") else (new, old)
    key = next(key for key in wrong if key != "graphs")
    async with box(release) as served:
        assert (await served.json("POST", "/reporting/get_data", right)).status == 200
        reply = await served.json("POST", "/reporting/get_data", wrong)
        body = {"message": f"The following attributes are not expected: {key}"}
        assert (reply.status, json.loads(reply.body)) == (400, body)


@pytest.mark.parametrize("release", ["24.10", "25.04", "25.10", "26.0"])
@pytest.mark.asyncio
async def test_unknown_graph_and_short_disk_name_are_left_out_silently(release: str) -> None:
    key = {"unit": "HOUR", "page": 1}
    async with box(release) as served:
        (cpu,) = await ask(served, "reporting.get_data", [{"name": "cpu"}], key)
        assert (cpu["name"], cpu["identifier"], cpu["legend"][0]) == ("cpu", "cpu", "time")
        short = await ask(served, "reporting.get_data", [{"name": "disktemp", "identifier": "sda"}], key)
        assert [row["identifier"] for row in short] == (["sda"] if release == "24.10" else [])


@pytest.mark.parametrize(("release", "alerted"), [("25.10.0", False), ("25.10", True), ("25.04", False)])
@pytest.mark.asyncio
async def test_use_of_rest_is_alerted_from_25_10_1_on(release: str, alerted: bool) -> None:
    async with box(release) as served:
        await served.json("GET", "/system/info")
        served.clock.at_ns += 20 * 3600 * 10**9
        found = await alerts(served, "RESTAPIUsage")
        assert bool(found) is alerted
        for alert in found:
            assert alert["level"] == "WARNING"
            assert set(alert["args"]) == {"count", "ip_addresses"}
