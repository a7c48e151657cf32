"""Deliberately broken stacks, one per failure class: each is the reference stack with one function overridden.

``pulse-sim run … --sut tests.broken:<name>`` plugs one in. ``expected.yaml`` beside this file lists the checks each of
them must fail; it passes every other.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from pulse_sim.stack.assembly import Parts
from pulse_sim.stack.breaker import Breaker
from pulse_sim.stack.errors import MonitorError
from pulse_sim.stack.registry import Registry
from pulse_sim.stack.runtime import Runtime
from pulse_sim.stack.watch import Outcomes, Polled, Watch
from pulse_sim.sut.protocol import Place
from pulse_sim.sut.reference import ReferenceSystem

A_WEEK_S = 7 * 86_400.0


class NoDeadlines(Runtime):
    """Waits for as long as the appliance likes."""

    @asynccontextmanager
    async def within(self, limit_s: float | None) -> AsyncIterator[None]:
        del limit_s
        yield


class ErrorsSwallowed(Outcomes):
    """A failed poll leaves no trace: no metric, no status, no breaker, no log."""

    def failed(self, polled: Polled, error: MonitorError, now: float, duration_s: float) -> None:
        del polled, error, now, duration_s


class NeverStale(Registry):
    """Shows what it last heard as if it had just heard it."""

    def is_stale(self, silent_s: float, limit_s: float) -> bool:
        del silent_s, limit_s
        return False


class NoReconnect(Breaker):
    """Once the breaker has opened, the connection is given up."""

    def next_attempt(self) -> float | None:
        attempt = super().next_attempt()
        return None if attempt is None else attempt + A_WEEK_S


class OneTaskForAll(Watch):
    """Polls take turns, as in a stack whose connections share one task."""

    _turn = asyncio.Lock()

    async def turn(self) -> None:
        async with self._turn:
            await super().turn()


def _with(parts: Parts) -> Callable[[Place], ReferenceSystem]:
    return lambda place: ReferenceSystem(place, parts)


no_deadlines = _with(Parts(runtime=NoDeadlines))
errors_swallowed = _with(Parts(outcomes=ErrorsSwallowed))
never_stale = _with(Parts(registry=NeverStale))
no_reconnect = _with(Parts(breaker=NoReconnect))
one_task_for_all = _with(Parts(watch=OneTaskForAll))
