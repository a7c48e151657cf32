"""The in-memory network: hosts and the links and connections between them, and the one place to ask for anything.

It moves nothing itself: transports carry bytes, links say how long and whether. Who listens, what names mean and which
faults lie where are books of their own, kept beside this one.
"""

import asyncio
import contextvars
import errno
import itertools
import random
import socket
import weakref
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from pulse_sim.kernel import names
from pulse_sim.kernel.connecting import Attempt, Claim, Established
from pulse_sim.kernel.dns import Resolver
from pulse_sim.kernel.endpoint import Watch
from pulse_sim.kernel.faults import Faults
from pulse_sim.kernel.fences import refuse
from pulse_sim.kernel.hosts import CURRENT, Host
from pulse_sim.kernel.links import Link, LinkFault
from pulse_sim.kernel.listening import Listeners
from pulse_sim.kernel.scheduling import VirtualTimeLoop
from pulse_sim.kernel.sockets import Address, UnconnectedSocket
from pulse_sim.kernel.tls import TracedSSLProtocol
from pulse_sim.kernel.toxics import Toxic
from pulse_sim.kernel.transport import StreamTransport

DEFAULT_LATENCY_NS: Final = 250_000
LOOPBACK_LATENCY_NS: Final = 20_000
_UNREACHABLE_AFTER_NS: Final = 3_000_000_000  # Linux asks ARP three times


