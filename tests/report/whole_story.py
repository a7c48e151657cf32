"""A verdict that has one of everything a report can tell, each under a name of the test's choosing."""

from dataclasses import replace
from typing import Any

from pulse_sim.observation import RunLog
from pulse_sim.outcome import Outcome
from pulse_sim.report import VerdictReport
from pulse_sim.report.coverage import coverage_report
from pulse_sim.report.text import plain
from pulse_sim.verdict import (
    ChecklistItem,
    ClosedCondition,
    CommandRun,
    DebtRow,
    DriftRow,
    EvidenceResult,
    PacketResult,
    PhaseResult,
    ResidualRisk,
)
from tests.report.stories import told_verdict


def coverage_data(name: str = "nas-1") -> dict[str, Any]:
    """The content of a small ``coverage.json``."""
    felt = [{"release": "24.10", "face": "rest", "failure_class": "api-timeout", "runs": 2}]
    return {
        "version": 1,
        "runs": {"passed": 2, "all": 3},
        "releases": [
            {"release": "24.10", "faces": {"rest": 2, "ddp": 0}},
            {"release": "26.0", "faces": {"rpc": 1, "ddp": 0}},
        ],
        "faults": [
            {"fault": "http.delay", "doc": "Late.", "faces": ["rest"], "exercised": felt},
            {"fault": "net.down", "doc": "Down.", "faces": None, "exercised": [{**felt[0], "failure_class": None}]},
            {"fault": f"dns.slow {name}", "doc": "Slow.", "faces": None, "exercised": []},
        ],
        "failure_classes": [
            {
                "id": "api-timeout",
                "title": f"{name} is late",
                "exercised": [{"release": "24.10", "face": "rest", "runs": 2}],
            },
            {"id": "flap", "title": "Flap", "exercised": []},
        ],
        "capabilities": [
            {"capability": "metrics", "has": True, "runs": 2},
            {"capability": "kill", "has": False, "runs": 0},
            {"capability": "restart", "has": True, "runs": 0},
        ],
        "checks": [{"check": "recovers", "runs": 2}, {"check": "restarts", "runs": 0}],
    }


def whole_story(
    name: str = "it", *, bad: tuple[str, ...] = (), log: RunLog | None = None, runs: int | None = None
) -> VerdictReport:
    """A report none of whose parts is empty; ``runs`` makes it that many runs."""
    report = told_verdict(bad=bad, open_gate=True, name=name, log=log)
    command = CommandRun(
        ("pytest", "-k", name), 1, False, 12.5, "ab" * 32, 4096, truncated=True, trouble=name, tests_run=3
    )
    packet = report.verdict.packets[0]
    evidence = (
        EvidenceResult("tests", "command", Outcome.FAILED, name, (), command),
        EvidenceResult("later", "command", Outcome.INCONCLUSIVE, f"never run for {name}"),
    )
    packets = (
        replace(packet, objective=name, owner=name, rollback=name, evidence=(*packet.evidence, *evidence)),
        PacketResult("TRR-05", name, packet.state, (f"waits for {name}",), name, ("TRR-04",), (), ()),
    )
    checklist = (
        ChecklistItem("checkpoints", "Every checkpoint is green", Outcome.PASSED),
        ChecklistItem("sign-off", "The phase is signed off", Outcome.INCONCLUSIVE, f"nobody signed {name}"),
    )
    phase = PhaseResult("phase-1", name, "TRR-04", 172800.0, 172800.0, (name,), ("g",), ("g",), ("g",), checklist)
    verdict = replace(
        report.verdict,
        packets=packets,
        phases=(phase, replace(phase, id="phase-2", ran_s=None, checklist=checklist[:1])),
        drift=(DriftRow("DRIFT-01", name, "DRIFT_ACCEPTED", name),),
        debt=(DebtRow("DEBT-01", name, "sev-3", name, "7.0", "2026-03-01"),),
        residual_risks=(ResidualRisk("R-9", name, "sev-2", name, name, "TRR-04", f"condition {name}"),),
        closed_conditions=(ClosedCondition("rpc", name, "2026-02-08", name, "closes", name),),
        capabilities=("metrics", name),
        inventory={"system": name, "tools": {"python": "3.11.7"}, "scenarios": [{"id": name, "digest": "ab" * 32}]},
    )
    told = (
        report.runs
        if runs is None
        else tuple(
            replace(run, summary=replace(run.summary, run=f"{run.summary.run}-{number}"))
            for number in range(runs)
            for run in (report.runs[number % len(report.runs)],)
        )
    )
    inventory = (("system", plain(name)), ("tools: python", "3.11.7"))
    return replace(
        report,
        verdict=verdict,
        runs=told,
        coverage=coverage_report(coverage_data(name)),
        inventory=inventory,
        notes=(plain(f"made like {name}"),),
    )
