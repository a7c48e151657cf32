"""The drift table, the debt ledger and the risks that remain: each difference has a class, a reason and an owner."""

from dataclasses import replace
from typing import Any

import pytest

from pulse_sim.outcome import Outcome
from pulse_sim.verdict import DebtRow, ResidualRisk, Verdict, fold, verdict_data
from tests.verdict.doubles import TODAY, PlanDebt, PlanDouble, PlanDrift, PlanGate, PlanRisk, packet, result, run

PLAN = PlanDouble((packet(PlanGate("auth", ("auth",))),))
GOOD = {"auth": result("auth", run("auth", recovers=Outcome.PASSED))}
DEFERRED = PlanDrift(
    "DRIFT-01", "Ports differ", "DEFERRED", severity="sev-3", owner="engineering", milestone="7.0", target="2026-06-01"
)


def test_what_is_deferred_is_in_the_debt_ledger_after_the_plans_own_debts() -> None:
    verdict = fold(replace(PLAN, drift=(DEFERRED,), debt=(PlanDebt("DEBT-01"),)), GOOD, None, TODAY)
    assert verdict.verdict is Verdict.GO
    assert [row.id for row in verdict.debt] == ["DEBT-01", "DRIFT-01"]
    assert verdict.debt[1] == DebtRow("DRIFT-01", "Ports differ", "sev-3", "engineering", "7.0", "2026-06-01")


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (replace(DEFERRED, owner=None), "names no owner"),
        (replace(DEFERRED, severity=" ", milestone=None), "names no severity, no milestone"),
        (PlanDrift("DRIFT-01", "Ports differ", "DRIFT_ACCEPTED", reason=" "), "nobody says why"),
        (PlanDrift("DRIFT-01", "Ports differ", "FINE"), "of no known class: FINE"),
    ],
)
def test_a_difference_nobody_answers_for_stops_the_plan(row: PlanDrift, told: str) -> None:
    verdict = fold(replace(PLAN, drift=(row,)), GOOD, None, TODAY)
    assert verdict.verdict is Verdict.NO_GO
    assert told in verdict.reasons[0]


def test_what_remains_is_what_the_plan_names_and_what_is_open() -> None:
    open_gate = PlanGate("pairs", open="no scenario yet", priority="P2", risk="R-3")
    plan = replace(PLAN, packets=(packet(PlanGate("auth", ("auth",)), open_gate),), residual_risks=(PlanRisk("R-9"),))
    verdict = fold(plan, GOOD, None, TODAY)
    assert [(risk.id, risk.source) for risk in verdict.residual_risks] == [("R-9", "plan"), ("R-3", "condition pairs")]
    told: Any = verdict_data(verdict)
    assert [risk["id"] for risk in told["residual_risks"]] == ["R-9", "R-3"]


def test_what_a_gate_does_not_say_of_its_risk_is_left_empty() -> None:
    bare = PlanGate("pairs", open="later", priority="P2", risk=None, severity=None, owner=None, rollback=None)
    verdict = fold(replace(PLAN, packets=(packet(bare),)), GOOD, None, TODAY)
    (risk,) = verdict.residual_risks
    assert risk == ResidualRisk("", "it holds", "", "", "", "TRR-04", "condition pairs")
    assert (verdict.debt, verdict.drift) == ((), ())
    (condition,) = verdict.conditions
    assert condition.missing == ("risk", "severity", "owner", "rollback")
    assert verdict.reasons == (
        "TRR-04 · gate pairs (P2) is open and names no risk, no severity, no owner, no rollback: later",
    )


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (PlanDrift("D-1", "Ports", "DRIFT_FIX_REQUIRED"), "drift D-1 must be fixed first: Ports"),
        (PlanDrift("D-1", "Ports", "FINE"), "drift D-1 is of no known class: FINE"),
        (PlanDrift("D-1", "Ports", "DEFERRED", None), "drift D-1 is DEFERRED and nobody says why: Ports"),
        (
            PlanDrift("D-1", "Ports", "DEFERRED", severity="", owner=" "),
            "drift D-1 is deferred and names no severity, no owner, no milestone: Ports",
        ),
    ],
)
def test_a_difference_that_blocks_is_told_whole(row: PlanDrift, told: str) -> None:
    assert fold(replace(PLAN, drift=(row,)), GOOD, None, TODAY).reasons == (told,)


@pytest.mark.parametrize("state", ["MATCHED", "DRIFT_ACCEPTED", "DEFERRED"])
def test_a_difference_somebody_answers_for_does_not_block(state: str) -> None:
    verdict = fold(replace(PLAN, drift=(replace(DEFERRED, state=state),)), GOOD, None, TODAY)
    assert (verdict.verdict, len(verdict.debt)) == (Verdict.GO, 1 if state == "DEFERRED" else 0)
    assert fold(replace(PLAN, drift=(PlanDrift("D-1", "x", "MATCHED", None),)), GOOD, None, TODAY).reasons == ()
