"""Each broken stack is NO_GO, fails exactly its named checks, and differs from the good one by one short function."""

import inspect
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests import broken
from tests.cli.command import TRR_04, pulse_sim

pytestmark = pytest.mark.system

EXPECTED: Mapping[str, Mapping[str, Any]] = YAML(typ="safe").load(Path(__file__).with_name("expected.yaml"))
LINES_AT_MOST = 20


def is_named(result: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    """Whether a row of expected.yaml means this result, outcome apart."""
    wanted = {key: value for key, value in row.items() if key not in ("check", "outcome")}
    return bool(result["check"] == row["check"] and wanted.items() <= result["parameters"].items())


@pytest.mark.parametrize("name", EXPECTED)
def test_a_broken_stack_is_no_go_and_fails_exactly_its_named_checks(name: str, tmp_path: Path) -> None:
    done = pulse_sim("verdict", TRR_04, "--sut", f"tests.broken:{name}", "--json", "--out", tmp_path)
    (row,) = done.rows
    assert (done.status, row["verdict"]) == (1, "NO_GO")
    bundle = Path(row["bundle"])
    reasons = json.loads((bundle / "verdict.json").read_bytes())["reasons"]
    assert any(EXPECTED[name]["gate"] in reason for reason in reasons)
    for run in sorted((bundle / "runs").iterdir()):
        told = json.loads((run / "checks.json").read_bytes())
        rows = EXPECTED[name].get(told["scenario"].partition("[")[0], [])
        unmatched = [row for row in rows if not any(is_named(result, row) for result in told["checks"])]
        assert not unmatched, (told["scenario"], unmatched)
        for result in told["checks"]:
            outcomes = {row.get("outcome", "failed") for row in rows if is_named(result, row)}
            assert result["outcome"] == (outcomes.pop() if outcomes else "passed"), (told["scenario"], result)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_broken_stack_overrides_one_function_of_at_most_twenty_lines(name: str) -> None:
    (part,) = [value for key, value in vars(broken).items() if inspect.isclass(value) and _factory_name(key) == name]
    functions = [value for value in vars(part).values() if inspect.isfunction(value)]
    assert len(functions) == 1
    assert len(inspect.getsource(inspect.unwrap(functions[0])).splitlines()) <= LINES_AT_MOST
    inherited = [base for base in part.__mro__[1:] if functions[0].__name__ in vars(base)]
    assert inherited, "it overrides nothing"


def _factory_name(class_name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in class_name).lstrip("_")
