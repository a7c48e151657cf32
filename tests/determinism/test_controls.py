"""The table of controls is whole: every leak has a control in a file that exists and a test that exists."""

import ast
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
from ruamel.yaml import YAML

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parents[1]
ROWS: Final = {"D.1": 21, "D.2": 39, "D.3": 2, "D.4": 9}
"""Rows of each part. A row that goes takes its leak with it, so the number is written down twice."""


@cache
def table() -> dict[str, list[dict[str, Any]]]:
    read: dict[str, list[dict[str, Any]]] = YAML(typ="safe").load((HERE / "controls.yaml").read_text("utf-8"))
    return read


def rows() -> list[dict[str, Any]]:
    return [row for part in table().values() for row in part]


def defined_in(file: Path) -> set[str]:
    """Names of the tests a file defines."""
    tree = ast.parse(file.read_text("utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def test_every_part_has_all_its_rows_and_no_leak_is_there_twice() -> None:
    assert {part.partition(" ")[0]: len(found) for part, found in table().items()} == ROWS
    leaks = [row["leak"] for row in rows()]
    assert len(leaks) == len(set(leaks))


@pytest.mark.parametrize("row", rows(), ids=lambda row: row["leak"])
def test_a_row_names_its_control_where_it_is_and_tests_that_exist(row: dict[str, Any]) -> None:
    assert row.keys() == {"leak", "control", "where", "test"}
    assert row["control"]
    assert (ROOT / row["where"]).is_file()
    assert row["test"]
    for named in row["test"]:
        file, _, test = named.partition("::")
        assert test in defined_in((HERE / file).resolve()), named


def test_every_test_of_a_control_belongs_to_a_row() -> None:
    named = {test for row in rows() for test in row["test"]}
    defined = {f"{file.name}::{test}" for file in HERE.glob("test_controls_*.py") for test in defined_in(file)}
    assert defined - named == set()


def test_a_row_whose_test_does_not_exist_is_noticed() -> None:
    with pytest.raises(AssertionError, match="no_such_test"):
        test_a_row_names_its_control_where_it_is_and_tests_that_exist(
            {"leak": "x", "control": "y", "where": "README.md", "test": ["test_controls.py::no_such_test"]}
        )
