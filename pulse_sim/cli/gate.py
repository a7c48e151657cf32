"""``pulse-sim gate``: the catalogue with several seeds within a budget, beside a baseline, as a pipeline wants it.

Whatever was planned is accounted for: run, or told as not run, and then the gate is not passed.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import rmtree
from typing import Any, Final

import click
from rich.console import Console

from pulse_sim.canonical import Json
from pulse_sim.cli import options
from pulse_sim.cli.abandoned import begun, sweep_dead
from pulse_sim.cli.exit_status import of_outcome
from pulse_sim.cli.job import CHECKOUT, RunJob
from pulse_sim.cli.wall import now_text, stopwatch_s
from pulse_sim.cli.workers import run_all
from pulse_sim.evidence.comparison import Baseline, ComparedRun, NoBaseline, compare, read_baseline
from pulse_sim.evidence.environment import describe_environment
from pulse_sim.evidence.gate_bundle import GateBundle
from pulse_sim.evidence.hostile import BundleDamaged, read_json
from pulse_sim.evidence.names import CHECKS
from pulse_sim.outcome import Outcome
from pulse_sim.report.ci_gate import comparison_in_a_line, gate_in_a_line, render_gate_junit, render_gate_markdown
from pulse_sim.report.replay import run_command, told_file
from pulse_sim.report.text import plain
from pulse_sim.scenario.load import expand, load_scenarios, scenario_digest
from pulse_sim.scenario.problem import DocumentError
from pulse_sim.units import SECOND, parse_duration
from pulse_sim.verdict import RunSummary, run_summary
from pulse_sim.verdict.ci_gate import CiGate, Comparison, GateRun, NotRun, Repeat
from pulse_sim.verdict.ci_gate_record import comparison_data

CATALOGUE: Final = Path("scenarios/resilience")
SEEDS: Final = range(1, 4)
BUDGET: Final = "10m"
REPEATED: Final = (Outcome.INCONCLUSIVE, Outcome.FAILED, Outcome.ERRORED)
SHOWN_AT_MOST: Final = 20


class Budget(click.ParamType[float]):
    """A duration such as ``10m``, in seconds."""

    name = "DURATION"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds; a usage error for what is no duration or none at all."""
        if isinstance(value, float):
            return value
        try:
            seconds = parse_duration(str(value)) / SECOND
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if seconds <= 0:
            self.fail("a budget is more than nothing; write it like 10m", param, ctx)
        return seconds


@dataclass(frozen=True)
class Made:
    """What came of one job: how the gate sees it, its ``checks.json``, its bundle where it has one."""

    summary: RunSummary
    checks: Mapping[str, Any] | None
    bundle: Path | None


@click.command()
@click.argument("scenarios", nargs=-1, metavar="[SCENARIO]...", type=click.Path(path_type=Path))
@click.option("--seeds", type=options.SeedRange(), default=SEEDS, metavar="A..B", help="Seeds, 1..3 by default.")
@click.option("--budget", type=Budget(), default=BUDGET, show_default=True, help="Wall time; what does not fit fails.")
@click.option("--baseline", type=click.Path(path_type=Path), help="A bundle, or a directory of them, to compare with.")
@click.option("--junit", type=click.Path(dir_okay=False, path_type=Path), help="Write JUnit XML there as well.")
@click.option("--summary", type=click.Path(dir_okay=False, path_type=Path), help="Write a Markdown summary there.")
@options.run_options
def gate(
    scenarios: tuple[Path, ...],
    seeds: range,
    budget: float,
    baseline: Path | None,
    junit: Path | None,
    summary: Path | None,
    sut: str,
    jobs: int | None,
    out: Path,
    as_json: bool,
) -> None:
    """Run the resilience catalogue, or SCENARIO files and directories, with several seeds and decide for a pipeline.

    A run that is not passed is repeated with the same seed: another digest is a failure of the harness itself. With
    --baseline, a check that is worse than there fails. What does not fit the budget is told; the gate is not passed.
    """
    options.refuse_development_mode()
    began_s, began_at = stopwatch_s(), now_text()
    before = None if baseline is None else _baseline(baseline)
    for file in (junit, summary):
        _require_writable(file)
    options.require_system(sut)
    options.require_directory(out)
    sweep_dead(out)
    with begun(out, lambda: GateBundle(out, seeds[0])) as bundle:
        planned = _planned(scenarios, seeds, sut, bundle.runs_path)

        def left_s() -> float:
            return budget - (stopwatch_s() - began_s)

        made = _made(planned, options.cores(jobs), as_json, left_s())
        repeats = _repeated(planned, made, bundle.repeats_path, options.cores(jobs), as_json, left_s())
        decided = _decided(planned, made, repeats, budget, before, seeds)
        environment = describe_environment(
            argv=options.masked_argv(), started_at=began_at, ended_at=now_text(), checkout=CHECKOUT
        )
        sealed = bundle.complete(decided, catalogue=_catalogue(planned, seeds), environment=environment)
    if junit is not None:
        junit.write_bytes(render_gate_junit(decided))
    if summary is not None:
        summary.write_text(render_gate_markdown(decided), "utf-8")
    if as_json:
        click.echo(json.dumps(_row(decided, sealed, stopwatch_s() - began_s)))
    else:
        _tell(Console(highlight=False, soft_wrap=True), decided, planned, sealed)
    raise SystemExit(of_outcome(decided.outcome))


