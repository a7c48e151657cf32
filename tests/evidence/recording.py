"""A recorded run for tests of bundles and reports: one NAS whose key is revoked for a while, told in a few lines."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pulse_sim.evidence import RunBundle, SealedRun
from pulse_sim.evidence.checkpoints import CheckpointWriter, Mark
from pulse_sim.observation import Header, LogWriter, Source
from pulse_sim.units import MINUTE, SECOND

START = "2026-02-09T00:00:00Z"
TRACE_DIGEST = "ab" * 32
EVENTS = 3_210
CHECKS = """\
  - {check: poll_errors, connection: CONNECTION, error_type: auth, at_least: 1, between: [5m, 10m]}
  - {check: never_crashes}
"""


def scenario_yaml(scenario: str = "auth-revoked", *, connection: str = "nas-1", checks: str = CHECKS) -> str:
    """A resolved scenario document for the run :func:`record` writes."""
    return f"""\
version: 1
id: {scenario}
title: The API key is revoked while the poller is connected
packet: TRR-04
failure_class: auth-revoked
hypothesis: The poller reports auth errors, keeps running and recovers when the key is renewed.
start: "{START}"
duration: 25m
systems: {{pulse: {{}}}}
appliances: {{nas-1: {{release: "24.10"}}}}
connections: {{{json.dumps(connection)}: {{appliance: nas-1}}}}
timeline:
  - {{at: 5m, for: 5m, fault: auth.revoke_key, on: nas-1}}
checks:
{checks.replace("CONNECTION", connection)}"""


def header(scenario: str = "auth-revoked", seed: int = 7) -> Header:
    """The header of such a run."""
    return Header(scenario, seed, START, "simulated", "reference", "fifo")


def record(
    directory: Path,
    head: Header,
    *,
    connection: str = "nas-1",
    minutes: int = 25,
    fails: tuple[int, int] = (5, 10),
    unseen: tuple[int, int] = (0, 0),
    reason: str = "completed",
    secret: str = "",
) -> None:
    """Write log and checkpoints: a poll a minute, failing with auth errors in the minutes ``fails``, not sampled in
    ``unseen``.
    """
    labels = f'instance_type="truenas",instance="{_escaped(connection)}"'
    with LogWriter(directory, head) as log:
        log.write(0, Source.WORLD, "start", "run", _start(head, connection))
        log.write(0, Source.WORLD, "phase", "run", {"phase": "warm-up"})
        log.write(0, Source.SUT, "started", "pulse", {"version": "reference 1", "variant": "truenas-off-by-default"})
        shown: dict[str, str] = {}
        succeeded = failed = since = 0
        for minute in range(minutes):
            bad = fails[0] <= minute < fails[1]
            now_ns = minute * MINUTE
            for moment, phase in ((1, "steady"), (fails[0], "inject"), (fails[1], "heal"), (fails[1] + 1, "settle")):
                if minute == moment:
                    log.write(now_ns, Source.WORLD, "phase", "run", {"phase": phase})
            if minute == fails[0]:
                log.write(now_ns, Source.FAULT, "inject", "f1", _fault(connection, fails))
            if minute == fails[1]:
                log.write(now_ns, Source.FAULT, "heal", "f1", {})
            succeeded, failed, since = (succeeded, failed + 1, since + 60) if bad else (succeeded + 1, failed, 0)
            request = _request(401 if bad else 200)
            log.write(now_ns + 2 * SECOND, Source.APPLIANCE, "request", "nas-1", request)
            now = {
                f"pulse_monitor_poll_staleness_seconds{{{labels}}}": f"{since + 17}.0",
                f'pulse_monitor_poll_total{{{labels},result="success"}}': f"{succeeded}.0",
                f'pulse_monitor_poll_total{{{labels},result="error"}}': f"{failed}.0",
                f'pulse_monitor_poll_errors_total{{{labels},error_type="auth"}}': f"{failed}.0",
                f"pulse_scheduler_breaker_state{{{labels}}}": "2.0" if bad and since >= 180 else "0.0",
            }
            if unseen[0] <= minute < unseen[1]:
                continue
            changed = {series: value for series, value in now.items() if shown.get(series) != value}
            shown = now
            sample: dict[str, Any] = {"status": 200, "error": None, "changed": changed, "gone": []}
            log.write(now_ns + 17 * SECOND, Source.SAMPLER, "metrics", "pulse", sample)
            if minute % 5 == 0:
                log.write(now_ns + 17 * SECOND, Source.SAMPLER, "health", "pulse", {"status": 200, "error": None})
        if secret:
            line = {"level": "WARNING", "logger": "pulse", "template": secret, "fields": {}}
            log.write(minutes * MINUTE, Source.SUT, "log", "pulse", line)
        log.close(minutes * MINUTE, reason)
    with CheckpointWriter(directory) as checkpoints:
        for events in (*range(1_000, EVENTS, 1_000), EVENTS):
            checkpoints.write(Mark(events, minutes * MINUTE * events // EVENTS, f"{events:064x}"))
        checkpoints.write(Mark(EVENTS + 1, minutes * MINUTE, TRACE_DIGEST))


def sealed_run(
    directory: Path,
    *,
    scenario: str = "auth-revoked",
    seed: int = 7,
    connection: str = "nas-1",
    document: str | None = None,
    environment: Mapping[str, Any] | None = None,
    **story: Any,
) -> SealedRun:
    """A whole run bundle below ``directory``."""
    head = header(scenario, seed)
    with RunBundle(directory, head) as bundle:
        record(bundle.path, head, connection=connection, **story)
        bundle.resources_path.write_text('{"rss_bytes":1}\n')
        return bundle.complete(
            scenario_yaml=document or scenario_yaml(scenario, connection=connection),
            scenario_digest="5" * 64,
            trace_digest=TRACE_DIGEST,
            environment=environment,
            source_file=f"scenarios/resilience/{scenario}.yaml",
        )


def _start(head: Header, connection: str) -> dict[str, Any]:
    return {
        "scenario": head.scenario,
        "systems": {"pulse": {}},
        "appliances": {"nas-1": {"release": "24.10", "fixture": "baseline", "tls": False}},
        "connections": {connection: {"system": "pulse", "appliance": "nas-1", "poll_interval_ns": MINUTE}},
    }


def _fault(connection: str, minutes: tuple[int, int]) -> dict[str, Any]:
    return {
        "kind": "auth.revoke_key",
        "on": "nas-1",
        "parameters": {},
        "from_ns": minutes[0] * MINUTE,
        "to_ns": minutes[1] * MINUTE,
        "stage": "state",
        "witness": {"journal": [], "poll_errors": ["auth"], "poll_slower_than_ns": None},
        "connections": [connection],
    }


def _request(status: int) -> dict[str, Any]:
    return {
        "face": "rest",
        "method": "GET",
        "path": "/api/v2.0/system/info",
        "query": "",
        "status": status,
        "duration_ns": SECOND,
        "bytes": 100,
        "ended": "complete",
        "faults": ["f1"] if status != 200 else [],
        "credential": None,
        "user_agent": "pulse",
    }


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
