"""The routes that show how the stack itself is: metrics, health, scheduler health (contract A7, A9)."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from aiohttp import web

from pulse_sim.stack.api.answers import answer
from pulse_sim.stack.api.described import HEALTH, SCHEDULER
from pulse_sim.stack.api.operations import Operation, Role
from pulse_sim.stack.instants import rfc3339
from pulse_sim.stack.metrics import CONTENT_TYPE, INSTANCE_TYPE, Metrics
from pulse_sim.stack.seams import Clock
from pulse_sim.stack.watch import Polled


class HealthRoutes:
    """`polled` gives the connections polled now; `is_healthy` whether the stack does what it was started for."""

    def __init__(
        self,
        metrics: Metrics,
        clock: Clock,
        *,
        polled: Callable[[], Iterable[Polled]],
        time: Callable[[], float],
        is_healthy: Callable[[], bool],
        enabled: bool,
    ) -> None:
        self._metrics = metrics
        self._clock = clock
        self._polled = polled
        self._time = time
        self._is_healthy = is_healthy
        self._enabled = enabled
        self._started = time()

    def operations(self) -> Sequence[Operation]:
        """The rows of this group."""
        text, nobody = "text/plain", Role.NOBODY
        return [
            Operation(
                "GET",
                "/metrics",
                "getMetrics",
                "Metrics as Prometheus reads them.",
                self.metrics,
                nobody,
                shape={"type": "string"},
                media=text,
            ),
            Operation(
                "GET",
                "/api/health",
                "getHealth",
                "Whether the stack does what it was started for.",
                self.health,
                nobody,
                shape=HEALTH,
                answers={503: "One of its tasks died."},
            ),
            Operation(
                "GET",
                "/api/monitoring/scheduler/health",
                "getSchedulerHealth",
                "Queue, breakers and staleness.",
                self.scheduler,
                shape=SCHEDULER,
            ),
        ]

    async def metrics(self, _request: web.Request) -> web.Response:
        """The Prometheus text format."""
        return web.Response(body=self._metrics.render(), headers={"Content-Type": CONTENT_TYPE})

    async def health(self, _request: web.Request) -> web.Response:
        """200 while the stack works, 503 after one of its tasks died."""
        healthy = self._is_healthy()
        body = {
            "status": "healthy" if healthy else "unhealthy",
            "timestamp": rfc3339(self._clock.now_ns()),
            "uptime": round(self._time() - self._started, 3),
        }
        return answer(body, 200 if healthy else 503)

    async def scheduler(self, _request: web.Request) -> web.Response:
        """Queue, breakers and staleness of the polled connections."""
        polled = list(self._polled())
        body = {
            "updatedAt": rfc3339(self._clock.now_ns()),
            "enabled": self._enabled,
            "queue": {"depth": len(polled), "perType": {INSTANCE_TYPE: len(polled)} if polled else {}},
            "breakers": [self._breaker(each) for each in polled],
            "staleness": [self._staleness(each) for each in polled],
            "instances": [self._instance(each) for each in polled],
        }
        return answer(body)

    def _breaker(self, polled: Polled) -> dict[str, Any]:
        breaker, attempt = polled.breaker, polled.breaker.next_attempt()
        return {
            **_named(polled),
            "state": breaker.state.name.lower().replace("_", "-"),
            "failures": breaker.failures,
            "retrySeconds": breaker.retry_s,
            "nextAttemptSeconds": None if attempt is None else round(max(attempt - self._time(), 0.0), 3),
        }

    def _staleness(self, polled: Polled) -> dict[str, Any]:
        return {**_named(polled), "seconds": round(self._metrics.staleness(polled.connection.id), 3)}

    def _instance(self, polled: Polled) -> dict[str, Any]:
        return {**_named(polled), "name": polled.connection.name, "poll": polled.status.to_data()}


def _named(polled: Polled) -> dict[str, Any]:
    connection_id = polled.connection.id
    return {"key": f"{INSTANCE_TYPE}::{connection_id}", "type": INSTANCE_TYPE, "instance": connection_id}
