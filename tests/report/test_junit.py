"""JUnit XML as the common schema has it: Jenkins' junit-10.xsd, with which readers of GitHub and GitLab are content."""

import re
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from pulse_sim.outcome import Outcome
from pulse_sim.report import render_run_junit, render_verdict_junit
from pulse_sim.report.ci_gate import render_gate_junit
from tests.report.gates import told
from tests.report.hostile import HOSTILE_POOL
from tests.report.stories import CLASSES, read_log, told_run
from tests.report.whole_story import whole_story

ATTRIBUTES: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    "testsuites": (frozenset({"name"}), frozenset({"tests", "failures", "errors", "time"})),
    "testsuite": (frozenset({"name", "tests"}), frozenset({"failures", "errors", "skipped", "time"})),
    "properties": (frozenset(), frozenset()),
    "property": (frozenset({"name", "value"}), frozenset()),
    "testcase": (frozenset({"name", "classname"}), frozenset({"time"})),
    "skipped": (frozenset(), frozenset({"message"})),
    "failure": (frozenset(), frozenset({"message", "type"})),
    "error": (frozenset(), frozenset({"message", "type"})),
}
CHILDREN = {
    "testsuites": r"(testsuite )*",
    "testsuite": r"(properties )?(testcase )*",
    "properties": r"(property )*",
    "testcase": r"(skipped |failure |error )?",
}
parsed = ET.fromstring  # what this package wrote itself
NUMBERS = {"tests", "failures", "errors", "skipped"}


def problems(element: ET.Element) -> list[str]:
    """Where ``element`` is not as the schema says."""
    needed, allowed = ATTRIBUTES.get(element.tag, (frozenset(), frozenset()))
    found = [f"{element.tag} is unknown"] if element.tag not in ATTRIBUTES else []
    given = set(element.attrib)
    found += [f"{element.tag} lacks {name}" for name in needed - given]
    found += [f"{element.tag} has {name}" for name in given - needed - allowed]
    found += [f"{name} is no number" for name in given & NUMBERS if not re.fullmatch(r"[0-9]+", element.attrib[name])]
    if "time" in given and not re.fullmatch(r"[0-9]+\.[0-9]{3}", element.attrib["time"]):
        found.append("time is no number of seconds")
    order = "".join(f"{child.tag} " for child in element)
    if not re.fullmatch(CHILDREN.get(element.tag, ""), order):
        found.append(f"{element.tag} has {order}")
    return found + [problem for child in element for problem in problems(child)]


def documents(directory: Path, name: str) -> list[ET.Element]:
    """Every kind of document under one name."""
    log = read_log(directory, name)
    contents = [render_verdict_junit(whole_story(name, bad=bad, log=log)) for bad in ((), ("auth-revoked",), CLASSES)]
    contents += [render_run_junit(told_run(log, title=name, outcome=outcome)) for outcome in Outcome]
    contents.append(render_gate_junit(told(name)))
    return [parsed(content) for content in contents]


@pytest.mark.parametrize("name", ["nas-1", HOSTILE_POOL])
def test_every_document_is_as_the_schema_says(tmp_path: Path, name: str) -> None:
    for root in documents(tmp_path, name):
        assert problems(root) == []


def test_the_schema_here_refuses_what_is_wrong() -> None:
    assert problems(parsed('<testsuites name="x"><testsuite name="y"><testcase name="z"/></testsuite></testsuites>'))


def test_sums_are_those_of_the_cases(tmp_path: Path) -> None:
    for root in documents(tmp_path, "nas-1"):
        for attribute, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error")):
            assert root.get(attribute) == str(len(list(root.iter(tag))))
            for suite in root:
                assert suite.get(attribute) == str(len(list(suite.iter(tag))))


def test_no_two_cases_of_a_suite_have_one_name(tmp_path: Path) -> None:
    for root in documents(tmp_path, "nas-1"):
        for suite in root:
            names = [(case.get("classname"), case.get("name")) for case in suite.iter("testcase")]
            assert len(names) == len(set(names))


def test_a_verdict_has_a_suite_for_itself_for_each_packet_and_for_each_run() -> None:
    root = parsed(render_verdict_junit(whole_story()))
    names = [suite.get("name") for suite in root]
    assert names == ["plan", "TRR-04 it", "TRR-05 it", *(f"{one}-7-abababab" for one in CLASSES)]


def test_conditions_and_waivers_are_properties_of_the_verdict() -> None:
    root = parsed(render_verdict_junit(whole_story()))
    told = {one.get("name"): one.get("value") or "" for one in root[0].iter("property")}
    assert told["verdict"] == "GO_WITH_CONDITIONS"
    assert told["condition.rpc"].startswith("P1 it: not spoken by it; risk R-1 sev-3, owner it, by 2026-03-01")
    assert told["waiver.tls"].startswith("closes, until 2026-03-01")


@pytest.mark.parametrize(("bad", "red"), [((), False), (("auth-revoked",), True)])
def test_a_build_is_red_exactly_when_the_verdict_is_no_go(bad: tuple[str, ...], red: bool) -> None:
    root = parsed(render_verdict_junit(whole_story(bad=bad)))
    assert (root.get("failures") != "0" or root.get("errors") != "0") is red
