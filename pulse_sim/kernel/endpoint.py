"""One end of a simulated connection: its state, how it puts segments on their way, how it opens and closes.

What its peer sends lands in its inbox in order, each segment (data, FIN, RST) with a timer of its own that never
falls due before that of an earlier one. An end knows its link and its peer, not the network; how to read and write is
added elsewhere.
"""

import asyncio
import contextvars
import errno
import os
from collections import deque
from collections.abc import Callable
from operator import attrgetter
from typing import Any, Final, Protocol

from pulse_sim.kernel.hosts import Host
from pulse_sim.kernel.links import Link
from pulse_sim.kernel.scheduling import VirtualTimeLoop
from pulse_sim.kernel.sockets import StandInSocket
from pulse_sim.kernel.timers import TimedHandle

GIVE_UP_NS: Final = 924_600_000_000
"""How long Linux retransmits before a connection fails with ETIMEDOUT (tcp_retries2 = 15)."""
HIGH_WATER: Final = 65_536

DATA: Final = 0
FIN: Final = 1
RST: Final = 2
ACCEPT: Final = 3

Watch = Callable[[str, str, bytes], None]


NO_CONTEXT: Final = contextvars.Context()
"""Of a connection nobody has accepted yet, and of what no program does."""


def _nothing() -> None:
    return None


class Acceptor(Protocol):
    """The server an end was accepted by: it counts its open connections."""

    def attach(self, end: Any) -> None: ...
    def detach(self, end: Any) -> None: ...


class Detour(Protocol):
    """What takes the segments of an end instead of its link."""

    def feed(self, kind: int, data: bytes) -> None: ...
    def stop(self) -> None: ...


class _Nowhere:
    """Nothing that is sent arrives any more."""

    def feed(self, _kind: int, _data: bytes) -> None:
        return None

    def stop(self) -> None:
        return None


NOWHERE: Final = _Nowhere()


