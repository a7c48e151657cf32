"""The peer: a plain asyncio protocol that carries out a script, speaking bytes, with TLS of its own where needed.

The same class listens on the simulated network and on loopback. TLS runs over memory BIOs inside it, so a script can
act in the middle of a handshake or of a record.
"""

import asyncio
import base64
import contextlib
import hashlib
import re
import socket
import ssl
import struct
from collections.abc import Callable
from typing import Any, Final

from tests.conformance.describing import describe
from tests.conformance.rendezvous import IDLE_S, Rendezvous, settle
from tests.conformance.scripts import ANSWER, DUE, OPENED, TEXT_FRAME, WS_END, Step, Steps, send

PIECES: Final = 4
_KEY: Final = re.compile(rb"sec-websocket-key: *([^\r]+)\r\n", re.IGNORECASE)
_WS_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Gone(Exception):
    """The client's end is closed or broken; the script is over."""


class Peer(asyncio.Protocol):
    """One connection of a cell, as its peer."""

    def __init__(
        self, steps: Steps, rendezvous: Rendezvous, tls: ssl.SSLContext | None, stop_listening: Callable[[], None]
    ) -> None:
        self._steps = steps
        self._meet = rendezvous
        self._stop_listening = stop_listening
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = tls.wrap_bio(self._incoming, self._outgoing, server_side=True) if tls is not None else None
        self._secure = False
        self._raw = bytearray()  # a ClientHello read but not yet given to TLS
        self._plain = bytearray()
        self._due = b""
        self._head = b""
        self._ended = False
        self._changed = asyncio.Event()
        self.log: list[str] = []
        self.transport: Any = None
        self.task: asyncio.Task[None] | None = None

    # ---- what the loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self._meet.peers.append(self.log)
        self.log.append("connected")
        self.task = asyncio.get_running_loop().create_task(self._run())

    def data_received(self, data: bytes) -> None:
        if self._tls is None:
            self._plain += data
        elif self._secure:
            self._incoming.write(data)
            self._decrypt()
        else:
            self._raw += data
        self._changed.set()

    def eof_received(self) -> bool:
        self.log.append("eof_received")
        self._ended = True
        self._changed.set()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self.log.append("connection_lost" if exc is None else f"connection_lost {' < '.join(describe(exc))}")
        self._ended = True
        self._changed.set()

    # ---- the script

    async def end(self) -> None:
        """End a script that still waits; one that broke raises here what broke it."""
        if self.task is not None:
            self.task.cancel()
            await asyncio.wait([self.task])
            if not self.task.cancelled() and (error := self.task.exception()) is not None:
                raise error
        if self.transport is not None:
            self.transport.abort()

    async def _run(self) -> None:
        with contextlib.suppress(Gone):
            for step in self._steps:
                await self._do(step)
        if self._ended:
            self.transport.close()

    async def _do(self, step: Step) -> None:
        verb = getattr(self, step.verb)
        if step.data:
            await verb(step.data)
        elif step.size:
            await verb(step.size)
        else:
            await verb()

    async def settle(self) -> None:
        await settle()

    async def act(self) -> None:
        self._meet.act()
        self.log.append("(acts)")

    async def let_client_go(self) -> None:
        self._meet.go.set()

    async def let_rest_go(self) -> None:
        self._meet.rest.set()

    async def await_head_sent(self) -> None:
        await self._meet.head_sent.wait()
        await settle()

    async def await_opened(self) -> None:
        await self._meet.opened.wait()
        await settle()

    async def wait_idle_timeout(self) -> None:
        await asyncio.sleep(IDLE_S)

    async def stop_listening(self) -> None:
        self._stop_listening()

    async def serve_one(self) -> None:
        """One request without a body, answered in good order; one for a WebSocket is greeted and seen off."""
        await self.read_head()
        if _KEY.search(self._head) is None:
            await self.send(ANSWER)
            return
        await self.prepare_switch()
        for step in (DUE, OPENED, send(TEXT_FRAME), *WS_END):
            await self._do(step)
        raise Gone

    async def serve(self) -> None:
        while True:
            await self.serve_one()

    # ---- reading

    async def stop_reading(self) -> None:
        self.transport.pause_reading()

    async def narrow_buffer(self) -> None:
        """Little room for what is not read, however much memory the machine gives its sockets."""
        self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)

    async def read_on(self) -> None:
        self.transport.resume_reading()

    async def _more(self) -> None:
        if self._ended:
            raise Gone
        self._changed.clear()
        await self._changed.wait()

    async def read_head(self) -> None:
        while b"\r\n\r\n" not in self._plain:
            await self._more()
        head, _, rest = bytes(self._plain).partition(b"\r\n\r\n")
        self._head, self._plain = head + b"\r\n", bytearray(rest)
        self.log.append(f"got_head {head.split(b' ')[0].decode()}")

    async def read_body(self, size: int) -> None:
        while len(self._plain) < size:
            await self._more()
        del self._plain[:size]
        self.log.append(f"got_body {size}")

    async def read_frame(self) -> None:
        """One short masked frame."""
        while len(self._plain) < 6 or len(self._plain) < 6 + (self._plain[1] & 127):
            await self._more()
        self.log.append(f"got_frame {self._plain[0] & 15}")
        del self._plain[: 6 + (self._plain[1] & 127)]

    async def read_to_end(self) -> None:
        """Whatever still comes, until the client closes."""
        with contextlib.suppress(Gone):
            while True:
                await self._more()

    async def do_nothing_more(self) -> None:
        await self.read_to_end()

    # ---- sending and closing

    async def send(self, data: bytes) -> None:
        if self._tls is None:
            self.transport.write(data)
        else:
            self._tls.write(data)
            self._flush()

    async def send_raw(self, data: bytes) -> None:
        self.transport.write(data)

    async def send_slowly(self, data: bytes) -> None:
        for piece in _pieces(data):
            await settle()
            await self.send(piece)

    async def send_due(self) -> None:
        await (self.send if self._secure else self.send_raw)(self._due)

    async def send_due_part(self, size: int) -> None:
        await (self.send if self._secure else self.send_raw)(self._due[:size])
        self._due = self._due[size:]

    async def send_due_slowly(self) -> None:
        for piece in _pieces(self._due):
            await settle()
            await (self.send if self._secure else self.send_raw)(piece)

    async def reset(self) -> None:
        self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    async def close(self) -> None:
        self._notice()
        self.transport.close()

    async def close_without_notice(self) -> None:
        self.transport.close()

    async def close_sending(self) -> None:
        self._notice()
        self.transport.write_eof()

    async def close_sending_without_notice(self) -> None:
        self.transport.write_eof()

    # ---- what is due

    async def prepare_switch(self) -> None:
        found = _KEY.search(self._head)
        key = found.group(1).strip() if found else b""
        accept = base64.b64encode(hashlib.sha1(key + _WS_GUID, usedforsecurity=False).digest())
        self._due = (
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )

    async def prepare_flight(self) -> None:
        """The server's part of the handshake, not yet sent."""
        if self._tls is None:
            raise AssertionError("a flight of a plain connection")
        self._incoming.write(bytes(self._raw))
        self._raw.clear()
        with contextlib.suppress(ssl.SSLWantReadError):
            self._tls.do_handshake()
        self._due = self._outgoing.read()

    # ---- TLS

    async def read_hello(self) -> None:
        """The whole record of the ClientHello."""
        while len(self._raw) < 5 or len(self._raw) < 5 + int.from_bytes(self._raw[3:5], "big"):
            await self._more()
        self.log.append("got_hello")

    async def finish_tls(self) -> None:
        if self._tls is None:
            raise AssertionError("a handshake of a plain connection")
        while True:
            self._incoming.write(bytes(self._raw))
            self._raw.clear()
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush()
                await self._more()
            except ssl.SSLError as error:
                self.log.append(f"handshake {describe(error)[0]}")
                self._flush()
                raise Gone from error
            else:
                break
        self._flush()
        self._secure = True
        self.log.append("handshake done")
        self._decrypt()

    def _decrypt(self) -> None:
        if self._tls is None:
            return
        try:
            while data := self._tls.read(65_536):
                self._plain += data
            self.log.append("close_notify")
        except ssl.SSLWantReadError:
            return
        except ssl.SSLZeroReturnError:  # the same, after one's own
            self.log.append("close_notify")
        except ssl.SSLError as error:
            self.log.append(f"tls {describe(error)[0]}")

    def _notice(self) -> None:
        """close_notify, where there is TLS."""
        if self._tls is not None:
            with contextlib.suppress(ssl.SSLError):
                self._tls.unwrap()
            self._flush()

    def _flush(self) -> None:
        data = self._outgoing.read()
        if data:
            self.transport.write(data)


def _pieces(data: bytes) -> list[bytes]:
    size = -(-len(data) // PIECES)
    return [data[at : at + size] for at in range(0, len(data), size)]
