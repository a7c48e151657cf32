"""A machine whose programs are killed, or whose power goes: nothing of them runs again; what its peers then see."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_sim.kernel import Disk, Simulation
from tests.kernel.testbed import Bench, hello

MS = 1_000_000
S = 1_000 * MS


@pytest.fixture(params=["fifo", "random"])
def bench(request: pytest.FixtureRequest) -> Bench:
    return Bench(schedule=request.param)


async def _at(bench: Bench, at_ns: int) -> None:
    await asyncio.sleep((at_ns - bench.sim.now_ns) / 1e9)


async def _serve(bench: Bench, talk: Callable[..., Awaitable[None]]) -> None:
    async def listen() -> None:
        await asyncio.start_server(talk, "0.0.0.0", 80)  # noqa: S104 - an address of the simulated network

    await bench.nas.run(listen())


def _living(log: list[str]) -> Callable[..., Awaitable[None]]:
    """A server's side that notes what it does, above all in its clean-up."""

    async def talk(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                log.append("beat")
                writer.write(b".")
                await asyncio.sleep(1)
        finally:
            log.append("cleaned up")
            writer.close()

    return talk


def test_a_killed_program_cleans_nothing_up_and_its_peer_sees_the_end_one_latency_later(bench: Bench) -> None:
    log: list[str] = []

    async def main() -> tuple[bytes, int]:
        await _serve(bench, _living(log))
        reader, writer = await asyncio.open_connection("nas-1", 80)
        await _at(bench, 3 * S + 500 * MS)
        killed_at_ns = bench.sim.now_ns
        bench.sim.kill(bench.nas)
        said = await reader.read()
        ended_ns = bench.sim.now_ns - killed_at_ns
        writer.close()
        await asyncio.sleep(60)
        return said, ended_ns

    said, ended_ns = bench.sim.run(main(), host=bench.pulse)
    assert (said, ended_ns) == (b"....", bench.sim.network.default_latency_ns)
    assert log == ["beat"] * 4


def test_after_a_kill_the_port_is_refused_until_something_new_listens_on_it(bench: Bench) -> None:
    async def main() -> str:
        await bench.serve(hello)
        bench.sim.kill(bench.nas)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("nas-1", 80)
        await bench.serve(hello)
        async with aiohttp.ClientSession() as session, session.get("http://nas-1/") as answer:
            return await answer.text()

    assert bench.sim.run(main(), host=bench.pulse) == "hello"


def test_a_server_sees_a_killed_client_go_and_its_pending_connect_comes_to_nothing(bench: Bench) -> None:
    seen: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.read())
        writer.close()

    async def client() -> None:
        _reader, writer = await asyncio.open_connection("nas-1", 80)
        writer.write(b"half a req")
        await asyncio.open_connection("nas-1", 80)
        await asyncio.Event().wait()

    async def main() -> int:
        await _serve(bench, talk)
        bench.pulse.run(client())
        await _at(bench, bench.sim.now_ns + 3 * bench.sim.network.default_latency_ns + 1)  # the second SYN is under way
        bench.sim.kill(bench.pulse)
        await asyncio.sleep(200)
        return int(bench.sim.network.counts()["connections"])

    operator = bench.sim.host("operator")
    assert bench.sim.run(main(), host=operator) == 0
    assert seen == [b"half a req"]


def test_a_peer_of_a_machine_without_power_hears_nothing_and_a_reset_once_it_is_on_again(bench: Bench) -> None:
    log: list[str] = []

    async def main() -> list[Any]:
        await _serve(bench, _living(log))
        reader, writer = await asyncio.open_connection("nas-1", 80)
        await _at(bench, 1 * S + 500 * MS)
        bench.sim.power_off(bench.nas)
        heard: list[Any] = [await reader.read(2)]
        writer.write(b"are you there?")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(), 30)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.open_connection("nas-1", 80), 30)
        bench.sim.power_on(bench.nas)
        on_at_ns = bench.sim.now_ns
        with pytest.raises(ConnectionResetError):
            await reader.read()
        heard.append(bench.sim.now_ns - on_at_ns)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("nas-1", 80)
        return heard

    heard = bench.sim.run(main(), host=bench.pulse)
    assert heard == [b"..", 2 * bench.sim.network.default_latency_ns]
    assert log == ["beat"] * 2


def test_a_peer_that_only_listens_never_learns_that_the_power_went(bench: Bench) -> None:
    async def main() -> None:
        await _serve(bench, _living([]))
        reader, writer = await asyncio.open_connection("nas-1", 80)
        await reader.read(1)
        bench.sim.power_off(bench.nas)
        bench.sim.power_on(bench.nas)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 3600)
        writer.transport.abort()

    bench.sim.run(main(), host=bench.pulse)


def test_timers_of_the_dead_never_fire_and_their_tasks_are_not_counted(bench: Bench) -> None:
    fired: list[str] = []

    async def program() -> None:
        asyncio.get_running_loop().call_later(5, fired.append, "timer")
        await asyncio.gather(*(asyncio.sleep(5) for _ in range(10)))
        fired.append("task")

    async def main() -> tuple[int, int]:
        before = bench.sim.counts()["tasks"]
        bench.nas.run(program())
        await asyncio.sleep(1)
        bench.sim.kill(bench.nas)
        await asyncio.sleep(60)
        return before, bench.sim.counts()["tasks"]

    before, after = bench.sim.run(main(), host=bench.pulse)
    assert (fired, after) == ([], before)
    assert bench.sim.unhandled == []


