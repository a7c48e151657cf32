"""What is told while runs are under way: a bar with the time left in a terminal, else one plain line for each run.

Goes to standard error, so that standard output stays the answer alone. Knows nothing of how runs are made; it is handed
their rows.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from pulse_sim.report.text import plain


@contextmanager
def told_progress(total: int, *, quiet: bool, what: str = "runs") -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """Call what this gives with the row of each run as it ends; ``total`` of them are to come.

    A row is what ``pulse-sim run --json`` prints for a run.
    """
    if quiet:
        yield lambda _row: None
    elif sys.stderr.isatty():
        with _bar(what, total) as advance:
            yield advance
    else:
        yield _lines(sys.stderr, total, "" if what == "runs" else f"{what} ")


def progress_line(row: Mapping[str, Any], number: int, total: int) -> str:
    """One finished run: the how-manieth it is, its outcome, scenario, seed, virtual and wall seconds."""
    name = plain(f"{row['scenario']} seed {row['seed']}")
    cost = ""
    if row["wall_seconds"] is not None:
        cost = f"  {row['virtual_seconds']} virtual s in {row['wall_seconds']:.1f} s"
    return f"[{number:>{len(str(total))}}/{total}] {row['outcome']:<12} {name}{cost}"


@contextmanager
def _bar(what: str, total: int) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[last]}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=total, last="")

        def advance(row: Mapping[str, Any]) -> None:
            progress.update(task, advance=1, last=plain(f"{row['outcome']} {row['scenario']}", 48))

        yield advance


def _lines(stream: TextIO, total: int, lead: str) -> Callable[[Mapping[str, Any]], None]:
    told = 0

    def tell(row: Mapping[str, Any]) -> None:
        nonlocal told
        told += 1
        print(f"{lead}{progress_line(row, told, total)}", file=stream, flush=True)

    return tell
