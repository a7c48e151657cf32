"""A log held to its scenario and judged: what is told where they disagree, and what checks.json says whole."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pulse_sim.evidence import BundleDamaged, judgement
from pulse_sim.evidence.agreement import disagreement
from pulse_sim.evidence.decision_day import decision_day
from pulse_sim.evidence.hostile import read_yaml
from pulse_sim.evidence.judgement import JudgedRun, checks_data, judge_directory, judge_log, virtual_seconds
from pulse_sim.observation import LogWriter, RunLog, Source
from pulse_sim.outcome import Outcome
from pulse_sim.verdict import RunSummary
from tests.evidence.recording import TRACE_DIGEST, header, record, scenario_yaml

FAULT = {"at": "5m", "for": "5m", "fault": "auth.revoke_key", "on": "nas-1"}
LENGTH = "the log ends at 25m, scenario.yaml lasts"


@pytest.fixture(name="directory", scope="module")
def a_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("judged")
    record(directory, header())
    (directory / "scenario.yaml").write_text(scenario_yaml())
    return directory


@pytest.fixture(name="log", scope="module")
def its_log(directory: Path) -> RunLog:
    return RunLog.load(directory)


@pytest.fixture(name="scenario", scope="module")
def its_scenario(directory: Path) -> dict[str, Any]:
    return read_yaml(directory, "scenario.yaml")


def ended(directory: Path, reason: str) -> RunLog:
    record(directory, header(), reason=reason)
    return RunLog.load(directory)


def test_a_log_of_its_scenario_agrees(scenario: dict[str, Any], log: RunLog) -> None:
    assert disagreement(scenario, log) == ""


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"start": "2026-02-10"}, "the log begins at 2026-02-09T00:00:00Z, scenario.yaml says 2026-02-10"),
        ({"systems": {}}, "the log tells of other systems than scenario.yaml"),
        ({"systems": {"pulse": {}, "more": {}}}, "the log tells of other systems than scenario.yaml"),
        ({"appliances": ["nas-1"]}, "the log tells of other appliances than scenario.yaml"),
        ({"connections": {"nas-2": {}}}, "the log tells of other connections than scenario.yaml"),
        ({"duration": "25m1s"}, f"{LENGTH} 25m1s"),
        ({"duration": "15m"}, ""),
        ({"duration": "14m59s"}, f"{LENGTH} 14m59s"),
        ({"duration": "soon"}, f"{LENGTH} soon"),
        ({"duration": None}, f"{LENGTH} None"),
        ({"timeline": []}, "the log tells of 1 fault windows, scenario.yaml of 0"),
        ({"timeline": None}, "the log tells of 1 fault windows, scenario.yaml of 0"),
        ({"timeline": [FAULT, FAULT]}, "the log tells of 1 fault windows, scenario.yaml of 2"),
        ({"timeline": [FAULT, {"at": "1m", "do": "restart"}, "words"]}, ""),
        ({"timeline": [{**FAULT, "repeat": {"every": "1m"}}]}, ""),
        (
            {"timeline": [{**FAULT, "repeat": {"times": 3}}]},
            "the log tells of 1 fault windows, scenario.yaml of 3",
        ),
        (
            {"timeline": [{**FAULT, "repeat": {"times": "1"}}]},
            "the log tells of 1 fault windows, scenario.yaml of 0",
        ),
    ],
    ids=str,
)
def test_what_the_log_tells_otherwise_is_said(
    scenario: dict[str, Any], log: RunLog, change: dict[str, Any], told: str
) -> None:
    assert disagreement({**scenario, **change}, log) == told


@pytest.mark.parametrize("part", ["systems", "appliances", "connections"])
def test_a_scenario_that_leaves_a_part_out_has_none_of_it(scenario: dict[str, Any], log: RunLog, part: str) -> None:
    less = {name: value for name, value in scenario.items() if name != part}
    assert disagreement(less, log) == f"the log tells of other {part} than scenario.yaml"


def test_a_run_that_did_not_complete_is_held_to_its_parts_and_not_to_its_length(
    scenario: dict[str, Any], tmp_path: Path
) -> None:
    log = ended(tmp_path, "deadline")
    assert disagreement({**scenario, "duration": "9h", "timeline": []}, log) == ""
    assert disagreement({**scenario, "systems": {}}, log) == "the log tells of other systems than scenario.yaml"


def test_a_log_without_a_beginning_has_nothing_to_disagree_with(tmp_path: Path) -> None:
    with LogWriter(tmp_path, header()) as log:
        log.write(0, Source.WORLD, "phase", "run", {"phase": "warm-up"})
        log.close(0, "completed")
    assert disagreement({}, RunLog.load(tmp_path)) == ""


@pytest.mark.parametrize(
    ("reason", "outcome", "told"),
    [
        ("completed", Outcome.PASSED, ""),
        ("aborted", Outcome.INCONCLUSIVE, "the run was aborted"),
        ("deadline", Outcome.INCONCLUSIVE, "the run did not end in time"),
        ("crashed", Outcome.ERRORED, "the harness crashed during the run"),
    ],
)
def test_how_a_run_ended_is_part_of_what_it_came_to(
    scenario: dict[str, Any], tmp_path: Path, reason: str, outcome: Outcome, told: str
) -> None:
    judged = judge_log(scenario, ended(tmp_path, reason))
    assert (judged.outcome, judged.reason, len(judged.results)) == (outcome, told, 2)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"checks": None}, "scenario.yaml lists no checks"),
        ({"checks": ["never_crashes"]}, "scenario.yaml lists no checks"),
        ({"id": "flap"}, "the log is of scenario 'auth-revoked', scenario.yaml of 'flap'"),
        ({"start": "x"}, "the log begins at 2026-02-09T00:00:00Z, scenario.yaml says x"),
    ],
)
def test_a_log_that_cannot_be_judged_on_its_scenario_is_inconclusive(
    scenario: dict[str, Any], log: RunLog, change: dict[str, Any], told: str
) -> None:
    changed = {**scenario, **change}
    assert judge_log(changed, log) == JudgedRun(changed, log, (), Outcome.INCONCLUSIVE, told)


def test_without_a_check_a_run_is_inconclusive(scenario: dict[str, Any], log: RunLog) -> None:
    judged = judge_log({**scenario, "checks": []}, log)
    assert (judged.outcome, judged.results, judged.reason) == (Outcome.INCONCLUSIVE, (), "")


def test_damage_is_an_outcome_with_its_place(directory: Path, tmp_path: Path) -> None:
    nothing = judge_directory(tmp_path)
    assert nothing == JudgedRun(
        {}, None, (), Outcome.INCONCLUSIVE, "scenario.yaml: cannot be read: No such file or directory"
    )
    (tmp_path / "scenario.yaml").write_text(scenario_yaml())
    no_log = judge_directory(tmp_path)
    assert (no_log.outcome, no_log.log, no_log.results) == (Outcome.INCONCLUSIVE, None, ())
    assert no_log.reason.startswith("the log is damaged: ")
    assert no_log.scenario["id"] == "auth-revoked"
    assert judge_directory(directory).outcome is Outcome.PASSED


def test_checks_json_is_this_document(directory: Path) -> None:
    told: dict[str, Any] = checks_data(judge_directory(directory), header(), TRACE_DIGEST)
    digest, checks = told.pop("outcome_digest"), told.pop("checks")
    assert told == {
        "version": 1,
        "scenario": "auth-revoked",
        "seed": 7,
        "world": "simulated",
        "sut": "reference",
        "schedule": "fifo",
        "outcome": "passed",
        "reason": "",
        "trace_digest": TRACE_DIGEST,
        "virtual_seconds": 1500,
    }
    assert ([line["check"] for line in checks], len(digest)) == (["poll_errors", "never_crashes"], 64)
    damaged = checks_data(JudgedRun({}, None, (), Outcome.INCONCLUSIVE, "gone"), header(), TRACE_DIGEST)
    assert (damaged["outcome"], damaged["reason"], damaged["virtual_seconds"], damaged["checks"]) == (
        "inconclusive",
        "gone",
        None,
        [],
    )


@pytest.mark.parametrize(("end_ns", "told"), [(2 * 10**9, "2"), (1_500_000_000, "1.5"), (0, "0")])
def test_virtual_seconds_are_whole_where_they_can_be(tmp_path: Path, end_ns: int, told: str) -> None:
    with LogWriter(tmp_path, header()) as log:
        log.close(end_ns, "completed")
    assert str(virtual_seconds(RunLog.load(tmp_path))) == told


def kept(root: Path, name: str, **lines: str) -> RunSummary:
    (root / "runs" / name).mkdir(parents=True)
    (root / "runs" / name / "scenario.yaml").write_text("".join(f'{key}: "{text}"\n' for key, text in lines.items()))
    return RunSummary(name, "auth", 7, Outcome.PASSED)


def test_a_verdict_is_of_the_day_on_which_its_last_run_ends(tmp_path: Path) -> None:
    one = kept(tmp_path, "one", start="2026-02-09T00:00:00Z", duration="48h")
    other = kept(tmp_path, "other", start="2026-02-10T23:59:00Z", duration="59s")
    assert decision_day(tmp_path, [one, other]) == date(2026, 2, 11)
    assert decision_day(tmp_path, [other]) == date(2026, 2, 10)


def test_a_run_that_left_no_bundle_leaves_the_day_open(tmp_path: Path) -> None:
    one = kept(tmp_path, "one", start="2026-02-09T00:00:00Z", duration="48h")
    assert decision_day(tmp_path, []) is None
    assert decision_day(tmp_path, [one, RunSummary("gone", "auth", 7, Outcome.ERRORED)]) is None


@pytest.mark.parametrize(
    "lines",
    [
        {"start": "soon", "duration": "1h"},
        {"start": "2026-02-09T00:00:00Z", "duration": "long"},
        {"start": "2026-02-09T00:00:00Z"},
        {"duration": "1h"},
        {"start": "9999-12-31T23:00:00Z", "duration": "2h"},
    ],
    ids=str,
)
def test_a_scenario_that_does_not_say_when_is_damage_with_its_place(tmp_path: Path, lines: dict[str, str]) -> None:
    with pytest.raises(BundleDamaged) as refusal:
        decision_day(tmp_path, [kept(tmp_path, "one", **lines)])
    assert str(refusal.value) == "runs/one/scenario.yaml: does not tell when the run begins and ends"


def test_an_abort_that_was_expected_is_an_end_like_any_other_and_no_other_end_is(
    scenario: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judgement, "ended_as_expected", lambda results: True)
    for reason, told in (("aborted", ""), ("deadline", "the run did not end in time")):
        (tmp_path / reason).mkdir()
        assert judge_log(scenario, ended(tmp_path / reason, reason)).reason == told