class Network:
    """Hosts and everything between them."""

    def __init__(self, loop: VirtualTimeLoop, watch: Watch, stream: Callable[[str], random.Random]) -> None:
        """``watch(kind, subject, payload)`` is the trace; ``stream`` gives named randomness for jitter."""
        self.default_latency_ns = DEFAULT_LATENCY_NS
        self.loop = loop
        self.watch = watch
        self.hosts: dict[str, Host] = {}
        self._by_address: dict[str, Host] = {}
        self.dns = Resolver(self.hosts, self._by_address, self._here, watch)
        self._links: dict[tuple[str, str], Link] = {}
        self._connections: dict[int, Established] = {}
        self._faults = Faults(watch, stream, lambda: list(self._connections.values()))
        self._listeners = Listeners(loop, watch)
        self.listener = self._listeners.at
        self._numbers = itertools.count(1)
        self._held_attempts: list[Attempt] = []
        self._opened: dict[tuple[str, str], int] = {}
        self._connected: weakref.WeakKeyDictionary[socket.socket, Claim] = weakref.WeakKeyDictionary()

    # ---- hosts and links

    def add(self, host: Host) -> None:
        self.hosts[host.name] = host
        self._by_address[host.address] = host

    def link(self, src: str, dst: str) -> Link:
        """The directed link from one host to another; ``latency_ns`` of it may be set at any time."""
        key = (src, dst)
        link = self._links.get(key)
        if link is None:
            for name in key:
                if name not in self.hosts:
                    raise KeyError(f"no host is called {name!r}")
            link = Link(src, dst, LOOPBACK_LATENCY_NS if src == dst else self.default_latency_ns)
            self._faults.lay([link])
            self._links[key] = link
        return link

    def counts(self) -> dict[str, Any]:
        """``transports``: ends still open; ``connections_opened``: established so far by (source, target)."""
        transports = sum(not end.gone for pair in self._connections.values() for end in pair.ends)
        return {
            "transports": transports,
            "connections": len(self._connections),
            "listeners": len(self._listeners),
            "connections_opened": dict(self._opened),
        }

    # ---- faults

    def apply(self, fault_id: str, fault: LinkFault | Toxic, *, src: str = "*", dst: str) -> None:
        """Lay a fault between src and dst, the serving host; ``*`` means every other host.

        ValueError for an id in use. A toxic covers the connections from src to dst, a link fault the link src → dst.
        """
        for name in (src, dst):
            if name != "*" and name not in self.hosts:
                raise KeyError(f"no host is called {name!r}")
        self._faults.apply(fault_id, fault, src, dst)
        self._take_effect(fault_id)

    def update(self, fault_id: str, fault: LinkFault | Toxic) -> None:
        """Change a fault in its place, at once and on open connections. KeyError for an id that is not applied."""
        self._faults.update(fault_id, fault)
        self._take_effect(fault_id)

    def heal(self, fault_id: str) -> None:
        """Take a fault away; an unknown id is healed already."""
        if self._faults.heal(fault_id):
            self._take_effect(fault_id)

    def is_applied(self, fault_id: str) -> bool:
        """Whether a fault of that id lies somewhere."""
        return fault_id in self._faults

    def _take_effect(self, fault_id: str) -> None:
        self._faults.lay(self._links.values())
        self._faults.strike(fault_id)
        attempts, self._held_attempts = self._held_attempts, []
        for attempt in attempts:
            attempt.send_syn()
        for connection in list(self._connections.values()):
            for end in connection.ends:
                end.healed()
        for server in self._listeners:
            server.accept_waiting()

    # ---- names

    def _here(self) -> Host:
        host = CURRENT.get()
        if host is None:
            refuse("a network call outside any host; start the task with Host.run")
        return host

    async def getaddrinfo(self, host: Any, port: Any, **options: Any) -> list[names.AddressInfo]:
        return await self.dns.getaddrinfo(host, port, **options)

    def getnameinfo(self, sockaddr: Any) -> tuple[str, str]:
        return self.dns.getnameinfo(sockaddr)

    # ---- listening

    async def listen(self, factory: Callable[[], Any], host: Any = None, port: Any = None, **options: Any) -> Any:
        """`loop.create_server` on the current host; `Listeners.listen` says what it raises."""
        resolve = partial(names.resolve, self.hosts, passive=True)
        return await self._listeners.listen(self._here(), resolve, factory, host, port, **options)

    # ---- connecting

    async def connect(self, sock: socket.socket | UnconnectedSocket, address: Any) -> None:
        """`loop.sock_connect`: the real, never connected ``sock`` becomes the key to a simulated connection."""
        here = self._here()
        target, port = str(address[0]), int(address[1])
        if target.startswith("127.") or target == names.WILDCARD:
            host: Host | None = here
        else:
            host = self._by_address.get(target)
        if host is None:
            await asyncio.sleep(_UNREACHABLE_AFTER_NS / 1e9)
            raise OSError(errno.EHOSTUNREACH, f"Connect call failed {(target, port)!r}")
        attempt = Attempt(self, here, host, (target, port))
        attempt.send_syn()
        claim = await attempt.outcome
        if isinstance(sock, UnconnectedSocket):
            sock.claim = claim
        else:
            self._connected[sock] = claim

    def hold(self, attempt: Attempt) -> None:
        """Keep an attempt whose SYN is held until a heal; those given up meanwhile are dropped."""
        self._held_attempts = [held for held in self._held_attempts if not held.outcome.done()]
        self._held_attempts.append(attempt)

    def established(self, src: Host, dst: Host, near: Address, far: Address, links: tuple[Link, Link]) -> Established:
        """Book a new connection."""
        number = next(self._numbers)
        key = (src.name, dst.name)
        self._opened[key] = count = self._opened.get(key, 0) + 1
        connection = Established(self, src, dst, near, far, links, count, lambda: self._forget(number))
        self._connections[number] = connection
        self.watch("connect", connection.server.subject, b"")
        self._faults.meet(connection)
        return connection

    def _forget(self, number: int) -> None:
        connection = self._connections.get(number)
        if connection is not None and connection.over:
            del self._connections[number]
            connection.client.part()

    def open_transport(
        self, sock: socket.socket | UnconnectedSocket, protocol: Any, waiter: "asyncio.Future[None] | None"
    ) -> StreamTransport:
        """`create_connection` with a socket that `sock_connect` connected: its transport replaces it."""
        claim = sock.claim if isinstance(sock, UnconnectedSocket) else self._connected.pop(sock, None)
        if claim is None:
            refuse("create_connection with a socket that was connected outside the simulation")
        transport = claim.take()
        sock.close()
        self.loop.call_soon(_open, transport, protocol, waiter)
        return transport

    def open_tls_transport(
        self, sock: socket.socket | UnconnectedSocket, protocol: Any, sslcontext: Any, waiter: Any, **options: Any
    ) -> Any:
        """The same with TLS on top; returns the application's transport."""
        options.pop("extra", None), options.pop("server", None)
        tls = TracedSSLProtocol(self.loop, protocol, sslcontext, waiter, **options)
        transport = self.open_transport(sock, tls, None)
        tls.trace_over(transport, self.watch)
        return tls._get_app_transport()

    async def start_tls(self, transport: Any, protocol: Any, sslcontext: Any, **options: Any) -> Any:
        """`loop.start_tls`: TLS from here on over an open transport, plain or itself TLS."""
        waiter = self.loop.create_future()
        tls = TracedSSLProtocol(self.loop, protocol, sslcontext, waiter, call_connection_made=False, **options)
        tls.trace_over(transport, self.watch)
        transport.pause_reading()  # nothing may arrive before connection_made
        transport.set_protocol(tls)
        begun = self.loop.call_soon(tls.connection_made, transport), self.loop.call_soon(transport.resume_reading)
        try:
            await waiter
        except BaseException:
            transport.close()
            for handle in begun:
                handle.cancel()
            raise
        return tls._get_app_transport()

    def perish(self, host: Host, *, told: bool) -> None:
        """Everything on ``host`` is dead: its kernel closes its connections, or with ``told`` false nobody does."""
        self._held_attempts = [attempt for attempt in self._held_attempts if attempt.src is not host]
        for server in [server for server in self._listeners if server.host is host]:
            server.perish()
        for connection in list(self._connections.values()):
            for end in connection.ends:
                if end.host is host and not end.gone:
                    end.perish(told=told)

    def close_all(self) -> None:
        """Close every transport and listener: the end of a run."""
        for connection in list(self._connections.values()):
            for end in connection.ends:
                end.abort()
        for server in self._listeners:
            server.close()


def _open(transport: StreamTransport, protocol: Any, waiter: "asyncio.Future[None] | None") -> None:
    transport.start(protocol, contextvars.copy_context())
    if waiter is not None and not waiter.cancelled():
        waiter.set_result(None)
