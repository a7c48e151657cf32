"""What an exit status means, and which of several wins: 2 > 4 > 1 > 3 > 0."""

from itertools import product

import pytest

from pulse_sim.cli.exit_status import ExitStatus, combined, of_outcome, of_verdict
from pulse_sim.outcome import Outcome

RANK = [ExitStatus.OK, ExitStatus.OPEN, ExitStatus.FAILED, ExitStatus.BROKEN, ExitStatus.USAGE]


def test_the_numbers_are_those_of_the_documentation() -> None:
    assert {status.name: status.value for status in ExitStatus} == {
        "OK": 0,
        "FAILED": 1,
        "USAGE": 2,
        "OPEN": 3,
        "BROKEN": 4,
    }


@pytest.mark.parametrize(
    ("outcome", "status"), [("passed", 0), ("failed", 1), ("skipped", 3), ("inconclusive", 3), ("errored", 4)]
)
def test_every_outcome_has_its_status(outcome: str, status: int) -> None:
    assert of_outcome(Outcome(outcome)) == status


def test_no_outcome_is_without_a_status() -> None:
    assert {of_outcome(outcome) for outcome in Outcome} == {0, 1, 3, 4}


@pytest.mark.parametrize(("verdict", "status"), [("GO", 0), ("GO_WITH_CONDITIONS", 3), ("NO_GO", 1)])
def test_every_verdict_has_its_status(verdict: str, status: int) -> None:
    assert of_verdict(verdict) == status


@pytest.mark.parametrize(("one", "other"), list(product(ExitStatus, repeat=2)))
def test_of_two_the_higher_ranked_wins(one: ExitStatus, other: ExitStatus) -> None:
    assert combined([one, other]) is max(one, other, key=RANK.index)


def test_of_none_nothing_was_shown() -> None:
    assert combined([]) is ExitStatus.OPEN
