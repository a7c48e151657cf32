"""The resolver of the simulated network: what getaddrinfo and getnameinfo answer, and when. IPv4 only.

It knows names and addresses, never connections.
"""

import asyncio
import socket
from collections.abc import Callable, Mapping
from typing import Any

from pulse_sim.kernel import names
from pulse_sim.kernel.endpoint import Watch
from pulse_sim.kernel.hosts import Host


class Resolver:
    """Answers from the declared hosts, one loop step after the question."""

    def __init__(
        self, hosts: Mapping[str, Host], by_address: Mapping[str, Host], here: Callable[[], Host], watch: Watch
    ) -> None:
        """``hosts`` by name and by address, as the network keeps them; ``here`` tells the asking host."""
        self._hosts = hosts
        self._by_address = by_address
        self._here = here
        self._watch = watch

    async def getaddrinfo(
        self, host: Any, port: Any, *, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0
    ) -> list[names.AddressInfo]:
        """One IPv4 answer for each name, one loop step later."""
        await asyncio.sleep(0)
        if family not in (0, socket.AF_INET):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        address = names.resolve(self._hosts, host, passive=bool(flags & socket.AI_PASSIVE))
        kind = socket.SocketKind(type or socket.SOCK_STREAM)
        return [(socket.AF_INET, kind, proto or socket.IPPROTO_TCP, "", (address, names.port_number(port)))]

    def getnameinfo(self, sockaddr: Any) -> tuple[str, str]:
        host = self._by_address.get(sockaddr[0])
        return (host.name if host is not None else str(sockaddr[0]), str(sockaddr[1]))
