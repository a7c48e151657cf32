"""Every row of the table of differences is read somewhere, and every name somebody reads stands in it."""

import ast
from functools import cache
from pathlib import Path

import mock_truenas
from mock_truenas.api.methods.queries import QueryOptions
from mock_truenas.appliance.dialect import differences

HERE = Path(mock_truenas.__file__).parent


@cache
def words() -> frozenset[str]:
    """Every text and every name of an argument in the package's code."""
    nodes = [node for path in HERE.rglob("*.py") for node in ast.walk(ast.parse(path.read_text("utf-8")))]
    texts = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return frozenset(texts | {node.arg for node in nodes if isinstance(node, ast.keyword) and node.arg is not None})


def asked_for(method: str) -> set[str]:
    """What code asks a dialect for by a literal name."""
    return {
        node.args[0].value
        for path in HERE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == method
        if "dialect" in ast.unparse(node.func.value) or ast.unparse(node.func.value) == "spoken"
        if len(node.args) == 1 and isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str)
    }


def test_every_feature_and_value_is_read_somewhere() -> None:
    table = differences()
    assert [name for name in (*table.features, *table.values) if name not in words()] == []


def test_every_key_that_came_or_went_is_one_of_a_shape_somebody_makes() -> None:
    keys = differences().keys
    assert [shape for shape in keys if shape not in words()] == []
    known = words() | set(QueryOptions.model_fields)
    assert [(shape, key) for shape, rows in keys.items() for key in rows if key not in known] == []


def test_every_feature_and_value_somebody_asks_for_is_in_the_table() -> None:
    table = differences()
    assert len(asked_for("has")) > 10
    assert asked_for("has") - set(table.features) == set()
    assert asked_for("value") - set(table.values) == set()
