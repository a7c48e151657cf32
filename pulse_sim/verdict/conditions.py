"""Open gates that do not block: turned into conditions, or closed by a waiver that still holds (DESIGN 4.3).

Knows nothing of evidence; it sees gates that were judged already.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from pulse_sim.verdict.model import Condition, GateResult, WaiverUse
from pulse_sim.verdict.shape import Gate, Waiver


def apply_waivers(
    gates: Sequence[GateResult], waivers: Sequence[Waiver], decided_on: date
) -> tuple[list[GateResult], tuple[WaiverUse, ...]]:
    """The gates with waivers applied, and what became of each waiver.

    A waiver holds on the days before its expiry, needs an owner and a reason, and never closes a blocking gate.
    """
    by_id = {gate.id: gate for gate in gates}
    uses = []
    for waiver in waivers:
        state = _state(waiver, by_id.get(waiver.gate), decided_on)
        if state == "closes":
            by_id[waiver.gate] = replace(by_id[waiver.gate], waived=True)
        uses.append(WaiverUse(waiver.gate, waiver.owner, waiver.reason, waiver.expires.isoformat(), state))
    return [by_id[gate.id] for gate in gates], tuple(uses)


def conditions_of(gates: Sequence[GateResult], plan_gates: Mapping[str, Gate]) -> tuple[Condition, ...]:
    """One condition for each gate that is open and does not stop the rollout, in the order of the plan."""
    return tuple(_condition(gate, plan_gates[gate.id]) for gate in gates if not gate.closed and not gate.stops)


def _state(waiver: Waiver, gate: GateResult | None, decided_on: date) -> str:
    if gate is None or gate.closed:
        return "unused"
    if decided_on >= waiver.expires:
        return "expired"
    if gate.blocking or not waiver.owner.strip() or not waiver.reason.strip():
        return "refused"
    return "closes"


def _condition(result: GateResult, gate: Gate) -> Condition:
    return Condition(
        gate=result.id,
        packet=result.packet,
        priority=result.priority,
        title=result.title,
        reason=result.reason,
        risk=gate.risk or "",
        severity=gate.severity or "",
        owner=gate.owner or "",
        target=str(gate.target or ""),
        rollback=gate.rollback or "",
    )
