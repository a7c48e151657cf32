"""Why a gate or a packet is not passed: each problem with its outcome, its words and its whole place."""

from dataclasses import replace

import pytest

from pulse_sim.outcome import Outcome
from pulse_sim.verdict import EvidenceResult, PacketState, Problem, fold
from tests.verdict.doubles import (
    TODAY,
    PlanBlockade,
    PlanDouble,
    PlanEvidence,
    PlanFailureClass,
    PlanGate,
    PlanPacket,
    packet,
    result,
    run,
)

RUN = "auth-7-00000000"
GOOD = run("auth", recovers=Outcome.PASSED)
INCONCLUSIVE, SKIPPED, FAILED, ERRORED = Outcome.INCONCLUSIVE, Outcome.SKIPPED, Outcome.FAILED, Outcome.ERRORED


def problems(gate: PlanGate, *evidence: EvidenceResult) -> tuple[Problem, ...]:
    verdict = fold(PlanDouble((packet(gate),)), {item.id: item for item in evidence}, None, TODAY)
    (judged,) = verdict.packets[0].gates
    assert judged.reason == (judged.problems[0].text if judged.problems else "")
    return judged.problems


def at(outcome: Outcome, text: str, *, run: str = "", check: str = "", evidence: str = "auth") -> Problem:
    return Problem(outcome, text, "TRR-04", "g", evidence, run, check)


@pytest.mark.parametrize(
    ("gate", "evidence", "told"),
    [
        (PlanGate("g"), (), at(INCONCLUSIVE, "the gate names no evidence", evidence="")),
        (PlanGate("g", open="later"), (), at(INCONCLUSIVE, "later", evidence="")),
        (PlanGate("g", attest="x"), (), at(INCONCLUSIVE, "human input x was not given (--attest)", evidence="")),
        (PlanGate("g", ("auth",)), (), at(INCONCLUSIVE, "evidence auth was not produced")),
        (
            PlanGate("g", ("auth",)),
            (EvidenceResult("auth", "scenario", Outcome.PASSED),),
            at(INCONCLUSIVE, "evidence auth: no run stands behind it"),
        ),
        (
            PlanGate("g", ("auth",)),
            (EvidenceResult("auth", "command", Outcome.PASSED),),
            at(INCONCLUSIVE, "evidence auth: no command stands behind it"),
        ),
        (PlanGate("g", ("auth",)), (result("auth", GOOD, outcome=FAILED),), at(FAILED, "evidence auth: failed")),
        (
            PlanGate("g", ("auth",)),
            (result("auth", GOOD, outcome=ERRORED, reason="torn"),),
            at(ERRORED, "evidence auth: torn"),
        ),
        (
            PlanGate("g", ("auth",), checks=("gone",)),
            (result("auth", GOOD),),
            at(INCONCLUSIVE, f"check gone in run {RUN}: the run has no such check", run=RUN, check="gone"),
        ),
        (
            PlanGate("g", ("auth",), checks=("gone",)),
            (result("auth", run("auth", SKIPPED)),),
            at(SKIPPED, f"check gone in run {RUN}: the run has no such check", run=RUN, check="gone"),
        ),
        (
            PlanGate("g", ("auth",)),
            (result("auth", run("auth", SKIPPED)),),
            at(SKIPPED, f"run {RUN}: nothing was checked", run=RUN),
        ),
        (
            PlanGate("g", ("auth",)),
            (result("auth", run("auth", Outcome.PASSED)),),
            at(INCONCLUSIVE, f"run {RUN}: nothing was checked", run=RUN),
        ),
        (
            PlanGate("g", ("auth",)),
            (result("auth", replace(GOOD, outcome=ERRORED, reason="a worker died")),),
            at(ERRORED, f"run {RUN}: a worker died", run=RUN),
        ),
        (
            PlanGate("g", ("auth",)),
            (result("auth", replace(GOOD, outcome=FAILED)),),
            at(FAILED, f"run {RUN}: failed", run=RUN),
        ),
    ],
)
def test_the_first_problem_of_a_gate_says_what_and_where(
    gate: PlanGate, evidence: tuple[EvidenceResult, ...], told: Problem
) -> None:
    assert problems(gate, *evidence)[0] == told


def test_a_gate_that_passed_has_no_problem_and_of_many_the_worst_comes_first() -> None:
    assert problems(PlanGate("g", ("auth",)), result("auth", GOOD)) == ()
    bad = run("auth", a=SKIPPED, b=FAILED, c=INCONCLUSIVE, d=ERRORED)
    found = problems(PlanGate("g", ("auth",)), result("auth", bad))
    assert [(one.check, one.outcome) for one in found] == [
        ("d", ERRORED),
        ("b", FAILED),
        ("c", INCONCLUSIVE),
        ("a", SKIPPED),
    ]


def test_what_no_gate_looks_at_is_told_with_its_evidence_item_by_item() -> None:
    seen = packet(PlanGate("g", ("auth",), checks=("recovers",)))
    whole = replace(seen, evidence=tuple(PlanEvidence(name) for name in ("gone", "auth", "flap")))
    bad = run("auth", recovers=Outcome.PASSED, isolation=FAILED)
    known = {"auth": result("auth", bad), "flap": result("flap", run("flap", stays=INCONCLUSIVE))}
    (judged,) = fold(PlanDouble((whole,)), known, None, TODAY).packets
    assert [(one.outcome, one.text, one.packet, one.evidence) for one in judged.because] == [
        (INCONCLUSIVE, "evidence gone was not produced", "TRR-04", "gone"),
        (
            FAILED,
            f"check isolation in run {RUN}: failed: expected isolation holds, observed isolation was failed"
            " — and no gate looks at it",
            "TRR-04",
            "auth",
        ),
        (
            INCONCLUSIVE,
            "check stays in run flap-7-00000000: inconclusive: expected stays holds, observed stays was inconclusive"
            " — and no gate looks at it",
            "TRR-04",
            "flap",
        ),
    ]


