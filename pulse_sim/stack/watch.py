"""The polling of one connection: when, one poll at a time, and what becomes of its result (contract A5, A6).

Knows neither the other connections nor where they are configured.
"""

import logging
from dataclasses import dataclass
from typing import Final

from pulse_sim.stack.breaker import Breaker, BreakerState
from pulse_sim.stack.connection import Connection
from pulse_sim.stack.deadlines import Deadlines
from pulse_sim.stack.errors import Classifier, MonitorError, TurnAwaited
from pulse_sim.stack.fetcher import Fetcher
from pulse_sim.stack.metrics import Metrics
from pulse_sim.stack.poll_status import PollStatus
from pulse_sim.stack.provider import Provider
from pulse_sim.stack.registry import Key, Registry
from pulse_sim.stack.runtime import Runtime
from pulse_sim.stack.schedule import Schedule
from pulse_sim.stack.seams import Clock
from pulse_sim.stack.slots import PollSlots
from pulse_sim.stack.snapshot import Snapshot

SOURCE: Final = "truenas"
_log = logging.getLogger("TrueNASPoller")


@dataclass(slots=True)
class Polled:
    """The state of one polled connection; everything about it that outlives a poll."""

    connection: Connection
    fetcher: Fetcher
    provider: Provider
    schedule: Schedule
    breaker: Breaker
    status: PollStatus
    unreadable: tuple[str, ...] = ()

    @property
    def key(self) -> Key:
        """Its key in the registry."""
        return self.connection.org, SOURCE, self.connection.id


class Outcomes:
    """What a poll's result changes: registry, breaker, metrics, poll status, log. One log record per state change."""

    def __init__(self, registry: Registry, metrics: Metrics, clock: Clock) -> None:
        self._registry = registry
        self._metrics = metrics
        self._clock = clock

    def begun(self, polled: Polled) -> None:
        """A poll begins; on an open breaker it is the attempt of the half-open state."""
        polled.status.last_attempt_ns = self._clock.now_ns()
        if polled.breaker.state is BreakerState.OPEN:
            polled.breaker.begin()
            self._metrics.show_failures(polled.connection.id, polled.status.consecutive_failures, polled.breaker)

    def succeeded(self, polled: Polled, snapshot: Snapshot, now: float, duration_s: float) -> None:
        """A poll ended at `now` with a snapshot."""
        instance, status, unix_ns = polled.connection.id, polled.status, self._clock.now_ns()
        believed = polled.provider.is_believable(snapshot, self._registry.pools(polled.key))
        records = polled.provider.records(snapshot)
        self._registry.ingest(polled.key, records, now, unix_ns, believed=believed)
        self._metrics.poll_succeeded(instance, duration_s, unix_ns)
        self._report(polled, snapshot, len(records), believed)
        troubled = polled.breaker.failures > 0 or status.consecutive_failures > 0
        status.last_success_ns, status.consecutive_failures = unix_ns, 0
        polled.breaker.succeed()
        if troubled:
            self._metrics.show_failures(instance, 0, polled.breaker)

    def _report(self, polled: Polled, snapshot: Snapshot, resources: int, believed: bool) -> None:
        """What a successful poll has to say, when it is news."""
        instance, status = polled.connection.id, polled.status
        if not believed:
            _log.warning("TrueNAS poll of %(instance)s found no pools: kept until confirmed", {"instance": instance})
        if snapshot.unreadable and snapshot.unreadable != polled.unreadable:
            fields: dict[str, object] = {"instance": instance, "count": len(snapshot.unreadable)}
            fields["path"] = snapshot.unreadable[0]
            _log.warning("TrueNAS poll of %(instance)s could not read %(count)d fields, first %(path)s", fields)
        polled.unreadable = snapshot.unreadable
        if status.consecutive_failures:
            fields = {"instance": instance, "failures": status.consecutive_failures}
            _log.info("TrueNAS poll of %(instance)s recovered after %(failures)d failures", fields)
        elif status.last_success_ns is None:
            fields = {"instance": instance, "resources": resources}
            _log.info("TrueNAS poll of %(instance)s succeeded: %(resources)d resources", fields)

    def failed(self, polled: Polled, error: MonitorError, now: float, duration_s: float) -> None:
        """A poll ended at `now` with an error."""
        instance, status, breaker = polled.connection.id, polled.status, polled.breaker
        is_news = status.consecutive_failures == 0 or status.last_error is None or status.last_error.type != error.type
        status.consecutive_failures += 1
        status.last_error = error
        was_closed = breaker.state is BreakerState.CLOSED
        breaker.fail(now)
        self._registry.failed(polled.key, error.type.value)
        self._metrics.poll_failed(instance, duration_s, error.type)
        self._metrics.show_failures(instance, status.consecutive_failures, breaker)
        if is_news:
            fields: dict[str, object] = {
                "instance": instance,
                "error_type": error.type.value,
                "op": error.op,
                "cause": error.cause,
            }
            _log.warning("TrueNAS poll of %(instance)s failed: %(error_type)s (%(op)s: %(cause)s)", fields)
        if was_closed and breaker.state is BreakerState.OPEN:
            fields = {"instance": instance, "failures": breaker.failures}
            _log.warning("TrueNAS poll of %(instance)s suspended: breaker open after %(failures)d failures", fields)


class Watch:
    """Polls one connection for as long as it runs."""

    def __init__(
        self,
        polled: Polled,
        outcomes: Outcomes,
        runtime: Runtime,
        clock: Clock,
        *,
        deadlines: Deadlines,
        classifier: Classifier,
        slots: PollSlots,
    ) -> None:
        self.polled = polled
        self._slots = slots
        self._postponed = False
        self._outcomes = outcomes
        self._runtime = runtime
        self._clock = clock
        self._deadlines = deadlines
        self._classifier = classifier

    async def run(self) -> None:
        """Waits and polls until cancelled."""
        while True:
            await self._runtime.sleep_until(self.next_turn())
            await self.polled.fetcher.ready()
            async with self._slots.lane(self.polled.status.consecutive_failures):
                await self.turn()

    def next_turn(self) -> float:
        """When the next poll begins: the open breaker's own attempt, otherwise the next due time."""
        attempt = self.polled.breaker.next_attempt()
        return self.polled.schedule.due if attempt is None else attempt

    async def turn(self) -> None:
        """One poll, from its first call to its result in metrics, status and registry. Raises nothing but Cancelled.

        One that has to log in and may not yet has no result; it is made as soon as it may.
        """
        polled, started = self.polled, self._runtime.time()
        self._outcomes.begun(polled)
        limit_s = self._limit(polled)
        try:
            async with self._runtime.within(limit_s):
                snapshot = await polled.fetcher.fetch()
            now = self._runtime.time()
            self._outcomes.succeeded(polled, snapshot, now, now - started)
        except Exception as failure:
            error = self._classifier.error(failure, "poll", polled.connection.id, self._clock.now_ns())
            if isinstance(error, TurnAwaited) and not self._postponed:
                self._postponed = True  # not due to the appliance; once, so that one that loses sessions is told of
                return
            now = self._runtime.time()
            self._outcomes.failed(polled, error, now, now - started)
        self._postponed = False
        polled.schedule.advance(self._runtime.time())

    def _limit(self, polled: Polled) -> float | None:
        interval_s = polled.connection.poll_interval_s
        if polled.breaker.state is BreakerState.CLOSED:
            return self._deadlines.for_poll(interval_s)
        return self._deadlines.for_attempt(interval_s)
