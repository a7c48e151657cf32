"""What plain asyncio sees of a connection's end is the same on the simulated network and on loopback sockets.

One coroutine, two networks: each test states what both show. It runs the machine's own sockets, so nothing here waits
for a length of time; `settle` waits for turns of the loop.
"""

import asyncio
import errno
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import Any, Final

import pytest

from tests.conformance.rendezvous import settle
from tests.kernel.testbed import ANY, Bench

LOOPBACK: Final = "127.0.0.1"


class End(asyncio.Protocol):
    """One end of a connection; it notes what it is told and keeps its half open after end of file."""

    def __init__(self, log: list[str]) -> None:
        self.log = log
        self.transport: Any = None
        self.data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.data += data
        self.log.append(data.decode())

    def eof_received(self) -> bool:
        self.log.append("eof")
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        code = getattr(exc, "errno", None)
        self.log.append("closed" if exc is None else f"{type(exc).__name__} {errno.errorcode[code or 0]}")

    # ---- what a script does with it

    async def write(self, data: bytes) -> None:
        self.transport.write(data)
        await settle()

    async def close(self) -> None:
        self.transport.close()
        await settle()

    async def half_close(self) -> None:
        self.transport.write_eof()
        await settle()

    async def pause(self) -> None:
        self.transport.pause_reading()

    async def resume(self) -> None:
        self.transport.resume_reading()
        await settle()

    async def reset(self) -> None:
        sock = self.transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()
        await settle()


class OneByte(asyncio.BufferedProtocol):
    """Reads a byte at a time, and stops reading after each."""

    def __init__(self, log: list[str]) -> None:
        self.log = log
        self.transport: Any = None
        self.buffer = bytearray(1)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def get_buffer(self, sizehint: int) -> bytearray:
        return self.buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.log.append(self.buffer[:nbytes].decode())
        self.transport.pause_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        self.log.append("closed")

    async def resume(self) -> None:
        self.transport.resume_reading()
        await settle()


class Reluctant(End):
    """Stops reading in the first step of a task it starts when connected."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.task = asyncio.get_running_loop().create_task(self.pause())


Talk = Callable[[Any, Any], Awaitable[None]]
Kind = Callable[[list[str]], Any]


async def hold(host: str, port: int, talk: Talk, ends: list[Any], kind: Kind, greeting: bytes) -> list[list[str]]:
    """Connect, let ``talk(client, server)`` happen, and give both ends' notes."""
    client_log: list[str] = []
    transport, client = await asyncio.get_running_loop().create_connection(lambda: kind(client_log), host, port)
    if greeting:
        transport.write(greeting)
    await settle()
    (server,) = ends
    await talk(client, server)
    notes = [list(client_log), list(server.log)]
    for end in (client, server):
        if not end.transport.is_closing():
            end.transport.abort()
    await settle()
    return notes


def on_loopback(talk: Talk, kind: Kind = End, serving: Kind = End, greeting: bytes = b"") -> list[list[str]]:
    async def main() -> list[list[str]]:
        ends: list[Any] = []
        server = await asyncio.get_running_loop().create_server(_keeping(ends, serving), LOOPBACK, 0)
        try:
            return await hold(LOOPBACK, server.sockets[0].getsockname()[1], talk, ends, kind, greeting)
        finally:
            server.close()

    return asyncio.run(main())


def simulated(talk: Talk, kind: Kind = End, serving: Kind = End, greeting: bytes = b"") -> list[list[str]]:
    bench = Bench()
    ends: list[Any] = []

    async def serve() -> None:
        await asyncio.get_running_loop().create_server(_keeping(ends, serving), ANY, 80)

    async def main() -> list[list[str]]:
        await bench.nas.run(serve())
        return await bench.pulse.run(hold("nas-1", 80, talk, ends, kind, greeting))

    return bench.sim.run(main())


def _keeping(ends: list[Any], serving: Kind) -> Callable[[], Any]:
    def made() -> Any:
        ends.append(serving([]))
        return ends[-1]

    return made


async def half_close_and_answer(client: End, server: End) -> None:
    await client.write(b"q")
    await client.half_close()
    await server.write(b"a")
    await server.close()


async def half_closed_peer_reads_on(client: End, server: End) -> None:
    await server.half_close()
    await client.write(b"q")
    await client.close()


async def close_with_unread_data(client: End, server: End) -> None:
    await server.pause()
    await client.write(b"q")
    await server.close()


async def write_to_a_closed_peer(client: End, server: End) -> None:
    await server.close()
    await client.write(b"q")
    await client.write(b"q")


async def write_after_a_reset_seen(client: End, server: End) -> None:
    await server.reset()
    await client.write(b"q")


