"""The fold on handwritten evidence: what makes GO, what makes conditions, what makes NO_GO."""

from dataclasses import replace
from datetime import date

import pytest

from pulse_sim.outcome import Outcome
from pulse_sim.verdict import CommandRun, EvidenceResult, JudgedCheck, PacketState, Verdict, fold
from pulse_sim.verdict.attest import Attestation, Statement
from tests.verdict.doubles import (
    TODAY,
    PlanBlockade,
    PlanDouble,
    PlanDrift,
    PlanEvidence,
    PlanFailureClass,
    PlanGate,
    PlanLeftOut,
    PlanPacket,
    PlanWaiver,
    packet,
    result,
    run,
)

GOOD = {"auth": result("auth", run("auth", recovers=Outcome.PASSED, never_crashes=Outcome.PASSED))}
NOT_PASSED = [outcome for outcome in Outcome if outcome is not Outcome.PASSED]


def one_gate(**fields: object) -> PlanDouble:
    return PlanDouble((packet(replace(PlanGate("auth-survived", ("auth",)), **fields)),))  # type: ignore[arg-type]


def test_every_gate_passed_is_go_without_reasons() -> None:
    verdict = fold(one_gate(), GOOD, None, TODAY)
    assert (verdict.verdict, verdict.reasons, verdict.conditions) == (Verdict.GO, (), ())
    assert verdict.packets[0].state is PacketState.DONE


@pytest.mark.parametrize("outcome", NOT_PASSED)
def test_a_blocking_gate_with_any_other_outcome_is_no_go(outcome: Outcome) -> None:
    verdict = fold(one_gate(), {"auth": result("auth", run("auth", recovers=outcome))}, None, TODAY)
    assert verdict.verdict is Verdict.NO_GO
    assert not verdict.packets[0].state.is_done


@pytest.mark.parametrize("outcome", NOT_PASSED)
def test_an_open_p1_gate_is_a_condition_with_all_it_owes(outcome: Outcome) -> None:
    verdict = fold(one_gate(priority="P1"), {"auth": result("auth", run("auth", recovers=outcome))}, None, TODAY)
    assert verdict.verdict is Verdict.GO_WITH_CONDITIONS
    (condition,) = verdict.conditions
    assert (condition.gate, condition.packet, condition.priority) == ("auth-survived", "TRR-04", "P1")
    assert (condition.risk, condition.severity, condition.owner) == ("R-1", "sev-3", "operations")
    assert (condition.target, condition.rollback) == ("2026-03-01", "disable")
    assert verdict.packets[0].state is PacketState.DONE_WITH_CONDITIONS


@pytest.mark.parametrize("field", ["risk", "severity", "owner", "target", "rollback"])
def test_a_condition_that_owes_nothing_is_no_condition_but_no_go(field: str) -> None:
    verdict = fold(one_gate(priority="P1", **{field: None}), {}, None, TODAY)
    assert verdict.verdict is Verdict.NO_GO
    assert f"names no {field}" in verdict.reasons[0]


def test_a_plan_may_let_p1_block() -> None:
    plan = replace(one_gate(priority="P1"), p1_blocks=True)
    assert fold(plan, {}, None, TODAY).verdict is Verdict.NO_GO


def test_p2_never_blocks() -> None:
    plan = replace(one_gate(priority="P2"), p1_blocks=True)
    assert fold(plan, {}, None, TODAY).verdict is Verdict.GO_WITH_CONDITIONS


def test_evidence_that_was_not_produced_is_not_passed() -> None:
    verdict = fold(one_gate(), {}, None, TODAY)
    assert verdict.verdict is Verdict.NO_GO
    assert verdict.reasons[0] == ("TRR-04 · gate auth-survived (P0) it holds: evidence auth was not produced")


def test_a_gate_without_evidence_is_not_passed() -> None:
    verdict = fold(one_gate(evidence=()), GOOD, None, TODAY)
    assert verdict.verdict is Verdict.NO_GO
    assert "names no evidence" in verdict.reasons[0]


def test_a_scenario_that_claims_to_have_passed_without_a_run_is_not_believed() -> None:
    claims = {"auth": EvidenceResult("auth", "scenario", Outcome.PASSED)}
    assert fold(one_gate(), claims, None, TODAY).verdict is Verdict.NO_GO


