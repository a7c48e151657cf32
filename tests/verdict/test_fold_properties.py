"""What holds for every plan and every evidence: P0 evidence not passed is never GO, and bad news never helps."""

from dataclasses import replace

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pulse_sim.outcome import Outcome
from pulse_sim.verdict import EvidenceResult, RunSummary, Verdict, fold
from pulse_sim.verdict.model import JudgedCheck
from tests.verdict.doubles import TODAY, PlanDouble, PlanEvidence, PlanGate, PlanPacket, PlanWaiver

CHECKS = ("recovers", "isolation", "abort_criteria")
EVIDENCE = ("auth", "flap", "stale", "slow")
NOT_PASSED = [outcome for outcome in Outcome if outcome is not Outcome.PASSED]

outcomes = st.sampled_from(list(Outcome))
lines = st.builds(JudgedCheck, st.sampled_from(CHECKS), outcomes, st.just("x"), st.just("y"))


def runs_of(name: str) -> st.SearchStrategy[tuple[RunSummary, ...]]:
    one = st.builds(
        RunSummary,
        run=st.sampled_from([f"{name}-1", f"{name}-2"]),
        scenario=st.just(name),
        seed=st.sampled_from([1, 2]),
        outcome=outcomes,
        checks=st.lists(lines, max_size=3).map(tuple),
        reason=st.sampled_from(["", "cut short"]),
    )
    return st.lists(one, max_size=2).map(tuple)


def result_of(name: str) -> st.SearchStrategy[EvidenceResult]:
    return st.builds(
        EvidenceResult,
        id=st.just(name),
        kind=st.sampled_from(["scenario", "command"]),
        outcome=outcomes,
        reason=st.sampled_from(["", "timed out"]),
        runs=runs_of(name),
    )


results = st.fixed_dictionaries({}, optional={name: result_of(name) for name in EVIDENCE})


@st.composite
def plans(draw: st.DrawFn) -> PlanDouble:
    packets = []
    gate_number = 0
    for index in range(draw(st.integers(0, 3))):
        gates = []
        for _ in range(draw(st.integers(0, 3))):
            gate_number += 1
            gates.append(
                PlanGate(
                    f"g{gate_number}",
                    tuple(draw(st.lists(st.sampled_from(EVIDENCE), max_size=2, unique=True))),
                    draw(st.sampled_from(["P0", "P1", "P2"])),
                    checks=tuple(draw(st.lists(st.sampled_from(CHECKS), max_size=2, unique=True))),
                    requires=tuple(draw(st.lists(st.sampled_from(["restart", "metrics"]), max_size=1))),
                )
            )
        depends_on = tuple(draw(st.lists(st.sampled_from(["p0", "p1", "p2", "p9"]), max_size=1)))
        evidence = (PlanEvidence(EVIDENCE[index]),) if draw(st.booleans()) else ()
        packets.append(PlanPacket(f"p{index}", tuple(gates), evidence, depends_on))
    waivers = tuple(PlanWaiver(f"g{draw(st.integers(1, 5))}") for _ in range(draw(st.integers(0, 2))))
    return PlanDouble(tuple(packets), waivers, p1_blocks=draw(st.booleans()))


def one_p0_plan(checks: tuple[str, ...] = ()) -> PlanDouble:
    gates = (PlanGate("g", ("auth",), checks=checks), PlanGate("h", ("flap",), "P1"))
    return PlanDouble((PlanPacket("p", gates, (PlanEvidence("auth"), PlanEvidence("flap"))),))


@given(plans(), results, st.data())
def test_p0_evidence_that_is_missing_or_not_passed_is_always_no_go(
    plan: PlanDouble, given_results: dict[str, EvidenceResult], data: st.DataObject
) -> None:
    p0 = [name for packet in plan.packets for gate in packet.gates if gate.priority == "P0" for name in gate.evidence]
    assume(p0)
    victim = data.draw(st.sampled_from(p0))
    broken = dict(given_results)
    if victim in broken and data.draw(st.booleans()):
        outcome = data.draw(st.sampled_from(NOT_PASSED))
        broken[victim] = replace(broken[victim], outcome=outcome, runs=())
    else:
        broken.pop(victim, None)
    assert fold(plan, broken, None, TODAY).verdict is Verdict.NO_GO