async def write_after_a_reset_unseen(client: End, server: End) -> None:
    await client.pause()
    await server.reset()
    await client.write(b"q")


async def data_before_a_reset(client: End, server: End) -> None:
    await client.pause()
    await server.write(b"a")
    await server.reset()
    await client.resume()


async def end_of_file_behind_a_pause(client: End, server: End) -> None:
    await client.pause()
    await server.write(b"a")
    await server.close()
    await client.resume()


async def reset_after_end_of_file(client: End, server: End) -> None:
    await server.half_close()
    await server.reset()
    await client.write(b"q")


async def reset_behind_a_pause(client: End, server: End) -> None:
    await client.pause()
    await server.reset()
    await client.resume()


async def both_half_close(client: End, server: End) -> None:
    await client.half_close()
    await server.half_close()


async def abort(client: End, server: End) -> None:
    client.transport.abort()
    await settle()


async def close_while_paused(client: End, server: End) -> None:
    await client.pause()
    await client.close()
    await server.write(b"a")
    await server.write(b"a")


async def write_then_close_at_once(client: End, server: End) -> None:
    client.transport.write(b"q")
    client.transport.write(b"r")
    client.transport.close()
    await settle()


RESET, BROKEN = "ConnectionResetError ECONNRESET", "BrokenPipeError EPIPE"
ENDINGS: Final[list[tuple[Talk, list[str], list[str]]]] = [
    (half_close_and_answer, ["a", "eof"], ["q", "eof", "closed"]),
    (half_closed_peer_reads_on, ["eof", "closed"], ["q", "eof"]),
    (close_with_unread_data, [RESET], ["closed"]),
    (write_to_a_closed_peer, ["eof", BROKEN], ["closed"]),
    (write_after_a_reset_seen, [RESET], ["closed"]),
    (write_after_a_reset_unseen, [RESET], ["closed"]),
    (data_before_a_reset, ["a", RESET], ["closed"]),
    (end_of_file_behind_a_pause, ["a", "eof"], ["closed"]),
    (reset_after_end_of_file, ["eof", BROKEN], ["closed"]),
    (reset_behind_a_pause, [RESET], ["closed"]),
    (both_half_close, ["eof"], ["eof"]),
    (abort, ["closed"], ["eof"]),
    (close_while_paused, ["closed"], ["eof", BROKEN]),
    (write_then_close_at_once, ["closed"], ["qr", "eof"]),
]


@pytest.mark.parametrize(("talk", "client", "server"), ENDINGS, ids=[talk.__name__ for talk, _, _ in ENDINGS])
def test_a_connection_ends_the_same_way_on_both_networks(talk: Talk, client: list[str], server: list[str]) -> None:
    assert simulated(talk) == [client, server] == on_loopback(talk)


async def _server_closes(_client: Any, server: Any) -> None:
    await server.close()


def test_reading_begins_a_step_after_the_connection_is_made() -> None:
    """A server that stops reading at once closes with the client's first bytes unread, and that resets."""
    options: dict[str, Any] = {"serving": Reluctant, "greeting": b"q"}
    assert simulated(_server_closes, **options) == [[RESET], ["closed"]] == on_loopback(_server_closes, **options)


async def _a_byte_at_a_time(client: Any, server: Any) -> None:
    await server.write(b"abc")
    client.log.append("-")
    await client.resume()
    client.log.append("-")
    await server.close()
    await client.resume()


def test_what_does_not_fit_a_buffer_waits_while_reading_is_paused() -> None:
    seen = [["a", "-", "b", "-", "c"], ["closed"]]
    assert simulated(_a_byte_at_a_time, OneByte) == seen == on_loopback(_a_byte_at_a_time, OneByte)


class Counting(End):
    """Notes how much came, not what."""

    def data_received(self, data: bytes) -> None:
        self.data += data

    def eof_received(self) -> bool:
        self.log.append(f"{len(self.data)} bytes")
        return super().eof_received()


MUCH: Final = 12 * 2**20
"""More than the socket buffers of either network take in."""


async def _close_over_a_full_buffer(client: Any, server: Any) -> None:
    await server.pause()
    client.transport.write(bytes(MUCH))
    client.transport.close()
    await settle()
    client.log.append(f"still sending {client.transport.get_write_buffer_size() > 0}")
    server.transport.resume_reading()
    while not server.log:
        await settle()


def test_closing_sends_what_is_buffered_first() -> None:
    seen = [["still sending True", "closed"], [f"{MUCH} bytes", "eof"]]
    options: dict[str, Any] = {"serving": Counting}
    assert simulated(_close_over_a_full_buffer, **options) == seen == on_loopback(_close_over_a_full_buffer, **options)
