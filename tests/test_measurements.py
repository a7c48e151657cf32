"""The committed nightly measurements are there and say what is claimed; a sample of them is run again.

A small sample of issue 3's sweep is in ``tests/determinism/test_sweep.py``.
"""

from typing import Any

import pytest

from tests.nightly import issue_2, runs
from tests.nightly.measurement import Measurement


def committed(measurement: Measurement) -> dict[str, Any]:
    """What was measured; fails when nobody has committed it."""
    assert measurement.file.is_file(), (
        f"run `make nightly ISSUE={measurement.issue}` and commit {measurement.file.name}"
    )
    measured: dict[str, Any] = measurement.committed()["measured"]
    return measured


def test_the_good_stack_never_failed_and_each_broken_one_was_caught_for_every_seed() -> None:
    measured = committed(issue_2.MEASUREMENT)
    assert measured["good_stack"]["outcomes"] == {"passed": measured["good_stack"]["runs"]}
    assert measured["good_stack"]["seeds"] >= 40
    assert measured["broken_stacks"].keys() == set(issue_2.BROKEN)
    for name, swept in measured["broken_stacks"].items():
        assert swept["seeds_not_passed"] == swept["seeds"] >= 10, name


def test_both_soaks_passed() -> None:
    soaks = committed(issue_2.MEASUREMENT)["soaks_on_one_core"]
    assert {name: soak["outcome"] for name, soak in soaks.items()} == {
        "phase1-48h": "passed",
        "endurance-48h": "passed",
    }


@pytest.mark.system
def test_a_sample_of_the_sweep_comes_out_the_same_today() -> None:
    good = runs.sweep("101..101")
    assert good["outcomes"] == {"passed": good["runs"]}
