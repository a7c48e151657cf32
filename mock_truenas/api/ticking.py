"""Keeps an appliance moving while somebody waits to be told. At other times there is no task and no timer."""

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Final

from mock_truenas.appliance.nas import Appliance

_AT_LEAST_S: Final = 0.01
# The appliance's clock may jump while this waits by the loop's.
_AT_MOST_S: Final = 60.0


class Ticking:
    """Brings an appliance to now whenever something happens in it by itself."""

    def __init__(self, appliance: Appliance) -> None:
        self.appliance = appliance
        self._holders = 0
        self._task: asyncio.Task[None] | None = None

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Ticks as long as anybody is inside."""
        self._holders += 1
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._tick())
        try:
            yield
        finally:
            self._holders -= 1
            if not self._holders and self._task is not None:
                self._task.cancel()
                self._task = None

    async def _tick(self) -> None:
        appliance = self.appliance
        changed = asyncio.Event()
        unwatch = appliance.watch(lambda _: changed.set())
        try:
            while True:
                appliance.evolve()
                changed.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._wait_s()):
                        await changed.wait()
        finally:
            unwatch()

    def _wait_s(self) -> float | None:
        next_ns = self.appliance.next_change_ns()
        if next_ns is None:
            return None
        return min(max((next_ns - self.appliance.now_ns()) / 1e9, _AT_LEAST_S), _AT_MOST_S)
