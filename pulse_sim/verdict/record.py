"""``packets.json`` and ``verdict.json``: a verdict as plain data, and runs read back from ``checks.json``.

Knows nothing of files. What it reads was written by others: anything of the wrong shape is a ValueError.
"""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

from pulse_sim.canonical import Json
from pulse_sim.outcome import Outcome
from pulse_sim.verdict.model import (
    ClosedCondition,
    CommandRun,
    Condition,
    DebtRow,
    EvidenceResult,
    GateResult,
    JsonObject,
    JudgedCheck,
    PacketResult,
    PhaseResult,
    PlanVerdict,
    ReasonChain,
    ResidualRisk,
    RunSummary,
)

VERSION: Final = 1


def packets_data(verdict: PlanVerdict) -> JsonObject:
    """The content of ``packets.json``: every packet with its gates, and the evidence each gate rests on."""
    results = {result.id: result for packet in verdict.packets for result in packet.evidence}
    return {"version": VERSION, "packets": [_packet(packet, results) for packet in verdict.packets]}


def verdict_data(verdict: PlanVerdict) -> JsonObject:
    """The content of ``verdict.json``."""
    return {
        "version": VERSION,
        "plan": verdict.plan,
        "title": verdict.title,
        "verdict": verdict.verdict.value,
        "reasons": list(verdict.reasons),
        "chains": [_chain(chain) for chain in verdict.chains],
        "conditions": [condition_data(condition) for condition in verdict.conditions],
        "waivers": [
            {"gate": use.gate, "owner": use.owner, "reason": use.reason, "expires": use.expires, "state": use.state}
            for use in verdict.waivers
        ],
        "failure_classes": [
            {
                "id": row.id,
                "title": row.title,
                "outcome": row.outcome.value,
                "reason": row.reason,
                "runs": list(row.runs),
            }
            for row in verdict.failure_classes
        ],
        "closed_conditions": [_fields(one) for one in verdict.closed_conditions],
        "phases": [_phase(phase) for phase in verdict.phases],
        "drift": [
            {"id": row.id, "title": row.title, "class": row.state, "reason": row.reason} for row in verdict.drift
        ],
        "debt": [_fields(row) for row in verdict.debt],
        "residual_risks": [_fields(risk) for risk in verdict.residual_risks],
        "leaves_out": [{"packet": packet, "why": why} for packet, why in verdict.leaves_out],
        "capabilities": None if verdict.capabilities is None else list(verdict.capabilities),
        "outcome_digest": verdict.outcome_digest,
        "decided_at": verdict.decided_on.isoformat(),
    }


def condition_data(condition: Condition) -> JsonObject:
    """One condition as ``verdict.json`` and the command line's ``--json`` show it."""
    names = ("gate", "packet", "priority", "title", "reason", "risk", "severity", "owner", "target", "rollback")
    return {name: getattr(condition, name) for name in names}


def _chain(chain: ReasonChain) -> JsonObject:
    """One reason's chain; ``records`` are sequence numbers in the observation log of its last run."""
    steps: list[Json] = [{"kind": step.kind, "id": step.id, "outcome": step.outcome} for step in chain.steps]
    return {"reason": chain.reason, "steps": steps, "records": list(chain.records)}


def _phase(phase: PhaseResult) -> JsonObject:
    checklist: list[Json] = [
        {"id": item.id, "title": item.title, "outcome": item.outcome.value, "reason": item.reason}
        for item in phase.checklist
    ]
    return {
        "id": phase.id,
        "title": phase.title,
        "packet": phase.packet,
        "duration_s": whole(phase.duration_s),
        "ran_s": None if phase.ran_s is None else whole(phase.ran_s),
        "evidence": list(phase.evidence),
        "checkpoints": list(phase.checkpoints),
        "exit": list(phase.exit),
        "rollback": list(phase.rollback),
        "may_end": phase.may_end,
        "checklist": checklist,
    }


def whole(seconds: float) -> int | float:
    """An integer where there is nothing behind the point: one number has one spelling."""
    return int(seconds) if seconds == int(seconds) else seconds


def _fields(row: ClosedCondition | DebtRow | ResidualRisk) -> JsonObject:
    """A row all of whose fields are text."""
    return {field.name: getattr(row, field.name) for field in fields(row)}


def evidence_data(result: EvidenceResult) -> JsonObject:
    """One evidence item: its outcome and the runs behind it.

    A run with checks has a bundle of its own, where they are; of one without, what is told here is all there is.
    """
    return {
        "id": result.id,
        "kind": result.kind,
        "outcome": result.outcome.value,
        "reason": result.reason,
        "runs": [
            {
                "run": run.run,
                "scenario": run.scenario,
                "seed": run.seed,
                "outcome": run.outcome.value,
                "reason": run.reason,
                "bundled": bool(run.checks),
            }
            for run in result.runs
        ],
        "command": None if result.command is None else _command(result.command),
    }