def test_a_run_that_claims_to_have_passed_without_checks_is_not_believed() -> None:
    claims = {"auth": result("auth", run("auth", Outcome.PASSED))}
    assert fold(one_gate(), claims, None, TODAY).verdict is Verdict.NO_GO


def test_evidence_worse_than_its_runs_counts_as_what_it_says() -> None:
    results = {"auth": replace(GOOD["auth"], outcome=Outcome.ERRORED, reason="a worker died")}
    verdict = fold(one_gate(), results, None, TODAY)
    assert verdict.verdict is Verdict.NO_GO
    assert "a worker died" in verdict.reasons[0]


def test_a_command_that_passed_needs_no_run() -> None:
    executed = CommandRun(("pulse-sim", "verify"), 0, False, 1.0, "ab" * 32, 10)
    results = {"auth": EvidenceResult("auth", "command", Outcome.PASSED, command=executed)}
    assert fold(one_gate(), results, None, TODAY).verdict is Verdict.GO


@pytest.mark.parametrize(
    "command",
    [
        None,
        CommandRun(("pulse-sim", "verify"), 1, False, 1.0, "ab" * 32, 10),
        CommandRun(("pulse-sim", "verify"), None, True, 1.0, "ab" * 32, 10),
        CommandRun(("pulse-sim", "verify"), None, False, 1.0, "ab" * 32, 10),
        CommandRun(("pulse-sim", "verify"), 0, False, 1.0, "ab" * 32, 0),
        CommandRun(("pulse-sim", "verify"), 0, False, 1.0, "ab" * 32, 10, truncated=True),
        CommandRun(("pytest", "tests"), 0, False, 1.0, "ab" * 32, 10, tests_run=0),
        CommandRun(("pytest", "tests"), 0, False, 1.0, "ab" * 32, 10),
    ],
)
def test_a_command_that_claims_to_have_passed_against_its_record_is_not_believed(command: CommandRun | None) -> None:
    results = {"auth": EvidenceResult("auth", "command", Outcome.PASSED, command=command)}
    assert fold(one_gate(), results, None, TODAY).verdict is Verdict.NO_GO


def test_the_first_reason_names_packet_gate_check_expected_and_observed() -> None:
    bad = run("auth", never_crashes=Outcome.INCONCLUSIVE, recovers=Outcome.FAILED)
    verdict = fold(one_gate(), {"auth": result("auth", bad)}, None, TODAY)
    assert verdict.reasons[0] == (
        "TRR-04 · gate auth-survived (P0) it holds: check recovers in run auth-7-00000000: "
        "failed: expected recovers holds, observed recovers was failed"
    )


def test_a_narrowed_gate_is_judged_on_its_checks_alone() -> None:
    bad = {"auth": result("auth", run("auth", recovers=Outcome.PASSED, request_rate=Outcome.FAILED))}
    plan = PlanDouble(
        (
            packet(
                PlanGate("recovers", ("auth",), checks=("recovers",)),
                PlanGate("polite", ("auth",), priority="P1", checks=("request_rate",)),
            ),
        )
    )
    verdict = fold(plan, bad, None, TODAY)
    assert verdict.verdict is Verdict.GO_WITH_CONDITIONS
    assert [condition.gate for condition in verdict.conditions] == ["polite"]


def test_a_named_check_absent_from_the_results_is_inconclusive() -> None:
    verdict = fold(one_gate(checks=("recovers", "isolation")), GOOD, None, TODAY)
    assert verdict.verdict is Verdict.NO_GO
    assert verdict.packets[0].gates[0].outcome is Outcome.INCONCLUSIVE
    assert "no such check" in verdict.reasons[0]


def test_a_failure_no_gate_looks_at_is_not_hidden_by_narrowing() -> None:
    bad = {"auth": result("auth", run("auth", recovers=Outcome.PASSED, isolation=Outcome.FAILED))}
    verdict = fold(one_gate(checks=("recovers",)), bad, None, TODAY)
    assert verdict.verdict is Verdict.NO_GO
    assert "isolation" in verdict.reasons[0] and "no gate looks at it" in verdict.reasons[0]


