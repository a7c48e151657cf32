"""The event loop: order of timers, hashes, inline executors, and the ways it refuses to go on."""

import asyncio
import math
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_sim.kernel import Priority, SimulationDeadlock
from tests.kernel.testbed import Bench

S = 1_000_000_000


def test_timers_with_one_deadline_fire_in_the_order_they_were_set(bench: Bench) -> None:
    fired: list[int] = []

    async def main() -> None:
        when = bench.sim.loop.time() + 1
        for number in range(200):
            bench.sim.loop.call_at(when, fired.append, number)
        await asyncio.sleep(2)

    bench.sim.run(main())
    assert fired == list(range(200))


def test_cancelling_many_timers_leaves_the_order_of_the_rest(bench: Bench) -> None:
    fired: list[int] = []

    async def main() -> None:
        handles = [bench.sim.loop.call_later(1, fired.append, number) for number in range(1_000)]
        for number, handle in enumerate(handles):
            if number % 5:
                handle.cancel()
        await asyncio.sleep(2)

    bench.sim.run(main())
    assert fired == list(range(0, 1_000, 5))


def test_at_one_instant_heal_inject_operator_sample_and_network_go_in_that_order(bench: Bench) -> None:
    order: list[str] = []

    async def main() -> None:
        bench.sim.loop.call_later(1, order.append, "network")
        for priority in sorted(Priority, reverse=True):
            bench.sim.at(S, priority, lambda name=priority.name: order.append(name))  # type: ignore[misc]
        await asyncio.sleep(2)

    bench.sim.run(main())
    assert order == ["HEAL", "INJECT", "OPERATOR", "SAMPLE", "network", "DEFAULT"]


def test_what_an_operator_sets_in_motion_goes_before_a_sample_of_the_same_instant(bench: Bench) -> None:
    order: list[str] = []

    async def act() -> None:
        for _ in range(5):
            await asyncio.sleep(0)
        order.append("acted")

    async def main() -> None:
        bench.sim.at(S, Priority.SAMPLE, lambda: order.append("sampled"))
        bench.sim.at(S, Priority.OPERATOR, lambda: bench.pulse.run(act()))
        await asyncio.sleep(2)

    bench.sim.run(main())
    assert order == ["acted", "sampled"]


def test_an_instant_that_is_past_is_refused(bench: Bench) -> None:
    async def main() -> None:
        await asyncio.sleep(1)
        with pytest.raises(ValueError, match="past"):
            bench.sim.at(5, Priority.HEAL, lambda: None)

    bench.sim.run(main())


@given(st.floats(0, 1e5), st.floats(0, 1e4))
def test_a_timer_finds_its_deadline_reached_however_floats_round(begin: float, delay: float) -> None:
    """aiohttp re-arms a timer that fires before its own deadline; short by one unit in the last place it would spin."""
    bench = Bench()

    async def main() -> bool:
        await asyncio.sleep(begin)
        loop = asyncio.get_running_loop()
        done: asyncio.Future[bool] = loop.create_future()
        when = loop.time() + delay
        loop.call_at(when, lambda: done.set_result(loop.time() >= when))
        return await done

    assert bench.sim.run(main())


def test_the_clock_starts_off_whole_seconds_and_from_the_seed() -> None:
    times = [Bench(seed).sim.loop.time() for seed in (1, 1, 2)]
    assert times[0] == times[1] != times[2]
    assert all(1e6 < time < 1e6 + 1 and time != math.floor(time) for time in times)


def test_sets_of_tasks_yield_them_in_order_of_creation(bench: Bench) -> None:
    """TaskGroup cancels, and asyncio.wait reports, in the order of a set."""
    cancelled: list[int] = []

    async def wait(number: int) -> None:
        try:
            await asyncio.sleep(3_600)
        except asyncio.CancelledError:
            cancelled.append(number)
            raise

    async def fail() -> None:
        await asyncio.sleep(1)
        raise ValueError("the group is cancelled")

    async def main() -> list[int]:
        junk = []
        with pytest.raises(ExceptionGroup):
            async with asyncio.TaskGroup() as group:
                for number in range(30):
                    junk.append(bytearray(number * 977))
                    group.create_task(wait(number))
                group.create_task(fail())
        futures = {asyncio.get_running_loop().create_future() for _ in range(8)}
        return [future.number for future in futures]  # type: ignore[attr-defined]

    numbers = bench.sim.run(main())
    assert cancelled == list(range(30))
    assert sorted(numbers) == sorted(set(numbers))


