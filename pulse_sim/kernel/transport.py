"""Stream transports in memory: what a TCP socket under asyncio does, as far as a peer can tell.

One transport is one end of a connection. What its peer sends lands in its inbox in order, each segment (data, FIN,
RST) with a timer of its own that never falls due before that of an earlier one. It knows its two links and its peer,
not the network.
"""

import asyncio
import contextvars
import errno
import os
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from pulse_sim.kernel.sockets import StandInSocket
from pulse_sim.kernel.timers import TimedHandle

if TYPE_CHECKING:
    from pulse_sim.kernel.hosts import Host
    from pulse_sim.kernel.links import Link
    from pulse_sim.kernel.loop import SimulationLoop
    from pulse_sim.kernel.server import SimulationServer

WINDOW: Final = 262_144
"""Bytes one direction may have under way or unread, as the two socket buffers of a real connection would hold."""
GIVE_UP_NS: Final = 924_600_000_000
"""How long Linux retransmits before a connection fails with ETIMEDOUT (tcp_retries2 = 15)."""
ORPHAN_NS: Final = 100_000_000_000
"""How long Linux keeps retransmitting for a socket that its program has closed."""
_HIGH_WATER: Final = 65_536

DATA: Final = 0
FIN: Final = 1
RST: Final = 2
ACCEPT: Final = 3

Watch = Callable[[str, str, bytes], None]


