"""What passed runs exercised, by the files they left and the tables of what there is."""

import json
from pathlib import Path
from typing import Any

import pytest

from pulse_sim.canonical import Json, canonical_json
from pulse_sim.checks import CHECK_KINDS
from pulse_sim.cli.coverage import NEEDED_BY, coverage_of, faces_of_fault
from pulse_sim.outcome import Outcome
from pulse_sim.report.coverage import FACES, coverage_report
from pulse_sim.report.model import Timeline
from pulse_sim.report.timeline_data import timeline_data
from pulse_sim.scenario.actions import ACTIONS
from pulse_sim.scenario.kinds import ALL_FAULT_KINDS
from pulse_sim.scenario.plan import Plan, parse_plan
from pulse_sim.sut.protocol import Capability
from pulse_sim.verdict import EvidenceResult, JudgedCheck, RunSummary
from pulse_sim.world.releases import RELEASE_FACES

PLAN = b"""\
version: 1
id: p
title: A plan
failure_classes:
  - {id: api-timeout, title: Late, evidence: [late]}
packets:
  - id: TRR-04
    title: Failures
    evidence:
      - {id: late, scenario: late.yaml}
      - {id: other, scenario: other.yaml}
    gates:
      - {id: g, title: It holds, priority: P0, evidence: [late, other]}
"""


def plan() -> Plan:
    return parse_plan("plan.yaml", PLAN)


def run(
    directory: Path,
    name: str,
    *,
    release: str = "24.10",
    faces: tuple[str, ...] = ("front", "rest"),
    injected: tuple[tuple[str, str], ...] = (("http.delay", "nas-1"),),
    outcomes: dict[str, Outcome] | None = None,
    timeline: str = "[]",
) -> RunSummary:
    """A sealed run as far as coverage looks at it."""
    root = directory / name
    root.mkdir(parents=True)
    scenario = f"""\
systems: {{pulse: {{}}}}
appliances: {{nas-1: {{release: "{release}"}}}}
connections: {{nas-1: {{appliance: nas-1, system: pulse}}}}
timeline: {timeline}
"""
    (root / "scenario.yaml").write_text(scenario)
    told = Timeline(1, (), (), (), (), injected=injected, faces=(("nas-1", faces),))
    (root / "timeline.json").write_bytes(canonical_json(timeline_data(told)))
    checks = {"faults_took_effect": Outcome.PASSED, "recovers": Outcome.PASSED, **(outcomes or {})}
    lines = tuple(JudgedCheck(check, outcome) for check, outcome in checks.items())
    worst = max(checks.values(), key=lambda one: one.rank)
    return RunSummary(name, name, 1, worst, lines)


def covered(directory: Path, late: RunSummary | None = None, other: RunSummary | None = None) -> dict[str, Any]:
    """The coverage of a verdict on these runs, as it is read back."""
    results = {
        name: EvidenceResult(name, "scenario", one.outcome, "", (one,))
        for name, one in (("late", late), ("other", other))
        if one is not None
    }
    found: dict[str, Json] = coverage_of(plan(), results, directory, frozenset({"metrics"}))
    read: dict[str, Any] = json.loads(canonical_json(found))
    return read


def cells(coverage: dict[str, Any], fault: str) -> list[tuple[str, str, str | None, int]]:
    (row,) = (row for row in coverage["faults"] if row["fault"] == fault)
    return [(one["release"], one["face"], one["failure_class"], one["runs"]) for one in row["exercised"]]


def test_a_fault_of_a_passed_run_counts_under_its_release_face_and_class(tmp_path: Path) -> None:
    coverage = covered(tmp_path, run(tmp_path, "late"), run(tmp_path, "other"))
    assert cells(coverage, "http.delay") == [("24.10", "rest", None, 1), ("24.10", "rest", "api-timeout", 1)]
    assert coverage["runs"] == {"passed": 2, "all": 2}


@pytest.mark.parametrize("outcome", [one for one in Outcome if one is not Outcome.PASSED])
def test_a_run_that_did_not_pass_exercised_nothing(tmp_path: Path, outcome: Outcome) -> None:
    coverage = covered(tmp_path, run(tmp_path, "late", outcomes={"recovers": outcome}))
    assert cells(coverage, "http.delay") == []
    assert coverage["runs"] == {"passed": 0, "all": 1}
    assert not any(row["runs"] for row in coverage["checks"] + coverage["capabilities"])
    assert not any(runs for row in coverage["releases"] for runs in row["faces"].values())


