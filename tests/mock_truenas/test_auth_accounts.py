"""What the API makes of users and keys is who may come in; what it forgets is nobody."""

import asyncio
import json
from typing import Any

import pytest

from mock_truenas.verification import Verification
from tests.mock_truenas.frames_wire import SocketBox, Wire, handshake, socket_box
from tests.mock_truenas.test_auth_rest import basic
from tests.mock_truenas.wire import Reply, read_reply

ADMINISTRATORS = [["name", "=", "builtin_administrators"]]


async def make_user(wire: Wire, username: str, *, admin: bool = True, **given: Any) -> int:
    (group,) = await wire.call("group.query", ADMINISTRATORS)
    fields = {"username": username, "full_name": username, "password": "first", **given}
    made = await wire.call("user.create", {**fields, "groups": [group["id"]] if admin else []})
    assert made["username"] == username, made
    return int(made["id"])


async def ask(served: SocketBox, authorization: str) -> Reply:
    return await served.ask("/api/v2.0/pool", headers={"Authorization": authorization})


async def opens(served: SocketBox, username: str, password: str) -> bool:
    return (await ask(served, basic(f"{username}:{password}"))).status == 200


@pytest.mark.asyncio
async def test_a_user_made_by_the_api_logs_in_until_his_row_says_otherwise() -> None:
    async with socket_box() as served, served.wire(key=served.key) as wire:
        number = await make_user(wire, "berta")
        assert (await wire.call("user.get_instance", number))["roles"] == ["FULL_ADMIN"]
        assert await opens(served, "berta", "first")
        assert not await opens(served, "berta", "second")
        for change, password, username, expected in (
            ({"password": "second"}, "second", "berta", True),
            ({"locked": True}, "second", "berta", False),
            ({"locked": False}, "second", "berta", True),
            ({"username": "bertha"}, "second", "berta", False),
            ({}, "second", "bertha", True),
            ({"groups": []}, "second", "bertha", False),
            ({"password_disabled": True}, "second", "bertha", False),
        ):
            await wire.call("user.update", number, change)
            assert await opens(served, username, password) is expected, change


@pytest.mark.asyncio
async def test_a_user_made_by_the_api_logs_in_on_a_socket_and_his_key_goes_with_him() -> None:
    async with socket_box() as served, served.wire(key=served.key) as wire, served.wire() as other:
        number = await make_user(wire, "berta")
        assert await other.call("auth.login", "berta", "first") is True
        assert (await other.call("auth.me"))["pw_name"] == "berta"
        key = (await wire.call("api_key.create", {"name": "hers", "username": "berta"}))["key"]
        assert (await ask(served, f"Bearer {key}")).status == 200
        assert await wire.call("user.delete", number) is True
        assert (await ask(served, f"Bearer {key}")).status == 500  # like any key that is gone
        assert not await opens(served, "berta", "first")
        assert "hers" not in [row["name"] for row in await wire.call("api_key.query")]


@pytest.mark.asyncio
async def test_keys_of_a_user_without_rights_or_locked_open_nothing() -> None:
    async with socket_box() as served, served.wire(key=served.key) as wire, served.wire() as other:
        await make_user(wire, "reader", admin=False)
        number = await make_user(wire, "berta")
        poor = (await wire.call("api_key.create", {"name": "poor", "username": "reader"}))["key"]
        hers = (await wire.call("api_key.create", {"name": "hers", "username": "berta"}))["key"]
        assert await other.call("auth.login_with_api_key", poor) is False
        assert (await ask(served, f"Bearer {poor}")).status == 403
        await wire.call("user.update", number, {"locked": True})
        assert await other.call("auth.login_with_api_key", hers) is False
        assert (await ask(served, f"Bearer {hers}")).status == 401


