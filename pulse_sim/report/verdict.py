"""Makes the report model of a verdict. Knows nothing of bundles; it is handed the verdict and what each run was."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pulse_sim.outcome import Outcome
from pulse_sim.report.coverage import coverage_report
from pulse_sim.report.model import FailureRow, RunBrief, VerdictReport
from pulse_sim.report.replay import verdict_line
from pulse_sim.report.text import in_words, plain
from pulse_sim.verdict import FailureClassResult, PlanVerdict, Verdict

_SHOWN_LINES = 3
_LONGEST_NOTE = 2000


def verdict_report(
    verdict: PlanVerdict,
    briefs: Mapping[str, RunBrief],
    *,
    seed: int,
    source_file: str | None = None,
    coverage: Mapping[str, Any] | None = None,
    notes: Sequence[str] = (),
) -> VerdictReport:
    """``briefs`` has every run of ``verdict`` by name; ``source_file`` is the plan's own file, for the replay line.

    ``coverage`` is the content of ``coverage.json``. Raises ValueError when it is not. ``notes`` say how it was made.
    """
    suts = sorted({run.sut for run in verdict.runs if run.sut})
    place, reason = _first_reason(verdict)
    return VerdictReport(
        verdict=verdict,
        why=_why(verdict),
        first_place=plain(place),
        first_reason=plain(reason),
        rows=tuple(_row(row, briefs) for row in verdict.failure_classes),
        runs=tuple(briefs[run.run] for run in verdict.runs if run.run in briefs),
        seed=seed,
        replay=verdict_line(verdict.plan, seed, source_file, suts[0] if len(suts) == 1 else ""),
        coverage=None if coverage is None else coverage_report(coverage),
        inventory=tuple(_inventory(verdict.inventory or {})),
        notes=tuple(plain(note, _LONGEST_NOTE) for note in notes),
    )


def _inventory(found: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """One line for each entry; of a list of scenarios or tools, one for each of them."""
    for name, value in sorted(found.items()):
        if isinstance(value, Mapping) and value:
            for part, told in sorted(value.items()):
                yield plain(f"{name}: {part}"), plain(in_words(told))
        elif isinstance(value, list) and value and all(isinstance(one, Mapping) for one in value):
            for one in value:
                yield plain(name), plain(in_words(one))
        else:
            yield plain(name), plain(in_words(value))


def _first_reason(verdict: PlanVerdict) -> tuple[str, str]:
    """The first reason, taken apart into the packet and gate it is about and what is wrong there."""
    reason = verdict.reasons[0] if verdict.reasons else ""
    for packet in verdict.packets:
        for gate in packet.gates:
            place = f"{packet.id} · {gate.place}"
            if reason == f"{place}: {gate.reason}":
                return place, gate.reason
    return "", reason


def _why(verdict: PlanVerdict) -> str:
    """The verdict in one line."""
    gates = [gate for packet in verdict.packets for gate in packet.gates]
    if verdict.verdict is Verdict.GO:
        return f"Every packet is done: all {len(gates)} gates passed on {_count(len(verdict.runs), 'run')}."
    if verdict.verdict is Verdict.GO_WITH_CONDITIONS:
        open_gates = len(verdict.conditions)
        return f"Nothing that blocks is open; {_count(open_gates, 'open gate')} of {len(gates)} became conditions."
    stopping = sum(gate.stops for gate in gates)
    undone = [packet for packet in verdict.packets if not packet.state.is_done]
    if not undone:
        return plain(verdict.reasons[0])
    states = Counter(packet.state.value for packet in undone)
    told = ", ".join(f"{count} {state}" for state, count in states.items())
    packets = f"{len(undone)} of {_count(len(verdict.packets), 'packet')} not done ({told})"
    return f"{packets}; {_count(stopping, 'blocking gate')} open."


def _row(row: FailureClassResult, briefs: Mapping[str, RunBrief]) -> FailureRow:
    runs = [briefs[name] for name in row.runs if name in briefs]
    injected = list(dict.fromkeys(line for run in runs for line in run.injected))
    return FailureRow(
        id=plain(row.id),
        title=plain(row.title),
        outcome=row.outcome,
        injected=_listed(injected) or ("nothing: no run stands for this class" if not runs else "nothing"),
        happened=_held(runs) if row.outcome is Outcome.PASSED else plain(_went_wrong(row, runs)),
    )


def _went_wrong(row: FailureClassResult, runs: Sequence[RunBrief]) -> str:
    """The first of the worst checks in its own words; of trouble no check tells, the fold's reason."""
    for run in runs:
        for line in run.summary.checks:
            if line.outcome is row.outcome and not run.summary.reason:
                return f"{line.check}: {line.reason or line.observed}"
    return row.reason


def _held(runs: Sequence[RunBrief]) -> str:
    """What was seen where all is well: the first few observations that say more than that nothing went wrong."""
    lines = [line for run in runs for line in run.summary.checks]
    seen: dict[str, str] = {}
    for line in lines:
        if line.observed:
            seen.setdefault(line.check, plain(f"{line.check}: {line.observed}"))
    shown = "; ".join(list(seen.values())[:_SHOWN_LINES])
    return f"{len(lines)} checks in {_count(len(runs), 'run')} hold. {shown}"


def _listed(lines: Sequence[str]) -> str:
    shown = "; ".join(lines[:_SHOWN_LINES])
    return shown if len(lines) <= _SHOWN_LINES else f"{shown}; and {len(lines) - _SHOWN_LINES} more"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
