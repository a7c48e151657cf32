"""What people hand to ``pulse-sim verdict``: an attest file, a plan, its scenarios. Wrong ones are told, not run."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from pulse_sim.cli.exit_status import ExitStatus
from pulse_sim.cli.main import cli
from tests.run.rehearsal import SMALL, scenario

pytestmark = pytest.mark.system

PERSON = {"owner": "product", "risk": "R1", "severity": "sev-2", "rollback": "Switch it off"}
PLAN: dict[str, Any] = {
    "version": 1,
    "id": "little",
    "title": "One scenario and one signature",
    "packets": [
        {
            "id": "P-1",
            "title": "All of it",
            "evidence": [{"id": "quiet", "scenario": "quiet.yaml"}],
            "gates": [
                {"id": "G-1", "title": "It runs", "priority": "P0", "evidence": ["quiet"], **PERSON},
                {
                    "id": "G-2",
                    "title": "Somebody signed",
                    "priority": "P1",
                    "attest": "sign-off",
                    "target": "2026-06-01",
                    **PERSON,
                },
            ],
        }
    ],
}
SIGNED = {"id": "sign-off", "holds": True, "by": "R. Lead", "on": "2026-02-08"}


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    (tmp_path / "quiet.yaml").write_text(scenario(id="quiet", duration="2m"), "utf-8")
    file = tmp_path / "plan.yaml"
    file.write_text(json.dumps(PLAN), "utf-8")
    return file


def verdict(plan: Path, *arguments: str | Path) -> Result:
    return CliRunner().invoke(
        cli, ["verdict", str(plan), "--json", "--out", str(plan.parent / "out"), *map(str, arguments)]
    )


def attest(plan: Path, text: object) -> Path:
    file = plan.parent / "attest.yaml"
    file.write_text(text if isinstance(text, str) else json.dumps(text), "utf-8")
    return file


def left_in(plan: Path) -> list[str]:
    out = plan.parent / "out"
    return sorted(path.name for path in out.iterdir()) if out.is_dir() else []


def test_without_a_signature_its_gate_is_a_condition(plan: Path) -> None:
    done = verdict(plan)
    row = json.loads(done.stdout)
    assert (done.exit_code, row["verdict"]) == (ExitStatus.OPEN, "GO_WITH_CONDITIONS")
    assert [condition["gate"] for condition in row["conditions"]] == ["G-2"]


def test_with_the_signature_it_is_go_and_the_signature_is_evidence(plan: Path) -> None:
    done = verdict(plan, "--attest", attest(plan, {"version": 1, "statements": [SIGNED]}))
    row = json.loads(done.stdout)
    assert (done.exit_code, row["verdict"], row["conditions"]) == (ExitStatus.OK, "GO", [])
    told = json.loads((Path(row["bundle"]) / "attest.json").read_bytes())
    assert [(one["id"], one["by"]) for one in told["statements"]] == [("sign-off", "R. Lead")]
    assert json.loads(CliRunner().invoke(cli, ["check", row["bundle"], "--json"]).stdout)["verdict"] == "GO"


@pytest.mark.parametrize(
    "statement",
    [{**SIGNED, "holds": False}, {**SIGNED, "by": " "}, {**SIGNED, "on": "2026-02-10"}, {**SIGNED, "id": "other"}],
    ids=["does not hold", "unsigned", "dated after the last run", "of something else"],
)
def test_what_is_no_signature_closes_nothing(plan: Path, statement: dict[str, Any]) -> None:
    done = verdict(plan, "--attest", attest(plan, {"version": 1, "statements": [statement]}))
    assert json.loads(done.stdout)["verdict"] == "GO_WITH_CONDITIONS"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("version: 1\nstatements: [", "attest.yaml:2:"),
        ("version: 1\nstatements: []\nstatements: []\n", "attest.yaml:3:1: "),
        ("version: 2\nstatements: []\n", "attest file version 2 is not 1"),
        ("version: 1\nstatements: {}\n", "statements is a list"),
        ("version: 1\nstatements: [{id: sign-off}]\n", "statements[0] has the keys id, holds, by, on"),
        ("version: 1\nstatements: [{id: a, holds: yes, by: b, on: someday}]\n", "statements[0]: "),
        ("", "attest.yaml"),
        ("[]", "attest.yaml:1:1: the file must be a mapping"),
        ("version: 1\n", "an attest file has the keys version and statements"),
        ("!!python/object/apply:os.system ['true']", "attest.yaml:1:1"),
    ],
)
def test_a_malformed_attest_file_ends_with_status_2_before_anything_runs(plan: Path, text: str, told: str) -> None:
    done = verdict(plan, "--attest", attest(plan, text))
    assert (done.exit_code, done.stdout) == (ExitStatus.USAGE, "")
    assert told in done.stderr
    assert str(plan.parent / "attest.yaml") in done.stderr
    assert left_in(plan) == []


def test_an_attest_file_that_is_not_there_ends_with_status_2(plan: Path) -> None:
    done = verdict(plan, "--attest", plan.parent / "nowhere.yaml")
    assert (done.exit_code, "nowhere.yaml" in done.stderr, left_in(plan)) == (ExitStatus.USAGE, True, [])


def test_an_invalid_scenario_of_a_plan_ends_with_status_2_and_leaves_nothing(plan: Path) -> None:
    (plan.parent / "quiet.yaml").write_text(SMALL.replace("title:", "titel:"), "utf-8")
    done = verdict(plan)
    assert (done.exit_code, done.stdout) == (ExitStatus.USAGE, "")
    assert f"{plan.parent / 'quiet.yaml'}:3:1: titel: unknown key 'titel' (did you mean title?)" in done.stderr
    assert left_in(plan) == []


def test_a_worker_that_dies_is_no_go_and_nothing_of_it_is_sealed_in(plan: Path) -> None:
    text = scenario(id="quiet", duration="2m", systems={"bad": {}}, connections={})
    (plan.parent / "quiet.yaml").write_text(text, "utf-8")
    done = verdict(plan, "--sut", "tests.sut.plugins:dies_if_it_is_called_bad")
    row = json.loads(done.stdout)
    assert (done.exit_code, row["verdict"]) == (ExitStatus.FAILED, "NO_GO")
    assert not list((Path(row["bundle"]) / "runs").iterdir())
    reasons = json.loads((Path(row["bundle"]) / "verdict.json").read_bytes())["reasons"]
    assert "G-1" in reasons[0]


def test_a_gate_that_wants_what_the_system_cannot_do_is_not_applicable_and_named(plan: Path) -> None:
    packet = {**PLAN["packets"][0], "gates": [{**PLAN["packets"][0]["gates"][0], "requires": ["rest-transport"]}]}
    plan.write_text(json.dumps({**PLAN, "packets": [packet]}), "utf-8")
    able = json.loads(verdict(plan).stdout)
    assert able["verdict"] == "GO"
    done = verdict(plan, "--sut", "tests.sut.plugins:Minimal")
    row = json.loads(done.stdout)
    assert row["verdict"] == "GO_WITH_CONDITIONS"
    assert [condition["gate"] for condition in row["conditions"]] == ["G-1"]
