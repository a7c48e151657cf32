"""Where named packages hold a clock or a generator that they bound when they were imported.

`from time import monotonic` copies the function into the importing module, where no patch of `time` reaches it. It may
also lie in a class, a default argument, a closure, a `functools.partial`, a dataclass field or a module's own list or
dict. This module finds every such place and says how to read and write it. It replaces nothing, and does not look
into objects made later, into C, nor at what is fetched by name while a function runs.
"""

import dataclasses
import functools
import random
import sys
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pulse_sim.kernel.substitution import Place, PlaceKind

GENERATOR: Final = "a generator of its own"
"""What an alias is called that holds a `random.Random` of the package itself."""


@dataclass(frozen=True, slots=True)
class Alias:
    """One place in a module. ``real``: what it holds, as ``time.monotonic`` or ``time``, or :data:`GENERATOR`.

    ``steps`` lead from the value of the place to the alias, through tuples and wrappers that cannot be written to.
    """

    module: str
    path: str
    real: str
    place: Place
    steps: tuple[Any, ...] = ()

    def with_value(self, new: Any) -> Any:
        """The value the place must have for ``new`` to stand where the alias stands."""
        return _rebuilt(self.place.read(), self.steps, new)

    def value(self) -> Any:
        """What stands there now."""
        found = self.place.read()
        for step in self.steps:
            found = found.__wrapped__ if step is _WRAPPED else found[step]
        return found


_WRAPPED: Final[Any] = "__wrapped__"


def _rebuilt(whole: Any, steps: tuple[Any, ...], new: Any) -> Any:
    if not steps:
        return new
    step, rest = steps[0], steps[1:]
    if step is _WRAPPED:
        return type(whole)(_rebuilt(whole.__wrapped__, rest, new))
    if isinstance(whole, dict):
        return {**whole, step: _rebuilt(whole[step], rest, new)}
    inner = _rebuilt(whole[step], rest, new)
    return tuple(inner if index == step else value for index, value in enumerate(whole))


class Search:
    """Finds aliases of ``reals``, which maps the names told to the objects looked for.

    What was found is kept for each module until an attribute of it is another object than it was.
    """

    def __init__(self, reals: Mapping[str, Any]) -> None:
        self._reals = {id(real): name for name, real in reals.items()}
        self._held = tuple(reals.values())  # an identity means something only while its object lives
        self._found: dict[str, tuple[list[Any], list[Alias]]] = {}

    def aliases(self, packages: Sequence[str]) -> Iterator[Alias]:
        """Every alias in the loaded modules of the packages, by module name."""
        for name in sorted(name for name in sys.modules if belongs(name, packages)):
            module = sys.modules[name]
            if isinstance(module, types.ModuleType):
                yield from self.in_module(module)

    def in_module(self, module: types.ModuleType) -> list[Alias]:
        """Every alias in one module."""
        values = [module, *vars(module).values()]
        known = self._found.get(module.__name__)
        if known is None or len(known[0]) != len(values) or not all(map(_same, known[0], values)):
            known = self._found[module.__name__] = values, _Walk(module, self._reals).found
        return known[1]


def _same(one: Any, other: Any) -> bool:
    return one is other