def test_unnamed_tasks_are_named_by_the_run_not_by_the_process() -> None:
    async def nothing() -> None:
        await asyncio.sleep(0)

    async def main() -> str:
        task = asyncio.create_task(nothing())
        await task
        return task.get_name()

    assert Bench().sim.run(main()) == Bench().sim.run(main())


def test_tasks_of_the_eager_factory_are_named_and_hashed_by_the_run_too() -> None:
    started: list[int] = []

    async def child(number: int) -> None:
        started.append(number)
        await asyncio.sleep(1)

    async def main() -> tuple[list[str], list[bool], list[int]]:
        # Before 3.12 there is no such factory, and None asks for the usual one.
        asyncio.get_running_loop().set_task_factory(getattr(asyncio, "eager_task_factory", None))
        tasks = [asyncio.create_task(child(number)) for number in range(3)]
        begun = list(started)
        named = asyncio.create_task(child(3), name="named")
        await asyncio.gather(*tasks, named)
        names = [task.get_name() for task in (*tasks, named)]
        return names, [hash(task) == task.number for task in (*tasks, named)], begun  # type: ignore[attr-defined]

    names, numbered, begun = Bench().sim.run(main())
    assert (names, numbered) == (Bench().sim.run(main())[0], [True] * 4)
    assert (names[-1], len(set(names))) == ("named", 4)
    assert begun == ([0, 1, 2] if sys.version_info >= (3, 12) else [])


def test_executor_calls_run_inline_at_a_step_of_their_own(bench: Bench) -> None:
    async def main() -> list[str]:
        order = []
        future = asyncio.get_running_loop().run_in_executor(None, lambda: order.append("ran"))
        order.append("submitted")
        await future
        assert await asyncio.to_thread(lambda: 42) == 42
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(lambda: 1 // 0)
        return order

    assert bench.sim.run(main()) == ["submitted", "ran"]


def test_waiting_for_what_never_comes_is_a_deadlock_naming_the_tasks(bench: Bench) -> None:
    async def main() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(SimulationDeadlock, match="1 tasks wait: main"):
        bench.sim.run(main())


def test_spinning_at_one_instant_is_a_deadlock(bench: Bench) -> None:
    async def main() -> None:
        while True:  # noqa: ASYNC110 - the mistake to be caught
            await asyncio.sleep(0)

    with pytest.raises(SimulationDeadlock, match="stands still"):
        bench.sim.run(main())


def test_polling_with_zero_sleeps_sees_a_timer_of_the_same_instant(bench: Bench) -> None:
    async def main() -> int:
        seen: list[int] = []
        asyncio.get_running_loop().call_later(0, seen.append, 1)
        rounds = 0
        while not seen:
            rounds += 1
            await asyncio.sleep(0)
        return rounds

    assert bench.sim.run(main()) < 5


def test_an_hour_passes_without_waiting_for_it(bench: Bench) -> None:
    async def main() -> int:
        await asyncio.sleep(3_600)
        return bench.sim.now_ns

    assert bench.sim.run(main()) == 3_600 * S


def test_a_callback_that_raises_is_reported_and_the_rest_goes_on(bench: Bench) -> None:
    heard: list[Any] = []
    bench.sim.on_unhandled(lambda *facts: heard.append(facts))

    async def crash() -> None:
        asyncio.get_running_loop().call_soon(lambda: 1 // 0)
        await asyncio.sleep(1)

    async def main() -> None:
        await bench.pulse.run(crash())

    bench.sim.run(main())
    assert heard == [("pulse", "handle", "ZeroDivisionError", "Exception in callback")]


def test_a_task_whose_exception_nobody_retrieves_is_reported_with_its_host(bench: Bench) -> None:
    async def crash() -> None:
        raise LookupError("with a secret inside")

    async def start() -> None:
        bench.pulse.run(crash(), name="doomed")
        await asyncio.sleep(1)

    async def main() -> None:
        await bench.nas.run(start())

    bench.sim.run(main())
    assert [(entry.host, entry.kind, entry.exception, entry.template) for entry in bench.sim.unhandled] == [
        ("pulse", "task", "LookupError", "Task exception was never retrieved")
    ]
