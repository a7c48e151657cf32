"""A human input that is old, of tomorrow, unsigned, doubled or negative closes no gate."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from pulse_sim.verdict import Attestation, Statement
from pulse_sim.verdict.attest import HOLDS_FOR, judge_attestation

DAY = date(2026, 2, 9)
GIVEN = Statement("sign-off", True, "release board", DAY)


def closes(*statements: Statement) -> bool:
    return judge_attestation(Attestation(statements), DAY).get("sign-off", "not given") is None


def test_statement_of_the_day_closes_and_so_does_one_of_thirty_days_before() -> None:
    assert closes(GIVEN)
    assert closes(replace(GIVEN, on=DAY - HOLDS_FOR))


@pytest.mark.parametrize(
    "spoilt",
    [
        replace(GIVEN, on=DAY - HOLDS_FOR - timedelta(days=1)),
        replace(GIVEN, on=DAY + timedelta(days=1)),
        replace(GIVEN, by=" "),
        replace(GIVEN, holds=False),
        replace(GIVEN, id="triage"),
    ],
    ids=["stale", "future-dated", "unsigned", "negative", "of another input"],
)
def test_spoilt_statement_closes_nothing(spoilt: Statement) -> None:
    assert not closes(spoilt)


def test_statement_given_twice_or_not_at_all_closes_nothing() -> None:
    assert not closes(GIVEN, GIVEN)
    assert not closes()
