"""Sockets in memory behave as a kernel's: order, latency, back-pressure, FIN, RST, names and ports."""

import asyncio
import contextlib
import errno
import random
import socket
import struct
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_sim.kernel import FenceError, LinkFault
from tests.kernel.testbed import ANY, Bench, hello

S = 1_000_000_000
US = 1_000
Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]
LINGER_ZERO = struct.pack("ii", 1, 0)


def _converse(
    bench: Bench,
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
    client: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[Any]],
) -> Any:
    """Run both ends of one raw connection and return what the client returns."""

    async def listen() -> None:
        await asyncio.start_server(serve, "", 9000)

    async def connect() -> Any:
        reader, writer = await asyncio.open_connection("nas-1", 9000)
        try:
            return await client(reader, writer)
        finally:
            writer.close()

    async def main() -> Any:
        await bench.nas.run(listen())
        return await bench.pulse.run(connect())

    return bench.sim.run(main())


async def _close(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


def test_latency_is_exact_to_the_nanosecond(bench: Bench) -> None:
    bench.sim.network.link("pulse", "nas-1").latency_ns = 1_234_567
    bench.sim.network.link("nas-1", "pulse").latency_ns = 7_654_321
    stamps: list[int] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(4)
        stamps.append(bench.sim.now_ns)
        writer.write(b"pong")
        writer.close()

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        stamps.append(bench.sim.now_ns)
        writer.write(b"ping")
        await reader.readexactly(4)
        stamps.append(bench.sim.now_ns)

    _converse(bench, serve, client)
    there, back = 1_234_567, 7_654_321
    assert stamps == [there + back, 2 * there + back, 2 * (there + back)]


def test_a_segment_under_way_keeps_its_latency_and_later_ones_never_overtake_it(bench: Bench) -> None:
    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = bench.sim.network.link("nas-1", "pulse")
        link.latency_ns = 5 * S
        writer.write(b"slow ")
        link.latency_ns = 0
        writer.write(b"fast")
        writer.close()

    async def client(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> tuple[bytes, int]:
        return await reader.read(), bench.sim.now_ns // S

    assert _converse(bench, serve, client) == (b"slow fast", 5)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(1, 5_000), min_size=1, max_size=30), st.integers(0, 2**32))
