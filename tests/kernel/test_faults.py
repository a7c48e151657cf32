"""Faults laid over links: refusal, blackhole, reset, latency, and their healing."""

import asyncio
import errno

import aiohttp
import pytest
from aiohttp import web

from pulse_sim.kernel import LinkFault, Priority
from tests.kernel.testbed import Bench, hello

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
