"""The drift table, the debt ledger and the risks that remain: each difference has a class, a reason and an owner."""

from dataclasses import replace
from typing import Any

import pytest

from pulse_sim.outcome import Outcome
from pulse_sim.verdict import DebtRow, Verdict, fold, verdict_data
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
