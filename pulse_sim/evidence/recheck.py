"""A bundle judged again from its recorded evidence, offline, fail closed: damage makes it worse, never better.

Sizes and hashes are verified before anything is parsed. It runs no command and imports no system named in the bundle;
neither a world nor the system under test nor the mock need be there.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Final

from pulse_sim.canonical import Json, sha256_hex
from pulse_sim.evidence.checkpoints import read_checkpoints, require_agreement
from pulse_sim.evidence.command_files import read_command
from pulse_sim.evidence.decision_day import decision_day
from pulse_sim.evidence.hostile import BundleDamaged, read_document, read_json, require_plain_path
from pulse_sim.evidence.integrity import examine
from pulse_sim.evidence.judgement import JudgedRun, checks_data, judge_directory
from pulse_sim.evidence.manifest import Manifest
from pulse_sim.evidence.names import ATTEST, CATALOGUE, CHECKS, GATE, INVENTORY, MANIFEST, PACKETS, PLAN, RUNS, VERDICT
from pulse_sim.evidence.verdict_bundle import ran
from pulse_sim.observation import Header
from pulse_sim.outcome import Outcome, worst
from pulse_sim.scenario.plan import CommandEvidence, InventoryEvidence, Plan, ScenarioEvidence, parse_plan
from pulse_sim.scenario.problem import DocumentError
from pulse_sim.verdict import (
    Attestation,
    EvidenceResult,
    PlanVerdict,
    RunSummary,
    Verdict,
    fold,
    packets_data,
    run_summary,
    verdict_data,
)
from pulse_sim.verdict.ci_gate_record import ci_gate_data, ci_gate_from_data
from pulse_sim.verdict.commands import judge_command
from pulse_sim.verdict.inventory import Ran, judge_inventory

_KINDS: Final[Mapping[type, str]] = {
    ScenarioEvidence: "scenario",
    CommandEvidence: "command",
    InventoryEvidence: "inventory",
}


class NotABundle(Exception):
    """The path is no directory with a manifest: there is nothing to check."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where the bundle says something else than its evidence does now."""

    place: str
    recorded: str
    recomputed: str


@dataclass(frozen=True, slots=True)
class Recheck:
    """What a bundle comes to now. Of ``outcome`` (a run, a gate) and ``verdict`` one is set: the worst of what was
    recorded and what was recomputed, and of what damage allows. ``damages`` come first; they void what they touch.
    """

    path: Path
    kind: str
    outcome: Outcome | None
    verdict: Verdict | None
    reasons: tuple[str, ...]
    damages: tuple[str, ...]
    differences: tuple[Difference, ...]
    runs: tuple[RunSummary, ...]
    folded: PlanVerdict | None = None

    @property
    def is_intact(self) -> bool:
        """Nothing damaged and nothing that came out otherwise."""
        return not self.damages and not self.differences


def recheck(bundle: Path) -> Recheck:
    """Verify the files of a run, verdict or gate bundle, then recompute what it decided from the recorded logs.

    Raises NotABundle when there is no manifest to start from, and nothing else for any content.
    """
    root = bundle.resolve()
    if not root.is_dir():
        raise NotABundle(f"{bundle} is not a directory")
    if not (root / MANIFEST).is_file():
        raise NotABundle(f"{bundle} has no {MANIFEST}")
    try:
        found = examine(root)
    except BundleDamaged as damage:
        kind = "gate" if (root / CATALOGUE).is_file() else "verdict" if (root / RUNS).is_dir() else "run"
        return _voided(root, kind, [str(damage)])
    damages = [str(damage) for damage in found.damages]
    again = {"run": _recheck_run, "verdict": _recheck_verdict, "gate": _recheck_gate}
    return again[found.manifest.kind](root, found.manifest, damages)


def _voided(root: Path, kind: str, damages: list[str]) -> Recheck:
    is_run = kind != "verdict"
    return Recheck(
        path=root,
        kind=kind,
        outcome=Outcome.INCONCLUSIVE if is_run else None,
        verdict=None if is_run else Verdict.NO_GO,
        reasons=tuple(f"the bundle is damaged: {damage}" for damage in damages),
        damages=tuple(damages),
        differences=(),
        runs=(),
    )


def _recheck_run(root: Path, manifest: Manifest, damages: list[str]) -> Recheck:
    if damages:
        return _voided(root, "run", damages)
    summary, differences = _recomputed_run(root, root.name, manifest)
    told = [] if summary.outcome is Outcome.PASSED else _reasons_of_run(summary)
    return Recheck(root, "run", summary.outcome, None, tuple(told), (), tuple(differences), (summary,))


