"""The inventory says what was tested with what; missing, empty or of other runs it is no evidence."""

from typing import Any

import pytest

from pulse_sim.outcome import Outcome
from pulse_sim.verdict.inventory import changes, judge_inventory

RAN = {("api-timeout", 1, "ab" * 32), ("soak", 1, "cd" * 32)}
INVENTORY: dict[str, Any] = {
    "version": 1,
    "plan": {"id": "trr-04", "digest": "12" * 32},
    "system": {"name": "reference", "version": "reference 1.0", "capabilities": ["metrics"]},
    "appliances": {"version": "1.0", "releases": ["24.10", "25.10"]},
    "scenarios": [{"scenario": name, "seed": seed, "digest": digest} for name, seed, digest in sorted(RAN)],
    "tools": {"pulse-sim": "1.0", "python": "3.11"},
}


def judged(**change: Any) -> tuple[Outcome, str]:
    result = judge_inventory("inventory", {**INVENTORY, **change}, RAN)
    return result.outcome, result.reason


def test_a_whole_inventory_of_the_runs_that_were_made_is_passed() -> None:
    assert judged() == (Outcome.PASSED, "")


@pytest.mark.parametrize("nothing", [None, {}, [], "", {"version": 1}])
def test_a_missing_or_empty_inventory_is_not_passed(nothing: object) -> None:
    assert judge_inventory("inventory", nothing, RAN).outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"version": 2}, "of version 2"),
        ({"version": True}, "of version True"),
        ({"plan": {"id": "trr-04"}}, "does not say the digest of the plan"),
        ({"system": {"name": "reference", "version": " "}}, "does not say the version of the system"),
        ({"system": None}, "does not say the name of the system"),
        ({"appliances": {"version": "1.0", "releases": []}}, "names no release"),
        ({"appliances": {"version": "1.0", "releases": [""]}}, "names no release"),
        ({"tools": {}}, "names no version of a tool"),
        ({"tools": {"python": None}}, "names no version of a tool"),
        ({"scenarios": []}, "lists no scenario"),
        ({"scenarios": [{"scenario": "soak", "seed": 1}]}, "without its id, seed and digest"),
        ({"scenarios": [{"scenario": "soak", "seed": 1, "digest": "zz"}]}, "without its id, seed and digest"),
        ({"scenarios": INVENTORY["scenarios"][:1]}, "does not list the run of soak with seed 1"),
        ({"scenarios": INVENTORY["scenarios"] * 2}, "lists a run twice"),
        ({"more": 1}, "has not the keys"),
    ],
)
def test_an_inventory_that_does_not_say_everything_is_not_passed(change: dict[str, Any], told: str) -> None:
    outcome, reason = judged(**change)
    assert outcome is Outcome.INCONCLUSIVE
    assert told in reason


def test_a_run_of_another_scenario_digest_is_not_the_one_listed() -> None:
    other = {("api-timeout", 1, "ab" * 32), ("soak", 1, "ef" * 32)}
    assert judge_inventory("inventory", INVENTORY, other).outcome is Outcome.INCONCLUSIVE


def test_a_run_that_was_listed_and_not_made_is_told() -> None:
    result = judge_inventory("inventory", INVENTORY, {("api-timeout", 1, "ab" * 32)})
    assert result.reason == "the inventory lists soak with seed 1, which was not run like that"


def test_what_changed_since_is_told_and_nothing_else() -> None:
    now = {**INVENTORY, "tools": {"pulse-sim": "1.1", "python": "3.11"}, "scenarios": INVENTORY["scenarios"][:1]}
    assert changes(INVENTORY, now) == [
        ("scenario soak, seed 1", "cd" * 32, "absent"),
        ("tool pulse-sim", "1.0", "1.1"),
    ]
    assert changes(INVENTORY, INVENTORY) == []


@pytest.mark.parametrize("before", [None, {}, [], {**INVENTORY, "scenarios": None}])
def test_of_nothing_before_nothing_changed(before: object) -> None:
    assert changes(before, INVENTORY) == []
