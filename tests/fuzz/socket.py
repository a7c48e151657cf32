"""A WebSocket client that can send what no library lets one send: fragments, reserved bits, half characters.

Knows frames and their closing; nothing of what they say.
"""

import asyncio
import base64
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

CONTINUATION: Final = 0
TEXT: Final = 1
BINARY: Final = 2
CLOSE: Final = 8
PING: Final = 9
PONG: Final = 10
NO_CLOSE_FRAME: Final = 1006
_MASK: Final = b"\x00\x00\x00\x00"  # a mask like any other, and the payload stays readable


@dataclass(frozen=True)
class Frame:
    """One frame as it goes over the wire."""

    payload: bytes
    opcode: int = TEXT
    last: bool = True
    reserved: int = 0

    def bytes(self) -> bytes:
        """Masked, as a client must."""
        length = len(self.payload)
        if length < 126:
            size = bytes([0x80 | length])
        elif length < 1 << 16:
            size = bytes([0x80 | 126]) + struct.pack("!H", length)
        else:
            size = bytes([0x80 | 127]) + struct.pack("!Q", length)
        return bytes([(0x80 if self.last else 0) | self.reserved << 4 | self.opcode]) + size + _MASK + self.payload


class RawSocket:
    """An open connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, *frames: Frame) -> None:
        """All of them in one go. A peer that is gone already is told by what is received."""
        try:
            self._writer.write(b"".join(frame.bytes() for frame in frames))
            await self._writer.drain()
        except ConnectionError:
            return

    async def receive(self) -> Frame:
        """The next frame; a connection that ended without a close frame reads as one of code 1006."""
        try:
            first, second = await self._reader.readexactly(2)
            length = second & 0x7F
            if length == 126:
                (length,) = struct.unpack("!H", await self._reader.readexactly(2))
            elif length == 127:
                (length,) = struct.unpack("!Q", await self._reader.readexactly(8))
            payload = await self._reader.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError):
            return Frame(struct.pack("!H", NO_CLOSE_FRAME), CLOSE)
        return Frame(payload, first & 0x0F, bool(first & 0x80), first >> 4 & 7)


@asynccontextmanager
async def connected(host: str, port: int, path: str) -> AsyncIterator[RawSocket]:
    """Shake hands. Raises ConnectionError when the answer is not 101."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        key = base64.b64encode(b"sixteen bytes  .").decode()
        writer.write(
            f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
        )
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 101"):
            raise ConnectionError(head.decode("latin-1"))
        yield RawSocket(reader, writer)
    finally:
        writer.transport.abort()


def code_of(frame: Frame) -> int:
    """The code of a close frame; 1005 when it has none."""
    return struct.unpack("!H", frame.payload[:2])[0] if len(frame.payload) >= 2 else 1005
