"""JUnit XML of a run and of a verdict: suites of checks and gates. Knows nothing of files."""

from xml.etree import ElementTree as ET

from pulse_sim.outcome import Outcome
from pulse_sim.report.junit_parts import case, document, properties
from pulse_sim.report.model import CheckRow, RunBrief, RunReport, VerdictReport
from pulse_sim.report.text import plain
from pulse_sim.units import SECOND
from pulse_sim.verdict import Condition, PacketResult, Verdict


def render_run_junit(report: RunReport) -> bytes:
    """One suite for the run, one case for each check; its time is virtual."""
    root = ET.Element("testsuites", name=plain(report.scenario))
    suite = ET.SubElement(root, "testsuite", name=plain(report.scenario))
    if report.length_ns is not None:
        suite.set("time", f"{report.length_ns / SECOND:.3f}")
    properties(suite, {"seed": str(report.seed), "sut": report.sut, "world": report.world, "replay": report.replay})
    for row in report.checks:
        name = f"{row.check} ({row.about})" if row.about else row.check
        case(suite, report.scenario, name, row.outcome, _told(row))
    if report.reason or not report.checks:
        case(suite, report.scenario, "the run as a whole", report.outcome, report.why)
    return document(root)


def render_verdict_junit(report: VerdictReport) -> bytes:
    """A suite for the verdict with its conditions as properties, one for each packet with a case for each gate, and
    one for each run with a case for each check.
    """
    verdict = report.verdict
    stops = verdict.verdict is Verdict.NO_GO
    root = ET.Element("testsuites", name=plain(verdict.plan))
    suite = ET.SubElement(root, "testsuite", name=plain(verdict.plan))
    told = {"seed": str(report.seed), "verdict": verdict.verdict.value, "replay": report.replay}
    conditions = {f"condition.{one.gate}": _owed(one) for one in verdict.conditions}
    waivers = {
        f"waiver.{use.gate}": f"{use.state}, until {use.expires}, {use.owner}: {use.reason}" for use in verdict.waivers
    }
    properties(suite, {**told, **conditions, **waivers})
    outcome = Outcome.FAILED if stops else Outcome.PASSED
    case(suite, verdict.plan, f"verdict: {verdict.verdict.value}", outcome, "\n".join(map(plain, verdict.reasons)))
    for packet in verdict.packets:
        _packet(root, packet)
    for run in report.runs:
        _run(root, run, stops=stops)
    return document(root)


def _owed(condition: Condition) -> str:
    """A condition in one line."""
    return (
        f"{condition.priority} {condition.title}: {condition.reason}; risk {condition.risk} {condition.severity}, "
        f"owner {condition.owner}, by {condition.target}, rollback: {condition.rollback}"
    )


def _packet(root: ET.Element, packet: PacketResult) -> None:
    suite = ET.SubElement(root, "testsuite", name=plain(f"{packet.id} {packet.title}"))
    for gate in packet.gates:
        # An open gate that became a condition does not fail a build; it is skipped there and listed in the report.
        outcome = Outcome.PASSED if gate.closed else gate.outcome if gate.stops else Outcome.SKIPPED
        case(suite, packet.id, f"{gate.id} ({gate.priority}) {gate.title}", outcome, gate.reason)
    if not packet.state.is_done:
        reasons = "\n".join(map(plain, packet.reasons))
        case(suite, packet.id, f"packet: {packet.state.value}", Outcome.FAILED, reasons)


def _run(root: ET.Element, brief: RunBrief, *, stops: bool) -> None:
    """A run behind the verdict. Where the verdict does not stop, what did not pass became a condition: skipped."""
    run = brief.summary
    suite = ET.SubElement(root, "testsuite", name=plain(run.run))
    if run.virtual_s is not None:
        suite.set("time", f"{run.virtual_s:.3f}")
    properties(suite, {"seed": str(run.seed), "outcome digest": run.outcome_digest, "replay": brief.replay})
    for line in run.checks:
        told = f"expected {line.expected}\nobserved {line.observed}" + (f"\n{line.reason}" if line.reason else "")
        case(suite, run.scenario, line.check, _shown(line.outcome, stops=stops), told)
    if run.reason or not run.checks:
        told = run.reason or "nothing was checked"
        case(suite, run.scenario, "the run as a whole", _shown(run.outcome, stops=stops), told)


def _shown(outcome: Outcome, *, stops: bool) -> Outcome:
    return outcome if stops or outcome is Outcome.PASSED else Outcome.SKIPPED


def _told(row: CheckRow) -> str:
    return f"expected {row.expected}\nobserved {row.observed}" + (f"\n{row.reason}" if row.reason else "")
