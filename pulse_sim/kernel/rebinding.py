"""Import-bound clocks and generators, replaced for a run in the packages named, and nowhere else.

`from time import monotonic` copies the function into the importing module, where no patch of `time` reaches it. Every module
of the named packages is walked; attributes that *are* the real function are replaced, and module aliases (`time`, `random`,
`os`, `uuid`, …) by look-alikes whose clock and entropy are the run's. Everything is put back afterwards.
"""

import os
import sys
import time
import types
import uuid
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pulse_sim.kernel.simulation import Simulation

_MISSING: Any = object()


class Rebinding:
    """Replaces aliases in loaded modules; ``restore`` puts every one back."""

    def __init__(self, packages: Sequence[str], simulation: "Simulation") -> None:
        self._packages = tuple(packages)
        self._simulation = simulation
        self._undo: list[tuple[Any, str, Any]] = []

    def install(self) -> None:
        """Walk the packages and rebind."""
        functions, modules = replacements(self._simulation)
        for module in self._modules():
            for name, value in list(vars(module).items()):
                if isinstance(value, types.ModuleType):
                    new = modules.get(value.__name__) if value.__name__ in modules else None
                    if new is not None and value is sys.modules.get(value.__name__):
                        self.set(module, name, new)
                elif callable(value):
                    new = functions.get(id(value))
                    if new is not None:
                        self.set(module, name, new)
        self._rebind_aiohttp()

    def set(self, target: Any, name: str, value: Any) -> None:
        """Set an attribute and remember what it was."""
        self._undo.append((target, name, vars(target).get(name, _MISSING)))
        setattr(target, name, value)

    def restore(self) -> None:
        """Undo in reverse order."""
        while self._undo:
            target, name, value = self._undo.pop()
            if value is _MISSING:
                delattr(target, name)
            else:
                setattr(target, name, value)

    def _modules(self) -> list[types.ModuleType]:
        names = sorted(
            name for name in sys.modules if any(name == p or name.startswith(p + ".") for p in self._packages)
        )
        return [module for name in names if isinstance(module := sys.modules.get(name), types.ModuleType)]

    def _rebind_aiohttp(self) -> None:
        """State that aiohttp holds outside module attributes."""
        if "aiohttp" not in self._packages or "aiohttp" not in sys.modules:
            return
        from aiohttp import client_proto, helpers
        from aiohttp._websocket.writer import WebSocketWriter

        self.set(helpers, "_cached_current_datetime", None)
        self.set(helpers, "_cached_formatted_datetime", "")
        # The mask generator is a default argument made at import.
        defaults = dict(WebSocketWriter.__init__.__kwdefaults__ or {})
        defaults["random"] = self._simulation.stream("kernel/websocket-mask")
        self._undo.append((WebSocketWriter.__init__, "__kwdefaults__", WebSocketWriter.__init__.__kwdefaults__))
        WebSocketWriter.__init__.__kwdefaults__ = defaults
        # The connector keeps its protocols in a set and closes them in that set's order.
        numbers = self._simulation.loop.numbers

        def numbered(protocol: Any) -> int:
            number: int = protocol.__dict__.setdefault("_pulse_sim_number", 0) or next(numbers)
            protocol.__dict__["_pulse_sim_number"] = number
            return number

        self.set(client_proto.ResponseHandler, "__hash__", numbered)


def replacements(simulation: "Simulation") -> tuple[dict[int, Any], dict[str, types.ModuleType]]:
    """Replacement functions by the id of the real one, and look-alike modules by name."""
    clock, current = simulation.clock, simulation.current_host
    rng, urandom = simulation.stream("kernel/random"), simulation.entropy("kernel/urandom")

    def wall_ns() -> int:
        host = current()
        return clock.start_ns + clock.now_ns if host is None else host.clock.now_ns()

    def wall_s() -> float:
        return wall_ns() / 1e9

    def monotonic() -> float:
        return clock.time_s

    def monotonic_ns() -> int:
        return int(clock.base_s * 1e9) + clock.now_ns

    def calendar(convert: Callable[..., Any]) -> Callable[..., Any]:
        return lambda seconds=None: convert(wall_s() if seconds is None else seconds)

    def sleep(_seconds: float) -> None:
        from pulse_sim.kernel.errors import FenceError

        raise FenceError("time.sleep blocks the simulation")

    def uuid4() -> uuid.UUID:
        return uuid.UUID(bytes=urandom(16), version=4)

    clocks: dict[str, Any] = {
        "time": wall_s,
        "time_ns": wall_ns,
        "monotonic": monotonic,
        "monotonic_ns": monotonic_ns,
        "perf_counter": monotonic,
        "perf_counter_ns": monotonic_ns,
        "process_time": monotonic,
        "process_time_ns": monotonic_ns,
        "sleep": sleep,
        "gmtime": calendar(time.gmtime),
        "localtime": calendar(time.gmtime),
        "ctime": calendar(time.ctime),
    }
    del calendar
    changes: dict[types.ModuleType, dict[str, Any]] = {
        time: clocks,
        os: {"urandom": urandom, "getpid": lambda: 1},
        uuid: {"uuid4": uuid4, "uuid1": uuid4},
    }
    functions = {id(vars(m)[n]): f for m, c in changes.items() for n, f in c.items()}
    return functions, {m.__name__: look_alike(m, c) for m, c in changes.items()}


def look_alike(module: types.ModuleType, changes: dict[str, Any]) -> types.ModuleType:
    """A copy of a module's namespace with some names changed; attribute access costs what it did."""
    copy = types.ModuleType(module.__name__, module.__doc__)
    copy.__dict__.update(vars(module))
    copy.__dict__.update(changes)
    return copy
