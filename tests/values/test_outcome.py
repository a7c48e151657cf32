"""Outcomes and how they combine."""

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from pulse_sim.outcome import Outcome, worst


def test_outcomes_are_ordered_from_best_to_worst() -> None:
    ranked = sorted(Outcome, key=lambda outcome: outcome.rank)
    assert [outcome.value for outcome in ranked] == ["passed", "skipped", "inconclusive", "failed", "errored"]


def test_the_worst_wins_whatever_the_order() -> None:
    for one, two in permutations(Outcome, 2):
        assert worst([one, two]) is max(one, two, key=lambda outcome: outcome.rank)


@given(st.lists(st.sampled_from(Outcome), min_size=1), st.lists(st.sampled_from(Outcome), min_size=1))
def test_outcomes_may_be_combined_in_any_grouping(left: list[Outcome], right: list[Outcome]) -> None:
    assert worst([worst(left), worst(right)]) is worst(left + right)


def test_of_nothing_the_outcome_is_inconclusive() -> None:
    assert worst([]) is Outcome.INCONCLUSIVE


@given(st.lists(st.sampled_from(Outcome), min_size=1))
def test_only_all_passed_is_passed(outcomes: list[Outcome]) -> None:
    assert (worst(outcomes) is Outcome.PASSED) == (set(outcomes) == {Outcome.PASSED})
