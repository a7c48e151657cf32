"""The committed schemas and the documentation say what the loader does."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from ruamel.yaml import YAML

from pulse_sim.checks import CHECK_KINDS
from pulse_sim.scenario.actions import ACTIONS
from pulse_sim.scenario.document import parse_document
from pulse_sim.scenario.kinds import ALL_FAULT_KINDS
from pulse_sim.scenario.load import expand, parse_scenario, scenario_data
from pulse_sim.scenario.model import Scenario
from pulse_sim.scenario.plan import Plan, parse_plan
from pulse_sim.scenario.schema import schema_files
from pulse_sim.scenario.validation import known_keys
from tests.scenario.files import SMALL, scenario, with_timeline

ROOT = Path(__file__).parents[2]
FORMAT = ROOT / "docs" / "scenario-format.md"
FILES = sorted((ROOT / "scenarios").rglob("*.yaml"))
EXAMPLES = re.findall(r"^```yaml (scenario|plan)\n(.*?)^```$", FORMAT.read_text("utf-8"), re.MULTILINE | re.DOTALL)


@cache
def validator(name: str) -> Any:
    schema = json.loads((ROOT / "docs" / "schema" / f"{name}.schema.json").read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def complaints(name: str, text: str) -> list[str]:
    data = parse_document("x.yaml", text.encode()).data
    return [f"{list(error.absolute_path)}: {error.message}" for error in validator(name).iter_errors(data)]


def test_the_committed_schemas_are_those_the_models_make() -> None:
    for name, text in schema_files().items():
        committed = (ROOT / "docs" / "schema" / name).read_text("utf-8")
        assert committed == text, f"{name}: python -m pulse_sim.scenario.schema docs/schema"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_file_of_the_catalogue_fits_its_schema(path: Path) -> None:
    kind = "plan" if path.parent.name == "plans" else "scenario"
    if "attest" not in path.name:
        assert complaints(kind, path.read_text("utf-8")) == []


def test_a_resolved_scenario_fits_the_schema() -> None:
    text = SMALL.replace("baseline}", 'baseline, tls: "${tls}"}') + "matrix: {tls: [false, true]}\n"
    for one in expand(scenario(text)):
        assert list(validator("scenario").iter_errors(scenario_data(one))) == []


@pytest.mark.parametrize(
    "text",
    [
        SMALL + "sampling: {metric: 60s}\n",
        SMALL.replace('"24.10"', "24.10"),
        SMALL.replace("1h", "1 hour"),
        SMALL.replace("no_leaks", "no_leeks"),
        SMALL.replace("no_leaks", "no_leaks, tolerance: much"),
        SMALL.replace("no_leaks", "no_leaks, tolerence: 1"),
        SMALL.replace("  nas-1: {release", "  NAS: {release"),
        SMALL.replace("abort: safety\n", ""),
        with_timeline("{at: 5m, for: 1m, fault: http.delay, on: nas-1}"),
        with_timeline("{at: 5m, for: 1m, fault: http.delay, on: nas-1, with: {dely: 5s}}"),
        with_timeline("{at: 5m, for: 1m, fault: http.dely, on: nas-1}"),
        with_timeline("{at: 5m, do: add_connection, with: {id: a}}"),
        with_timeline("{at: 5m, do: fly}"),
    ],
)
def test_the_schema_sees_the_mistakes_an_editor_can_see(text: str) -> None:
    assert complaints("scenario", text)


def test_a_parameter_of_the_matrix_may_stand_for_any_scalar() -> None:
    text = with_timeline('{at: "${at}", for: 1m, fault: http.status, on: nas-1, with: {status: "${status}"}}')
    text = text.replace('"24.10"', '"${release}"') + "matrix: {at: [5m], status: [502], release: ['24.10']}\n"
    assert complaints("scenario", text) == []
    assert len(expand(scenario(text))) == 1


def test_the_documentation_holds_examples_of_both_kinds() -> None:
    assert {kind for kind, _ in EXAMPLES} == {"scenario", "plan"}


@pytest.mark.parametrize(("kind", "text"), EXAMPLES)
def test_every_whole_example_of_the_documentation_loads_and_fits_its_schema(kind: str, text: str) -> None:
    loaded = parse_scenario("doc", text.encode()) if kind == "scenario" else parse_plan("doc", text.encode())
    assert loaded.version == 1
    assert complaints(kind, text) == []


def test_the_documentation_names_every_key_action_implied_check_and_family_of_faults() -> None:
    text = FORMAT.read_text("utf-8")
    implied = {check["check"] for check in scenario(SMALL).checks} - {"no_leaks"}
    families = {name.partition(".")[0] for name in ALL_FAULT_KINDS}
    named = {*known_keys(Scenario), *known_keys(Plan), *families, *ACTIONS, *implied, "faults_took_effect"}
    assert [name for name in sorted(named) if f"`{name}`" not in text] == []


def test_the_documentation_names_the_parameters_of_every_action() -> None:
    text = FORMAT.read_text("utf-8")
    named = {key for action in ACTIONS.values() for key in known_keys(action.parameters)}
    assert [name for name in sorted(named) if f"`{name}`" not in text] == []


EXAMPLE_FAULTS = re.findall(r"`\{fault: ([a-z.0-9_]+)(?:, with: (\{.*?\}))?\}`", FORMAT.read_text("utf-8"))


def test_every_example_of_a_fault_is_of_a_kind_and_takes_its_parameters() -> None:
    assert len(EXAMPLE_FAULTS) > 8
    for kind, parameters in EXAMPLE_FAULTS:
        given = YAML(typ="safe", pure=True).load(parameters) if parameters else {}
        ALL_FAULT_KINDS[kind].parameters.model_validate(given)


def test_the_schema_holds_every_check() -> None:
    checks = validator("scenario").schema["properties"]["checks"]["items"]
    assert {branch["if"]["properties"]["check"]["const"] for branch in checks["allOf"]} == set(CHECK_KINDS)


def test_what_all_kinds_of_faults_take_is_written_once() -> None:
    definitions = validator("scenario").schema["$defs"]
    written = [
        json.dumps({name: schema})
        for definition in definitions.values()
        for name, schema in definition.get("properties", {}).items()
        if "$ref" not in schema
    ]
    assert {text for text in written if written.count(text) >= 3} == set()
    assert complaints(
        "scenario", with_timeline("{at: 5m, for: 1m, fault: http.delay, on: nas-1, with: {delay: 5s, skip: -1}}")
    )
    assert not complaints(
        "scenario", with_timeline("{at: 5m, for: 1m, fault: http.delay, on: nas-1, with: {delay: 5s, skip: 1}}")
    )
