"""How often the stack logs in to one host (contract A2): an appliance refuses who does so more than 20 times a minute.

It counts every login of an address, also good ones, and makes whoever is above it wait and fail (truenas-api 5.4). So
connections to the same appliance take turns, in the order they came. Logs in nowhere itself.
"""

import asyncio
from collections import deque
from typing import Final

from pulse_sim.stack.runtime import Runtime

TURNS: Final = 10
"""Half of what an appliance takes in a minute: the other half is for those of a process that was restarted in it."""
USE_WITHIN_S: Final = 10.0
"""How long a turn may be kept before it is used."""
WINDOW_S: Final = 60.0 + USE_WITHIN_S


class _Host:
    """The turns of one host, by the time they were taken; those older than the window count no more."""

    def __init__(self) -> None:
        self.queue = asyncio.Lock()  # first come, first served; who is cancelled leaves it
        self.taken: deque[float] = deque()

    def opens_at(self, now: float) -> float:
        """When the next turn may be taken."""
        while self.taken and now - self.taken[0] >= WINDOW_S:
            self.taken.popleft()
        return now if len(self.taken) < TURNS else self.taken[-TURNS] + WINDOW_S


class Logins:
    """Turns by host name, whatever port or credentials a connection has: the appliance sees one address."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._hosts: dict[str, _Host] = {}

    async def turn(self, name: str) -> float:
        """Waits for the next turn at a host and takes it; when that was.

        Use it within USE_WITHIN_S, or give it back.
        """
        host = self._host(name)
        async with host.queue:
            while (opens_at := self.opens_at(host)) > self._runtime.time():
                await self._runtime.sleep_until(opens_at)
            host.taken.append(self._runtime.time())
            return host.taken[-1]

    def turn_at_once(self, name: str) -> float | None:
        """Takes a turn if nobody has to wait for it; when that was."""
        host = self._host(name)
        if host.queue.locked() or self.opens_at(host) > self._runtime.time():
            return None
        host.taken.append(self._runtime.time())
        return host.taken[-1]

    def opens_at(self, host: _Host) -> float:
        """When the next login at a host may begin."""
        return host.opens_at(self._runtime.time())

    def give_back(self, name: str, taken_at: float) -> None:
        """A turn was taken for a login that did not come to be."""
        host = self._hosts.get(name)
        if host is not None and taken_at in host.taken:
            host.taken.remove(taken_at)

    def _host(self, name: str) -> _Host:
        host = self._hosts.get(name)
        if host is None:
            now = self._runtime.time()  # a host that saw nothing for the length of a window is as one never seen
            for rested in [n for n, h in self._hosts.items() if not h.queue.locked() and not _is_used(h, now)]:
                del self._hosts[rested]
            host = self._hosts[name] = _Host()
        return host


def _is_used(host: _Host, now: float) -> bool:
    host.opens_at(now)
    return bool(host.taken)
