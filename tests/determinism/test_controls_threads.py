"""Controls of threads and garbage (determinism D.1): each holds, and is shown red with it off."""

import asyncio
import contextlib
import gc
import types
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from pulse_sim.kernel import KernelError, simulation
from pulse_sim.kernel.loop import SimulationLoop
from pulse_sim.kernel.scheduling import VirtualTimeLoop
from tests.determinism.control import S, run, shown
from tests.kernel.testbed import Bench

# ---- threads


def _executor_calls(_bench: Bench) -> Any:
    async def main() -> list[int]:
        loop, order = asyncio.get_running_loop(), list[int]()
        calls = [loop.run_in_executor(None, order.append, number) for number in range(5)]
        await asyncio.gather(*calls, asyncio.to_thread(order.append, 5))
        return order

    return main()


def test_executor_calls_run_inline_in_the_order_they_were_made() -> None:
    def off(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(SimulationLoop, "run_in_executor", asyncio.BaseEventLoop.run_in_executor)

    shown(lambda: run(_executor_calls) == list(range(6)), off)


def test_shutting_the_default_executor_down_starts_no_thread() -> None:
    async def main(bench: Bench) -> bool:
        bench.sim.loop._default_executor = types.SimpleNamespace(shutdown=lambda **_: None)  # type: ignore[attr-defined]
        await bench.sim.loop.shutdown_default_executor()
        bench.sim.loop._default_executor = None  # type: ignore[attr-defined]
        return True

    def off(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(SimulationLoop, "shutdown_default_executor", asyncio.BaseEventLoop.shutdown_default_executor)

    shown(lambda: bool(run(main)), off)


def test_another_thread_cannot_reach_into_the_loop() -> None:
    async def main(bench: Bench) -> bool:
        loop: Any = bench.sim.loop
        here, loop._thread_id = loop._thread_id, -1  # as it looks from another thread
        try:
            with contextlib.suppress(KernelError):
                bench.sim.loop.call_soon_threadsafe(int)
                return False
            return True
        finally:
            loop._thread_id = here

    def claim() -> bool:
        bench = Bench()
        with contextlib.suppress(KernelError):  # the escape is told once more at the end
            bench.sim.run(main(bench))
        return bench.sim.escapes == ["call_soon_threadsafe from another thread"]

    def off(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(
            VirtualTimeLoop, "call_soon_threadsafe", lambda self, callback, *args: self.call_soon(callback, *args)
        )

    shown(claim, off)


# ---- garbage


def _gone_at(bench: Bench, gone: list[int]) -> type:
    class Cycle:
        def __init__(self) -> None:
            self.me = self
            weakref.finalize(self, lambda: gone.append(bench.sim.now_ns // S))

    return Cycle


def _cycles_end() -> list[int]:
    gone: list[int] = []

    async def main(bench: Bench) -> None:
        cycle = _gone_at(bench, gone)
        for _ in range(2_000):
            cycle()
        await asyncio.sleep(900)
        gone.append(-1)

    run(main)
    return gone[:2_001]


def _other_gc(**names: Any) -> Callable[[pytest.MonkeyPatch], None]:
    def off(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(simulation, "gc", types.SimpleNamespace(**{**vars(gc), **names}))

    return off


def test_garbage_is_not_collected_when_allocations_happen_to_ask_for_it() -> None:
    shown(lambda: set(_cycles_end()[:2_000]) == {600}, _other_gc(disable=lambda: None))


def test_garbage_is_collected_at_a_fixed_virtual_time() -> None:
    def off(patch: pytest.MonkeyPatch) -> None:
        patch.setattr("pulse_sim.kernel.scheduling.COLLECT_EVERY_NS", 3_600 * S)

    shown(lambda: _cycles_end()[0] == 600, off)


def test_garbage_from_before_a_run_is_not_collected_in_it() -> None:
    def claim() -> bool:
        gone: list[int] = []
        bench = Bench()
        cycle = _gone_at(bench, gone)
        gc.disable()
        try:
            for _ in range(10):
                cycle()
            bench.sim.run(asyncio.sleep(900))
        finally:
            gc.enable()
        return gone == []

    shown(claim, _other_gc(freeze=lambda: None))
