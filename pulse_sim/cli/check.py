"""``pulse-sim check``: recompute a bundle's checks and verdict from what was recorded, with nothing run."""

import json
from pathlib import Path
from typing import NoReturn

import click
from rich.console import Console

from pulse_sim.cli.exit_status import ExitStatus, of_outcome, of_verdict
from pulse_sim.evidence.recheck import NotABundle, Recheck, recheck
from pulse_sim.report.text import plain


@click.command()
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout and nothing else.")
def check(bundle: Path, as_json: bool) -> None:
    """Recompute the checks and the verdict of a run or verdict BUNDLE offline; it needs neither mock nor stack.

    Damage is told and never makes anything better.
    """
    try:
        found = recheck(bundle)
    except NotABundle as error:
        _refuse(str(error))
    if as_json:
        click.echo(json.dumps(_row(found)))
    else:
        _tell(Console(highlight=False, soft_wrap=True), found)
    if found.verdict is not None:
        raise SystemExit(of_verdict(found.verdict.value))
    assert found.outcome is not None
    raise SystemExit(of_outcome(found.outcome))


def _refuse(message: str) -> NoReturn:
    click.echo(f"error: {plain(message)}; name a directory that pulse-sim run or verdict wrote", err=True)
    raise SystemExit(ExitStatus.USAGE)


def _row(found: Recheck) -> dict[str, object]:
    return {
        "bundle": str(found.path),
        "kind": found.kind,
        "verdict": None if found.verdict is None else found.verdict.value,
        "outcome": None if found.outcome is None else found.outcome.value,
        "intact": found.is_intact,
        "reasons": list(found.reasons),
        "damages": list(found.damages),
        "differences": [
            {"place": one.place, "recorded": one.recorded, "recomputed": one.recomputed} for one in found.differences
        ],
    }


def _tell(console: Console, found: Recheck) -> None:
    word = found.verdict.value if found.verdict is not None else str(found.outcome)
    state = "as recorded" if found.is_intact else "NOT as recorded"
    console.print(f"{word}, {state}: {len(found.runs)} runs recomputed from their logs", markup=False)
    for reason in found.reasons:
        console.print(f"  {plain(reason)}", markup=False)
    for one in found.differences:
        told = f"  differs: {one.place}: recorded {one.recorded}, recomputed {one.recomputed}"
        console.print(plain(told), markup=False)
