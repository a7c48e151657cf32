"""A plan with one of everything a verdict can carry, and evidence for it: two packets, one of which only waits."""

from dataclasses import replace
from datetime import date
from typing import Final

from pulse_sim.outcome import Outcome
from pulse_sim.verdict import Attestation, Closing, CommandRun, EvidenceResult, JudgedCheck, RunSummary, Statement
from tests.verdict.doubles import (
    PlanBlockade,
    PlanDebt,
    PlanDouble,
    PlanDrift,
    PlanEvidence,
    PlanFailureClass,
    PlanGate,
    PlanLeftOut,
    PlanPacket,
    PlanPhase,
    PlanRisk,
    PlanWaiver,
)

GATES: Final = (
    PlanGate("survives", ("auth",), "P0", "Survives", checks=("recovers",), risk="R-11"),
    PlanGate("polite", ("auth",), "P1", "Polite", checks=("rate",), severity="sev-2"),
    PlanGate("vouched", ("flap",), "P1", "It rides out a flap", owner="the lead", rollback="kill switch"),
    PlanGate("later", ("verify",), "P2", "Every run can be verified", risk="R-12"),
    PlanGate("restart", ("flap",), "P1", "Restarts", requires=("ui", "api"), target=None),
    PlanGate("signed", priority="P2", title="Somebody signed", attest="sign-off", open="no drill yet"),
)
FIRST: Final = PlanPacket(
    "TRR-04",
    GATES,
    tuple(PlanEvidence(name) for name in ("auth", "flap", "verify")),
    title="Rehearsal",
    objective="Show that it survives",
    owner="engineering",
    rollback="Switch it off",
)
SECOND: Final = PlanPacket(
    "TRR-05",
    (PlanGate("certified", ("auth",), "P0", "It is certified", checks=("never_crashes",)),),
    depends_on=("TRR-04", "TRR-02"),
    title="Certification",
)
THIRD: Final = PlanPacket("TRR-06", blockade=PlanBlockade("the drills", "nobody drilled"), title="Drills")
PLAN: Final = PlanDouble(
    (FIRST, SECOND, THIRD),
    waivers=(PlanWaiver("vouched"), PlanWaiver("polite", date(2026, 2, 9), "the lead", "known")),
    leaves_out=(PlanLeftOut("TRR-02", "built elsewhere"),),
    failure_classes=(PlanFailureClass("auth", ("auth", "gone"), "Refused login"),),
    drift=(
        PlanDrift("D-1", "Same ports", "MATCHED"),
        PlanDrift("D-2", "Other names", "DRIFT_ACCEPTED", "harmless"),
        PlanDrift("D-3", "No pools", "DEFERRED", "rare", "sev-4", "engineering", "7.0", "2026-06-01"),
        PlanDrift("D-4", "No alerts", "DRIFT_FIX_REQUIRED", None),
    ),
    debt=(PlanDebt("DEBT-1", target="2026-05-01"), PlanDebt("DEBT-2", "slow", "sev-4", "the lead", "8.0")),
    phases=(PlanPhase("phase-1", "TRR-04", ("flap",), ("survives",), ("vouched",), ("later", "restart")),),
    residual_risks=(PlanRisk("R-9", packet="TRR-04"), PlanRisk("R-10", "a flood", "sev-2", "the lead", "unplug")),
    id="rehearsal",
    title="The rehearsal",
)
ATTEST: Final = Attestation(
    (Statement("phase-1", True, "R. Lead", date(2026, 2, 8)),),
    (
        Closing("later", "E. Engineer", date(2026, 2, 8), "run verify-7"),
        Closing("survives", "E. Engineer", date(2026, 2, 7), "a promise"),
    ),
)
AUTH: Final = RunSummary(
    run="auth-7-ab",
    scenario="auth",
    seed=7,
    outcome=Outcome.FAILED,
    checks=(
        JudgedCheck("recovers", Outcome.FAILED, "fresh", "stale", "stale since 90 s", (41, 97)),
        JudgedCheck("rate", Outcome.INCONCLUSIVE, "at most 6", records=(12,)),
        JudgedCheck("never_crashes", Outcome.PASSED, "no crash", "no crash"),
    ),
    outcome_digest="cd" * 32,
    virtual_s=3600.0,
)
FLAP: Final = RunSummary("flap-7-12121212", "flap", 7, Outcome.INCONCLUSIVE, reason="a worker died", virtual_s=90000.5)
VERIFY: Final = CommandRun(
    ("pulse-sim", "verify"), None, True, 2.5, "ab" * 32, 10, truncated=True, withheld=False, tests_run=3
)
KNOWN: Final = {
    "auth": EvidenceResult("auth", "scenario", Outcome.FAILED, "", (AUTH,)),
    "flap": EvidenceResult("flap", "scenario", Outcome.INCONCLUSIVE, "", (FLAP,)),
    "verify": EvidenceResult("verify", "command", Outcome.INCONCLUSIVE, "timed out after 2.5 s", command=VERIFY),
}

OPEN_PLAN: Final = PlanDouble(
    (replace(FIRST, gates=(GATES[1], GATES[4], GATES[5]), evidence=FIRST.evidence[:2]),),
    debt=PLAN.debt,
    drift=PLAN.drift[:3],
    id="narrow",
    title="Conditions alone",
)
"""A plan whose gates are open and block nothing."""
OPEN_AUTH: Final = replace(AUTH, outcome=Outcome.INCONCLUSIVE, checks=AUTH.checks[1:])
OPEN_KNOWN: Final = {
    "auth": EvidenceResult("auth", "scenario", Outcome.INCONCLUSIVE, "", (OPEN_AUTH,)),
    "flap": KNOWN["flap"],
}
