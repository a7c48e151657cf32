"""The bundle of one run: prepared before the run, completed after it, whole or not at all (DESIGN 4.4).

Judges and renders what the run recorded. Knows nothing of how the run was made.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import pulse_sim
from pulse_sim.canonical import Json, canonical_json
from pulse_sim.evidence.checkpoints import CHECKPOINTS_VERSION
from pulse_sim.evidence.envelope import VERSION as ATTESTATION_VERSION
from pulse_sim.evidence.hostile import read_json
from pulse_sim.evidence.judgement import CHECKS_VERSION, JudgedRun, checks_data, judge_directory
from pulse_sim.evidence.manifest import VERSION as MANIFEST_VERSION
from pulse_sim.evidence.names import (
    CHECKS,
    ENVIRONMENT,
    JUNIT,
    METRICS,
    REPORT_HTML,
    REPORT_MARKDOWN,
    RESOURCES,
    SCENARIO,
    TIMELINE,
    TIMELINE_DATA,
    bundle_name,
)
from pulse_sim.evidence.partial import PartialBundle
from pulse_sim.observation import FORMAT_VERSION, Header
from pulse_sim.observation.open_metrics import open_metrics
from pulse_sim.report import (
    RunReport,
    draw_timeline,
    render_run_html,
    render_run_junit,
    render_run_markdown,
    run_report,
)
from pulse_sim.report.replay import told_file
from pulse_sim.report.timeline_data import timeline_data
from pulse_sim.verdict import RunSummary, run_summary

SCENARIO_VERSION: Final = 1
SCHEMAS: Final[Mapping[str, Json]] = {
    "manifest": MANIFEST_VERSION,
    "attestation": ATTESTATION_VERSION,
    "observations": FORMAT_VERSION,
    "checkpoints": CHECKPOINTS_VERSION,
    "checks": CHECKS_VERSION,
    "scenario": SCENARIO_VERSION,
}


@dataclass(frozen=True, slots=True)
class SealedRun:
    """A run on disk: where, what its log says, and how it stands in a verdict."""

    path: Path
    summary: RunSummary
    judged: JudgedRun
    report: RunReport


class RunBundle:
    """A run's directory while the run goes on. Use it as a context: left without :meth:`complete`, it is removed."""

    def __init__(self, directory: Path, header: Header) -> None:
        self._header = header
        self._partial = PartialBundle(directory, f"{header.scenario}-{header.seed}")

    @property
    def path(self) -> Path:
        """Where the run writes its log (two files), ``checkpoints.jsonl`` and ``resources.jsonl``."""
        return self._partial.path

    @property
    def resources_path(self) -> Path:
        """Where the caller writes what the run cost for real; outside every digest."""
        return self.path / RESOURCES

    def complete(
        self,
        *,
        scenario_yaml: str,
        scenario_digest: str,
        trace_digest: str,
        environment: Mapping[str, Json] | None,
        source_file: str | None = None,
    ) -> SealedRun:
        """Judge the recorded log, write everything derived from it, seal, and rename into place.

        ``scenario_yaml`` is the resolved scenario, implied checks written out. ``source_file`` is what the replay line
        names (the scenario's own file). A damaged log seals an inconclusive run. Raises SecretInEvidence, and leaves
        nothing, when any file shows a secret marker.
        """
        write = self._partial.write
        write(SCENARIO, scenario_yaml.encode())
        judged = judge_directory(self.path)
        checks = checks_data(judged, self._header, trace_digest)
        write(CHECKS, canonical_json(checks) + b"\n")
        if judged.log is not None:
            write(METRICS, "".join(open_metrics(judged.log)).encode())
        name = bundle_name(self._header.scenario, self._header.seed, trace_digest)
        summary = run_summary(name, checks)
        report = run_report(judged.scenario, judged.log, judged.results, summary, source_file=source_file)
        write(REPORT_MARKDOWN, render_run_markdown(report).encode())
        write(REPORT_HTML, render_run_html(report).encode())
        write(JUNIT, render_run_junit(report))
        if report.timeline is not None:
            write(TIMELINE, draw_timeline(report.timeline).encode() + b"\n")
            write(TIMELINE_DATA, canonical_json(timeline_data(report.timeline)) + b"\n")
        if environment is not None:
            write(ENVIRONMENT, canonical_json(dict(environment)) + b"\n")
        path = self._partial.seal(
            name,
            "run",
            {
                "package_version": pulse_sim.__version__,
                "scenario": self._header.scenario,
                "scenario_digest": scenario_digest,
                "scenario_file": None if source_file is None else told_file(source_file),
                "seed": self._header.seed,
                "schemas": dict(SCHEMAS),
                "trace_digest": trace_digest,
                "outcome_digest": summary.outcome_digest,
            },
            result=summary.outcome,
        )
        return SealedRun(path, summary, judged, report)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._partial.discard()


def read_run_summary(path: Path) -> RunSummary:
    """A sealed run as the verdict sees it, from its ``checks.json``. Raises BundleDamaged or ValueError.

    For a bundle this process or its workers have just sealed; a bundle from elsewhere is for :func:`recheck`.
    """
    return run_summary(path.name, read_json(path, CHECKS))
