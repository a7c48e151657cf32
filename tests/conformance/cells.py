"""One cell, run: peer and client brought together at a place, and the record of what each saw.

The very same coroutine runs at either place; a place says only where hosts, names and silence come from.
"""

import asyncio
import ssl
from dataclasses import dataclass
from typing import Any, Protocol

from tests.conformance.client import visit
from tests.conformance.matrix import Cell
from tests.conformance.peer import Peer
from tests.conformance.rendezvous import Rendezvous
from tests.conformance.scripts import FINISH_TLS, GO, SERVE, Steps, script


@dataclass(frozen=True, slots=True)
class Record:
    """What a client can tell, and what its peer saw of it."""

    outcome: tuple[str, ...]
    connections: int
    client: tuple[str, ...]
    peers: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Tls:
    """Both sides' contexts; made once, they serve every cell."""

    server: ssl.SSLContext
    client: ssl.SSLContext


class Place(Protocol):
    """A network for one cell: a peer's host and a client's, and what only the network can do."""

    async def serve(self, factory: Any) -> None:
        """Listen, unless the event is that nobody does; never returns before connections can be made."""

    async def visit(self, client: Any) -> None:
        """Run the client's coroutine function with the peer's host name and port."""

    def stop_listening(self) -> None: ...
    async def leave(self) -> None: ...


async def run_cell(cell: Cell, place: Place, tls: Tls) -> Record:
    """Run it once."""
    meet = Rendezvous()
    peers: list[Peer] = []

    def peer() -> Peer:
        steps: Steps = script(cell) if not peers else (*((FINISH_TLS,) if cell.tls else ()), GO, SERVE)
        made = Peer(steps, meet, tls.server if cell.tls else None, place.stop_listening)
        peers.append(made)
        return made

    await place.serve(peer)
    try:
        async with asyncio.timeout(120):
            await place.visit(lambda host, port: visit(cell, host, port, tls.client if cell.tls else None, meet))
        record = Record(
            tuple(meet.outcome), len(meet.peers), tuple(meet.client), tuple(tuple(log) for log in meet.peers)
        )
    finally:
        for made in peers:
            await made.end()
        await place.leave()
    return record
