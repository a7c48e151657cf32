"""The packets of a plan in the order of their dependencies, each DONE, CHANGES_REQUESTED or BLOCKED (rollout-plan 3).

Knows nothing of how gates are judged nor of the verdict they end in.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from pulse_sim.outcome import Outcome, worst
from pulse_sim.verdict.gates import problems_of_evidence, unaccounted_checks
from pulse_sim.verdict.model import EvidenceResult, GateResult, PacketResult, PacketState, Problem
from pulse_sim.verdict.shape import Packet

_FAILS = (Outcome.FAILED, Outcome.ERRORED)


@dataclass(frozen=True, slots=True)
class _Standing:
    """A packet on its own: what its gates and evidence say before its dependencies are looked at."""

    packet: Packet
    gates: tuple[GateResult, ...]
    evidence: tuple[EvidenceResult, ...]
    problems: tuple[Problem, ...]


def judge_packets(
    packets: Sequence[Packet],
    gates: Mapping[str, Sequence[GateResult]],
    results: Mapping[str, EvidenceResult],
    left_out: Iterable[str],
    further: Mapping[str, Sequence[Problem]] | None = None,
) -> tuple[PacketResult, ...]:
    """Every packet in the order of the plan.

    A packet in a dependency cycle, or waiting for one, for an unknown packet or for one that is not DONE, is BLOCKED.
    A dependency the plan says it leaves out does not block. ``further`` has problems of packets that no gate tells.
    """
    standings = {
        packet.id: _stand(packet, tuple(gates[packet.id]), results, (further or {}).get(packet.id, ()))
        for packet in packets
    }
    absent = frozenset(left_out) - standings.keys()
    states: dict[str, PacketState] = {}
    cycles = _cycles(standings, absent)
    done: dict[str, PacketResult] = {}
    for packet_id in _dependencies_first(standings):
        done[packet_id] = _conclude(standings[packet_id], states, cycles.get(packet_id), absent)
        states[packet_id] = done[packet_id].state
    return tuple(done[packet_id] for packet_id in standings)


def _stand(
    packet: Packet,
    gates: tuple[GateResult, ...],
    results: Mapping[str, EvidenceResult],
    further: Sequence[Problem],
) -> _Standing:
    problems = [
        replace(gate.problems[0], text=f"{gate.place}: {gate.reason}")
        for gate in sorted(gates, key=lambda gate: gate.priority)
        if gate.stops
    ]
    if not gates and packet.blockade is None:
        problems.append(Problem(Outcome.INCONCLUSIVE, "no gate: nothing was judged"))
    evidence = tuple(results[item.id] for item in packet.evidence if item.id in results)
    problems.extend(_unaccounted(packet, results, {gate.id for gate in gates if gate.stops}))
    problems.extend(further)
    placed = tuple(replace(problem, packet=packet.id) for problem in problems)
    return _Standing(packet, gates, evidence, placed)


def _unaccounted(packet: Packet, results: Mapping[str, EvidenceResult], told: set[str]) -> Iterable[Problem]:
    """Failures no gate looks at, so that narrowing gates to some checks cannot hide the others."""
    for item in packet.evidence:
        result = results.get(item.id)
        users = [gate for gate in packet.gates if item.id in gate.evidence]
        if result is None:
            if not users:
                yield Problem(Outcome.INCONCLUSIVE, f"evidence {item.id} was not produced", evidence=item.id)
            continue
        names = unaccounted_checks(result, users)
        if names is None or (users and not names) or any(gate.id in told for gate in users):
            continue
        problems = problems_of_evidence(result, names)
        bad = worst([Outcome.PASSED, *(problem.outcome for problem in problems)])
        if bad is not Outcome.PASSED:
            first = next(problem for problem in problems if problem.outcome is bad)
            yield replace(first, text=f"{first.text} — and no gate looks at it", evidence=item.id)


def _conclude(
    standing: _Standing, states: Mapping[str, PacketState], cycle: str | None, absent: frozenset[str]
) -> PacketResult:
    packet = standing.packet
    waits = [name for name in packet.depends_on if name not in absent and not _is_done(states.get(name))]
    because = list(standing.problems)
    unblocks: str | None = None
    state = PacketState.DONE_WITH_CONDITIONS if _has_conditions(standing) else PacketState.DONE
    if any(problem.outcome in _FAILS for problem in standing.problems):
        state = PacketState.CHANGES_REQUESTED
    elif standing.problems:
        state, unblocks = PacketState.BLOCKED, "evidence that can be judged"
    if waits:
        told = [_waiting(packet.id, f"waits for {name}, which is {_told(states.get(name))}", name) for name in waits]
        because.extend([_waiting(packet.id, cycle)] if cycle else told)
        if state is not PacketState.CHANGES_REQUESTED:
            state, unblocks = PacketState.BLOCKED, unblocks or f"{' and '.join(waits)} DONE"
    if packet.blockade is not None:
        state, unblocks = PacketState.BLOCKED, packet.blockade.unblocked_by
        because.insert(0, _waiting(packet.id, f"blocked: {packet.blockade.why}"))
    return PacketResult(
        id=packet.id,
        title=packet.title,
        state=state,
        reasons=tuple(problem.text for problem in because),
        unblocks=unblocks,
        depends_on=tuple(packet.depends_on),
        gates=standing.gates,
        evidence=standing.evidence,
        because=tuple(because),
        objective=packet.objective or "",
        owner=packet.owner or "",
        rollback=packet.rollback or "",
    )


def _waiting(packet: str, text: str, name: str = "") -> Problem:
    return Problem(Outcome.INCONCLUSIVE, text, packet, waits_for=name)


def _has_conditions(standing: _Standing) -> bool:
    return any(not gate.closed for gate in standing.gates)


def _is_done(state: PacketState | None) -> bool:
    return state is not None and state.is_done


def _told(state: PacketState | None) -> str:
    return "not judged" if state is None else state.value


def _dependencies_first(standings: Mapping[str, _Standing]) -> list[str]:
    """Packet ids so that each follows what it depends on, as far as cycles allow; the plan's order breaks ties."""
    order: dict[str, None] = {}
    waiting = list(standings)
    while waiting:
        ready = [
            name
            for name in waiting
            if all(other in order or other not in standings for other in standings[name].packet.depends_on)
        ]
        for name in ready or waiting:
            order[name] = None
        waiting = [name for name in waiting if name not in order]
    return list(order)


def _cycles(standings: Mapping[str, _Standing], absent: frozenset[str]) -> dict[str, str]:
    """For every packet that depends on itself, however far round: the cycle in words."""
    found = {}
    for start in standings:
        path = _path(standings, start, start, absent)
        if path:
            found[start] = "dependency cycle: " + " → ".join(path)
    return found


def _path(standings: Mapping[str, _Standing], start: str, goal: str, absent: frozenset[str]) -> list[str] | None:
    """The shortest way along dependencies from ``start`` back to ``goal``, breadth first."""
    paths = [[start]]
    seen = {start}
    while paths:
        path = paths.pop(0)
        for name in standings[path[-1]].packet.depends_on:
            if name == goal:
                return [*path, goal]
            if name in standings and name not in absent and name not in seen:
                seen.add(name)
                paths.append([*path, name])
    return None