@pytest.mark.parametrize("release", ["24.10", "25.10"])
@pytest.mark.asyncio
async def test_rest_lists_the_sessions_of_the_sockets(release: str) -> None:
    path = "/websocket" if release == "24.10" else "/api/current"
    async with socket_box(release) as served:
        assert json.loads((await served.ask("/api/v2.0/auth/sessions")).body) == []
        async with served.wire(path, key=served.key):
            (row,) = json.loads((await served.ask("/api/v2.0/auth/sessions")).body)
            assert (row["current"], row["credentials"], row["origin"]) == (False, "API_KEY", "127.0.0.1")


async def from_elsewhere(served: SocketBox, data: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", served.nas.port, local_addr=("127.0.0.2", 0))
    writer.write(data)
    return reader, writer


@pytest.mark.parametrize("bound", [True, False])
@pytest.mark.asyncio
async def test_a_token_bound_to_its_origin_is_good_for_nothing_elsewhere(bound: bool) -> None:
    async with socket_box() as served, served.wire(key=served.key) as wire:
        token = await wire.call("auth.generate_token", 60, {}, bound)
        assert (await ask(served, f"Token {token}")).status == 200
        request = served.request("/api/v2.0/system/version", headers={"Authorization": f"Token {token}"})
        reader, writer = await from_elsewhere(served, request)
        assert (await read_reply(reader)).status == (403 if bound else 200)
        writer.transport.abort()
        reader, writer = await from_elsewhere(served, handshake("/api/current"))
        socket = Wire(reader, writer, (await reader.readuntil(b"\r\n\r\n")).decode())
        assert await socket.call("auth.login_with_token", token) is not bound
        socket.end()


@pytest.mark.asyncio
async def test_a_token_of_rest_is_bound_to_where_it_was_asked_for() -> None:
    async with socket_box() as served:
        made = await served.ask("/api/v2.0/auth/generate_token", "POST", body=b'{"ttl": 60, "match_origin": true}')
        token = json.loads(made.body)
        assert (await ask(served, f"Token {token}")).status == 200
        request = served.request("/api/v2.0/system/version", headers={"Authorization": f"Token {token}"})
        reader, writer = await from_elsewhere(served, request)
        assert (await read_reply(reader)).status == 403
        writer.transport.abort()


@pytest.mark.asyncio
async def test_a_login_refused_on_a_connection_that_is_logged_in_does_not_count() -> None:
    async with socket_box() as served, served.wire(key=served.key) as wire:
        assert await wire.call("auth.login_with_api_key", "1-" + "x" * 64) is False
        login = {"mechanism": "API_KEY_PLAIN", "username": "truenas_admin", "api_key": "nonsense"}
        assert await wire.call("auth.login_ex", login) == {"response_type": "AUTH_ERR"}
        await wire.call("core.ping")
        told = [(entry.call, entry.user) for entry in served.journal.entries if entry.kind == "call"]
        user = "truenas_admin"
        refused = [("auth.login_with_api_key", None), ("auth.login_ex", None)]
        assert told == [("auth.login_with_api_key", user), *refused, ("core.ping", user)]
        Verification(served.journal.entries).logged_in_exactly(1).check()


@pytest.mark.asyncio
async def test_whatever_is_under_way_or_waits_when_the_connection_ends_is_in_the_journal() -> None:
    async with socket_box() as served:
        served.inject("slow", "rpc.late", delay="1h", call="core.ping")
        async with served.wire(key=served.key) as wire:
            for _ in range(14):
                wire.ask("core.ping")
            wire.send('{"jsonrpc": "2.0", "method": "core.ping"}')
            wire.send("x", 9)
            assert (await wire.next()).payload == b"x"
        while (entry := await served.journal.next()).kind != "close":
            pass
        pings = [entry for entry in served.journal.entries if entry.call == "core.ping"]
        assert [entry.ended for entry in pings] == ["client_gone"] * 15
        # A notification has no id; that of a call is not null.
        assert sorted(entry.request_id or "" for entry in pings) == sorted(["", *map(str, range(2, 16))])
        assert entry.kind == "close"