def _baseline(path: Path) -> Baseline:
    try:
        return read_baseline(path)
    except NoBaseline as error:
        options.stop(plain(f"--baseline {error}; name a bundle, or a directory of bundles, of this tool"))


def _require_writable(file: Path | None) -> None:
    if file is not None and not (file.parent.is_dir() and os.access(file if file.exists() else file.parent, os.W_OK)):
        options.stop(plain(f"{file} cannot be written; name a file in a directory that is there"))


def _planned(given: Sequence[Path], seeds: range, sut: str, directory: Path) -> list[RunJob]:
    """Every run in the order it is begun in: all scenarios with the first seed, then with the next.

    So a budget that is too small leaves out seeds, not scenarios.
    """
    files = _files(given)
    try:
        loaded = load_scenarios(files, world="simulated")
    except DocumentError as error:
        options.stop_for_problems(error)
    argv = options.masked_argv()
    return [
        RunJob(scenario, seed, sut, "fifo", directory, str(file), argv)
        for seed in seeds
        for file, one in zip(files, loaded, strict=True)
        for scenario in expand(one)
    ]


def _files(given: Sequence[Path]) -> list[Path]:
    """Files as they are given, directories as the scenario files directly in them, sorted by name."""
    files: list[Path] = []
    for path in given or [CATALOGUE if CATALOGUE.is_dir() else CHECKOUT / CATALOGUE]:
        found = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
        if not found:
            options.stop(plain(f"{path} has no scenario file in it; name files, or a directory of *.yaml"))
        files.extend(one for one in found if one not in files)
    return files


def _made(
    planned: Sequence[RunJob], workers: int, quiet: bool, left_s: float, what: str = "runs"
) -> list[Made | NotRun]:
    rows = run_all(planned, workers, quiet=quiet, budget_s=max(left_s, 0.0), what=what)
    return [_one(job, row) for job, row in zip(planned, rows, strict=True)]


def _one(job: RunJob, row: Mapping[str, Any]) -> Made | NotRun:
    if not row["fits"]:
        return NotRun(job.scenario.id, job.seed, row["reason"])
    reason = row["reason"]
    if row["bundle"] is not None:
        path = Path(row["bundle"])
        try:
            checks = read_json(path, CHECKS)
            return Made(run_summary(path.name, checks), checks, path)
        except (BundleDamaged, ValueError) as error:
            reason = str(error)
    name = f"{job.scenario.id}-{job.seed}"
    lost = RunSummary(name, job.scenario.id, job.seed, Outcome.ERRORED, reason=str(reason), sut=job.sut)
    return Made(lost, None, None)


def _repeated(
    planned: Sequence[RunJob],
    made: Sequence[Made | NotRun],
    directory: Path,
    workers: int,
    quiet: bool,
    left_s: float,
) -> dict[tuple[str, str, int], Repeat]:
    """The repetition of every run that was not passed. A bundle is kept only where something else came out."""
    again = [
        (replace(job, directory=directory), one)
        for job, one in zip(planned, made, strict=True)
        if isinstance(one, Made) and one.summary.outcome in REPEATED
    ]
    if not again:
        return {}
    results = _made([job for job, _ in again], workers, quiet, left_s, "repeats")
    repeats = {}
    for (job, first), second in zip(again, results, strict=True):
        repeats[job.key] = _beside(first, second)
        if repeats[job.key].run is None and isinstance(second, Made) and second.bundle is not None:
            rmtree(second.bundle)
    if directory.is_dir() and not any(directory.iterdir()):
        directory.rmdir()
    return repeats


