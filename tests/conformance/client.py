"""The client of every cell: an unmodified aiohttp session, and what it sees in its own words.

Knows neither which network it is on nor what its peer is up to.
"""

import ssl
from collections.abc import AsyncIterator
from typing import Any, Final

import aiohttp

from tests.conformance.describing import describe
from tests.conformance.matrix import Cell
from tests.conformance.rendezvous import Rendezvous, settle
from tests.conformance.scripts import HALF

BLOCKING: Final = 12 * 2**20
"""More bytes than a send buffer and a narrow receive buffer take in: a plain client must wait for its peer to read."""
PATIENT: Final = aiohttp.ClientTimeout(total=20, sock_connect=20, sock_read=20)
IMPATIENT: Final = aiohttp.ClientTimeout(total=4, connect=2.5, sock_connect=1.5, sock_read=1.5)
"""Long enough that a busy machine does not reach it on the way to the event, and each deadline a different one."""
PATIENT_WS: Final = aiohttp.ClientWSTimeout(ws_receive=30, ws_close=30)
IMPATIENT_WS: Final = aiohttp.ClientWSTimeout(ws_receive=1.5, ws_close=1.5)


async def visit(cell: Cell, host: str, port: int, context: ssl.SSLContext | None, meet: Rendezvous) -> None:
    """Do what the stage asks for and write down what comes of it."""
    url = f"{'https' if context else 'http'}://{host}:{port}/"
    # aiohttp 3.14.5 tells nobody of a malformed chunk and stops its read timer: only the total deadline ends the wait.
    impatient = cell.event == "silence" or (cell.stage, cell.event) == ("response_body", "garbage")
    connector = aiohttp.TCPConnector(ssl=context if context is not None else True)
    session = aiohttp.ClientSession(
        connector=connector, timeout=IMPATIENT if impatient else PATIENT, trace_configs=[_tracing(meet)]
    )
    try:
        if cell.kept:
            meet.warming = True
            await _get(session, url, meet, timeout=PATIENT)
            meet.warming = False
            await meet.go.wait()
        await _EXERCISES.get(cell.stage, _get if cell.kept else _ask)(session, url, meet, impatient)
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        meet.outcome += describe(error)
    finally:
        await session.close()
        for _ in range(3):
            await settle()


async def _get(
    session: aiohttp.ClientSession, url: str, meet: Rendezvous, _impatient: bool = False, **options: Any
) -> None:
    async with session.get(url, **options) as response:
        meet.outcome.append(f"status {response.status}")
        meet.outcome.append(f"{len(await response.read())} bytes")


async def _ask(session: aiohttp.ClientSession, url: str, meet: Rendezvous, _impatient: bool) -> None:
    """With a method that aiohttp does not try again by itself, so that the error shows."""
    async with session.post(url) as response:
        meet.outcome.append(f"status {response.status}")
        meet.outcome.append(f"{len(await response.read())} bytes")


async def _post(session: aiohttp.ClientSession, url: str, meet: Rendezvous, impatient: bool) -> None:
    rest = BLOCKING if impatient and url.startswith("http:") else HALF  # asyncio's TLS takes in any amount

    async def body() -> AsyncIterator[bytes]:
        yield b"a" * HALF
        await meet.rest.wait()
        yield b"b" * rest

    headers = {"Content-Length": str(HALF + rest)}
    async with session.post(url, data=body(), headers=headers) as response:
        meet.outcome.append(f"status {response.status}")
        meet.outcome.append(f"{len(await response.read())} bytes")


async def _receive(session: aiohttp.ClientSession, url: str, meet: Rendezvous, impatient: bool) -> None:
    async with session.ws_connect(url, timeout=IMPATIENT_WS if impatient else PATIENT_WS) as ws:
        meet.opened.set()
        meet.client.append("opened")
        try:
            message = await ws.receive()
        finally:
            meet.client.append("received")
        meet.outcome.append(f"message {message.type.name} {_words(message.data)}")
        await _close(ws, meet)


async def _say_goodbye(session: aiohttp.ClientSession, url: str, meet: Rendezvous, impatient: bool) -> None:
    async with session.ws_connect(url, timeout=IMPATIENT_WS if impatient else PATIENT_WS) as ws:
        meet.opened.set()
        meet.client.append("opened")
        await _close(ws, meet)


async def _close(
    ws: "aiohttp.ClientWebSocketResponse[Any] | aiohttp.ClientWebSocketResponse", meet: Rendezvous
) -> None:
    closed = await ws.close()
    meet.client.append("closed")
    meet.outcome.append(f"close {closed} {ws.close_code}")
    meet.outcome += describe(ws.exception())


def _words(data: Any) -> str:
    return " < ".join(describe(data)) if isinstance(data, BaseException) else str(data)


_EXERCISES: Final[dict[str, Any]] = {
    "request_body": _post,
    "upgrade": _receive,
    "ws_open": _receive,
    "close": _say_goodbye,
}


def _tracing(meet: Rendezvous) -> aiohttp.TraceConfig:
    """Every signal aiohttp has, noted; two of them are where the client waits for the peer or tells it something."""
    config = aiohttp.TraceConfig()

    def note(name: str) -> Any:
        async def noted(_session: Any, _context: Any, _params: Any) -> None:
            meet.client.append(name)

        return noted

    async def connected(_session: Any, _context: Any, _params: Any) -> None:
        meet.client.append("connection_create_end")
        if not meet.warming:
            await meet.go.wait()

    async def head_sent(_session: Any, _context: Any, _params: Any) -> None:
        meet.client.append("request_headers_sent")
        if not meet.warming:
            meet.head_sent.set()

    for name in (
        *("request_start", "request_chunk_sent", "response_chunk_received", "request_end", "request_exception"),
        *("connection_queued_start", "connection_create_start", "connection_reuseconn"),
        *("dns_resolvehost_start", "dns_resolvehost_end", "dns_cache_hit", "dns_cache_miss"),
    ):
        getattr(config, f"on_{name}").append(note(name))
    config.on_connection_create_end.append(connected)
    config.on_request_headers_sent.append(head_sent)
    return config
