"""The commands of the runbook are the steps of the drills, one for one and in their order."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from pulse_sim.scenario.load import load_scenarios
from pulse_sim.scenario.timeline import OperatorAction, operator_actions, rollback_actions
from pulse_sim.units import parse_duration
from tests.cli.command import ROOT

RUNBOOK = (ROOT / "docs" / "runbook.md").read_text("utf-8")
DRILLS = sorted((ROOT / "scenarios" / "runbook").glob("*.yaml"))
BLOCK = re.compile(r"^Drill: `scenarios/runbook/([\w-]+)\.yaml`\n\n```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CURL = 'curl -sS -H "Authorization: Bearer $TOKEN"'
SETTINGS = "/etc/default/pulse"


def steps(action: OperatorAction) -> Iterator[str]:
    """What an operator types for one action of a drill."""
    given = action.parameters
    match action.do:
        case "ask_system":
            yield f'{CURL} "$PULSE{given.path}"'
        case "add_connection":
            yield f'{CURL} -d @{given.id}.json "$PULSE/api/truenas/connections"'
        case "test_connection":
            yield f'{CURL} -X POST "$PULSE/api/truenas/connections/{given.id}/test"'
        case "remove_connection":
            yield f'{CURL} -X DELETE "$PULSE/api/truenas/connections/{given.id}"'
        case "remove_file":
            yield f'sudo rm "$PULSE_DATA_DIR/{given.name}"'
        case "restart_system":
            if given.variant is not None:
                yield f"sudo ln -sfn /opt/pulse/{given.variant} /opt/pulse/current"
            for name, value in given.environment.items():
                yield f"sudo sed -i '/^{name}=/d' {SETTINGS}"
                if value:
                    yield f"echo '{name}={value}' | sudo tee -a {SETTINGS}"
            yield "sudo systemctl restart pulse"
        case _:
            raise AssertionError(f"the runbook has no command for {action.do}")


def typed(block: str) -> list[str]:
    """The commands of a block; a comment on a line of its own is for the reader."""
    return [line for line in block.splitlines() if line and not line.startswith("#")]


def blocks() -> dict[str, str]:
    return dict(BLOCK.findall(RUNBOOK))


def test_every_drill_stands_in_the_runbook_and_every_block_is_one() -> None:
    assert sorted(name for name, _ in BLOCK.findall(RUNBOOK)) == [drill.stem for drill in DRILLS]


@pytest.mark.parametrize("drill", DRILLS, ids=lambda path: path.stem)
def test_the_commands_of_the_runbook_are_the_steps_of_the_drill(drill: Path) -> None:
    first, *_ = load_scenarios([drill])
    assert typed(blocks()[drill.stem]) == [step for action in operator_actions(first) for step in steps(action)]


@pytest.mark.parametrize("drill", DRILLS, ids=lambda path: path.stem)
def test_every_page_a_drill_asks_for_is_judged_and_its_restarts_are_counted(drill: Path) -> None:
    for scenario in load_scenarios([drill]):
        asked = {
            (action.parameters.path, action.at_ns) for action in operator_actions(scenario) if action.do == "ask_system"
        }
        judged = {
            (check["path"], parse_duration(check["at"])) for check in scenario.checks if check["check"] == "api_answer"
        }
        assert judged == asked
        assert "restarts" in {check["check"] for check in scenario.checks}


def test_a_step_the_runbook_does_not_show_is_noticed() -> None:
    (first, *_) = load_scenarios([ROOT / "scenarios" / "runbook" / "kill-switch.yaml"])
    shown = typed(blocks()["kill-switch"])
    told = [step for action in operator_actions(first)[1:] for step in steps(action)]
    assert shown[1:] == told != shown


ABORT_DRILL = re.compile(r"^\|(?P<row>.*)\| `(?P<file>scenarios/(?:aborts|phases)/[\w-]+\.yaml)` \|$", re.MULTILINE)
CRITERIA = {"polls fail": "failure_rate", "auth errors": "auth_errors"}
OPERATIONS: dict[str, Callable[[str, Any], bool]] = {
    "disable": lambda do, given: do == "restart_system" and given.environment == {"PULSE_ENABLE_TRUENAS": "false"},
    "kill switch": lambda do, _: do == "remove_connection",
    "code rollback": lambda do, given: do == "restart_system" and given.variant == "without-truenas",
}


def abort_drills() -> list[tuple[str, Path]]:
    return [(found["row"], ROOT / found["file"]) for found in ABORT_DRILL.finditer(RUNBOOK)]


def test_every_drill_of_an_abort_and_of_a_way_back_is_named() -> None:
    aborting = {
        path
        for folder in ("aborts", "phases")
        for path in (ROOT / "scenarios" / folder).glob("*.yaml")
        if any(scenario.expect_abort is not None for scenario in load_scenarios([path]))
    }
    assert {path for _, path in abort_drills()} == aborting


@pytest.mark.parametrize(("row", "drill"), abort_drills(), ids=[path.stem for _, path in abort_drills()])
def test_an_abort_is_that_of_its_row_and_what_is_done_is_the_operation_beside_it(row: str, drill: Path) -> None:
    (named,) = [is_it for name, is_it in OPERATIONS.items() if re.search(rf"\| {name}\b", row)]
    for scenario in load_scenarios([drill]):
        assert scenario.expect_abort is not None
        criteria = {criterion for words, criterion in CRITERIA.items() if words in row}
        assert criteria <= {scenario.expect_abort.criterion}
        actions = list(rollback_actions(scenario))
        assert actions
        assert all(named(action.do, action.parameters) for action in actions)


def test_the_runbook_says_how_to_scrape_as_the_rules_need_it() -> None:
    assert "honor_labels: true" in (ROOT / "deploy" / "prometheus" / "truenas.rules.yml").read_text("utf-8")
    (job,) = YAML(typ="safe").load(re.findall(r"^```yaml\n(.*?)^```$", RUNBOOK, re.MULTILINE | re.DOTALL)[0])[
        "scrape_configs"
    ]
    assert (job["honor_labels"], job["scrape_interval"]) == (True, "15s")
