"""One gate against its evidence, fail closed: whatever is missing, empty, skipped or unreadable is not passed (R9).

Knows nothing of packets and of how evidence came about.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from pulse_sim.outcome import Outcome, worst
from pulse_sim.verdict.commands import problems_of_command
from pulse_sim.verdict.model import EvidenceResult, GateResult, JudgedCheck, Problem, RunSummary
from pulse_sim.verdict.shape import Gate

_FAILS = (Outcome.FAILED, Outcome.ERRORED)


def judge_gate(
    gate: Gate,
    packet: str,
    results: Mapping[str, EvidenceResult],
    *,
    attested: Mapping[str, Problem | None],
    p1_blocks: bool,
    capabilities: frozenset[str] | None,
) -> GateResult:
    """The gate's outcome: the worst of its evidence, narrowed to the checks it names.

    ``attested`` maps a human input to what is wrong with it, or None when it was given; an input not in it is open.
    A gate whose required capability the system lacks is not applicable, unless its evidence failed all the same.
    """
    problems = list(_problems_of(gate, results, attested))
    outcome = worst([Outcome.PASSED, *(problem.outcome for problem in problems)])
    problems = [replace(problem, packet=packet, gate=gate.id) for problem in problems]
    problems.sort(key=lambda problem: -problem.outcome.rank)
    result = GateResult(
        id=gate.id,
        packet=packet,
        title=gate.title,
        priority=gate.priority,
        blocking=gate.priority == "P0" or (gate.priority == "P1" and p1_blocks),
        outcome=outcome,
        problems=tuple(problems),
        evidence=tuple(gate.evidence),
        owner=gate.owner or "",
        risk=gate.risk or "",
        severity=gate.severity or "",
        rollback=gate.rollback or "",
    )
    lacking = [] if capabilities is None else [name for name in gate.requires if name not in capabilities]
    if not lacking or outcome in _FAILS:
        return result
    why = f"not applicable: the system under test has no {' and no '.join(lacking)}"
    problem = Problem(Outcome.SKIPPED, why, packet, gate.id)
    return replace(result, outcome=Outcome.SKIPPED, problems=(problem,), not_applicable=why)


def problems_of_evidence(result: EvidenceResult, checks: Iterable[str] = ()) -> list[Problem]:
    """What keeps one evidence item from being passed, judged on ``checks`` only when some are named.

    Trouble of a run as a whole, or of the item as a whole, counts whatever checks are named.
    """
    wanted = tuple(checks)
    problems = [problem for run in result.runs for problem in _problems_of_run(run, wanted)]
    if result.kind == "scenario" and not result.runs and result.outcome is Outcome.PASSED:
        problems.append(Problem(Outcome.INCONCLUSIVE, f"evidence {result.id}: no run stands behind it"))
    if result.kind == "command" and result.outcome is Outcome.PASSED:
        problems.extend(_problems_of_command(result))
    known = worst([Outcome.PASSED, *(run.outcome for run in result.runs)])
    if result.outcome.rank > known.rank or (result.reason and result.outcome is not Outcome.PASSED):
        problems.append(Problem(result.outcome, f"evidence {result.id}: {result.reason or result.outcome.value}"))
    return problems


def unaccounted_checks(result: EvidenceResult, gates: Iterable[Gate]) -> tuple[str, ...] | None:
    """The checks of ``result`` that none of ``gates``, which use it, looks at; None when one looks at all of them."""
    named: set[str] = set()
    for gate in gates:
        if not gate.checks:
            return None
        named.update(gate.checks)
    return tuple(dict.fromkeys(line.check for run in result.runs for line in run.checks if line.check not in named))


def _problems_of(
    gate: Gate, results: Mapping[str, EvidenceResult], attested: Mapping[str, Problem | None]
) -> Iterable[Problem]:
    if gate.open is not None:
        yield Problem(Outcome.INCONCLUSIVE, gate.open)
    elif not gate.evidence and gate.attest is None:
        yield Problem(Outcome.INCONCLUSIVE, "the gate names no evidence")
    for evidence_id in gate.evidence:
        result = results.get(evidence_id)
        if result is None:
            yield Problem(Outcome.INCONCLUSIVE, f"evidence {evidence_id} was not produced", evidence=evidence_id)
        else:
            yield from (replace(one, evidence=evidence_id) for one in problems_of_evidence(result, gate.checks))
    if gate.attest is not None:
        if gate.attest not in attested:
            yield Problem(Outcome.INCONCLUSIVE, f"human input {gate.attest} was not given (--attest)")
        elif (problem := attested[gate.attest]) is not None:
            yield problem


def _problems_of_command(result: EvidenceResult) -> Iterable[Problem]:
    """A command that claims to have passed, held to its own record."""
    if result.command is None:
        yield Problem(Outcome.INCONCLUSIVE, f"evidence {result.id}: no command stands behind it")
        return
    for problem in problems_of_command(result.command):
        yield replace(problem, text=f"evidence {result.id}: {problem.text}")


def _problems_of_run(run: RunSummary, wanted: tuple[str, ...]) -> Iterable[Problem]:
    judged = [line for line in run.checks if not wanted or line.check in wanted]
    for line in judged:
        if line.outcome is not Outcome.PASSED:
            text = f"check {line.check} in run {run.run}: {_in_words(line)}"
            yield Problem(line.outcome, text, run=run.run, check=line.check, records=line.records)
    absent = [name for name in wanted if all(line.check != name for line in run.checks)]
    quiet = Outcome.SKIPPED if run.outcome is Outcome.SKIPPED else Outcome.INCONCLUSIVE
    for name in absent:
        yield Problem(quiet, f"check {name} in run {run.run}: the run has no such check", run=run.run, check=name)
    if not run.checks and not absent and not run.reason:
        yield Problem(quiet, f"run {run.run}: nothing was checked", run=run.run)
    known = worst([Outcome.PASSED, *(line.outcome for line in run.checks)])
    if run.outcome.rank > known.rank or (run.reason and run.outcome is not Outcome.PASSED):
        yield Problem(run.outcome, f"run {run.run}: {run.reason or run.outcome.value}", run=run.run)


def _in_words(line: JudgedCheck) -> str:
    told = ", ".join(
        f"{word} {text}" for word, text in (("expected", line.expected), ("observed", line.observed)) if text
    )
    # A check's reason may repeat what it expected and observed, or the half of it that matters.
    if line.reason and line.reason not in told:
        told = line.reason if not told or line.observed in line.reason else f"{told} ({line.reason})"
    return f"{line.outcome.value}: {told}" if told else line.outcome.value
