"""deploy/ci: the action runs the documented command, no input is ever part of a script, and what it runs works."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.cli.command import ROOT, TIMEOUT_S
from tests.run.rehearsal import SMALL

CI = ROOT / "deploy" / "ci"
PAGE = (ROOT / "docs" / "ci-gate.md").read_text("utf-8")
PINNED = re.compile(r"(?:\./deploy/ci|[\w-]+/[\w-]+@[0-9a-f]{40})")
INPUTS = {
    "SCENARIOS": "scenarios",
    "SEEDS": "seeds",
    "BUDGET": "budget",
    "BASELINE": "baseline",
    "SUT": "sut",
    "OUT": "out",
}


def document(name: str) -> Any:
    return YAML(typ="safe").load(CI / name)


ACTION = document("action.yml")
WORKFLOW = document("example-workflow.yml")
STEPS = ACTION["runs"]["steps"]
(GATE,) = [step for step in STEPS if step.get("id") == "gate"]
EVERY_STEP = [*STEPS, *(step for job in WORKFLOW["jobs"].values() for step in job["steps"])]


def documented() -> list[str]:
    (block,) = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    return shlex.split(block)


def project(directory: Path, program: str) -> Path:
    """A project whose ``pulse-sim`` is ``program``, Python."""
    shim = directory / ".venv" / "bin" / "pulse-sim"
    shim.parent.mkdir(parents=True)
    (directory / "program.py").write_text(program, "utf-8")
    shim.write_text(f'#!/bin/sh\nexec {sys.executable} {directory / "program.py"} "$@"\n', "utf-8")
    shim.chmod(0o755)
    return directory


def perform(where: Path, pulse_sim: Path, **inputs: str) -> "subprocess.CompletedProcess[str]":
    """The gate's step as a runner performs it: its script in bash, the inputs in the environment."""
    defaults = {name: ACTION["inputs"][given]["default"] for name, given in INPUTS.items()}
    environment = {
        **{name: os.environ[name] for name in ("PATH", "PULSE_SIM_SIGNING_KEY_FILE") if name in os.environ},
        "PYTHONPATH": str(ROOT),
        "PROJECT": str(pulse_sim),
        "GITHUB_OUTPUT": str(where / "output"),
        "GITHUB_STEP_SUMMARY": str(where / "summary"),
        **defaults,
        **inputs,
    }
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", GATE["run"]]
    return subprocess.run(
        command, cwd=where, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )


ECHO = "import json, pathlib, sys\npathlib.Path('argv').write_text(json.dumps(sys.argv[1:]))\n"
REAL = "from pulse_sim.cli.main import main\nmain()\n"


def test_the_action_is_composite_and_every_step_has_what_a_runner_asks_for() -> None:
    assert ACTION["runs"]["using"] == "composite"
    assert {"name", "description", "inputs", "outputs"} <= ACTION.keys()
    assert all(one.keys() == {"description", "default"} for one in ACTION["inputs"].values())
    assert all(step.get("shell") == "bash" for step in STEPS if "run" in step)
    named = re.findall(r"inputs\.([\w-]+)", (CI / "action.yml").read_text("utf-8"))
    assert set(named) == set(ACTION["inputs"])
    assert set(WORKFLOW["jobs"]["gate"]["steps"][-1]["with"]) <= set(ACTION["inputs"])


def test_no_expression_is_ever_part_of_a_script() -> None:
    scripts = [step["run"] for step in EVERY_STEP if "run" in step]
    assert len(scripts) == 3
    assert [script for script in scripts if "${{" in script] == []


def test_every_input_reaches_the_script_by_its_own_variable() -> None:
    given: Mapping[str, str] = GATE["env"]
    assert {name: value for name, value in given.items() if name != "PROJECT"} == {
        name: f"${{{{ inputs.{given} }}}}" for name, given in INPUTS.items()
    }


def test_what_is_used_of_others_is_pinned_to_a_commit() -> None:
    used = [step["uses"] for step in EVERY_STEP if "uses" in step]
    assert used
    assert [one for one in used if not PINNED.fullmatch(one)] == []


def test_the_command_of_the_action_is_the_documented_one(tmp_path: Path) -> None:
    done = perform(tmp_path, project(tmp_path / "project", ECHO))
    assert done.returncode == 0, done.stderr
    program, *arguments = documented()
    assert program == ".venv/bin/pulse-sim"
    assert json.loads((tmp_path / "argv").read_text("utf-8")) == [*arguments, "--"]
    assert PAGE.count(shlex.join([program, *arguments])) == 2  # for people, and for other pipelines


def test_what_a_caller_gives_is_added_as_it_is(tmp_path: Path) -> None:
    hostile = "a b\"; touch pwned; $(touch pwned) `touch pwned` '*"
    inputs = {"SEEDS": hostile, "BASELINE": hostile, "SUT": hostile, "SCENARIOS": f"{hostile}\n\n--json"}
    perform(tmp_path, project(tmp_path / "project", ECHO), **inputs)
    _, *arguments = documented()
    arguments[arguments.index("1..3")] = hostile
    expected = [*arguments, "--baseline", hostile, "--sut", hostile, "--", hostile, "--json"]
    assert json.loads((tmp_path / "argv").read_text("utf-8")) == expected
    assert not list(tmp_path.rglob("pwned"))


@pytest.mark.system
def test_the_action_works_and_tells_its_status_and_its_summary(tmp_path: Path) -> None:
    real = project(tmp_path / "project", REAL)
    (tmp_path / "small.yaml").write_text(SMALL, "utf-8")
    done = perform(tmp_path, real, SCENARIOS="small.yaml", SEEDS="1..1")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "output").read_text("utf-8") == "status=0\n"
    assert "gate passed: 1 runs: 1 passed" in (tmp_path / "summary").read_text("utf-8")
    kept = sorted(path.name.partition("-1-")[0] for path in (tmp_path / "reports").glob("gate-*"))
    assert kept == ["gate", "gate-junit.xml", "gate-summary.md"]
    (tmp_path / "small.yaml").write_text(SMALL.replace("within: 5m30s", "within: 1s"), "utf-8")
    done = perform(tmp_path, real, SCENARIOS="small.yaml", SEEDS="1..1", BASELINE="reports")
    assert done.returncode == 1, done.stderr
    assert (tmp_path / "output").read_text("utf-8").endswith("status=1\n")
    assert "❌" in (tmp_path / "summary").read_text("utf-8")
