"""Tasks and futures whose hash is a creation number.

asyncio and aiohttp keep tasks and futures in sets and act in the order those sets yield them. A hash made from an
address would make that order depend on the heap's history; a number counted by the loop makes it part of the run.
"""

import asyncio
import contextvars
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from pulse_sim.kernel.hosts import CURRENT, Host
from pulse_sim.kernel.scheduling import VirtualTimeLoop

if TYPE_CHECKING:
    _Task = asyncio.Task[Any]
    _Future = asyncio.Future[Any]
else:
    _Task = asyncio.Task
    _Future = asyncio.Future

# asyncio.current_task() without its checks: this is asked for every event of a trace.
_CURRENT: dict[asyncio.AbstractEventLoop, Any] = asyncio.tasks._current_tasks  # type: ignore[attr-defined]


class SimulationFuture(_Future):
    """A future hashed by its number, which the loop's `create_future` gives it: a constructor costs more than that."""

    __slots__ = ("number",)

    number: int

    def __hash__(self) -> int:
        return self.number


class SimulationTask(_Task):
    """A task hashed by its number; unnamed ones are named after it, not after a counter of the process."""

    __slots__ = ("host", "number")

    number: int
    host: Host | None

    def __init__(
        self,
        coro: Coroutine[Any, Any, Any],
        *,
        loop: VirtualTimeLoop | None = None,
        name: str | None = None,
        context: contextvars.Context | None = None,
        **options: Any,
    ) -> None:
        running: Any = loop if loop is not None else asyncio.get_running_loop()
        # Hashing starts inside super().__init__, so the number comes first.
        self.number = number = next(running.numbers)
        self.host = CURRENT.get() if context is None else context.get(CURRENT)
        label = f"Task-{number}" if name is None else name
        super().__init__(coro, loop=running, name=label, context=context, **options)

    def __hash__(self) -> int:
        return self.number


def task_number(loop: asyncio.AbstractEventLoop) -> int:
    """The number of the task being stepped, 0 inside a plain callback."""
    task = _CURRENT.get(loop)
    return 0 if task is None else getattr(task, "number", 0)
