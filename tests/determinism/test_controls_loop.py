"""Controls of clock and timers (determinism D.1, D.3): each holds, and is shown red with it off."""

import asyncio
import itertools
import math
import time
from typing import Any

import pytest

from pulse_sim.kernel import simulation
from pulse_sim.kernel.clock import VirtualClock
from pulse_sim.kernel.scheduling import VirtualTimeLoop
from tests.determinism.control import S, probe, run, shown
from tests.kernel.testbed import START_NS, Bench

# ---- the clock


def test_the_loop_s_clock_is_virtual() -> None:
    async def main(bench: Bench) -> float:
        before = bench.sim.loop.time()
        await asyncio.sleep(1_000)
        return bench.sim.loop.time() - before

    shown(
        lambda: abs(run(main) - 1_000) < 1e-6,
        lambda patch: patch.setattr(VirtualTimeLoop, "time", lambda _: time.time()),
    )


def test_timers_a_nanosecond_apart_fire_at_their_own_instants() -> None:
    """asyncio lets whatever is due within the resolution of its clock fire together."""

    async def main(bench: Bench) -> list[int]:
        fired: list[int] = []
        for at_ns in (S, S + 1, S + 2):
            bench.sim.loop.call_at_ns(at_ns, lambda: fired.append(bench.sim.now_ns))
        await asyncio.sleep(2)
        return fired

    def off(patch: pytest.MonkeyPatch) -> None:
        real = VirtualTimeLoop._advance

        def coarse(self: Any) -> None:
            real(self)
            self.clock.now_ns += 1_000_000
            self._release()

        patch.setattr(VirtualTimeLoop, "_advance", coarse)

    shown(lambda: run(main) == [S, S + 1, S + 2], off)


def test_virtual_time_is_counted_in_whole_nanoseconds() -> None:
    async def main(bench: Bench) -> int:
        for _ in range(10_000):
            await asyncio.sleep(0.1)
        return bench.sim.now_ns

    def off(patch: pytest.MonkeyPatch) -> None:
        """The way a loop does it that adds floats up."""

        def call_later(self: Any, delay: float, callback: Any, *args: Any, context: Any = None) -> Any:
            at_ns = int((self.time() + delay - self.clock.base_s) * S)
            return self.call_at_ns(at_ns, callback, *args, context=context)

        patch.setattr(VirtualTimeLoop, "call_later", call_later)

    shown(lambda: run(main) == 1_000 * S, off)


def test_the_clock_starts_off_whole_seconds_so_that_rounded_timeouts_do_not_line_up() -> None:
    """Rounded up to a whole second of loop time, a deadline still falls inside a second of the run (D.3)."""

    def ends_inside_a_second() -> bool:
        bench = Bench(3)
        end = bench.sim.loop.clock.instant_of(math.ceil(bench.sim.loop.time() + 10))
        return end % S != 0

    def off(patch: pytest.MonkeyPatch) -> None:
        real = VirtualClock.__init__
        patch.setattr(VirtualClock, "__init__", lambda self, start_ns, _fraction: real(self, start_ns, 0.0))

    shown(ends_inside_a_second, off)


def test_each_host_reads_its_own_wall_clock_with_skew_and_steps() -> None:
    module = probe("import time")

    async def ask() -> float:
        return module.time.time() - START_NS / 1e9  # type: ignore[no-any-return]

    def claim() -> bool:
        bench = Bench(rebind=("probed_package",))
        skewed = bench.sim.host("skewed", skew_ns=90 * S)

        async def main() -> list[float]:
            first = await skewed.run(ask())
            skewed.clock.step(-30 * S)
            return [await bench.pulse.run(ask()), first, await skewed.run(ask())]

        return bench.sim.run(main()) == [0, 90, 60]

    def off(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(simulation.Simulation, "wall_ns", lambda self: self.start_ns + self.clock.now_ns)

    shown(claim, off)


# ---- timers


async def _equal_deadlines(bench: Bench) -> list[int]:
    fired: list[int] = []
    for number in range(200):
        bench.sim.loop.call_at_ns(S, fired.append, number)
    await asyncio.sleep(2)
    return fired


async def _many_cancelled(bench: Bench) -> list[int]:
    fired: list[int] = []
    handles = [bench.sim.loop.call_at_ns(S, fired.append, number) for number in range(1_000)]
    for number, handle in enumerate(handles):
        if number % 5:
            handle.cancel()
    await asyncio.sleep(2)
    return fired


def _no_sequence(patch: pytest.MonkeyPatch) -> None:
    real = VirtualTimeLoop.__init__

    def init(self: Any, *arguments: Any) -> None:
        real(self, *arguments)
        self._sequence = itertools.repeat(0)

    patch.setattr(VirtualTimeLoop, "__init__", init)


def test_timers_of_one_deadline_fire_first_come_first_served() -> None:
    shown(lambda: run(_equal_deadlines) == list(range(200)), _no_sequence)


def test_cancelling_most_timers_keeps_the_order_of_the_rest() -> None:
    shown(lambda: run(_many_cancelled) == list(range(0, 1_000, 5)), _no_sequence)
