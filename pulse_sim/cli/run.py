"""``pulse-sim run``: scenarios × seeds, each a run with its own bundle."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from pulse_sim.cli import options
from pulse_sim.cli.abandoned import sweep_dead
from pulse_sim.cli.exit_status import combined, of_outcome
from pulse_sim.cli.job import RunJob
from pulse_sim.cli.workers import run_all
from pulse_sim.kernel import Schedule
from pulse_sim.outcome import Outcome
from pulse_sim.report.replay import labelled, run_command
from pulse_sim.report.text import plain
from pulse_sim.scenario.load import expand, load_scenarios
from pulse_sim.scenario.problem import DocumentError

JSON_FIELDS = (
    "scenario",
    "seed",
    "world",
    "sut",
    "outcome",
    "checks",
    "trace_digest",
    "outcome_digest",
    "virtual_seconds",
    "wall_seconds",
    "bundle",
)


@click.command()
@click.argument("scenarios", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--world", type=click.Choice(["simulated", "live"]), default="simulated", help="Where the runs happen.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=None, help="The seed of every run; 1 by default.")
@click.option("--seeds", type=options.SeedRange(), default=None, help="Run each scenario with each of these seeds.")
@click.option(
    "--schedule",
    type=click.Choice([one.value for one in Schedule]),
    default="fifo",
    help="fifo, or drawn from the seed.",
)
@click.option("--set", "overrides", multiple=True, metavar="PATH=VALUE", help="Change a field of every scenario.")
@options.run_options
def run(
    scenarios: tuple[Path, ...],
    world: str,
    seed: int | None,
    seeds: range | None,
    schedule: str,
    overrides: tuple[str, ...],
    sut: str,
    jobs: int | None,
    out: Path,
    as_json: bool,
) -> None:
    """Run scenario files and say for each run what came of it. A matrix runs in every combination."""
    options.refuse_development_mode()
    if world != "simulated":
        options.stop(f"--world {world}: only the simulated world is built yet; leave the option out")
    if seed is not None and seeds is not None:
        options.stop("--seed and --seeds exclude each other")
    chosen: Sequence[int] = seeds if seeds is not None else (options.DEFAULT_SEED if seed is None else seed,)
    try:
        loaded = load_scenarios(scenarios, overrides=overrides, world=world)
    except DocumentError as error:
        options.stop_for_problems(error)
    options.require_system(sut)
    options.require_directory(out)
    sweep_dead(out)
    planned = [
        RunJob(scenario, number, sut, schedule, out, str(path), options.masked_argv())
        for path, file in zip(scenarios, loaded, strict=True)
        for scenario in expand(file)
        for number in chosen
    ]
    rows = run_all(planned, options.cores(jobs), quiet=as_json)
    if as_json:
        for row in rows:
            click.echo(json.dumps({field: row[field] for field in JSON_FIELDS}))
    else:
        console = Console(highlight=False, soft_wrap=True)
        for job, row in zip(planned, rows, strict=True):
            _tell(console, job, row)
        _tell_sum(console, rows)
    raise SystemExit(combined(of_outcome(Outcome(row["outcome"])) for row in rows))


def _tell(console: Console, job: RunJob, row: dict[str, Any]) -> None:
    cost = "" if row["wall_seconds"] is None else f"{row['virtual_seconds']} virtual s in {row['wall_seconds']:.1f} s"
    name = f"{row['scenario']} seed {row['seed']}{labelled(job.schedule)}"
    console.print(f"{row['outcome']:<12} {plain(name):<56} {cost}", markup=False)
    if row["outcome"] == Outcome.PASSED:
        return
    if row["reason"]:
        console.print(f"  {plain(row['reason'])}", markup=False)
    for check in row["checks"]:
        if check["outcome"] != Outcome.PASSED:
            told = f"  {check['outcome']} {check['check']}: expected {check['expected']}; observed {check['observed']}"
            console.print(plain(told), markup=False)
    replay = run_command(job.source_file, job.seed, row["world"], job.sut, job.schedule)
    console.print(f"  replay: {replay}", markup=False)
    if row["bundle"]:
        console.print(f"  bundle: {plain(row['bundle'])}", markup=False)


def _tell_sum(console: Console, rows: Sequence[dict[str, Any]]) -> None:
    counts = {outcome: sum(row["outcome"] == outcome for row in rows) for outcome in Outcome}
    told = ", ".join(f"{count} {outcome.value}" for outcome, count in counts.items() if count)
    console.print(f"{len(rows)} runs: {told}", markup=False)
