"""What a verdict carries besides its answer: the drift table, the debt ledger, the risks that remain (rollout-plan 4).

Knows nothing of gates but what became of them.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from pulse_sim.verdict.model import ClosedCondition, Condition, DebtRow, DriftRow, ResidualRisk, WaiverUse
from pulse_sim.verdict.shape import Gate, Plan

DRIFT_STATES: Final = ("MATCHED", "DRIFT_ACCEPTED", "DRIFT_FIX_REQUIRED", "DEFERRED")


def drift_table(plan: Plan) -> tuple[DriftRow, ...]:
    """The plan's rows, in its order."""
    return tuple(DriftRow(row.id, row.title, row.state, row.reason or "") for row in plan.drift)


def debt_ledger(plan: Plan) -> tuple[DebtRow, ...]:
    """The plan's debts, then the differences that are deferred."""
    told = [DebtRow(row.id, row.title, row.severity, row.owner, row.milestone, _day(row.target)) for row in plan.debt]
    deferred = [
        DebtRow(row.id, row.title, row.severity or "", row.owner or "", row.milestone or "", _day(row.target))
        for row in plan.drift
        if row.state == "DEFERRED"
    ]
    return (*told, *deferred)


def drift_reasons(plan: Plan) -> Iterable[str]:
    """Differences that block: to be fixed first, of no known class, accepted without a reason, put off by nobody."""
    for row in plan.drift:
        if row.state == "DRIFT_FIX_REQUIRED":
            yield f"drift {row.id} must be fixed first: {row.title}"
        elif row.state not in DRIFT_STATES:
            yield f"drift {row.id} is of no known class: {row.state}"
        elif row.state != "MATCHED" and not (row.reason or "").strip():
            yield f"drift {row.id} is {row.state} and nobody says why: {row.title}"
        elif row.state == "DEFERRED":
            lacks = [name for name in ("severity", "owner", "milestone") if not (getattr(row, name) or "").strip()]
            if lacks:
                yield f"drift {row.id} is deferred and names no {', no '.join(lacks)}: {row.title}"


def residual_risks(
    plan: Plan,
    gates: Mapping[str, Gate],
    conditions: Sequence[Condition],
    waivers: Sequence[WaiverUse],
    closed: Sequence[ClosedCondition],
) -> tuple[ResidualRisk, ...]:
    """Risks the plan names, then those of gates that are open, waived or closed by word: none is proved away."""
    packets = {gate.id: packet.id for packet in plan.packets for gate in packet.gates}
    named = [
        ResidualRisk(risk.id, risk.title, risk.severity, risk.owner, risk.rollback, risk.packet or "", "plan")
        for risk in plan.residual_risks
    ]
    sources = [
        *((f"condition {one.gate}", one.gate) for one in conditions),
        *((f"waiver {use.gate}", use.gate) for use in waivers if use.state == "closes"),
        *((f"closed {one.gate}", one.gate) for one in closed if one.state == "closes"),
    ]
    return (*named, *(_of_gate(gates[name], packets[name], source) for source, name in sources))


def _of_gate(gate: Gate, packet: str, source: str) -> ResidualRisk:
    return ResidualRisk(
        gate.risk or "", gate.title, gate.severity or "", gate.owner or "", gate.rollback or "", packet, source
    )


def _day(value: object) -> str:
    return "" if value is None else str(value)