def test_a_fault_nobody_saw_take_effect_is_not_exercised(tmp_path: Path) -> None:
    late = run(tmp_path, "late")
    unseen = RunSummary(
        "late", "late", 1, Outcome.PASSED, tuple(line for line in late.checks if line.check == "recovers")
    )
    coverage = covered(tmp_path, unseen)
    assert cells(coverage, "http.delay") == []
    assert coverage["releases"][1] == {"release": "24.10", "faces": {"rest": 1, "ddp": 0}}


def test_a_fault_counts_on_the_faces_it_can_act_on_alone(tmp_path: Path) -> None:
    kinds = ("front.timeout", "rpc.close", "net.down", "payload.null_field", "front.upgrade_stripped")
    injected = tuple((kind, "nas-1") for kind in kinds)
    coverage = covered(tmp_path, run(tmp_path, "late", release="25.10", faces=("rest", "rpc"), injected=injected))
    faces = {fault: {face for _, face, _, _ in cells(coverage, fault)} for fault, _ in injected}
    assert faces["rpc.close"] == faces["front.upgrade_stripped"] == {"rpc"}
    assert faces["front.timeout"] == {"rest"}
    assert faces["net.down"] == faces["payload.null_field"] == {"rest", "rpc"}


def test_a_fault_on_a_system_counts_for_the_appliances_it_polls(tmp_path: Path) -> None:
    coverage = covered(tmp_path, run(tmp_path, "late", injected=(("clock.step", "pulse"),)))
    assert cells(coverage, "clock.step") == [("24.10", "rest", "api-timeout", 1)]


def test_capabilities_count_by_what_was_done_checked_and_asked(tmp_path: Path) -> None:
    coverage = covered(tmp_path, run(tmp_path, "late", timeline="[{at: 1m, do: restart_system}]"))
    runs = {row["capability"]: row["runs"] for row in coverage["capabilities"]}
    assert {name for name, count in runs.items() if count} == {
        "restart",
        "metrics",
        "api-v2-resources",
        "breaker-metrics",
        "rest-transport",
    }
    has = {row["capability"]: row["has"] for row in coverage["capabilities"]}
    assert has["metrics"] is True and has["kill"] is False


@pytest.mark.parametrize("damage", ["scenario.yaml", "timeline.json"])
def test_a_run_whose_files_cannot_be_read_exercised_nothing(tmp_path: Path, damage: str) -> None:
    late = run(tmp_path, "late")
    (tmp_path / "late" / damage).write_text("{")
    assert covered(tmp_path, late)["runs"] == {"passed": 0, "all": 1}


def test_the_report_reads_it_and_nothing_of_the_tables_is_left_out(tmp_path: Path) -> None:
    report = coverage_report(covered(tmp_path, run(tmp_path, "late")))
    sizes = {tally.axis: tally.of for tally in report.tallies}
    assert sizes == {
        "pairs of release and face": sum(map(len, RELEASE_FACES.values())),
        "fault kinds": len(ALL_FAULT_KINDS),
        "failure classes": 1,
        "capabilities": len(Capability),
        "check kinds": len(CHECK_KINDS),
    }
    assert report.columns == ("24.10 REST",)
    assert [(row.name, row.under, row.runs) for row in report.faults] == [("http.delay", "api-timeout", (1,))]


def test_every_capability_has_something_that_exercises_it() -> None:
    known = {*CHECK_KINDS, *ACTIONS, *FACES}
    assert NEEDED_BY.keys() == set(Capability)
    assert all(names and names <= known for names in NEEDED_BY.values())


def test_every_face_a_fault_can_act_on_is_one_of_some_release() -> None:
    faces = {face for faces in RELEASE_FACES.values() for face in faces}
    assert faces == set(FACES)
    assert all(set(faces_of_fault(kind) or faces) <= faces for kind in ALL_FAULT_KINDS)


def test_releases_have_the_faces_their_versions_have() -> None:
    assert [RELEASE_FACES[name] for name in ("24.10", "25.10", "26.0")] == [
        ("rest", "ddp"),
        ("rest", "rpc", "ddp"),
        ("rpc", "ddp"),
    ]
