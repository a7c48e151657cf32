"""Jobs out to worker processes and rows back, with progress on stderr; a worker that fails is a row too."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from pulse_sim.cli.abandoned import sweep
from pulse_sim.cli.job import RunJob
from pulse_sim.cli.progress import told_progress
from pulse_sim.kernel.worker import WorkerFailure, run_jobs
from pulse_sim.outcome import Outcome

TIMEOUT_S: Final = 1800.0
PRELOAD: Final = ("pulse_sim.cli.warm",)
REHEARSED: Final = ("pulse_sim.cli.rehearsal",)
REHEARSED_FROM: Final = 6
"""Jobs of one command that make up for what the rehearsal costs."""


def run_all(
    jobs: Sequence[RunJob],
    workers: int,
    *,
    quiet: bool,
    budget_s: float | None = None,
    what: str = "runs",
    on_row: Callable[[RunJob, dict[str, Any]], None] | None = None,
) -> list[dict[str, Any]]:
    """One row for each job, in their order. No half-written bundle stays, not even when this is interrupted.

    ``budget_s`` is wall time for all of them; the row of one that did not fit has ``fits`` false. ``what`` is what they
    are called while they are under way. ``on_row`` is called with each job and its row as it ends.
    """
    with told_progress(len(jobs), quiet=quiet, what=what) as tell:

        def ended(index: int, result: Any) -> None:
            row = _row(jobs[index], result)
            if on_row is not None:
                on_row(jobs[index], row)
            tell(row)

        try:
            results = run_jobs(
                "pulse_sim.cli.job:perform",
                list(jobs),
                jobs=workers,
                timeout_s=TIMEOUT_S,
                on_progress=ended,
                preload=REHEARSED if len(jobs) >= REHEARSED_FROM else PRELOAD,
                budget_s=budget_s,
            )
        finally:
            for directory in {job.directory for job in jobs}:
                sweep(directory, ((job.scenario.id, job.seed) for job in jobs if job.directory == directory))
    return [_row(job, result) for job, result in zip(jobs, results, strict=True)]


def _row(job: RunJob, result: Any) -> dict[str, Any]:
    if not isinstance(result, WorkerFailure):
        return {**result, "fits": True}
    fits = result.kind != "unfinished"
    return {
        "scenario": job.scenario.id,
        "seed": job.seed,
        "world": "simulated",
        "sut": job.sut,
        "outcome": (Outcome.ERRORED if fits else Outcome.INCONCLUSIVE).value,
        "checks": [],
        "trace_digest": None,
        "outcome_digest": None,
        "virtual_seconds": None,
        "wall_seconds": None,
        "bundle": None,
        "reason": f"the worker {result.kind}: {result.reason}" if fits else result.reason,
        "detail": result.detail,
        "fits": fits,
    }
