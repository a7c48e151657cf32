"""The fold: a plan and its evidence in, one verdict with its reasons out. Pure; silence is never success (R10).

In this order: every gate is judged on its evidence; waivers close what they may; packets follow their dependencies;
any packet not DONE, any abort nobody expected, any run that did not repeat itself makes NO_GO; any gate still open
makes GO_WITH_CONDITIONS; only then GO. It reads no file and no clock: the day it decides on is an argument.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from pulse_sim.canonical import digest
from pulse_sim.outcome import Outcome, worst
from pulse_sim.verdict.attest import Attestation, judge_attestation
from pulse_sim.verdict.conditions import apply_waivers, conditions_of
from pulse_sim.verdict.gates import judge_gate, problems_of_evidence
from pulse_sim.verdict.model import (
    Condition,
    EvidenceResult,
    FailureClassResult,
    GateResult,
    PacketResult,
    PacketState,
    PlanVerdict,
    Problem,
    RunSummary,
    Verdict,
    WaiverUse,
)
from pulse_sim.verdict.packets import judge_packets
from pulse_sim.verdict.shape import Plan


def fold(
    plan: Plan,
    results: Mapping[str, EvidenceResult],
    attest: Attestation | None,
    decided_on: date,
    *,
    capabilities: frozenset[str] | None = None,
) -> PlanVerdict:
    """The verdict on ``plan``. ``results`` maps evidence ids to what they came to; one that is absent was not produced.

    ``capabilities`` are those of the system under test; None means unknown, and then every gate applies.
    """
    attested = judge_attestation(attest, decided_on)
    judged = [
        judge_gate(gate, packet.id, results, attested=attested, p1_blocks=plan.p1_blocks, capabilities=capabilities)
        for packet in plan.packets
        for gate in packet.gates
    ]
    gates, waivers = apply_waivers(judged, plan.waivers, decided_on)
    by_packet = {packet.id: [gate for gate in gates if gate.packet == packet.id] for packet in plan.packets}
    packets = judge_packets(plan.packets, by_packet, results, [item.packet for item in plan.leaves_out])
    conditions = conditions_of(gates, {gate.id: gate for packet in plan.packets for gate in packet.gates})
    reasons = [
        *_ambiguities(plan),
        *_told(packets),
        *_aborts(results),
        *_unrepeatable(results),
        *_drifts(plan),
        *_incomplete(conditions, {gate.id for gate in gates if gate.not_applicable}),
    ]
    verdict = _verdict(reasons, conditions)
    return PlanVerdict(
        plan=plan.id,
        title=plan.title,
        verdict=verdict,
        reasons=tuple(reasons) or _open_reasons(conditions),
        conditions=conditions,
        waivers=waivers,
        packets=packets,
        failure_classes=_failure_classes(plan, results),
        leaves_out=tuple((item.packet, item.why) for item in plan.leaves_out),
        capabilities=None if capabilities is None else tuple(sorted(capabilities)),
        decided_on=decided_on,
        outcome_digest=_digest(verdict, gates, results, waivers),
    )


def _verdict(reasons: Sequence[str], conditions: Sequence[Condition]) -> Verdict:
    if reasons:
        return Verdict.NO_GO
    return Verdict.GO_WITH_CONDITIONS if conditions else Verdict.GO


def _told(packets: Sequence[PacketResult]) -> Iterable[str]:
    """Why packets are not DONE. Those with a reason of their own come first: the others only wait for them."""
    if not packets:
        yield "the plan has no packet: nothing was judged"
    open_packets = [packet for packet in packets if not packet.state.is_done]
    rank = {PacketState.CHANGES_REQUESTED: 0, PacketState.BLOCKED: 1}
    for packet in sorted(open_packets, key=lambda packet: rank[packet.state]):
        for reason in packet.reasons:
            yield f"{packet.id} · {reason}"


def _ambiguities(plan: Plan) -> Iterable[str]:
    """Ids used twice: one of the two would silently stand for both."""
    for kind, ids in (
        ("packet", [packet.id for packet in plan.packets]),
        ("gate", [gate.id for packet in plan.packets for gate in packet.gates]),
        ("evidence", [item.id for packet in plan.packets for item in packet.evidence]),
    ):
        for name, count in Counter(ids).items():
            if count > 1:
                yield f"the plan uses {kind} id {name} {count} times"


def _runs(results: Mapping[str, EvidenceResult]) -> list[RunSummary]:
    return [run for _, result in sorted(results.items()) for run in result.runs]


def _aborts(results: Mapping[str, EvidenceResult]) -> Iterable[str]:
    for run in _runs(results):
        for line in run.aborts:
            yield f"run {run.run}: abort criteria: expected {line.expected}, observed {line.observed}"


def _unrepeatable(results: Mapping[str, EvidenceResult]) -> Iterable[str]:
    """Same scenario, seed and circumstances, other outcome: a failure of the harness itself, always P0."""
    seen: dict[tuple[object, ...], RunSummary] = {}
    for run in _runs(results):
        key = (run.scenario, run.seed, run.world, run.sut, run.schedule)
        first = seen.setdefault(key, run)
        if (first.outcome, first.outcome_digest) != (run.outcome, run.outcome_digest):
            what = f"{run.scenario} with seed {run.seed}"
            yield f"harness: {what} ended in {first.outcome} and, with another digest, {run.outcome} ({run.run})"


def _drifts(plan: Plan) -> Iterable[str]:
    """Differences between product and plan that must be fixed first (rollout-plan 4)."""
    for row in plan.drift:
        if row.state == "DRIFT_FIX_REQUIRED":
            yield f"drift {row.id} must be fixed first: {row.title}"


def _incomplete(conditions: Sequence[Condition], not_applicable: set[str]) -> Iterable[str]:
    """A condition nobody owes anything for is none. A gate that does not apply asks nothing of anybody."""
    for condition in conditions:
        if condition.missing and condition.gate not in not_applicable:
            yield (
                f"{condition.packet} · gate {condition.gate} ({condition.priority}) is open and names no "
                f"{', no '.join(condition.missing)}: {condition.reason}"
            )


def _open_reasons(conditions: Sequence[Condition]) -> tuple[str, ...]:
    return tuple(
        f"{condition.packet} · gate {condition.gate} ({condition.priority}) {condition.title}: {condition.reason}"
        for condition in conditions
    )


def _failure_classes(plan: Plan, results: Mapping[str, EvidenceResult]) -> tuple[FailureClassResult, ...]:
    rows = []
    for item in plan.failure_classes:
        found = [results[name] for name in item.evidence if name in results]
        problems = [problem for result in found for problem in problems_of_evidence(result)]
        problems += [
            Problem(Outcome.INCONCLUSIVE, f"evidence {name} was not produced")
            for name in item.evidence
            if name not in results
        ]
        outcomes = [*(result.outcome for result in found), *(problem.outcome for problem in problems)]
        outcome = worst(outcomes)
        reason = next((problem.text for problem in problems if problem.outcome is outcome), "")
        runs = tuple(dict.fromkeys(run.run for result in found for run in result.runs))
        rows.append(FailureClassResult(item.id, item.title, outcome, reason, runs))
    return tuple(rows)


def _digest(
    verdict: Verdict,
    gates: Sequence[GateResult],
    results: Mapping[str, EvidenceResult],
    waivers: Sequence[WaiverUse],
) -> str:
    """SHA-256 over what was decided and on what; no day, no path, no words."""
    return digest(
        {
            "verdict": verdict.value,
            "gates": [[gate.packet, gate.id, gate.outcome.value, gate.closed] for gate in gates],
            "waivers": [[waiver.gate, waiver.state] for waiver in waivers],
            "evidence": [
                [name, result.outcome.value, [_run_digest(run) for run in result.runs]]
                for name, result in sorted(results.items())
            ],
        }
    )


def _run_digest(run: RunSummary) -> list[str | int]:
    return [run.scenario, run.seed, run.outcome.value, run.outcome_digest]
