"""Contract A9: the WebSocket tells what changes, to those who read, per organisation."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from pulse_sim.stack.api import events
from tests.stack.stackbed import TOKEN, Bed

REPORT = {"id": "h1", "hostname": "worker", "status": "online", "disks": [{"name": "sda", "serial": "S-1"}]}


@asynccontextmanager
async def watching(**headers: str) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    async with (
        aiohttp.ClientSession(headers={"X-API-Token": TOKEN, **headers}) as session,
        session.ws_connect("http://127.0.0.1:7655/api/ws") as socket,
    ):
        assert (await socket.receive_json())["type"] == "hello"
        yield socket


async def report(bed: Bed, **changes: Any) -> None:
    status, answer = await bed.api("POST", "/api/agents/host/report", {**REPORT, **changes})
    assert status == 200, answer


def test_a_changed_resource_is_told_as_the_api_shows_it() -> None:
    async def story(bed: Bed) -> None:
        await bed.start(PULSE_ENABLE_TRUENAS="")
        async with watching() as socket:
            await report(bed)
            told = await socket.receive_json()
            assert (told["type"], told["removed"]) == ("resources", [])
            assert sorted(each["type"] for each in told["changed"]) == ["host", "physical_disk"]
            assert told["changed"] == await bed.resources()
            await report(bed)
            await report(bed, status="offline", disks=[])
            told = await socket.receive_json()
            assert [each["status"] for each in told["changed"]] == ["offline"]
            assert [name.partition("-")[0] for name in told["removed"]] == ["physical_disk"]

    Bed().run(story)


def test_a_source_that_falls_silent_is_told_within_five_seconds() -> None:
    async def story(bed: Bed) -> float:
        await bed.start(PULSE_ENABLE_TRUENAS="")
        await report(bed, disks=[])
        started = asyncio.get_running_loop().time()
        async with watching() as socket:
            told = await socket.receive_json()
        (host,) = told["changed"]
        assert (host["status"], host["sourceStatus"]["agent"]["status"]) == ("warning", "stale")
        return asyncio.get_running_loop().time() - started

    assert 60 < Bed().run(story) <= 60 + events.LOOK_S + 1


def test_polls_of_an_appliance_are_told() -> None:
    async def story(bed: Bed) -> None:
        await bed.start()
        async with watching() as socket:
            await bed.add()
            told = await socket.receive_json()
            assert len(told["changed"]) == 13

    Bed().run(story)


def test_alerts_are_told() -> None:
    async def story(bed: Bed) -> list[tuple[str, str]]:
        await bed.start()
        await bed.add()
        await bed.wait(30)
        bed.inject("auth.revoke_key")
        heard: list[tuple[str, str]] = []
        async with watching() as socket:
            while len(heard) < 2:
                told = await socket.receive_json()
                if told["type"] == "alert":
                    heard.append((told["event"], told["alert"]["rule"]))
                    bed.heal("auth.revoke_key")
        return heard

    assert Bed().run(story) == [("raised", "auth"), ("resolved", "auth")]


def test_organisations_are_told_of_their_own_only() -> None:
    async def story(bed: Bed) -> None:
        await bed.start(PULSE_ENABLE_TRUENAS="", PULSE_MULTI_TENANT_ENABLED="1")
        async with watching(**{"X-Pulse-Org-ID": "acme"}) as acme, watching() as default:
            await report(bed)
            assert (await default.receive_json())["type"] == "resources"
            with pytest.raises(TimeoutError):
                await acme.receive(timeout=4)

    Bed().run(story)


def test_many_changes_at_once_are_told_as_one_resync(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "MAX_TOLD", 5)

    async def story(bed: Bed) -> None:
        await bed.start(PULSE_ENABLE_TRUENAS="")
        async with watching() as socket:
            await report(bed, disks=[{"name": f"sd{at}"} for at in range(6)])
            assert (await socket.receive_json())["type"] == "resync"

    Bed().run(story)


def test_a_client_that_does_not_read_is_dropped_and_counted_and_nobody_else_suffers() -> None:
    async def story(bed: Bed) -> None:
        stack = await bed.start(PULSE_ENABLE_TRUENAS="")
        lines = [
            "GET /api/ws HTTP/1.1", "Host: 127.0.0.1:7655", "Upgrade: websocket", "Connection: Upgrade",
            "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", f"X-API-Token: {TOKEN}", "", "",
        ]  # fmt: skip
        reader, writer = await asyncio.open_connection("127.0.0.1", 7655, limit=64)
        writer.write("\r\n".join(lines).encode())
        await bed.wait(1)
        async with watching() as other:
            assert (await bed.metrics())["pulse_api_event_clients"] == 2
            sent = 0
            while stack._events.dropped == 0:
                stack._events.publish("default", {"type": "alert", "text": "x" * 5000, "number": sent})
                sent += 1
                await bed.wait(0.1)
                assert (await other.receive_json())["number"] == sent - 1
            assert sent > events.MAX_WAITING
            found = await bed.metrics()
            assert (found["pulse_api_event_clients"], found["pulse_api_event_clients_dropped"]) == (1, 1)
        await bed.wait(10)
        assert (await bed.metrics())["pulse_api_event_clients"] == 0
        del reader
        writer.close()

    Bed().run(story)


def test_a_dropped_client_that_reads_late_finds_the_code() -> None:
    async def story(bed: Bed) -> int | None:
        stack = await bed.start(PULSE_ENABLE_TRUENAS="")
        async with watching() as socket:
            for number in range(events.MAX_WAITING + 2):
                stack._events.publish("default", {"type": "alert", "number": number})
            async for _ in socket:
                pass
            return socket.close_code

    assert Bed().run(story) == 1013


def test_clients_that_vanish_leave_the_stack_healthy() -> None:
    async def story(bed: Bed) -> None:
        stack = await bed.start(PULSE_ENABLE_TRUENAS="")
        before = await bed.metrics()
        for code in (None, 1000, 1002):
            async with watching() as socket:
                if code is None:
                    assert socket._conn is not None and socket._conn.transport is not None
                    socket._conn.transport.abort()
                else:
                    await socket.close(code=code)
                for number in range(5):
                    stack._events.publish("default", {"type": "alert", "number": number})
                await bed.wait(1)
        assert (await bed.api("GET", "/api/health"))[1]["status"] == "healthy"
        after = await bed.metrics()
        for name in ("pulse_runtime_tasks", "pulse_api_event_clients", "pulse_api_event_clients_dropped"):
            assert after[name] == before[name], name

    Bed().run(story)


def test_nothing_runs_while_nobody_is_connected_and_everything_ends_with_the_stack() -> None:
    async def story(bed: Bed) -> int | None:
        stack = await bed.start(PULSE_ENABLE_TRUENAS="")
        before = await bed.metrics()
        async with watching() as socket:
            assert (await bed.metrics())["pulse_runtime_tasks"] == before["pulse_runtime_tasks"] + 3
            await socket.send_str("ignored")
        await bed.wait(1)
        after = await bed.metrics()
        for name in ("pulse_runtime_tasks", "pulse_runtime_timers", "pulse_api_event_clients"):
            assert after[name] == before[name], name
        async with watching() as socket:
            asyncio.get_running_loop().call_later(1, lambda: ending.append(asyncio.ensure_future(stack.stop())))
            ending: list[asyncio.Future[None]] = []
            message = await socket.receive()
            assert message.type is aiohttp.WSMsgType.CLOSE
            code = socket.close_code
        await ending[0]
        return code

    assert Bed().run(story) == 1001


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [({"X-API-Token": "wrong"}, 401, "unauthorized"), ({"X-Pulse-Org-ID": "acme"}, 501, "multi_tenant_disabled"),
     ({}, 426, "upgrade_required")],
)  # fmt: skip
def test_who_is_refused(headers: dict[str, str], status: int, code: str) -> None:
    async def story(bed: Bed) -> None:
        await bed.start(PULSE_ENABLE_TRUENAS="")
        async with (
            aiohttp.ClientSession(headers={"X-API-Token": TOKEN, **headers}) as session,
            session.get("http://127.0.0.1:7655/api/ws") as answer,
        ):
            assert (answer.status, json.loads(await answer.text())["code"]) == (status, code)

    Bed().run(story)


def test_one_client_too_many_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "MAX_CLIENTS", 1)

    async def story(bed: Bed) -> int:
        await bed.start(PULSE_ENABLE_TRUENAS="")
        async with watching():
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                async with watching():
                    pass
        return refused.value.status

    assert Bed().run(story) == 503
