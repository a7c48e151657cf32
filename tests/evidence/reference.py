"""Makes ``reports/reference/``: ``python -m tests.evidence.reference``, with CPython 3.11 and the locked libraries.

A whole verdict bundle, small, without what tells of a machine (``environment.json``, ``resources.jsonl``), signed with
the published test key. The same code makes the same bytes anywhere.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final

from pulse_sim.cli.job import RunJob, conduct, header_of
from pulse_sim.evidence import RunBundle, VerdictBundle, read_run_summary
from pulse_sim.evidence.checkpoints import CheckpointWriter, Mark
from pulse_sim.evidence.signing_key import VARIABLE
from pulse_sim.kernel import Trace
from pulse_sim.kernel.worker import WorkerFailure, run_jobs
from pulse_sim.outcome import worst
from pulse_sim.scenario.load import expand, load_scenario, resolved_yaml, scenario_digest, select
from pulse_sim.scenario.plan import load_plan, scenario_evidence, scenario_file
from pulse_sim.verdict import EvidenceResult

ROOT: Final = Path(__file__).resolve().parents[2]
PLACE: Final = ROOT / "reports" / "reference"
PLAN: Final = ROOT / "scenarios" / "plans" / "reference.yaml"
PUBLISHED_KEY: Final = Path(__file__).with_name("published-test-key.pem")
PYTHON: Final = (3, 11)
SEED: Final = 1


def make(directory: Path) -> Path:
    """The bundle, made anew below ``directory``."""
    plan = load_plan(PLAN)
    with signed_with(PUBLISHED_KEY), VerdictBundle(directory, plan.id, SEED) as bundle:
        jobs = {
            item.id: [
                RunJob(scenario, seed, "reference", "fifo", bundle.runs_path, str(scenario_file(PLAN, item)), ())
                for scenario in select(expand(load_scenario(scenario_file(PLAN, item))), item.matrix)
                for seed in item.seeds or (SEED,)
            ]
            for item in scenario_evidence(plan)
        }
        results = {}
        for name, wanted in jobs.items():
            told = run_jobs("tests.evidence.reference:record", wanted, preload=("pulse_sim.cli.warm",))
            if failed := [one for one in told if isinstance(one, WorkerFailure)]:
                raise RuntimeError(f"{failed[0].reason}\n{failed[0].detail}")
            runs = tuple(read_run_summary(Path(path)) for path in told)
            results[name] = EvidenceResult(name, "scenario", worst(run.outcome for run in runs), "", runs)
        ends = [
            job.scenario.start + timedelta(microseconds=job.scenario.duration // 1000)
            for wanted in jobs.values()
            for job in wanted
        ]
        sealed = bundle.complete(
            plan,
            plan_yaml=PLAN.read_text("utf-8"),
            results=results,
            decided_on=max(ends).date(),
            environment=None,
            source_file=str(PLAN),
        )
    return sealed.path


def record(job: RunJob) -> str:
    """One run, sealed, as a worker process does it; the path of its bundle."""
    header = header_of(job)
    with RunBundle(job.directory, header) as bundle:
        with CheckpointWriter(bundle.path) as checkpoints:
            trace = Trace(lambda point: checkpoints.write(Mark(point.events, point.at_ns, point.digest)))
            conduct(job, header, bundle.path, trace)
            trace_digest = trace.finish(header.encode())
        sealed = bundle.complete(
            scenario_yaml=resolved_yaml(job.scenario),
            scenario_digest=scenario_digest(job.scenario),
            trace_digest=trace_digest,
            environment=None,
            source_file=job.source_file,
        )
    return str(sealed.path)


@contextmanager
def signed_with(key: Path) -> Iterator[None]:
    """What is sealed meanwhile, here and in workers, is signed with ``key``."""
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = str(key)
    try:
        yield
    finally:
        os.environ.pop(VARIABLE)
        if before is not None:
            os.environ[VARIABLE] = before


def main() -> None:
    """Replace ``reports/reference/``."""
    if sys.implementation.name != "cpython" or sys.version_info[:2] != PYTHON:
        raise SystemExit(f"error: the reference is made with CPython {'.'.join(map(str, PYTHON))}")
    with tempfile.TemporaryDirectory(prefix="pulse-sim-reference-") as directory:
        made = make(Path(directory))
        if PLACE.exists():
            shutil.rmtree(PLACE)
        shutil.copytree(made, PLACE)
    size = sum(file.stat().st_size for file in PLACE.rglob("*") if file.is_file())
    print(f"{PLACE.relative_to(ROOT)}: {size} bytes")


if __name__ == "__main__":
    main()