def _command(run: CommandRun) -> JsonObject:
    """A command as far as it is the same whenever it is executed; all of it is beside its output in ``commands/``."""
    return {
        "argv": list(run.argv),
        "exit_status": run.exit_status,
        "timed_out": run.timed_out,
        "truncated": run.truncated,
        "withheld": run.withheld,
        "tests_run": run.tests_run,
    }


def run_summary(name: str, checks: Any) -> RunSummary:
    """A run from the content of its ``checks.json``. Raises ValueError when it is not of version 1's shape."""
    data = _mapping(checks, "checks.json")
    if data.get("version") != VERSION or isinstance(data.get("version"), bool):
        raise ValueError(f"checks.json version {data.get('version')!r} is not {VERSION}, the one known here")
    seed = data.get("seed")
    if type(seed) is not int:
        raise ValueError("checks.json: seed is an integer")
    lines = data.get("checks")
    if not isinstance(lines, list):
        raise ValueError("checks.json: checks is a list")
    return RunSummary(
        run=name,
        scenario=_text(data, "scenario"),
        seed=seed,
        outcome=_outcome(data),
        checks=tuple(judged_check(line) for line in lines),
        reason=_text(data, "reason", ""),
        world=_text(data, "world"),
        sut=_text(data, "sut"),
        schedule=_text(data, "schedule"),
        trace_digest=_text(data, "trace_digest"),
        outcome_digest=_text(data, "outcome_digest"),
        virtual_s=_virtual_s(data.get("virtual_seconds")),
    )


def judged_check(value: Any) -> JudgedCheck:
    """One check from ``CheckResult.to_data()``. Raises ValueError when it is not of that shape."""
    line = _mapping(value, "a check")
    return JudgedCheck(
        check=_text(line, "check"),
        outcome=_outcome(line),
        expected=_text(line, "expected", ""),
        observed=_text(line, "observed", ""),
        reason=_text(line, "reason", ""),
        records=_records(line.get("evidence", [])),
    )


def _records(value: Any) -> tuple[int, ...]:
    if not isinstance(value, list) or not all(type(seq) is int and seq >= 0 for seq in value):
        raise ValueError("a check's evidence is a list of sequence numbers")
    return tuple(value)


def _virtual_s(value: Any) -> float | None:
    if value is None:
        return None
    if type(value) not in (int, float) or not 0 <= value < float("inf"):
        raise ValueError("checks.json: virtual_seconds is a length in seconds")
    return float(value)


def _packet(packet: PacketResult, by_id: Mapping[str, EvidenceResult]) -> JsonObject:
    return {
        "id": packet.id,
        "title": packet.title,
        "state": packet.state.value,
        "reasons": list(packet.reasons),
        "unblocks": packet.unblocks,
        "depends_on": list(packet.depends_on),
        "objective": packet.objective,
        "owner": packet.owner,
        "rollback": packet.rollback,
        "gates": [_gate(gate, by_id) for gate in packet.gates],
        "evidence": [evidence_data(result) for result in packet.evidence],
    }


def _gate(gate: GateResult, by_id: Mapping[str, EvidenceResult]) -> JsonObject:
    return {
        "id": gate.id,
        "priority": gate.priority,
        "title": gate.title,
        "outcome": gate.outcome.value,
        "closed": gate.closed,
        "blocking": gate.blocking,
        "waived": gate.waived,
        "closed_later": gate.closed_later,
        "not_applicable": gate.not_applicable,
        "reason": gate.reason,
        "evidence": [line for name in gate.evidence for line in _gate_evidence(name, by_id.get(name))],
    }


def _gate_evidence(name: str, result: EvidenceResult | None) -> list[JsonObject]:
    if result is None or not result.runs:
        outcome = Outcome.INCONCLUSIVE if result is None else result.outcome
        return [{"id": name, "scenario": None, "outcome": outcome.value, "run": None}]
    return [{"id": name, "scenario": run.scenario, "outcome": run.outcome.value, "run": run.run} for run in result.runs]


def _mapping(value: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{what} is not an object")
    return value


def _text(data: Mapping[str, Any], name: str, default: str | None = None) -> str:
    value = data.get(name, default)
    if not isinstance(value, str):
        raise ValueError(f"{name} is not a text")
    return value


def _outcome(data: Mapping[str, Any]) -> Outcome:
    try:
        return Outcome(_text(data, "outcome"))
    except ValueError:
        raise ValueError(f"{data.get('outcome')!r} is not an outcome") from None