def test_a_program_cannot_kill_its_own_host(bench: Bench) -> None:
    async def main() -> None:
        bench.sim.kill(bench.pulse)

    with pytest.raises(RuntimeError, match="pulse cannot end itself"):
        bench.sim.run(main(), host=bench.pulse)


def test_a_machine_that_is_off_cannot_be_switched_off(bench: Bench) -> None:
    async def main() -> None:
        bench.sim.power_off(bench.nas)
        bench.sim.power_off(bench.nas)

    with pytest.raises(ValueError, match="nas-1 is off already"):
        bench.sim.run(main(), host=bench.pulse)


@pytest.mark.parametrize("power", [False, True])
def test_killing_keeps_what_was_not_synced_and_losing_power_does_not(bench: Bench, power: bool) -> None:
    disk = bench.sim.disk("nas-1")

    async def main() -> None:
        disk.write("/synced", b"1", 0o600)
        disk.sync("/synced")
        disk.sync("/")
        disk.write("/not-synced", b"2", 0o600)
        bench.sim.power_off(bench.nas) if power else bench.sim.kill(bench.nas)

    bench.sim.run(main(), host=bench.pulse)
    assert sorted(disk.files()) == (["/synced"] if power else ["/not-synced", "/synced"])


@pytest.mark.parametrize("tls", [False, True])
def test_deaths_are_the_same_in_every_run_of_a_seed(tls: bool) -> None:
    def digest() -> str:
        bench = Bench()

        async def main() -> None:
            for _ in range(3):
                await bench.serve(hello)
                async with aiohttp.ClientSession() as session:
                    await (await session.get("http://nas-1/")).text()
                    bench.sim.power_off(bench.nas, torn=True) if tls else bench.sim.kill(bench.nas)
                    if tls:
                        bench.sim.power_on(bench.nas)

        bench.sim.run(main(), host=bench.pulse)
        return bench.sim.trace.digest()

    assert digest() == digest()


def _safe_rewrite(disk: Disk, content: bytes, steps: int) -> None:
    """The first ``steps`` steps of replacing a file the way that loses nothing."""
    acts: list[Callable[[], None]] = [
        lambda: disk.write("/data/store.new", content, 0o600),
        lambda: disk.sync("/data/store.new"),
        lambda: disk.replace("/data/store.new", "/data/store"),
        lambda: disk.sync("/data"),
    ]
    for act in acts[:steps]:
        act()


def _store(content: bytes) -> Disk:
    disk = Disk("pulse")
    disk.make_directory("/data", 0o700)
    disk.sync("/data")
    _safe_rewrite(disk, content, 4)
    return disk


CONTENTS = st.binary(min_size=1, max_size=3000)


@given(old=CONTENTS, new=CONTENTS, steps=st.integers(0, 4), seed=st.integers(0, 1000))
def test_a_safe_rewrite_leaves_the_old_or_the_new_whole_wherever_the_power_goes(
    old: bytes, new: bytes, steps: int, seed: int
) -> None:
    disk = _store(old)
    _safe_rewrite(disk, new, steps)
    disk.lose_power(random.Random(seed))
    assert disk.read("/data/store") in ((new,) if steps == 4 else (old, new) if steps == 3 else (old,))


def test_a_careless_rewrite_is_sometimes_torn_and_then_by_whole_sectors() -> None:
    old, new = b"o" * 2000, b"n" * 2000
    found = set()
    for seed in range(200):
        disk = _store(old)
        disk.write("/data/store", new, 0o600)
        disk.lose_power(random.Random(seed))
        content = disk.read("/data/store")
        assert len(content) == 2000
        found.add(content)
        for at in range(0, 2000, 512):
            assert len(set(content[at : at + 512])) == 1
    assert {old, new} <= found
    assert len(found) > 2


def test_names_are_lost_from_some_change_on_never_one_in_the_middle() -> None:
    found = set()
    for seed in range(100):
        disk = _store(b"x")
        for name in "abc":
            disk.write(f"/data/{name}", name.encode(), 0o600)
            disk.sync(f"/data/{name}")
        disk.lose_power(random.Random(seed))
        found.add("".join(disk.names("/data")))
    assert found == {"store", "astore", "abstore", "abcstore"}


def test_a_disk_is_torn_by_the_seed(bench: Bench) -> None:
    def left(seed: int) -> dict[str, bytes]:
        sim = Simulation(seed=seed, start_ns=0)
        nas, pulse = sim.host("nas-1"), sim.host("pulse")
        disk = sim.disk("nas-1")

        async def main() -> None:
            for name in "abcdefgh":
                disk.write(f"/{name}", name.encode() * 2000, 0o600)
            sim.power_off(nas, torn=True)

        sim.run(main(), host=pulse)
        return disk.files()

    assert left(1) == left(1)
    assert len({str(left(seed)) for seed in range(5)}) > 1
