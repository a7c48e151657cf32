"""The source itself under test: sizes, clocks, and promises not kept."""

import ast
import re
from collections.abc import Callable, Iterator

from tests.architecture.house import ROOT, Module, modules

LINES_WANTED = 400
LINES_AT_MOST = 600
FUNCTION_LINES_AT_MOST = 70

UNKEPT = re.compile(r"assert True\b|pytest\.skip\(|mark\.xfail|#\s*TODO|#\s*FIXME|NotImplementedError")
# The one place of each island where the operating system's wall clock becomes a Clock.
CLOCK_ROOTS = {"mock_truenas.system", "pulse_sim.stack.standalone", "pulse_sim.cli.wall"}
CLOCK_CALLS = {"time.time", "time.time_ns", "datetime.now", "datetime.utcnow", "uuid.uuid4"}


def test_no_module_is_too_long_to_describe_in_one_sentence(record_property: Callable[[str, object], None]) -> None:
    long = {module.name: module.lines for module in modules().values() if module.lines > LINES_WANTED}
    record_property("modules_over_400_lines", str(long))
    assert not {name: lines for name, lines in long.items() if lines > LINES_AT_MOST}


def test_no_function_is_longer_than_a_screen() -> None:
    long = {
        f"{module.name}.{function.name}": lines
        for module in modules().values()
        for function in functions(module)
        if (lines := (function.end_lineno or 0) - function.lineno + 1) > FUNCTION_LINES_AT_MOST
    }
    assert not long


def test_every_module_says_what_it_is_for() -> None:
    assert not [module.name for module in modules().values() if not ast.get_docstring(module.tree)]


def test_the_wall_clock_is_read_only_where_it_becomes_a_clock() -> None:
    for module in modules().values():
        if module.name in CLOCK_ROOTS:
            continue
        calls = {ast.unparse(node.func) for node in ast.walk(module.tree) if isinstance(node, ast.Call)}
        assert not calls & CLOCK_CALLS, module.name


def test_no_promise_is_left_unkept() -> None:
    this_file = ROOT / "tests" / "architecture" / "test_tidy.py"
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for package in ("mock_truenas", "pulse_sim", "tests", "benchmarks")
        for path in sorted((ROOT / package).rglob("*.py"))
        if path != this_file
        for match in UNKEPT.finditer(path.read_text("utf-8"))
    ]
    assert not found


def functions(module: Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function of a module, methods and inner ones included."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
