"""A listening server on a simulated host: what `loop.create_server` returns, as the running minor has it.

It knows who waits in its backlog and who is connected, not how a connection comes to be.
"""

import asyncio
import contextvars
import sys
from collections.abc import Callable
from typing import Any, Final, Protocol

from pulse_sim.kernel.endpoint import Watch
from pulse_sim.kernel.hosts import Host
from pulse_sim.kernel.scheduling import VirtualTimeLoop
from pulse_sim.kernel.sockets import StandInSocket
from pulse_sim.kernel.tls import TracedSSLProtocol
from pulse_sim.kernel.transport import StreamTransport

_WAITS_FOR_CLIENTS: Final = sys.version_info >= (3, 12)
BACKLOG: Final = 100
"""create_server's own default."""


class Registry(Protocol):
    """What a server asks of the network it listens on."""

    watch: Watch

    def unlisten(self, server: "SimulationServer") -> None: ...


class SimulationServer(asyncio.AbstractServer):
    """Accepts connections for one protocol factory. Closing it refuses new ones and leaves open ones alone."""

    def __init__(
        self,
        loop: VirtualTimeLoop,
        host: Host,
        addresses: list[tuple[str, int]],
        factory: Callable[[], Any],
        tls: dict[str, Any] | None,
        network: Registry,
        backlog: int = BACKLOG,
    ) -> None:
        """``tls`` holds SSLProtocol's own options (`sslcontext`, `ssl_handshake_timeout`, `ssl_shutdown_timeout`)."""
        self.host = host
        self.addresses = addresses
        self._loop = loop
        self._factory = factory
        self._tls = tls
        self._network: Registry | None = network
        self._watch = network.watch
        self._context = contextvars.copy_context()
        self._backlog = backlog
        self._waiting: list[StreamTransport] = []  # connected, not accepted
        self._clients: dict[StreamTransport, None] = {}
        self._waiters: list[asyncio.Future[None]] | None = []
        self._serving = False
        self._forever: asyncio.Future[None] | None = None

    @property
    def sockets(self) -> tuple[StandInSocket, ...]:
        """One stand-in for each address, none once closed."""
        return () if self._network is None else tuple(StandInSocket(address, None) for address in self.addresses)

    def accept(self, transport: StreamTransport) -> None:
        """Take over the serving end of a new connection, in the server's own context."""
        self._context.copy().run(self._accept, transport)

    def _accept(self, transport: StreamTransport) -> None:
        protocol: Any = self._factory()
        nobody: Any = None
        if self._tls is not None:
            protocol = TracedSSLProtocol(self._loop, protocol, waiter=nobody, server_side=True, **self._tls)
            protocol.trace_over(transport, self._watch)
        transport.start(protocol, contextvars.copy_context(), self)

    # ---- the backlog

    @property
    def full(self) -> bool:
        """Whether the kernel drops further SYNs: Linux takes one more than the backlog says."""
        return len(self._waiting) > self._backlog

    def park(self, transport: StreamTransport) -> None:
        """The handshake is complete, and the program does not accept."""
        self._waiting.append(transport)

    def accept_waiting(self) -> None:
        """Accept what no fault keeps waiting any more, in order of arrival."""
        waiting, self._waiting = self._waiting, []
        for transport in waiting:
            if transport.peer.link.unaccepting:
                self._waiting.append(transport)
            else:
                self.accept(transport)

    # ---- open connections

    def attach(self, end: StreamTransport) -> None:
        self._clients[end] = None

    def detach(self, end: StreamTransport) -> None:
        self._clients.pop(end, None)
        if not self._clients and self._network is None:
            self._wake_up()

    def _wake_up(self) -> None:
        waiters, self._waiters = self._waiters, None
        for waiter in waiters or ():
            if not waiter.done():
                waiter.set_result(None)

    if sys.version_info >= (3, 13):

        def close_clients(self) -> None:
            for transport in list(self._clients):
                transport.close()

        def abort_clients(self) -> None:
            for transport in list(self._clients):
                transport.abort()

    # ---- serving

    def get_loop(self) -> VirtualTimeLoop:
        return self._loop

    def is_serving(self) -> bool:
        return self._serving

    async def start_serving(self) -> None:
        self._serving = self._network is not None
        await asyncio.sleep(0)

    async def serve_forever(self) -> None:
        if self._network is None:
            raise RuntimeError("server is closed")
        if self._forever is not None:
            raise RuntimeError("server is already being awaited on serve_forever()")
        self._serving = True
        self._forever = self._loop.create_future()
        try:
            await self._forever
        except asyncio.CancelledError:
            self.close()
            await self.wait_closed()
            raise
        finally:
            self._forever = None

    def close(self) -> None:
        network, self._network = self._network, None
        if network is None:
            return
        network.unlisten(self)
        self._serving = False
        waiting, self._waiting = self._waiting, []
        for transport in waiting:
            transport.refuse()
        if self._forever is not None and not self._forever.done():
            self._forever.cancel()
            self._forever = None
        if not self._clients:
            self._wake_up()

    def perish(self) -> None:
        """The program is dead: nobody listens, and nobody who waited is woken. Ends in the backlog are not its own."""
        network, self._network = self._network, None
        if network is not None:
            network.unlisten(self)
        self._serving = False
        self._waiting.clear()
        self._clients.clear()
        self._waiters = self._forever = None

    async def wait_closed(self) -> None:
        """Since 3.12 until it is closed and its last connection has gone; in 3.11 a closed server is not waited for."""
        if self._waiters is None or (self._network is None and not _WAITS_FOR_CLIENTS):
            return
        waiter = self._loop.create_future()
        self._waiters.append(waiter)
        await waiter
