"""What a kind of check makes of its judge, and a result read back from its data."""

import re
from typing import Any

import pytest

from pulse_sim.checks import CheckResult, Judgement, judge_run
from pulse_sim.checks.judgement import Finding, NoEvidence, check_kind
from pulse_sim.checks.parameters import Parameters
from pulse_sim.outcome import Outcome
from tests.checks.log_builder import LogBuilder


class Colour(Parameters):
    """A run has a colour.

    More about it.
    """

    of: str = "red"


class Undescribed(Parameters):
    pass


Undescribed.__doc__ = None
LOG = LogBuilder().log("1m")


def judged(found: Finding | NoEvidence) -> Judgement:
    def find(log: Any, given: Colour) -> Finding:
        assert log is LOG
        assert given == Colour(of="blue")
        if isinstance(found, NoEvidence):
            raise found
        return found

    return check_kind("colour", Colour, lambda given: f"it is {given.of}", find).judge(LOG, Colour(of="blue"))


def test_a_kind_is_described_by_the_first_line_of_its_parameters() -> None:
    kind = check_kind("colour", Colour, str, lambda *_: Finding(True, ""))
    assert (kind.name, kind.doc, kind.parameters) == ("colour", "A run has a colour.", Colour)
    assert check_kind("plain", Undescribed, str, lambda *_: Finding(True, "")).doc == ""


def test_a_finding_that_holds_passes_and_one_that_does_not_fails() -> None:
    passed = Judgement(Outcome.PASSED, "it is blue", "blue", (2, 7))
    assert judged(Finding(True, "blue", [7, 2, 7])) == passed
    assert passed.reason == ""
    reason = "expected it is blue; observed green"
    assert judged(Finding(False, "green", range(20))) == Judgement(
        Outcome.FAILED, "it is blue", "green", (0, 1, 2, 3, 16, 17, 18, 19), reason
    )
    assert judged(Finding(False, "green")).evidence == ()


@pytest.mark.parametrize("holds", [None, 1, "yes"])
def test_a_finding_that_neither_holds_nor_does_not_is_none(holds: Any) -> None:
    with pytest.raises(TypeError, match=r"^an expectation holds or does not$"):
        Finding(holds, "blue")


def test_what_the_log_cannot_tell_is_inconclusive() -> None:
    gap = NoEvidence("nobody looked", [3, 1])
    assert str(gap) == gap.missing == "nobody looked"
    assert judged(gap) == Judgement(Outcome.INCONCLUSIVE, "it is blue", "nobody looked", (1, 3), "nobody looked")


RESULT = CheckResult("c", {"a": 1}, Outcome.FAILED, "e", "o", (0, 4), "r")
DATA = {
    "check": "c",
    "parameters": {"a": 1},
    "outcome": "failed",
    "expected": "e",
    "observed": "o",
    "evidence": [0, 4],
    "reason": "r",
}
KEYS = "a check result has the keys check, outcome, expected, observed, reason, parameters, evidence"
WORDS = "a check result's parameters are an object and its words are text"
NUMBERS = "a check result's evidence is a list of sequence numbers"


def test_a_result_is_its_data_and_back() -> None:
    assert RESULT.to_data() == DATA
    assert CheckResult.from_data(DATA) == RESULT


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ([], KEYS),
        ({**DATA, "extra": 1}, KEYS),
        *[({name: value for name, value in DATA.items() if name != left_out}, KEYS) for left_out in DATA],
        *[({**DATA, name: 1}, WORDS) for name in ("check", "outcome", "expected", "observed", "reason", "parameters")],
        *[({**DATA, "evidence": wrong}, NUMBERS) for wrong in ("1", [True], [-1], [1, "2"], [1.0], None)],
        ({**DATA, "outcome": "great"}, "great"),
    ],
)
def test_data_of_something_else_is_refused_and_says_why(data: Any, problem: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(problem)}$" if problem != "great" else "great"):
        CheckResult.from_data(data)


@pytest.mark.parametrize(
    ("check", "result"),
    [
        ({"check": "no_such", "a": 1}, ("no_such", {"a": 1}, "there is no such check")),
        ({"a": {1, 2}}, ("None", {}, "there is no such check")),
        (
            {"check": "poll_errors", "connection": "nas-1", "error_type": "auth", "at_most": -1},
            (
                "poll_errors",
                {"connection": "nas-1", "error_type": "auth", "at_most": -1},
                "parameters: at_most: Input should be greater than or equal to 0",
            ),
        ),
    ],
)
def test_a_check_that_cannot_be_judged_says_what_was_given_and_why(
    check: dict[str, Any], result: tuple[str, dict[str, Any], str]
) -> None:
    name, parameters, reason = result
    (told,) = judge_run(LOG, [check])
    assert told == CheckResult(name, parameters, Outcome.ERRORED, "a check that can be judged", reason, (), reason)


def test_a_run_that_was_aborted_passes_nothing_and_says_why() -> None:
    log = LogBuilder().phase("0s", "steady").log("5m", "aborted")
    (told,) = judge_run(log, [{"check": "faults_took_effect"}])
    assert (told.outcome, told.observed, told.reason) == (
        Outcome.INCONCLUSIVE,
        "none scheduled",
        "the run was aborted",
    )


def test_a_log_without_a_start_passes_nothing_and_says_why() -> None:
    builder = LogBuilder().phase("0s", "steady")
    del builder.records[0]
    (told,) = judge_run(builder.log("5m"), [{"check": "faults_took_effect"}])
    assert (told.outcome, told.reason) == (Outcome.INCONCLUSIVE, "the log does not tell what was run")
