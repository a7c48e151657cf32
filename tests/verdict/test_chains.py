"""Every reason has its chain of evidence, from the verdict down to record numbers, and none is longer than needed."""

from dataclasses import replace
from typing import Any

from pulse_sim.outcome import Outcome
from pulse_sim.verdict import JudgedCheck, ReasonChain, fold, verdict_data
from pulse_sim.verdict.model import ABORT_CHECK
from tests.verdict.doubles import TODAY, PlanDouble, PlanDrift, PlanGate, packet, result, run

FAILED = replace(
    run("auth", recovers=Outcome.FAILED),
    checks=(
        JudgedCheck("never_crashes", Outcome.PASSED),
        JudgedCheck("recovers", Outcome.FAILED, "fresh", "stale", records=(41, 97)),
    ),
)
KNOWN = {"auth": result("auth", FAILED)}


def steps(chain: ReasonChain) -> list[tuple[str, str]]:
    return [(step.kind, step.id) for step in chain.steps]


def test_a_failed_check_is_traced_from_the_verdict_to_its_records() -> None:
    (chain,) = fold(PlanDouble((packet(PlanGate("survives", ("auth",))),)), KNOWN, None, TODAY).chains
    assert steps(chain) == [
        ("verdict", "NO_GO"),
        ("packet", "TRR-04"),
        ("gate", "survives"),
        ("evidence", "auth"),
        ("run", FAILED.run),
        ("check", "recovers"),
    ]
    assert chain.records == (41, 97)


def test_a_packet_that_only_waits_leads_on_to_the_one_it_waits_for() -> None:
    first = packet(PlanGate("survives", ("auth",)), id="TRR-02")
    second = packet(PlanGate("soak", open="later", priority="P1"), id="TRR-03", depends_on=("TRR-02",))
    third = packet(PlanGate("rest", open="later", priority="P1"), id="TRR-04", depends_on=("TRR-03",))
    verdict = fold(PlanDouble((first, second, third)), KNOWN, None, TODAY)
    assert [chain.reason for chain in verdict.chains] == list(verdict.reasons)
    last = verdict.chains[-1]
    assert steps(last)[1:5] == [("packet", "TRR-04"), ("packet", "TRR-03"), ("packet", "TRR-02"), ("gate", "survives")]
    assert last.records == (41, 97)


def test_a_condition_has_its_chain_too() -> None:
    verdict = fold(PlanDouble((packet(PlanGate("survives", ("auth",), priority="P1")),)), KNOWN, None, TODAY)
    (chain,) = verdict.chains
    assert steps(chain)[2:] == [("gate", "survives"), ("evidence", "auth"), ("run", FAILED.run), ("check", "recovers")]


def test_evidence_that_is_missing_ends_the_chain_there() -> None:
    (chain,) = fold(PlanDouble((packet(PlanGate("survives", ("auth",))),)), {}, None, TODAY).chains
    assert steps(chain)[-1] == ("evidence", "auth")
    assert chain.records == ()


def test_an_abort_nobody_expected_leads_to_its_run_through_the_evidence_it_is() -> None:
    aborted = replace(FAILED, checks=(JudgedCheck(ABORT_CHECK, Outcome.FAILED, "none", "auth", records=(7,)),))
    plan = PlanDouble((packet(PlanGate("survives", ("auth",), priority="P1")),))
    chains = fold(plan, {"auth": result("auth", aborted)}, None, TODAY).chains
    (chain,) = (chain for chain in chains if "abort criteria" in chain.reason)
    assert steps(chain)[1:] == [("evidence", "auth"), ("run", FAILED.run), ("check", ABORT_CHECK)]
    assert chain.records == (7,)


def test_a_reason_that_rests_on_no_evidence_is_a_chain_of_one_step() -> None:
    plan = PlanDouble((packet(PlanGate("survives", ("auth",))),), drift=(PlanDrift("D-1", "x", "DRIFT_FIX_REQUIRED"),))
    good = {"auth": result("auth", run("auth", recovers=Outcome.PASSED))}
    (chain,) = fold(plan, good, None, TODAY).chains
    assert steps(chain) == [("verdict", "NO_GO")]


def test_chains_are_in_verdict_json_beside_their_reasons() -> None:
    told: Any = verdict_data(fold(PlanDouble((packet(PlanGate("survives", ("auth",))),)), KNOWN, None, TODAY))
    (chain,) = told["chains"]
    assert (chain["records"], chain["reason"]) == ([41, 97], told["reasons"][0])


def test_packets_that_wait_for_each_other_have_chains_that_end() -> None:
    one = packet(PlanGate("a", ("auth",)), id="A", depends_on=("B",))
    other = packet(PlanGate("b", open="later", priority="P1"), id="B", depends_on=("A",))
    good = {"auth": result("auth", run("auth", recovers=Outcome.PASSED))}
    assert all(chain.steps for chain in fold(PlanDouble((one, other)), good, None, TODAY).chains)


def test_packets_that_wait_in_a_circle_or_for_nobody_are_told_so_once() -> None:
    one = packet(PlanGate("a", ("auth",)), id="A", depends_on=("nowhere",))
    good = {"auth": result("auth", run("auth", recovers=Outcome.PASSED))}
    verdict = fold(PlanDouble((one,)), good, None, TODAY)
    assert verdict.reasons == ("A · waits for nowhere, which is not judged",)
    assert [(step.kind, step.id, step.outcome) for step in verdict.chains[0].steps] == [
        ("verdict", "NO_GO", "NO_GO"),
        ("packet", "A", "BLOCKED"),
        ("packet", "nowhere", "not judged"),
    ]


def test_a_gate_in_a_chain_has_its_own_outcome_and_a_run_its_own() -> None:
    lines = (JudgedCheck("seen", Outcome.INCONCLUSIVE), JudgedCheck("recovers", Outcome.FAILED))
    bad = replace(FAILED, checks=lines)
    plan = PlanDouble((packet(PlanGate("survives", ("auth",), checks=("seen",)), PlanGate("b", ("auth",), "P1")),))
    (chain,) = fold(plan, {"auth": result("auth", bad)}, None, TODAY).chains
    assert [(step.kind, step.outcome) for step in chain.steps] == [
        ("verdict", "NO_GO"),
        ("packet", "BLOCKED"),
        ("gate", "inconclusive"),
        ("evidence", "failed"),
        ("run", "failed"),
        ("check", "inconclusive"),
    ]
