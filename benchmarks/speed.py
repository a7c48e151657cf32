"""Requests per core-second of every engine under every interpreter, and the ratios that the goals are about."""

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from benchmarks.figures import Figure, NotMeasured, interleaved, ratio
from benchmarks.interpreters import Interpreter, newer, own, with_peers
from benchmarks.processes import output_of
from benchmarks.table import Goal, Row
from benchmarks.workloads import WORKLOADS

OURS: Final = "simulation"
GOALS: Final = {
    ("keep-alive-16", "loopback"): Goal(at_least=1.1),
    ("keep-alive-16", "simloop"): Goal(at_least=1.5),
    ("fresh", "loopback"): Goal(at_least=1.7),
    ("fresh", "simloop"): Goal(at_least=1.7),
}
_TOLD: Final = Goal()


@dataclass(frozen=True)
class Bench:
    """One engine under one interpreter; ``python`` is missing where it cannot be had."""

    engine: str
    minor: str
    python: Interpreter | NotMeasured

    @property
    def key(self) -> str:
        return f"{self.engine} {self.minor}"


def benches() -> list[Bench]:
    """The project's own interpreter with its own libraries, uvloop beside it, and simloop where it runs.

    Under the newer interpreter everything runs again, so that each ratio is of two figures under one Python.
    """
    mine, other = own(), newer()
    peers = with_peers(mine)
    found = [Bench("loopback", mine.minor, mine), Bench(OURS, mine.minor, mine), Bench("uvloop", mine.minor, peers)]
    if other is None:
        return [*found, Bench("simloop", "3.12", NotMeasured("no Python of 3.12 or later is installed"))]
    elsewhere = with_peers(other)
    if other.minor == mine.minor:
        return [*found, Bench("simloop", mine.minor, elsewhere)]
    return [*found, *(Bench(engine, other.minor, elsewhere) for engine in ("loopback", OURS, "simloop"))]


def measure(found: list[Bench], runs: int, *, quick: bool) -> dict[str, dict[str, Figure]]:
    """Requests per core-second by workload and bench, taken in turn in a fresh process each."""
    measured: dict[str, dict[str, Figure]] = {}
    for name, workload in WORKLOADS.items():
        rounds = max(2, workload.rounds // 20) if quick else workload.rounds
        print(f"{workload.title} …", file=sys.stderr)
        takes: dict[str, Callable[[], float]] = {}
        missing: dict[str, Figure] = {}
        for bench in found:
            if isinstance(bench.python, NotMeasured):
                missing[bench.key] = bench.python
            else:
                takes[bench.key] = partial(sample, bench.python, bench.engine, name, rounds)
        taken = interleaved(takes, runs, lambda told: print(told, file=sys.stderr)) | missing
        measured[name] = {bench.key: taken[bench.key] for bench in found}
    return measured


def sample(python: Interpreter, engine: str, workload: str, rounds: int) -> float:
    """One measurement in a process of its own."""
    return float(output_of([python.program, "-m", "benchmarks.sample", engine, workload, str(rounds)]))


def absolute_rows(measured: Mapping[str, Mapping[str, Figure]]) -> Iterator[Row]:
    """What each engine does by itself; these change with the machine and have no goal."""
    for name, figures in measured.items():
        for key, figure in figures.items():
            yield Row(f"{name} {key}", f"{WORKLOADS[name].title}: {key}", "/s", _TOLD, figure)


def ratio_rows(measured: Mapping[str, Mapping[str, Figure]], found: list[Bench]) -> Iterator[Row]:
    """Our simulation against each peer under the same interpreter; a goal holds for the first pair it names."""
    wanted = dict(GOALS)
    for name, figures in measured.items():
        for peer in (bench for bench in found if bench.engine != OURS):
            ours = figures.get(f"{OURS} {peer.minor}", NotMeasured("no interpreter for it"))
            goal = wanted.pop((name, peer.engine), _TOLD)
            title = f"{WORKLOADS[name].title}: simulation / {peer.engine} ({peer.minor})"
            yield Row(f"{name} {OURS}/{peer.key}", title, "×", goal, ratio(ours, figures[peer.key]))
