"""The committed nightly measurement is there and says what is claimed; a sample of it is run again."""

import json
from typing import Any

import pytest

from tests import nightly


@pytest.fixture(scope="module")
def committed() -> dict[str, Any]:
    assert nightly.FILE.is_file(), "run `make nightly` and commit docs/measurements/issue-2.json"
    told: dict[str, Any] = json.loads(nightly.FILE.read_bytes())
    return told


def test_the_measurement_says_how_where_and_of_what_it_was_made(committed: dict[str, Any]) -> None:
    assert committed["command"] == "make nightly"
    assert len(committed["commit"]) == 40
    assert committed["machine"].keys() == {"cores", "machine", "python"}


def test_the_good_stack_never_failed_and_each_broken_one_was_caught_for_every_seed(committed: dict[str, Any]) -> None:
    measured = committed["measured"]
    assert measured["good_stack"]["outcomes"] == {"passed": measured["good_stack"]["runs"]}
    assert measured["good_stack"]["seeds"] >= 40
    assert measured["broken_stacks"].keys() == set(nightly.BROKEN)
    for name, swept in measured["broken_stacks"].items():
        assert swept["seeds_not_passed"] == swept["seeds"] >= 10, name


def test_both_soaks_passed(committed: dict[str, Any]) -> None:
    soaks = committed["measured"]["soaks_on_one_core"]
    assert {name: soak["outcome"] for name, soak in soaks.items()} == {
        "phase1-48h": "passed",
        "endurance-48h": "passed",
    }


@pytest.mark.system
def test_a_sample_of_the_sweep_comes_out_the_same_today() -> None:
    good = nightly.sweep("101..101")
    assert good["outcomes"] == {"passed": good["runs"]}
