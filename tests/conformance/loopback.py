"""The real side: stock asyncio on 127.0.0.1, many cells at once in one event loop.

The silence before a connection is a listen queue that is full, where Linux drops further SYNs; names are asked of a
name server on loopback, by glibc itself.
"""

import asyncio
import contextlib
import socket
from collections.abc import Iterable, Mapping
from typing import Any, Final

from tests.conformance.cells import Record, Tls, run_cell
from tests.conformance.matrix import Cell
from tests.conformance.nameserver import NameServer, resolver_threads

LOOPBACK: Final = "127.0.0.1"
AT_ONCE: Final = 24
HELD_S: Final = 0.2


def run_on_loopback(cells: Iterable[Cell], tls: Tls) -> Mapping[Cell, Record]:
    """All cells' records, as the machine's own network gives them."""

    async def main() -> dict[Cell, Record]:
        names = await NameServer.start()
        loop = asyncio.get_running_loop()
        loop.set_default_executor(resolver_threads(names.port))
        turn = asyncio.Semaphore(AT_ONCE)

        async def one(cell: Cell) -> Record:
            async with turn:
                return await run_cell(cell, LoopbackPlace(cell, names), tls)

        chosen = sorted(cells, key=lambda cell: cell.event != "silence")  # what takes longest begins first
        try:
            return dict(zip(chosen, await asyncio.gather(*map(one, chosen)), strict=True))
        finally:
            names.close()

    return asyncio.run(main())


class LoopbackPlace:
    """Real sockets for one cell."""

    def __init__(self, cell: Cell, names: NameServer) -> None:
        self._cell = cell
        self._names = names
        self._listener = socket.socket()
        self._listener.bind((LOOPBACK, 0))
        self._filler: socket.socket | None = None
        self._server: asyncio.Server | None = None
        self._opening: asyncio.Task[None] | None = None
        self._host, self._port = LOOPBACK, self._listener.getsockname()[1]

    async def serve(self, factory: Any) -> None:
        stage, event = self._cell.stage, self._cell.event
        if stage == "resolve":
            self._host = self._names.add(str(self._cell).replace("_", "-"), event)
        if stage == "connect" and event == "refuse":
            self._listener.close()
        elif stage == "connect" and event in ("silence", "slow"):
            self._listener.listen(0)  # room for one, which the filler takes
            self._filler = socket.create_connection(self._listener.getsockname())
            if event == "slow":
                self._opening = asyncio.create_task(self._open_late(factory))
        else:
            await self._open(factory)

    async def _open_late(self, factory: Any) -> None:
        await asyncio.sleep(HELD_S)
        self._listener.accept()[0].close()
        await self._open(factory)

    async def _open(self, factory: Any) -> None:
        self._server = await asyncio.get_running_loop().create_server(factory, sock=self._listener)

    async def visit(self, client: Any) -> None:
        await client(self._host, self._port)

    def stop_listening(self) -> None:
        if self._server is not None:
            self._server.close()

    async def leave(self) -> None:
        if self._opening is not None:
            await self._opening
        self.stop_listening()
        self._listener.close()
        if self._filler is not None:
            self._filler.close()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(0)  # transports that were aborted close their sockets
