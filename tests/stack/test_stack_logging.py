"""No secret gets into a log: every call of the stack has a fixed text and named fields, read here from the source."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

STACK = Path(__file__).resolve().parents[2] / "pulse_sim" / "stack"
LEVELS = {"debug", "info", "warning", "error", "critical", "exception", "log"}
FIELDS = {
    "alert", "cause", "count", "done", "enabled", "error_type", "exception", "failures", "file", "instance", "left",
    "op", "org", "path", "reason", "resolution", "resources", "route", "severity", "task", "variant", "version",
}  # fmt: skip
"""What a line may tell. None of them is ever a secret: ids, counts, names of our own and words of our own."""
SECRETS = {
    "api_key",
    "password",
    "api_token",
    "read_token",
    "secrets",
    "to_record",
    "headers",
    "body",
    "url",
    "webhook",
}


def calls() -> Iterator[tuple[str, ast.Call, ast.AST]]:
    """Every logging call of the stack, where it is, and the function it is in."""
    for path in sorted(STACK.rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                for node in ast.walk(function):
                    if is_log_call(node):
                        assert isinstance(node, ast.Call)
                        yield f"{path.relative_to(STACK)}:{node.lineno}", node, function


def is_log_call(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in LEVELS
        and isinstance(node.func.value, ast.Name)
        and "log" in node.func.value.id.lower()
    )


def problem(call: ast.Call, function: ast.AST) -> str | None:
    """Why a call could log what it should not, or None."""
    if call.keywords or not 1 <= len(call.args) <= 2:
        return "a text and one mapping of fields, and no exception with its traceback"
    text = call.args[0]
    if not isinstance(text, ast.Constant) or not isinstance(text.value, str):
        return "the text is not fixed"
    named = set(re.findall(r"%\((\w+)\)[sd]", text.value))
    if re.sub(r"%\(\w+\)[sd]", "", text.value).count("%") or not named <= FIELDS:
        return f"fields that are not listed: {sorted(named - FIELDS)}"
    if bool(named) != (len(call.args) == 2):
        return "fields without values, or values without fields"
    # The mapping is written in the call, or shortly before it as a dict of the same function.
    told = [call, *(node for node in ast.walk(function) if named and isinstance(node, ast.Dict))]
    near = {node.attr for each in told for node in ast.walk(each) if isinstance(node, ast.Attribute)} & SECRETS
    return f"a secret is near: {sorted(near)}" if near else None


def test_every_log_line_of_the_stack_has_a_fixed_text_and_listed_fields() -> None:
    found = list(calls())
    assert len(found) > 20
    assert {where: why for where, call, function in found if (why := problem(call, function)) is not None} == {}


def test_nothing_in_the_stack_prints_or_logs_by_another_way() -> None:
    for path in sorted(STACK.rglob("*.py")):
        text = path.read_text("utf-8")
        assert not re.search(
            r"\bprint\(|traceback\.|sys\.std|logging\.(debug|info|warning|error|critical|log)\(", text
        ), path


@pytest.mark.parametrize(
    "line",
    [
        "_log.info(f'{connection}')",
        "_log.info('key %s', connection.api_key)",
        "_log.info('%(key)s', {'key': connection.api_key})",
        "_log.info('%(reason)s', {'reason': connection.api_key})",
        "_log.exception('%(reason)s', {'reason': reason}, exc_info=True)",
        "fields = {'reason': connection.password}; _log.info('%(reason)s', fields)",
    ],
)
def test_a_line_that_could_tell_a_secret_is_noticed(line: str) -> None:
    function = ast.parse(f"def f():\n    {line}").body[0]
    (call,) = [node for node in ast.walk(function) if is_log_call(node)]
    assert isinstance(call, ast.Call)
    assert problem(call, function) is not None
