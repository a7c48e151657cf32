"""Broken in how polls are made: deadlines, turns, breaker, due times, retries, following the configuration."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import ClassVar
from weakref import WeakKeyDictionary

from pulse_sim.stack.breaker import BASE_RETRY_S, FAILURES_TO_OPEN, Breaker, BreakerState
from pulse_sim.stack.connection import Connection
from pulse_sim.stack.errors import Classifier, ErrorType, MonitorError
from pulse_sim.stack.fetcher import Retries
from pulse_sim.stack.poller import Poller, Running, Target
from pulse_sim.stack.runtime import Runtime
from pulse_sim.stack.schedule import Schedule
from pulse_sim.stack.watch import Outcomes, Polled, Watch

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


class NoReconnect(Breaker):
    """Once the breaker has opened, the connection is given up."""

    def next_attempt(self) -> float | None:
        attempt = super().next_attempt()
        return None if attempt is None else attempt + A_WEEK_S


class OneTaskForAll(Watch):
    """Polls take turns, as in a stack whose connections share one task."""

    _turns: ClassVar[WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock]] = WeakKeyDictionary()

    async def turn(self) -> None:
        async with self._turns.setdefault(asyncio.get_running_loop(), asyncio.Lock()):
            await super().turn()


class BreakerNeverOpens(Breaker):
    """Counts failures and goes on polling a dead appliance at its full pace."""

    def fail(self, now: float) -> None:
        del now
        self.failures += 1


class BreakerNeverCloses(Breaker):
    """Stays open after a success: what has failed once is asked only now and then, for good."""

    def succeed(self) -> None:
        if self.state is BreakerState.CLOSED:
            super().succeed()
        else:
            self.state = BreakerState.OPEN
            self._attempt_at += BASE_RETRY_S * 12


class BreakerWithoutCap(Breaker):
    """Doubles its retry interval for ever."""

    def fail(self, now: float) -> None:
        super().fail(now)
        if self.state is BreakerState.OPEN:
            self.retry_s = BASE_RETRY_S * float(1 << min(self.failures - FAILURES_TO_OPEN, 40))
            self._attempt_at = now + self.retry_s


class LoginStorm(Retries):
    """Tries refused credentials again and again within one poll."""

    def delay(self, error: MonitorError, tries: int) -> float | None:
        return 1.0 if error.type is ErrorType.AUTH and tries < 8 else super().delay(error, tries)


class NoSecondTry(Retries):
    """Fails a whole poll because of one request that was lost."""

    def delay(self, error: MonitorError, tries: int) -> float | None:
        del error, tries
        return None


class DueTimesDrift(Schedule):
    """Counts the interval from the end of a poll, so that every due time moves by the length of the polls before."""

    def advance(self, now: float) -> float:
        self.due = now + self.interval_s
        return self.due


class ErrorsUntyped(Classifier):
    """Calls every failure an internal one, so that nobody knows whom to ask."""

    def error(self, failure: BaseException, op: str, instance: str, timestamp_ns: int) -> MonitorError:
        told = super().error(failure, op, instance, timestamp_ns)
        told.type = ErrorType.INTERNAL
        return told


class BadAnswerKills(Outcomes):
    """Lets a failure it does not expect end the task that polls, silently."""

    def failed(self, polled: Polled, error: MonitorError, now: float, duration_s: float) -> None:
        if error.type is ErrorType.API:
            raise error
        super().failed(polled, error, now, duration_s)


class LogsEveryFailure(Outcomes):
    """Writes a line for every failed poll, until the log is full of them."""

    def failed(self, polled: Polled, error: MonitorError, now: float, duration_s: float) -> None:
        polled.status.last_error = None
        super().failed(polled, error, now, duration_s)


class ChangeUnnoticed(Poller):
    """Goes on polling the address a connection had at the start."""

    async def _begin(self, target: Target, connection: Connection, before: Running | None) -> None:
        if before is None:
            await super()._begin(target, connection, None)


class RemovedStillPolled(Poller):
    """Forgets the task of a removed connection instead of ending it."""

    async def _end(self, target: Target) -> None:
        running: Running = self._running.pop(target)
        self._metrics.unregister(running.watch.polled.connection.id)
        self._registry.retire(running.watch.polled.key, self._runtime.time())


class StopLeavesPolls(Poller):
    """Says it has stopped, and polls on until its process ends."""

    async def stop(self) -> None:
        return
