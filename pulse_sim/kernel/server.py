"""A listening server on a simulated host: what `loop.create_server` returns."""

import asyncio
import contextvars
from collections.abc import Callable
from typing import Any, Protocol

from pulse_sim.kernel.endpoint import Watch
from pulse_sim.kernel.hosts import Host
from pulse_sim.kernel.scheduling import VirtualTimeLoop
from pulse_sim.kernel.sockets import StandInSocket
from pulse_sim.kernel.tls import TracedSSLProtocol
from pulse_sim.kernel.transport import StreamTransport


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
        self._active = 0
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

    def attach(self) -> None:
        self._active += 1

    def detach(self) -> None:
        self._active -= 1

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
        finally:
            self._forever = None
            self.close()

    def close(self) -> None:
        network, self._network = self._network, None
        if network is None:
            return
        network.unlisten(self)
        self._serving = False
        if self._forever is not None and not self._forever.done():
            self._forever.cancel()

    async def wait_closed(self) -> None:
        """Returns at once, as CPython 3.11 does; later minors wait for open connections."""
        await asyncio.sleep(0)