def test_evidence_that_no_gate_uses_must_be_there_all_the_same() -> None:
    plan = PlanDouble((replace(one_gate().packets[0], evidence=(PlanEvidence("auth"), PlanEvidence("flap"))),))
    assert fold(plan, GOOD, None, TODAY).verdict is Verdict.NO_GO


def test_trouble_of_the_whole_run_counts_for_a_narrowed_gate() -> None:
    bad = replace(run("auth", recovers=Outcome.PASSED), outcome=Outcome.ERRORED, reason="the log is damaged")
    verdict = fold(one_gate(checks=("recovers",)), {"auth": result("auth", bad)}, None, TODAY)
    assert verdict.verdict is Verdict.NO_GO
    assert "the log is damaged" in verdict.reasons[0]


def test_trouble_of_the_whole_run_is_not_hidden_by_a_check_as_bad() -> None:
    bad = replace(
        run("auth", recovers=Outcome.PASSED, isolation=Outcome.ERRORED), outcome=Outcome.ERRORED, reason="cut short"
    )
    gates = (PlanGate("a", ("auth",), checks=("recovers",)), PlanGate("b", ("auth",), "P1", checks=("isolation",)))
    verdict = fold(PlanDouble((packet(*gates),)), {"auth": result("auth", bad)}, None, TODAY)
    assert verdict.verdict is Verdict.NO_GO


def test_trouble_of_the_whole_item_is_not_hidden_by_a_run_as_bad() -> None:
    bad = run("auth", recovers=Outcome.PASSED, isolation=Outcome.FAILED)
    results = {"auth": result("auth", bad, reason="one variant was never run")}
    gates = (PlanGate("a", ("auth",), checks=("recovers",)), PlanGate("b", ("auth",), "P1", checks=("isolation",)))
    verdict = fold(PlanDouble((packet(*gates),)), results, None, TODAY)
    assert verdict.verdict is Verdict.NO_GO
    assert "one variant was never run" in verdict.reasons[0]


def test_a_gate_that_passed_has_no_reason() -> None:
    (gate,) = fold(one_gate(), GOOD, None, TODAY).packets[0].gates
    assert (gate.outcome, gate.reason, gate.closed) == (Outcome.PASSED, "", True)


@pytest.mark.parametrize(
    ("expected", "observed", "reason", "told"),
    [
        ("A", "B", "", "failed: expected A, observed B"),
        ("A", "B", "expected A; observed B", "failed: expected A; observed B"),
        ("A", "B", "C", "failed: expected A, observed B (C)"),
        ("A", "B", "B", "failed: expected A, observed B"),
        ("", "", "C", "failed: C"),
        ("", "", "", "failed"),
    ],
)
def test_a_reason_says_everything_once(expected: str, observed: str, reason: str, told: str) -> None:
    line = JudgedCheck("recovers", Outcome.FAILED, expected, observed, reason)
    bad = replace(run("auth", recovers=Outcome.FAILED), checks=(line,))
    verdict = fold(one_gate(), {"auth": result("auth", bad)}, None, TODAY)
    assert verdict.reasons[0].endswith(f"check recovers in run auth-7-00000000: {told}")


def test_a_plan_without_packets_is_no_go() -> None:
    assert fold(PlanDouble(), GOOD, None, TODAY).verdict is Verdict.NO_GO


def test_a_packet_without_gates_is_no_go() -> None:
    plan = PlanDouble((*one_gate().packets, PlanPacket("TRR-05")))
    verdict = fold(plan, GOOD, None, TODAY)
    assert verdict.verdict is Verdict.NO_GO
    assert verdict.reasons == ("TRR-05 · no gate: nothing was judged",)


def test_a_packet_not_built_yet_is_blocked_and_says_what_unblocks_it() -> None:
    plan = PlanDouble((replace(one_gate().packets[0], blockade=PlanBlockade("the runbook drills")),))
    verdict = fold(plan, GOOD, None, TODAY)
    assert verdict.verdict is Verdict.NO_GO
    assert (verdict.packets[0].state, verdict.packets[0].unblocks) == (PacketState.BLOCKED, "the runbook drills")


