"""Contract A7: names, labels and buckets exactly; which series exist when; staleness at the moment of the scrape."""

from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from pulse_sim.stack.breaker import Breaker
from pulse_sim.stack.errors import ErrorType
from pulse_sim.stack.metrics import Metrics

INSTANCE = ("instance_type", "instance")
CONTRACT: dict[str, tuple[str, tuple[str, ...]]] = {
    "pulse_monitor_poll_duration_seconds": ("histogram", INSTANCE),
    "pulse_monitor_poll_total": ("counter", (*INSTANCE, "result")),
    "pulse_monitor_poll_errors_total": ("counter", (*INSTANCE, "error_type")),
    "pulse_monitor_poll_last_success_timestamp": ("gauge", INSTANCE),
    "pulse_monitor_poll_staleness_seconds": ("gauge", INSTANCE),
    "pulse_scheduler_breaker_state": ("gauge", INSTANCE),
    "pulse_scheduler_breaker_failure_count": ("gauge", INSTANCE),
    "pulse_scheduler_breaker_retry_seconds": ("gauge", INSTANCE),
    "pulse_http_request_duration_seconds": ("histogram", ("method", "route", "status")),
    "pulse_http_requests_total": ("counter", ("method", "route", "status")),
    "pulse_monitor_poll_consecutive_failures": ("gauge", INSTANCE),
    "pulse_monitor_poll_interval_seconds": ("gauge", INSTANCE),
    "pulse_runtime_tasks": ("gauge", ()),
    "pulse_runtime_open_connections": ("gauge", ()),
    "pulse_registry_resources": ("gauge", ("source",)),
    "pulse_runtime_timers": ("gauge", ()),
}


class Time:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def made(*instances: str) -> tuple[Metrics, Time]:
    time = Time()
    metrics = Metrics(time)
    for name in ("pulse_runtime_tasks", "pulse_runtime_open_connections", "pulse_runtime_timers"):
        metrics.watch(name, "x", lambda: 3)
    metrics.watch("pulse_registry_resources", "x", lambda: 4, source="truenas")
    for instance in instances:
        metrics.register(instance)
        metrics.show_failures(instance, 0, Breaker(lambda: 0.0))
    return metrics, time


def samples(metrics: Metrics) -> dict[str, float]:
    lines = metrics.render().decode().splitlines()
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if not line.startswith("#")}


def value(metrics: Metrics, name: str, instance: str = "nas", **labels: str) -> float:
    every = sorted({"instance": instance, "instance_type": "truenas", **labels}.items())
    return samples(metrics)[name + "{" + ",".join(f'{key}="{text}"' for key, text in every) + "}"]


def test_the_families_are_those_of_the_contract_with_their_types_and_labels() -> None:
    metrics, _ = made("nas")
    metrics.http_request("GET", "/api/health", 200, 0.1)
    found: dict[str, tuple[str, Any]] = {}
    for family in text_string_to_metric_families(metrics.render().decode()):
        name = family.name + "_total" if family.type == "counter" else family.name
        for sample in family.samples:
            found[name] = (family.type, frozenset(sample.labels) - {"le"})
    assert found == {name: (kind, frozenset(labels)) for name, (kind, labels) in CONTRACT.items()}


@pytest.mark.parametrize(
    ("name", "bounds"),
    [
        ("pulse_monitor_poll_duration_seconds", "0.1 0.25 0.5 1.0 2.5 5.0 10.0 15.0 20.0 30.0 +Inf"),
        ("pulse_http_request_duration_seconds", "0.05 0.1 0.25 0.5 1.0 2.5 5.0 10.0 +Inf"),
    ],
)
def test_buckets(name: str, bounds: str) -> None:
    metrics, _ = made("nas")
    metrics.http_request("GET", "/x", 200, 0.1)
    found = [
        series.split('le="')[1].split('"')[0] for series in samples(metrics) if series.startswith(f"{name}_bucket")
    ]
    assert " ".join(found) == bounds


