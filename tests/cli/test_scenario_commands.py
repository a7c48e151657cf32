"""``pulse-sim scenario``: the catalogue listed, files validated, schemas printed."""

import json
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import pytest
from click.testing import CliRunner, Result
from ruamel.yaml import YAML

from pulse_sim.cli.main import cli
from tests.cli.command import RESILIENCE, ROOT, TRR_04
from tests.run.rehearsal import SMALL, scenario

CATALOGUE = ROOT / "scenarios"


def invoke(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, ["scenario", *map(str, arguments)])


def write(directory: Path, name: str, **parts: object) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / f"{name}.yaml"
    file.write_text(scenario(id=name, **parts), "utf-8")
    return file


def test_list_tells_every_scenario_on_a_line_of_its_own() -> None:
    done = invoke("list", CATALOGUE)
    assert done.exit_code == 0
    head, *lines = done.stdout.splitlines()
    assert head.split() == ["id", "length", "runs", "file", "title"]
    files = sorted(file for file in CATALOGUE.rglob("*.yaml") if file.parent.name != "plans")
    assert [line.split()[3] for line in lines] == [str(file) for file in files]
    told = {line.split()[0]: line.split()[1:3] for line in lines}
    assert told["api-timeout"] == ["32m", "2"]
    assert told["endurance-48h"] == ["48h", "1"]


def test_list_looks_where_it_is_told_even_below_a_directory_called_plans(tmp_path: Path) -> None:
    write(tmp_path / "plans" / "mine" / "soak", "one", title="Hostile [red]\x1b[31m title[/]")
    write(tmp_path / "plans" / "mine" / "plans", "not-a-scenario")
    done = invoke("list", tmp_path / "plans" / "mine")
    assert (done.exit_code, len(done.stdout.splitlines())) == (0, 2)
    assert "Hostile [red]" in done.stdout
    assert "[/]" in done.stdout
    assert "\x1b" not in done.stdout


def test_list_takes_no_markup_from_a_name(tmp_path: Path) -> None:
    write(tmp_path / "[bold]x[/nonsense]", "one")
    done = invoke("list", tmp_path)
    assert done.exit_code == 0
    assert "[bold]x[/nonsense]" in done.stdout


def test_an_empty_directory_lists_nothing_and_no_directory_is_wrong_usage(tmp_path: Path) -> None:
    assert (invoke("list", tmp_path).exit_code, invoke("list", tmp_path / "nowhere").exit_code) == (0, 2)


def test_a_file_with_problems_keeps_the_list_from_being_told_by_halves(tmp_path: Path) -> None:
    write(tmp_path, "good")
    bad = tmp_path / "bad.yaml"
    bad.write_text(SMALL.replace("title:", "titel:"), "utf-8")
    done = invoke("list", tmp_path)
    assert (done.exit_code, done.stdout) == (2, "")
    assert f"{bad}:3:1: titel: unknown key 'titel' (did you mean title?)" in done.stderr


def test_validate_counts_files_and_runs() -> None:
    done = invoke("validate", *(RESILIENCE / f"{name}.yaml" for name in ("api-timeout", "many-appliances")))
    assert (done.exit_code, done.stdout) == (0, "2 files valid, 3 runs\n")


def test_validate_tells_the_problems_of_all_files_at_once(tmp_path: Path) -> None:
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    first.write_text(SMALL.replace("duration: 14m", "duration: fourteen"), "utf-8")
    second.write_text(SMALL.replace("auth.revoke_key", "auth.revoke_keys").replace("safety", "safe"), "utf-8")
    done = invoke("validate", first, tmp_path / "missing.yaml", second)
    assert (done.exit_code, done.stdout) == (2, "")
    for wanted in (f"{first}:6:", f"{tmp_path / 'missing.yaml'}", f"{second}:12:", "did you mean auth.revoke_key?"):
        assert wanted in done.stderr
    assert "Traceback" not in done.stderr


def test_validate_wants_a_file() -> None:
    assert invoke("validate").exit_code == 2


def test_a_plan_is_no_scenario() -> None:
    assert invoke("validate", TRR_04).exit_code == 2


PLAN = json.loads(json.dumps(YAML(typ="safe").load(TRR_04), default=str))  # dates become text


@pytest.mark.parametrize(
    ("arguments", "document"), [([], json.loads(scenario())), (["scenario"], json.loads(scenario())), (["plan"], PLAN)]
)
def test_schema_prints_the_json_schema_of_the_format(arguments: list[str], document: dict[str, object]) -> None:
    done = invoke("schema", *arguments)
    assert done.exit_code == 0
    validator = jsonschema.Draft202012Validator(json.loads(done.stdout))
    assert [error.message for error in validator.iter_errors(document)] == []
    assert [error.message for error in validator.iter_errors({**document, "titel": "x"})]


def test_of_another_document_there_is_no_schema() -> None:
    assert invoke("schema", "verdict").exit_code == 2