def test_a_packet_waits_for_its_dependencies_and_the_cause_comes_first() -> None:
    waiting = packet(PlanGate("g5", ("auth",)), id="TRR-05", depends_on=("TRR-04",))
    broken = packet(PlanGate("g4", ("flap",)), id="TRR-04")
    results = {**GOOD, "flap": result("flap", run("flap", recovers=Outcome.FAILED))}
    verdict = fold(PlanDouble((waiting, broken)), results, None, TODAY)
    assert [one.state for one in verdict.packets] == [PacketState.BLOCKED, PacketState.CHANGES_REQUESTED]
    assert verdict.reasons[0].startswith("TRR-04 · gate g4")
    assert verdict.reasons[1] == "TRR-05 · waits for TRR-04, which is CHANGES_REQUESTED"


def test_packets_listed_before_what_they_depend_on_are_judged_all_the_same() -> None:
    names = ("C", "B", "A")
    packets = tuple(
        PlanPacket(name, (PlanGate(f"g{name}", ("auth",)),), depends_on=names[index + 1 : index + 2])
        for index, name in enumerate(names)
    )
    verdict = fold(PlanDouble(packets), GOOD, None, TODAY)
    assert (verdict.verdict, [one.id for one in verdict.packets]) == (Verdict.GO, list(names))


def test_what_would_unblock_a_packet_is_told() -> None:
    dependent = packet(PlanGate("g5", ("auth",)), id="B", depends_on=("A",))
    failing = packet(PlanGate("g6", ("flap",)), id="C", depends_on=("A",))
    plan = PlanDouble((packet(PlanGate("g4", ("slow",)), id="A"), dependent, failing))
    results = {**GOOD, "flap": result("flap", run("flap", recovers=Outcome.FAILED))}
    verdict = fold(plan, results, None, TODAY)
    assert [one.unblocks for one in verdict.packets] == ["evidence that can be judged", "A DONE", None]
    assert verdict.packets[2].state is PacketState.CHANGES_REQUESTED


def test_a_packet_done_with_conditions_lets_the_next_one_be_done() -> None:
    first = packet(PlanGate("g4", ("flap",), "P1"), id="TRR-04")
    second = packet(PlanGate("g5", ("auth",)), id="TRR-05", depends_on=("TRR-04",))
    verdict = fold(PlanDouble((first, second)), GOOD, None, TODAY)
    assert verdict.verdict is Verdict.GO_WITH_CONDITIONS
    assert [one.state for one in verdict.packets] == [PacketState.DONE_WITH_CONDITIONS, PacketState.DONE]


def test_a_dependency_cycle_is_blocked_and_told_once_round() -> None:
    a = packet(PlanGate("ga", ("auth",)), id="A", depends_on=("B",))
    b = PlanPacket("B", (PlanGate("gb", ("auth",)),), depends_on=("A",))
    verdict = fold(PlanDouble((a, b)), GOOD, None, TODAY)
    assert verdict.verdict is Verdict.NO_GO
    assert verdict.reasons[0] == "A · dependency cycle: A → B → A"


def test_an_unknown_dependency_blocks_and_one_left_out_by_name_does_not() -> None:
    plan = PlanDouble((packet(PlanGate("g", ("auth",)), depends_on=("TRR-02",)),))
    assert fold(plan, GOOD, None, TODAY).verdict is Verdict.NO_GO
    narrow = replace(plan, leaves_out=(PlanLeftOut("TRR-02"),))
    verdict = fold(narrow, GOOD, None, TODAY)
    assert (verdict.verdict, verdict.leaves_out) == (Verdict.GO, (("TRR-02", "not built yet"),))


@pytest.mark.parametrize("kind", ["packet", "gate", "evidence"])
def test_an_id_used_twice_is_no_go(kind: str) -> None:
    one = packet(PlanGate("g", ("auth",)), id="A")
    other = packet(PlanGate("h", ("flap",)), id="B")
    if kind == "packet":
        other = replace(other, id="A")
    elif kind == "gate":
        other = replace(other, gates=(replace(other.gates[0], id="g"),))
    else:
        other = replace(other, evidence=(*other.evidence, PlanEvidence("auth")))
    results = {**GOOD, "flap": result("flap", run("flap", recovers=Outcome.PASSED))}
    verdict = fold(PlanDouble((one, other)), results, None, TODAY)
    assert verdict.verdict is Verdict.NO_GO
    assert f"uses {kind} id" in verdict.reasons[0]


