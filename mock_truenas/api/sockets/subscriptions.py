"""What one connection subscribed to, and the tasks that tell it; there are none while nobody subscribes.

Knows no wire: ``tell`` gets events as values.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from mock_truenas.api.errors import MethodError
from mock_truenas.api.sockets.events import Ended, Event, Teller
from mock_truenas.api.sockets.sources import source_of
from mock_truenas.api.ticking import Ticking
from mock_truenas.appliance.changes import Change

Tell = Callable[[Event | Ended], Awaitable[None]]
EVERYTHING = "*"


@dataclass(eq=False)
class Subscriptions:
    """The subscriptions of a connection by their ids."""

    teller: Teller
    ticking: Ticking
    tell: Tell
    _names: dict[str, str] = field(default_factory=dict)
    _sources: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _pump: asyncio.Task[None] | None = None
    _changes: deque[Change] = field(default_factory=deque)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, ident: str, name: str) -> None:
        """Subscribe to a collection or an event source, which may tell something before this is answered."""
        self._end_source(ident)
        self._names[ident] = name
        loop = asyncio.get_running_loop()
        if source_of(name) is not None:
            self._sources[ident] = loop.create_task(self._run_source(ident, name))
        elif self._pump is None:
            self._pump = loop.create_task(self._run_pump())

    async def remove(self, ident: str) -> None:
        """End a subscription; nothing happens for an unknown id. The end of a source is told (truenas-api 5.5)."""
        name = self._names.pop(ident, None)
        if name is None:
            return
        if self._end_source(ident):
            await self.tell(Ended(name))
        if not self._collections():
            self._end_pump()

    def close(self) -> None:
        """End all of them and tell nobody."""
        self._names.clear()
        for ident in list(self._sources):
            self._end_source(ident)
        self._end_pump()

    def _collections(self) -> set[str]:
        return {name for ident, name in self._names.items() if ident not in self._sources and source_of(name) is None}

    def _end_source(self, ident: str) -> bool:
        task = self._sources.pop(ident, None)
        return task.cancel() if task is not None else False

    def _end_pump(self) -> None:
        self._changes.clear()
        if self._pump is not None:
            self._pump.cancel()
            self._pump = None

    async def _run_source(self, ident: str, name: str) -> None:
        source = source_of(name)
        assert source is not None
        error: MethodError | None = None
        try:
            async with contextlib.aclosing(source(self.teller.appliance, self.teller.dialect)) as values:
                async for fields in values:
                    await self.tell(Event("added", name, None, fields))
        except MethodError as raised:
            error = raised
        self._sources.pop(ident, None)
        self._names.pop(ident, None)
        await self.tell(Ended(name, error))

    async def _run_pump(self) -> None:
        unwatch = self.teller.appliance.watch(self._hear)
        try:
            with self.ticking.held():
                while True:
                    await self._news.wait()
                    self._news.clear()
                    changes = list(self._changes)
                    self._changes.clear()
                    async for event in self.teller.events(changes):
                        # What was unsubscribed meanwhile is not told any more.
                        if self._wanted(event.collection):
                            await self.tell(event)
        finally:
            unwatch()

    def _hear(self, change: Change) -> None:
        if self._wanted(change.collection):
            self._changes.append(change)
            self._news.set()

    def _wanted(self, collection: str) -> bool:
        names = self._names.values()
        return collection in names or EVERYTHING in names
