"""The sweep over broken stacks counts what it says it counts: a seed that nothing noticed is a fault, and is named."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.broken.expectations import scenario_of
from tests.nightly import broken_sweep
from tests.nightly.broken_sweep import SEEDS_ENOUGH, measured, shown_rate, sweep_broken, sweep_one
from tests.nightly.runs import RESILIENCE

ONE, OTHER = RESILIENCE[:2]
NAME = "no_deadlines"


def told(monkeypatch: pytest.MonkeyPatch, passing: dict[str, Sequence[int]], good: str = "passed") -> list[str]:
    """Let a run of a broken stack be passed for the seeds given for its scenario; what was run, for the asking."""
    asked: list[str] = []

    def rows(file: Path, seeds: tuple[int, int], sut: str = "reference") -> list[dict[str, Any]]:
        asked.append(f"{sut} {file.stem} {seeds[0]}..{seeds[1]}")
        span = range(seeds[0], seeds[1] + 1)
        outcomes = {seed: "passed" if seed in passing.get(file.stem, ()) else "failed" for seed in span}
        if sut == "reference":
            outcomes = dict.fromkeys(span, good)
        return [{"scenario": file.stem, "seed": seed, "outcome": outcome} for seed, outcome in outcomes.items()]

    monkeypatch.setattr(broken_sweep, "run_rows", rows)
    return asked


def test_a_rate_is_only_shown_by_enough_seeds() -> None:
    assert shown_rate(SEEDS_ENOUGH, SEEDS_ENOUGH) > 0.99 > shown_rate(SEEDS_ENOUGH - 1, SEEDS_ENOUGH - 1)
    assert shown_rate(SEEDS_ENOUGH - 1, SEEDS_ENOUGH) < 0.99
    assert (shown_rate(0, 10), shown_rate(0, 0)) == (0.0, 0.0)
    assert shown_rate(1, 2) == pytest.approx(1 - 0.95**0.5, abs=1e-9)


def test_only_seeds_that_were_not_caught_are_run_in_the_next_scenario(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = told(monkeypatch, {ONE.stem: [3, 4, 7]})
    tally = sweep_one(NAME, 8, [ONE, OTHER])
    assert asked[1:] == [
        f"tests.broken:{NAME} {ONE.stem} 1..8",
        *(f"tests.broken:{NAME} {OTHER.stem} {s}" for s in ("3..4", "7..7")),
    ]
    assert (dict(tally.killed), tally.missed, tally.rate, tally.runs) == ({ONE.stem: 5, OTHER.stem: 3}, [], 1.0, 11)


def test_the_scenario_that_kills_is_tried_first(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = told(monkeypatch, {ONE.stem: range(100)})
    sweep_one(NAME, 5, [ONE, OTHER])
    assert asked[-1] == f"tests.broken:{NAME} {OTHER.stem} 1..5"


def test_what_the_catalogue_cannot_kill_is_told_and_measured_in_its_own_scenario(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = scenario_of(NAME)
    told(monkeypatch, {file.stem: range(100) for file in (ONE, OTHER)})
    tally = sweep_one(NAME, 5, [ONE, OTHER])
    assert (tally.told()["killed_by"], dict(tally.killed)) == ("its own scenario", {own.stem: 5})


def test_seeds_nothing_noticed_and_a_good_stack_that_is_not_passed_are_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    files = [*RESILIENCE, scenario_of(NAME)]
    told(monkeypatch, {file.stem: [5] for file in files}, good="inconclusive")
    faults = sweep_broken(20, [NAME])
    assert faults[0] == f"{NAME}: NO_GO for 95.0% of 20 seeds; missed [5]"
    assert len(faults) == 1 + 2 * len(RESILIENCE)
    told(monkeypatch, {})
    assert measured(20, [NAME])["faults"] == []


@pytest.mark.system
def test_a_broken_stack_is_caught_with_every_seed_of_a_sample_and_the_good_one_with_none() -> None:
    (revoked,) = [file for file in RESILIENCE if file.stem == "auth-revoked-mid-session"]
    tally = sweep_one("errors_swallowed", 2, [revoked])
    assert (tally.rate, tally.catalogue, tally.runs) == (1.0, True, 2)
    assert {row["outcome"] for row in broken_sweep.run_rows(revoked, (1, 2))} == {"passed"}
