"""Scenarios in every combination of surroundings: one digest and the same bytes for each seed, or what differs.

``python -m tests.determinism.sweep --seed N --combination N --scenario ID`` repeats one combination beside the first.
Each combination is a process of its own that nothing shields. A cold one runs a single scenario. A warm one runs all
of them in an order drawn from its number, then all again in another, so each scenario has followed others and itself.
"""

import argparse
import json
import random
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.determinism.environments import COMBINATIONS, ROOT, Combination

PROGRAM: Final = Path(__file__).with_name("environment_run.py")
TIMEOUT_S: Final = 600
SCENARIOS: Final = {
    "api-timeout[tls=true]": "answers that stay out: deadlines, connections given up half-way",
    "auth-revoked-mid-session[tls=false]": "the appliance's own state changes under a session; the plain transport",
    "config-change-during-poll[tls=true]": "three appliances; polls cancelled and connectors closed under way",
    "connection-flap[tls=true]": "all ways to lose a peer, and a handshake after each",
    "stale-and-recovery[tls=false]": "wrong and cut bodies: parsers, tracebacks in logs, statuses that turn",
}
"""The scenarios of the resilience catalogue, one variant each, and what each touches that another does not."""
EVIDENCE: Final = ("observations.jsonl", "journal.jsonl", "metrics.om", "checks.json", "report.md", "scenario.yaml")
"""Files every bundle has, in the order in which a difference is looked for; whatever else it has comes before
``checks.json``, which differs whenever the trace does."""
SHOWN: Final = 400


@dataclass(frozen=True)
class Sitting:
    """One process: its surroundings and the scenarios it runs, in their order."""

    combination: Combination
    seed: int
    scenarios: tuple[str, ...]
    sut: str = "reference"

    @property
    def command(self) -> str:
        """The line that repeats it beside the first combination."""
        parts = [".venv/bin/python", "-m", "tests.determinism.sweep", "--seed", str(self.seed)]
        parts += ["--combination", str(self.combination.number)]
        if set(self.scenarios) != set(SCENARIOS):
            parts += ["--scenario", *sorted(set(self.scenarios))]
        if self.sut != "reference":
            parts += ["--sut", self.sut]
        return shlex.join(parts)


@dataclass(frozen=True)
class Ran:
    """One run as it came out, and the sitting it was part of. ``place`` is its number there."""

    sitting: Sitting
    place: int
    row: dict[str, Any]

    @property
    def scenario(self) -> str:
        return str(self.row["scenario"])

    @property
    def bundle(self) -> Path:
        return Path(self.row["bundle"])

    @property
    def face(self) -> tuple[Any, ...]:
        """All that has to be the same in every combination."""
        return self.row["trace_digest"], self.row["outcome_digest"], self.row["evidence"]


def sittings(
    seed: int,
    combinations: Iterable[Combination] = COMBINATIONS,
    scenarios: Sequence[str] = tuple(SCENARIOS),
    sut: str = "reference",
) -> Iterator[Sitting]:
    """The processes in which all ``scenarios`` meet all ``combinations``."""
    for combination in combinations:
        if combination.worker == "cold":
            yield from (Sitting(combination, seed, (scenario,), sut) for scenario in scenarios)
        else:
            order, names = random.Random(f"{seed}:order/{combination.number}"), sorted(scenarios)
            twice = [*order.sample(names, len(names)), *order.sample(names, len(names))]
            yield Sitting(combination, seed, tuple(twice), sut)


def hold(sitting: Sitting, out: Path, python: str = sys.executable) -> tuple[dict[str, Any], list[Ran]]:
    """Run one sitting with its bundles below ``out``: what the process saw around it, and its runs.

    Raises RuntimeError with the command that repeats it when the process fails.
    """
    combination = sitting.combination
    above = Path("scenarios") if combination.directory == "checkout" else ROOT / "scenarios"
    options = {
        "heap": combination.heap,
        "schedule": combination.schedule,
        "seed": sitting.seed,
        "sut": sitting.sut,
        "out": str(out),
        "runs": [(str(above / "resilience" / f"{name.partition('[')[0]}.yaml"), name) for name in sitting.scenarios],
    }
    try:
        done = subprocess.run(
            [python, str(PROGRAM), json.dumps(options)],
            env=combination.environment(),
            cwd=combination.working_directory(),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=True,
        )
    except subprocess.CalledProcessError as failed:
        raise RuntimeError(f"{failed.stderr}\nrepeat: {sitting.command}") from None
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"not done after {TIMEOUT_S} s\nrepeat: {sitting.command}") from None
    seen, *rows = (json.loads(line) for line in done.stdout.splitlines())
    return seen, [Ran(sitting, place, row) for place, row in enumerate(rows)]


