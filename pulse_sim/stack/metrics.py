"""The metrics of contract A7, in one CollectorRegistry, and their rendering for a scrape.

Every change of a metric goes through here, so that a family nobody touched is not rendered again. Decides nothing.
"""

from collections.abc import Callable
from typing import Any, Final

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from pulse_sim.stack.breaker import Breaker
from pulse_sim.stack.errors import ErrorType
from pulse_sim.stack.readings import Reading

INSTANCE_TYPE: Final = "truenas"
CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
POLL_BUCKETS: Final = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 20.0, 30.0)
HTTP_BUCKETS: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_INSTANCE: Final = ("instance_type", "instance")
_ROUTE: Final = ("method", "route", "status")


class Family:
    """One metric family and the text it had when last rendered."""

    __slots__ = ("changed", "metric", "text")

    def __init__(self, metric: Any) -> None:
        self.metric = metric
        self.changed = True
        self.text = b""

    def labels(self, *values: str) -> Any:
        """The series with these label values, about to be changed."""
        self.changed = True
        return self.metric.labels(*values)

    def remove(self, *values: str) -> None:
        """Forgets a series; one that never existed is fine."""
        self.changed = True
        self.metric.remove(*values)

    def render(self) -> bytes:
        """The family in the Prometheus text format."""
        if self.changed:
            self.text = generate_latest(self.metric)
            self.changed = False
        return self.text


