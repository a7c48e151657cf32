"""Faults laid over links, their changes and their healing: what the programs at both ends see."""

import asyncio
import errno
from collections.abc import Callable, Coroutine
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from pulse_sim.kernel import Latency, LinkFault, Priority, Toxic
from tests.kernel.testbed import ANY, Bench, hello

S = 1_000_000_000
MS = 1_000_000


async def _ask(session: aiohttp.ClientSession) -> str:
    # POST: aiohttp asks once more by itself when an idempotent request loses its connection.
    async with session.post("http://nas-1/") as response:
        return await response.text()


def test_refusal_reaches_the_client_after_one_round_trip(bench: Bench) -> None:
    bench.sim.network.link("pulse", "nas-1").latency_ns = 3 * MS
    bench.sim.network.link("nas-1", "pulse").latency_ns = 4 * MS

    async def client() -> tuple[int | None, int]:
        bench.sim.network.apply("f", LinkFault("refuse"), src="pulse", dst="nas-1")
        before = bench.sim.now_ns
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.ClientConnectorError) as refusal:
                await _ask(session)
        return refusal.value.os_error.errno, bench.sim.now_ns - before

    async def main() -> tuple[int | None, int]:
        await bench.serve(hello)
        return await bench.pulse.run(client())

    assert bench.sim.run(main()) == (errno.ECONNREFUSED, 7 * MS)


def test_refusal_resets_live_connections_and_healing_lets_new_ones_in(bench: Bench) -> None:
    async def client() -> list[str]:
        seen = []
        reader, writer = await asyncio.open_connection("nas-1", 80)
        bench.sim.network.apply("f", LinkFault("refuse"), dst="nas-1")
        try:
            await reader.read(1)
        except ConnectionResetError:
            seen.append("reset")
        writer.close()
        bench.sim.network.heal("f")
        async with aiohttp.ClientSession() as session:
            seen.append(await _ask(session))
        return seen

    async def main() -> list[str]:
        await bench.serve(hello)
        return await bench.pulse.run(client())

    assert bench.sim.run(main()) == ["reset", "hello"]


def test_a_blackholed_request_is_answered_after_the_heal(bench: Bench) -> None:
    async def client() -> tuple[str, int]:
        async with aiohttp.ClientSession() as session:
            await _ask(session)
            bench.sim.network.apply("f", LinkFault("blackhole"), dst="nas-1")
            bench.sim.at(bench.sim.now_ns + 10 * S, Priority.HEAL, lambda: bench.sim.network.heal("f"))
            before = bench.sim.now_ns
            text = await _ask(session)
            return text, bench.sim.now_ns - before

    async def main() -> tuple[str, int]:
        await bench.serve(hello)
        return await bench.pulse.run(client())

    assert bench.sim.run(main()) == ("hello", 10 * S + 2 * 250_000)


def test_a_blackholed_connect_waits_for_the_heal(bench: Bench) -> None:
    async def client() -> int:
        bench.sim.network.apply("f", LinkFault("blackhole"), dst="nas-1")
        bench.sim.at(5 * S, Priority.HEAL, lambda: bench.sim.network.heal("f"))
        async with aiohttp.ClientSession() as session:
            await _ask(session)
        return bench.sim.now_ns

    async def main() -> int:
        await bench.serve(hello)
        return await bench.pulse.run(client())

    assert bench.sim.run(main()) == 5 * S + 4 * 250_000


def test_a_connect_nobody_answers_times_out_as_linux_does(bench: Bench) -> None:
    async def client() -> tuple[int | None, int]:
        bench.sim.network.apply("f", LinkFault("blackhole"), dst="nas-1")
        with pytest.raises(TimeoutError) as failure:
            await asyncio.open_connection("nas-1", 80)
        return failure.value.errno, bench.sim.now_ns

    async def main() -> tuple[int | None, int]:
        await bench.serve(hello)
        return await bench.pulse.run(client())

    assert bench.sim.run(main()) == (errno.ETIMEDOUT, 127 * S)


def test_a_request_into_a_blackhole_without_deadline_fails_when_linux_gives_up(bench: Bench) -> None:
    async def client() -> tuple[str, float]:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout()) as session:
            await _ask(session)
            bench.sim.network.apply("f", LinkFault("blackhole"), dst="nas-1")
            before = bench.sim.now_ns
            with pytest.raises(aiohttp.ClientOSError) as failure:
                await _ask(session)
            return errno.errorcode[failure.value.errno or 0], (bench.sim.now_ns - before) / S

    async def main() -> tuple[str, float]:
        await bench.serve(hello)
        return await bench.pulse.run(client())

    assert bench.sim.run(main()) == ("ETIMEDOUT", 924.6)


