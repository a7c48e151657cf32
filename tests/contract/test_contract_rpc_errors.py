"""The error table of JSON-RPC 2.0 and what ends a connection, frame by frame (truenas-api 5.1 to 5.3, Appendix A)."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from tests.contract.box import QUIET, Box, Rpc, box
from tests.contract.shape import RPC

LOGIN_TEXT = '{"jsonrpc": "2.0", "id": 1, "method": "auth.login_ex", "params": [%s]}'


def truenas_error(error: dict[str, Any], release: str, number: int, name: str, reason: str) -> None:
    """The data of an error, its trace by shape."""
    data = error["data"]
    assert list(data) == ["error", "errname", "reason", "trace", "extra"]
    assert (data["error"], data["errname"], data["reason"]) == (number, name, reason)
    if data["trace"] is not None:
        with_frames = ["class", "frames", "formatted", "repr"]
        assert list(data["trace"]) == (with_frames if not release.startswith("26") else ["class", "formatted", "repr"])
        assert {key: type(value) for key, value in data["trace"].items() if key != "frames"} == {
            "class": str,
            "formatted": str,
            "repr": str,
        }


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("", '{"code": -32700, "message": "Expecting value: line 1 column 1 (char 0)"}, "id": null'),
        ("nonsense", '{"code": -32700, "message": "Expecting value: line 1 column 1 (char 0)"}, "id": null'),
        ('{"jsonrpc": "2.0",', '{"code": -32700, "message": %s}, "id": null'),
        ("[]", '{"code": -32700, "message": "Batch messages are not supported at this time"}, "id": null'),
        ('[{"id": 1}]', '{"code": -32700, "message": "Batch messages are not supported at this time"}, "id": null'),
        ("1", '{"code": -32700, "message": "Invalid Message Format"}, "id": null'),
        ('"text"', '{"code": -32700, "message": "Invalid Message Format"}, "id": null'),
        ("null", '{"code": -32700, "message": "Invalid Message Format"}, "id": null'),
        (
            '{"id": 3, "method": "core.ping"}',
            '{"code": -32600, "message": "Missing \'jsonrpc\' member"}, "id": 3',
        ),
        (
            '{"jsonrpc": "2.0", "id": 4, "method": "core.ping", "params": {}}',
            '{"code": -32600, "message": "\'params\' member must be of type array"}, "id": 4',
        ),
        (
            '{"jsonrpc": "2.0", "id": 9, "method": "no.such"}',
            '{"code": -32601, "message": "Method does not exist"}, "id": 9',
        ),
        (
            '{"jsonrpc": "2.0", "id": "nine", "method": "no.such", "params": []}',
            '{"code": -32601, "message": "Method does not exist"}, "id": "nine"',
        ),
    ],
)
@pytest.mark.parametrize("release", ["25.04", "25.10", "26.0"])
@pytest.mark.asyncio
async def test_malformed_message_is_answered_in_these_bytes(release: str, sent: str, expected: str) -> None:
    if "%s" in expected:
        with pytest.raises(json.JSONDecodeError) as parser:
            json.loads(sent)
        expected = expected % json.dumps(str(parser.value))
    async with box(release) as served, served.rpc() as socket:
        assert await socket.raw(sent) == f'{{"jsonrpc": "2.0", "error": {expected}}}'


@pytest.mark.parametrize("release", RPC)
@pytest.mark.asyncio
async def test_call_without_login_is_error_207(release: str) -> None:
    async with box(release) as served, served.rpc(login=False) as socket:
        text = await socket.raw('{"jsonrpc": "2.0", "id": 7, "method": "system.info", "params": []}')
        assert text.startswith(
            '{"jsonrpc": "2.0", "error": {"code": -32001, "message": "Method call error", "data": {"error": 207, '
            '"errname": "ENOTAUTHENTICATED", "reason": "[ENOTAUTHENTICATED] Not authenticated", "trace": '
        )
        assert text.endswith(', "extra": null}}, "id": 7}')
        truenas_error(
            json.loads(text)["error"], release, 207, "ENOTAUTHENTICATED", "[ENOTAUTHENTICATED] Not authenticated"
        )


@pytest.mark.parametrize("release", RPC)
@pytest.mark.asyncio
async def test_wrong_arguments_are_told_one_by_one(release: str) -> None:
    async with box(release) as served, served.rpc() as socket:
        error = (await socket.answer("pool.query", [], {"limit": "many", "offset": 1.5}))["error"]
        assert (error["code"], error["message"]) == (-32602, "Invalid params")
        extra = error["data"]["extra"]
        assert all(len(row) == 3 and row[2] == 22 for row in extra), extra
        assert len(extra) >= 2
        reason = "".join(f"[EINVAL] {attribute}: {message}\n" for attribute, message, _ in extra)
        truenas_error(error, release, 22, "EINVAL", reason)


@pytest.mark.parametrize("release", RPC)
@pytest.mark.asyncio
async def test_instance_that_is_not_there_is_errno_2_in_extra(release: str) -> None:
    async with box(release) as served, served.rpc() as socket:
        error = (await socket.answer("pool.get_instance", 999))["error"]
        assert (error["code"], error["message"]) == (-32602, "Invalid params")
        assert (error["data"]["error"], error["data"]["errname"]) == (22, "EINVAL")
        assert [row[2] for row in error["data"]["extra"]] == [2]


@pytest.mark.parametrize("release", RPC)
@pytest.mark.asyncio
async def test_get_without_match_says_so(release: str) -> None:
    async with box(release) as served, served.rpc() as socket:
        error = (await socket.answer("pool.query", [["name", "=", "no"]], {"get": True}))["error"]
        assert (error["code"], error["message"]) == (-32001, "Method call error")
        truenas_error(error, release, 22, "EINVAL", "MatchNotFound()")


@pytest.mark.parametrize("release", RPC)
@pytest.mark.asyncio
async def test_notification_is_never_answered_even_when_it_fails(release: str) -> None:
    async with box(release) as served, served.rpc() as socket:
        for sent in (
            '{"jsonrpc": "2.0", "method": "system.info"}',
            '{"jsonrpc": "2.0", "method": "no.such", "params": []}',
            '{"method": "no.such"}',
            '{"jsonrpc": "2.0", "method": "system.info", "params": {}}',
        ):
            await socket.ws.send_str(sent)
        assert await socket.call("core.ping") == "pong"
        assert socket.stray == []


@pytest.mark.parametrize("release", RPC)
@pytest.mark.asyncio
async def test_twenty_first_call_at_once_is_refused_at_once(release: str) -> None:
    behaviour = replace(QUIET, failed_login_delay=True)  # twenty logins that take their time
    async with box(release, behaviour=behaviour) as served, served.rpc(login=False) as socket:
        for number in range(21):
            told = {"jsonrpc": "2.0", "id": number, "method": "auth.login", "params": ["nobody", "wrong"]}
            await socket.ws.send_str(json.dumps(told))
        assert await socket.text() == (
            '{"jsonrpc": "2.0", "error": {"code": -32000, "message": '
            '"Maximum number of concurrent calls (20) has exceeded"}, "id": 20}'
        )


async def _ended(served: Box, sent: str | bytes, *, login: bool) -> tuple[int | None, str | None]:
    async with served.rpc(login=login) as socket:
        if isinstance(sent, str):
            await socket.ws.send_str(sent)
        else:
            await socket.ws.send_bytes(sent)
        return await socket.closed()


@pytest.mark.parametrize("release", RPC)
@pytest.mark.asyncio
async def test_what_ends_a_connection_does_so_with_its_code_and_reason(release: str) -> None:
    async with box(release) as served:
        assert await _ended(served, " " * 8193, login=False) == (
            1007,
            "Anonymous connection max message length is 8 kB",
        )
        assert await _ended(served, " " * 65537, login=True) == (1009, "Max message length is 64 kB")
        code, reason = await _ended(served, b"\x00", login=True)
        assert code == 1003
        assert reason is not None
        assert reason.startswith("Invalid websocket message type: ")


@pytest.mark.parametrize("release", RPC)
@pytest.mark.asyncio
async def test_message_as_long_as_allowed_is_answered(release: str) -> None:
    def padded(length: int) -> str:
        told = '{"jsonrpc": "2.0", "id": 1, "method": "system.boot_id", "params": []}'
        return told + " " * (length - len(told))

    async with box(release) as served:
        for login, length in ((False, 8192), (True, 65536)):
            async with served.rpc(login=login) as socket:
                assert "result" in json.loads(await socket.raw(padded(length)))


@pytest.mark.parametrize("release", RPC)
@pytest.mark.asyncio
async def test_login_is_answered_with_a_result_whatever_comes_of_it(release: str) -> None:
    more = ', "reconnect_token": null' if release.startswith("26") else ""
    async with box(release) as served, served.rpc(login=False) as socket:
        wrong = '{"mechanism": "API_KEY_PLAIN", "username": "truenas_admin", "api_key": "77-%s"}' % ("x" * 64)
        assert await socket.raw(LOGIN_TEXT % wrong) == (
            '{"jsonrpc": "2.0", "result": {"response_type": "AUTH_ERR"}, "id": 1}'
        )
        right = json.dumps(
            {
                "mechanism": "API_KEY_PLAIN",
                "username": "truenas_admin",
                "api_key": served.key,
                "login_options": {"user_info": False},
            }
        )
        assert await socket.raw(LOGIN_TEXT % right) == (
            '{"jsonrpc": "2.0", "result": {"response_type": "SUCCESS", "user_info": null, "authenticator": "LEVEL_1"'
            f'{more}}}, "id": 1}}'
        )


@pytest.mark.parametrize(
    ("release", "broken"), [("25.04.0", False), ("25.04.1", False), ("25.04", True), ("25.10", True), ("26.0", False)]
)
@pytest.mark.asyncio
async def test_mechanism_choices_without_login_is_broken_where_it_is(release: str, broken: bool) -> None:
    async with box(release) as served, served.rpc(login=False) as socket:
        frame = await socket.answer("auth.mechanism_choices")
        if broken:
            reason = "'NoneType' object has no attribute 'may_create_auth_token'"
            assert frame["error"]["code"] == -32001
            truenas_error(frame["error"], release, 22, "EINVAL", reason)
        else:
            assert "API_KEY_PLAIN" in frame["result"]


@pytest.mark.parametrize(("release", "free"), [("25.04", False), ("25.10.0", True), ("25.10", True), ("26.0", True)])
@pytest.mark.asyncio
async def test_ping_needs_a_login_until_25_10(release: str, free: bool) -> None:
    async with box(release) as served, served.rpc(login=False) as socket:
        frame = await socket.answer("core.ping")
        assert (frame.get("result") == "pong") is free


@pytest.mark.parametrize("release", RPC)
@pytest.mark.asyncio
async def test_subscription_is_confirmed_and_changes_are_told(release: str) -> None:
    async with box(release, "small-office") as served, served.rpc() as socket:
        subscription = await socket.call("core.subscribe", "alert.list")
        assert isinstance(subscription, str)
        assert len(subscription) == 36
        alert = next(iter(served.nas.appliance.state.alerts.values()))
        served.nas.appliance.dismiss_alert(alert.uuid, dismissed=True)
        frame = json.loads(await socket.text())
        assert list(frame) == ["jsonrpc", "method", "params"]
        assert (frame["method"], frame["params"]["collection"]) == ("collection_update", "alert.list")
        assert frame["params"]["msg"] in ("added", "changed", "removed")
        assert frame["params"]["id"] == alert.uuid
        assert await socket.call("core.unsubscribe", subscription) is None


@pytest.mark.parametrize("release", RPC)
@pytest.mark.asyncio
async def test_versions_of_the_api_are_told_without_login_and_each_has_an_endpoint(release: str) -> None:
    expected = {
        "25.04.0": ["v25.04.0"],
        "25.04": ["v25.04.0", "v25.04.1", "v25.04.2"],
        "25.10": [f"v25.04.{n}" for n in range(3)] + [f"v25.10.{n}" for n in range(6)],
        "26.0": [f"v25.04.{n}" for n in range(3)] + [f"v25.10.{n}" for n in range(5)] + ["v26.0.0"],
    }
    async with box(release) as served:
        reply = await served.ask("/api/versions", headers={"Authorization": ""})
        versions = json.loads(reply.body)
        assert versions == expected.get(release, versions)
        for version in versions:
            async with served.rpc(f"/api/{version}") as socket:
                assert isinstance(socket, Rpc)
                assert (await socket.call("system.boot_id")).count("-") == 4


@pytest.mark.parametrize("release", ["24.04", "24.10"])
@pytest.mark.asyncio
async def test_handshake_of_a_release_without_json_rpc_is_redirected(release: str) -> None:
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    async with box(release) as served:
        for path in ("/api/current", "/api/v25.04.0"):
            reply = await served.ask(path, headers={**upgrade, "Sec-WebSocket-Key": "x" * 22 + "=="})
            assert (reply.status, reply.header("Location")) == (302, "http://nas/ui/")


@pytest.mark.parametrize("release", RPC)
@pytest.mark.asyncio
async def test_plain_get_of_a_socket_is_400_about_the_upgrade(release: str) -> None:
    async with box(release) as served:
        for path in ("/api/current", "/websocket"):
            reply = await served.ask(path, headers={"Authorization": ""})
            assert reply.status == 400
            assert (reply.header("Content-Type") or "").startswith("text/plain")
            assert b"UPGRADE" in reply.body


@pytest.mark.asyncio
async def test_26_has_no_rest() -> None:
    async with box("26.0") as served:
        for target in ("/api/v2.0", "/api/v2.0/", "/api/v2.0/system/info", "/api/v2.0/openapi.json"):
            reply = await served.ask(target)
            assert (reply.status, reply.header("Content-Type"), reply.body) == (
                404,
                "text/plain; charset=utf-8",
                b"404: Not Found",
            )


@pytest.mark.parametrize("release", RPC)
@pytest.mark.asyncio
async def test_answers_keep_their_own_id_when_calls_overlap(release: str) -> None:
    async with box(release) as served, served.rpc() as socket:
        wanted = {"a": "system.version", "b": "pool.query", "c": "core.ping"}
        for key, method in wanted.items():
            await socket.ws.send_str(json.dumps({"jsonrpc": "2.0", "id": key, "method": method, "params": []}))
        frames = [json.loads(await asyncio.wait_for(socket.text(), 5)) for _ in wanted]
        results = {frame["id"]: frame["result"] for frame in frames}
        assert results["c"] == "pong"
        assert isinstance(results["a"], str)
        assert isinstance(results["b"], list)