def hold_all(planned: Sequence[Sitting], out: Path, *, jobs: int = 1, python: str = sys.executable) -> list[Ran]:
    """Run all sittings, ``jobs`` at a time; the runs in the order of the sittings, whichever ended first."""
    with ThreadPoolExecutor(jobs) as pool:
        held = pool.map(lambda pair: hold(pair[1], out / str(pair[0]), python), enumerate(planned))
        return [ran for _, runs in held for ran in runs]


def differences(runs: Iterable[Ran]) -> Iterator[str]:
    """For each (scenario, seed, schedule) and each way in which runs of it differ: where first, and how to repeat."""
    faces: dict[tuple[str, int, str], dict[str, list[Ran]]] = {}
    for ran in runs:
        same = faces.setdefault((ran.scenario, ran.sitting.seed, ran.sitting.combination.schedule), {})
        same.setdefault(json.dumps(ran.face), []).append(ran)
    for (scenario, seed, schedule), same in faces.items():
        (first, *more), *others = same.values()
        for other, *like_it in others:
            yield (
                f"{scenario} seed {seed} schedule {schedule} differs between\n"
                f"  run {first.place} of {first.sitting.combination} and {len(more)} more, and\n"
                f"  run {other.place} of {other.sitting.combination} and {len(like_it)} more\n"
                f"first difference: {first_difference(first, other)}\n"
                f"repeat: {other.sitting.command}"
            )


def first_difference(one: Ran, other: Ran) -> str:
    """The first evidence line in which two bundles differ, as both have it."""
    further = sorted({*one.row["evidence"], *other.row["evidence"]} - {*EVIDENCE})
    for name in (*EVIDENCE[:3], *further, *EVIDENCE[3:]):
        if one.row["evidence"].get(name) == other.row["evidence"].get(name):
            continue
        left, right = (_lines(ran.bundle / name) for ran in (one, other))
        for number in range(max(len(left), len(right))):
            mine, theirs = (lines[number] if number < len(lines) else b"(ended)" for lines in (left, right))
            if mine != theirs:
                return f"{name} line {number + 1}\n  {_around(mine, theirs)}\n  {_around(theirs, mine)}"
    return f"none in the evidence; trace {one.row['trace_digest']} and {other.row['trace_digest']}"


def _lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines() if path.is_file() else []


def _around(line: bytes, other: bytes) -> str:
    """The part of ``line`` around where ``other`` begins to differ."""
    same = next((place for place, pair in enumerate(zip(line, other, strict=False)) if pair[0] != pair[1]), 0)
    begin = max(0, same - SHOWN // 2)
    return ("…" if begin else "") + line[begin : begin + SHOWN].decode("utf-8", "backslashreplace")


def _beside_the_first(combination: Combination) -> Sequence[Combination]:
    """It, after the first cold one of its schedule that is another."""
    alike = (other for other in COMBINATIONS if other.schedule == combination.schedule and other.worker == "cold")
    return (next(other for other in alike if other != combination), combination)


def main() -> None:
    """Repeat one combination, or all, beside the first of its schedule; exit status 1 when anything differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.determinism.sweep", description=main.__doc__)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--combination", type=int, choices=range(len(COMBINATIONS)))
    parser.add_argument("--scenario", nargs="+", choices=tuple(SCENARIOS), default=tuple(SCENARIOS), metavar="ID")
    parser.add_argument("--sut", default="reference")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, help="keep the bundles here")
    told = parser.parse_args()
    chosen = COMBINATIONS if told.combination is None else _beside_the_first(COMBINATIONS[told.combination])
    planned = list(sittings(told.seed, chosen, told.scenario, told.sut))
    with tempfile.TemporaryDirectory() as kept:
        runs = hold_all(planned, (told.out or Path(kept)).resolve(), jobs=told.jobs)
        found = list(differences(runs))
    hint = "\nWith --out DIR the bundles stay, for pulse-sim diff." if found and told.out is None else ""
    print(*found, f"{len(runs)} runs in {len(planned)} processes, {len(found)} differences{hint}", sep="\n\n")
    raise SystemExit(bool(found))


if __name__ == "__main__":
    main()
