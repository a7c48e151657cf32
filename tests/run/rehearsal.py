"""One small run inside the test's own process: scenario text in, log and trace digest out."""

import gc
import json
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pulse_sim.checks import CheckResult
from pulse_sim.checks.abort_watch import AbortWatch
from pulse_sim.evidence.judgement import judge_log
from pulse_sim.kernel import Trace
from pulse_sim.observation import Header, Record, RunLog, Source
from pulse_sim.observation.writer import LogWriter
from pulse_sim.outcome import Outcome
from pulse_sim.run.conduct import Run
from pulse_sim.run.recorder import Recorder
from pulse_sim.run.script import cast_of, script_of
from pulse_sim.scenario.document import parse_document
from pulse_sim.scenario.load import parse_scenario, resolved_yaml
from pulse_sim.sut.protocol import SystemFactory
from pulse_sim.sut.reference import ReferenceSystem
from pulse_sim.world.simulated import SimulatedWorld

SMALL = """\
version: 1
id: small
title: One NAS, one fault
hypothesis: The poller notices and recovers.
start: 2026-02-09T00:00:00Z
duration: 14m
appliances:
  nas-1: {release: "24.10", fixture: small-office}
connections:
  nas-1: {appliance: nas-1, poll_interval: 60s}
timeline:
  - {at: 3m, for: 2m, fault: auth.revoke_key, on: nas-1}
abort: safety
checks:
  - {check: recovers, connection: nas-1, after: 5m, within: 5m30s}
"""


def scenario(**parts: Any) -> str:
    """A scenario file like ``SMALL``, without its fault and with ``parts`` replaced."""
    whole = {
        "version": 1,
        "id": "small",
        "title": "One NAS",
        "hypothesis": "All is well.",
        "start": "2026-02-09T00:00:00Z",
        "duration": "14m",
        "appliances": {"nas-1": {"release": "24.10", "fixture": "small-office"}},
        "connections": {"nas-1": {"appliance": "nas-1", "poll_interval": "60s"}},
        "abort": "none",
        "checks": [{"check": "never_crashes"}],
    }
    return json.dumps({**whole, **parts})


@dataclass(frozen=True)
class Rehearsed:
    """What a run left: its log, read back from disk, its judged checks, its trace digest, what broke in the harness."""

    log: RunLog
    results: tuple[CheckResult, ...]
    outcome: Outcome
    trace_digest: str
    broken: tuple[str, ...]
    directory: Path

    def of(self, kind: str, subject: str | None = None) -> Sequence[Record]:
        """Records of ``source/kind``, of one subject if given."""
        source, _, name = kind.partition("/")
        return self.log.of(Source(source), name, subject)

    def outcome_of(self, check: str) -> Outcome:
        """The one result of a check."""
        (result,) = [result for result in self.results if result.check == check]
        return result.outcome


def rehearse(
    directory: Path,
    text: str = SMALL,
    *,
    seed: int = 1,
    factory: SystemFactory = ReferenceSystem,
    overrides: tuple[str, ...] = (),
    ends_early: bool = True,
) -> Rehearsed:
    """Run a scenario without matrix in the simulated world; without ``ends_early`` no abort criterion ends it."""
    directory.mkdir(parents=True, exist_ok=True)
    resolved = parse_scenario("small.yaml", text.encode(), overrides=overrides)
    header = Header(resolved.id, seed, "2026-02-09T00:00:00Z", "simulated", "test", "fifo")
    trace = Trace()

    def to_trace(record: Record, line: bytes) -> None:
        trace.event(record.kind, record.subject, line)

    world = SimulatedWorld(cast_of(resolved), seed, factory, trace, ("tests",))
    with LogWriter(directory, header, on_record=to_trace) as log:

        async def conduct() -> None:
            watch = AbortWatch(resolved.abort_criteria) if ends_early else None
            recorder = Recorder(log, world.now_ns, watch)
            reason = await Run(script_of(resolved), world, recorder.observe, recorder.listen).conduct()
            log.close(world.now_ns(), "crashed" if world.broken else reason)

        world.run(conduct())
    broken = tuple(world.broken)
    if factory is not ReferenceSystem or "kill_system" in text:
        del world
        _bury()
    recorded = RunLog.load(directory)
    judged = judge_log(parse_document("scenario.yaml", resolved_yaml(resolved).encode()).data, recorded)
    return Rehearsed(recorded, judged.results, judged.outcome, trace.digest(), broken, directory)


def _bury() -> None:
    """Collect what died without a chance to close its sessions, here and not in some later test."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
