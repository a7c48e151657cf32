"""Open gates that do not block: turned into conditions, closed later, or by a waiver that still holds (DESIGN 4.3).

Knows nothing of evidence; it sees gates that were judged already.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from pulse_sim.outcome import Outcome
from pulse_sim.verdict.attest import Closing
from pulse_sim.verdict.model import ClosedCondition, Condition, GateResult, WaiverUse
from pulse_sim.verdict.shape import Gate, Waiver


def apply_waivers(
    gates: Sequence[GateResult], waivers: Sequence[Waiver], decided_on: date
) -> tuple[list[GateResult], tuple[WaiverUse, ...]]:
    """The gates with waivers applied, and what became of each waiver.

    A waiver holds on the days before its expiry, needs an owner and a reason, and never closes a gate that blocks or
    does not apply: nobody can vouch for what the system cannot do (R10).
    """
    by_id = {gate.id: gate for gate in gates}
    uses = []
    for waiver in waivers:
        state = _state(waiver, by_id.get(waiver.gate), decided_on)
        if state == "closes":
            by_id[waiver.gate] = replace(by_id[waiver.gate], waived=True)
        uses.append(WaiverUse(waiver.gate, waiver.owner, waiver.reason, waiver.expires.isoformat(), state))
    return [by_id[gate.id] for gate in gates], tuple(uses)


def apply_closings(
    gates: Sequence[GateResult], closings: Sequence[Closing], decided_on: date
) -> tuple[list[GateResult], tuple[ClosedCondition, ...]]:
    """The gates with conditions that were closed later, and what became of each statement that says so.

    A word against evidence is worth nothing: what failed, blocks or does not apply stays open. So does what is stated
    twice, by nobody, with nothing to point at, or on a day after the decision.
    """
    by_id = {gate.id: gate for gate in gates}
    told = Counter(one.gate for one in closings)
    uses = []
    for one in closings:
        gate = by_id.get(one.gate)
        state, reason = _state_of_closing(one, gate, decided_on, told[one.gate])
        if gate is not None and state == "closes":
            by_id[one.gate] = replace(gate, closed_later=True)
        uses.append(ClosedCondition(one.gate, one.by, one.on.isoformat(), one.evidence, state, reason))
    return [by_id[gate.id] for gate in gates], tuple(uses)


def conditions_of(gates: Sequence[GateResult], plan_gates: Mapping[str, Gate]) -> tuple[Condition, ...]:
    """One condition for each gate that is open and does not stop the rollout, in the order of the plan."""
    return tuple(_condition(gate, plan_gates[gate.id]) for gate in gates if not gate.closed and not gate.stops)


def _state(waiver: Waiver, gate: GateResult | None, decided_on: date) -> str:
    if gate is None or gate.closed:
        return "unused"
    if decided_on >= waiver.expires:
        return "expired"
    if gate.blocking or gate.not_applicable is not None or not waiver.owner.strip() or not waiver.reason.strip():
        return "refused"
    return "closes"


def _state_of_closing(one: Closing, gate: GateResult | None, decided_on: date, told: int) -> tuple[str, str]:
    if gate is None or gate.closed:
        return "unused", "there is no such gate" if gate is None else "the gate is closed anyway"
    for refused, reason in (
        (gate.blocking, "the gate blocks: only its evidence closes it"),
        (gate.not_applicable is not None, "the gate does not apply: nothing can be shown for it"),
        (gate.outcome in (Outcome.FAILED, Outcome.ERRORED), "its evidence says otherwise"),
        (told > 1, "it is stated more than once"),
        (not one.by.strip(), "nobody states it"),
        (not one.evidence.strip(), "it points at no evidence"),
        (one.on > decided_on, f"it is dated {one.on}, after the decision {decided_on}"),
    ):
        if refused:
            return "refused", reason
    return "closes", ""


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
