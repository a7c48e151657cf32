"""The shortest chain of evidence of each reason: verdict → packet → gate → evidence → run → check → records.

Follows what the problems say of their places; a chain ends where nobody knows more. Knows nothing of files.
"""

from collections.abc import Iterator, Mapping, Sequence

from pulse_sim.verdict.model import ChainStep, EvidenceResult, PacketResult, Problem, ReasonChain, Verdict


def chains_of(
    verdict: Verdict,
    reasons: Sequence[Problem],
    packets: Sequence[PacketResult],
    results: Mapping[str, EvidenceResult],
) -> tuple[ReasonChain, ...]:
    """One chain for each reason, in their order."""
    by_id = {packet.id: packet for packet in packets}
    first = ChainStep("verdict", verdict.value, verdict.value)
    chains = []
    for reason in reasons:
        last = _cause(reason, by_id)
        steps = [first, *_packets(reason, by_id), *_below(last, results)]
        chains.append(ReasonChain(reason.text, tuple(steps), last.records))
    return tuple(chains)


def _cause(reason: Problem, packets: Mapping[str, PacketResult]) -> Problem:
    """What a reason comes down to: of waiting for a packet, the first reason that packet is not DONE."""
    seen: set[str] = set()
    while reason.waits_for and reason.waits_for not in seen:
        seen.add(reason.waits_for)
        packet = packets.get(reason.waits_for)
        if packet is None or not packet.because:
            break
        reason = packet.because[0]
    return reason


def _packets(reason: Problem, packets: Mapping[str, PacketResult]) -> Iterator[ChainStep]:
    seen: set[str] = set()
    name = reason.packet
    waits_for = reason.waits_for
    while name and name not in seen:
        seen.add(name)
        packet = packets.get(name)
        yield ChainStep("packet", name, "not judged" if packet is None else packet.state.value)
        name = waits_for
        found = packets.get(waits_for)
        waits_for = found.because[0].waits_for if found is not None and found.because else ""


def _below(problem: Problem, results: Mapping[str, EvidenceResult]) -> Iterator[ChainStep]:
    if problem.gate:  # whose outcome is that of its worst problem, which this is
        yield ChainStep("gate", problem.gate, problem.outcome.value)
    name = problem.evidence or _standing_for(problem.run, results)
    if name:
        result = results.get(name)
        yield ChainStep("evidence", name, problem.outcome.value if result is None else result.outcome.value)
    if problem.run:
        runs = [run for result in results.values() for run in result.runs if run.run == problem.run]
        yield ChainStep("run", problem.run, (runs[0].outcome if runs else problem.outcome).value)
    if problem.check:
        yield ChainStep("check", problem.check, problem.outcome.value)


def _standing_for(run: str, results: Mapping[str, EvidenceResult]) -> str:
    """The first evidence item a run stands for."""
    return next((name for name, result in results.items() if run and any(one.run == run for one in result.runs)), "")
