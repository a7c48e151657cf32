"""Hosts: who a task is. A context variable carries the host into every task, callback and connection it starts."""

import asyncio
import contextvars
import itertools
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from pulse_sim.kernel.clock import HostClock
from pulse_sim.kernel.scheduling import VirtualTimeLoop

T = TypeVar("T")

CURRENT: Final["contextvars.ContextVar[Host | None]"] = contextvars.ContextVar("pulse_sim_host", default=None)

_FIRST_EPHEMERAL: Final = 32_768
_LAST_EPHEMERAL: Final = 60_999


class Host:
    """A machine on the simulated network: a name, an address, a wall clock."""

    def __init__(self, loop: VirtualTimeLoop, name: str, address: str, clock: HostClock) -> None:
        self.name = name
        self.address = address
        self.clock = clock
        self._loop = loop
        self._ports = itertools.cycle(range(_FIRST_EPHEMERAL, _LAST_EPHEMERAL + 1))

    def __repr__(self) -> str:
        return f"<Host {self.name} {self.address}>"

    def context(self) -> contextvars.Context:
        """A fresh context that belongs to this host."""
        context = contextvars.copy_context()
        context.run(CURRENT.set, self)
        return context

    def run(self, coro: Coroutine[Any, Any, T], *, name: str | None = None) -> "asyncio.Task[T]":
        """Start a task on this host; its sockets, servers and child tasks belong here too."""
        return self._loop.create_task(coro, name=name, context=self.context())

    def ephemeral_port(self) -> int:
        """The next local port of Linux's default range."""
        return next(self._ports)
