"""Fences round a run: what would leave the simulation raises FenceError naming the call, and is remembered.

Most of it is caught by an audit hook, which cannot be removed: it is installed once in a process and sleeps between
runs. What the interpreter does not audit is replaced for the run. Which calls, and why these, is written in
`ways_out`. Only the thread of the run is fenced: a test runner's own threads go on.
"""

import asyncio
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from pulse_sim.kernel.errors import FenceError
from pulse_sim.kernel.substitution import Substitutions
from pulse_sim.kernel.ways_out import AUDITED, REPLACED, WayOut

MOST_REMEMBERED: Final = 100

_raised: "Fences | None" = None
_installed = False


@dataclass(frozen=True, slots=True)
class Escape:
    """One refused call, and the task that made it; None where a plain callback did."""

    call: str
    task: "asyncio.Task[Any] | None"

    def told(self) -> str:
        """The sentence for whoever reads why the run is errored."""
        if self.task is None:
            return f"{self.call} left the simulation, in a callback, and the error was swallowed"
        name = self.task.get_name()
        # Without the mark that asking a task for its exception leaves on it.
        if isinstance(getattr(self.task, "_exception", None), FenceError):
            return f"{self.call} left the simulation: task {name} died of it"
        return f"{self.call} left the simulation, in task {name}, and the error was swallowed"


class Fences:
    """One run's fences. ``escapes`` names every call that was refused, swallowed or not."""

    def __init__(self) -> None:
        self.escaped: list[Escape] = []
        self._thread = 0
        self._substitutions = Substitutions()

    @property
    def escapes(self) -> list[str]:
        """The calls alone."""
        return [escape.call for escape in self.escaped]

    def account(self) -> str:
        """What to say of the first escape; empty when there was none."""
        return self.escaped[0].told() if self.escaped else ""

    def raise_up(self) -> None:
        """Fence the calling thread until lowered."""
        global _raised, _installed
        if _raised is not None:
            raise FenceError("a simulation inside a simulation")
        if not _installed:
            sys.addaudithook(_audit)
            _installed = True
        self._thread = threading.get_ident()
        # A module imported during the run must not leave its bytecode on the disk.
        self._substitutions.set(sys, "dont_write_bytecode", True)
        for replaced in REPLACED:
            real = getattr(replaced.holder, replaced.name, None)
            if real is not None:
                self._substitutions.set(replaced.holder, replaced.name, self._guarded(real, replaced.way_out))
        _raised = self

    def lower(self) -> None:
        """Let the calls through again; lowering twice is harmless."""
        global _raised
        if _raised is self:
            _raised = None
            self._substitutions.restore()

    def guards_this_thread(self) -> bool:
        return threading.get_ident() == self._thread

    def remember(self, call: str) -> None:
        """Note an escape against the task being stepped."""
        if len(self.escaped) < MOST_REMEMBERED:
            loop = asyncio._get_running_loop()
            self.escaped.append(Escape(call, None if loop is None else asyncio.current_task(loop)))

    def _guarded(self, real: Callable[..., Any], way_out: WayOut) -> Callable[..., Any]:
        def guarded(*args: Any, **options: Any) -> Any:
            if self.guards_this_thread() and way_out.when(args):
                refuse(way_out.call)
            return real(*args, **options)

        return guarded


def refuse(call: str) -> NoReturn:
    """Remember the escape against the run under way and raise FenceError."""
    if _raised is not None:
        _raised.remember(call)
    raise FenceError(f"{call} leaves the simulation")


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if _raised is not None and event in AUDITED and _raised.guards_this_thread():
        way_out = AUDITED[event]
        if way_out.when(arguments):
            refuse(way_out.call)
