"""The attest file, read strictly: what is refused and in which words, and on which days a statement holds."""

from datetime import date, timedelta
from typing import Any

import pytest

from pulse_sim.outcome import Outcome
from pulse_sim.verdict import Attestation, Closing, Statement
from pulse_sim.verdict.attest import judge_attestation
from pulse_sim.verdict.model import Problem
from tests.verdict.doubles import TODAY

STATEMENT: dict[str, Any] = {"id": "sign-off", "holds": True, "by": "R. Lead", "on": "2026-02-09", "note": "by hand"}
CLOSING: dict[str, Any] = {"gate": "g", "by": "R. Lead", "on": "2026-02-08", "evidence": "run g-7", "note": "late"}
WHOLE: dict[str, Any] = {"version": 1, "statements": [STATEMENT], "closed": [CLOSING]}

KEYS = "an attest file has the keys version and statements, and perhaps closed"
STATEMENT_KEYS = "statements[1] has the keys id, holds, by, on and perhaps note, and no others"
STATEMENT_TYPES = "statements[1]: id, by and note are text, holds is true or false"
CLOSING_KEYS = "closed[1] has the keys gate, by, on, evidence and perhaps note, and no others"
CLOSING_TYPES = "closed[1]: gate, by, evidence and note are text"
DAY = "on is a date like 2026-02-09"


def refused(value: object) -> str:
    with pytest.raises(ValueError, match=r".+") as refusal:
        Attestation.from_data(value)
    return str(refusal.value)


def without(data: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name != key}


def test_a_whole_attest_file_is_read_and_written_back_key_by_key() -> None:
    attest = Attestation.from_data(WHOLE)
    assert attest == Attestation(
        (Statement("sign-off", True, "R. Lead", date(2026, 2, 9), "by hand"),),
        (Closing("g", "R. Lead", date(2026, 2, 8), "run g-7", "late"),),
    )
    assert attest.to_data() == WHOLE


def test_notes_and_closings_may_be_left_out_and_a_day_may_be_a_date() -> None:
    statement = {**without(STATEMENT, "note"), "on": date(2026, 2, 9)}
    assert Attestation.from_data({"version": 1, "statements": [statement]}) == Attestation(
        (Statement("sign-off", True, "R. Lead", date(2026, 2, 9), ""),), ()
    )
    closed = Attestation.from_data({**WHOLE, "closed": [without(CLOSING, "note")]}).closed
    assert [one.note for one in closed] == [""]


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, KEYS),
        ([], KEYS),
        ({}, KEYS),
        (without(WHOLE, "version"), KEYS),
        (without(WHOLE, "statements"), KEYS),
        ({**WHOLE, "more": 1}, KEYS),
        ({**WHOLE, "version": 2}, "attest file version 2 is not 1, the one known here"),
        ({**WHOLE, "version": True}, "attest file version True is not 1, the one known here"),
        ({**WHOLE, "statements": {}}, "statements is a list"),
        ({**WHOLE, "closed": {}}, "closed is a list"),
        ({**WHOLE, "closed": None}, "closed is a list"),
    ],
    ids=str,
)
def test_an_attest_file_of_another_shape_is_refused_in_words(value: object, told: str) -> None:
    assert refused(value) == told


@pytest.mark.parametrize(
    ("item", "told"),
    [
        ("sign-off", "statements[1] is not a mapping"),
        *((without(STATEMENT, key), STATEMENT_KEYS) for key in ("id", "holds", "by", "on")),
        ({**STATEMENT, "evidence": "x"}, STATEMENT_KEYS),
        *(({**STATEMENT, key: 1}, STATEMENT_TYPES) for key in ("id", "by", "note", "holds")),
        ({**STATEMENT, "on": 20260209}, f"statements[1]: {DAY}"),
        ({**STATEMENT, "on": "soon"}, f"statements[1]: {DAY}, not 'soon'"),
    ],
    ids=str,
)
def test_a_malformed_statement_is_refused_by_its_place(item: object, told: str) -> None:
    assert refused({**WHOLE, "statements": [STATEMENT, item]}) == told


@pytest.mark.parametrize(
    ("item", "told"),
    [
        ("g", "closed[1] is not a mapping"),
        *((without(CLOSING, key), CLOSING_KEYS) for key in ("gate", "by", "on", "evidence")),
        ({**CLOSING, "holds": True}, CLOSING_KEYS),
        *(({**CLOSING, key: 1}, CLOSING_TYPES) for key in ("gate", "by", "evidence", "note")),
        ({**CLOSING, "on": None}, f"closed[1]: {DAY}"),
        ({**CLOSING, "on": "2026-13-01"}, f"closed[1]: {DAY}, not '2026-13-01'"),
    ],
    ids=str,
)
def test_a_malformed_closing_is_refused_by_its_place(item: object, told: str) -> None:
    assert refused({**WHOLE, "closed": [CLOSING, item]}) == told


@pytest.mark.parametrize(
    ("statement", "outcome", "told"),
    [
        (Statement("s", False, "R. Lead", TODAY), Outcome.FAILED, "R. Lead states that it does not hold"),
        (Statement("s", False, "", TODAY), Outcome.FAILED, "nobody states that it does not hold"),
    ],
)
def test_a_denial_counts_whoever_makes_it(statement: Statement, outcome: Outcome, told: str) -> None:
    assert judge_attestation(Attestation((statement,)), TODAY) == {"s": Problem(outcome, f"human input s: {told}")}


@pytest.mark.parametrize(
    ("by", "days", "told"),
    [
        ("R. Lead", 0, None),
        ("R. Lead", -30, None),
        (" ", 0, "human input s names nobody who gave it"),
        ("R. Lead", 1, "human input s is dated 2026-02-10, after the decision 2026-02-09"),
        (
            "R. Lead",
            -31,
            "human input s is dated 2026-01-09, more than 30 days before the decision 2026-02-09: give it anew",
        ),
    ],
)
def test_a_statement_holds_from_its_day_for_thirty_days(by: str, days: int, told: str | None) -> None:
    judged = judge_attestation(Attestation((Statement("s", True, by, TODAY + timedelta(days)),)), TODAY)
    assert judged == {"s": None if told is None else Problem(Outcome.INCONCLUSIVE, told)}


def test_a_statement_given_twice_is_none_and_one_given_once_beside_it_is() -> None:
    one, other = (Statement(name, True, "R. Lead", TODAY) for name in ("a", "b"))
    assert judge_attestation(Attestation((one, other, one)), TODAY) == {
        "a": Problem(Outcome.INCONCLUSIVE, "human input a is given more than once"),
        "b": None,
    }
    assert judge_attestation(None, TODAY) == {}