def test_what_keeps_a_packet_waiting_is_told_with_the_packet_it_waits_for() -> None:
    blocked = PlanPacket("C", (PlanGate("c", ("auth",)),), depends_on=("A", "B"), blockade=PlanBlockade("drills"))
    waiting = PlanPacket("D", (PlanGate("d", ("auth",)),), depends_on=("A", "B"))
    verdict = fold(PlanDouble((blocked, waiting)), {"auth": result("auth", GOOD)}, None, TODAY)
    waits = [Problem(INCONCLUSIVE, f"waits for {name}, which is not judged", waits_for=name) for name in "AB"]
    assert [one.because for one in verdict.packets] == [
        tuple(replace(one, packet="C") for one in (Problem(INCONCLUSIVE, "blocked: not built yet"), *waits)),
        tuple(replace(one, packet="D") for one in waits),
    ]
    assert [(one.state, one.unblocks) for one in verdict.packets] == [
        (PacketState.BLOCKED, "drills"),
        (PacketState.BLOCKED, "A and B DONE"),
    ]


def test_packets_in_a_circle_and_packets_without_a_gate_are_told_so() -> None:
    circle = tuple(
        PlanPacket(name, (PlanGate(name.lower(), ("auth",)),), depends_on=(to,)) for name, to in ("AB", "BA")
    )
    verdict = fold(PlanDouble((*circle, PlanPacket("C"))), {"auth": result("auth", GOOD)}, None, TODAY)
    assert [one.because for one in verdict.packets] == [
        (Problem(INCONCLUSIVE, "dependency cycle: A → B → A", "A"),),
        (Problem(INCONCLUSIVE, "dependency cycle: B → A → B", "B"),),
        (Problem(INCONCLUSIVE, "no gate: nothing was judged", "C"),),
    ]


def test_a_run_that_did_not_repeat_itself_is_told_with_both_outcomes() -> None:
    other = replace(GOOD, run="auth-7-11111111", outcome=FAILED, outcome_digest="b" * 64)
    verdict = fold(
        PlanDouble((packet(PlanGate("g", ("auth",), "P2")),)), {"auth": result("auth", GOOD, other)}, None, TODAY
    )
    assert verdict.reasons[0] == (
        "harness: auth with seed 7 ended in passed and, with another digest, failed (auth-7-11111111)"
    )
    assert [(step.kind, step.id, step.outcome) for step in verdict.chains[0].steps[1:]] == [
        ("evidence", "auth", "failed"),
        ("run", "auth-7-11111111", "failed"),
    ]
    for elsewhere in (replace(other, world="x"), replace(other, sut="x"), replace(other, schedule="x")):
        known = {"auth": result("auth", GOOD, elsewhere)}
        told = fold(PlanDouble((packet(PlanGate("g", ("auth",), "P2")),)), known, None, TODAY).reasons
        assert not [reason for reason in told if reason.startswith("harness")]


def test_a_plan_without_packets_and_ids_used_twice_are_told_in_words() -> None:
    assert fold(PlanDouble(), {}, None, TODAY).reasons == ("the plan has no packet: nothing was judged",)
    twice = packet(PlanGate("g", ("auth",)))
    told = fold(PlanDouble((twice, twice)), {"auth": result("auth", GOOD)}, None, TODAY).reasons
    assert told == (
        "the plan uses packet id TRR-04 2 times",
        "the plan uses gate id g 2 times",
        "the plan uses evidence id auth 2 times",
    )


def test_a_failure_class_says_its_worst_and_names_each_run_once() -> None:
    rows = (
        PlanFailureClass("a", ("auth", "auth")),
        PlanFailureClass("b", ("auth", "gone")),
        PlanFailureClass("c"),
    )
    plan = PlanDouble((packet(PlanGate("g", ("auth",))),), failure_classes=rows)
    told = fold(plan, {"auth": result("auth", GOOD)}, None, TODAY).failure_classes
    assert [(row.id, row.title, row.outcome, row.reason, row.runs) for row in told] == [
        ("a", "a class", Outcome.PASSED, "", (RUN,)),
        ("b", "a class", INCONCLUSIVE, "evidence gone was not produced", (RUN,)),
        ("c", "a class", INCONCLUSIVE, "", ()),
    ]


def test_a_gate_carries_what_its_plan_says_of_its_risk() -> None:
    told, bare = PlanGate("g"), PlanGate("h", risk=None, severity=None, owner=None, rollback=None)
    gates = fold(PlanDouble((packet(told, bare),)), {}, None, TODAY).packets[0].gates
    assert [(one.risk, one.severity, one.owner, one.rollback) for one in gates] == [
        ("R-1", "sev-3", "operations", "disable"),
        ("", "", "", ""),
    ]


def test_a_gate_that_does_not_apply_has_that_for_its_only_problem() -> None:
    gate = PlanGate("g", ("auth",), requires=("restart",))
    verdict = fold(PlanDouble((packet(gate),)), {}, None, TODAY, capabilities=frozenset())
    (judged,) = verdict.packets[0].gates
    assert judged.problems == (Problem(SKIPPED, "not applicable: the system under test has no restart", "TRR-04", "g"),)
