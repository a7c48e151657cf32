"""The bundle of a verdict: the plan, what came of it, and every run it rests on (DESIGN 4.4).

Folds, renders and seals. Knows nothing of how runs and commands are executed; it is handed their results.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import pulse_sim
from pulse_sim.canonical import Json, canonical_json, sha256_hex
from pulse_sim.evidence.command_files import write_command
from pulse_sim.evidence.hostile import read_json, read_yaml
from pulse_sim.evidence.manifest import VERSION as MANIFEST_VERSION
from pulse_sim.evidence.manifest import Manifest
from pulse_sim.evidence.names import (
    ATTEST,
    COVERAGE,
    ENVIRONMENT,
    INVENTORY,
    JUNIT,
    PACKETS,
    PLAN,
    REPORT_HTML,
    REPORT_MARKDOWN,
    RUNS,
    SCENARIO,
    TIMELINE_DATA,
    VERDICT,
    bundle_name,
)
from pulse_sim.evidence.partial import PartialBundle
from pulse_sim.report import (
    RunBrief,
    VerdictReport,
    render_verdict_html,
    render_verdict_junit,
    render_verdict_markdown,
    run_brief,
    verdict_report,
)
from pulse_sim.report.timeline_data import read_timeline_data
from pulse_sim.scenario.plan import CommandEvidence, InventoryEvidence, Plan
from pulse_sim.verdict import (
    Attestation,
    CommandRun,
    EvidenceResult,
    PlanVerdict,
    RunSummary,
    fold,
    packets_data,
    verdict_data,
)
from pulse_sim.verdict.commands import judge_command
from pulse_sim.verdict.inventory import Ran, judge_inventory
from pulse_sim.verdict.record import VERSION as VERDICT_VERSION

_SCHEMAS: Final[Mapping[str, Json]] = {"manifest": MANIFEST_VERSION, "verdict": VERDICT_VERSION, "plan": 1}


@dataclass(frozen=True, slots=True)
class SealedVerdict:
    """A verdict on disk: where, what, and what the terminal tells of it."""

    path: Path
    verdict: PlanVerdict
    report: VerdictReport


class VerdictBundle:
    """A verdict's directory while its evidence is gathered. Use it as a context: left unsealed, it is removed."""

    def __init__(self, directory: Path, plan_id: str, seed: int) -> None:
        self._seed = seed
        self._partial = PartialBundle(directory, f"{plan_id}-{seed}")
        self.runs_path.mkdir()

    @property
    def path(self) -> Path:
        """The directory under its partial name; evidence of commands may be written below it."""
        return self._partial.path

    @property
    def runs_path(self) -> Path:
        """Where the runs of this verdict are to be sealed: the ``directory`` of their :class:`RunBundle`."""
        return self.path / RUNS

    def complete(
        self,
        plan: Plan,
        *,
        plan_yaml: str,
        results: Mapping[str, EvidenceResult],
        decided_on: date,
        environment: Mapping[str, Json] | None,
        attest: Attestation | None = None,
        capabilities: frozenset[str] | None = None,
        commands: Mapping[str, tuple[CommandRun, bytes]] | None = None,
        inventory: Mapping[str, Json] | None = None,
        source_file: str | None = None,
        coverage: Mapping[str, Json] | None = None,
        notes: Sequence[str] = (),
    ) -> SealedVerdict:
        """Fold, write, seal, rename into place. ``source_file`` is what the replay line names (the plan's own file).

        ``results`` are those of scenarios; ``commands``, by the id of their evidence, and the ``inventory`` are kept
        and judged here. Each run names its bundle below :attr:`runs_path`; one without a bundle is recorded as it is
        told and can never be passed. ``coverage`` is what the report tells was exercised; it decides nothing.
        ``notes``, for the page alone, say how it was made. Raises SecretInEvidence, and leaves nothing, when a file
        shows a secret marker.
        """
        for name, (record, output) in (commands or {}).items():
            write_command(self._partial, name, record, output)
        judged = {**results, **self._judged(plan, results, commands or {}, inventory)}
        verdict = fold(plan, judged, attest, decided_on, capabilities=capabilities, inventory=inventory)
        write = self._partial.write
        if inventory is not None:
            write(INVENTORY, canonical_json(dict(inventory)) + b"\n")
        write(PLAN, plan_yaml.encode())
        write(PACKETS, canonical_json(packets_data(verdict)) + b"\n")
        write(VERDICT, canonical_json(verdict_data(verdict)) + b"\n")
        if attest is not None:
            write(ATTEST, canonical_json(attest.to_data()) + b"\n")
        if coverage is not None:
            write(COVERAGE, canonical_json(dict(coverage)) + b"\n")
        report = verdict_report(
            verdict, self._briefs(verdict), seed=self._seed, source_file=source_file, coverage=coverage, notes=notes
        )
        write(REPORT_MARKDOWN, render_verdict_markdown(report).encode())
        write(REPORT_HTML, render_verdict_html(report).encode())
        write(JUNIT, render_verdict_junit(report))
        if environment is not None:
            write(ENVIRONMENT, canonical_json(dict(environment)) + b"\n")
        inputs: dict[str, Json] = {
            "package_version": pulse_sim.__version__,
            "plan": plan.id,
            "plan_digest": sha256_hex(plan_yaml.encode()),
            "seed": self._seed,
            "schemas": dict(_SCHEMAS),
            "outcome_digest": verdict.outcome_digest,
        }
        name = bundle_name(plan.id, self._seed, verdict.outcome_digest)
        path = self._partial.seal(name, "verdict", inputs, result=verdict.verdict, scanned=RUNS)
        return SealedVerdict(path, verdict, report)

    def _judged(
        self,
        plan: Plan,
        results: Mapping[str, EvidenceResult],
        commands: Mapping[str, tuple[CommandRun, bytes]],
        inventory: Mapping[str, Json] | None,
    ) -> dict[str, EvidenceResult]:
        """What the plan's commands and its inventory come to."""
        judged = {}
        for packet in plan.packets:
            for item in packet.evidence:
                if isinstance(item, CommandEvidence):
                    record, output = commands.get(item.id, (None, None))
                    judged[item.id] = judge_command(item.id, item.command, record, output)
                elif isinstance(item, InventoryEvidence):
                    runs = [run for result in results.values() for run in result.runs]
                    judged[item.id] = judge_inventory(item.id, inventory, ran(self.path, runs))
        return judged

    def _briefs(self, verdict: PlanVerdict) -> dict[str, RunBrief]:
        """What the page tells of each run, from the files the run left."""
        briefs = {}
        for summary in verdict.runs:
            root = self.runs_path / summary.run
            scenario: Mapping[str, object] = read_yaml(root, SCENARIO) if (root / SCENARIO).is_file() else {}
            has_timeline = (root / TIMELINE_DATA).is_file()
            timeline = read_timeline_data(read_json(root, TIMELINE_DATA)) if has_timeline else None
            href = f"{RUNS}/{summary.run}/{REPORT_HTML}" if root.is_dir() else None
            file = Manifest.read(root).inputs.get("scenario_file") if root.is_dir() else None
            briefs[summary.run] = run_brief(
                scenario, summary, timeline=timeline, href=href, source_file=file if isinstance(file, str) else None
            )
        return briefs

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._partial.discard()


def ran(root: Path, runs: Iterable[RunSummary]) -> frozenset[Ran]:
    """The runs of the bundle at ``root`` by their manifests; one without a bundle of its own is none."""
    found = set()
    for run in runs:
        path = root / RUNS / run.run
        if path.is_dir():
            told = Manifest.read(path).inputs.get("scenario_digest")
            found.add((run.scenario, run.seed, told if isinstance(told, str) else ""))
    return frozenset(found)