def _recheck_verdict(root: Path, manifest: Manifest, damages: list[str]) -> Recheck:
    try:
        recorded, packets = _object(read_json(root, VERDICT), VERDICT), _object(read_json(root, PACKETS), PACKETS)
        damages.extend(str(damage) for damage in manifest.disagreements(VERDICT, recorded))
        plan = _plan(root, manifest)
        attest = _attestation(root, manifest)
        decided_on, capabilities = _decision(recorded)
        differences: list[Difference] = []
        results = _results(root, plan, packets, damages, differences)
        inventory = _inventory(root)
        day = decision_day(root, (run for result in results.values() for run in result.runs))
        claimed = Verdict(_text(recorded.get("verdict")))
    except (BundleDamaged, ValueError) as error:
        return _voided(root, "verdict", damages or [str(error)])
    folded = fold(
        plan,
        results,
        attest,
        decided_on,
        capabilities=capabilities,
        inventory=inventory if isinstance(inventory, dict) else None,
    )
    if day is not None and day != decided_on:
        differences.append(Difference(f"{VERDICT} decided_at", decided_on.isoformat(), day.isoformat()))
    differences.extend(_compare(VERDICT, recorded, verdict_data(folded)))
    differences.extend(_compare(PACKETS, packets, packets_data(folded)))
    verdict = max(folded.verdict, claimed, key=lambda one: one.rank)
    reasons = list(folded.reasons)
    if damages:
        verdict = Verdict.NO_GO
        reasons = [f"the bundle is damaged: {damage}" for damage in damages] + reasons
    runs = folded.runs
    return Recheck(root, "verdict", None, verdict, tuple(reasons), tuple(damages), tuple(differences), runs, folded)


def _recheck_gate(root: Path, manifest: Manifest, damages: list[str]) -> Recheck:
    """The gate of a pipeline with every run judged again. What it said of a baseline stands as it was recorded."""
    differences: list[Difference] = []
    try:
        recorded = _object(read_json(root, GATE), GATE)
        damages.extend(str(damage) for damage in manifest.disagreements(GATE, recorded))
        told = [_object(one, GATE) for one in _list(recorded.get("runs"), GATE)]
        runs = tuple(_run(root, _text(one.get("run")), one, damages, differences) for one in told)
        gate = ci_gate_from_data(read_json(root, CATALOGUE), recorded, runs)
        claimed = Outcome(_text(recorded.get("outcome")))
    except (BundleDamaged, ValueError) as error:
        return _voided(root, "gate", damages or [str(error)])
    differences.extend(_compare(GATE, recorded, ci_gate_data(gate)))
    reasons = [f"the bundle is damaged: {damage}" for damage in damages] + list(gate.reasons)
    outcome = worst([gate.outcome, claimed, *(Outcome.INCONCLUSIVE for _ in damages)])
    return Recheck(root, "gate", outcome, None, tuple(reasons), tuple(damages), tuple(differences), runs)


def _recomputed_run(root: Path, name: str, manifest: Manifest) -> tuple[RunSummary, list[Difference]]:
    """One run judged again, and how that differs from its ``checks.json``; the worse of the two outcomes stands."""
    judged = judge_directory(root)
    try:
        recorded = _object(read_json(root, CHECKS), CHECKS)
        claimed = run_summary(name, recorded)
        for damage in manifest.disagreements(CHECKS, recorded):
            raise damage
        end_ns = None if judged.log is None else judged.log.end_ns
        require_agreement(read_checkpoints(root), manifest.inputs.get("trace_digest"), end_ns)
    except (BundleDamaged, ValueError) as error:
        return RunSummary(name, str(judged.scenario.get("id", name)), 0, Outcome.INCONCLUSIVE, reason=str(error)), []
    header = _header(judged, claimed)
    trace_digest = str(manifest.inputs.get("trace_digest", ""))
    recomputed = checks_data(judged, header, trace_digest)
    differences = _compare(CHECKS, recorded, recomputed)
    summary = run_summary(name, recomputed)
    if claimed.outcome.rank > summary.outcome.rank:
        why = f"{CHECKS} says {claimed.outcome}, the log now says {summary.outcome}"
        summary = replace(summary, outcome=claimed.outcome, reason=summary.reason or why)
    return summary, [replace(one, place=f"{name}/{one.place}") for one in differences]


def _header(judged: JudgedRun, claimed: RunSummary) -> Header:
    if judged.log is not None:
        return judged.log.header
    return Header(claimed.scenario, claimed.seed, "", claimed.world, claimed.sut, claimed.schedule)


def _results(
    root: Path, plan: Plan, packets: Mapping[str, Any], damages: list[str], differences: list[Difference]
) -> dict[str, EvidenceResult]:
    """Every evidence item the bundle records, its runs recomputed. Trouble recorded with an item stays with it.

    What is a scenario and so needs runs is for the plan to say, not for the record.
    """
    kinds = {item.id: _KINDS[type(item)] for one in plan.packets for item in one.evidence}
    results: dict[str, EvidenceResult] = {}
    known: dict[str, RunSummary] = {}
    for packet in _list(packets.get("packets"), PACKETS):
        for item in _list(_object(packet, PACKETS).get("evidence"), PACKETS):
            result = _result(root, _object(item, PACKETS), damages, differences, known)
            results[result.id] = replace(result, kind=kinds.get(result.id, "unknown"))
    for one in plan.packets:
        for item in one.evidence:
            if item.id in results and not isinstance(item, ScenarioEvidence):
                results[item.id] = _judged_again(root, item, results, known.values())
    return results


