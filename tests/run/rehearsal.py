"""One small run inside the test's own process: scenario text in, log and trace digest out."""

from dataclasses import dataclass
from pathlib import Path

from pulse_sim.checks import CheckResult, judge_run
from pulse_sim.kernel import Trace
from pulse_sim.observation import Header, Record, RunLog
from pulse_sim.observation.writer import LogWriter
from pulse_sim.run.conduct import Run
from pulse_sim.run.recorder import Recorder
from pulse_sim.run.script import cast_of, script_of
from pulse_sim.scenario.load import parse_scenario
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


@dataclass(frozen=True)
class Rehearsed:
    """What a run left: its log, read back from disk, its judged checks, its trace digest, what broke in the harness."""

    log: RunLog
    results: tuple[CheckResult, ...]
    trace_digest: str
    broken: tuple[str, ...]
    directory: Path


def rehearse(
    directory: Path,
    text: str = SMALL,
    *,
    seed: int = 1,
    factory: SystemFactory = ReferenceSystem,
    overrides: tuple[str, ...] = (),
) -> Rehearsed:
    """Run a scenario without matrix in the simulated world."""
    directory.mkdir(parents=True, exist_ok=True)
    scenario = parse_scenario("small.yaml", text.encode(), overrides=overrides)
    header = Header(scenario.id, seed, "2026-02-09T00:00:00Z", "simulated", "test", "fifo")
    trace = Trace()

    def to_trace(record: Record, line: bytes) -> None:
        trace.event(record.kind, record.subject, line)

    world = SimulatedWorld(cast_of(scenario), seed, factory, trace, ("tests",))
    with LogWriter(directory, header, on_record=to_trace) as log:

        async def conduct() -> None:
            observe = Recorder(log, world.now_ns).observe
            reason = await Run(script_of(scenario), world, observe).conduct()
            log.close(world.now_ns(), reason)

        world.run(conduct())
    recorded = RunLog.load(directory)
    results = judge_run(recorded, list(scenario.checks))
    return Rehearsed(recorded, results, trace.digest(), tuple(world.broken), directory)
