"""One run from a scenario to a sealed bundle, as a worker process does it."""

import json
import resource
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pulse_sim.checks.abort_watch import AbortWatch
from pulse_sim.cli.abandoned import begun
from pulse_sim.cli.wall import now_text, stopwatch_s
from pulse_sim.evidence.checkpoints import CheckpointWriter, Mark
from pulse_sim.evidence.environment import describe_environment
from pulse_sim.evidence.run_bundle import RunBundle
from pulse_sim.kernel import Trace
from pulse_sim.observation import Header, Record
from pulse_sim.observation.writer import LogWriter
from pulse_sim.run.conduct import Run
from pulse_sim.run.recorder import Recorder
from pulse_sim.run.script import cast_of, script_of
from pulse_sim.scenario.load import resolved_yaml, scenario_digest
from pulse_sim.scenario.model import Scenario
from pulse_sim.sut.loading import load_system, package_of
from pulse_sim.world.simulated import SimulatedWorld

CHECKOUT = Path(__file__).resolve().parents[2]
BROKEN_TOLD = 8


@dataclass(frozen=True)
class RunJob:
    """What a worker needs to know. ``source_file`` is the scenario's own file, for the replay line."""

    scenario: Scenario
    seed: int
    sut: str
    schedule: str
    directory: Path
    source_file: str
    argv: Sequence[str]

    @property
    def key(self) -> tuple[str, str, int]:
        """What tells it from every other job of one command."""
        return self.source_file, self.scenario.id, self.seed


def perform(job: RunJob) -> dict[str, Any]:
    """Conduct, judge and seal one run; the row ``pulse-sim run --json`` prints for it."""
    started_s, started_at = stopwatch_s(), now_text()
    header = header_of(job)
    with begun(job.directory, lambda: RunBundle(job.directory, header)) as bundle:
        conducted = _record(job, header, bundle.path)
        _write_resources(bundle.resources_path, stopwatch_s() - started_s)
        sealed = bundle.complete(
            scenario_yaml=resolved_yaml(job.scenario),
            scenario_digest=scenario_digest(job.scenario),
            trace_digest=conducted.trace_digest,
            environment=describe_environment(
                argv=job.argv, started_at=started_at, ended_at=now_text(), checkout=CHECKOUT
            ),
            source_file=job.source_file,
        )
    log = sealed.judged.log
    return {
        "scenario": job.scenario.id,
        "seed": job.seed,
        "world": header.world,
        "sut": job.sut,
        "outcome": sealed.summary.outcome.value,
        "checks": [result.to_data() for result in sealed.judged.results],
        "trace_digest": conducted.trace_digest,
        "outcome_digest": sealed.summary.outcome_digest,
        "virtual_seconds": (job.scenario.duration if log is None else log.end_ns) // 1_000_000_000,
        "wall_seconds": round(stopwatch_s() - started_s, 3),
        "bundle": str(sealed.path),
        "reason": ": ".join(filter(None, (sealed.judged.reason, "; ".join(conducted.broken)))),
        "capabilities": sorted(conducted.capabilities),
        "system_versions": sorted(conducted.versions),
    }


def header_of(job: RunJob) -> Header:
    """What is to be run, as the first line of the log says it."""
    return Header(
        scenario=job.scenario.id,
        seed=job.seed,
        start=job.scenario.start.strftime("%Y-%m-%dT%H:%M:%SZ"),
        world="simulated",
        sut=job.sut,
        schedule=job.schedule,
    )


@dataclass(frozen=True)
class Conducted:
    """What a simulation leaves besides its log: ``broken`` is what died unhandled in the harness itself."""

    trace_digest: str
    broken: Sequence[str]
    capabilities: frozenset[str]
    versions: frozenset[str]


def _record(job: RunJob, header: Header, directory: Path) -> Conducted:
    """Run the simulation and leave the sealed log and the checkpoints of its trace in ``directory``."""
    with CheckpointWriter(directory) as checkpoints:
        trace = Trace(lambda point: checkpoints.write(Mark(point.events, point.at_ns, point.digest)))
        broken, capabilities, versions = conduct(job, header, directory, trace)
        return Conducted(trace.finish(header.encode()), broken, capabilities, versions)


def conduct(
    job: RunJob, header: Header, directory: Path, trace: Trace
) -> tuple[Sequence[str], frozenset[str], frozenset[str]]:
    """Run the simulation, tell ``trace`` of it and leave the log in ``directory``.

    Returns what broke, what every system can do, and what the systems call themselves.

    The one way a job is simulated, whether for evidence or to look at it again: both must trace the same events.
    """

    def to_trace(record: Record, line: bytes) -> None:
        trace.event(f"{record.source.value}/{record.kind}", record.subject, line)

    world = SimulatedWorld(
        cast_of(job.scenario), job.seed, load_system(job.sut), trace, package_of(job.sut), header.schedule
    )
    with LogWriter(directory, header, on_record=to_trace) as log:
        recorder = Recorder(log, world.now_ns, AbortWatch(job.scenario.abort_criteria))

        async def to_the_end() -> None:
            reason = await Run(script_of(job.scenario), world, recorder.observe, recorder.listen).conduct()
            if world.broken:
                log.close(world.now_ns(), "crashed", broken=world.broken[:BROKEN_TOLD])
            else:
                log.close(world.now_ns(), reason)

        world.run(to_the_end())
    capabilities = frozenset.intersection(*(system.capabilities for system in world.systems.values()))
    versions = frozenset(system.version for system in world.systems.values())
    return tuple(world.broken[:BROKEN_TOLD]), frozenset(item.value for item in capabilities), versions


def _write_resources(path: Path, wall_s: float) -> None:
    """What the run cost for real; outside every digest (R4)."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    row = {
        "cpu_user_s": round(usage.ru_utime, 3),
        "cpu_system_s": round(usage.ru_stime, 3),
        "peak_rss_kib": usage.ru_maxrss,
        "wall_s": round(wall_s, 3),
    }
    path.write_text(json.dumps(row, sort_keys=True) + "\n", "utf-8")