def test_every_result_and_error_type_is_zero_from_registration() -> None:
    metrics, _ = made("nas")
    for result in ("success", "error"):
        assert value(metrics, "pulse_monitor_poll_total", result=result) == 0
    for error_type in ErrorType:
        assert value(metrics, "pulse_monitor_poll_errors_total", error_type=error_type) == 0
    assert value(metrics, "pulse_monitor_poll_duration_seconds_count") == 0


def test_no_creation_stamps_and_no_process_metrics() -> None:
    metrics, _ = made("nas")
    metrics.http_request("GET", "/x", 200, 0.1)
    assert not [name for name in samples(metrics) if "_created" in name or not name.startswith("pulse_")]


def test_staleness_is_live_and_counts_from_registration_before_the_first_success() -> None:
    metrics, time = made("nas")
    found = []
    for now, success in ((1007.0, False), (1010.0, True), (1010.0, False), (1900.5, False)):
        time.now = now
        if success:
            metrics.poll_succeeded("nas", 0.2, 10**18)
        found.append(value(metrics, "pulse_monitor_poll_staleness_seconds"))
    assert found == [7.0, 0.0, 0.0, 890.5]


def test_polls_count_by_result_and_type() -> None:
    metrics, _ = made("nas", "other")
    metrics.poll_succeeded("nas", 0.2, 1_700_000_000_500_000_000)
    metrics.poll_failed("nas", 31.0, ErrorType.TIMEOUT)
    assert value(metrics, "pulse_monitor_poll_total", result="success") == 1
    assert value(metrics, "pulse_monitor_poll_total", result="error") == 1
    assert value(metrics, "pulse_monitor_poll_errors_total", error_type="timeout") == 1
    assert value(metrics, "pulse_monitor_poll_last_success_timestamp") == 1_700_000_000.5
    assert value(metrics, "pulse_monitor_poll_duration_seconds_bucket", le="30.0") == 1
    assert value(metrics, "pulse_monitor_poll_duration_seconds_sum") == 31.2
    assert value(metrics, "pulse_monitor_poll_total", "other", result="error") == 0


def test_the_gauges_of_trouble() -> None:
    metrics, _ = made("nas")
    breaker = Breaker(lambda: 0.0)
    found = []
    for _ in range(4):
        breaker.begin()
        breaker.fail(0.0)
        metrics.show_failures("nas", breaker.failures, breaker)
        names = ("state", "failure_count", "retry_seconds")
        found.append([value(metrics, f"pulse_scheduler_breaker_{name}") for name in names])
    assert found == [[0, 1, 5], [0, 2, 5], [2, 3, 5], [2, 4, 10]]
    breaker.begin()
    metrics.show_failures("nas", 4, breaker)
    assert value(metrics, "pulse_scheduler_breaker_state") == 1
    assert value(metrics, "pulse_monitor_poll_consecutive_failures") == 4


def test_all_series_of_a_removed_connection_disappear_and_no_others() -> None:
    metrics, _ = made("nas", "other")
    metrics.poll_failed("nas", 1.0, ErrorType.AUTH)
    others = {name: number for name, number in samples(metrics).items() if '"nas"' not in name}
    metrics.unregister("nas")
    assert samples(metrics) == others


def test_a_late_result_of_a_removed_connection_brings_no_series_back() -> None:
    metrics, _ = made("nas", "other")
    metrics.unregister("nas")
    metrics.unregister("nas")
    metrics.poll_succeeded("nas", 1.0, 1)
    metrics.poll_failed("nas", 1.0, ErrorType.AUTH)
    metrics.show_failures("nas", 1, Breaker(lambda: 0.0))
    assert not [series for series in samples(metrics) if '"nas"' in series]


def test_an_unchanged_family_is_not_rendered_again() -> None:
    metrics, _ = made("nas")
    first = metrics.render()
    rendered = [family for family in metrics._families if family.changed]
    assert (rendered, metrics.render()) == ([], first)
