"""One whole run that passes every check, and what is left of it when evidence is taken away."""

from collections.abc import Callable
from typing import Any

import pytest

from pulse_sim.checks import CHECK_KINDS, judge_run
from pulse_sim.checks.parameters import ERROR_TYPES
from pulse_sim.observation import Record
from pulse_sim.outcome import Outcome
from pulse_sim.units import MINUTE, SECOND
from tests.checks.log_builder import START_UNIX, LogBuilder, gauge, poll_errors, poll_total

CHECKS: list[dict[str, Any]] = [
    {"check": "poll_errors", "connection": "nas-1", "error_type": "auth", "at_least": 3, "between": ["5m", "10m"]},
    {"check": "poll_success_rate", "connection": "nas-2", "at_least": 1.0},
    {"check": "request_rate", "appliance": "nas-1", "at_most_per_minute": 10},
    {"check": "source_status", "connection": "nas-1", "is": "stale", "by": "9m", "after": "5m"},
    {"check": "resource_status", "resource": "nas-1/pool:tank", "is": "online", "between": ["12m", "28m"]},
    {"check": "recovers", "connection": "nas-1", "within": "2m", "after": "10m"},
    {"check": "staleness_below", "connection": "nas-2", "at_most": "90s"},
    {"check": "never_crashes"},
    {"check": "no_secret_leaks"},
    {"check": "faults_took_effect"},
    {"check": "no_leaks"},
    {"check": "isolation", "undisturbed": ["nas-2"]},
    {"check": "log_lines", "text": "poller started", "at_least": 1},
    {"check": "restarts", "at_most": 0},
    {"check": "api_answer", "path": "/api/truenas/connections", "at": "12m", "rows": 0},
    {"check": "data_file", "file": ".encryption.key", "is": "present"},
    {"check": "abort_criteria", "criteria": ["crash", "corruption", "interference", "failure_rate", "auth_errors"]},
    {"check": "alert_fires", "alert": "auth", "connection": "nas-1", "between": ["5m", "7m"]},
    {"check": "alert_resolves", "alert": "auth", "connection": "nas-1", "after": "14m", "by": "16m"},
    {"check": "alert_silent", "alert": "auth", "connection": "nas-2"},
    {"check": "login_rate", "appliance": "nas-1", "at_most_per_minute": 1},
    {"check": "no_retry_storm", "appliance": "nas-1", "at_most_times": 1.0},
    {"check": "availability", "at_least": 1.0},
    {"check": "trend", "of": "tasks", "at_most_per_hour": 0.0},
    {"check": "poll_metrics", "connection": "nas-1"},
    {"check": "checkpoint", "at": "29m", "since": "12m"},
    {"check": "green_for", "for": "5m", "connections": ["nas-2"]},
    {"check": "shows_truth", "connection": "nas-2", "lag": "2m30s"},
    {"check": "source_undisturbed", "source": "agent"},
    {"check": "seen", "what": {"request": {"appliance": "nas-1", "status": 401}}},
    {"check": "older_view_unused"},
]
OF_ABORTED_RUNS = {"rolled_back"}
METRICS = {
    "poll_errors",
    "poll_success_rate",
    "recovers",
    "staleness_below",
    "never_crashes",
    "no_leaks",
    "isolation",
    "restarts",
    "abort_criteria",
    "availability",
    "trend",
    "poll_metrics",
    "checkpoint",
    "green_for",
    "shows_truth",
    "older_view_unused",
}
JOURNAL = {"request_rate", "login_rate", "no_retry_storm", "seen"}
ALERTS = {"alert_fires", "alert_resolves", "alert_silent", "checkpoint", "green_for"}
TRUTH = {"shows_truth", "source_undisturbed"}
SHOWN = {"availability", "source_status", "resource_status", "recovers", "abort_criteria", "older_view_unused"}
RESOURCES = SHOWN | TRUTH