class Metrics:
    """All metrics of one stack. `time` is monotonic seconds; wall times come as unix nanoseconds."""

    def __init__(self, time: Callable[[], float]) -> None:
        # A creation stamp is a second wall clock in the output. The library knows this switch only for the process.
        prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]
        self._time = time
        self.registry = CollectorRegistry()
        self._families: list[Family] = []
        self._last_success: dict[str, float] = {}
        self.readings: dict[str, Reading] = {}
        self._watched: dict[str, Gauge] = {}
        self._gauges: list[tuple[Any, Callable[[], float]]] = []
        name = "pulse_monitor_poll_"
        self._duration = self._add(
            Histogram(name + "duration_seconds", "Duration of a poll.", _INSTANCE, registry=None, buckets=POLL_BUCKETS)
        )
        self._total = self._add(Counter(name + "total", "Polls by result.", (*_INSTANCE, "result"), registry=None))
        self._errors = self._add(
            Counter(name + "errors_total", "Failed polls by error type.", (*_INSTANCE, "error_type"), registry=None)
        )
        self._succeeded_at = self._gauge(name + "last_success_timestamp", "Unix time of the last successful poll.")
        self._staleness = self._gauge(name + "staleness_seconds", "Seconds since the last successful poll.")
        self._consecutive = self._gauge(name + "consecutive_failures", "Failed polls since the last success.")
        # Not in A7: without it no rule outside the stack can say "three intervals" (A10).
        self._interval = self._gauge(name + "interval_seconds", "Seconds between two polls, as configured.")
        name = "pulse_scheduler_breaker_"
        self._breaker_state = self._gauge(name + "state", "0 closed, 1 half-open, 2 open.")
        self._breaker_failures = self._gauge(name + "failure_count", "Consecutive failures the breaker counted.")
        self._breaker_retry = self._gauge(name + "retry_seconds", "Current interval between attempts of the breaker.")
        self._http_duration = self._add(
            Histogram(
                "pulse_http_request_duration_seconds",
                "Duration of API requests.",
                _ROUTE,
                registry=None,
                buckets=HTTP_BUCKETS,
            )
        )
        self._http_total = self._add(Counter("pulse_http_requests_total", "API requests.", _ROUTE, registry=None))

    def _add(self, metric: Collector) -> Family:
        family = Family(metric)
        self.registry.register(metric)
        self._families.append(family)
        return family

    def _gauge(self, name: str, words: str) -> Family:
        return self._add(Gauge(name, words, _INSTANCE, registry=None))

    def watch(self, name: str, words: str, read: Callable[[], float], **labels: str) -> None:
        """A gauge without an instance, read at every scrape; once for each set of labels."""
        gauge = self._watched.get(name)
        if gauge is None:
            gauge = self._watched[name] = Gauge(name, words, tuple(labels), registry=None)
            self._add(gauge)
        self._gauges.append((gauge.labels(**labels) if labels else gauge, read))

    def register(self, instance: str) -> None:
        """Every series of a new connection, at 0; its staleness counts from now."""
        key = (INSTANCE_TYPE, instance)
        self._last_success[instance] = self._time()
        self.readings[instance] = Reading(POLL_BUCKETS)
        self._duration.labels(*key)
        for result in ("success", "error"):
            self._total.labels(*key, result)
        for error_type in ErrorType:
            self._errors.labels(*key, error_type.value)
        for family in (self._succeeded_at, self._staleness, self._consecutive, self._interval):
            family.labels(*key).set(0)

    def show_interval(self, instance: str, interval_s: float) -> None:
        """How often a connection is polled. Of one not registered, nothing is kept."""
        if instance in self._last_success:
            self._interval.labels(INSTANCE_TYPE, instance).set(interval_s)

    def unregister(self, instance: str) -> None:
        """All series of a removed connection disappear."""
        key = (INSTANCE_TYPE, instance)
        self._last_success.pop(instance, None)
        self.readings.pop(instance, None)
        for result in ("success", "error"):
            self._total.remove(*key, result)
        for error_type in ErrorType:
            self._errors.remove(*key, error_type.value)
        for family in (
            self._duration,
            self._succeeded_at,
            self._staleness,
            self._consecutive,
            self._interval,
            self._breaker_state,
            self._breaker_failures,
            self._breaker_retry,
        ):
            family.remove(*key)

    def poll_succeeded(self, instance: str, duration_s: float, unix_ns: int) -> None:
        """A poll of that connection ended well. Of one not registered, nothing is kept."""
        if instance not in self._last_success:
            return
        key = (INSTANCE_TYPE, instance)
        self._last_success[instance] = self._time()
        self.readings[instance].succeeded(duration_s)
        self._duration.labels(*key).observe(duration_s)
        self._total.labels(*key, "success").inc()
        self._succeeded_at.labels(*key).set(unix_ns / 1e9)

    def poll_failed(self, instance: str, duration_s: float, error_type: ErrorType) -> None:
        """A poll of that connection failed. Of one not registered, nothing is kept."""
        if instance not in self._last_success:
            return
        key = (INSTANCE_TYPE, instance)
        self.readings[instance].failed(duration_s, error_type)
        self._duration.labels(*key).observe(duration_s)
        self._total.labels(*key, "error").inc()
        self._errors.labels(*key, error_type.value).inc()

    def show_failures(self, instance: str, consecutive: int, breaker: Breaker) -> None:
        """The gauges of a connection's current trouble. Of one not registered, nothing is kept."""
        if instance not in self._last_success:
            return
        key = (INSTANCE_TYPE, instance)
        self.readings[instance].consecutive = consecutive
        values = (consecutive, breaker.state.value, breaker.failures, breaker.retry_s)
        families = (self._consecutive, self._breaker_state, self._breaker_failures, self._breaker_retry)
        for family, value in zip(families, values, strict=True):
            family.labels(*key).set(value)

    def http_request(self, method: str, route: str, status: int, duration_s: float) -> None:
        """One answered API request; `route` is the pattern, never the path."""
        key = (method, route, str(status))
        self._http_duration.labels(*key).observe(duration_s)
        self._http_total.labels(*key).inc()

    def staleness(self, instance: str) -> float:
        """Seconds since the last success of a registered connection, or since its registration before the first."""
        return self._time() - self._last_success[instance]

    def refresh(self) -> None:
        """Brings the values up to date that are only right at the moment they are read."""
        for instance in self._last_success:
            self._staleness.labels(INSTANCE_TYPE, instance).set(self.staleness(instance))
        for gauge, read in self._gauges:
            gauge.set(read())

    def render(self) -> bytes:
        """All families in the Prometheus text format, in a fixed order."""
        self.refresh()
        watched = len(self._families) - len(self._gauges)
        for family in self._families[watched:]:
            family.changed = True
        return b"".join([family.render() for family in self._families])
