"""JUnit XML, in the dialect Jenkins and GitLab read: failure, error and skipped; names are hostile.

Knows nothing of files. Inconclusive is a failure there: a CI that knows two words must not hear the better one.
"""

from collections import Counter
from xml.etree import ElementTree as ET

from pulse_sim.outcome import Outcome
from pulse_sim.report.model import CheckRow, RunBrief, RunReport, VerdictReport
from pulse_sim.report.text import plain
from pulse_sim.units import SECOND
from pulse_sim.verdict import Condition, PacketResult, Verdict

_ELEMENTS = {
    Outcome.SKIPPED: "skipped",
    Outcome.INCONCLUSIVE: "failure",
    Outcome.FAILED: "failure",
    Outcome.ERRORED: "error",
}

_COUNTED = (("failures", "failure"), ("errors", "error"), ("skipped", "skipped"))


def render_run_junit(report: RunReport) -> bytes:
    """One suite for the run, one case for each check; its time is virtual."""
    root = ET.Element("testsuites", name=plain(report.scenario))
    suite = ET.SubElement(root, "testsuite", name=plain(report.scenario))
    if report.length_ns is not None:
        suite.set("time", f"{report.length_ns / SECOND:.3f}")
    _properties(suite, {"seed": str(report.seed), "sut": report.sut, "world": report.world, "replay": report.replay})
    for row in report.checks:
        name = f"{row.check} ({row.about})" if row.about else row.check
        _case(suite, report.scenario, name, row.outcome, _told(row))
    if report.reason or not report.checks:
        _case(suite, report.scenario, "the run as a whole", report.outcome, report.why)
    return _document(root)


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
    _properties(suite, {**told, **conditions, **waivers})
    outcome = Outcome.FAILED if stops else Outcome.PASSED
    _case(suite, verdict.plan, f"verdict: {verdict.verdict.value}", outcome, "\n".join(map(plain, verdict.reasons)))
    for packet in verdict.packets:
        _packet(root, packet)
    for run in report.runs:
        _run(root, run, stops=stops)
    return _document(root)


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
        _case(suite, packet.id, f"{gate.id} ({gate.priority}) {gate.title}", outcome, gate.reason)
    if not packet.state.is_done:
        reasons = "\n".join(map(plain, packet.reasons))
        _case(suite, packet.id, f"packet: {packet.state.value}", Outcome.FAILED, reasons)


def _run(root: ET.Element, brief: RunBrief, *, stops: bool) -> None:
    """A run behind the verdict. Where the verdict does not stop, what did not pass became a condition: skipped."""
    run = brief.summary
    suite = ET.SubElement(root, "testsuite", name=plain(run.run))
    if run.virtual_s is not None:
        suite.set("time", f"{run.virtual_s:.3f}")
    _properties(suite, {"seed": str(run.seed), "outcome digest": run.outcome_digest, "replay": brief.replay})
    for line in run.checks:
        told = f"expected {line.expected}\nobserved {line.observed}" + (f"\n{line.reason}" if line.reason else "")
        _case(suite, run.scenario, line.check, _shown(line.outcome, stops=stops), told)
    if run.reason or not run.checks:
        told = run.reason or "nothing was checked"
        _case(suite, run.scenario, "the run as a whole", _shown(run.outcome, stops=stops), told)


def _shown(outcome: Outcome, *, stops: bool) -> Outcome:
    return outcome if stops or outcome is Outcome.PASSED else Outcome.SKIPPED


def _told(row: CheckRow) -> str:
    return f"expected {row.expected}\nobserved {row.observed}" + (f"\n{row.reason}" if row.reason else "")


def _case(suite: ET.Element, classname: str, name: str, outcome: Outcome, told: str) -> None:
    case = ET.SubElement(suite, "testcase", classname=plain(classname), name=plain(name))
    if outcome is Outcome.PASSED:
        return
    lines = [plain(line) for line in told.split("\n")]
    element = ET.SubElement(case, _ELEMENTS[outcome], message=f"{outcome.value}: {lines[-1]}")
    if element.tag != "skipped":
        element.set("type", outcome.value)
    element.text = "\n".join(lines)


def _properties(suite: ET.Element, properties: dict[str, str]) -> None:
    parent = ET.SubElement(suite, "properties")
    for name, value in properties.items():
        ET.SubElement(parent, "property", name=plain(name), value=plain(value))


def _document(root: ET.Element) -> bytes:
    """The document with its sums. Cases of one name in one suite are numbered: readers take them for one otherwise."""
    sums = dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
    for suite in root:
        cases = suite.findall("testcase")
        _number(cases)
        counts = {name: sum(case.find(tag) is not None for case in cases) for name, tag in _COUNTED}
        for name, count in (("tests", len(cases)), *counts.items()):
            suite.set(name, str(count))
            sums[name] += count
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sums[name]))
    ET.indent(root)
    content: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return content + b"\n"


def _number(cases: list[ET.Element]) -> None:
    seen: Counter[str] = Counter()
    for case in cases:
        name = case.get("name", "")
        seen[name] += 1
        if seen[name] > 1:
            case.set("name", f"{name} #{seen[name]}")
