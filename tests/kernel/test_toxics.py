"""Toxics on connections: what the two programs see, with plain streams and through aiohttp."""

import asyncio
import errno
import random
from collections.abc import Awaitable, Callable
from typing import Any, cast

import aiohttp
import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_sim.kernel import (
    Bandwidth,
    Latency,
    LimitData,
    LinkFault,
    Priority,
    ResetPeer,
    Slicer,
    SlowClose,
    Timeout,
    Toxic,
    Trace,
)
from pulse_sim.kernel.certificate import self_signed, server_context
from pulse_sim.kernel.toxics import Effect
from tests.kernel.testbed import ANY, Bench, hello

S = 1_000_000_000
MS = 1_000_000
ROUND_TRIP = 500_000
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def _talk(bench: Bench, serve: Serve, client: Callable[[], Awaitable[Any]]) -> Any:
    """A stream server on `nas-1` port 9000, and what a program on `pulse` makes of it."""

    async def main() -> Any:
        await bench.nas.run(_listen(serve))
        return await bench.pulse.run(client())  # type: ignore[arg-type]

    return bench.sim.run(main())


async def _listen(serve: Serve) -> None:
    await asyncio.start_server(serve, ANY, 9000)


async def _dial() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("nas-1", 9000)


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    writer.close()


def _say(body: bytes) -> Serve:
    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(body)
        writer.close()

    return serve


async def _read_all(reader: asyncio.StreamReader) -> tuple[bytes, str]:
    got = b""
    try:
        while data := await reader.read(65_536):
            got += data
    except ConnectionResetError:
        return got, "reset"
    return got, "end"


@pytest.mark.parametrize(("stream", "delayed"), [("upstream", [True, False]), ("downstream", [False, True])])
def test_upstream_is_from_client_to_server_and_downstream_back(bench: Bench, stream: Any, delayed: list[bool]) -> None:
    stamps: list[int] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(1)
        stamps.append(bench.sim.now_ns)
        writer.write(b"b")
        writer.close()

    async def client() -> list[bool]:
        bench.sim.network.apply("t", Toxic(Latency(100), stream), src="pulse", dst="nas-1")
        reader, writer = await _dial()
        assert bench.sim.now_ns == ROUND_TRIP, "a connect is not delayed"
        writer.write(b"a")
        await reader.readexactly(1)
        there, back = stamps[0] - ROUND_TRIP, bench.sim.now_ns - stamps[0]
        writer.close()
        return [there == ROUND_TRIP // 2 + 100 * MS, back == ROUND_TRIP // 2 + 100 * MS]

    assert _talk(bench, serve, client) == delayed


def test_toxics_chain_in_their_order_of_application(bench: Bench) -> None:
    async def client() -> tuple[int, float]:
        network = bench.sim.network
        network.apply("slow", Toxic(Bandwidth(1)), dst="nas-1")
        network.apply("late", Toxic(Latency(1_000)), dst="nas-1")
        network.apply("short", Toxic(LimitData(300)), dst="nas-1")
        reader, writer = await _dial()
        before = bench.sim.now_ns
        got, _ = await _read_all(reader)
        writer.close()
        return len(got), (bench.sim.now_ns - before) / S

    # Three tenths of a second for the pieces, one second for latency; what follows the limit is never waited for.
    got, took_s = _talk(bench, _say(bytes(5_000)), client)
    assert (got, round(took_s, 3)) == (300, 1.3)


_TOXICS = st.one_of(
    st.builds(Latency, st.integers(0, 400), st.integers(0, 300)),
    st.builds(Bandwidth, st.integers(20, 3_000)),
    st.builds(SlowClose, st.integers(0, 400)),
    st.integers(1_000, 30_000).flatmap(
        lambda size: st.builds(Slicer, st.just(size), st.integers(0, size - 1), st.integers(0, 2_000))
    ),
    st.just(LimitData(10_000_000)),
)
_STEP = st.tuples(st.integers(0, 900), st.sampled_from(["f", "g", "h"]), st.one_of(st.none(), _TOXICS))


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(1, 300_000), min_size=1, max_size=6), st.lists(_STEP, max_size=8), st.booleans())
def test_whatever_comes_and_goes_on_an_open_connection_every_byte_arrives_once_and_in_order(
    sizes: list[int], steps: list[tuple[int, str, Any]], upstream: bool
) -> None:
    bench = Bench()
    body = random.Random(sum(sizes)).randbytes(sum(sizes))
    applied: dict[str, Any] = {}
    received: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if upstream:
            received.append(await reader.read())
        else:
            await _send_all(writer)
        writer.close()

    async def _send_all(writer: asyncio.StreamWriter) -> None:
        rest = memoryview(body)
        for size in sizes:
            writer.write(rest[:size])
            rest = rest[size:]
            await writer.drain()
        writer.write_eof()

    async def meddle() -> None:
        network = bench.sim.network
        for pause_ms, fault_id, effect in steps:
            await asyncio.sleep(pause_ms / 1_000)
            before = applied.pop(fault_id, None)
            if effect is None or (before is not None and type(before) is not type(effect)):
                network.heal(fault_id)
            elif before is not None:
                network.update(fault_id, Toxic(effect, "upstream" if upstream else "downstream"))
                applied[fault_id] = effect
            else:
                network.apply(fault_id, Toxic(effect, "upstream" if upstream else "downstream"), dst="nas-1")
                applied[fault_id] = effect

    async def client() -> None:
        reader, writer = await _dial()
        meddling = asyncio.create_task(meddle())
        if upstream:
            await _send_all(writer)
        received.append(await reader.read())
        await meddling
        writer.close()

    _talk(bench, serve, client)
    assert b"".join(received) == body