def page(minute: int) -> dict[str, float | str]:
    """What /metrics showed 17 s after the poll of this minute."""
    refused = min(max(minute - 4, 0), 5)
    last = {"nas-1": minute if minute < 5 or minute >= 10 else 4, "nas-2": minute}
    values: dict[str, float | str] = {"pulse_runtime_tasks": 4, "pulse_runtime_open_connections": 2}
    values['pulse_http_requests_total{method="GET",route="/api/v2/resources",status="200"}'] = minute
    values |= {"pulse_runtime_timers": 4, 'pulse_registry_resources{source="truenas"}': 3}
    for name in ("nas-1", "nas-2"):
        errors = refused if name == "nas-1" else 0
        values |= {poll_errors(error_type, name): 0 for error_type in ERROR_TYPES}
        values[poll_errors("auth", name)] = errors
        values[gauge("pulse_monitor_poll_duration_seconds_count", name)] = minute + 1
        values[poll_total("error", name)] = errors
        values[poll_total("success", name)] = minute + 1 - errors
        values[gauge("pulse_monitor_poll_last_success_timestamp", name)] = START_UNIX + 60 * last[name]
        values[gauge("pulse_monitor_poll_staleness_seconds", name)] = 60 * (minute - last[name]) + 17
        values[gauge("pulse_monitor_poll_consecutive_failures", name)] = errors if 5 <= minute < 10 else 0
        values[gauge("pulse_scheduler_breaker_state", name)] = 0
    return values


OTHER = {"facts": {"hostname": "nas-2", "version": "13", "serial": "S"}, "alerts": []}
AGENT = {"sources": ["agent"], "sourceStatus": {"agent": {"status": "online"}}, "sourceId": "host:web"}


def whole() -> LogBuilder:
    log = LogBuilder({"nas-1": "nas-1", "nas-2": "nas-2"}, resources_every_ns=MINUTE)
    log.phase("0s", "warm-up").phase("30s", "steady").fault("5m", "10m").phase("5m", "inject").phase("10m", "settle")
    for minute in range(30):
        at, bad = minute * MINUTE, 5 <= minute < 10
        log.request(at, "nas-1", **({"status": 401, "faults": ["f1"]} if bad else {})).request(at, "nas-2")
        log.scrape(at + 17 * SECOND, page(minute))
        ours = {"source": "stale"} if 7 <= minute < 10 else {}
        shown: dict[str, Any] = {"nas-1": ours, "nas-1/pool:tank": ours, "nas-2": OTHER, "web": AGENT}
        log.resources(at + 20 * SECOND, shown).health(at + 20 * SECOND)
        log.add(at + 20 * SECOND, "sampler/connections", "pulse", status=200, error=None, changed={}, gone=[])
        log.alerts(at + 20 * SECOND, {"a": ("auth", "nas-1")} if 5 <= minute < 15 else {})
    log.truth("0s", "nas-2", system={"version": "13", "serial": "S"})
    for time in ("30s", "5m", "29m"):
        log.add(time, "world/counts", "run", tasks=9, transports=4, timers=9)
    line = {"level": "INFO", "logger": "TrueNASPoller", "template": "TrueNAS poller started", "fields": {}}
    log.add("0s", "sut/log", "pulse", **line)
    asked = {"do": "ask_system", "with": {"path": "/api/truenas/connections"}, "status": 200, "error": None}
    log.add("12m", "operator/action", "pulse", **asked, body="[]", whole=True)
    return log.add("29m", "world/disk", "pulse", files={".encryption.key": {"bytes": 44}}, leaks=[])


def passed(builder: LogBuilder, reason: str = "completed") -> set[str]:
    results = judge_run(builder.log("30m", reason), CHECKS)
    assert not [result for result in results if result.outcome is Outcome.ERRORED]
    return {result.check for result in results if result.outcome is Outcome.PASSED}


def without(dropped: Callable[[Record], bool]) -> LogBuilder:
    builder = whole()
    builder.records = [record for record in builder.records if not dropped(record)]
    return builder


def test_the_whole_run_passes_every_check() -> None:
    assert passed(whole()) == {check["check"] for check in CHECKS} == set(CHECK_KINDS) - OF_ABORTED_RUNS


@pytest.mark.parametrize(
    ("kind", "lost"),
    [
        ("world/start", set(CHECK_KINDS)),
        ("sut/started", set(CHECK_KINDS) - JOURNAL - {"no_secret_leaks", "faults_took_effect"}),
        ("sampler/metrics", METRICS),
        ("sampler/resources", RESOURCES),
        ("sampler/health", {"never_crashes", "availability"}),
        ("sampler/connections", {"availability"}),
        ("sampler/alerts", ALERTS),
        ("appliance/truth", {"shows_truth"}),
        ("appliance/request", JOURNAL | {"isolation", "poll_metrics"}),
        ("sut/log", {"log_lines"}),
        ("operator/action", {"api_answer"}),
        ("world/disk", {"no_secret_leaks", "data_file"}),
        ("world/counts", {"no_leaks"}),
        ("world/phase", {"no_leaks", "faults_took_effect", "trend", "no_retry_storm"}),
        ("fault/heal", {"faults_took_effect"}),
        ("fault/inject", {"isolation", "source_undisturbed", "faults_took_effect", "no_retry_storm"}),
    ],
)
def test_a_kind_of_evidence_that_is_missing_takes_its_checks_with_it(kind: str, lost: set[str]) -> None:
    left = passed(without(lambda record: f"{record.source}/{record.kind}" == kind))
    assert not left & lost
    assert left <= set(CHECK_KINDS) - lost


