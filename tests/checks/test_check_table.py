"""The table of checks, judging a run, and results as data."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from pulse_sim.checks import CHECK_KINDS, CheckKind, CheckResult, Judgement, judge_run, outcome_digest, table
from pulse_sim.checks.judgement import EVIDENCE_AT_MOST, bounded
from pulse_sim.outcome import Outcome
from tests.checks.log_builder import LogBuilder, judge

MINIMAL: dict[str, dict[str, Any]] = {
    "checkpoint": {"at": "1h"},
    "green_for": {"for": "1h"},
    "rolled_back": {"by": "disable"},
    "poll_errors": {"connection": "nas-1", "error_type": "auth", "at_most": 0},
    "poll_success_rate": {"connection": "nas-1", "at_least": 0.0},
    "source_status": {"connection": "nas-1", "is": "online", "by": "1m"},
    "resource_status": {"resource": "nas-1/pool:tank", "is": "online", "at": "1m"},
    "recovers": {"connection": "nas-1", "within": "1h", "after": "0s"},
    "request_rate": {"appliance": "nas-1", "at_most_per_minute": 1000},
    "staleness_below": {"connection": "nas-1", "at_most": "1h"},
    "never_crashes": {},
    "no_secret_leaks": {},
    "faults_took_effect": {},
    "no_leaks": {},
    "isolation": {"undisturbed": ["nas-1"]},
    "log_lines": {"text": "started", "at_least": 1},
    "restarts": {"at_least": 1},
    "api_answer": {"path": "/api/health", "at": "0s"},
    "data_file": {"file": "truenas.enc", "is": "present"},
    "abort_criteria": {"criteria": ["crash"]},
    "alert_fires": {"alert": "stale", "connection": "nas-1", "by": "1m"},
    "alert_resolves": {"alert": "stale", "connection": "nas-1", "after": "1m", "by": "2m"},
    "alert_silent": {"alert": "stale"},
    "login_rate": {"appliance": "nas-1", "at_most_per_minute": 1000},
    "no_retry_storm": {"appliance": "nas-1", "at_most_times": 1000.0},
    "availability": {"at_least": 0.0},
    "trend": {"of": "tasks", "at_most_per_hour": 1000.0},
    "poll_metrics": {"connection": "nas-1"},
    "shows_truth": {"connection": "nas-1", "lag": "1h"},
    "source_undisturbed": {"source": "agent"},
    "seen": {"what": {"log": "started"}},
    "older_view_unused": {},
}


@pytest.mark.parametrize("kind", CHECK_KINDS.values(), ids=lambda kind: kind.name)
def test_no_check_passes_an_empty_log(kind: CheckKind) -> None:
    (result,) = judge_run(LogBuilder().log("0s"), [{"check": kind.name, **MINIMAL[kind.name]}])
    assert result.outcome is Outcome.INCONCLUSIVE
    assert result.reason


@pytest.mark.parametrize("kind", CHECK_KINDS.values(), ids=lambda kind: kind.name)
def test_every_check_refuses_a_parameter_it_does_not_know(kind: CheckKind) -> None:
    kind.parameters.model_validate(MINIMAL[kind.name])
    with pytest.raises(ValidationError):
        kind.parameters.model_validate({**MINIMAL[kind.name], "colour": "red"})


def test_every_check_is_in_the_catalogue_with_each_of_its_parameters() -> None:
    text = (Path(__file__).parents[2] / "docs" / "checks.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^### `(\w+)`\n(.*?)(?=^##|\Z)", text, re.MULTILINE | re.DOTALL))
    assert sections.keys() == CHECK_KINDS.keys()
    for kind in CHECK_KINDS.values():
        for name, field in kind.parameters.model_fields.items():
            assert f"`{field.alias or name}`" in sections[kind.name], (kind.name, name)
        assert "nconclusive" in sections[kind.name]


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("poll_errors", {"connection": "nas-1", "error_type": "auth"}),
        ("poll_errors", {"connection": "nas-1", "error_type": "auth", "at_least": 2, "at_most": 1}),
        ("poll_errors", {"connection": "nas-1", "error_type": "colour", "at_least": 2}),
        ("poll_errors", {"connection": "nas-1", "error_type": "auth", "at_least": True}),
        ("poll_errors", {"connection": "nas-1", "error_type": "auth", "at_least": 1, "between": ["5m", "5m"]}),
        ("poll_success_rate", {"connection": "nas-1", "at_least": 1.1}),
        ("poll_success_rate", {"connection": "nas-1", "at_least": float("nan")}),
        ("source_status", {"connection": "nas-1", "is": "online"}),
        ("source_status", {"connection": "nas-1", "is": "online", "by": "5m", "at": "5m"}),
        ("source_status", {"connection": "nas-1", "is": "online", "at": "5m", "after": "1m"}),
        ("source_status", {"connection": "nas-1", "is": "online", "by": "5m", "after": "5m"}),
        ("source_status", {"connection": "nas-1", "is_": "online", "by": "5m"}),
        ("staleness_below", {"connection": "nas-1", "at_most": 300}),
        ("isolation", {"undisturbed": []}),
        ("abort_criteria", {"criteria": []}),
        (
            "abort_criteria",
            {"criteria": ["crash"], "expect_abort": {"criterion": "corruption", "between": ["1m", "2m"]}},
        ),
    ],
)
def test_parameters_that_make_no_sense_are_errored_and_refused(name: str, parameters: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        CHECK_KINDS[name].parameters.model_validate(parameters)
    (result,) = judge_run(LogBuilder().log("0s"), [{"check": name, **parameters}])
    assert result.outcome is Outcome.ERRORED
    outcome_digest([result])


def test_parameters_are_kept_as_given_with_durations_in_one_form() -> None:
    given = {"connection": "nas-1", "error_type": "auth", "at_least": 1, "between": ["300s", "600s"]}
    (result,) = judge_run(LogBuilder().log("0s"), [{"check": "poll_errors", **given}])
    assert result.parameters == {**given, "between": ["5m", "10m"]}


@pytest.mark.parametrize("check", [{"check": "poll_erors"}, {}, {"check": ["poll_errors"]}])
def test_an_unknown_check_is_errored(check: dict[str, Any]) -> None:
    (result,) = judge_run(LogBuilder().log("0s"), [check])
    assert (result.outcome, result.reason) == (Outcome.ERRORED, "there is no such check")


def test_a_judge_that_breaks_is_errored_and_does_not_take_the_others_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Judgement:
        raise ZeroDivisionError("with details")

    kinds = {**CHECK_KINDS, "never_crashes": replace(CHECK_KINDS["never_crashes"], judge=broken)}
    monkeypatch.setattr(table, "CHECK_KINDS", kinds)
    log = LogBuilder().phase("0s", "steady").log("0s")
    first, second = judge_run(log, [{"check": "never_crashes"}, {"check": "faults_took_effect"}])
    assert (first.outcome, first.reason) == (Outcome.ERRORED, "the judge broke: ZeroDivisionError")
    assert second.outcome is Outcome.PASSED


@pytest.mark.parametrize("reason", ["deadline", "crashed"])
def test_a_run_that_was_cut_short_passes_nothing_but_may_fail(reason: str) -> None:
    log = LogBuilder().phase("0s", "steady")
    result = judge(log.log("5m", reason), "faults_took_effect")
    assert (result.outcome, result.reason) == (Outcome.INCONCLUSIVE, f"the run did not complete: {reason}")
    crashed = log.add("1m", "sut/crash", "pulse").log("5m", reason)
    assert judge(crashed, "never_crashes").outcome is Outcome.FAILED


def test_a_failure_says_what_was_expected_and_what_was_observed() -> None:
    result = judge(LogBuilder().add("1m", "sut/crash", "pulse").log("5m"), "never_crashes")
    assert result.reason == f"expected {result.expected}; observed {result.observed}"


def test_the_outcome_digest_covers_what_was_found_and_not_where() -> None:
    result = CheckResult("c", {"a": 1}, Outcome.PASSED, "e", "o", (1,), "")
    same = [replace(result, evidence=(2,)), replace(result, reason="r")]
    other = [
        replace(result, check="d"),
        replace(result, parameters={"a": 2}),
        replace(result, outcome=Outcome.FAILED),
        replace(result, expected="f"),
        replace(result, observed="p"),
    ]
    digest = outcome_digest([result])
    assert re.fullmatch("[0-9a-f]{64}", digest)
    assert {outcome_digest([one]) for one in same} == {digest}
    assert digest not in {outcome_digest([one]) for one in other}
    assert outcome_digest([]) != digest
    assert outcome_digest([result, other[0]]) != outcome_digest([other[0], result])


@pytest.mark.parametrize(
    "change",
    [
        {"outcome": "great"},
        {"evidence": [True]},
        {"evidence": [-1]},
        {"evidence": "1"},
        {"parameters": []},
        {"check": 1},
        {"extra": 1},
    ],
)
def test_a_result_that_is_none_is_refused(change: dict[str, Any]) -> None:
    data = CheckResult("c", {}, Outcome.PASSED, "e", "o", (1,), "").to_data()
    with pytest.raises(ValueError, match=r"."):
        CheckResult.from_data({**data, **change})
    with pytest.raises(ValueError, match="keys"):
        CheckResult.from_data([data])


def test_of_much_evidence_the_first_and_the_last_few_are_kept() -> None:
    assert bounded([3, 1, 3]) == (1, 3)
    assert bounded(range(100)) == (0, 1, 2, 3, 96, 97, 98, 99)
    assert len(bounded(range(100))) == EVIDENCE_AT_MOST
