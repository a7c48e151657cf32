"""Faults of calls, messages and logins on the older WebSocket face."""

import asyncio
import json
from typing import Any

import pytest

from mock_truenas.faults import Recipe
from tests.mock_truenas.faults.box import CLOSE, QUICK, Box, Socket, on_real_sockets

ASKED = {"id": "7", "msg": "method", "method": "core.ping", "params": []}
PONG = '{"id": "7", "msg": "result", "result": "pong"}'


async def talking(box: Box) -> Socket:
    """A connection that is logged in."""
    socket = await box.shake("/websocket")
    socket.send(json.dumps({"msg": "connect", "version": "1", "support": ["1"]}))
    assert (await socket.message())["msg"] == "connected"
    login = {"id": "1", "msg": "method", "method": "auth.login_with_api_key", "params": [box.key]}
    socket.send(json.dumps(login))
    assert (await socket.message())["result"] is True
    return socket


@pytest.mark.parametrize("release", ["24.10", "25.10"])
@pytest.mark.parametrize(
    ("kind", "parameters", "frames"),
    [
        ("rpc.duplicate", {}, [PONG, PONG]),
        ("rpc.wrong_id", {}, ['{"id": "70", "msg": "result", "result": "pong"}']),
        ("rpc.malformed", {}, [PONG[: len(PONG) // 2]]),
        (
            "rpc.stray",
            {},
            ['{"msg": "changed", "collection": "alert.list", "id": "0", "fields": {"id": "0"}}', PONG],
        ),
        ("rpc.oversize", {"bytes": 60}, [PONG + " " * (60 - len(PONG))]),
    ],
)
def test_messages_have_the_form_of_the_face(
    release: str, kind: str, parameters: dict[str, Any], frames: list[str]
) -> None:
    async def act(box: Box) -> None:
        socket = await talking(box)
        box.inject(Recipe(kind, parameters))
        socket.send(json.dumps(ASKED))
        assert [await socket.text() for _ in frames] == frames
        assert {entry.call for entry in await box.shaped()} == {"core.ping"}
        await box.clean()

    on_real_sockets(release, QUICK, act)


@pytest.mark.parametrize(
    ("release", "kind", "parameters", "error"),
    [
        ("24.10", "rpc.not_authenticated", {}, (207, "ENOTAUTHENTICATED", "Not authenticated")),
        ("25.10", "rpc.not_authenticated", {}, (207, "ENOTAUTHENTICATED", "[ENOTAUTHENTICATED] Not authenticated")),
        ("25.10", "auth.role", {"allows": "auth.*"}, (13, "EACCES", "[EACCES] Not authorized")),
        ("25.10", "rpc.error", {"errno": 16, "reason": "busy"}, (16, "EBUSY", "[EBUSY] busy")),
        ("25.10", "rpc.invalid_params", {}, (11, "EAGAIN", "[EINVAL] options: Extra inputs are not permitted\n")),
    ],
)
def test_errors_have_the_form_of_the_face(
    release: str, kind: str, parameters: dict[str, Any], error: tuple[int, str, str]
) -> None:
    async def act(box: Box) -> None:
        socket = await talking(box)
        box.inject(Recipe(kind, parameters))
        socket.send(json.dumps(ASKED))
        told = (await socket.message())["error"]
        assert (told["error"], told["errname"], told["reason"]) == error
        box.nas.heal("fault")
        socket.send(json.dumps(ASKED))
        assert await socket.text() == PONG

    on_real_sockets(release, QUICK, act)


@pytest.mark.parametrize(("kind", "ended"), [("rpc.cut_frame", "fin after"), ("rpc.close", "closed")])
def test_connections_end_on_it_too(kind: str, ended: str) -> None:
    async def act(box: Box) -> None:
        socket = await talking(box)
        box.inject(Recipe(kind))
        socket.send(json.dumps(ASKED))
        got = await asyncio.wait_for(socket.frame(), 10)
        assert got[0] == CLOSE if ended == "closed" else str(got).startswith(ended)
        await box.clean()

    on_real_sockets("25.10", QUICK, act)
