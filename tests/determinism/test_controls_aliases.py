"""Controls of clocks bound at import (determinism D.1), one for each place they hide in, shown red with it off."""

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

from pulse_sim.kernel import alias_search, rebinding
from tests.determinism.control import probe, run, shown, without_substitution
from tests.kernel.testbed import Bench

PACKAGE = "probed_package"
PROLOGUE = "import dataclasses, functools\nfrom time import monotonic\n"
PLACES = {
    # name: (which step of the search finds it, source, an expression that asks the clock)
    "class": ("_enter_class", "class C:\n    clock = monotonic", "C.clock()"),
    "default argument": ("_enter_function", "def ask(clock=monotonic):\n    return clock()", "ask()"),
    "keyword default": ("_enter_function", "def ask(*, clock=monotonic):\n    return clock()", "ask()"),
    "closure": (
        "_enter_function",
        "def make(clock):\n    return lambda: clock()\nask = make(monotonic)",
        "ask()",
    ),
    "partial": ("_enter_wrapper", "ask = functools.partial(monotonic)", "ask()"),
    "static method": ("_enter_wrapper", "class C:\n    clock = staticmethod(monotonic)", "C.clock()"),
    "list": ("_enter_container", "CLOCKS = [monotonic]", "CLOCKS[0]()"),
    "dict": ("_enter_container", "CLOCKS = {'now': monotonic}", "CLOCKS['now']()"),
    "tuple": ("_enter_container", "CLOCKS = (monotonic,)", "CLOCKS[0]()"),
    "dataclass factory": (
        "_enter_fields",
        "@dataclasses.dataclass\nclass C:\n    at: float = dataclasses.field(default_factory=monotonic)",
        "dataclasses.fields(C)[0].default_factory()",
    ),
}


def _asks_virtual_time(source: str, expression: str) -> bool:
    module = probe(PROLOGUE + source)

    async def main(bench: Bench) -> bool:
        return bool(eval(expression, vars(module)) == bench.sim.loop.time())  # noqa: S307 - the test's own text

    return bool(run(main, rebind=(PACKAGE,)))


@pytest.mark.parametrize("place", PLACES)
def test_a_clock_bound_at_import_is_found_where_it_hides(place: str) -> None:
    step, source, expression = PLACES[place]

    def off(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(alias_search._Walk, step, lambda *_: None)

    shown(lambda: _asks_virtual_time(source, expression), off)


def test_a_clock_that_a_function_imports_for_itself_is_virtual() -> None:
    source = (
        "def ask():\n    import time\n    from time import perf_counter as now\n    return min(time.monotonic(), now())"
    )
    shown(lambda: _asks_virtual_time(source, "ask()"), without_substitution("__import__"))


def test_a_module_imported_during_a_run_is_rebound_as_it_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "imported_late.py").write_text("from time import monotonic\n")
    monkeypatch.syspath_prepend(tmp_path)

    async def main(bench: Bench) -> bool:
        late: Any = importlib.import_module("imported_late")
        return bool(late.monotonic() == bench.sim.loop.time())

    def claim() -> bool:
        sys.modules.pop("imported_late", None)
        return bool(run(main, rebind=("imported_late",)))

    shown(claim, lambda patch: patch.setattr(rebinding.Rebinding, "find_spec", lambda *_: None))


def test_whatever_was_rebound_is_as_before_after_the_run() -> None:
    modules: list[Any] = []

    def claim() -> bool:
        modules[:] = [module := probe(PROLOGUE + "CLOCKS = [monotonic]")]
        before = list(vars(module).items()), list(module.CLOCKS)
        run(_nothing, rebind=(PACKAGE,))
        return (list(vars(module).items()), list(module.CLOCKS)) == before

    def forgetful(self: Any) -> None:
        """All is put back but what the module had."""
        sys.meta_path.remove(self)
        for place, before in reversed(self._substitutions._undo):
            if place.holder is not modules[0] and place.holder is not modules[0].CLOCKS:
                place.write(before)
        self._substitutions._undo.clear()

    shown(claim, lambda patch: patch.setattr(rebinding.Rebinding, "restore", forgetful))


async def _nothing(_bench: Bench) -> None:
    return None