@pytest.mark.parametrize("how", ["change", "remove"])
def test_changing_and_removing_a_toxic_acts_on_what_is_already_under_way(bench: Bench, how: str) -> None:
    async def client() -> int:
        network = bench.sim.network
        reader, writer = await _dial()
        network.apply("t", Toxic(Latency(60_000), "upstream"), dst="nas-1")
        writer.write(b"a")
        await asyncio.sleep(1)
        before = bench.sim.now_ns
        network.update("t", Toxic(Latency(0), "upstream")) if how == "change" else network.heal("t")
        await reader.readexactly(1)
        writer.close()
        return bench.sim.now_ns - before

    assert _talk(bench, _echo, client) == ROUND_TRIP


def test_bandwidth_paces_an_open_connection_and_holds_its_writer_back(bench: Bench) -> None:
    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(20):
            writer.write(bytes(100_000))
            await writer.drain()
        drained.append(bench.sim.now_ns // S)
        writer.close()

    drained: list[int] = []

    async def client() -> tuple[int, int]:
        bench.sim.network.apply("t", Toxic(Bandwidth(100)), dst="nas-1")
        reader, writer = await _dial()
        got, _ = await _read_all(reader)
        writer.close()
        return len(got), bench.sim.now_ns // S

    assert _talk(bench, serve, client) == (2_000_000, 20)
    assert 16 <= drained[0] < 18  # the last 262,144 bytes of window and 65,536 of buffer are still to come


def test_a_latency_toxic_holds_no_writer_back_for_it_buffers_as_toxiproxy_does(bench: Bench) -> None:
    async def client() -> tuple[int, int]:
        bench.sim.network.apply("t", Toxic(Latency(5_000)), dst="nas-1")
        reader, writer = await _dial()
        got, _ = await _read_all(reader)
        writer.close()
        return len(got), bench.sim.now_ns // S

    assert _talk(bench, _say(bytes(3_000_000)), client) == (3_000_000, 5)


def test_slices_are_read_one_by_one(bench: Bench) -> None:
    class Counting(asyncio.Protocol):
        sizes: list[int]

        def __init__(self) -> None:
            self.sizes = []
            self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def data_received(self, data: bytes) -> None:
            self.sizes.append(len(data))

        def connection_lost(self, _error: Exception | None) -> None:
            self.ended.set_result(None)

    async def client() -> list[int]:
        bench.sim.network.apply("t", Toxic(Slicer(10, 3)), dst="nas-1")
        _, protocol = await asyncio.get_running_loop().create_connection(Counting, "nas-1", 9000)
        await protocol.ended
        return protocol.sizes

    sizes = _talk(bench, _say(bytes(200)), client)
    assert sum(sizes) == 200
    assert max(sizes) <= 13
    assert len(sizes) >= 16


def test_slow_close_keeps_a_connection_open(bench: Bench) -> None:
    async def client() -> tuple[int, int, int]:
        bench.sim.network.apply("t", Toxic(SlowClose(3_000)), dst="nas-1")
        reader, writer = await _dial()
        await reader.readexactly(4)
        data_ns = bench.sim.now_ns
        await reader.read()
        ended_ns = bench.sim.now_ns
        writer.close()
        return data_ns // S, ended_ns - data_ns, bench.sim.network.counts()["connections"]

    assert _talk(bench, _say(b"last"), client) == (0, 3 * S, 1)


def test_limit_data_closes_both_ends_after_exactly_its_bytes(bench: Bench) -> None:
    server_saw: list[tuple[bytes, str]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(bytes(10_000))
        server_saw.append(await _read_all(reader))
        writer.close()

    async def client() -> tuple[tuple[int, str], list[str]]:
        bench.sim.network.apply("t", Toxic(LimitData(1_234)), dst="nas-1")
        reader, writer = await _dial()
        got, how = await _read_all(reader)
        seen = []
        for _ in range(2):  # nobody is there any more: the first write provokes a reset
            await asyncio.sleep(1)
            try:
                writer.write(b"x")
                await writer.drain()
                seen.append("sent")
            except ConnectionError as error:
                seen.append(type(error).__name__)
        writer.close()
        return (len(got), how), seen

    assert _talk(bench, serve, client) == ((1_234, "end"), ["sent", "ConnectionResetError"])
    assert server_saw == [(b"", "end")]


def test_the_limit_of_one_direction_waits_for_what_the_other_holds(bench: Bench) -> None:
    """Closed downstream, the server hears of it behind the request that is still on its way to it."""
    server_saw: list[tuple[bytes, int]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"greeting")
        data = await reader.read()
        server_saw.append((data, bench.sim.now_ns // S))
        writer.close()

    async def client() -> int:
        bench.sim.network.apply("limit", Toxic(LimitData(8)), dst="nas-1")
        bench.sim.network.apply("late", Toxic(Latency(2_000), "upstream"), dst="nas-1")
        reader, writer = await _dial()
        writer.write(b"request")
        await reader.read()
        ended_ns = bench.sim.now_ns
        await asyncio.sleep(5)
        writer.close()
        return ended_ns // S

    assert _talk(bench, serve, client) == 0
    assert server_saw == [(b"request", 2)]


def test_a_timeout_toxic_swallows_data_and_closes_when_none_has_come_for_it(bench: Bench) -> None:
    async def client() -> tuple[tuple[bytes, str], int]:
        reader, writer = await _dial()
        bench.sim.network.apply("t", Toxic(Timeout(4_000), "upstream"), dst="nas-1")
        await asyncio.sleep(3)
        writer.write(b"dropped")
        seen = await _read_all(reader)
        writer.close()
        return seen, bench.sim.now_ns // S

    assert _talk(bench, _echo, client) == ((b"", "end"), 7)


def test_a_timeout_toxic_never_blocks_a_writer_and_closes_when_it_is_removed(bench: Bench) -> None:
    async def client() -> tuple[tuple[bytes, str], int]:
        reader, writer = await _dial()
        bench.sim.network.apply("t", Toxic(Timeout(0), "upstream"), dst="nas-1")
        for _ in range(100):
            writer.write(bytes(50_000))
            await writer.drain()
        bench.sim.at(50 * S, Priority.HEAL, lambda: bench.sim.network.heal("t"))
        seen = await _read_all(reader)
        writer.close()
        return seen, bench.sim.now_ns // S

    assert _talk(bench, _echo, client) == ((b"", "end"), 50)


@pytest.mark.parametrize("stream", ["upstream", "downstream"])
def test_reset_peer_resets_both_ends_after_its_time(bench: Bench, stream: Any) -> None:
    server_saw: list[tuple[bytes, str]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        server_saw.append(await _read_all(reader))
        writer.close()

    async def client() -> tuple[str, int]:
        bench.sim.network.apply("t", Toxic(ResetPeer(2_000), stream), dst="nas-1")
        reader, writer = await _dial()
        writer.write(b"request")
        _, how = await _read_all(reader)
        writer.close()
        await asyncio.sleep(1)
        return how, bench.sim.now_ns // S

    assert _talk(bench, serve, client) == ("reset", 3)
    assert server_saw[0][1] == "reset"


def _struck(seed: int, fault_id: str, count: int, *, first: int = 0) -> list[bool]:
    """Which of ``count`` connections a toxic of toxicity 0.5 strikes, after ``first`` connections of another host."""
    bench = Bench(seed)
    other = bench.sim.host("other")

    async def ask() -> bool:
        before = bench.sim.now_ns
        async with aiohttp.ClientSession() as session, session.get("http://nas-1/") as response:
            await response.read()
        return bench.sim.now_ns - before > S

    async def client() -> list[bool]:
        return [await ask() for _ in range(count)]

    async def others() -> list[bool]:
        return [await ask() for _ in range(first)]

    async def main() -> list[bool]:
        await bench.serve(hello)
        bench.sim.network.apply(fault_id, Toxic(Latency(5_000), toxicity=0.5), dst="nas-1")
        await other.run(others())
        return await bench.pulse.run(client())

    return bench.sim.run(main())


def test_toxicity_is_the_share_of_connections_struck_drawn_from_the_seed() -> None:
    drawn = _struck(1, "t", 60)
    assert 18 <= sum(drawn) <= 42
    assert drawn == _struck(1, "t", 60)
    assert drawn[:20] != _struck(2, "t", 20)
    assert drawn[:20] != _struck(1, "another", 20)


def test_neither_other_connections_nor_other_draws_reshuffle_a_draw() -> None:
    assert _struck(1, "t", 20, first=7) == _struck(1, "t", 60)[:20]


def test_a_toxicity_changed_keeps_each_connections_draw(bench: Bench) -> None:
    async def client() -> list[list[bool]]:
        network = bench.sim.network
        network.apply("t", Toxic(Latency(1_000), "upstream", toxicity=0.3), dst="nas-1")
        streams = [await _dial() for _ in range(20)]
        seen = []
        for toxicity in (0.3, 0.7, 0.3, 0.0, 1.0):
            network.update("t", Toxic(Latency(1_000), "upstream", toxicity))
            struck = []
            for reader, writer in streams:
                before = bench.sim.now_ns
                writer.write(b"x")
                await reader.readexactly(1)
                struck.append(bench.sim.now_ns - before > S)
            seen.append(struck)
        for _, writer in streams:
            writer.close()
        return seen

    few, many, again, none, every = _talk(bench, _echo, client)
    assert few == again
    assert 0 < sum(few) < sum(many)
    assert all(b for a, b in zip(few, many, strict=True) if a)
    assert (sum(none), sum(every)) == (0, 20)


def test_toxics_cover_connections_by_who_opened_them(bench: Bench) -> None:
    """The answering direction of a connection that nas-1 opens to pulse is not nas-1's downstream."""

    async def listen_back() -> None:
        await asyncio.start_server(_echo, ANY, 9001)

    async def call_back() -> int:
        reader, writer = await asyncio.open_connection("pulse", 9001)
        before = bench.sim.now_ns
        writer.write(b"x")
        await reader.readexactly(1)
        writer.close()
        return bench.sim.now_ns - before

    async def main() -> int:
        bench.sim.network.apply("t", Toxic(Latency(5_000)), dst="nas-1")
        await bench.pulse.run(listen_back())
        return await bench.nas.run(call_back())

    assert bench.sim.run(main()) == ROUND_TRIP


def test_a_toxic_keeps_its_type_and_its_stream_and_an_unknown_one_cannot_change(bench: Bench) -> None:
    network = bench.sim.network
    network.apply("t", Toxic(Latency(5)), dst="nas-1")
    with pytest.raises(ValueError, match="keeps its type"):
        network.update("t", Toxic(Bandwidth(5)))
    with pytest.raises(ValueError, match="keeps its type"):
        network.update("t", Toxic(Latency(5), "upstream"))
    with pytest.raises(KeyError):
        network.update("unknown", Toxic(Latency(5)))
    with pytest.raises(ValueError, match="applied already"):
        network.apply("t", LinkFault("refuse"), dst="nas-1")


def test_every_toxic_at_once_leaves_no_state_behind(bench: Bench) -> None:
    async def client() -> list[dict[str, Any]]:
        network, counts = bench.sim.network, []
        effects = Latency(20, 10), Bandwidth(500), SlowClose(50), Slicer(100, 10, 5), LimitData(100_000), Timeout(100)
        for number, effect in enumerate(effects):
            network.apply(f"t{number}", Toxic(cast("Effect", effect), toxicity=0.9), dst="nas-1")
        timeout = aiohttp.ClientTimeout(total=2)
        for _ in range(30):
            try:
                async with aiohttp.ClientSession(timeout=timeout) as session, session.get("http://nas-1/") as response:
                    await response.read()
            except (aiohttp.ClientError, TimeoutError):
                pass
            counts.append(network.counts()["connections"])
        await asyncio.sleep(200)
        return [bench.sim.counts(), {"connections": network.counts()["connections"]}]

    async def main() -> list[dict[str, Any]]:
        await bench.serve(hello)
        return await bench.pulse.run(client())

    end = bench.sim.run(main())
    assert end[1] == {"connections": 0}
    assert end[0]["transports"] == 0
    assert end[0]["timers"] <= 3


def _digest_over_tls(seed: int) -> tuple[str, list[str]]:
    """The trace of ten requests over TLS through every pacing toxic and a limit, and what came of them."""
    trace = Trace()
    bench = Bench(seed, trace=trace)

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(body=bytes(40_000))

    async def client() -> list[str]:
        effects = Latency(20, 10), Bandwidth(400), Slicer(700, 90, 50), SlowClose(30), LimitData(40_900)
        for number, effect in enumerate(effects):
            bench.sim.network.apply(f"t{number}", Toxic(cast("Effect", effect), toxicity=0.8), dst="nas-1")
        seen = []
        for _ in range(10):
            try:
                async with aiohttp.ClientSession() as session, session.get("https://nas-1/", ssl=False) as response:
                    seen.append(str(len(await response.read())))
            except aiohttp.ClientError as error:
                seen.append(type(error).__name__)
        return seen

    async def main() -> list[str]:
        pair = self_signed(bench.sim.entropy("certificate"), ["nas-1"], [bench.nas.address])
        await bench.serve(answer, port=443, ssl_context=server_context(*pair))
        return await bench.pulse.run(client())

    seen = bench.sim.run(main())
    return trace.digest(), seen


def test_toxics_that_count_bytes_are_reproducible_under_tls() -> None:
    """They count what crosses the wire, as Toxiproxy does; Ed25519 keeps the length of a handshake the same."""
    first = _digest_over_tls(3)
    assert first == _digest_over_tls(3)
    assert "40000" in first[1]
    assert len(set(first[1])) > 1


def test_faults_their_changes_and_what_a_toxicity_decides_are_events() -> None:
    class Kept(Trace):
        def __init__(self) -> None:
            super().__init__()
            self.told: list[tuple[str, str, bytes]] = []

        def event(self, kind: str, subject: str, payload: bytes) -> None:
            if kind in ("fault", "heal"):
                self.told.append((kind, subject, payload))

    trace = Kept()
    bench = Bench(trace=trace)

    async def client() -> None:
        bench.sim.network.apply("t", Toxic(Latency(5), toxicity=0.5), dst="nas-1")
        _, writer = await _dial()
        bench.sim.network.update("t", Toxic(Latency(7), toxicity=0.5))
        bench.sim.network.heal("t")
        writer.close()

    _talk(bench, _echo, client)
    assert [(kind, subject) for kind, subject, _ in trace.told] == [
        ("fault", "t"),
        ("fault", "t pulse>nas-1#1"),
        ("fault", "t"),
        ("heal", "t"),
    ]
    assert trace.told[0][2] == b"latency downstream toxicity=0.5 latency=5 jitter=0"
    assert trace.told[1][2] in (b"struck", b"spared")
    assert trace.told[2][2] == b"now latency downstream toxicity=0.5 latency=7 jitter=0"


@pytest.mark.parametrize(
    ("effect", "expected"),
    [
        (LimitData(20), (aiohttp.ServerDisconnectedError, None)),
        (LimitData(180), (aiohttp.ClientPayloadError, None)),
        (ResetPeer(), (aiohttp.ClientOSError, errno.ECONNRESET)),
        (Timeout(1_000), (aiohttp.ServerDisconnectedError, None)),
        (Timeout(0), (TimeoutError, None)),
        (Bandwidth(1), (TimeoutError, None)),
    ],
)
def test_aiohttp_tells_toxics_apart(bench: Bench, effect: Any, expected: tuple[type[Exception], int | None]) -> None:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(body=bytes(60_000))

    async def client() -> tuple[type[BaseException], int | None]:
        bench.sim.network.apply("t", Toxic(effect), dst="nas-1")
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
            with pytest.raises((aiohttp.ClientError, TimeoutError)) as failure:
                async with session.post("http://nas-1/") as response:
                    await response.read()
        return type(failure.value), getattr(failure.value, "errno", None)

    async def main() -> tuple[type[BaseException], int | None]:
        await bench.serve(answer)
        return await bench.pulse.run(client())

    assert bench.sim.run(main()) == expected
