"""Wherever a package hides a clock that it bound at import, the search finds it and a run replaces it."""

import functools
import random
import sys
import time
import types
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_sim.kernel.alias_search import GENERATOR, Search
from pulse_sim.kernel.substitution import Place, PlaceKind, Substitutions
from tests.kernel.testbed import START_NS, Bench

PACKAGE = "hiding_package"
PROLOGUE = """
import functools
from dataclasses import dataclass, field
from random import Random
from time import monotonic, time as wall
"""
HIDEOUTS: dict[str, tuple[str, str, str]] = {
    # where: (source, path of the alias, an expression that asks it)
    "an attribute": ("", "monotonic", "monotonic()"),
    "a class": ("class C:\n    clock = monotonic", "C.clock", "C.clock()"),
    "a nested class": ("class C:\n    class D:\n        clock = monotonic", "C.D.clock", "C.D.clock()"),
    "a static method": ("class C:\n    clock = staticmethod(monotonic)", "C.clock", "C.clock()"),
    "a default": ("def ask(clock=monotonic):\n    return clock()", "ask.__defaults__[0]", "ask()"),
    "a keyword default": (
        "def ask(*, clock=monotonic):\n    return clock()",
        "ask.__kwdefaults__[clock]",
        "ask()",
    ),
    "a default of a method": (
        "class C:\n    def ask(self, clock=monotonic):\n        return clock()",
        "C.ask.__defaults__[0]",
        "C().ask()",
    ),
    "a default of a property's getter": (
        "class C:\n    @property\n    def ask(self, clock=monotonic):\n        return clock()",
        "C.ask.fget.__defaults__[0]",
        "C().ask",
    ),
    "a closure": (
        "def make(clock):\n    def ask():\n        return clock()\n    return ask\nask = make(monotonic)",
        "ask.__closure__[clock]",
        "ask()",
    ),
    "a decorator's closure": (
        "def stamped(clock):\n    def wrap(f):\n        @functools.wraps(f)\n        def inner():\n"
        "            return clock()\n        return inner\n    return wrap\n"
        "class C:\n    @staticmethod\n    @stamped(monotonic)\n    def ask(): pass",
        "C.ask.__closure__[clock]",
        "C.ask()",
    ),
    "a partial": ("ask = functools.partial(monotonic)", "ask.func", "ask()"),
    "a partial's argument": ("ask = functools.partial(lambda f: f(), monotonic)", "ask.args[0]", "ask()"),
    "a partial's keyword": ("ask = functools.partial(lambda f: f(), f=monotonic)", "ask.keywords[f]", "ask()"),
    "a partial in a default": (
        "def ask(clock=functools.partial(monotonic)):\n    return clock()",
        "ask.__defaults__[0].func",
        "ask()",
    ),
    "a dict": ("CLOCKS = {'now': monotonic}", "CLOCKS['now']", "CLOCKS['now']()"),
    "a list": ("CLOCKS = [monotonic]", "CLOCKS[0]", "CLOCKS[0]()"),
    "a tuple": ("CLOCKS = (1, monotonic)", "CLOCKS[1]", "CLOCKS[1]()"),
    "a dict of a class": ("class C:\n    CLOCKS = {'now': monotonic}", "C.CLOCKS['now']", "C.CLOCKS['now']()"),
    "a dataclass factory": (
        "@dataclass\nclass C:\n    at: float = field(default_factory=monotonic)",
        "C.__dataclass_fields__[at].default_factory",
        "C().at",
    ),
    "an object of the module": (
        "class C:\n    def __init__(self):\n        self.clock = monotonic\nONE = C()",
        "ONE.clock",
        "ONE.clock()",
    ),
    "a cached function": ("ask = functools.lru_cache(monotonic)", "ask", "ask()"),
    "a function that imports for itself": (
        "def ask():\n    from time import monotonic\n    return monotonic()",
        "",
        "ask()",
    ),
    "a function that imports the module": ("def ask():\n    import time as t\n    return t.monotonic()", "", "ask()"),
}


def _module(source: str, name: str = PACKAGE) -> Any:
    sys.modules[name] = module = types.ModuleType(name)  # before it is executed, as an import does it
    exec(PROLOGUE + source, module.__dict__)  # noqa: S102 - the test's own text
    return module


@pytest.fixture
def hide() -> Iterator[Any]:
    yield _module
    sys.modules.pop(PACKAGE, None)


def _ask(module: Any, expression: str) -> Any:
    return eval(expression, module.__dict__)  # noqa: S307 - the test's own text


@pytest.mark.parametrize("where", HIDEOUTS)
def test_a_clock_is_virtual_during_a_run_and_real_after_it_wherever_it_hides(hide: Any, where: str) -> None:
    source, path, expression = HIDEOUTS[where]
    module = hide(source)
    found = {alias.path: alias.real for alias in Search({"time.monotonic": time.monotonic}).in_module(module)}
    assert set(found.values()) == {"time.monotonic"}
    assert path in {*found, ""}
    bench = Bench(rebind=(PACKAGE,))

    async def main() -> tuple[float, float]:
        return _ask(module, expression), bench.sim.loop.time()

    asked, virtual = bench.sim.run(main())
    assert asked == virtual
    before, after = time.monotonic(), _ask(module, expression)
    assert before <= after <= time.monotonic()