def test_jitter_never_lets_fin_or_bytes_overtake(sizes: list[int], seed: int) -> None:
    bench = Bench(seed)
    body = random.Random(seed).randbytes(sum(sizes))

    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        rest = memoryview(body)
        for size in sizes:
            writer.write(rest[:size])
            rest = rest[size:]
            await asyncio.sleep(0.0001)
        writer.close()

    async def client(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> bytes:
        bench.sim.network.apply("j", LinkFault("latency", jitter_ns=S), src="nas-1", dst="pulse")
        return await reader.read()

    assert _converse(bench, serve, client) == body


def test_a_writer_is_held_back_while_nobody_reads_and_released_when_somebody_does(bench: Bench) -> None:
    drained: list[int] = []

    async def serve(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(30)
        while await reader.read(65_536):
            pass

    async def client(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
        for _ in range(20):
            writer.write(b"x" * 100_000)
            await writer.drain()
            drained.append(bench.sim.now_ns // S)
        return max(0, writer.transport.get_write_buffer_size())

    assert _converse(bench, serve, client) <= 65_536
    assert (drained[0], drained[-1]) == (0, 30)


def test_half_close_lets_the_other_direction_go_on(bench: Bench) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        question = await reader.read()
        writer.write(question.upper())
        writer.close()

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(b"question")
        writer.write_eof()
        return await reader.read()

    assert _converse(bench, serve, client) == b"QUESTION"


@pytest.mark.parametrize("how", ["close", "abort"])
def test_closing_with_linger_zero_is_a_reset(bench: Bench, how: str) -> None:
    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
        getattr(writer.transport, how)()

    async def client(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> bytes:
        return await reader.read()

    with pytest.raises(ConnectionResetError):
        _converse(bench, serve, client)


def test_a_reset_in_mid_stream_comes_after_the_bytes_before_it(bench: Bench) -> None:
    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"half an ans")
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
        writer.close()

    async def client(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> tuple[bytes, str]:
        got = await reader.readexactly(11)
        try:
            await reader.read(1)
        except ConnectionResetError:
            return got, "reset"
        return got, "end"

    assert _converse(bench, serve, client) == (b"half an ans", "reset")


def test_closing_with_unread_bytes_is_a_reset_as_on_linux(bench: Bench) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.sleep(1)
        writer.close()

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        await asyncio.sleep(0.5)  # let the server accept and stop reading
        writer.write(b"never read")
        return await reader.read()

    with pytest.raises(ConnectionResetError):
        _converse(bench, serve, client)


def test_writing_to_a_peer_that_has_gone_fails_step_by_step_as_on_real_sockets(bench: Bench) -> None:
    """The first write provokes the reset, the second meets it, the third finds the transport closed."""

    async def client(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> list[str]:
        seen = []
        for _ in range(3):
            await asyncio.sleep(1)
            try:
                writer.write(b"x")
                await writer.drain()
                seen.append("sent")
            except ConnectionError as error:
                seen.append(type(error).__name__)
        return seen

    assert _converse(bench, _close, client) == ["sent", "ConnectionResetError", "BrokenPipeError"]


def test_aborting_without_linger_is_an_end_of_stream_after_what_was_written(bench: Bench) -> None:
    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"last words")
        writer.transport.abort()

    async def client(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> bytes:
        return await reader.read()

    assert _converse(bench, serve, client) == b"last words"


def test_an_unknown_name_fails_as_dns_does_and_an_unknown_address_is_unreachable(bench: Bench) -> None:
    async def client() -> tuple[int, int | None, int]:
        with pytest.raises(socket.gaierror) as unknown:
            await asyncio.open_connection("nas-9", 80)
        with pytest.raises(OSError, match="Connect call failed") as unreachable:
            await asyncio.open_connection("10.99.0.1", 80)
        return unknown.value.errno or 0, unreachable.value.errno, bench.sim.now_ns

    async def main() -> tuple[int, int | None, int]:
        return await bench.pulse.run(client())

    assert bench.sim.run(main()) == (socket.EAI_NONAME, errno.EHOSTUNREACH, 3 * S)


def test_a_loopback_server_is_reachable_from_its_own_host_only(bench: Bench) -> None:
    async def listen() -> None:
        await asyncio.start_server(_close, "127.0.0.1", 7655)

    async def knock(name: str) -> str:
        try:
            _, writer = await asyncio.open_connection(name, 7655)
        except ConnectionRefusedError:
            return "refused"
        writer.close()
        return "open"

    async def main() -> list[str]:
        await bench.nas.run(listen())
        return [
            await bench.nas.run(knock("127.0.0.1")),
            await bench.nas.run(knock("localhost")),
            await bench.nas.run(knock("nas-1")),
            await bench.pulse.run(knock("nas-1")),
            await bench.pulse.run(knock("127.0.0.1")),
        ]

    assert bench.sim.run(main()) == ["open", "open", "refused", "refused", "refused"]


def test_a_port_is_taken_once_and_free_again_when_closed(bench: Bench) -> None:
    async def listen() -> tuple[int | None, int, bool]:
        first = await asyncio.start_server(_close, ANY, 9000)
        with pytest.raises(OSError, match="address already in use") as taken:
            await asyncio.start_server(_close, "127.0.0.1", 9000)
        first.close()
        await first.wait_closed()
        second = await asyncio.start_server(_close, "127.0.0.1", 9000)
        third = await asyncio.start_server(_close, ANY, 0)
        return taken.value.errno, third.sockets[0].getsockname()[1], bool(first.sockets) or not second.sockets

    async def main() -> tuple[int | None, int, bool]:
        return await bench.nas.run(listen())

    assert bench.sim.run(main()) == (errno.EADDRINUSE, 40_000, False)


def _closing(bench: Bench, act: Callable[[Any], Awaitable[Any]], hold_s: int = 5) -> Any:
    """What ``act`` makes of a server with one open connection, which its client closes after ``hold_s``."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            await reader.read()
        writer.close()

    async def hold() -> str:
        reader, writer = await asyncio.open_connection("nas-1", 9000)
        ended = "in time"
        try:
            await asyncio.wait_for(reader.read(), hold_s)
        except TimeoutError:
            ended = "by the client"
        writer.close()
        return ended

    async def serve() -> Any:
        server = await asyncio.start_server(echo, "", 9000)
        holding = bench.pulse.run(hold())
        await asyncio.sleep(1)
        return await act(server), bench.sim.now_ns // S, await holding

    return bench.sim.run(serve(), host=bench.nas)


def test_a_closed_server_is_waited_for_as_the_running_minor_does(bench: Bench) -> None:
    """Since 3.12 until the last connection has gone; 3.11 returns at once."""

    async def act(server: asyncio.Server) -> None:
        server.close()
        assert not server.is_serving()
        await server.wait_closed()
        await server.wait_closed()

    waited_s = 5 if sys.version_info >= (3, 12) else 1
    assert _closing(bench, act) == (None, waited_s, "by the client")


def test_an_open_server_is_waited_for_until_it_is_closed(bench: Bench) -> None:
    async def act(server: asyncio.Server) -> None:
        waiting = asyncio.create_task(server.wait_closed())
        await asyncio.sleep(10)
        assert not waiting.done()
        server.close()
        await waiting

    assert _closing(bench, act) == (None, 11, "by the client")


def test_a_cancelled_serve_forever_closes_its_server(bench: Bench) -> None:
    async def act(server: asyncio.Server) -> bool:
        serving = asyncio.create_task(server.serve_forever())
        await asyncio.sleep(1)
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving
        return server.is_serving()

    assert _closing(bench, act)[0] is False


@pytest.mark.parametrize("how", ["close_clients", "abort_clients"])
def test_a_server_can_end_its_connections_since_3_13(bench: Bench, how: str) -> None:
    async def act(server: Any) -> bool:
        if sys.version_info >= (3, 13):
            getattr(server, how)()
        return hasattr(server, how)

    since = sys.version_info >= (3, 13)
    assert _closing(bench, act) == (since, 1, "in time" if since else "by the client")


def test_the_window_opens_when_an_ack_has_travelled_not_when_the_peer_reads(bench: Bench) -> None:
    """200,000 bytes are read after 2 s, their ACK comes after 4: until then, 62,144 more fit."""
    network = bench.sim.network
    arrived: list[tuple[int, int]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        total = 0
        while data := await reader.read(1_000_000):
            total += len(data)
            arrived.append((bench.sim.now_ns // S, total))
        writer.close()

    async def client(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        network.link("pulse", "nas-1").latency_ns = network.link("nas-1", "pulse").latency_ns = 2 * S
        writer.write(bytes(200_000))
        await asyncio.sleep(3)
        writer.write(bytes(200_000))
        await asyncio.sleep(20)

    _converse(bench, serve, client)
    stamped = dict(arrived)
    assert stamped == {2: 200_000, 5: 262_144, 6: 400_000}


def test_the_stand_in_socket_knows_both_addresses(bench: Bench) -> None:
    seen: list[Any] = []

    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sock = writer.get_extra_info("socket")
        seen.extend([sock.family, sock.getsockname(), sock.getpeername(), writer.get_extra_info("peername")])
        writer.close()

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(writer.get_extra_info("sockname"))
        await reader.read()

    _converse(bench, serve, client)
    near, far = ("10.0.0.2", 32_768), ("10.0.0.1", 9000)
    assert seen == [near, socket.AF_INET, far, near, near]


def test_sockets_that_happy_eyeballs_creates_are_closed(bench: Bench) -> None:
    def descriptors() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    async def client() -> tuple[int, int]:
        before = descriptors()
        for _ in range(50):
            async with aiohttp.ClientSession() as session, session.get("http://nas-1/") as response:
                await response.read()
        return before, descriptors()

    async def main() -> tuple[int, int]:
        await bench.serve(hello)
        return await bench.pulse.run(client())

    before, after = bench.sim.run(main())
    assert before == after


def test_a_network_call_outside_any_host_is_fenced(bench: Bench) -> None:
    async def main() -> None:
        await asyncio.open_connection("nas-1", 80)

    with pytest.raises(FenceError, match="outside any host"):
        bench.sim.run(main())


def test_counts_are_flat_over_a_thousand_connections(bench: Bench) -> None:
    async def client(count: int) -> dict[str, int]:
        for _ in range(count):
            async with aiohttp.ClientSession() as session, session.get("http://nas-1/") as response:
                await response.read()
        await asyncio.sleep(120)
        return bench.sim.counts()

    async def main() -> tuple[dict[str, int], dict[str, int]]:
        await bench.serve(hello)
        return await bench.pulse.run(client(1)), await bench.pulse.run(client(1_000))

    first, last = bench.sim.run(main())
    assert first == last
    assert bench.sim.network.counts()["connections_opened"] == {("pulse", "nas-1"): 1_001}