def test_an_abandoned_connect_never_reaches_the_server_after_the_heal(bench: Bench) -> None:
    async def client() -> None:
        bench.sim.network.apply("f", LinkFault("blackhole"), dst="nas-1")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.open_connection("nas-1", 80), 2)
        bench.sim.network.heal("f")
        await asyncio.sleep(60)

    async def main() -> None:
        await bench.serve(hello)
        await bench.pulse.run(client())

    bench.sim.run(main())
    assert bench.sim.network.counts()["connections_opened"] == {}


def test_a_request_abandoned_in_a_blackhole_reaches_the_server_after_a_short_one_only(bench: Bench) -> None:
    """The kernel of a dead program retransmits for 100 s; after that nobody ever hears of the request."""
    arrived: list[int] = []

    async def note(_request: web.Request) -> web.Response:
        arrived.append(bench.sim.now_ns // S)
        return web.Response()

    async def client(blackhole_s: int) -> None:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=3)) as session:
            await _ask(session)
            bench.sim.network.apply("f", LinkFault("blackhole"), dst="nas-1")
            with pytest.raises(TimeoutError):
                await _ask(session)
        await asyncio.sleep(blackhole_s)
        bench.sim.network.heal("f")
        await asyncio.sleep(10)

    async def main() -> None:
        await bench.serve(note)
        await bench.pulse.run(client(20))
        await bench.pulse.run(client(200))

    bench.sim.run(main())
    assert len(arrived) == 3


def test_reset_cuts_a_live_connection_now(bench: Bench) -> None:
    async def slow(_request: web.Request) -> web.Response:
        await asyncio.sleep(10)
        return web.Response()

    async def client() -> tuple[str, int]:
        async with aiohttp.ClientSession() as session:
            bench.sim.at(2 * S, Priority.INJECT, lambda: bench.sim.network.apply("f", LinkFault("reset"), dst="nas-1"))
            with pytest.raises(aiohttp.ClientOSError) as failure:
                await _ask(session)
            return errno.errorcode[failure.value.errno or 0], bench.sim.now_ns

    async def main() -> tuple[str, int]:
        await bench.serve(slow)
        return await bench.pulse.run(client())

    assert bench.sim.run(main()) == ("ECONNRESET", 2 * S + 250_000)


def test_reset_meets_a_new_connection_as_its_first_bytes_arrive(bench: Bench) -> None:
    served = []

    async def note(_request: web.Request) -> web.Response:
        served.append(1)
        return web.Response()

    async def client() -> tuple[str, int]:
        bench.sim.network.apply("f", LinkFault("reset"), dst="nas-1")
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.ClientOSError) as failure:
                await _ask(session)
        return errno.errorcode[failure.value.errno or 0], bench.sim.now_ns

    async def main() -> tuple[str, int]:
        await bench.serve(note)
        return await bench.pulse.run(client())

    assert (bench.sim.run(main()), served) == (("ECONNRESET", 4 * 250_000), [])


def test_latency_is_added_to_open_connections_at_once_and_taken_away_again(bench: Bench) -> None:
    async def client() -> list[int]:
        took = []
        async with aiohttp.ClientSession() as session:
            for step in range(4):
                if step == 2:
                    bench.sim.network.apply("f", LinkFault("latency", latency_ns=700), src="pulse", dst="nas-1")
                if step == 3:
                    bench.sim.network.heal("f")
                before = bench.sim.now_ns
                await _ask(session)
                took.append(bench.sim.now_ns - before)
        return took

    async def main() -> list[int]:
        await bench.serve(hello)
        return await bench.pulse.run(client())

    assert bench.sim.run(main()) == [1_000_000, 500_000, 500_700, 500_000]


def test_jitter_is_drawn_from_the_seed() -> None:
    def run(seed: int) -> int:
        bench = Bench(seed)

        async def client() -> int:
            bench.sim.network.apply("f", LinkFault("latency", jitter_ns=50 * MS), dst="nas-1")
            async with aiohttp.ClientSession() as session:
                await _ask(session)
            return bench.sim.now_ns

        async def main() -> int:
            await bench.serve(hello)
            return await bench.pulse.run(client())

        return bench.sim.run(main())

    assert run(1) == run(1) != run(2)


