"""A phase may end when its checkpoints are green, nothing critical is open, the way back is rehearsed, it lasted, and
somebody signed.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from pulse_sim.outcome import Outcome
from pulse_sim.verdict import (
    Attestation,
    EvidenceResult,
    PacketState,
    PhaseResult,
    PlanVerdict,
    Statement,
    Verdict,
    fold,
    verdict_data,
)
from tests.verdict.doubles import TODAY, PlanDouble, PlanGate, PlanPhase, PlanWaiver, packet, result, run

HOURS_S = 3600.0
GATES = (
    PlanGate("green", ("phase",)),
    PlanGate("held", ("phase",)),
    PlanGate("back", ("rollback",)),
    PlanGate("signed", attest="phase-1", priority="P1"),
    PlanGate("quiet", attest="no-critical-issue", priority="P1"),
)
PHASE = PlanPhase("phase-1", evidence=("phase",), checkpoints=("green",), exit=("held",), rollback=("back",))
PLAN = PlanDouble((packet(*GATES),), phases=(PHASE,))
SIGNED = Attestation(
    tuple(Statement(name, True, "R. Lead", date(2026, 2, 8)) for name in ("phase-1", "no-critical-issue"))
)


def results(lasted_s: float | None = 48 * HOURS_S, **outcomes: Outcome) -> dict[str, EvidenceResult]:
    phase = replace(run("phase", checkpoint=outcomes.get("phase", Outcome.PASSED)), virtual_s=lasted_s)
    back = run("rollback", rolled_back=outcomes.get("rollback", Outcome.PASSED))
    return {"phase": result("phase", phase), "rollback": result("rollback", back)}


def decide(known: Mapping[str, EvidenceResult], attest: Attestation | None = SIGNED) -> PlanVerdict:
    return fold(PLAN, known, attest, TODAY)


def phase_of(verdict: PlanVerdict) -> PhaseResult:
    (phase,) = verdict.phases
    return phase


def open_items(verdict: PlanVerdict) -> list[str]:
    return [item.id for item in phase_of(verdict).checklist if not item.is_met]


def test_a_phase_whose_whole_checklist_is_met_may_end() -> None:
    verdict = decide(results())
    assert (verdict.verdict, phase_of(verdict).may_end, phase_of(verdict).ran_s) == (Verdict.GO, True, 48 * HOURS_S)


@pytest.mark.parametrize(
    ("known", "attest", "items"),
    [
        (results(phase=Outcome.FAILED), SIGNED, ["checkpoints", "exit"]),
        (results(rollback=Outcome.INCONCLUSIVE), SIGNED, ["rollback"]),
        (results(47 * HOURS_S), SIGNED, ["duration"]),
        (results(None), SIGNED, ["duration"]),
        (results(float("nan")), SIGNED, ["duration"]),
        (results(), None, ["issues", "sign-off"]),
        (results(), Attestation(SIGNED.statements[:1]), ["issues"]),
        ({}, SIGNED, ["checkpoints", "exit", "rollback", "duration"]),
    ],
    ids=["checkpoint", "rollback", "short", "unknown", "nan", "no attest", "no word on issues", "no evidence"],
)
def test_each_line_of_the_checklist_is_open_for_its_own_reason(
    known: dict[str, EvidenceResult], attest: Attestation | None, items: list[str]
) -> None:
    verdict = decide(known, attest)
    assert open_items(verdict) == items
    assert not phase_of(verdict).may_end
    assert verdict.verdict is not Verdict.GO


def test_a_rehearsal_that_is_too_short_is_no_go_and_says_by_how_much() -> None:
    verdict = decide(results(47 * HOURS_S))
    assert (verdict.verdict, verdict.packets[0].state) == (Verdict.NO_GO, PacketState.CHANGES_REQUESTED)
    assert "rehearsed for 47 h instead of 48 h" in verdict.reasons[0]


def test_without_signatures_the_phase_is_rehearsed_and_may_not_end() -> None:
    verdict = decide(results(), None)
    assert [one.gate for one in verdict.conditions] == ["signed", "quiet"]
    assert verdict.verdict is Verdict.GO_WITH_CONDITIONS


def test_the_shortest_run_of_the_rehearsal_counts_and_one_without_a_length_counts_as_none() -> None:
    long, short = (replace(run("phase", checkpoint=Outcome.PASSED), virtual_s=hours * HOURS_S) for hours in (60, 50))
    both = {**results(), "phase": result("phase", long, short)}
    assert phase_of(decide(both)).ran_s == 50 * HOURS_S
    unknown = {**results(), "phase": result("phase", long, replace(short, virtual_s=None))}
    assert phase_of(decide(unknown)).ran_s is None


def test_a_phase_that_names_no_gate_has_nothing_green() -> None:
    plan = replace(PLAN, phases=(replace(PHASE, checkpoints=(), rollback=("nowhere",)),))
    assert open_items(fold(plan, results(), SIGNED, TODAY)) == ["checkpoints", "rollback"]


def test_a_waived_gate_stands_in_no_phases_way() -> None:
    gates = (*GATES[:2], replace(GATES[2], priority="P1"), *GATES[3:])
    plan = replace(PLAN, packets=(packet(*gates),), waivers=(PlanWaiver("back"),))
    verdict = fold(plan, results(rollback=Outcome.INCONCLUSIVE), SIGNED, TODAY)
    assert (open_items(verdict), verdict.verdict) == ([], Verdict.GO)


def test_the_checklist_is_in_verdict_json() -> None:
    told: Any = verdict_data(decide(results(), None))
    (phase,) = told["phases"]
    assert (phase["duration_s"], phase["ran_s"], phase["may_end"]) == (172800, 172800, False)
    assert [item["id"] for item in phase["checklist"]] == [
        "checkpoints",
        "exit",
        "issues",
        "rollback",
        "duration",
        "sign-off",
    ]


def checklist(verdict: PlanVerdict) -> dict[str, tuple[Outcome, str]]:
    return {item.id: (item.outcome, item.reason) for item in phase_of(verdict).checklist}


def test_each_open_line_says_why_and_the_others_say_nothing() -> None:
    plan = replace(PLAN, phases=(replace(PHASE, checkpoints=(), exit=("held", "nowhere"), rollback=("back",)),))
    denied = Attestation((Statement("phase-1", False, "R. Lead", TODAY),))
    told = checklist(fold(plan, results(None, rollback=Outcome.FAILED), denied, TODAY))
    assert told == {
        "checkpoints": (Outcome.INCONCLUSIVE, "no gate is named"),
        "exit": (Outcome.INCONCLUSIVE, "gate nowhere was not judged"),
        "issues": (Outcome.INCONCLUSIVE, "human input no-critical-issue was not given (--attest)"),
        "rollback": (
            Outcome.FAILED,
            "gate back: check rolled_back in run rollback-7-00000000: "
            "failed: expected rolled_back holds, observed rolled_back was failed",
        ),
        "duration": (Outcome.INCONCLUSIVE, "nobody knows how long it was rehearsed"),
        "sign-off": (Outcome.FAILED, "human input phase-1: R. Lead states that it does not hold"),
    }
    assert set(checklist(decide(results())).values()) == {(Outcome.PASSED, "")}


def test_what_a_phase_is_asked_for_is_told_whatever_came_of_it() -> None:
    titles = [
        "Every checkpoint is green",
        "Every exit gate is closed",
        "No critical or high issue is open",
        "The rollback is rehearsed",
        "The phase was rehearsed for 48 h",
        "The phase is signed off",
    ]
    denied = Attestation((Statement("phase-1", False, "R. Lead", TODAY),))
    for verdict in (decide(results()), decide({}, None), decide(results(HOURS_S), denied)):
        assert [item.title for item in phase_of(verdict).checklist] == titles