class Endpoint(asyncio.transports._FlowControlMixin):
    """Everything but reading and writing. ``abort`` and ``close`` behave as asyncio's own selector transport does."""

    __slots__ = (
        "__weakref__",
        "_acknowledged",
        "_arrival",
        "_buffer",
        "_buffered",
        "_closed_at_ns",
        "_closing",
        "_context",
        "_eof_received",
        "_eof_sent",
        "_eof_wanted",
        "_giving_up",
        "_high",
        "_inbox",
        "_last_arrival_ns",
        "_lost",
        "_low",
        "_opening_window",
        "_paused",
        "_protocol",
        "_reset_received",
        "_rst_sent",
        "_seen_data",
        "_server",
        "_sock",
        "_unread",
        "_watch",
        "accepting",
        "detour",
        "entangled",
        "forget",
        "gone",
        "host",
        "link",
        "loop",
        "opaque",
        "peer",
        "stalled",
        "subject",
        "unacknowledged",
    )

    _start_tls_compatible = True  # what loop.start_tls asks for
    # What loop.sendfile asks for: these, the class above and its `_protocol_paused`; nothing else of it is used.
    _sendfile_compatible = asyncio.constants._SendfileMode.FALLBACK  # type: ignore[attr-defined]
    _loop = property(attrgetter("loop"))

    def __init__(
        self, loop: VirtualTimeLoop, host: Host, link: Link, subject: str, sock: StandInSocket, watch: Watch
    ) -> None:
        """``link`` is the one this end sends on; ``subject`` names this end's *incoming* direction in the trace."""
        asyncio.Transport.__init__(self, {"socket": sock, "sockname": sock.local, "peername": sock.peer, "host": host})
        self.host = host
        self.link = link
        self.subject = subject
        self.peer: Any = self  # set by join()
        self.accepting: Callable[[Any], None] | None = None
        self.forget: Callable[[], None] = _nothing
        self.gone = False  # connection_lost was called and the socket closed
        self.detour: Detour | None = None  # where a fault sends what this end sends
        self.entangled = False  # was on a detour when the connection was over
        self.opaque = False  # carries TLS: the trace sees lengths only
        self.stalled = 0  # segments of the inbox that wait for a heal
        self.loop = loop
        self._sock = sock
        self._watch = watch
        self._protocol: Any = None
        self._buffered: Any = None
        self._context: contextvars.Context | None = None
        self._server: Acceptor | None = None
        self._inbox: deque[tuple[int, bytes]] = deque()
        self._last_arrival_ns = 0
        self._arrival = arrival = TimedHandle()
        arrival._context = NO_CONTEXT
        arrival._callback, arrival._args = self._arrive, ()
        arrival._cancelled = False
        arrival._when = 0.0
        self._unread: deque[tuple[int, bytes]] = deque()
        self._paused = True  # until a protocol is there
        self._seen_data = False
        self._closing = False
        self._lost = 0
        self._eof_sent = False
        self._eof_wanted = False
        self._eof_received = False
        self._reset_received = False
        self._rst_sent = False
        self._closed_at_ns = 0
        self.unacknowledged = 0
        self._acknowledged: list[tuple[int, int]] = []
        self._buffer = bytearray()
        self._opening_window = False
        self._high, self._low = HIGH_WATER, HIGH_WATER // 4
        self._protocol_paused = False
        self._giving_up: TimedHandle | None = None

    def __repr__(self) -> str:
        return f"<StreamTransport to {self.subject}{' closing' if self._closing else ''}>"

    # ---- opening

    def start(self, protocol: Any, context: contextvars.Context, server: Acceptor | None = None) -> None:
        """Give it its protocol and the context its callbacks run in; reading begins one step later, as in asyncio.

        So what connection_made starts runs before the first byte is seen. A pause in it holds, as since 3.12.
        """
        self._context = context
        self._arrival._context = context
        self._server = server
        if server is not None:
            server.attach(self)
        self.set_protocol(protocol)
        self._paused = False
        if not self._inbox and not self._unread:
            protocol.connection_made(self)  # nothing can arrive before the next step
            return
        reading = self.loop.call_soon(self.resume_reading, context=context)
        protocol.connection_made(self)
        if self._paused:
            reading.cancel()
        self._paused = True

    def set_protocol(self, protocol: Any) -> None:
        self._protocol = protocol
        self._buffered = protocol if isinstance(protocol, asyncio.BufferedProtocol) else None

    def get_protocol(self) -> Any:
        return self._protocol

    # ---- segments on their way

    def _send_fin(self) -> None:
        if not self._eof_sent:
            self._eof_sent = True
            self._send(FIN, b"")

    def send_reset(self) -> None:
        """RST to the peer, behind everything already under way."""
        if not self._rst_sent:
            self._rst_sent = True
            self._send(RST, b"")

    def _send(self, kind: int, data: bytes) -> None:
        if self.detour is not None:
            self.detour.feed(kind, data)
            return
        peer, link = self.peer, self.link
        if link.held:
            self.pass_on(kind, data)
            return
        inbox = peer._inbox
        arrival_ns = self.loop.clock.now_ns + (link.delay_ns if link.jitter is None else link.travel_ns())
        if arrival_ns <= peer._last_arrival_ns:
            arrival_ns = peer._last_arrival_ns
            # What arrives together is read together, as one recv would.
            if kind == DATA and inbox and inbox[-1][0] == DATA and not peer.stalled:
                inbox[-1] = (DATA, inbox[-1][1] + data)
                return
        peer._last_arrival_ns = arrival_ns
        inbox.append((kind, data))
        self.loop.rearm(arrival_ns, peer._arrival)

    def pass_on(self, kind: int, data: bytes) -> None:
        """Put a segment on the link, past any detour and as a segment of its own."""
        peer, link = self.peer, self.link
        peer._inbox.append((kind, data))
        if link.held:
            peer.stall()
            return
        peer._last_arrival_ns = max(peer._last_arrival_ns, self.loop.clock.now_ns + link.travel_ns())
        self.loop.rearm(peer._last_arrival_ns, peer._arrival)

    def divert(self, detour: Detour | None) -> None:
        """Send what this end sends elsewhere from now on; what the last detour held is lost."""
        if self.detour is not None:
            self.detour.stop()
        self.detour = detour

    def _arrive(self) -> None:
        """The head of the inbox has travelled far enough; nothing reads here yet."""
        self._inbox.popleft()

    def stall(self) -> None:
        """One more segment to this end waits for a heal."""
        self.stalled += 1
        self._await_giving_up()

    def _await_giving_up(self) -> None:
        """The sender hears nothing of what it sent: after GIVE_UP_NS it gives up."""
        if self._giving_up is None:
            at_ns = self.loop.clock.now_ns + GIVE_UP_NS
            self._giving_up = self.loop.call_at_ns(at_ns, self._give_up, context=self.peer._context)

    def _give_up(self) -> None:
        self._giving_up = None
        sender = self.peer
        code = errno.EHOSTUNREACH if sender.link.unreachable else errno.ETIMEDOUT
        sender.divert(NOWHERE)
        self._drop_inbox()
        if not sender.gone:
            sender._force_close(OSError(code, os.strerror(code)))
        self.forget()

    def part(self) -> None:
        """Let go of the peer once nothing can happen between the two, or only the garbage collector could free them.

        Whatever a fault set in motion, a reset under way or a sender that will give up, needs both for longer.
        """
        peer = self.peer
        if peer is None or not (self.gone and peer.gone) or self._inbox or peer._inbox:
            return
        if self.entangled or self._giving_up is not None or peer._giving_up is not None:
            return
        for end in (self, peer):
            end.peer = None
            end._arrival = None

    def _drop_inbox(self) -> None:
        self._inbox.clear()
        self.stalled = 0

    # ---- closing

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        if self._closing:
            return
        self._closing = True
        if not self._buffer:
            self._lost += 1
            self.loop.call_soon(self._connection_lost, None, context=self._context)

    def abort(self) -> None:
        self._force_close(None)

    def _force_close(self, error: BaseException | None) -> None:
        if self._lost:
            return
        self._buffer.clear()
        self._closing = True
        self._lost += 1
        self.loop.call_soon(self._connection_lost, error, context=self._context)

    def _fatal_error(self, error: BaseException, message: str = "Fatal error on transport") -> None:
        if not isinstance(error, OSError):
            self.loop.call_exception_handler(
                {"message": message, "exception": error, "transport": self, "protocol": self._protocol}
            )
        self._force_close(error)

    def _connection_lost(self, error: BaseException | None) -> None:
        try:
            if self._protocol is not None:
                self._protocol.connection_lost(error)
        finally:
            self._close_socket()

    def _close_socket(self) -> None:
        """What the kernel does at close(2): FIN, or RST with SO_LINGER(1, 0) or unread data."""
        self.gone = True
        self._closing = True
        self._lost = max(1, self._lost)
        self._closed_at_ns = self.loop.clock.now_ns
        unread = bool(self._unread) and any(kind == DATA for kind, _ in self._unread)
        if not self._reset_received:
            if self._sock.reset_on_close or unread:
                self.send_reset()
            else:
                self._send_fin()
        self._unread.clear()
        self._protocol = self._buffered = None
        if self._giving_up is not None and self.stalled == 0:
            self._giving_up.cancel()
            self._giving_up = None
        server, self._server = self._server, None
        if server is not None:
            server.detach(self)
        self.forget()

    def _reset_error(self) -> OSError:
        if self._eof_received:
            return BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))
        return ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))