class StreamTransport(asyncio.Transport):
    """One end of a simulated connection. ``abort`` and ``close`` behave as asyncio's own selector transport does."""

    __slots__ = (
        "__weakref__",
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
        "_loop",
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
        "_unacknowledged",
        "_unread",
        "_watch",
        "_writing_paused",
        "accepting",
        "forget",
        "gone",
        "host",
        "link",
        "opaque",
        "peer",
        "severed",
        "stalled",
        "subject",
    )

    _start_tls_compatible = True  # what loop.start_tls asks for

    def __init__(
        self, loop: "SimulationLoop", host: "Host", link: "Link", subject: str, sock: StandInSocket, watch: Watch
    ) -> None:
        """``link`` is the one this end sends on; ``subject`` names this end's *incoming* direction in the trace."""
        super().__init__({"socket": sock, "sockname": sock.getsockname(), "peername": sock.getpeername(), "host": host})
        self.host = host
        self.link = link
        self.subject = subject
        self.peer: StreamTransport = self  # set by join()
        self.accepting: Callable[[StreamTransport], None] | None = None
        self.forget: Callable[[], None] = _nothing
        self.gone = False  # connection_lost was called and the socket closed
        self.severed = False  # a fault cut it: nothing sent from here arrives any more
        self.opaque = False  # carries TLS: the trace sees lengths only
        self.stalled = 0  # segments of the inbox that wait for a heal
        self._loop = loop
        self._sock = sock
        self._watch = watch
        self._protocol: Any = None
        self._buffered: Any = None
        self._context: contextvars.Context | None = None
        self._server: SimulationServer | None = None
        self._inbox: deque[tuple[int, bytes]] = deque()
        self._last_arrival_ns = 0
        self._arrival = TimedHandle(0.0, self._arrive, (), loop, _NO_CONTEXT)
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
        self._unacknowledged = 0
        self._buffer = bytearray()
        self._opening_window = False
        self._high, self._low = _HIGH_WATER, _HIGH_WATER // 4
        self._writing_paused = False
        self._giving_up: TimedHandle | None = None

    def __repr__(self) -> str:
        return f"<StreamTransport to {self.subject}{' closing' if self._closing else ''}>"

    # ---- opening

    def start(self, protocol: Any, context: contextvars.Context, server: "SimulationServer | None" = None) -> None:
        """Give it its protocol and the context its callbacks run in, then begin to read."""
        self._context = context
        self._arrival._context = context
        self._server = server
        if server is not None:
            server.attach()
        self.set_protocol(protocol)
        protocol.connection_made(self)
        self.resume_reading()

    def set_protocol(self, protocol: Any) -> None:
        self._protocol = protocol
        self._buffered = protocol if isinstance(protocol, asyncio.BufferedProtocol) else None

    def get_protocol(self) -> Any:
        return self._protocol

    # ---- sending

    def write(self, data: Any) -> None:
        if self._eof_wanted:
            raise RuntimeError("Cannot call write() after write_eof()")
        if not data:
            return
        if self._lost:
            self._lost += 1
            return
        if self._reset_received:
            self._force_close(self._reset_error())
            return
        if self._buffer:
            self._buffer += data
            self._pause_writer()
            return
        room = WINDOW - self._unacknowledged
        if len(data) <= room:
            self._unacknowledged += len(data)
            self._send(DATA, bytes(data))
            return
        view = bytes(data)
        if room > 0:
            self._unacknowledged += room
            self._send(DATA, view[:room])
        self._buffer += view[max(0, room) :]
        self._pause_writer()

    def write_eof(self) -> None:
        if self._closing or self._eof_wanted:
            return
        self._eof_wanted = True
        if not self._buffer:
            self._send_fin()

    def can_write_eof(self) -> bool:
        return True

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
        if self.severed:
            return
        peer, link = self.peer, self.link
        inbox = peer._inbox
        if link.held:
            inbox.append((kind, data))
            peer.stall()
            return
        arrival_ns = self._loop.clock.now_ns + (link.delay_ns if link.jitter is None else link.travel_ns())
        if arrival_ns <= peer._last_arrival_ns:
            arrival_ns = peer._last_arrival_ns
            # What arrives together is read together, as one recv would.
            if kind == DATA and inbox and inbox[-1][0] == DATA and not peer.stalled:
                inbox[-1] = (DATA, inbox[-1][1] + data)
                return
        peer._last_arrival_ns = arrival_ns
        inbox.append((kind, data))
        self._loop.rearm(arrival_ns, peer._arrival)

    # ---- flow control of the sender

    def _acknowledge(self, size: int) -> None:
        self._unacknowledged -= size
        if self._buffer and not self._opening_window and not self._lost:
            self._opening_window = True
            self._loop.call_at_ns(
                self._loop.clock.now_ns + self.peer.link.delay_ns, self._open_window, context=self._context
            )

    def _open_window(self) -> None:
        self._opening_window = False
        room = WINDOW - self._unacknowledged
        if self._lost or not self._buffer or room <= 0:
            return
        data = bytes(self._buffer[:room])
        del self._buffer[:room]
        self._unacknowledged += len(data)
        self._send(DATA, data)
        if self._writing_paused and len(self._buffer) <= self._low:
            self._writing_paused = False
            self._protocol.resume_writing()
        if not self._buffer:
            if self._closing:
                self._lost += 1
                self._connection_lost(None)
            elif self._eof_wanted:
                self._send_fin()

    def _pause_writer(self) -> None:
        if not self._writing_paused and len(self._buffer) > self._high:
            self._writing_paused = True
            self._protocol.pause_writing()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        if high is None:
            high = _HIGH_WATER if low is None else 4 * low
        if low is None:
            low = high // 4
        if not high >= low >= 0:
            raise ValueError(f"high ({high!r}) must be >= low ({low!r}) must be >= 0")
        self._high, self._low = high, low
        self._pause_writer()

    def get_write_buffer_limits(self) -> tuple[int, int]:
        return self._low, self._high

    def get_write_buffer_size(self) -> int:
        return len(self._buffer)

    # ---- receiving

    def _arrive(self) -> None:
        """The head of the inbox has travelled far enough."""
        if self.peer.link.held and self._inbox:
            self.stall()
            return
        if not self._inbox:  # dropped while its timer was under way
            return
        kind, data = self._inbox.popleft()
        if kind == DATA:
            if self._server is not None and not self._seen_data and self.peer.link.resetting:
                self.sever()
                return
            self._seen_data = True
            if self.opaque:
                self._watch("tls", self.subject, b"%d" % len(data))
            else:
                self._watch("data", self.subject, data)
        else:
            self._watch(_KIND_NAMES[kind], self.subject, b"")
        if self.gone:
            if kind == DATA:
                self.send_reset()  # nobody reads here any more
        elif kind == ACCEPT:
            if self.accepting is not None:
                self.accepting(self)
        elif self._paused or self._unread or self._closing:
            self._hold_back(kind, data)
        elif kind == DATA:
            self._receive(data)
        else:
            self._receive_end(kind)

    def _hold_back(self, kind: int, data: bytes) -> None:
        """Keep what the program does not read now; a program that is closing never will."""
        if kind == RST:
            self._reset_received = True
            if self._closing and not self._lost:  # still flushing: the next send fails
                self._force_close(self._reset_error())
        self._unread.append((kind, data))

    def _receive(self, data: bytes) -> None:
        self.peer._acknowledge(len(data))
        try:
            if self._buffered is None:
                self._protocol.data_received(data)
            else:
                self._fill(data)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:
            self._fatal_error(error, "Fatal error: protocol.data_received() call failed.")

    def _fill(self, data: bytes) -> None:
        protocol = self._buffered
        view = memoryview(data)
        while view and protocol is self._buffered:
            target = protocol.get_buffer(-1)
            size = min(len(target), len(view))
            if not size:
                raise RuntimeError("get_buffer() returned an empty buffer")
            target[:size] = view[:size]
            view = view[size:]
            protocol.buffer_updated(size)
        if view:
            self._protocol.data_received(bytes(view))

    def _receive_end(self, kind: int) -> None:
        if kind == RST:
            self._reset_received = True
            self._force_close(self._reset_error())
            return
        self._eof_received = True
        try:
            keep_open = self._protocol.eof_received()
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:
            self._fatal_error(error, "Fatal error: protocol.eof_received() call failed.")
            return
        if not keep_open:
            self.close()

    def pause_reading(self) -> None:
        if not self._closing:
            self._paused = True

    def resume_reading(self) -> None:
        if self._closing or not self._paused:
            return
        self._paused = False
        if self._unread:
            self._loop.call_soon(self._read_on, context=self._context)

    def is_reading(self) -> bool:
        return not self._paused and not self._closing

    def _read_on(self) -> None:
        while self._unread and not self._paused and not self._closing:
            kind, data = self._unread.popleft()
            if kind == DATA:
                while self._unread and self._unread[0][0] == DATA:
                    data += self._unread.popleft()[1]
                self._receive(data)
            else:
                self._receive_end(kind)

    # ---- closing

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        if self._closing:
            return
        self._closing = True
        if not self._buffer:
            self._lost += 1
            self._loop.call_soon(self._connection_lost, None, context=self._context)

    def abort(self) -> None:
        self._force_close(None)

    def _force_close(self, error: BaseException | None) -> None:
        if self._lost:
            return
        self._buffer.clear()
        self._closing = True
        self._lost += 1
        self._loop.call_soon(self._connection_lost, error, context=self._context)

    def _fatal_error(self, error: BaseException, message: str = "Fatal error on transport") -> None:
        if not isinstance(error, OSError):
            self._loop.call_exception_handler(
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
        self._closed_at_ns = self._loop.clock.now_ns
        unread = any(kind == DATA for kind, _ in self._unread)
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
            server.detach()
        self.forget()

    def _reset_error(self) -> OSError:
        if self._eof_received:
            return BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))
        return ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))

    # ---- faults

    def sever(self) -> None:
        """Reset both ends, behind what is under way to each; nothing either sends afterwards arrives."""
        for end in (self, self.peer):
            end.send_reset()
        self.severed = self.peer.severed = True

    def stall(self) -> None:
        """One more segment to this end waits for a heal; after GIVE_UP_NS the sender gives up."""
        self.stalled += 1
        if self._giving_up is None:
            at_ns = self._loop.clock.now_ns + GIVE_UP_NS
            self._giving_up = self._loop.call_at_ns(at_ns, self._give_up, context=self.peer._context)

    def _give_up(self) -> None:
        self._giving_up = None
        sender = self.peer
        sender.severed = True
        self._drop_inbox()
        if not sender.gone:
            sender._force_close(TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT)))
        self.forget()

    def _drop_inbox(self) -> None:
        self._inbox.clear()
        self.stalled = 0

    def release(self) -> None:
        """The link is healed: what was held travels now, unless its sender is long gone."""
        if self._giving_up is not None:
            self._giving_up.cancel()
            self._giving_up = None
        sender = self.peer
        now_ns = self._loop.clock.now_ns
        if sender.gone and now_ns - sender._closed_at_ns > ORPHAN_NS:
            self._drop_inbox()
            self.forget()
            return
        arrival_ns = max(self._last_arrival_ns, now_ns + sender.link.travel_ns())
        self._last_arrival_ns = arrival_ns
        count, self.stalled = self.stalled, 0
        for _ in range(count):
            self._loop.rearm(arrival_ns, self._arrival)
        self.forget()


_NO_CONTEXT: Final = contextvars.Context()  # of a connection nobody has accepted yet
_KIND_NAMES: Final = {FIN: "fin", RST: "rst", ACCEPT: "accept"}


def _nothing() -> None:
    return None


def join(client: StreamTransport, server: StreamTransport, forget: Callable[[], None]) -> None:
    """Make two transports the ends of one connection; ``forget`` is called as each end closes."""
    client.peer, server.peer = server, client
    client.forget = server.forget = forget