@pytest.mark.parametrize("kind", ["metrics", "resources", "health", "connections", "alerts"])
@pytest.mark.parametrize("hole", [(12, 20), (24, 30), (0, 9)])
def test_a_hole_in_the_samples_passes_no_check_on_all_times(kind: str, hole: tuple[int, int]) -> None:
    def inside(record: Record) -> bool:
        return record.kind == kind and hole[0] * MINUTE <= record.time_ns < hole[1] * MINUTE

    at_all_times = {"metrics": {"staleness_below", "never_crashes", "abort_criteria"}, "health": {"never_crashes"}}
    at_all_times["alerts"] = {"alert_silent"}
    at_all_times["connections"] = set()
    at_all_times["metrics"] |= {"trend", "poll_metrics"}
    if kind == "resources":
        at_all_times["resources"] = {"abort_criteria", "shows_truth"}
        at_all_times["resources"] |= {"resource_status", "source_undisturbed"} if hole[0] else set()
    builder = without(lambda record: False)
    # A sample that was never taken leaves the differences after it intact only when its own are handed on.
    kept: list[Record] = []
    pending: dict[str, Any] = {}
    for record in sorted(builder.records, key=lambda one: one.time_ns):
        if inside(record):
            pending |= record.data.get("changed", {})
            continue
        if record.kind == kind and "changed" in record.data:
            record.data["changed"] = {**pending, **record.data["changed"]}
            pending = {}
        kept.append(record)
    builder.records = kept
    assert not passed(builder) & (at_all_times[kind] | ({"availability"} if kind != "alerts" else set()))


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-Inf", "", "many"])
@pytest.mark.parametrize(
    ("series", "lost"),
    [
        (poll_errors("auth"), {"poll_errors", "abort_criteria", "poll_metrics"}),
        (poll_errors("api"), {"poll_metrics"}),
        (poll_errors("auth", "nas-2"), {"isolation", "abort_criteria"}),
        (poll_total("success", "nas-2"), {"poll_success_rate", "abort_criteria"}),
        (poll_total("error"), {"abort_criteria", "poll_metrics"}),
        (gauge("pulse_monitor_poll_duration_seconds_count"), {"poll_metrics"}),
        (gauge("pulse_monitor_poll_last_success_timestamp"), {"recovers"}),
        (gauge("pulse_monitor_poll_consecutive_failures"), {"recovers"}),
        (gauge("pulse_scheduler_breaker_state"), {"recovers"}),
        (gauge("pulse_monitor_poll_staleness_seconds", "nas-2"), {"staleness_below", "checkpoint", "green_for"}),
        ("pulse_runtime_tasks", {"no_leaks", "trend"}),
        ("pulse_runtime_open_connections", {"no_leaks"}),
        ("pulse_runtime_timers", {"no_leaks"}),
        ('pulse_registry_resources{source="truenas"}', {"no_leaks"}),
    ],
)
def test_a_value_that_is_no_finite_number_passes_no_check(series: str, lost: set[str], value: str) -> None:
    builder = whole()
    for record in builder.records:
        if record.kind == "metrics" and series in record.data["changed"]:
            record.data["changed"][series] = value
    assert not passed(builder) & lost


@pytest.mark.parametrize("reason", ["deadline", "crashed"])
def test_a_run_that_was_cut_short_passes_nothing(reason: str) -> None:
    assert passed(whole(), reason) == set()


def test_a_fault_nobody_felt_is_inconclusive_even_when_all_else_is_well() -> None:
    builder = whole()
    for record in builder.records:
        if record.kind == "request":
            record.data["faults"] = []
        if record.kind == "inject":
            record.data["witness"] = {"journal": [{"fault": True}], "poll_errors": ["timeout"]}
    assert "faults_took_effect" not in passed(builder)
