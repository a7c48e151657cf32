"""JUnit XML, in the dialect Jenkins and GitLab read: failure, error and skipped; names are hostile.

Knows nothing of files. Inconclusive is a failure there: a CI that knows two words must not hear the better one.
"""

from xml.etree import ElementTree as ET

from pulse_sim.outcome import Outcome
from pulse_sim.report.model import CheckRow, RunReport, VerdictReport
from pulse_sim.report.text import plain
from pulse_sim.units import SECOND
from pulse_sim.verdict import PacketResult

_ELEMENTS = {
    Outcome.SKIPPED: "skipped",
    Outcome.INCONCLUSIVE: "failure",
    Outcome.FAILED: "failure",
    Outcome.ERRORED: "error",
}


def render_run_junit(report: RunReport) -> bytes:
    """One suite for the run, one case for each check; its time is virtual."""
    root = ET.Element("testsuites")
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
    """One suite for each packet with a case for each gate, and a suite for the verdict itself."""
    verdict = report.verdict
    root = ET.Element("testsuites")
    suite = ET.SubElement(root, "testsuite", name=plain(verdict.plan))
    _properties(suite, {"seed": str(report.seed), "verdict": verdict.verdict.value, "replay": report.replay})
    outcome = Outcome.FAILED if verdict.verdict.value == "NO_GO" else Outcome.PASSED
    _case(suite, verdict.plan, f"verdict: {verdict.verdict.value}", outcome, "\n".join(map(plain, verdict.reasons)))
    for packet in verdict.packets:
        _packet(root, packet)
    return _document(root)


def _packet(root: ET.Element, packet: PacketResult) -> None:
    suite = ET.SubElement(root, "testsuite", name=plain(f"{packet.id} {packet.title}"))
    for gate in packet.gates:
        # An open gate that became a condition does not fail a build; it is skipped there and listed in the report.
        outcome = Outcome.PASSED if gate.closed else gate.outcome if gate.stops else Outcome.SKIPPED
        _case(suite, packet.id, f"{gate.id} ({gate.priority}) {gate.title}", outcome, gate.reason)
    if not packet.state.is_done:
        reasons = "\n".join(map(plain, packet.reasons))
        _case(suite, packet.id, f"packet: {packet.state.value}", Outcome.FAILED, reasons)


def _told(row: CheckRow) -> str:
    return f"expected {row.expected}\nobserved {row.observed}" + (f"\n{row.reason}" if row.reason else "")


def _case(suite: ET.Element, classname: str, name: str, outcome: Outcome, told: str) -> None:
    case = ET.SubElement(suite, "testcase", classname=plain(classname), name=plain(name))
    if outcome is Outcome.PASSED:
        return
    lines = [plain(line) for line in told.split("\n")]
    element = ET.SubElement(case, _ELEMENTS[outcome], message=f"{outcome.value}: {lines[-1]}")
    element.text = "\n".join(lines)


def _properties(suite: ET.Element, properties: dict[str, str]) -> None:
    parent = ET.SubElement(suite, "properties")
    for name, value in properties.items():
        ET.SubElement(parent, "property", name=name, value=plain(value))


def _document(root: ET.Element) -> bytes:
    for suite in root:
        cases = suite.findall("testcase")
        suite.set("tests", str(len(cases)))
        for attribute, element in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            suite.set(attribute, str(sum(case.find(element) is not None for case in cases)))
    ET.indent(root)
    content: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return content + b"\n"
