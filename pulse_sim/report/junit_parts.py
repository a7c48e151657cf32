"""What every JUnit document is made of, in the dialect Jenkins and GitLab read; names are hostile.

Inconclusive is a failure there: a CI that knows two words must not hear the better one. Knows nothing of what is told.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Final
from xml.etree import ElementTree as ET

from pulse_sim.outcome import Outcome
from pulse_sim.report.text import plain

_ELEMENTS: Final = {
    Outcome.SKIPPED: "skipped",
    Outcome.INCONCLUSIVE: "failure",
    Outcome.FAILED: "failure",
    Outcome.ERRORED: "error",
}
_COUNTED: Final = (("failures", "failure"), ("errors", "error"), ("skipped", "skipped"))


def case(suite: ET.Element, classname: str, name: str, outcome: Outcome, told: str) -> None:
    """One case of a suite; ``told`` says why it is not passed, its last line in short."""
    element = ET.SubElement(suite, "testcase", classname=plain(classname), name=plain(name))
    if outcome is Outcome.PASSED:
        return
    lines = [plain(line) for line in told.split("\n")]
    what = ET.SubElement(element, _ELEMENTS[outcome], message=f"{outcome.value}: {lines[-1]}")
    if what.tag != "skipped":
        what.set("type", outcome.value)
    what.text = "\n".join(lines)


def properties(suite: ET.Element, told: Mapping[str, str]) -> None:
    """What is to be known of a suite; comes before its cases."""
    parent = ET.SubElement(suite, "properties")
    for name, value in told.items():
        ET.SubElement(parent, "property", name=plain(name), value=plain(value))


def document(root: ET.Element) -> bytes:
    """The document in bytes, with its sums.

    Cases of one name in one suite are numbered: readers take them for one otherwise.
    """
    sums = dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
    for suite in root:
        cases = suite.findall("testcase")
        _number(cases)
        counts = {name: sum(one.find(tag) is not None for one in cases) for name, tag in _COUNTED}
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
    for one in cases:
        name = one.get("name", "")
        seen[name] += 1
        if seen[name] > 1:
            one.set("name", f"{name} #{seen[name]}")
