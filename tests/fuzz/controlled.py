"""A fleet of two with its control API, in a thread of its own. Knows no request."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from mock_truenas.behaviour import AS_DELIVERED
from mock_truenas.control.server import Control
from mock_truenas.fleet import Fleet, Plan, Unit, plans
from mock_truenas.system import SYSTEM_CLOCK, system_entropy

_PATIENCE_S = 30


@contextmanager
def controlled() -> Iterator[tuple[str, dict[str, str]]]:
    """Base URL of the control API and the headers it wants."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    units = {
        name: Unit(name, plan, clock=SYSTEM_CLOCK, entropy=system_entropy)
        for name, plan in plans(Plan(behaviour=AS_DELIVERED), 2).items()
    }
    fleet = Fleet(units)
    control = Control(fleet, entropy=system_entropy)

    async def begin() -> None:
        await fleet.start("127.0.0.1")
        await control.start("127.0.0.1", 0)

    async def end() -> None:
        await control.stop()
        await fleet.stop()
        await loop.shutdown_asyncgens()

    asyncio.run_coroutine_threadsafe(begin(), loop).result(_PATIENCE_S)
    try:
        yield control.url, {"Authorization": f"Bearer {control.token}"}
    finally:
        asyncio.run_coroutine_threadsafe(end(), loop).result(_PATIENCE_S)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_PATIENCE_S)
        loop.close()