def test_two_clocks_in_one_tuple_are_both_replaced_and_the_very_tuple_comes_back(hide: Any) -> None:
    module = hide("CLOCKS = (monotonic, wall, monotonic)\ndef ask(a=monotonic, b=wall):\n    return a(), b()")
    clocks, defaults = module.CLOCKS, module.ask.__defaults__
    bench = Bench(rebind=(PACKAGE,))

    async def main() -> list[Any]:
        return [[clock() for clock in module.CLOCKS], module.ask()]

    virtual, wall = bench.sim.loop.time(), START_NS / 1e9
    assert bench.sim.run(main()) == [[virtual, wall, virtual], (virtual, wall)]
    assert module.CLOCKS is clocks
    assert module.ask.__defaults__ is defaults


def test_a_generator_of_the_package_s_own_draws_from_the_seed_and_goes_on_as_it_was_afterwards(hide: Any) -> None:
    module = hide("OWN = Random(3)\nroll = Random(4).random")
    first = [alias.real for alias in Search({}).in_module(module)]
    assert first == [GENERATOR, GENERATOR]

    async def main() -> tuple[float, float]:
        return module.OWN.random(), module.roll()

    runs = [Bench(seed, rebind=(PACKAGE,)).sim.run(main()) for seed in (1, 1, 2)]
    assert runs[0] == runs[1] != runs[2]
    assert (module.OWN.random(), module.roll()) == (random.Random(3).random(), random.Random(4).random())


def test_what_a_package_has_from_elsewhere_is_left_alone(hide: Any) -> None:
    """A run may change what the named packages define; a function of the standard library is everybody's."""
    defaults = functools.partial.__new__, types.SimpleNamespace(clock=time.monotonic)
    module = hide("from fractions import Fraction\nfrom json import dumps, JSONEncoder")
    module.foreign = defaults[1]
    assert [alias.path for alias in Search({"time.monotonic": time.monotonic}).in_module(module)] == ["monotonic"]


def test_a_module_is_searched_again_once_it_has_changed(hide: Any) -> None:
    module = hide("late = None")
    search = Search({"time.monotonic": time.monotonic})
    assert [alias.path for alias in search.in_module(module)] == ["monotonic"]
    assert search.in_module(module) is search.in_module(module)
    module.late = time.monotonic
    assert [alias.path for alias in search.in_module(module)] == ["monotonic", "late"]


def test_a_module_of_the_same_name_and_contents_is_another_module(hide: Any) -> None:
    search = Search({"time.monotonic": time.monotonic})
    first, second = hide(""), _module("")
    assert search.in_module(first)[0].place.holder is first
    assert search.in_module(second)[0].place.holder is second


LINES = st.lists(st.sampled_from([source for source, _, _ in HIDEOUTS.values()]), max_size=6)


@given(LINES, st.booleans())
@settings(max_examples=40, deadline=None)
def test_whatever_is_rebound_is_restored_exactly_also_when_the_run_raises(sources: list[str], raises: bool) -> None:
    names = [f"{PACKAGE}.m{number}" for number in range(len(sources))]
    modules = {name: _module(source, name) for name, source in zip(names, sources, strict=True)}
    try:
        before = {name: _picture(module) for name, module in modules.items()}

        async def main() -> bool:
            if raises:
                raise LookupError("the run failed")
            return all(_picture(module) != before[name] for name, module in modules.items())

        try:
            assert Bench(rebind=(PACKAGE,)).sim.run(main())
        except LookupError:
            assert raises
        assert {name: _picture(module) for name, module in modules.items()} == before
    finally:
        for name in modules:
            del sys.modules[name]


def _picture(module: Any) -> list[int]:
    """The identity of everything that could have been exchanged, as deep as this test hides things."""
    seen: list[int] = []

    def look(value: Any, depth: int) -> None:
        seen.append(id(value))
        for part in _parts(value) if depth else ():
            look(part, depth - 1)

    for name, value in vars(module).items():
        if not name.startswith("__"):
            look(value, 5)
    return seen


def _parts(value: Any) -> list[Any]:
    if isinstance(value, types.FunctionType):
        return [value.__defaults__, value.__kwdefaults__, *(cell.cell_contents for cell in value.__closure__ or ())]
    if isinstance(value, functools.partial):
        return [value.func, *value.args, *value.keywords.values()]
    if isinstance(value, dict | types.MappingProxyType):
        return list(value.values())
    if isinstance(value, list | tuple):
        return list(value)
    if isinstance(value, type) and value.__module__.startswith(PACKAGE):
        return [one for name, one in vars(value).items() if name != "__dict__"]
    return [getattr(value, name) for name in ("fget", "default_factory") if hasattr(value, name)]


VALUES = st.integers(0, 5)


@given(st.lists(st.tuples(st.sampled_from(["attribute", "item", "cell", "fresh"]), VALUES), max_size=12))
def test_places_exchanged_any_number_of_times_come_back_in_order(steps: list[tuple[str, int]]) -> None:
    holder, items, cell = types.SimpleNamespace(value=-1), [-1], types.CellType(-1)
    places = {
        "attribute": Place(PlaceKind.ATTRIBUTE, holder, "value"),
        "item": Place(PlaceKind.ITEM, items, 0),
        "cell": Place(PlaceKind.CELL, cell),
        "fresh": Place(PlaceKind.ATTRIBUTE, holder, "new"),
    }
    substitutions = Substitutions()
    for kind, value in steps:
        substitutions.put(places[kind], value)
        assert places[kind].read() == value
    assert len(substitutions) == len(steps)
    substitutions.restore()
    assert (vars(holder), items, cell.cell_contents, len(substitutions)) == ({"value": -1}, [-1], -1, 0)
