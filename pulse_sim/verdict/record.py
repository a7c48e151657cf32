"""``packets.json`` and ``verdict.json``: a verdict as plain data, and runs read back from ``checks.json``.

Knows nothing of files. What it reads was written by others: anything of the wrong shape is a ValueError.
"""

from collections.abc import Mapping
from typing import Any, Final

from pulse_sim.outcome import Outcome
from pulse_sim.verdict.model import (
    Condition,
    EvidenceResult,
    GateResult,
    JsonObject,
    JudgedCheck,
    PacketResult,
    PlanVerdict,
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
        "leaves_out": [{"packet": packet, "why": why} for packet, why in verdict.leaves_out],
        "capabilities": None if verdict.capabilities is None else list(verdict.capabilities),
        "outcome_digest": verdict.outcome_digest,
        "decided_at": verdict.decided_on.isoformat(),
    }


def condition_data(condition: Condition) -> JsonObject:
    """One condition as ``verdict.json`` and the command line's ``--json`` show it."""
    names = ("gate", "packet", "priority", "title", "reason", "risk", "severity", "owner", "target", "rollback")
    return {name: getattr(condition, name) for name in names}


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
    )


def _packet(packet: PacketResult, by_id: Mapping[str, EvidenceResult]) -> JsonObject:
    return {
        "id": packet.id,
        "title": packet.title,
        "state": packet.state.value,
        "reasons": list(packet.reasons),
        "unblocks": packet.unblocks,
        "depends_on": list(packet.depends_on),
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
