"""Jobs out to worker processes and rows back, with progress on stderr; a worker that fails is a row too."""

import sys
from collections.abc import Sequence
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from pulse_sim.cli.abandoned import sweep
from pulse_sim.cli.job import RunJob
from pulse_sim.kernel.worker import WorkerFailure, run_jobs
from pulse_sim.outcome import Outcome

TIMEOUT_S: Final = 1800.0
PRELOAD: Final = ("pulse_sim.cli.warm",)
REHEARSED: Final = ("pulse_sim.cli.rehearsal",)
REHEARSED_FROM: Final = 6
"""Jobs of one command that make up for what the rehearsal costs."""


def run_all(jobs: Sequence[RunJob], workers: int, *, quiet: bool) -> list[dict[str, Any]]:
    """One row for each job, in their order. No half-written bundle stays, not even when this is interrupted."""
    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=quiet or not sys.stderr.isatty(),
        transient=True,
    ) as progress:
        task = progress.add_task("runs", total=len(jobs))

        def ended(_index: int, _result: Any) -> None:
            progress.advance(task)

        try:
            results = run_jobs(
                "pulse_sim.cli.job:perform",
                list(jobs),
                jobs=workers,
                timeout_s=TIMEOUT_S,
                on_progress=ended,
                preload=REHEARSED if len(jobs) >= REHEARSED_FROM else PRELOAD,
            )
        finally:
            for directory in {job.directory for job in jobs}:
                sweep(directory, ((job.scenario.id, job.seed) for job in jobs if job.directory == directory))
    return [_row(job, result) for job, result in zip(jobs, results, strict=True)]


def _row(job: RunJob, result: Any) -> dict[str, Any]:
    if not isinstance(result, WorkerFailure):
        row: dict[str, Any] = result
        return row
    return {
        "scenario": job.scenario.id,
        "seed": job.seed,
        "world": "simulated",
        "sut": job.sut,
        "outcome": Outcome.ERRORED.value,
        "checks": [],
        "trace_digest": None,
        "outcome_digest": None,
        "virtual_seconds": None,
        "wall_seconds": None,
        "bundle": None,
        "reason": f"the worker {result.kind}: {result.reason}",
        "detail": result.detail,
    }