def test_a_gate_for_a_capability_the_system_lacks_is_a_condition_that_names_it() -> None:
    skipped = {"auth": result("auth", run("auth", Outcome.SKIPPED))}
    plan = one_gate(requires=("restart",), risk=None, target=None)
    verdict = fold(plan, skipped, None, TODAY, capabilities=frozenset({"metrics"}))
    assert verdict.verdict is Verdict.GO_WITH_CONDITIONS
    assert "no restart" in verdict.conditions[0].reason


def test_a_capability_that_is_there_or_unknown_excuses_nothing() -> None:
    skipped = {"auth": result("auth", run("auth", Outcome.SKIPPED))}
    for capabilities in (None, frozenset({"restart"})):
        verdict = fold(one_gate(requires=("restart",)), skipped, None, TODAY, capabilities=capabilities)
        assert verdict.verdict is Verdict.NO_GO


def test_evidence_that_failed_counts_even_where_the_gate_would_not_apply() -> None:
    failed = {"auth": result("auth", run("auth", recovers=Outcome.FAILED))}
    verdict = fold(one_gate(requires=("restart",)), failed, None, TODAY, capabilities=frozenset())
    assert verdict.verdict is Verdict.NO_GO


def test_a_waiver_closes_an_open_gate_until_the_day_it_expires() -> None:
    plan = replace(one_gate(priority="P1"), waivers=(PlanWaiver("auth-survived", date(2026, 3, 1)),))
    before = fold(plan, {}, None, date(2026, 2, 28))
    after = fold(plan, {}, None, date(2026, 3, 1))
    assert (before.verdict, before.waivers[0].state) == (Verdict.GO, "closes")
    assert (after.verdict, after.waivers[0].state) == (Verdict.GO_WITH_CONDITIONS, "expired")


def test_a_waiver_of_a_gate_that_is_closed_or_absent_is_unused() -> None:
    plan = replace(one_gate(priority="P1"), waivers=(PlanWaiver("auth-survived"), PlanWaiver("nowhere")))
    verdict = fold(plan, GOOD, None, TODAY)
    assert [use.state for use in verdict.waivers] == ["unused", "unused"]
    assert verdict.packets[0].gates[0].waived is False


def test_a_waiver_never_closes_a_blocking_gate() -> None:
    plan = replace(one_gate(), waivers=(PlanWaiver("auth-survived"),))
    verdict = fold(plan, {}, None, TODAY)
    assert (verdict.verdict, verdict.waivers[0].state) == (Verdict.NO_GO, "refused")


@pytest.mark.parametrize("waiver", [PlanWaiver("auth-survived", owner=" "), PlanWaiver("auth-survived", reason="")])
def test_a_waiver_nobody_answers_for_is_refused(waiver: PlanWaiver) -> None:
    plan = replace(one_gate(priority="P1"), waivers=(waiver,))
    assert fold(plan, {}, None, TODAY).verdict is Verdict.GO_WITH_CONDITIONS


@pytest.mark.parametrize("priority", ["P1", "P2"])
def test_an_abort_nobody_expected_is_no_go_behind_any_gate(priority: str) -> None:
    aborted = run("auth", recovers=Outcome.PASSED, abort_criteria=Outcome.FAILED)
    verdict = fold(one_gate(priority=priority), {"auth": result("auth", aborted)}, None, TODAY)
    assert verdict.verdict is Verdict.NO_GO
    assert "abort criteria" in verdict.reasons[0]


def test_the_same_seed_with_another_outcome_is_no_go_behind_a_p2_gate_too() -> None:
    one = replace(GOOD["auth"].runs[0], outcome_digest="a" * 64)
    other = replace(one, run="auth-7-11111111", outcome_digest="b" * 64)
    verdict = fold(one_gate(priority="P2"), {"auth": result("auth", one, other)}, None, TODAY)
    assert verdict.verdict is Verdict.NO_GO
    assert verdict.reasons[0].startswith("harness: auth with seed 7")


def attest_plan() -> PlanDouble:
    return PlanDouble((packet(PlanGate("signed", priority="P1", attest="sign-off")),))


