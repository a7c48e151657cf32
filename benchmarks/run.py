"""``make bench``: every figure beside its goal and beside what was committed last; nothing here fails a test.

Samples are taken in turn, each in a fresh process, in CPU time; peers live in environments of their own. ``--quick``
takes one short sample of each, to see that everything still runs, and writes nothing.
"""

import json
import sys
from collections.abc import Callable, Iterator
from functools import partial

import click
from rich.console import Console

from benchmarks import commands, instructions, memory, speed
from benchmarks.figures import Figure, interleaved
from benchmarks.processes import output_of
from benchmarks.results import RESULTS, committed, describe
from benchmarks.table import Goal, Row, table

RUNS = 7
_COMMAND_RUNS = 3


def _taken(key: str, measure: Callable[[], float], runs: int) -> Figure:
    print(f"{key} …", file=sys.stderr)
    return interleaved({key: measure}, runs, lambda told: print(told, file=sys.stderr))[key]


def command_rows(*, quick: bool) -> Iterator[Row]:
    """Whole commands, memory, and the cost of the trace."""
    runs, seeds = (1, 2) if quick else (_COMMAND_RUNS, 40)
    for scenario in commands.SOAKS[:1] if quick else commands.SOAKS:
        figure = _taken(f"soak {scenario.stem}", commands.soak_s(scenario), runs)
        yield Row(f"soak {scenario.stem}", f"{scenario.stem}, whole command", "CPU s", Goal(at_most=12), figure)
    figure = _taken("ten-minutes", commands.ten_minutes_per_s(seeds), runs)
    title = "ten minutes, three NAS, four faults"
    yield Row("ten-minutes", title, "runs per core-second", Goal(at_least=5), figure)
    figure = _taken("memory", partial(_growth, 8 if quick else 48), 1)
    yield Row("memory", "memory per virtual hour of polling", "MiB", Goal(at_most=0.1), figure)
    for workload in ("fresh", "keep-alive-16"):
        rounds = 4 if quick else 60
        figure = _taken(f"trace {workload}", partial(instructions.share_of_trace, workload, rounds), 1)
        title = f"digest and checkpoints, {workload}"
        yield Row(f"trace {workload}", title, "% of instructions", Goal(at_most=10), figure)
    title = "diff, first differing checkpoint"
    figure = _taken("diff", lambda: commands.diff_s()[0], runs)
    yield Row("diff checkpoint", title, "CPU s", Goal(at_most=0.1), figure)
    title = "diff, from there to the event 55 virtual s in"
    yield Row("diff event", title, "CPU s", Goal(), _taken("diff event", lambda: commands.diff_s()[1], runs))


def _growth(hours: int) -> float:
    told = json.loads(output_of([sys.executable, "-m", "benchmarks.memory", str(hours)]))
    return memory.slope({float(hour): value for hour, value in told.items()})


@click.command()
@click.option("--quick", is_flag=True, help="One short run of everything, to see that it runs; writes nothing.")
def main(*, quick: bool) -> None:
    """Measure, print the tables beside the last committed figures, write the results."""
    found = speed.benches()
    measured = speed.measure(found, 1 if quick else RUNS, quick=quick)
    absolute = list(speed.absolute_rows(measured))
    judged = [*speed.ratio_rows(measured, found), *command_rows(quick=quick)]
    earlier = committed()
    console = Console(width=160)
    console.print(table("Requests per core-second", absolute, earlier))
    console.print(table("Goals", judged, earlier))
    if quick:
        console.print("A quick run: the figures mean little, and nothing was written.")
        return
    rows = {row.key: row.to_data() for row in (*absolute, *judged)}
    RESULTS.write_text(json.dumps({**describe(found), "figures": rows}, indent=2, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
