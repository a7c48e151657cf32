"""The stack's own tasks and timers, counted, so that a leak shows on `/metrics`.

Everything in the stack that runs by itself or waits for time does it through here. Knows nothing of what runs.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from typing import Any

_log = logging.getLogger("pulse")


class Runtime:
    """Tasks by name and timers by count, of one stack on one loop. Not usable outside a running loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._tasks: dict[asyncio.Task[Any], None] = {}
        self._open_connections: list[Callable[[], int]] = []
        self.timers = 0
        self.has_deaths = False

    @property
    def tasks(self) -> int:
        """Tasks of the stack that have not ended."""
        return len(self._tasks)

    @property
    def open_connections(self) -> int:
        """Sockets the stack's clients hold open now."""
        return sum(count() for count in self._open_connections)

    def time(self) -> float:
        """Monotonic seconds of the loop."""
        return self._loop.time()

    def add_connections(self, count: Callable[[], int]) -> Callable[[], None]:
        """Counts a client's connections from now on; call what is returned to stop counting them."""
        self._open_connections.append(count)
        return lambda: self._open_connections.remove(count)

    def spawn(self, name: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Starts a named task; should it die of an exception, the log says so once, at ERROR."""
        task = self._loop.create_task(work, name=name)
        self._tasks[task] = None
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.pop(task, None)
        failure = None if task.cancelled() else task.exception()
        if failure is not None:
            self.has_deaths = True
            fields = {"task": task.get_name(), "exception": type(failure).__name__}
            _log.error("task %(task)s died: %(exception)s", fields)

    async def sleep_until(self, when: float) -> None:
        """Waits for a loop time; returns at once, without a scheduling point, when it is already reached."""
        delay = when - self._loop.time()
        if delay > 0:
            self.timers += 1
            try:
                await asyncio.sleep(delay)
            finally:
                self.timers -= 1

    @asynccontextmanager
    async def within(self, limit_s: float | None) -> AsyncIterator[None]:
        """Raises TimeoutError when the block is not done in time; None sets no limit."""
        self.timers += limit_s is not None
        try:
            async with asyncio.timeout(limit_s):
                yield
        finally:
            self.timers -= limit_s is not None

    async def cancel(self, tasks: Iterable[asyncio.Task[Any]], limit_s: float) -> int:
        """Cancels tasks and waits for them, at most `limit_s`; how many are still running afterwards."""
        waiting = [task for task in tasks if not task.done()]
        for task in waiting:
            task.cancel()
        if not waiting:
            return 0
        _, pending = await asyncio.wait(waiting, timeout=limit_s)
        return len(pending)
