"""Who listens where: ports, addresses and the servers bound to them.

It binds as bind(2) does and answers who accepts; it moves nothing.
"""

import errno
import os
from collections.abc import Callable, Iterator
from typing import Any, Final

from pulse_sim.kernel import names
from pulse_sim.kernel.endpoint import Watch
from pulse_sim.kernel.fences import refuse
from pulse_sim.kernel.hosts import Host
from pulse_sim.kernel.scheduling import VirtualTimeLoop
from pulse_sim.kernel.server import BACKLOG, SimulationServer
from pulse_sim.kernel.sockets import Address

Resolve = Callable[[Any], str]
_EPHEMERAL: Final = range(40_000, 65_536)


class Listeners:
    """All listening sockets of the network."""

    def __init__(self, loop: VirtualTimeLoop, watch: Watch) -> None:
        self.loop = loop
        self.watch = watch
        self._bound_to: dict[tuple[str, int], list[tuple[str, SimulationServer]]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._bound_to.values()))

    def __iter__(self) -> Iterator[SimulationServer]:
        """Each server once for each of its addresses, in the order they began to listen."""
        for entries in list(self._bound_to.values()):
            for _, server in list(entries):
                yield server

    async def listen(
        self,
        here: Host,
        resolve: Resolve,
        factory: Callable[[], Any],
        host: Any = None,
        port: Any = None,
        *,
        sock: Any = None,
        ssl: Any = None,
        backlog: int = BACKLOG,
        ssl_handshake_timeout: float | None = None,
        ssl_shutdown_timeout: float | None = None,
        start_serving: bool = True,
        **_ignored: Any,
    ) -> SimulationServer:
        """`loop.create_server` on host ``here``. OSError EADDRINUSE, EADDRNOTAVAIL as bind(2)."""
        if sock is not None:
            refuse("create_server with a real socket")
        given = [host] if host is None or isinstance(host, str) else list(host)
        addresses = self._bind(here, [resolve(name) for name in given], names.port_number(port))
        options = {
            "sslcontext": ssl,
            "ssl_handshake_timeout": ssl_handshake_timeout,
            "ssl_shutdown_timeout": ssl_shutdown_timeout,
        }
        server = SimulationServer(self.loop, here, addresses, factory, options if ssl else None, self, backlog)
        for address, at in addresses:
            self._bound_to.setdefault((here.name, at), []).append((address, server))
        if start_serving:
            await server.start_serving()
        return server

    def unlisten(self, server: SimulationServer) -> None:
        for address, port in server.addresses:
            key = (server.host.name, port)
            left = [entry for entry in self._bound_to.get(key, []) if entry != (address, server)]
            if left:
                self._bound_to[key] = left
            else:
                self._bound_to.pop(key, None)

    def at(self, host: Host, address: str, port: int) -> SimulationServer | None:
        """Who accepts connections to ``address`` on ``host``."""
        for bound, server in self._bound_to.get((host.name, port), ()):
            if bound in (address, names.WILDCARD) and server.is_serving():
                return server
        return None

    def _bind(self, here: Host, hosts: list[str], number: int) -> list[Address]:
        addresses: list[Address] = []
        for address in hosts:
            if address not in (here.address, names.WILDCARD) and not address.startswith("127."):
                raise _bind_error(errno.EADDRNOTAVAIL, address, number)
            number = number or self._free_port(here)
            if self._bound(here, address, number):
                raise _bind_error(errno.EADDRINUSE, address, number)
            addresses.append((address, number))
        return addresses

    def _bound(self, host: Host, address: str, port: int) -> bool:
        bound = [entry[0] for entry in self._bound_to.get((host.name, port), ())]
        return bool(bound) and (address in bound or names.WILDCARD in (address, *bound))

    def _free_port(self, host: Host) -> int:
        return next(port for port in _EPHEMERAL if (host.name, port) not in self._bound_to)


def _bind_error(code: int, address: str, port: int) -> OSError:
    text = os.strerror(code).lower()
    return OSError(code, f"error while attempting to bind on address {(address, port)!r}: {text}")
