"""The code that every engine runs: an aiohttp server, and five ways for an aiohttp client to use it.

Nothing here knows a loop, a simulation or a clock; it runs wherever aiohttp is installed.
"""

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
from aiohttp import web

ENDPOINTS: Final = 8
"""Requests of one poll; between two polls an engine with virtual time waits."""
BODY: Final = b'{"status": "ONLINE"}' * 40
_IN_FLIGHT: Final = 16


@dataclass(frozen=True)
class Target:
    """Where the server is: ``url`` without trailing slash, ``trust`` for https, ``pause_s`` between polls."""

    url: str
    trust: ssl.SSLContext | None
    pause_s: float


@dataclass(frozen=True)
class Workload:
    """A client and how much it does in one sample: ``rounds`` of eight requests each."""

    title: str
    drive: Callable[[Target, int], Awaitable[int]]
    rounds: int
    tls: bool = False


def application() -> web.Application:
    """Answers every path with 800 bytes, and JSON-RPC calls on a WebSocket at ``/ws``."""

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(body=BODY, content_type="application/json")

    async def converse(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            call = json.loads(message.data)
            await socket.send_json({"jsonrpc": "2.0", "id": call["id"], "result": call["params"]})
        return socket

    app = web.Application()
    app.router.add_get("/ws", converse)
    app.router.add_get("/{path:.*}", answer)
    return app


async def _get(session: aiohttp.ClientSession, url: str) -> None:
    async with session.get(url) as response:
        await response.read()


async def _keep_alive(target: Target, rounds: int) -> int:
    async with aiohttp.ClientSession() as session:
        for _ in range(rounds * ENDPOINTS):
            await _get(session, f"{target.url}/pool")
    return rounds * ENDPOINTS


async def _keep_alive_16(target: Target, rounds: int) -> int:
    each = rounds * ENDPOINTS // _IN_FLIGHT

    async def one_after_the_other() -> None:
        for _ in range(each):
            await _get(session, f"{target.url}/pool")

    async with aiohttp.ClientSession() as session:
        await asyncio.gather(*(one_after_the_other() for _ in range(_IN_FLIGHT)))
    return each * _IN_FLIGHT


async def _fresh(target: Target, rounds: int) -> int:
    """One session throughout, so that what is compared is connections and not the making of sessions."""
    connector = aiohttp.TCPConnector(force_close=True, ssl=target.trust or True)
    async with aiohttp.ClientSession(connector=connector) as session:
        for _ in range(rounds):
            for endpoint in range(ENDPOINTS):
                await _get(session, f"{target.url}/endpoint/{endpoint}")
            await asyncio.sleep(target.pause_s)
    return rounds * ENDPOINTS


async def _websocket(target: Target, rounds: int) -> int:
    params: Any = [{"name": "tank", "status": "ONLINE", "healthy": True, "size": 1_000_000_000_000}] * 4
    async with aiohttp.ClientSession() as session, session.ws_connect(f"{target.url}/ws") as socket:
        for number in range(rounds * ENDPOINTS):
            await socket.send_json({"jsonrpc": "2.0", "id": number, "method": "pool.query", "params": params})
            answer = await socket.receive_json()
            if answer["id"] != number:
                raise RuntimeError("an answer to another call")
    return rounds * ENDPOINTS


WORKLOADS: Final = {
    "keep-alive-1": Workload("keep-alive, 1 in flight", _keep_alive, 700),
    "keep-alive-16": Workload("keep-alive, 16 in flight", _keep_alive_16, 900),
    "fresh": Workload("fresh connection each", _fresh, 500),
    "tls": Workload("TLS, fresh handshake each", _fresh, 40, tls=True),
    "websocket": Workload("WebSocket JSON round trips", _websocket, 800),
}
