"""The older face on ``/websocket``: its messages, its errors and what ends it, release by release (truenas-api 6)."""

import json

import pytest

from tests.contract.box import Ddp, box
from tests.contract.shape import RELEASES

OLD = ("24.04", "24.10")


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.asyncio
async def test_connecting_and_failing_to(release: str) -> None:
    async with box(release) as served:
        async with served.ddp(login=False) as socket:
            assert isinstance(socket, Ddp)
        async with served._connected("/websocket") as ws:
            socket = Ddp(ws)
            early = '{"id": "1", "msg": "method", "method": "system.info", "params": []}'
            assert json.loads(await socket.raw(early)) == {"msg": "failed", "version": "1"}
            assert json.loads(await socket.raw('{"msg": "connect", "version": "2", "support": ["2"]}')) == {
                "msg": "failed",
                "version": "1",
            }
            told = json.loads(await socket.raw('{"msg": "connect", "version": "1", "support": ["1"]}'))
            assert (list(told), told["msg"], len(told["session"])) == (["msg", "session"], "connected", 36)


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.asyncio
async def test_result_and_error_frames(release: str) -> None:
    async with box(release) as served, served.ddp() as socket:
        frame = await socket.answer("core.ping")
        assert {key: frame[key] for key in ("msg", "result")} == {"msg": "result", "result": "pong"}
        assert frame.keys() == {"id", "msg", "result"}
        frame = await socket.answer("no.such")
        assert frame.keys() == {"id", "msg", "error"}
        assert {"error", "errname", "type", "reason", "trace", "extra"} <= frame["error"].keys()
        assert (frame["error"]["error"], frame["error"]["errname"], frame["error"]["type"]) == (201, "ENOMETHOD", None)


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.asyncio
async def test_validation_errors_are_eagain_with_their_list(release: str) -> None:
    async with box(release) as served, served.ddp() as socket:
        error = (await socket.answer("pool.query", [], {"limit": "many"}))["error"]
        assert (error["error"], error["errname"], error["type"]) == (11, "EAGAIN", "VALIDATION")
        assert all(len(row) == 3 and row[2] == 22 for row in error["extra"])
        assert error["extra"]


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.asyncio
async def test_call_without_login(release: str) -> None:
    async with box(release) as served, served.ddp(login=False) as socket:
        error = (await socket.answer("system.info"))["error"]
        prefix = "" if release in OLD else "[ENOTAUTHENTICATED] "
        assert (error["error"], error["reason"]) == (207, f"{prefix}Not authenticated")
        if release in OLD:
            assert error.get("trace") is None


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.asyncio
async def test_ping_is_answered_until_24_10_and_ignored_later(release: str) -> None:
    async with box(release) as served, served.ddp() as socket:
        await socket.ws.send_str('{"msg": "ping", "id": "p"}')
        assert await socket.call("core.ping") == "pong"
        assert socket.stray == ([{"msg": "pong", "id": "p"}] if release in OLD else [])


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.asyncio
async def test_what_is_no_json_closes_with_the_words_of_the_parser(release: str) -> None:
    async with box(release) as served, served.ddp() as socket:
        await socket.ws.send_str("nonsense")
        assert await socket.closed() == (1007, "Expecting value: line 1 column 1 (char 0)")


@pytest.mark.parametrize("sent", ["{}", '{"msg": "method", "method": "core.ping", "params": []}', '{"id": "1"}'])
@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.asyncio
async def test_message_without_what_it_needs_breaks_the_connection(release: str, sent: str) -> None:
    async with box(release) as served, served.ddp() as socket:
        await socket.ws.send_str(sent)
        assert (await socket.closed())[0] == 1011


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.asyncio
async def test_limits_of_length(release: str) -> None:
    async with box(release) as served:
        async with served.ddp(login=False) as socket:
            await socket.ws.send_str(" " * 8193)
            assert await socket.closed() == (1007, "Anonymous connection max message length is 8 kB")
        async with served.ddp() as socket:
            told = '{"id": "1", "msg": "method", "method": "core.ping", "params": []}'
            await socket.ws.send_str(told + " " * 65537)
            if release == "24.04":  # knows the shorter limit only
                assert json.loads(await socket.text())["result"] == "pong"
            else:
                assert await socket.closed() == (1009, "Max message length is 64 kB")


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.asyncio
async def test_subscription_is_ready_and_changes_are_told(release: str) -> None:
    async with box(release, "small-office") as served, served.ddp() as socket:
        await socket.ws.send_str('{"id": "s1", "msg": "sub", "name": "alert.list"}')
        assert json.loads(await socket.text()) == {"msg": "ready", "subs": ["s1"]}
        alert = next(iter(served.nas.appliance.state.alerts.values()))
        served.nas.appliance.dismiss_alert(alert.uuid, dismissed=True)
        frame = json.loads(await socket.text())
        assert (frame["msg"] in ("added", "changed"), frame["collection"], frame["id"]) == (
            True,
            "alert.list",
            alert.uuid,
        )
        await socket.ws.send_str('{"id": "s1", "msg": "unsub"}')
        assert await socket.call("core.ping") == "pong"
        assert socket.stray == []


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.asyncio
async def test_wrong_login_is_false(release: str) -> None:
    async with box(release) as served, served.ddp(login=False) as socket:
        assert await socket.call("auth.login", "root", "wrong") is False
        assert await socket.call("auth.login_with_api_key", "77-" + "x" * 64) is False
        assert await socket.call("auth.login_with_api_key", served.key) is True
