"""Import-bound clocks and generators, replaced for a run in the packages named, and nowhere else.

Every alias that `alias_search` finds in the named packages gets its look-alike: at the start of a run in what is
loaded, later in what is imported while it lasts, and what a function imports for itself is a look-alike too. State
that aiohttp and asyncio hold elsewhere is set here as well. Everything is put back afterwards, however the run ends.
"""

import asyncio
import builtins
import functools
import importlib.abc
import importlib.machinery
import itertools
import random
import socket
import sys
import types
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from pulse_sim.kernel.alias_search import GENERATOR, Alias, Search, belongs
from pulse_sim.kernel.lookalikes import CHANGED, Source, changes, look_alike
from pulse_sim.kernel.sockets import UnconnectedSocket
from pulse_sim.kernel.substitution import Substitutions

SHARE_UNROUNDED: Final = 0.25
"""Share of seeds for which aiohttp rounds no timeout up to whole seconds: rounding hides races (determinism D.3)."""
PAST_THE_LOOP: Final = ("aiofastnet",)
"""Libraries that aiohttp uses when it finds them and that open connections without asking the event loop."""


@functools.cache
def _search() -> Search:
    """One for the process: what it found in a module holds until the module changes."""
    reals: dict[str, Any] = {}
    for module, names in CHANGED.items():
        reals[module.__name__] = module
        # Constants such as time.timezone are reached through the module alone: small integers are shared by everybody.
        real = {name: vars(module).get(name) for name in names}
        reals.update({f"{module.__name__}.{name}": value for name, value in real.items() if callable(value)})
    return Search(reals)


def aliases(packages: Sequence[str]) -> Iterator[Alias]:
    """Every alias of a clock or generator in the loaded modules of the packages."""
    return _search().aliases(packages)


def foresee(packages: Sequence[str]) -> int:
    """Search now, for every later run of this process and of its forks; how many aliases there are."""
    return len(list(aliases(packages)))


class Rebinding(importlib.abc.MetaPathFinder):
    """Replaces aliases in loaded modules, and in those loaded while it lasts; ``restore`` puts every one back."""

    def __init__(self, packages: Sequence[str], source: Source) -> None:
        self._packages = tuple(packages)
        self._source = source
        self._substitutions = Substitutions()
        self._new: dict[str, Any] = {}
        for module, names in changes(source).items():
            self._new[module.__name__] = look_alike(module, names)
            self._new.update({f"{module.__name__}.{name}": new for name, new in names.items()})

    def install(self) -> None:
        """Search the packages and rebind."""
        for alias in aliases(self._packages):
            self._rebind(alias)
        self._number(asyncio.tasks._GatheringFuture)  # type: ignore[attr-defined]
        if "aiohttp" in self._packages and "aiohttp" in sys.modules:
            self._rebind_aiohttp()
        self._substitutions.set(builtins, "__import__", self._importing(builtins.__import__))
        eyeballs = sys.modules.get("aiohappyeyeballs.impl")
        if eyeballs is not None and "aiohappyeyeballs" in self._packages:
            self._substitutions.set(eyeballs, "socket", look_alike(socket, {"socket": UnconnectedSocket}))
        sys.meta_path.insert(0, self)

    def restore(self) -> None:
        """Undo everything; harmless when nothing was installed."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        self._substitutions.restore()

    # ---- modules that come later

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        """Let the other finders find a module of the packages, and rebind it as soon as it has been executed."""
        if not belongs(fullname, self._packages):
            return None
        for finder in sys.meta_path:
            spec = None if finder is self else finder.find_spec(fullname, path, target)
            if spec is not None:
                self._rebind_when_loaded(spec)
                return spec
        return None

    def _rebind_when_loaded(self, spec: importlib.machinery.ModuleSpec) -> None:
        loader: Any = spec.loader
        execute = getattr(loader, "exec_module", None)
        if execute is None:
            return

        def exec_module(module: types.ModuleType) -> None:
            del loader.exec_module
            execute(module)
            for alias in _search().in_module(module):
                self._rebind(alias)

        loader.exec_module = exec_module

    def _importing(self, real: Callable[..., Any]) -> Callable[..., Any]:
        """`import` inside a function of the packages finds look-alikes. A module's own imports are rebound above."""

        def importing(name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0) -> Any:
            module = real(name, globals, locals, fromlist, level)
            # The interpreter passes no locals from a function, and always some from a module or a class.
            if locals is None and globals and not level and isinstance(module, types.ModuleType):
                new = self._new.get(module.__name__)
                if new is not None and belongs(globals.get("__name__") or "", self._packages):
                    return new
            return module

        return importing

    # ---- one alias

    def _rebind(self, alias: Alias) -> None:
        new = self._generator(alias) if alias.real == GENERATOR else self._new[alias.real]
        self._substitutions.put(alias.place, alias.with_value(new))

    def _generator(self, alias: Alias) -> Any:
        """A stream of the run for a generator that a package made for itself, or for a method of one."""
        stream = self._source.stream(f"kernel/generator/{alias.module}.{alias.path}")
        before = alias.value()
        return stream if isinstance(before, random.Random) else getattr(stream, before.__name__)

    # ---- state outside aliases

    def _rebind_aiohttp(self) -> None:
        from aiohttp import client_proto, connector, helpers, resolver

        substitute = self._substitutions.set
        substitute(helpers, "_cached_current_datetime", None)
        substitute(helpers, "_cached_formatted_datetime", "")
        if self._source.stream("kernel/timeout-rounding").random() < SHARE_UNROUNDED:
            substitute(helpers, "ceil", lambda when: when)
        # With aiodns installed the default asks the network through a C library of its own.
        substitute(connector, "DefaultResolver", resolver.ThreadedResolver)
        # The connector keeps its protocols in a set and closes them in the order that set yields.
        self._number(client_proto.ResponseHandler)
        # Its place in that set is kept, while it connects, by an object without room for a number.
        substitute(connector._TransportPlaceholder, "__hash__", lambda _: 0)

    def _number(self, class_: type) -> None:
        """Have objects of a class hash by the order in which they were first hashed, not by their addresses."""
        numbers = itertools.count(1)

        def numbered(instance: Any) -> int:
            number: int = instance._pulse_sim_number
            if not number:
                instance._pulse_sim_number = number = next(numbers)
            return number

        self._substitutions.set(class_, "_pulse_sim_number", 0)
        self._substitutions.set(class_, "__hash__", numbered)