def _beside(first: Made, second: Made | NotRun) -> Repeat:
    if isinstance(second, NotRun):
        return Repeat(None, reason=f"not repeated: {second.reason}")
    run = second.summary
    repeat = Repeat(run.outcome, run.trace_digest, run.outcome_digest)
    differs = repeat.repeats(first.summary) is False
    return replace(repeat, run=run.run) if differs and second.bundle is not None else repeat


def _decided(
    planned: Sequence[RunJob],
    made: Sequence[Made | NotRun],
    repeats: Mapping[tuple[str, str, int], Repeat],
    budget: float,
    before: Baseline | None,
    seeds: range,
) -> CiGate:
    runs = []
    for job, one in zip(planned, made, strict=True):
        if isinstance(one, Made):
            replay = run_command(told_file(job.source_file), job.seed, "simulated", job.sut, job.schedule)
            runs.append(GateRun(one.summary, replay, repeats.get(job.key)))
    return CiGate(
        planned=tuple((job.scenario.id, job.seed) for job in planned),
        runs=tuple(runs),
        not_run=tuple(one for one in made if isinstance(one, NotRun)),
        comparison=None if before is None else _compared(before, planned, made, seeds),
        budget_s=budget,
    )


def _compared(before: Baseline, planned: Sequence[RunJob], made: Sequence[Made | NotRun], seeds: range) -> Comparison:
    runs = [
        ComparedRun(one.summary.scenario, one.summary.seed, one.summary.outcome, ())
        if one.checks is None
        else ComparedRun.from_checks(one.checks)
        for one in made
        if isinstance(one, Made)
    ]
    return compare(before, runs, [job.scenario.id for job in planned], seeds)


def _catalogue(planned: Sequence[RunJob], seeds: range) -> dict[str, Json]:
    first = [job for job in planned if job.seed == seeds[0]]
    scenarios: list[Json] = [
        {"id": job.scenario.id, "file": told_file(job.source_file), "digest": scenario_digest(job.scenario)}
        for job in first
    ]
    return {
        "version": 1,
        "scenarios": scenarios,
        "seeds": list(seeds),
        "sut": planned[0].sut,
        "schedule": planned[0].schedule,
    }


def _row(decided: CiGate, bundle: Path, wall_s: float) -> dict[str, Any]:
    return {
        "outcome": decided.outcome.value,
        "reasons": list(decided.reasons),
        "runs": len(decided.runs),
        "passed": sum(run.outcome is Outcome.PASSED for run in decided.runs),
        "not_run": [{"scenario": one.scenario, "seed": one.seed, "reason": one.reason} for one in decided.not_run],
        "unrepeatable": [run.unrepeatable for run in decided.runs if run.unrepeatable],
        "comparison": None if decided.comparison is None else comparison_data(decided.comparison),
        "outcome_digest": decided.outcome_digest,
        "wall_seconds": round(wall_s, 3),
        "bundle": str(bundle),
    }


def _tell(console: Console, decided: CiGate, planned: Sequence[RunJob], bundle: Path) -> None:
    """The gate for people. Files are named as they were given here: the bundle names them from the catalogue on."""
    replays = {
        (job.scenario.id, job.seed): run_command(job.source_file, job.seed, "simulated", job.sut, job.schedule)
        for job in planned
    }

    def say(line: str) -> None:
        console.print(line, markup=False)

    say(gate_in_a_line(decided))
    for reason in decided.reasons[:SHOWN_AT_MOST]:
        say(f"  {plain(reason)}")
    if len(decided.reasons) > SHOWN_AT_MOST:
        say(f"  … and {len(decided.reasons) - SHOWN_AT_MOST} more in the bundle's report.md")
    if decided.comparison is not None:
        say(comparison_in_a_line(decided.comparison))
    failing = [run for run in decided.runs if run.problem]
    lines = dict.fromkeys(replays[run.summary.scenario, run.summary.seed] for run in failing)
    for line in list(lines)[:SHOWN_AT_MOST]:
        say(f"replay: {line}")
    for run in failing:
        if run.unrepeatable and run.repeat is not None and run.repeat.run is not None:
            one, other = bundle / "runs" / run.summary.run, bundle / "repeats" / run.repeat.run
            say(plain(f"what differs: pulse-sim diff {one} {other}"))
    say(f"bundle: {plain(bundle)}")
