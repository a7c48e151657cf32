"""The facade: seeds, hosts, books, and a run that leaves nothing behind."""

import asyncio
import contextvars
import gc
import subprocess
import sys
import weakref
from typing import Any

import aiohttp
import pytest

from pulse_sim.kernel import KernelError, Simulation
from tests.kernel.testbed import START_NS, Bench, hello


async def _nothing() -> None:
    return None


def test_a_stream_is_the_named_generator_of_the_seed_and_goes_on_where_it_was() -> None:
    sim = Simulation(seed=7, start_ns=0)
    first = sim.stream("backoff/nas-1").random()
    assert first == Simulation(seed=7, start_ns=0).stream("backoff/nas-1").random()
    assert first != sim.stream("backoff/nas-1").random()
    assert first != Simulation(seed=7, start_ns=0).stream("backoff/nas-2").random()


def test_entropy_is_bytes_of_the_seed_and_the_purpose() -> None:
    def draw(seed: int, purpose: str) -> bytes:
        return Simulation(seed=seed, start_ns=0).entropy(purpose)(16)

    assert len(draw(1, "key")) == 16
    assert draw(1, "key") == draw(1, "key")
    assert len({draw(1, "key"), draw(2, "key"), draw(1, "salt")}) == 3


def test_a_wall_clock_is_start_plus_elapsed_plus_skew_and_steps(bench: Bench) -> None:
    host = bench.sim.host("skewed", skew_ns=5)

    async def main() -> list[int]:
        await asyncio.sleep(1)
        before = host.clock.now_ns()
        host.clock.step(-7)
        return [before, host.clock.now_ns(), bench.pulse.clock.now_ns()]

    second = START_NS + 1_000_000_000
    assert bench.sim.run(main()) == [second + 5, second - 2, second]


def test_tasks_and_callbacks_of_a_host_belong_to_it(bench: Bench) -> None:
    seen: list[str] = []

    def note() -> None:
        host = bench.sim.current_host()
        seen.append(host.name if host else "nowhere")

    async def child() -> None:
        note()

    async def work() -> None:
        asyncio.get_running_loop().call_later(1, note)
        await asyncio.create_task(child())
        await asyncio.sleep(2)

    async def main() -> None:
        note()
        await bench.nas.run(work())
        await bench.pulse.run(child())

    bench.sim.run(main())
    assert seen == ["nowhere", "nas-1", "nas-1", "pulse"]


def test_run_takes_a_host_for_the_main_coroutine(bench: Bench) -> None:
    async def main() -> str:
        host = bench.sim.current_host()
        return host.name if host else "nowhere"

    assert bench.sim.run(main(), host=bench.pulse) == "pulse"


def test_a_host_is_declared_once(bench: Bench) -> None:
    with pytest.raises(ValueError, match="declared already"):
        bench.sim.host("pulse")


def test_counts_see_tasks_and_timers(bench: Bench) -> None:
    async def main() -> tuple[dict[str, int], dict[str, int]]:
        task = asyncio.create_task(asyncio.sleep(100))
        await asyncio.sleep(1)
        during = bench.sim.counts()
        task.cancel()
        await asyncio.sleep(1)
        return during, bench.sim.counts()

    assert bench.sim.run(main()) == (
        {"tasks": 2, "transports": 0, "timers": 1},
        {"tasks": 1, "transports": 0, "timers": 0},
    )


def test_a_run_leaves_gc_context_and_loop_as_they_were(bench: Bench) -> None:
    context = dict(contextvars.copy_context())
    bench.sim.run(_nothing(), host=bench.pulse)
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0
    assert dict(contextvars.copy_context()) == context
    assert bench.sim.loop.is_closed()