class _Walk:
    """One pass over one module. It enters only what the module itself defines: functions of others are theirs."""

    def __init__(self, module: types.ModuleType, reals: Mapping[int, str]) -> None:
        self._module = module.__name__
        self._globals = vars(module)
        self._reals = reals
        self._seen: set[int] = set()
        self.found: list[Alias] = []
        for name, value in list(self._globals.items()):
            if not (name.startswith("__") and name.endswith("__")):
                self._look(value, name, Place(PlaceKind.ATTRIBUTE, module, name), deep=True)

    def _look(self, value: Any, path: str, place: Place, steps: tuple[Any, ...] = (), *, deep: bool = False) -> None:
        """``deep``: whether a container may be entered; they are, one level."""
        real = self._reals.get(id(value))
        if real is None and _is_generator(value):
            real = GENERATOR
        if real is not None:
            self.found.append(Alias(self._module, path, real, place, steps))
        elif isinstance(value, types.FunctionType):
            self._enter_function(value, path)
        elif isinstance(value, type):
            self._enter_class(value, path)
        elif isinstance(value, _WRAPPERS):
            self._enter_wrapper(value, path, place, steps)
        elif deep:
            self._enter_container(value, path, place, steps)

    def _first_time(self, value: Any) -> bool:
        if id(value) in self._seen:
            return False
        self._seen.add(id(value))
        return True

    def _enter_function(self, function: types.FunctionType, path: str) -> None:
        if function.__module__ != self._module or not self._first_time(function):
            return
        for index, value in enumerate(function.__defaults__ or ()):
            place = Place(PlaceKind.ATTRIBUTE, function, "__defaults__")
            self._look(value, f"{path}.__defaults__[{index}]", place, (index,))
        for name, value in (function.__kwdefaults__ or {}).items():
            place = Place(PlaceKind.ITEM, function.__kwdefaults__, name)
            self._look(value, f"{path}.__kwdefaults__[{name}]", place)
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            if _is_filled(cell):
                self._look(cell.cell_contents, f"{path}.__closure__[{name}]", Place(PlaceKind.CELL, cell), deep=True)
        if function.__globals__ is not self._globals and "__name__" not in function.__globals__:
            self._enter_container(function.__globals__, f"{path}.__globals__", None)

    def _enter_class(self, class_: type, path: str) -> None:
        if class_.__module__ != self._module or not self._first_time(class_):
            return
        for name, value in list(vars(class_).items()):
            if name == "__dataclass_fields__":
                self._enter_fields(value, path)
            elif name not in _DULL:
                self._look(value, f"{path}.{name}", Place(PlaceKind.ATTRIBUTE, class_, name), deep=True)

    def _enter_fields(self, fields: Mapping[str, Any], path: str) -> None:
        for name, field in fields.items():
            if isinstance(field, dataclasses.Field):
                for part in ("default", "default_factory"):
                    place = Place(PlaceKind.ATTRIBUTE, field, part)
                    self._look(getattr(field, part), f"{path}.__dataclass_fields__[{name}].{part}", place)

    def _enter_wrapper(self, value: Any, path: str, place: Place, steps: tuple[Any, ...]) -> None:
        if isinstance(value, functools.partial):
            self._enter_partial(value, path)
        elif isinstance(value, functools.partialmethod):
            self._look(value.func, f"{path}.func", Place(PlaceKind.ATTRIBUTE, value, "func"))
        elif isinstance(value, property):
            for name in ("fget", "fset", "fdel"):
                if isinstance(accessor := getattr(value, name), types.FunctionType):
                    self._enter_function(accessor, f"{path}.{name}")
        else:
            inside = (*steps, _WRAPPED) if isinstance(value, staticmethod | classmethod) else steps
            self._look(value.__wrapped__, path, place, inside)

    def _enter_partial(self, partial: Any, path: str) -> None:
        if not self._first_time(partial):
            return
        place = Place(PlaceKind.PARTIAL, partial)
        self._look(partial.func, f"{path}.func", place, (0,))
        for index, value in enumerate(partial.args):
            self._look(value, f"{path}.args[{index}]", place, (1, index))
        for name, value in partial.keywords.items():
            self._look(value, f"{path}.keywords[{name}]", place, (2, name))

    def _enter_container(self, value: Any, path: str, place: Place | None, steps: tuple[Any, ...] = ()) -> None:
        if isinstance(value, dict):
            if self._first_time(value):
                for key, inner in list(value.items()):
                    self._look(inner, f"{path}[{key!r}]", Place(PlaceKind.ITEM, value, key))
        elif isinstance(value, list):
            if self._first_time(value):
                for index, inner in enumerate(value):
                    self._look(inner, f"{path}[{index}]", Place(PlaceKind.ITEM, value, index))
        elif type(value) is tuple and place is not None:
            for index, inner in enumerate(value):
                self._look(inner, f"{path}[{index}]", place, (*steps, index))
        elif type(value).__module__ == self._module and hasattr(value, "__dict__") and self._first_time(value):
            for name, inner in list(vars(value).items()):
                self._look(inner, f"{path}.{name}", Place(PlaceKind.ATTRIBUTE, value, name))


_CACHED: Final[Any] = type(functools.lru_cache(int))
_WRAPPERS: Final = (functools.partial, functools.partialmethod, property, staticmethod, classmethod, _CACHED)
_DULL: Final = frozenset({"__module__", "__qualname__", "__doc__", "__dict__", "__weakref__", "__annotations__"})


def _is_generator(value: Any) -> bool:
    return isinstance(value, random.Random) or isinstance(getattr(value, "__self__", None), random.Random)


def _is_filled(cell: types.CellType) -> bool:
    try:
        _ = cell.cell_contents
    except ValueError:
        return False
    return True


def belongs(name: str, packages: Sequence[str]) -> bool:
    """Whether a module is one of the packages or inside one."""
    return any(name == package or name.startswith(f"{package}.") for package in packages)