def test_healing_twice_and_healing_the_unknown_do_nothing(bench: Bench) -> None:
    bench.sim.network.apply("f", LinkFault("refuse"), dst="nas-1")
    bench.sim.network.heal("f")
    bench.sim.network.heal("f")
    bench.sim.network.heal("never applied")


def test_a_fault_id_in_use_an_unknown_host_and_an_unknown_kind_are_refused(bench: Bench) -> None:
    bench.sim.network.apply("f", LinkFault("refuse"), dst="nas-1")
    with pytest.raises(ValueError, match="applied already"):
        bench.sim.network.apply("f", LinkFault("refuse"), dst="nas-1")
    with pytest.raises(KeyError):
        bench.sim.network.apply("g", LinkFault("refuse"), dst="nas-9")
    with pytest.raises(ValueError, match="no such link fault"):
        LinkFault("flood")  # type: ignore[arg-type]


def test_a_fault_between_two_hosts_leaves_a_third_alone(bench: Bench) -> None:
    other = bench.sim.host("other")

    async def client() -> str:
        async with aiohttp.ClientSession() as session:
            return await _ask(session)

    async def main() -> str:
        await bench.serve(hello)
        bench.sim.network.apply("f", LinkFault("blackhole"), src="pulse", dst="nas-1")
        return await other.run(client())

    assert bench.sim.run(main()) == "hello"


def _at(bench: Bench, at_s: float, fault: LinkFault | None) -> None:
    """Lay fault `f` from pulse to nas-1 at an instant, or heal it."""
    network = bench.sim.network
    if fault is None:
        bench.sim.at(round(at_s * S), Priority.HEAL, lambda: network.heal("f"))
    else:
        bench.sim.at(round(at_s * S), Priority.INJECT, lambda: network.apply("f", fault, src="pulse", dst="nas-1"))


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
    except OSError:
        pass
    writer.close()


async def _listen() -> None:
    await asyncio.start_server(_echo, ANY, 9000)


