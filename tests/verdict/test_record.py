"""Runs and verdicts as plain data: read strictly, written whole."""

from typing import Any

import pytest

from pulse_sim.outcome import Outcome
from pulse_sim.verdict import fold, packets_data, run_summary, verdict_data
from tests.verdict.doubles import TODAY, PlanDouble, PlanGate, packet, result, run

CHECKS: dict[str, Any] = {
    "version": 1,
    "scenario": "auth",
    "seed": 7,
    "world": "simulated",
    "sut": "reference",
    "schedule": "fifo",
    "outcome": "failed",
    "reason": "",
    "trace_digest": "ab" * 32,
    "outcome_digest": "cd" * 32,
    "checks": [{"check": "recovers", "outcome": "failed", "expected": "e", "observed": "o", "reason": "r"}],
}


def test_a_run_is_read_from_its_checks() -> None:
    summary = run_summary("auth-7-abababab", CHECKS)
    assert (summary.run, summary.scenario, summary.seed) == ("auth-7-abababab", "auth", 7)
    assert (summary.outcome, summary.checks[0].reason) == (Outcome.FAILED, "r")


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"version": True},
        {"seed": "7"},
        {"seed": True},
        {"outcome": "fine"},
        {"outcome": None},
        {"checks": None},
        {"checks": [1]},
        {"checks": [{"check": "recovers"}]},
        {"checks": [{"check": 1, "outcome": "passed"}]},
        {"scenario": 1},
        {"outcome_digest": None},
    ],
    ids=str,
)
def test_checks_of_another_shape_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        run_summary("auth", {**CHECKS, **change})


def test_checks_that_are_no_object_are_refused() -> None:
    with pytest.raises(ValueError, match="not an object"):
        run_summary("auth", [])


def test_a_gate_without_evidence_says_so_in_packets_json() -> None:
    verdict = fold(PlanDouble((packet(PlanGate("g", ("auth",))),)), {}, None, TODAY)
    data: Any = packets_data(verdict)
    assert data["packets"][0]["gates"][0]["evidence"] == [
        {"id": "auth", "scenario": None, "outcome": "inconclusive", "run": None}
    ]
    assert data["packets"][0]["state"] == "BLOCKED"


def test_the_evidence_of_a_gate_may_belong_to_another_packet() -> None:
    evidence = {"auth": result("auth", run("auth", recovers=Outcome.PASSED))}
    first, second = packet(PlanGate("g", ("auth",)), id="A"), packet(PlanGate("h", ("auth",)), id="B")
    second = type(second)("B", second.gates)
    data: Any = packets_data(fold(PlanDouble((first, second)), evidence, None, TODAY))
    (line,) = data["packets"][1]["gates"][0]["evidence"]
    assert line == {"id": "auth", "scenario": "auth", "outcome": "passed", "run": "auth-7-00000000"}


def test_unknown_capabilities_are_null_and_known_ones_a_list() -> None:
    plan = PlanDouble((packet(PlanGate("g", ("auth",))),))
    assert verdict_data(fold(plan, {}, None, TODAY))["capabilities"] is None
    known = fold(plan, {}, None, TODAY, capabilities=frozenset({"restart", "metrics"}))
    assert verdict_data(known)["capabilities"] == ["metrics", "restart"]
