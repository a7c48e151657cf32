"""Report models for tests: one good run, one bad one, and verdicts on them, under names of the tests' choosing."""

from pathlib import Path

from pulse_sim.observation import RunLog
from pulse_sim.outcome import Outcome, worst
from pulse_sim.report import RunReport, VerdictReport, run_brief, run_report, verdict_report
from pulse_sim.verdict import EvidenceResult, JudgedCheck, RunSummary, fold
from tests.evidence.recording import header, record
from tests.verdict.doubles import (
    TODAY,
    PlanDouble,
    PlanEvidence,
    PlanFailureClass,
    PlanGate,
    PlanLeftOut,
    PlanPacket,
    PlanWaiver,
)

CLASSES = ("api-timeout", "auth-revoked", "stale-recovery", "connection-flap", "config-change")


def read_log(directory: Path, connection: str = "nas-1", minutes: int = 25, unseen: tuple[int, int] = (0, 0)) -> RunLog:
    """The log of a run of ``minutes`` whose connection fails from minute 5 to 10, not sampled in ``unseen``."""
    directory.mkdir(parents=True, exist_ok=True)
    record(directory, header(), connection=connection, minutes=minutes, unseen=unseen)
    return RunLog.load(directory)


def summary(name: str = "auth-revoked", outcome: Outcome = Outcome.FAILED) -> RunSummary:
    """One run with one passed check and one of ``outcome``, which speaks of ``name``."""
    lines = (
        JudgedCheck("never_crashes", Outcome.PASSED, "no crash", "no crash of it"),
        JudgedCheck("recovers", outcome, f"{name} fresh by 12m", f"{name} stale until the end", ""),
    )
    return RunSummary(f"{name}-7-abababab", name, 7, worst(line.outcome for line in lines), lines)


def told_run(log: RunLog | None, *, title: str = "The key is revoked", outcome: Outcome = Outcome.PASSED) -> RunReport:
    """The report of a run over ``log``; without checks of its own."""
    return run_report({"id": "auth-revoked", "title": title, "hypothesis": title}, log, (), summary(outcome=outcome))


def told_verdict(
    *, bad: tuple[str, ...] = (), open_gate: bool = False, name: str = "it", log: RunLog | None = None
) -> VerdictReport:
    """A verdict on five failure classes; those in ``bad`` failed. ``name`` stands wherever a name can."""
    timeline = told_run(log).timeline if log is not None else None
    results, briefs = {}, {}
    for one in CLASSES:
        run = summary(one, Outcome.FAILED if one in bad else Outcome.PASSED)
        run = RunSummary(run.run, one, 7, run.outcome, tuple(_named(line, name) for line in run.checks))
        results[one] = EvidenceResult(one, "scenario", run.outcome, "", (run,))
        entry = {"fault": f"auth.revoke_key {name}", "on": name, "at": "5m", "for": "5m"}
        scenario = {"title": f"{name} of {one}", "hypothesis": name, "timeline": [entry]}
        briefs[run.run] = run_brief(scenario, run, timeline=timeline, href=f"runs/{run.run}/report.html")
    gates = [PlanGate(f"g-{one}", (one,), title=f"{name} survives {one}") for one in CLASSES]
    if open_gate:
        gates.append(PlanGate("rpc", (), "P1", title=name, open=f"not spoken by {name}", owner=name, rollback=name))
        gates.append(PlanGate("tls", (), "P2", title=name, open=f"not tried by {name}"))
    plan = PlanDouble(
        (PlanPacket("TRR-04", tuple(gates), tuple(PlanEvidence(one) for one in CLASSES), title=name),),
        waivers=(PlanWaiver("tls", reason=name),) if open_gate else (),
        leaves_out=(PlanLeftOut("TRR-03", name),),
        failure_classes=tuple(PlanFailureClass(one, (one,), f"{name} {one}") for one in CLASSES),
        title=f"Rollout {name}",
    )
    return verdict_report(fold(plan, results, None, TODAY), briefs, seed=7)


def _named(line: JudgedCheck, name: str) -> JudgedCheck:
    return JudgedCheck(line.check, line.outcome, line.expected, f"{line.observed} {name}", line.reason)