def test_a_human_input_is_open_until_it_is_given() -> None:
    given = Attestation((Statement("sign-off", True, "the owner", TODAY),))
    assert fold(attest_plan(), {}, None, TODAY).verdict is Verdict.GO_WITH_CONDITIONS
    assert fold(attest_plan(), {}, given, TODAY).verdict is Verdict.GO


@pytest.mark.parametrize(
    "statements",
    [
        (Statement("sign-off", False, "the owner", TODAY),),
        (Statement("sign-off", True, " ", TODAY),),
        (Statement("sign-off", True, "the owner", date(2026, 2, 10)),),
        (Statement("triage", True, "the owner", TODAY),),
        (Statement("sign-off", True, "the owner", TODAY), Statement("sign-off", True, "another", TODAY)),
    ],
    ids=["denied", "unsigned", "future-dated", "another", "twice"],
)
def test_a_human_input_that_cannot_be_relied_on_leaves_its_gate_open(statements: tuple[Statement, ...]) -> None:
    verdict = fold(attest_plan(), {}, Attestation(statements), TODAY)
    assert verdict.verdict is Verdict.GO_WITH_CONDITIONS


def test_a_failure_class_is_the_worst_of_its_evidence_and_without_it_inconclusive() -> None:
    runs = (run("auth", recovers=Outcome.PASSED), run("auth[tls=true]", recovers=Outcome.FAILED))
    rows = (PlanFailureClass("auth", ("auth",)), PlanFailureClass("flap", ("flap",)), PlanFailureClass("none"))
    verdict = fold(replace(one_gate(), failure_classes=rows), {"auth": result("auth", *runs)}, None, TODAY)
    outcomes = [row.outcome for row in verdict.failure_classes]
    assert outcomes == [Outcome.FAILED, Outcome.INCONCLUSIVE, Outcome.INCONCLUSIVE]
    assert "recovers" in verdict.failure_classes[0].reason
    assert "flap was not produced" in verdict.failure_classes[1].reason


def test_a_gate_that_says_why_it_is_open_is_told_in_its_own_words() -> None:
    plan = one_gate(priority="P1", evidence=(), open="JSON-RPC is not spoken yet")
    verdict = fold(plan, {}, None, TODAY)
    assert verdict.verdict is Verdict.GO_WITH_CONDITIONS
    assert verdict.conditions[0].reason == "JSON-RPC is not spoken yet"


def test_the_outcome_digest_moves_with_an_outcome_and_not_with_the_day() -> None:
    today = fold(one_gate(), GOOD, None, TODAY)
    later = fold(one_gate(), GOOD, None, date(2026, 2, 10))
    other = fold(one_gate(), {"auth": result("auth", run("auth", recovers=Outcome.FAILED))}, None, TODAY)
    assert today.outcome_digest == later.outcome_digest != other.outcome_digest


@pytest.mark.parametrize(
    ("state", "verdict"),
    [
        ("MATCHED", Verdict.GO),
        ("DRIFT_ACCEPTED", Verdict.GO),
        ("DRIFT_FIX_REQUIRED", Verdict.NO_GO),
    ],
)
def test_only_a_drift_that_must_be_fixed_first_stops_the_plan(state: str, verdict: Verdict) -> None:
    plan = replace(one_gate(), drift=(PlanDrift("DRIFT-01", "Ports differ", state),))
    decided = fold(plan, GOOD, None, TODAY)
    assert decided.verdict is verdict
    assert [reason for reason in decided.reasons if "DRIFT-01" in reason] == (
        ["drift DRIFT-01 must be fixed first: Ports differ"] if verdict is Verdict.NO_GO else []
    )


def test_a_command_that_is_not_believed_says_why_with_its_evidence() -> None:
    silent = CommandRun(("pulse-sim", "verify"), 0, False, 1.0, "ab" * 32, 0)
    told = [
        fold(one_gate(), {"auth": EvidenceResult("auth", "command", Outcome.PASSED, command=command)}, None, TODAY)
        for command in (None, silent)
    ]
    assert [verdict.packets[0].gates[0].reason for verdict in told] == [
        "evidence auth: no command stands behind it",
        "evidence auth: it printed nothing",
    ]