def _converse(bench: Bench, client: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    async def main() -> Any:
        await bench.nas.run(_listen())
        return await bench.pulse.run(client())

    return bench.sim.run(main())


def test_down_closes_live_connections_and_refuses_new_ones_until_it_is_healed(bench: Bench) -> None:
    async def client() -> list[object]:
        reader, writer = await asyncio.open_connection("nas-1", 9000)
        _at(bench, 1, LinkFault("down"))
        _at(bench, 3, None)
        seen: list[object] = [await reader.read(), bench.sim.now_ns / S]
        writer.write(b"is anybody there")  # provokes a reset, which the next write meets
        await asyncio.sleep(1)
        writer.write(b"is anybody there")
        with pytest.raises(ConnectionResetError):
            await writer.drain()
        writer.close()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("nas-1", 9000)
        await asyncio.sleep(2)
        _, writer = await asyncio.open_connection("nas-1", 9000)
        writer.close()
        return seen

    assert _converse(bench, client) == [b"", 1.00025]


def test_down_closes_the_serving_end_too(bench: Bench) -> None:
    async def client() -> dict[str, int]:
        _, writer = await asyncio.open_connection("nas-1", 9000)
        bench.sim.network.apply("f", LinkFault("down"), dst="nas-1")
        writer.close()
        await asyncio.sleep(1)
        return bench.sim.counts()

    assert _converse(bench, client)["transports"] == 0


def test_what_a_proxy_held_is_lost_as_it_goes_down(bench: Bench) -> None:
    async def client() -> tuple[bytes, int]:
        reader, writer = await asyncio.open_connection("nas-1", 9000)
        bench.sim.network.apply("late", Toxic(Latency(5_000)), dst="nas-1")
        writer.write(b"echo")
        _at(bench, 2, LinkFault("down"))
        got = await reader.read()
        writer.close()
        return got, bench.sim.now_ns // S

    assert _converse(bench, client) == (b"", 2)


def test_unreachable_fails_a_connect_after_one_round_trip(bench: Bench) -> None:
    async def client() -> tuple[int | None, int]:
        bench.sim.network.apply("f", LinkFault("unreachable"), src="pulse", dst="nas-1")
        before = bench.sim.now_ns
        with pytest.raises(OSError, match="Connect call failed") as failure:
            await asyncio.open_connection("nas-1", 9000)
        return failure.value.errno, bench.sim.now_ns - before

    assert _converse(bench, client) == (errno.EHOSTUNREACH, 2 * 250_000)


def test_unreachable_ends_a_connect_that_a_blackhole_holds(bench: Bench) -> None:
    async def client() -> tuple[int | None, int]:
        bench.sim.network.apply("hole", LinkFault("blackhole"), dst="nas-1")
        _at(bench, 5, LinkFault("unreachable"))
        with pytest.raises(OSError, match="Connect call failed") as failure:
            await asyncio.open_connection("nas-1", 9000)
        return failure.value.errno, bench.sim.now_ns // S

    assert _converse(bench, client) == (errno.EHOSTUNREACH, 5)


@pytest.mark.parametrize(("heal_after_s", "seen"), [(30, "echo after 30 s"), (2_000, "EHOSTUNREACH after 924 s")])
def test_a_live_connection_stalls_while_unreachable(bench: Bench, heal_after_s: int, seen: str) -> None:
    """Linux fails with the router's answer when it gives up, instead of ETIMEDOUT."""

    async def client() -> str:
        reader, writer = await asyncio.open_connection("nas-1", 9000)
        bench.sim.network.apply("f", LinkFault("unreachable"), src="pulse", dst="nas-1")
        before = bench.sim.now_ns
        bench.sim.at(before + heal_after_s * S, Priority.HEAL, lambda: bench.sim.network.heal("f"))
        writer.write(b"echo")
        try:
            what = (await reader.read(4)).decode()
        except OSError as error:
            what = errno.errorcode[error.errno or 0]
        writer.close()
        return f"{what} after {(bench.sim.now_ns - before) // S} s"

    assert _converse(bench, client) == seen


def test_a_connection_nobody_accepts_is_open_and_silent_until_the_heal(bench: Bench) -> None:
    async def client() -> tuple[int, bytes, int]:
        bench.sim.network.apply("f", LinkFault("unaccepted"), src="pulse", dst="nas-1")
        _at(bench, 60, None)
        reader, writer = await asyncio.open_connection("nas-1", 9000)
        opened_ns = bench.sim.now_ns
        writer.write(b"anybody")
        got = await reader.read(7)
        writer.close()
        return opened_ns, got, bench.sim.now_ns // S

    assert _converse(bench, client) == (2 * 250_000, b"anybody", 60)


def test_a_connection_nobody_accepts_holds_its_writer_back(bench: Bench) -> None:
    async def client() -> int:
        bench.sim.network.apply("f", LinkFault("unaccepted"), src="pulse", dst="nas-1")
        _, writer = await asyncio.open_connection("nas-1", 9000)
        sent = 0
        with pytest.raises(TimeoutError):
            while True:
                writer.write(bytes(50_000))
                await asyncio.wait_for(writer.drain(), 10)
                sent += 50_000
        writer.transport.abort()
        return sent

    assert _converse(bench, client) == 300_000


def test_only_the_faults_source_is_left_unaccepted(bench: Bench) -> None:
    other = bench.sim.host("other")

    async def main() -> str:
        await bench.serve(hello)
        bench.sim.network.apply("f", LinkFault("unaccepted"), src="pulse", dst="nas-1")
        async with aiohttp.ClientSession() as session:
            return await other.run(_ask(session))

    assert bench.sim.run(main()) == "hello"


def test_a_full_backlog_drops_further_connects_until_somebody_accepts(bench: Bench) -> None:
    async def listen() -> None:
        await asyncio.start_server(_echo, ANY, 9001, backlog=3)

    async def knock() -> int:
        _, writer = await asyncio.open_connection("nas-1", 9001)
        at_s = bench.sim.now_ns // S
        writer.close()
        return at_s

    async def client() -> list[int]:
        bench.sim.network.apply("f", LinkFault("unaccepted"), src="pulse", dst="nas-1")
        _at(bench, 20, None)
        return [await knock() for _ in range(6)]

    async def main() -> list[int]:
        await bench.nas.run(listen())
        return await bench.pulse.run(client())

    assert bench.sim.run(main()) == [0, 0, 0, 0, 20, 20]  # Linux takes one more than the backlog says


def test_closing_a_server_resets_what_it_never_accepted(bench: Bench) -> None:
    async def client(server: asyncio.Server) -> str:
        bench.sim.network.apply("f", LinkFault("unaccepted"), src="pulse", dst="nas-1")
        reader, _ = await asyncio.open_connection("nas-1", 9001)
        await asyncio.sleep(1)
        server.close()
        with pytest.raises(ConnectionResetError):
            await reader.read()
        return "reset"

    async def listen() -> asyncio.Server:
        return await asyncio.start_server(_echo, ANY, 9001)

    async def main() -> str:
        return await bench.pulse.run(client(await bench.nas.run(listen())))

    assert bench.sim.run(main()) == "reset"


@pytest.mark.parametrize(("direction", "arrived_s"), [("forward", 40), ("backward", 0), ("both", 40)])
def test_a_partition_may_hold_one_direction_only(bench: Bench, direction: Any, arrived_s: int) -> None:
    arrived: list[int] = []

    async def note(request: web.Request) -> web.Response:
        arrived.append(bench.sim.now_ns // S)
        return await hello(request)

    async def client() -> int:
        async with aiohttp.ClientSession() as session:
            await _ask(session)
            bench.sim.network.apply("f", LinkFault("blackhole", direction=direction), src="pulse", dst="nas-1")
            _at(bench, 40, None)
            await _ask(session)
        return bench.sim.now_ns // S

    async def main() -> int:
        await bench.serve(note)
        return await bench.pulse.run(client())

    assert bench.sim.run(main()) == 40
    assert arrived == [0, arrived_s]


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_a_connect_over_a_partition_of_either_direction_waits_and_times_out(bench: Bench, direction: Any) -> None:
    async def client() -> int:
        bench.sim.network.apply("f", LinkFault("blackhole", direction=direction), src="pulse", dst="nas-1")
        with pytest.raises(TimeoutError):
            await asyncio.open_connection("nas-1", 9000)
        return bench.sim.now_ns // S

    assert _converse(bench, client) == 127


def test_a_sender_whose_acks_are_lost_fills_its_window_and_gives_up(bench: Bench) -> None:
    """The data arrives, and nobody can say so."""
    read = [0]

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            read[0] += len(data)
        writer.close()

    async def listen() -> None:
        await asyncio.start_server(serve, ANY, 9001)

    async def client() -> tuple[int, int]:
        _, writer = await asyncio.open_connection("nas-1", 9001)
        bench.sim.network.apply("f", LinkFault("blackhole", direction="backward"), src="pulse", dst="nas-1")
        with pytest.raises(TimeoutError):
            for _ in range(10):
                writer.write(bytes(100_000))
                await writer.drain()
        return read[0], bench.sim.now_ns // S

    async def main() -> tuple[int, int]:
        await bench.nas.run(listen())
        return await bench.pulse.run(client())

    assert bench.sim.run(main()) == (262_144, 924)


def test_acks_that_were_held_let_the_sender_go_on_when_they_come(bench: Bench) -> None:
    async def client() -> tuple[int, int]:
        reader, writer = await asyncio.open_connection("nas-1", 9000)
        bench.sim.network.apply("f", LinkFault("blackhole", direction="backward"), src="pulse", dst="nas-1")
        _at(bench, 30, None)
        reading = asyncio.create_task(reader.readexactly(500_000))
        for _ in range(5):
            writer.write(bytes(100_000))
            await writer.drain()
        drained_s = bench.sim.now_ns // S
        got = await reading
        writer.close()
        return drained_s, len(got)

    assert _converse(bench, client) == (30, 500_000)


def test_a_change_of_a_link_fault_acts_on_open_connections(bench: Bench) -> None:
    async def client() -> list[str]:
        network, seen = bench.sim.network, []
        reader, writer = await asyncio.open_connection("nas-1", 9000)
        network.apply("f", LinkFault("blackhole"), src="pulse", dst="nas-1")
        writer.write(b"x")
        await asyncio.sleep(10)
        network.update("f", LinkFault("latency", latency_ns=S))
        before = bench.sim.now_ns
        await reader.read(1)
        seen.append(f"answer after {(bench.sim.now_ns - before) / S:.4f} s")
        network.update("f", LinkFault("reset"))
        with pytest.raises(ConnectionResetError):
            await reader.read(1)
        return [*seen, "reset"]

    assert _converse(bench, client) == ["answer after 1.0005 s", "reset"]


def test_a_direction_belongs_to_a_blackhole_only() -> None:
    with pytest.raises(ValueError, match="has no direction"):
        LinkFault("refuse", direction="forward")
    with pytest.raises(ValueError, match="no such direction"):
        LinkFault("blackhole", direction="up")  # type: ignore[arg-type]
