"""Where the two sides of a cell meet: triggers instead of sleeps, and one log for both.

Client and peer run in one event loop, on either network; a loopback segment is in the receiver's queue before `send`
returns. So a few turns of the loop, however slow the machine, are enough for whatever is under way to arrive.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Final

TURNS: Final = 6
TURN_S: Final = 0.01
IDLE_S: Final = 0.15
"""The peer's own idle time-out."""


async def settle() -> None:
    """Until everything under way has arrived and been noticed."""
    for _ in range(TURNS):
        await asyncio.sleep(TURN_S)


@dataclass(slots=True)
class Rendezvous:
    """``client`` and ``peers`` (one list for each connection) are each side's own order; `acts` stands in both."""

    go: asyncio.Event = field(default_factory=asyncio.Event)
    rest: asyncio.Event = field(default_factory=asyncio.Event)
    head_sent: asyncio.Event = field(default_factory=asyncio.Event)
    opened: asyncio.Event = field(default_factory=asyncio.Event)
    warming: bool = False
    client: list[str] = field(default_factory=list)
    peers: list[list[str]] = field(default_factory=list)
    outcome: list[str] = field(default_factory=list)

    def act(self) -> None:
        """The event begins: its place among the client's own events is fixed by what led to it."""
        self.client.append("(peer acts)")