def _judged_again(
    root: Path,
    item: CommandEvidence | InventoryEvidence,
    results: Mapping[str, EvidenceResult],
    runs: Iterable[RunSummary],
) -> EvidenceResult:
    """A command or the inventory, from what the bundle keeps of it; what was recorded stands where it is worse."""
    recorded = results[item.id]
    if isinstance(item, CommandEvidence):
        judged = judge_command(item.id, item.command, *read_command(root, item.id))
    else:
        judged = judge_inventory(item.id, _inventory(root), _ran(root, runs))
    if recorded.outcome.rank > judged.outcome.rank:
        return replace(judged, outcome=recorded.outcome, reason=recorded.reason or "recorded so")
    return judged


def _inventory(root: Path) -> Any:
    try:
        return read_json(root, INVENTORY)
    except BundleDamaged:
        return None


def _ran(root: Path, runs: Iterable[RunSummary]) -> frozenset[Ran]:
    try:
        return ran(root, runs)
    except BundleDamaged:
        return frozenset()


def _result(
    root: Path,
    item: Mapping[str, Any],
    damages: list[str],
    differences: list[Difference],
    known: dict[str, RunSummary],
) -> EvidenceResult:
    name, reason = _text(item.get("id")), _text(item.get("reason"))
    recorded = Outcome(_text(item.get("outcome")))
    runs = []
    for told in _list(item.get("runs"), PACKETS):
        run = _object(told, PACKETS)
        run_name = _text(run.get("run"))
        if run_name not in known:
            known[run_name] = _run(root, run_name, run, damages, differences)
        runs.append(known[run_name])
    outcome = worst(run.outcome for run in runs) if runs and not reason else recorded
    return EvidenceResult(name, "scenario", outcome, reason, tuple(runs))


def _run(
    root: Path, name: str, told: Mapping[str, Any], damages: list[str], differences: list[Difference]
) -> RunSummary:
    """One run of a verdict bundle. Without a bundle of its own it is what was told of it, and that is never passed."""
    if told.get("bundled") is not True:
        scenario, seed, reason = _text(told.get("scenario")), told.get("seed"), _text(told.get("reason"))
        return RunSummary(
            name, scenario, seed if type(seed) is int else 0, Outcome(_text(told.get("outcome"))), reason=reason
        )
    path = require_plain_path(root, f"{RUNS}/{name}")
    touched = [damage for damage in damages if damage.startswith(f"{RUNS}/{name}/")]
    try:
        found_of_run = examine(path)
        manifest = found_of_run.manifest
        touched.extend(str(damage) for damage in found_of_run.damages)
    except BundleDamaged as damage:
        touched.append(str(damage))
    if touched:
        damages.extend(damage for damage in touched if damage not in damages)
        return RunSummary(name, name, 0, Outcome.INCONCLUSIVE, reason=f"its bundle is damaged: {touched[0]}")
    summary, found = _recomputed_run(path, name, manifest)
    differences.extend(found)
    return summary


def _reasons_of_run(summary: RunSummary) -> list[str]:
    told = [summary.reason] if summary.reason else []
    open_lines = sorted(
        (line for line in summary.checks if line.outcome is not Outcome.PASSED), key=lambda line: -line.outcome.rank
    )
    told.extend(f"check {line.check}: {line.outcome}: {line.reason or line.observed}" for line in open_lines)
    return told


def _plan(root: Path, manifest: Manifest) -> Plan:
    content = read_document(root, PLAN)
    if sha256_hex(content) != manifest.inputs.get("plan_digest"):
        raise BundleDamaged(PLAN, f"is not the plan whose digest {MANIFEST} names")
    try:
        return parse_plan(PLAN, content)
    except DocumentError as error:
        raise BundleDamaged(PLAN, str(error.problems[0])) from None


def _attestation(root: Path, manifest: Manifest) -> Attestation | None:
    return Attestation.from_data(read_json(root, ATTEST)) if ATTEST in manifest.files else None


def _decision(recorded: Mapping[str, Any]) -> tuple[date, frozenset[str] | None]:
    capabilities = recorded.get("capabilities")
    names = None if capabilities is None else frozenset(_text(name) for name in _list(capabilities, VERDICT))
    return date.fromisoformat(_text(recorded.get("decided_at"))), names


def _compare(place: str, recorded: Any, recomputed: Json) -> list[Difference]:
    """The innermost places where two JSON values differ, at most twenty."""
    return list(_differences(place, recorded, recomputed))[:20]


def _differences(place: str, one: Any, other: Any) -> Iterable[Difference]:
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted({*one, *other}):
            yield from _differences(f"{place} {key}", one.get(key), other.get(key))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from _differences(f"{place}[{index}]", left, right)
    elif one != other or type(one) is not type(other):
        yield Difference(place, str(one)[:200], str(other)[:200])


def _object(value: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise BundleDamaged(place, "is not of the shape it should have")
    return value


def _list(value: Any, place: str) -> list[Any]:
    if not isinstance(value, list):
        raise BundleDamaged(place, "is not of the shape it should have")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("a text is missing in a recorded document")
    return value
