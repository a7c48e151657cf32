"""The plans of the catalogue: the whole rollout asks for everything it must, and people are all it waits for."""

from datetime import date
from pathlib import Path

import pytest

from pulse_sim.evidence.attestation import read_attestation
from pulse_sim.outcome import Outcome
from pulse_sim.scenario.plan import CommandEvidence, Plan, ScenarioEvidence, load_plan, missing_scenarios
from pulse_sim.verdict import (
    CommandRun,
    EvidenceResult,
    JudgedCheck,
    PacketState,
    PlanVerdict,
    RunSummary,
    Verdict,
    fold,
)

PLANS = Path(__file__).parents[2] / "scenarios" / "plans"
ROLLOUT = PLANS / "truenas-rollout.yaml"
CONFIDENCE = PLANS / "release-confidence.yaml"
EXAMPLE = PLANS / "attest.example.yaml"
DECIDED_ON = date(2026, 2, 16)
WEEK_S = 7 * 24 * 3600.0
THRESHOLDS = {"poll-failing", "stale", "stale-critical", "auth", "timeouts", "connection", "slow"}
DRILLS = {"enable", "disable", "kill-switch", "code-rollback", "data-clean-up"}


@pytest.fixture(scope="module")
def plan() -> Plan:
    return load_plan(ROLLOUT)


def all_passed(plan: Plan) -> dict[str, EvidenceResult]:
    """Evidence as it is when all is well: every check any gate names, and a week of every run."""
    named = {name for packet in plan.packets for gate in packet.gates for name in gate.checks} | {"never_crashes"}
    lines = tuple(JudgedCheck(name, Outcome.PASSED) for name in sorted(named))
    results = {}
    for packet in plan.packets:
        for item in packet.evidence:
            if isinstance(item, ScenarioEvidence):
                run = RunSummary(f"{item.id}-1", item.id, 1, Outcome.PASSED, lines, virtual_s=WEEK_S)
                results[item.id] = EvidenceResult(item.id, "scenario", Outcome.PASSED, "", (run,))
            elif isinstance(item, CommandEvidence):
                done = CommandRun(item.command, 0, False, 1.0, "ab" * 32, 10, tests_run=1)
                results[item.id] = EvidenceResult(item.id, "command", Outcome.PASSED, command=done)
            else:
                results[item.id] = EvidenceResult(item.id, "inventory", Outcome.PASSED)
    return results


def decide(plan: Plan, *, attested: bool, without: str = "") -> PlanVerdict:
    results = {name: result for name, result in all_passed(plan).items() if name != without}
    return fold(plan, results, read_attestation(EXAMPLE) if attested else None, DECIDED_ON)


def test_six_packets_are_done_and_people_are_all_that_is_missing(plan: Plan) -> None:
    verdict = decide(plan, attested=False)
    attest = {gate.id for packet in plan.packets for gate in packet.gates if gate.attest is not None}
    assert verdict.verdict is Verdict.GO_WITH_CONDITIONS
    assert {condition.gate for condition in verdict.conditions} == attest
    assert [packet.id for packet in verdict.packets] == [f"TRR-0{number}" for number in range(6)]
    assert all(packet.state.is_done for packet in verdict.packets)
    assert not any(phase.may_end for phase in verdict.phases)


def test_with_the_example_of_what_people_say_it_is_go_and_every_phase_may_end(plan: Plan) -> None:
    verdict = decide(plan, attested=True)
    assert (verdict.verdict, verdict.reasons, verdict.conditions) == (Verdict.GO, (), ())
    assert [phase.id for phase in verdict.phases if phase.may_end] == ["phase-1", "phase-2", "phase-3"]
    assert {packet.state for packet in verdict.packets} == {PacketState.DONE}


def test_without_any_one_piece_of_evidence_it_is_not_go(plan: Plan) -> None:
    for name in all_passed(plan):
        assert decide(plan, attested=True, without=name).verdict is not Verdict.GO, name


def test_every_scenario_it_names_is_there(plan: Plan) -> None:
    assert missing_scenarios(plan, ROLLOUT) == {}


def test_every_drill_threshold_phase_abort_and_failure_class_has_a_blocking_gate(plan: Plan) -> None:
    gates = {gate.id: gate for packet in plan.packets for gate in packet.gates}
    blocking = {name for gate in gates.values() if gate.priority == "P0" for name in gate.evidence}
    wanted = {f"drill-{name}" for name in DRILLS} | {f"threshold-{name}" for name in THRESHOLDS}
    wanted |= {f"{lead}phase-{number}" for lead in ("", "rollback-") for number in (1, 2, 3)}
    wanted |= {f"abort-{name}{held}" for name in ("failure-rate", "auth-errors") for held in ("", "-held-off")}
    wanted |= {"inventory", "verified", "abort-criteria"}
    assert wanted <= blocking
    assert {row.id for row in plan.failure_classes} == {
        "api-timeout",
        "auth-revoked",
        "stale-recovery",
        "connection-flap",
        "config-change",
    }


def test_every_gate_and_packet_says_who_answers_and_how_to_go_back(plan: Plan) -> None:
    for packet in plan.packets:
        assert packet.owner, packet.id
        assert packet.rollback, packet.id
        for gate in packet.gates:
            assert all((gate.owner, gate.risk, gate.severity, gate.rollback)), gate.id


def test_phases_last_as_long_as_the_rollout_plan_says(plan: Plan) -> None:
    hour = 3600 * 10**9
    assert [phase.duration // hour for phase in plan.phases] == [48, 168, 24]


def test_a_second_plan_with_other_packets_and_another_rule_needs_no_other_engine() -> None:
    confidence = load_plan(CONFIDENCE)
    assert missing_scenarios(confidence, CONFIDENCE) == {}
    verdict = fold(confidence, all_passed(confidence), None, DECIDED_ON)
    assert (verdict.verdict, [one.gate for one in verdict.conditions]) == (
        Verdict.GO_WITH_CONDITIONS,
        ["RC-07.P2-1"],
    )
    p1 = {name: result for name, result in all_passed(confidence).items() if name != "schemas"}
    assert fold(confidence, p1, None, DECIDED_ON).verdict is Verdict.NO_GO
