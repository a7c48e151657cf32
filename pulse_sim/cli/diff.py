"""``pulse-sim diff``: where two recorded runs begin to differ, and in which event."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Final

import click

from pulse_sim.cli import options
from pulse_sim.cli.divergence import NotRepeatable, NotReproduced, find_event
from pulse_sim.cli.exit_status import ExitStatus
from pulse_sim.cli.job import CHECKOUT
from pulse_sim.cli.recorded import RecordedRun, differing, first_difference, inputs_of_environment, read_run
from pulse_sim.cli.telling import Answer, as_data, as_lines
from pulse_sim.evidence.environment import describe_environment
from pulse_sim.evidence.hostile import BundleDamaged
from pulse_sim.evidence.recheck import NotABundle
from pulse_sim.report.text import plain
from pulse_sim.scenario.problem import DocumentError

_STATUS: Final = {
    "no difference": ExitStatus.OK,
    "different": ExitStatus.FAILED,
    "not reproduced": ExitStatus.BROKEN,
}


@click.command()
@click.argument("run_a", type=click.Path(path_type=Path))
@click.argument("run_b", type=click.Path(path_type=Path))
@click.option("--no-rerun", is_flag=True, help="Stop at the first differing checkpoint; run nothing.")
@click.option("--sut", default=None, help="The system a bundle names may be imported: package.module:factory.")
@click.option("--sut-a", default=None, help="The same for the first run only.")
@click.option("--sut-b", default=None, help="The same for the second run only.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout and nothing else.")
def diff(
    run_a: Path,
    run_b: Path,
    no_rerun: bool,
    sut: str | None,
    sut_a: str | None,
    sut_b: str | None,
    as_json: bool,
) -> None:
    """Compare the bundles of two runs: their inputs, then their checkpoints, then both repeated up to the first event
    that differs. Exit status 0: no difference; 1: a difference; 4: a bundle is not reproduced by this code.

    A bundle's word imports nothing: a run of another system than the reference is repeated only when the command line
    names that system.
    """
    one, other = _read("A", run_a), _read("B", run_b)
    checkpoint = first_difference(one.checkpoints, other.checkpoints)
    answer = Answer(one, other, differing(one.inputs, other.inputs), checkpoint, None)
    suts = _confirmed((one, other), (sut_a or sut, sut_b or sut), (sut_a, sut_b))
    if checkpoint is not None:
        answer = replace(answer, why_no_event=_why_not(one, other, suts, no_rerun))
        if not answer.why_no_event:
            answer = _with_event(answer, suts)
    data = as_data(answer)
    if as_json:
        click.echo(json.dumps(data))
    else:
        for line in as_lines(answer):
            click.echo(plain(line))
    raise SystemExit(_STATUS[data["result"]])


def _read(name: str, path: Path) -> RecordedRun:
    try:
        return read_run(path)
    except NotABundle as error:
        options.stop(plain(f"run {name}: {error}; name a directory that pulse-sim run wrote"))
    except BundleDamaged as damage:
        options.stop(plain(f"run {name}: the bundle is damaged: {damage}"))


def _confirmed(
    runs: tuple[RecordedRun, RecordedRun], given: tuple[str | None, str | None], own: tuple[str | None, str | None]
) -> list[str | None]:
    """The system of each run as far as the command line allows it; None where it would have to be named."""
    named = [run.inputs["sut"] for run in runs]
    for letter, name, system in zip("ab", named, own, strict=True):
        if system is not None and system != name:
            options.stop(plain(f"--sut-{letter} {system}: that run was made with {name}, and only that repeats it"))
    stray = [system for system in given if system is not None and system not in named]
    if stray:
        options.stop(
            plain(f"--sut {stray[0]}: the runs were made with {' and '.join(named)}, and only that repeats them")
        )
    return [name if name in ("reference", system) else None for name, system in zip(named, given, strict=True)]


def _why_not(one: RecordedRun, other: RecordedRun, suts: list[str | None], no_rerun: bool) -> str:
    """Why nothing is to be repeated; empty when all may be."""
    if no_rerun:
        return "--no-rerun"
    for letter, run, system in zip("AB", (one, other), suts, strict=True):
        if run.inputs["world"] != "simulated":
            return f"run {letter} is of the {run.inputs['world']} world, which does not repeat"
        if system is None:
            name = run.inputs["sut"]
            return f"run {letter} was made with {name}; say --sut-{letter.lower()} {name} to have that imported and run"
    return ""


def _with_event(answer: Answer, suts: list[str | None]) -> Answer:
    options.refuse_development_mode()
    systems = [system for system in suts if system is not None]
    for system in systems:
        options.require_system(system)
    assert answer.checkpoint is not None
    try:
        event = find_event((answer.one, answer.other), systems, answer.checkpoint)
    except DocumentError as error:
        first = error.problems[0]
        options.stop(plain(f"the scenario of a bundle is none for this version: {first}"))
    except NotRepeatable as error:
        click.echo(f"error: {plain(error)}", err=True)
        raise SystemExit(ExitStatus.BROKEN) from None
    code: list[tuple[str, object, object]] = []
    if isinstance(event, NotReproduced):
        run = answer.one if event.run == "A" else answer.other
        here = inputs_of_environment(describe_environment(argv=(), started_at="", ended_at="", checkout=CHECKOUT))
        code = differing({name: run.inputs.get(name) for name in here}, here)
    return replace(answer, event=event, code=code)
