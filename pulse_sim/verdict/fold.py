"""The fold: a plan and its evidence in, one verdict with its reasons out. Pure; silence is never success (R10).

In this order: every gate is judged on its evidence; waivers close what they may; packets follow their dependencies;
any packet not DONE, any abort nobody expected, any run that did not repeat itself makes NO_GO; any gate still open
makes GO_WITH_CONDITIONS; only then GO. It reads no file and no clock: the day it decides on is an argument.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from pulse_sim.canonical import Json, digest
from pulse_sim.outcome import Outcome, worst
from pulse_sim.verdict.attest import Attestation, judge_attestation
from pulse_sim.verdict.chains import chains_of
from pulse_sim.verdict.conditions import apply_closings, apply_waivers, conditions_of
from pulse_sim.verdict.gates import judge_gate, problems_of_evidence
from pulse_sim.verdict.ledger import debt_ledger, drift_reasons, drift_table, residual_risks
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
from pulse_sim.verdict.phases import judge_phases, too_short
from pulse_sim.verdict.shape import Plan


def fold(
    plan: Plan,
    results: Mapping[str, EvidenceResult],
    attest: Attestation | None,
    decided_on: date,
    *,
    capabilities: frozenset[str] | None = None,
    inventory: Mapping[str, Json] | None = None,
) -> PlanVerdict:
    """The verdict on ``plan``. ``results`` maps evidence ids to what they came to; one that is absent was not produced.

    ``capabilities`` are those of the system under test; None means unknown, and then every gate applies.
    ``inventory`` is only carried along; evidence of kind inventory is what was judged of it.
    """
    attested = judge_attestation(attest, decided_on)
    judged = [
        judge_gate(gate, packet.id, results, attested=attested, p1_blocks=plan.p1_blocks, capabilities=capabilities)
        for packet in plan.packets
        for gate in packet.gates
    ]
    gates, closings = apply_closings(judged, () if attest is None else attest.closed, decided_on)
    gates, waivers = apply_waivers(gates, plan.waivers, decided_on)
    phases = judge_phases(plan.phases, gates, results, attested)
    by_packet = {packet.id: [gate for gate in gates if gate.packet == packet.id] for packet in plan.packets}
    left_out = [item.packet for item in plan.leaves_out]
    packets = judge_packets(plan.packets, by_packet, results, left_out, too_short(phases))
    plan_gates = {gate.id: gate for packet in plan.packets for gate in packet.gates}
    conditions = conditions_of(gates, plan_gates)
    stopping = [
        *(Problem(Outcome.FAILED, text) for text in _ambiguities(plan)),
        *_told(packets),
        *_aborts(results),
        *_unrepeatable(results),
        *(Problem(Outcome.FAILED, text) for text in drift_reasons(plan)),
        *_incomplete(conditions, gates),
    ]
    verdict = _verdict(stopping, conditions)
    reasons = stopping or _open_reasons(conditions, gates)
    return PlanVerdict(
        plan=plan.id,
        title=plan.title,
        verdict=verdict,
        reasons=tuple(reason.text for reason in reasons),
        conditions=conditions,
        waivers=waivers,
        packets=packets,
        failure_classes=_failure_classes(plan, results),
        leaves_out=tuple((item.packet, item.why) for item in plan.leaves_out),
        capabilities=None if capabilities is None else tuple(sorted(capabilities)),
        decided_on=decided_on,
        outcome_digest=_digest(verdict, gates, results, waivers),
        chains=chains_of(verdict, reasons, packets, results),
        phases=phases,
        drift=drift_table(plan),
        debt=debt_ledger(plan),
        residual_risks=residual_risks(plan, plan_gates, conditions, waivers, closings),
        closed_conditions=closings,
        inventory=inventory,
    )


def _verdict(reasons: Sequence[Problem], conditions: Sequence[Condition]) -> Verdict:
    if reasons:
        return Verdict.NO_GO
    return Verdict.GO_WITH_CONDITIONS if conditions else Verdict.GO


def _told(packets: Sequence[PacketResult]) -> Iterable[Problem]:
    """Why packets are not DONE. Those with a reason of their own come first: the others only wait for them."""
    if not packets:
        yield Problem(Outcome.INCONCLUSIVE, "the plan has no packet: nothing was judged")
    open_packets = [packet for packet in packets if not packet.state.is_done]
    rank = {PacketState.CHANGES_REQUESTED: 0, PacketState.BLOCKED: 1}
    for packet in sorted(open_packets, key=lambda packet: rank[packet.state]):
        for reason in packet.because:
            yield replace(reason, text=f"{packet.id} · {reason.text}")


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


def _aborts(results: Mapping[str, EvidenceResult]) -> Iterable[Problem]:
    for run in _runs(results):
        for line in run.aborts:
            text = f"run {run.run}: abort criteria: expected {line.expected}, observed {line.observed}"
            yield Problem(line.outcome, text, run=run.run, check=line.check, records=line.records)


def _unrepeatable(results: Mapping[str, EvidenceResult]) -> Iterable[Problem]:
    """Same scenario, seed and circumstances, other outcome: a failure of the harness itself, always P0."""
    seen: dict[tuple[object, ...], RunSummary] = {}
    for run in _runs(results):
        key = (run.scenario, run.seed, run.world, run.sut, run.schedule)
        first = seen.setdefault(key, run)
        if (first.outcome, first.outcome_digest) != (run.outcome, run.outcome_digest):
            what = f"{run.scenario} with seed {run.seed}"
            text = f"harness: {what} ended in {first.outcome} and, with another digest, {run.outcome} ({run.run})"
            yield Problem(Outcome.ERRORED, text, run=run.run)


def _incomplete(conditions: Sequence[Condition], gates: Sequence[GateResult]) -> Iterable[Problem]:
    """A condition nobody owes anything for is none. A gate that does not apply asks nothing of anybody."""
    by_id = {gate.id: gate for gate in gates}
    for condition in conditions:
        gate = by_id[condition.gate]
        if condition.missing and gate.not_applicable is None:
            lacks = f"is open and names no {', no '.join(condition.missing)}: {condition.reason}"
            text = f"{condition.packet} · gate {condition.gate} ({condition.priority}) {lacks}"
            yield replace(gate.problems[0], text=text)


def _open_reasons(conditions: Sequence[Condition], gates: Sequence[GateResult]) -> list[Problem]:
    by_id = {gate.id: gate for gate in gates}
    return [
        replace(
            by_id[one.gate].problems[0],
            text=f"{one.packet} · gate {one.gate} ({one.priority}) {one.title}: {one.reason}",
        )
        for one in conditions
    ]


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
