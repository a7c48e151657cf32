"""Stream transports in memory: what a TCP socket under asyncio does, as far as a peer can tell.

This is the reading half, and what faults do to a connection; sending and closing are inherited.
"""

from collections.abc import Callable
from typing import Final

from pulse_sim.kernel.endpoint import ACCEPT, DATA, FIN, NO_CONTEXT, NOWHERE, RST
from pulse_sim.kernel.sending import WritingEndpoint

ORPHAN_NS: Final = 100_000_000_000
"""How long Linux keeps retransmitting for a socket that its program has closed."""
_KIND_NAMES: Final = {FIN: "fin", RST: "rst", ACCEPT: "accept"}


class StreamTransport(WritingEndpoint):
    """One end of a simulated connection."""

    __slots__ = ()

    def _arrive(self) -> None:
        """The head of the inbox has travelled far enough."""
        if self.link.cut and self._is_held():
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
            self.part()
        elif kind == ACCEPT:
            if self.accepting is not None:
                self.accepting(self)
        elif (
            self._paused or self._unread or self._closing or self._eof_received
        ):  # asyncio reads on after none of these
            self._hold_back(kind, data)
        elif kind == DATA:
            self._receive(data)
        else:
            self._receive_end(kind)

    def _is_held(self) -> bool:
        """One direction is held: either this segment waits, or no ACK for it will reach its sender."""
        if not self._inbox:
            return False
        if self.peer.link.held:
            self.stall()
            return True
        if self._inbox[0][0] in (DATA, FIN):
            self._await_giving_up()
        return False

    def _hold_back(self, kind: int, data: bytes) -> None:
        """Keep what the program does not read now; a program that is closing never will."""
        if kind == RST:
            self._reset_received = True
            if self._closing and not self._lost:  # still flushing: the next send fails
                self._force_close(self._reset_error())
        self._unread.append((kind, data))

    def _receive(self, data: bytes) -> None:
        try:
            if self._buffered is None:
                self.peer.acknowledge(len(data))
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
            self.peer.acknowledge(size)
            protocol.buffer_updated(size)
            if view and (self._paused or self._closing):  # the rest stays in the socket
                self._unread.appendleft((DATA, bytes(view)))
                return
        if view:
            self.peer.acknowledge(len(view))
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
            self.loop.call_soon(self._read_on, context=self._context)

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

    def refuse(self) -> None:
        """Nobody accepts this end, or ever will: Linux resets the other."""
        self.send_reset()
        self.gone = True
        self.forget()

    def perish(self, *, told: bool) -> None:
        """The program is dead. ``told``: its kernel closes the socket and so tells the peer; otherwise the machine is
        off, what it had just sent is lost, and whatever reaches it once it is on again is answered with a reset.
        """
        self._server = None  # whom it would wake is dead
        self._protocol = self._buffered = None
        self._buffer.clear()
        self._context = self._arrival._context = NO_CONTEXT
        if told:
            self._close_socket()
            return
        self.gone = self._closing = self._eof_sent = True
        self._lost = max(1, self._lost)
        self._closed_at_ns = self.loop.clock.now_ns
        self._unread.clear()
        self.divert(None)
        self.peer._drop_inbox()
        self.peer.healed()
        self.forget()

    # ---- faults

    def sever(self) -> None:
        """Reset both ends, behind what is under way to each; nothing either sends afterwards arrives."""
        for end in (self, self.peer):
            if not end._rst_sent:
                end._rst_sent = True
                end.pass_on(RST, b"")
            end.divert(NOWHERE)

    def healed(self) -> None:
        """A fault was taken away somewhere: what nothing holds any more travels now."""
        if not self.peer.link.held:
            self._hear()
            if self.stalled:
                self._release()
        if self._giving_up is not None and not self.stalled and not self.link.cut:
            self._giving_up.cancel()
            self._giving_up = None

    def _release(self) -> None:
        """What was held travels now, unless its sender is long gone."""
        if self._giving_up is not None:
            self._giving_up.cancel()
            self._giving_up = None
        sender = self.peer
        now_ns = self.loop.clock.now_ns
        if sender.gone and now_ns - sender._closed_at_ns > ORPHAN_NS:
            self._drop_inbox()
            self.forget()
            return
        arrival_ns = max(self._last_arrival_ns, now_ns + sender.link.travel_ns())
        self._last_arrival_ns = arrival_ns
        count, self.stalled = self.stalled, 0
        for _ in range(count):
            self.loop.rearm(arrival_ns, self._arrival)
        self.forget()


def join(client: StreamTransport, server: StreamTransport, forget: Callable[[], None]) -> None:
    """Make two transports the ends of one connection; ``forget`` is called as each end closes."""
    client.peer, server.peer = server, client
    client.forget = server.forget = forget
