"""Keeps one watch per enabled connection in step with the configuration (contract A5).

Decides who is polled; how a poll goes is the watch's business, and nothing here waits for one.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pulse_sim.stack.connection import Connection
from pulse_sim.stack.fetcher import Fetcher
from pulse_sim.stack.metrics import Metrics
from pulse_sim.stack.poll_status import PollStatus
from pulse_sim.stack.registry import Registry, stale_limit
from pulse_sim.stack.runtime import Runtime
from pulse_sim.stack.store import StoreDamaged
from pulse_sim.stack.watch import SOURCE, Polled, Watch

SYNC_S: Final = 60.0
STOP_S: Final = 5.0
_CANCEL_S: Final = 4.0
"""Of the time to stop; the rest is for closing clients, whose peers may be slow to say farewell."""
_log = logging.getLogger("TrueNASPoller")

Target = tuple[str, str]
"""Organisation and connection id."""


@dataclass(slots=True)
class Running:
    """A watch and the task it runs in."""

    watch: Watch
    task: asyncio.Task[None]


class Poller:
    """Starts, changes and ends watches. `load` gives the configured connections of every organisation, or why they
    cannot be told; `watch_over` makes the watch of a connection, with its client, or raises ValueError; both are asked
    again on every change.
    """

    def __init__(
        self,
        runtime: Runtime,
        registry: Registry,
        metrics: Metrics,
        *,
        load: Callable[[], Mapping[str, Iterable[Connection] | StoreDamaged]],
        watch_over: Callable[[Connection, Polled | None], Watch],
        poll_limit: Callable[[float], float | None],
    ) -> None:
        self._runtime = runtime
        self._registry = registry
        self._metrics = metrics
        self._load = load
        self._watch_over = watch_over
        self._poll_limit = poll_limit
        self._running: dict[Target, Running] = {}
        self._syncing = asyncio.Lock()
        self._ticks: asyncio.Task[None] | None = None
        self._damaged: Collection[str] = ()
        self._refused: set[Target] = set()

    async def start(self) -> None:
        """Polls what is configured from now on."""
        _log.info("TrueNAS poller started")
        await self.sync_connections()
        self._ticks = self._runtime.spawn("truenas sync", self._tick())

    async def stop(self) -> None:
        """Ends every watch; takes at most five seconds, whatever the watches do."""
        if self._ticks is not None:
            self._ticks.cancel()
        stopping = list(self._running.values())
        await self._together("truenas stop", [self._quit(running) for running in stopping])
        self._running.clear()
        left = sum(not running.task.done() for running in stopping)
        _log.info("TrueNAS poller stopped, %(left)d tasks left behind", {"left": left})

    def running(self) -> Iterable[Polled]:
        """The connections polled now, in order of configuration."""
        return [running.watch.polled for running in self._running.values()]

    def status(self, org: str, connection_id: str) -> PollStatus | None:
        """Poll status of a connection, or None when it is not polled."""
        running = self._running.get((org, connection_id))
        return None if running is None else running.watch.polled.status

    async def _tick(self) -> None:
        while True:
            await self._runtime.sleep_until(self._runtime.time() + SYNC_S)
            try:
                await self.sync_connections()
            except Exception as failure:  # whatever it was: the next tick is the one that mends it
                _log.error("TrueNAS sync failed: %(exception)s", {"exception": type(failure).__name__})

    async def sync_connections(self) -> None:
        """Brings the watches in step: new, changed, removed and disabled connections.

        Those of an organisation whose file cannot be read go on as they are.
        """
        async with self._syncing:
            self._registry.drop_expired(self._runtime.time())
            wanted = self._wanted()
            self._retire_unknown(wanted)
            gone = [target for target in self._running if target not in wanted and target[0] not in self._damaged]
            await self._together("truenas end", [self._end(target) for target in gone])
            changes = []
            for target, connection in wanted.items():
                running = self._running.get(target)
                if running is None:
                    await self._begin(target, connection, None)
                elif running.watch.polled.connection != connection:
                    changes.append(self._begin(target, connection, running))
            await self._together("truenas change", changes)

    def _wanted(self) -> dict[Target, Connection]:
        """The connections to poll; what could not be read is noted, and said once."""
        wanted: dict[Target, Connection] = {}
        damaged = []
        for org, found in self._load().items():
            if isinstance(found, StoreDamaged):
                if org not in self._damaged:
                    fields = {"org": org, "reason": found.reason}
                    _log.error("TrueNAS connections not loaded for %(org)s: %(reason)s", fields)
                damaged.append(org)
            else:
                wanted |= {(each.org, each.id): each for each in found if each.enabled}
        self._damaged = damaged
        return wanted

    def _retire_unknown(self, wanted: dict[Target, Connection]) -> None:
        """Records loaded at start may belong to connections removed while the stack was down."""
        for holding in list(self._registry.holdings()):
            org, source, connection_id = holding.key
            if source == SOURCE and (org, connection_id) not in wanted and org not in self._damaged:
                self._registry.retire(holding.key, self._runtime.time())

    async def _together(self, name: str, works: list[Coroutine[Any, Any, None]]) -> None:
        """Does all of them at once, within the time to stop: one slow farewell must not hold up the others."""
        if len(works) == 1:
            await works[0]
        elif works:
            await asyncio.wait([self._runtime.spawn(name, work) for work in works], timeout=STOP_S)

    async def _begin(self, target: Target, connection: Connection, before: Running | None) -> None:
        """Starts a watch, replacing the one before; when it cannot be built, the one before goes on."""
        try:
            watch = self._watch_over(connection, None if before is None else before.watch.polled)
        except (ValueError, OSError):
            if target not in self._refused:
                _log.error("TrueNAS poll of %(instance)s not possible: client refused", {"instance": connection.id})
            self._refused.add(target)
            return
        self._refused.discard(target)
        limit_s = self._poll_limit(connection.poll_interval_s) or 0.0
        if before is None:
            self._metrics.register(connection.id)
        else:
            try:
                await self._quit(before, keep=watch.polled.fetcher)
            except asyncio.CancelledError:
                await watch.polled.fetcher.close()  # nobody has heard of it yet; the one before is still known
                raise
        self._registry.register(watch.polled.key, stale_limit(connection.poll_interval_s, limit_s))
        self._metrics.show_interval(connection.id, connection.poll_interval_s)
        self._metrics.show_failures(connection.id, watch.polled.status.consecutive_failures, watch.polled.breaker)
        self._running[target] = Running(watch, self.launch(watch))

    def launch(self, watch: Watch) -> asyncio.Task[None]:
        """Gives a watch its own task, so that no connection waits for another."""
        return self._runtime.spawn(f"truenas poll {watch.polled.connection.id}", watch.run())

    async def _quit(self, running: Running, keep: Fetcher | None = None) -> None:
        """Ends a watch and closes its fetcher, unless it is the one to keep. Once more does nothing."""
        await self._runtime.cancel([running.task], _CANCEL_S)
        if running.watch.polled.fetcher is not keep:
            await running.watch.polled.fetcher.close()

    async def _end(self, target: Target) -> None:
        """Ends the watch of a removed or disabled connection; it is forgotten once its client is closed."""
        running = self._running[target]
        await self._quit(running)
        self._running.pop(target, None)
        self._metrics.unregister(running.watch.polled.connection.id)
        self._registry.retire(running.watch.polled.key, self._runtime.time())
