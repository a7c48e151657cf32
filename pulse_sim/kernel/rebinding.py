"""Import-bound clocks and generators, replaced for a run in the packages named, and nowhere else.

`from time import monotonic` copies the function into the importing module, where no patch of `time` reaches it. Every module of
the named packages is walked: attributes that *are* a real clock or generator are replaced, and so are module aliases (`time`,
`random`, `os`, …). Everything is put back afterwards.
"""

import itertools
import sys
import types
from collections.abc import Iterator, Sequence
from typing import Any

from pulse_sim.kernel.lookalikes import Changes, Source, changes, look_alike
from pulse_sim.kernel.substitution import Substitutions


class Rebinding:
    """Replaces aliases in loaded modules; ``restore`` puts every one back."""

    def __init__(self, packages: Sequence[str], source: Source) -> None:
        self._packages = tuple(packages)
        self._source = source
        self._substitutions = Substitutions()

    def install(self) -> None:
        """Walk the packages and rebind."""
        changed = changes(self._source)
        copies = {module.__name__: look_alike(module, names) for module, names in changed.items()}
        functions = _by_identity(changed)
        for module, name in aliases(self._packages, changed):
            value = vars(module)[name]
            new = copies[value.__name__] if isinstance(value, types.ModuleType) else functions[id(value)]
            self._substitutions.set(module, name, new)
        if "aiohttp" in self._packages and "aiohttp" in sys.modules:
            self._rebind_aiohttp()

    def restore(self) -> None:
        """Undo everything."""
        self._substitutions.restore()

    def _rebind_aiohttp(self) -> None:
        """State that aiohttp holds outside module attributes."""
        from aiohttp import client_proto, helpers
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


def aliases(packages: Sequence[str], changed: Changes) -> Iterator[tuple[types.ModuleType, str]]:
    """Every module attribute in the packages that is a real clock or generator, or a module holding one."""
    functions = _by_identity(changed)
    modules = set(map(id, changed))
    for module in _loaded(packages):
        for name, value in list(vars(module).items()):
            if id(value) in modules or id(value) in functions:
                yield module, name


def _by_identity(changed: Changes) -> dict[int, Any]:
    # Constants such as time.timezone are reached through the module alone: small integers are shared by everybody.
    return {
        id(vars(module)[name]): new
        for module, names in changed.items()
        for name, new in names.items()
        if callable(vars(module).get(name))
    }


def _loaded(packages: Sequence[str]) -> list[types.ModuleType]:
    names = [name for name in sys.modules if any(name == package or name.startswith(f"{package}.") for package in packages)]
    return [module for name in sorted(names) if isinstance(module := sys.modules.get(name), types.ModuleType)]
