"""Import-bound clocks and generators, replaced for a run in the packages named, and nowhere else.

`from time import monotonic` copies the function into the importing module, where no patch of `time` reaches it. Every
module of the named packages is walked: attributes that *are* a real clock or generator are replaced, and so are
module aliases (`time`, `random`, `os`, …). Everything is put back afterwards.
"""

import importlib.abc
import importlib.machinery
import itertools
import sys
import types
from collections.abc import Iterator, Sequence
from typing import Any

from pulse_sim.kernel.lookalikes import Changes, Source, changes, look_alike
from pulse_sim.kernel.substitution import Substitutions


class Rebinding(importlib.abc.MetaPathFinder):
    """Replaces aliases in loaded modules, and in those loaded while it lasts; ``restore`` puts every one back."""

    def __init__(self, packages: Sequence[str], source: Source) -> None:
        self._packages = tuple(packages)
        self._source = source
        self._substitutions = Substitutions()
        self._changed = changes(source)
        self._functions = _by_identity(self._changed)
        self._copies = {module.__name__: look_alike(module, names) for module, names in self._changed.items()}

    def install(self) -> None:
        """Walk the packages and rebind."""
        for module, name in aliases(self._packages, self._changed):
            self._rebind(module, name)
        if "aiohttp" in self._packages and "aiohttp" in sys.modules:
            self._rebind_aiohttp()
        sys.meta_path.insert(0, self)

    def restore(self) -> None:
        """Undo everything; harmless when nothing was installed."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        self._substitutions.restore()

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        """Let the other finders find a module of the packages, and rebind it as soon as it has been executed."""
        if not _belongs(fullname, self._packages):
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
            execute(module)
            for name in _aliases_in(module, self._changed, self._functions):
                self._rebind(module, name)

        loader.exec_module = exec_module

    def _rebind(self, module: types.ModuleType, name: str) -> None:
        value = vars(module)[name]
        new = self._copies[value.__name__] if isinstance(value, types.ModuleType) else self._functions[id(value)]
        self._substitutions.set(module, name, new)

    def _rebind_aiohttp(self) -> None:
        """State that aiohttp holds outside module attributes."""
        from aiohttp import client_proto, connector, helpers
        from aiohttp._websocket.writer import WebSocketWriter

        substitute = self._substitutions.set
        substitute(helpers, "_cached_current_datetime", None)
        substitute(helpers, "_cached_formatted_datetime", "")
        # The mask generator is a default argument made at import.
        defaults = {**(WebSocketWriter.__init__.__kwdefaults__ or {}), "random": self._source.stream("kernel/ws-mask")}
        substitute(WebSocketWriter.__init__, "__kwdefaults__", defaults)
        # The connector keeps its protocols in a set and closes them in the order that set yields.
        numbers = itertools.count(1)

        def numbered(protocol: Any) -> int:
            attributes = vars(protocol)
            if "_pulse_sim_number" not in attributes:
                attributes["_pulse_sim_number"] = next(numbers)
            number: int = attributes["_pulse_sim_number"]
            return number

        substitute(client_proto.ResponseHandler, "__hash__", numbered)
        # Its place in that set is kept, while it connects, by an object without room for a number.
        substitute(connector._TransportPlaceholder, "__hash__", lambda _: 0)


def aliases(packages: Sequence[str], changed: Changes) -> Iterator[tuple[types.ModuleType, str]]:
    """Every module attribute in the packages that is a real clock or generator, or a module holding one."""
    functions = _by_identity(changed)
    for name in sorted(name for name in sys.modules if _belongs(name, packages)):
        module = sys.modules[name]
        if isinstance(module, types.ModuleType):
            for attribute in _aliases_in(module, changed, functions):
                yield module, attribute


def _aliases_in(module: types.ModuleType, changed: Changes, functions: dict[int, Any]) -> list[str]:
    modules = set(map(id, changed))
    return [name for name, value in vars(module).items() if id(value) in modules or id(value) in functions]


def _by_identity(changed: Changes) -> dict[int, Any]:
    # Constants such as time.timezone are reached through the module alone: small integers are shared by everybody.
    return {
        id(vars(module)[name]): new
        for module, names in changed.items()
        for name, new in names.items()
        if callable(vars(module).get(name))
    }


def _belongs(name: str, packages: Sequence[str]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)
