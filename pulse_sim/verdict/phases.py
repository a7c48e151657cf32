"""Rollout phases: the transition checklist of each, from gates already judged and runs already made (contract A11).

Knows nothing of how a phase is rehearsed. What no gate says, that the rehearsal was long enough, is judged here.
"""

from collections.abc import Iterable, Mapping, Sequence

from pulse_sim.outcome import Outcome, worst
from pulse_sim.units import SECOND
from pulse_sim.verdict.model import ChecklistItem, EvidenceResult, GateResult, PhaseResult, Problem
from pulse_sim.verdict.shape import Phase


def judge_phases(
    phases: Sequence[Phase],
    gates: Sequence[GateResult],
    results: Mapping[str, EvidenceResult],
    attested: Mapping[str, Problem | None],
) -> tuple[PhaseResult, ...]:
    """Every phase with its checklist, in the order of the plan."""
    by_id = {gate.id: gate for gate in gates}
    return tuple(_phase(phase, by_id, results, attested) for phase in phases)


def too_short(phases: Iterable[PhaseResult]) -> dict[str, list[Problem]]:
    """What phases say against their packets, by packet: a rehearsal that did not last certifies no phase."""
    found: dict[str, list[Problem]] = {}
    for phase in phases:
        for item in phase.checklist:
            if item.id == "duration" and not item.is_met:
                text = f"phase {phase.id} {phase.title}: {item.reason}"
                found.setdefault(phase.packet, []).append(Problem(item.outcome, text))
    return found


def _phase(
    phase: Phase,
    gates: Mapping[str, GateResult],
    results: Mapping[str, EvidenceResult],
    attested: Mapping[str, Problem | None],
) -> PhaseResult:
    duration_s, ran_s = phase.duration / SECOND, _ran_s(phase, results)
    checklist = (
        _of_gates("checkpoints", "Every checkpoint is green", phase.checkpoints, gates),
        _of_gates("exit", "Every exit gate is closed", phase.exit, gates),
        _of_input("issues", "No critical or high issue is open", phase.issues, attested),
        _of_gates("rollback", "The rollback is rehearsed", phase.rollback, gates),
        _of_duration(duration_s, ran_s),
        _of_input("sign-off", "The phase is signed off", phase.sign_off, attested),
    )
    return PhaseResult(
        id=phase.id,
        title=phase.title,
        packet=phase.packet,
        duration_s=duration_s,
        ran_s=ran_s,
        evidence=tuple(phase.evidence),
        checkpoints=tuple(phase.checkpoints),
        exit=tuple(phase.exit),
        rollback=tuple(phase.rollback),
        checklist=checklist,
    )


def _ran_s(phase: Phase, results: Mapping[str, EvidenceResult]) -> float | None:
    """What the shortest run of the rehearsal lasted; None when one is missing or nobody knows its length."""
    lasted: list[float | None] = []
    for name in phase.evidence:
        runs = results[name].runs if name in results else ()
        lasted.extend([run.virtual_s for run in runs] or [None])
    known = [length_s for length_s in lasted if length_s is not None]
    return min(known) if known and len(known) == len(lasted) else None


def _of_gates(id_: str, title: str, names: Sequence[str], gates: Mapping[str, GateResult]) -> ChecklistItem:
    problems = [Problem(Outcome.INCONCLUSIVE, "no gate is named")] if not names else []
    for name in names:
        gate = gates.get(name)
        if gate is None:
            problems.append(Problem(Outcome.INCONCLUSIVE, f"gate {name} was not judged"))
        elif not gate.closed:
            problems.append(Problem(gate.outcome, f"gate {name}: {gate.reason}"))
    outcome = worst([Outcome.PASSED, *(problem.outcome for problem in problems)])
    reason = next((problem.text for problem in problems if problem.outcome is outcome), "")
    return ChecklistItem(id_, title, outcome, reason)


def _of_input(id_: str, title: str, name: str, attested: Mapping[str, Problem | None]) -> ChecklistItem:
    if name not in attested:
        return ChecklistItem(id_, title, Outcome.INCONCLUSIVE, f"human input {name} was not given (--attest)")
    problem = attested[name]
    if problem is not None:
        return ChecklistItem(id_, title, problem.outcome, problem.text)
    return ChecklistItem(id_, title, Outcome.PASSED)


def _of_duration(duration_s: float, ran_s: float | None) -> ChecklistItem:
    title = f"The phase was rehearsed for {duration_s / 3600:g} h"
    if ran_s is None:
        return ChecklistItem("duration", title, Outcome.INCONCLUSIVE, "nobody knows how long it was rehearsed")
    if not ran_s >= duration_s:  # NaN is no length either
        reason = f"rehearsed for {ran_s / 3600:g} h instead of {duration_s / 3600:g} h"
        return ChecklistItem("duration", title, Outcome.FAILED, reason)
    return ChecklistItem("duration", title, Outcome.PASSED)
