"""Controls of what asyncio keeps in sets (determinism D.1): each holds, and is shown red with it off."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import pytest

from pulse_sim.kernel import simulation
from pulse_sim.kernel.loop import SimulationLoop
from pulse_sim.kernel.tasks import SimulationFuture, SimulationTask
from tests.determinism.control import (
    Disturb,
    probe,
    run,
    same_in_every_heap,
    shown,
    without_change,
    without_substitution,
)
from tests.kernel.testbed import Bench


def identity_hash(class_: type) -> Callable[[pytest.MonkeyPatch], None]:
    return lambda patch: patch.setattr(class_, "__hash__", object.__hash__)


# ---- sets of tasks and futures


def _group_cancels(disturb: Disturb) -> list[int]:
    order: list[int] = []

    async def wait(number: int) -> None:
        try:
            await asyncio.sleep(3_600)
        finally:
            order.append(number)

    async def main(_bench: Bench) -> None:
        with contextlib.suppress(BaseExceptionGroup):
            async with asyncio.TaskGroup() as group:
                for number in range(30):
                    disturb()
                    group.create_task(wait(number))
                await asyncio.sleep(1)
                raise LookupError("the group is cancelled")

    run(main)
    return order


def test_a_task_group_cancels_in_one_order_whatever_the_heap() -> None:
    shown(lambda: same_in_every_heap(_group_cancels), identity_hash(SimulationTask))


def _waits(make: Callable[[int], Any]) -> Callable[[Disturb], list[int]]:
    def observe(disturb: Disturb) -> list[int]:
        async def main(_bench: Bench) -> list[int]:
            waiting = []
            for number in range(30):
                disturb()
                waiting.append(make(number))
            done, _ = await asyncio.wait(waiting)
            return [waiting.index(one) for one in done]

        return list(run(main))

    return observe


def test_asyncio_wait_reports_tasks_in_one_order_whatever_the_heap() -> None:
    observe = _waits(lambda number: asyncio.create_task(asyncio.sleep(1, number)))
    shown(lambda: same_in_every_heap(observe), identity_hash(SimulationTask))


def test_asyncio_wait_reports_futures_in_one_order_whatever_the_heap() -> None:
    def make(number: int) -> Any:
        future = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(1, future.set_result, number)
        return future

    shown(lambda: same_in_every_heap(_waits(make)), identity_hash(SimulationFuture))


def test_asyncio_wait_reports_gatherings_in_one_order_whatever_the_heap() -> None:
    """`gather` makes a future of a class of its own, which no loop is asked for."""
    observe = _waits(lambda number: asyncio.gather(asyncio.create_task(asyncio.sleep(1, number))))
    shown(lambda: same_in_every_heap(observe), without_substitution("__hash__", "_GatheringFuture"))


def test_coroutines_given_to_as_completed_become_tasks_in_the_order_given() -> None:
    module = probe("import asyncio")

    def claim() -> bool:
        order: list[int] = []

        async def note(number: int) -> None:
            order.append(number)

        async def main(_bench: Bench) -> None:
            for one in module.asyncio.as_completed([note(number) for number in range(60)]):
                await one

        run(main, rebind=("probed_package",))
        return order == list(range(60))

    shown(claim, without_change(asyncio, "as_completed"))


@pytest.mark.parametrize("name", ["Task", "Future"])
def test_what_is_made_past_the_loop_is_numbered_too(name: str) -> None:
    """From 3.12 on aiohttp asks for `asyncio.Task` itself."""
    module = probe("import asyncio")

    async def main(_bench: Bench) -> bool:
        made = module.asyncio.Future() if name == "Future" else module.asyncio.Task(asyncio.sleep(0))
        (made.cancel if name == "Future" else asyncio.ensure_future)(*(() if name == "Future" else (made,)))
        await asyncio.sleep(1)
        return hash(made) == getattr(made, "number", None)

    shown(lambda: bool(run(main, rebind=("probed_package",))), without_change(asyncio, name))


def test_what_is_left_at_the_end_is_cancelled_youngest_first() -> None:
    def claim() -> bool:
        ended: list[int] = []

        async def linger(number: int) -> None:
            try:
                await asyncio.sleep(1e6)
            finally:
                ended.append(number)

        async def main(bench: Bench) -> None:
            for number in range(9):
                bench.pulse.run(linger(number))
            await asyncio.sleep(1)

        run(main)
        return ended == list(range(8, -1, -1))

    def unsorted(values: Any, **_options: Any) -> list[Any]:
        return list(values)

    shown(claim, lambda patch: patch.setattr(simulation, "sorted", unsorted, raising=False))


def test_an_unnamed_task_is_named_by_the_run() -> None:
    async def main(_bench: Bench) -> str:
        task = asyncio.create_task(asyncio.sleep(0))
        await task
        return task.get_name()

    def off(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(SimulationLoop, "create_task", lambda self, coro, **given: asyncio.Task(coro, loop=self, **given))

    shown(lambda: run(main) == run(main), off)
