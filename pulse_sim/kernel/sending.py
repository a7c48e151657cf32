"""The writing half of a simulated connection: what a socket's send buffer and the peer's window do to a writer."""

from typing import Any, Final

from pulse_sim.kernel.endpoint import DATA, HIGH_WATER, Endpoint

WINDOW: Final = 262_144
"""Bytes one direction may have under way or unread, as the two socket buffers of a real connection would hold."""
_NEVER: Final = 1 << 62
_MOST_UNCOUNTED: Final = 64  # ACKs are counted when the window matters, or so many have come


class WritingEndpoint(Endpoint):
    """Sends while the window is open, buffers what is beyond it, and pauses the protocol above its high-water mark."""

    __slots__ = ()

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
        room = WINDOW - self.unacknowledged
        if len(data) > room:
            room = self._room()
        if len(data) <= room:
            self.unacknowledged += len(data)
            self._send(DATA, bytes(data))
            return
        view = bytes(data)
        if room > 0:
            self.unacknowledged += room
            self._send(DATA, view[:room])
        self._buffer += view[max(0, room) :]
        self._await_window()
        self._pause_writer()

    def write_eof(self) -> None:
        if self._closing or self._eof_wanted:
            return
        self._eof_wanted = True
        if not self._buffer:
            self._send_fin()

    def can_write_eof(self) -> bool:
        return True

    def acknowledge(self, size: int) -> None:
        """The peer has read ``size`` bytes; this end hears of it when an ACK has come the way back."""
        acknowledged, back = self._acknowledged, self.peer.link
        acknowledged.append((_NEVER if back.held else self.loop.clock.now_ns + back.delay_ns, size))
        if self._buffer:
            if not self._lost:
                self._await_window()
        elif len(acknowledged) > _MOST_UNCOUNTED:
            self._room()

    def _hear(self) -> None:
        """ACKs can come again: those that were held come now."""
        if self._acknowledged and self._acknowledged[-1][0] == _NEVER:
            at_ns = self.loop.clock.now_ns + self.peer.link.delay_ns
            self._acknowledged = [(min(at_ns, due_ns), size) for due_ns, size in self._acknowledged]
            if self._buffer and not self._lost:
                self._await_window()

    def _room(self) -> int:
        """Bytes the window lets through now."""
        acknowledged, now_ns = self._acknowledged, self.loop.clock.now_ns
        while acknowledged and acknowledged[0][0] <= now_ns:
            self.unacknowledged -= acknowledged.pop(0)[1]
        return WINDOW - self.unacknowledged

    def _await_window(self) -> None:
        if self._acknowledged and self._acknowledged[0][0] < _NEVER and not self._opening_window:
            self._opening_window = True
            self.loop.call_at_ns(self._acknowledged[0][0], self._open_window, context=self._context)

    def _open_window(self) -> None:
        self._opening_window = False
        if self._lost or not self._buffer:
            return
        room = self._room()
        self._await_window()
        if room <= 0:
            return
        data = bytes(self._buffer[:room])
        del self._buffer[:room]
        self.unacknowledged += len(data)
        self._send(DATA, data)
        if self._protocol_paused and len(self._buffer) <= self._low:
            self._protocol_paused = False
            self._protocol.resume_writing()
        if not self._buffer:
            if self._closing:
                self._lost += 1
                self._connection_lost(None)
            elif self._eof_wanted:
                self._send_fin()

    def _pause_writer(self) -> None:
        if not self._protocol_paused and len(self._buffer) > self._high:
            self._protocol_paused = True
            self._protocol.pause_writing()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        if high is None:
            high = HIGH_WATER if low is None else 4 * low
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