@given(plans(), results, st.sampled_from(NOT_PASSED))
def test_a_p0_gate_with_one_check_not_passed_is_always_no_go(
    plan: PlanDouble, given_results: dict[str, EvidenceResult], outcome: Outcome
) -> None:
    gates = [gate for packet in plan.packets for gate in packet.gates if gate.priority == "P0" and gate.evidence]
    assume(gates)
    gate = gates[0]
    name, check = gate.evidence[0], gate.checks[0] if gate.checks else "recovers"
    run = RunSummary(f"{name}-1", name, 1, Outcome.PASSED, (JudgedCheck(check, outcome),))
    broken = {**given_results, name: EvidenceResult(name, "scenario", Outcome.PASSED, "", (run,))}
    assert fold(plan, broken, None, TODAY).verdict is Verdict.NO_GO


def worsened(result: EvidenceResult, data: st.DataObject) -> EvidenceResult:
    """The same evidence with one thing about it worse than before."""
    how = data.draw(st.sampled_from(["item", "run", "check", "check added", "abort"]))
    if how == "item" or not result.runs:
        return replace(result, outcome=data.draw(st.sampled_from(_at_least(result.outcome))))
    index = data.draw(st.integers(0, len(result.runs) - 1))
    run = result.runs[index]
    if how == "run":
        run = replace(run, outcome=data.draw(st.sampled_from(_at_least(run.outcome))))
    elif how == "abort":
        run = replace(run, checks=(*run.checks, JudgedCheck("abort_criteria", Outcome.FAILED)))
    elif how == "check" and run.checks:
        line = run.checks[0]
        line = replace(line, outcome=data.draw(st.sampled_from(_at_least(line.outcome))))
        run = replace(run, checks=(line, *run.checks[1:]))
    elif run.checks:
        known = data.draw(st.sampled_from([line.check for line in run.checks]))
        run = replace(run, checks=(*run.checks, JudgedCheck(known, data.draw(st.sampled_from(NOT_PASSED)))))
    return replace(result, runs=(*result.runs[:index], run, *result.runs[index + 1 :]))


def _at_least(outcome: Outcome) -> list[Outcome]:
    return [other for other in Outcome if other.rank >= outcome.rank]


@settings(max_examples=400)
@given(plans(), results, st.data(), st.sampled_from([None, frozenset({"metrics"})]))
def test_adding_a_failure_never_improves_a_verdict(
    plan: PlanDouble,
    given_results: dict[str, EvidenceResult],
    data: st.DataObject,
    capabilities: frozenset[str] | None,
) -> None:
    assume(given_results)
    victim = data.draw(st.sampled_from(sorted(given_results)))
    worse = {**given_results, victim: worsened(given_results[victim], data)}
    before = fold(plan, given_results, None, TODAY, capabilities=capabilities)
    after = fold(plan, worse, None, TODAY, capabilities=capabilities)
    assert after.verdict.rank >= before.verdict.rank


def all_passed() -> dict[str, EvidenceResult]:
    return {
        name: EvidenceResult(
            name,
            "scenario",
            Outcome.PASSED,
            "",
            tuple(
                RunSummary(f"{name}-{seed}", name, seed, Outcome.PASSED, (JudgedCheck("recovers", Outcome.PASSED),))
                for seed in (1, 2)
            ),
        )
        for name in ("auth", "flap")
    }


@given(st.data(), st.sampled_from([(), ("recovers",)]))
def test_from_go_every_piece_of_bad_news_leads_down_or_nowhere(data: st.DataObject, checks: tuple[str, ...]) -> None:
    plan, evidence = one_p0_plan(checks), all_passed()
    verdict = fold(plan, evidence, None, TODAY)
    assert verdict.verdict is Verdict.GO
    for _ in range(data.draw(st.integers(1, 6))):
        victim = data.draw(st.sampled_from(sorted(evidence)))
        evidence = {**evidence, victim: worsened(evidence[victim], data)}
        after = fold(plan, evidence, None, TODAY)
        assert after.verdict.rank >= verdict.verdict.rank
        verdict = after


@given(st.sets(st.sampled_from(["auth", "flap"]), min_size=1))
def test_from_go_taking_evidence_away_costs_what_its_gate_is_worth(gone: set[str]) -> None:
    left = {name: result for name, result in all_passed().items() if name not in gone}
    wanted = Verdict.NO_GO if "auth" in gone else Verdict.GO_WITH_CONDITIONS
    assert fold(one_p0_plan(), left, None, TODAY).verdict is wanted


@given(results)
def test_go_means_that_every_line_behind_every_gate_passed(given_results: dict[str, EvidenceResult]) -> None:
    verdict = fold(one_p0_plan(), given_results, None, TODAY)
    if verdict.verdict is Verdict.GO:
        for name in ("auth", "flap"):
            assert given_results[name].outcome is Outcome.PASSED
            assert all(line.outcome is Outcome.PASSED for run in given_results[name].runs for line in run.checks)
