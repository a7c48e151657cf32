"""Every broken stack under the resilience catalogue over many seeds, how sure that makes us, and the good one too.

Where a run is P0 a plan is NO_GO as soon as one is not passed, and nothing undoes it (R10). So a seed needs runs only
until the first that is not passed, and the scenario that killed a stack before is tried first. What the catalogue
cannot kill, since it never asks for that safeguard, is told as such and measured in its own scenario.
"""

import json
import math
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pulse_sim.scenario.load import load_scenario
from tests.broken.expectations import EXPECTED, scenario_of
from tests.nightly.measurement import ROOT
from tests.nightly.runs import RESILIENCE

RATE_WANTED: Final = 0.99
CONFIDENCE: Final = 0.95
SEEDS_ENOUGH: Final = 299
"""The fewest seeds, none of them missed, that show a rate of 99 % with a confidence of 95 %: 0.99^n < 0.05."""
EXPLORED: Final = 2
"""Seeds with which the whole catalogue is tried before a stack counts as one it cannot kill."""


@dataclass
class Tally:
    """What became of one stack. ``killed`` counts seeds by the scenario that was not passed; ``missed`` are seeds."""

    catalogue: bool
    seeds: int = 0
    runs: int = 0
    killed: Counter[str] = field(default_factory=Counter)
    missed: list[int] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """The share of seeds that were NO_GO."""
        return self.killed.total() / self.seeds if self.seeds else 0.0

    def told(self) -> dict[str, Any]:
        """Figures, with the rate that is shown with the wanted confidence."""
        return {
            "killed_by": "the resilience catalogue" if self.catalogue else "its own scenario",
            "seeds": self.seeds,
            "runs": self.runs,
            "no_go": self.killed.total(),
            "first_not_passed": dict(sorted(self.killed.items())),
            "missed_seeds": self.missed,
            "rate_at_least": round(shown_rate(self.killed.total(), self.seeds), 4),
        }


def sweep_broken(seeds: int, names: Iterable[str] = tuple(EXPECTED)) -> list[str]:
    """Whatever was not as it must be, over so many seeds for every stack."""
    faults: list[str] = measured(seeds, names)["faults"]
    return faults


def measured(seeds: int, names: Iterable[str] = tuple(EXPECTED), good_seeds: int | None = None) -> dict[str, Any]:
    """Figures for every stack and the good one, and under ``faults`` whatever was not as it must be.

    The good stack passes nothing by stopping early and costs some twenty runs a seed: it gets a tenth of the seeds.
    """
    tallies = {name: sweep_one(name, seeds) for name in names}
    good_rows = [row for file in RESILIENCE for row in run_rows(file, _range(good_seeds or max(1, seeds // 10)))]
    good = Counter(row["outcome"] for row in good_rows)
    faults = [
        f"{name}: NO_GO for {tally.rate:.1%} of {tally.seeds} seeds; missed {tally.missed[:10]}"
        for name, tally in tallies.items()
        if tally.rate < RATE_WANTED
    ]
    faults += [
        f"the good stack: {row['scenario']} seed {row['seed']}: {row['outcome']}"
        for row in good_rows
        if row["outcome"] != "passed"
    ]
    return {
        "asked": f"for each seed the first run not passed, of {len(RESILIENCE)} scenarios, each in its first variant",
        "confidence": CONFIDENCE,
        "stacks": {name: tally.told() for name, tally in tallies.items()},
        "good_stack": {"runs": len(good_rows), "outcomes": dict(sorted(good.items()))},
        "faults": faults,
    }


def sweep_one(name: str, seeds: int, catalogue: Sequence[Path] = RESILIENCE) -> Tally:
    """One stack over seeds 1 to ``seeds``."""
    own = scenario_of(name)
    files = _explored(name, catalogue)
    tally = Tally(catalogue=bool(files))
    files = files or [own]
    tally.seeds = seeds
    left = list(range(1, seeds + 1))
    for file in files:
        open_seeds: list[int] = []
        for span in _spans(left):
            rows = run_rows(file, span, f"tests.broken:{name}")
            tally.runs += len(rows)
            caught = {row["seed"] for row in rows if row["outcome"] != "passed"}
            tally.killed[file.stem] += len(caught)
            open_seeds += [seed for seed in range(span[0], span[1] + 1) if seed not in caught]
        left = open_seeds
        if not left:
            break
    tally.missed = left
    tally.killed += Counter()  # what killed nothing is not named
    return tally


def run_rows(file: Path, seeds: tuple[int, int], sut: str = "reference") -> list[dict[str, Any]]:
    """One scenario, of its matrix the first combination, with seeds from the first to the last, both included."""
    command = [sys.executable, "-m", "pulse_sim.cli.main", "run", str(file), "--seeds", f"{seeds[0]}..{seeds[1]}"]
    matrix = load_scenario(file).matrix
    first = [part for name, values in matrix.items() for part in ("--set", f"matrix.{name}={json.dumps(values[:1])}")]
    with tempfile.TemporaryDirectory() as out:
        done = subprocess.run(
            [*command, "--sut", sut, *first, "--json", "--out", out],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    if not done.stdout:
        raise RuntimeError(f"exit status {done.returncode}: {done.stderr.strip()}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def shown_rate(hits: int, tries: int) -> float:
    """The lowest rate at which so many hits or more would still be seen with a chance of 5 % (Clopper and Pearson)."""
    low, high = 0.0, hits / tries if tries else 0.0
    for _ in range(50):
        rate = (low + high) / 2
        chance = math.fsum(
            math.comb(tries, count) * rate**count * (1 - rate) ** (tries - count) for count in range(hits, tries + 1)
        )
        low, high = (rate, high) if chance < 1 - CONFIDENCE else (low, rate)
    return low


def _explored(name: str, catalogue: Sequence[Path]) -> list[Path]:
    """The catalogue with those first that kill the stack; empty when none does with the seeds it is explored with."""
    killers: Counter[Path] = Counter()
    for file in catalogue:
        rows = run_rows(file, (1, EXPLORED), f"tests.broken:{name}")
        killers[file] = len({row["seed"] for row in rows if row["outcome"] != "passed"})
        if killers[file] == EXPLORED:
            break
    if not killers.total():
        return []
    return sorted(catalogue, key=lambda file: (-killers[file], catalogue.index(file)))


def _range(seeds: int) -> tuple[int, int]:
    return 1, seeds


def _spans(seeds: Sequence[int]) -> list[tuple[int, int]]:
    """Runs of neighbouring numbers, as the command takes them."""
    spans: list[tuple[int, int]] = []
    for seed in seeds:
        if spans and spans[-1][1] == seed - 1:
            spans[-1] = (spans[-1][0], seed)
        else:
            spans.append((seed, seed))
    return spans
