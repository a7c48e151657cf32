"""The inventory says what was tested with what; missing, empty or of other runs it is no evidence."""

from typing import Any

import pytest

from pulse_sim.outcome import Outcome
from pulse_sim.verdict.inventory import changes, judge_inventory

KEYS = "the inventory has not the keys appliances, plan, scenarios, system, tools, version"
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
    assert (result.id, result.kind) == ("inventory", "inventory")
    return result.outcome, result.reason


def test_a_whole_inventory_of_the_runs_that_were_made_is_passed() -> None:
    assert judged() == (Outcome.PASSED, "")


@pytest.mark.parametrize("nothing", [None, {}, [], "", {"version": 1}])
def test_a_missing_or_empty_inventory_is_not_passed(nothing: object) -> None:
    assert judge_inventory("inventory", nothing, RAN).outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"version": 2}, "the inventory is of version 2, known here is 1"),
        ({"version": True}, "the inventory is of version True, known here is 1"),
        ({"plan": {"id": "trr-04"}}, "the inventory does not say the digest of the plan"),
        ({"system": {"name": "reference", "version": " "}}, "the inventory does not say the version of the system"),
        ({"system": None}, "the inventory does not say the name of the system"),
        ({"appliances": {"version": "1.0", "releases": []}}, "the inventory names no release of an appliance"),
        ({"appliances": {"version": "1.0", "releases": [""]}}, "the inventory names no release of an appliance"),
        ({"appliances": []}, "the inventory does not say the version of the appliances"),
        ({"tools": {}}, "the inventory names no version of a tool, or not every one"),
        ({"tools": {"python": None}}, "the inventory names no version of a tool, or not every one"),
        ({"scenarios": []}, "the inventory lists no scenario"),
        (
            {"scenarios": [{"scenario": "soak", "seed": 1}]},
            "the inventory lists a scenario without its id, seed and digest",
        ),
        (
            {"scenarios": [{"scenario": "soak", "seed": 1, "digest": "zz"}]},
            "the inventory lists a scenario without its id, seed and digest",
        ),
        (
            {"scenarios": INVENTORY["scenarios"][:1]},
            "the inventory does not list the run of soak with seed 1 as it was made",
        ),
        ({"scenarios": INVENTORY["scenarios"] * 2}, "the inventory lists a run twice"),
        ({"more": 1}, KEYS),
    ],
)
def test_an_inventory_that_does_not_say_everything_is_not_passed(change: dict[str, Any], told: str) -> None:
    outcome, reason = judged(**change)
    assert outcome is Outcome.INCONCLUSIVE
    assert reason == told


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


def test_without_an_inventory_that_is_what_is_told() -> None:
    assert judge_inventory("inventory", None, RAN).reason == "there is no inventory"


def test_everything_a_verdict_rests_on_is_compared_by_its_name() -> None:
    now = {
        **INVENTORY,
        "plan": {"id": "trr-04", "digest": "34" * 32},
        "system": {"name": "another", "version": "2.0"},
        "appliances": {"version": "1.1", "releases": ["25.10"]},
        "tools": {"pulse-sim": "1.0", "python": "3.11", "promtool": "3.5"},
    }
    assert changes(INVENTORY, now) == [
        ("mock, version", "1.0", "1.1"),
        ("plan", "12" * 32, "34" * 32),
        ("releases", "24.10, 25.10", "25.10"),
        ("system under test, name", "reference", "another"),
        ("system under test, version", "reference 1.0", "2.0"),
        ("tool promtool", "absent", "3.5"),
    ]
