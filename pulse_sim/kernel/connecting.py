"""How a connection comes to be: SYN, SYN-ACK, ACK, each a journey over a link that may be slow, held or refusing."""

import errno
from collections.abc import Callable
from typing import Any, Final, Protocol

from pulse_sim.kernel.endpoint import ACCEPT, Watch
from pulse_sim.kernel.hosts import Host
from pulse_sim.kernel.links import Link
from pulse_sim.kernel.scheduling import VirtualTimeLoop
from pulse_sim.kernel.server import SimulationServer
from pulse_sim.kernel.sockets import Address, StandInSocket
from pulse_sim.kernel.timers import TimedHandle
from pulse_sim.kernel.toxics_chain import shut_down
from pulse_sim.kernel.transport import StreamTransport, join

SYN_GIVE_UP_NS: Final = 127_000_000_000
"""Linux sends six more SYNs, one to thirty-two seconds apart, and gives up (tcp_syn_retries = 6)."""


class Exchange(Protocol):
    """What connecting asks of the network: its links, its listeners and its books."""

    loop: VirtualTimeLoop
    watch: Watch

    def link(self, src: str, dst: str) -> Link: ...
    def listener(self, host: Host, address: str, port: int) -> SimulationServer | None: ...
    def hold(self, attempt: "Attempt") -> None: ...
    def established(
        self, src: Host, dst: Host, near: Address, far: Address, links: tuple[Link, Link]
    ) -> "Established": ...


class Established:
    """A connection both of whose ends exist. ``links`` go there and back; ``number`` counts those between two hosts."""

    __slots__ = ("client", "number", "server")

    def __init__(
        self,
        network: Exchange,
        src: Host,
        dst: Host,
        near: Address,
        far: Address,
        links: tuple[Link, Link],
        number: int,
        forget: Callable[[], None],
    ) -> None:
        self.number = number
        loop, watch = network.loop, network.watch
        label = f"{src.name}:{near[1]}", f"{dst.name}:{far[1]}"
        there, back = links
        self.client = StreamTransport(loop, src, there, f"{label[1]}>{label[0]}", StandInSocket(near, far), watch)
        self.server = StreamTransport(loop, dst, back, f"{label[0]}>{label[1]}", StandInSocket(far, near), watch)
        self.server.accepting = lambda end: _accept(network, end, far)
        join(self.client, self.server, forget)

    @property
    def ends(self) -> tuple[StreamTransport, StreamTransport]:
        return self.client, self.server

    @property
    def over(self) -> bool:
        """Whether both ends are closed and nothing waits for a heal. Toxics then hold nothing any more."""
        client, server = self.client, self.server
        if not (client.gone and server.gone) or client.stalled or server.stalled:
            return False
        if client.detour is not None or server.detour is not None:
            for end in self.ends:
                end.divert(None)
                end.entangled = True
        return True

    @property
    def name(self) -> str:
        """Unique in a run, and the same whatever other hosts do."""
        return f"{self.client.host.name}>{self.server.host.name}#{self.number}"

    def close(self) -> None:
        """Both ends see the other close, as behind a proxy that is shut down; what was kept back is lost."""
        for end in self.ends:
            shut_down(end)


class Claim:
    """The client's right to its end of a fresh connection; losing it unused closes the connection."""

    __slots__ = ("_transport",)

    def __init__(self, transport: StreamTransport) -> None:
        self._transport: StreamTransport | None = transport

    def take(self) -> StreamTransport:
        transport, self._transport = self._transport, None
        if transport is None:
            raise RuntimeError("the connection is claimed already")
        return transport

    def __del__(self) -> None:
        if self._transport is not None:
            self._transport.abort()


class Attempt:
    """One connect(2) under way. ``outcome`` ends with a Claim or an OSError."""

    def __init__(self, network: Exchange, src: Host, dst: Host, far: Address) -> None:
        self._network = network
        self._loop = network.loop
        self.src, self._dst = src, dst
        self._far = far
        self._near = (far[0] if dst is src else src.address, src.ephemeral_port())
        self._there = network.link(src.name, dst.name)
        self._back = network.link(dst.name, src.name)
        self._giving_up: TimedHandle | None = None
        self.outcome: Any = network.loop.create_future()

    def send_syn(self) -> None:
        """Send the SYN, or hold it while the link does."""
        if self.outcome.done():
            return
        if self._there.unreachable:
            round_trip_ns = self._there.travel_ns() + self._back.travel_ns()
            self._loop.call_at_ns(self._loop.clock.now_ns + round_trip_ns, self._unreachable)
        elif self._there.held:
            self._hold()
        else:
            self._loop.call_at_ns(self._loop.clock.now_ns + self._there.travel_ns(), self._syn_arrives)

    def _hold(self) -> None:
        self._network.hold(self)
        if self._giving_up is None:
            self.outcome.add_done_callback(self._done)
            self._giving_up = self._loop.call_at_ns(self._loop.clock.now_ns + SYN_GIVE_UP_NS, self._give_up)

    def _syn_arrives(self) -> None:
        if self._there.held:
            if not self.outcome.done():
                self._hold()
            return
        server = self._network.listener(self._dst, self._far[0], self._far[1])
        if server is not None and server.full:  # the kernel drops it; the client asks again
            if not self.outcome.done():
                self._hold()
            return
        answer = self._refused if server is None or self._there.refusing else self._connected
        self._loop.call_at_ns(self._loop.clock.now_ns + self._back.travel_ns(), answer)

    def _connected(self) -> None:
        if self.outcome.done():
            return
        if self._back.held:  # the SYN-ACK is lost; the client asks again
            self._hold()
            return
        links = self._there, self._back
        connection = self._network.established(self.src, self._dst, self._near, self._far, links)
        connection.client._send(ACCEPT, b"")
        self.outcome.set_result(Claim(connection.client))

    def _refused(self) -> None:
        if self.outcome.done():
            return
        if self._back.held:
            self._hold()
            return
        self._network.watch("refused", f"{self.src.name}>{self._dst.name}:{self._far[1]}", b"")
        self._fail(errno.ECONNREFUSED)

    def _unreachable(self) -> None:
        """A router answered: for a connect, that is final."""
        if not self.outcome.done():
            self._network.watch("unreachable", f"{self.src.name}>{self._dst.name}:{self._far[1]}", b"")
            self._fail(errno.EHOSTUNREACH)

    def _give_up(self) -> None:
        if not self.outcome.done():
            self._fail(errno.ETIMEDOUT)

    def _fail(self, code: int) -> None:
        self.outcome.set_exception(OSError(code, f"Connect call failed {self._far!r}"))

    def _done(self, _outcome: Any) -> None:
        if self._giving_up is not None:
            self._giving_up.cancel()


def _accept(network: Exchange, end: StreamTransport, far: Address) -> None:
    """The ACK is there: the program accepts, if one still listens."""
    server = network.listener(end.host, far[0], far[1])
    if server is None:
        end.refuse()
    elif end.peer.link.unaccepting:
        server.park(end)
    else:
        server.accept(end)
