"""How many calls of one connection run and wait (truenas-api 5.2, 6), and the tasks they run in."""

import asyncio
import inspect
from collections.abc import Callable, Coroutine
from typing import Any, Final

RUNNING: Final = 10
IN_ALL: Final = 20


class Slots:
    """The calls of one connection."""

    def __init__(self) -> None:
        self._running = asyncio.Semaphore(RUNNING)
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def full(self) -> bool:
        """Whether one more call is one too many."""
        return len(self._tasks) >= IN_ALL

    def start(self, work: Coroutine[Any, Any, None], forsaken: Callable[[], None]) -> asyncio.Task[None]:
        """Run it in a task of its own as soon as fewer than ten others do; ``forsaken`` is told when it never began."""
        task = asyncio.get_running_loop().create_task(self._run(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

        def over(_: asyncio.Task[None]) -> None:
            if inspect.getcoroutinestate(work) == inspect.CORO_CREATED:
                forsaken()
            # One that never began would complain.
            work.close()

        task.add_done_callback(over)
        return task

    async def _run(self, work: Coroutine[Any, Any, None]) -> None:
        async with self._running:
            await work

    async def close(self) -> None:
        """End them all."""
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
