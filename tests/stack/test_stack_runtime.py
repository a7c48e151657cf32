"""Tasks and timers of the stack are counted, named, and never die in silence (contract A7)."""

import asyncio

import pytest

from pulse_sim.kernel import Simulation
from pulse_sim.stack.runtime import Runtime
from tests.stack.stackbed import REBOUND, START_NS, Bed


def test_tasks_timers_and_connections_are_counted_while_they_live() -> None:
    async def story() -> None:
        runtime = Runtime()
        forget = runtime.add_connections(lambda: 2)

        async def work() -> None:
            async with runtime.within(30):
                await runtime.sleep_until(runtime.time() + 10)

        task = runtime.spawn("work", work())
        assert task.get_name() == "work"
        await asyncio.sleep(1)
        assert (runtime.tasks, runtime.timers, runtime.open_connections) == (1, 2, 2)
        await asyncio.sleep(10)
        forget()
        assert (runtime.tasks, runtime.timers, runtime.open_connections) == (0, 0, 0)

    Simulation(1, START_NS, rebind=REBOUND).run(story())


def test_timers_are_given_back_when_a_deadline_passes_or_a_task_is_cancelled() -> None:
    async def story() -> None:
        runtime = Runtime()

        async def late() -> None:
            with pytest.raises(TimeoutError):
                async with runtime.within(1):
                    await runtime.sleep_until(runtime.time() + 10)
            await runtime.sleep_until(runtime.time() + 1000)

        task = runtime.spawn("late", late())
        await asyncio.sleep(2)
        assert runtime.timers == 1
        assert await runtime.cancel([task], 5) == 0
        assert (runtime.tasks, runtime.timers) == (0, 0)

    Simulation(1, START_NS, rebind=REBOUND).run(story())


def test_a_task_that_dies_is_logged_and_makes_the_stack_unhealthy() -> None:
    async def dies() -> None:
        raise ZeroDivisionError("PSIMSECRET")

    async def story(bed: Bed) -> tuple[int, str]:
        stack = await bed.start()
        stack._runtime.spawn("weak", dies())
        await bed.wait(1)
        status, answer = await bed.api("GET", "/api/health")
        return status, answer["status"]

    bed = Bed()
    assert bed.run(story) == (503, "unhealthy")
    assert ("ERROR", "pulse", "task %(task)s died: %(exception)s") in [line[:3] for line in bed.logs.lines]
    assert "task weak died: ZeroDivisionError" in bed.logs.texts()
