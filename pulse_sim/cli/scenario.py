"""``pulse-sim scenario``: look at the catalogue, validate files, print the schemas."""

import json
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pulse_sim.cli import options
from pulse_sim.report.text import plain
from pulse_sim.scenario.load import expand, load_scenarios
from pulse_sim.scenario.problem import DocumentError
from pulse_sim.units import format_duration

CATALOGUE: Final = Path("scenarios")
UNBOUNDED: Final = 10_000


@click.group()
def scenario() -> None:
    """The scenario catalogue and its file format."""


@scenario.command("list")
@click.argument("directory", default=CATALOGUE, type=click.Path(file_okay=False, exists=True, path_type=Path))
def list_(directory: Path) -> None:
    """Every scenario below DIRECTORY: id, virtual length, how many runs its matrix makes, title."""
    files = [file for file in sorted(directory.rglob("*.yaml")) if "plans" not in file.relative_to(directory).parts]
    try:
        loaded = load_scenarios(files)
    except DocumentError as error:
        options.stop_for_problems(error)
    table = Table(box=None, pad_edge=False, header_style="dim")
    for head in ("id", "length", "runs", "file", "title"):
        table.add_column(head, overflow="fold")
    for file, one in zip(files, loaded, strict=True):
        length, runs = format_duration(one.duration), str(len(expand(one)))
        table.add_row(one.id, length, runs, Text(plain(file)), Text(plain(one.title)))
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = UNBOUNDED  # for a program that reads it, one line a scenario and nothing folded
    console.print(table)


@scenario.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
def validate(files: tuple[Path, ...]) -> None:
    """Check scenario FILES; every problem of every file is told at once, with line and column. Exit status 2 then."""
    try:
        loaded = load_scenarios(files)
    except DocumentError as error:
        options.stop_for_problems(error)
    runs = sum(len(expand(one)) for one in loaded)
    click.echo(f"{len(loaded)} files valid, {runs} runs")


@scenario.command()
@click.argument("document", default="scenario", type=click.Choice(["scenario", "plan"]))
def schema(document: str) -> None:
    """Print the JSON Schema of scenario or plan files."""
    from pulse_sim.scenario.schema import plan_schema, scenario_schema

    click.echo(json.dumps(scenario_schema() if document == "scenario" else plan_schema(), indent=2))
