"""The facade: seeds, hosts, books, and a run that leaves nothing behind."""

import asyncio
import contextvars
import gc
import json
import subprocess
import sys
import weakref
from pathlib import Path

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


MODES: dict[str, tuple[list[str], dict[str, str]]] = {
    "neither": ([], {}),
    "development mode": (["-X", "dev"], {}),
    "asyncio debug": ([], {"PYTHONASYNCIODEBUG": "1"}),
}
IN_A_MODE = """
import asyncio, json, logging
logging.basicConfig(level=logging.INFO)
from tests.kernel.testbed import Bench, hello
import aiohttp
bench = Bench()
bench.sim.loop.slow_callback_duration = 0.01
async def poll():
    loop = asyncio.get_running_loop()
    loop.call_soon(sum, range(3_000_000))
    loop.call_later(5, print).cancel()
    loop.call_soon_threadsafe(lambda: None)
    await asyncio.to_thread(len, "")
    async with aiohttp.ClientSession() as session, session.get("http://nas-1/") as response:
        return await response.text()
async def main():
    await bench.serve(hello)
    return await bench.pulse.run(poll())
print(json.dumps([bench.sim.run(main()), bench.sim.development_mode, bench.sim.trace.digest()]))
"""


def _in_a_mode(name: str, program: str) -> subprocess.CompletedProcess[str]:
    options, environment = MODES[name]
    return subprocess.run(
        [sys.executable, *options, "-W", "always", "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
        env=environment,
    )


def test_development_and_debug_mode_run_quietly_say_so_and_have_a_digest_of_their_own() -> None:
    answers = {}
    for name in MODES:
        done = _in_a_mode(name, IN_A_MODE)
        assert done.stderr == "", name
        answers[name] = json.loads(done.stdout)
    assert {name: answer[:2] for name, answer in answers.items()} == {
        "neither": ["hello", False],
        "development mode": ["hello", True],
        "asyncio debug": ["hello", True],
    }
    assert answers["neither"][2] != answers["development mode"][2]


def test_development_mode_tells_where_a_coroutine_was_made_that_nobody_awaits() -> None:
    program = (
        "import asyncio\n"
        "from pulse_sim.kernel import Simulation\n"
        "async def forgotten(): pass\n"
        "async def main(): forgotten()\n"
        "Simulation(seed=1, start_ns=0).run(main())\n"
    )
    assert "Coroutine created at" in _in_a_mode("development mode", program).stderr
    assert "Coroutine created at" not in _in_a_mode("neither", program).stderr


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
