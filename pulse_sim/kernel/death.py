"""The death of everything a host runs: no task is stepped again, no clean-up runs, no callback fires.

The machine outlives its programs: what its kernel owes to peers (a FIN, a reset) is sent by the ends of connections
themselves. Nothing here knows a network.
"""

import asyncio
from collections.abc import Iterable, Iterator
from typing import Any, Final

from pulse_sim.kernel.endpoint import Endpoint
from pulse_sim.kernel.hosts import CURRENT, Host
from pulse_sim.kernel.scheduling import VirtualTimeLoop

_GRAVES: Final[list[Any]] = []
"""Tasks that died. A coroutine that is freed runs its ``finally`` clauses, so these are kept for good."""


def end_programs(loop: VirtualTimeLoop, host: Host) -> int:
    """Stop everything that runs on ``host``, at once and unseen by itself; how many tasks there were.

    Raises RuntimeError when the running task is one of them: what is dead cannot go on.
    """
    if CURRENT.get() is host:
        raise RuntimeError(f"{host.name} cannot end itself: ask from another host, or from a timer of the simulation")
    tasks = [task for task in asyncio.all_tasks(loop) if getattr(task, "host", None) is host]
    for task in tasks:
        asyncio._unregister_task(task)
        task._log_destroy_pending = False  # type: ignore[attr-defined]
    _GRAVES.extend(tasks)
    for handle in _handles(loop, host):
        # Kept as well: its arguments hold what must not be freed.
        _GRAVES.append((handle._callback, handle._args))
        handle.cancel()
    return len(tasks)


def _handles(loop: VirtualTimeLoop, host: Host) -> Iterator[Any]:
    waiting: Iterable[Any] = (*loop._ready, *(entry[3] for entry in loop._scheduled))
    for handle in waiting:
        callback = handle._callback
        if callback is None or isinstance(getattr(callback, "__self__", None), Endpoint):
            continue  # an end of a connection belongs to the machine's kernel, not to a program
        if handle._context.get(CURRENT) is host:
            yield handle