def test_garbage_is_collected_at_virtual_times_only(bench: Bench) -> None:
    gone: list[int] = []

    class Cycle:
        def __init__(self) -> None:
            self.me = self
            weakref.finalize(self, lambda: gone.append(bench.sim.now_ns // 1_000_000_000))

    async def main() -> None:
        for _ in range(2_000):
            Cycle()
        await asyncio.sleep(599)
        assert gone == []
        await asyncio.sleep(2)

    bench.sim.run(main())
    assert gone == [600] * 2_000


def test_left_over_tasks_are_cancelled_youngest_first(bench: Bench) -> None:
    ended: list[int] = []

    async def linger(number: int) -> None:
        try:
            await asyncio.sleep(1e6)
        finally:
            ended.append(number)

    async def main() -> None:
        for number in range(5):
            asyncio.create_task(linger(number))  # noqa: RUF006 - left over on purpose
        await asyncio.sleep(1)

    bench.sim.run(main())
    assert ended == [4, 3, 2, 1, 0]


def test_a_task_that_ignores_its_cancellation_does_not_hold_up_the_end(bench: Bench) -> None:
    async def stubborn() -> None:
        while True:
            try:
                await asyncio.sleep(1)
            except asyncio.CancelledError:
                continue

    async def main() -> None:
        task = asyncio.create_task(stubborn(), name="stubborn")
        await asyncio.sleep(1)
        assert not task.done()

    with pytest.raises(KernelError, match="stubborn"):
        bench.sim.run(main())


def test_a_simulation_runs_once(bench: Bench) -> None:
    bench.sim.run(_nothing())
    with pytest.raises(KernelError, match="once"):
        bench.sim.run(_nothing())


@pytest.mark.parametrize("mode", [["-X", "dev"], ["-c-debug"]])
def test_development_and_debug_mode_are_refused(mode: list[str]) -> None:
    program = (
        "from pulse_sim.kernel import Simulation, SimulationRefused\n"
        "async def main(): pass\n"
        "try: Simulation(seed=1, start_ns=0).run(main())\n"
        "except SimulationRefused as error: print('refused', error)\n"
    )
    options: list[str] = mode if mode[0] == "-X" else []
    environment: dict[str, Any] = {} if options else {"PYTHONASYNCIODEBUG": "1"}
    done = subprocess.run(
        [sys.executable, *options, "-c", program], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout.startswith("refused development mode")


def test_an_exception_nobody_retrieved_is_in_the_books_even_when_a_cycle_hides_it(bench: Bench) -> None:
    heard: list[str] = []
    bench.sim.on_unhandled(lambda _host, _kind, exception, _template: heard.append(exception))

    class Owner:
        task: asyncio.Task[None]

    async def crash(_owner: Owner) -> None:
        raise LookupError("unseen")

    async def start() -> None:
        owner = Owner()
        owner.task = bench.pulse.run(crash(owner))
        owner.me = owner  # type: ignore[attr-defined]
        await asyncio.sleep(0)

    async def main(early: bool) -> None:
        await start()
        await asyncio.sleep(1)
        if early:
            assert heard == []
            bench.sim.collect_garbage()

    bench.sim.run(main(early=True))
    assert heard == ["LookupError"]
    bench = Bench()
    bench.sim.run(main(early=False))
    assert [entry.exception for entry in bench.sim.unhandled] == ["LookupError"]


def test_a_long_run_keeps_no_more_objects_than_a_short_one(bench: Bench) -> None:
    async def poll(times: int) -> int:
        async with aiohttp.ClientSession() as session:
            for _ in range(times):
                async with session.get("http://nas-1/") as response:
                    await response.read()
                await asyncio.sleep(60)
        await asyncio.sleep(120)
        bench.sim.collect_garbage()
        return len(gc.get_objects())

    async def main() -> int:
        await bench.serve(hello)
        before = await bench.pulse.run(poll(100))
        return await bench.pulse.run(poll(1_000)) - before

    # One object a poll would be 1,000; cancelled timers that await compaction are a few hundred at most.
    assert bench.sim.run(main()) < 400
