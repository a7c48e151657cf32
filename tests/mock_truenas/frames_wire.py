"""WebSocket frames by hand: what is on the wire, byte by byte. Uses no WebSocket library on purpose."""

import asyncio
import base64
import json
import random
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from mock_truenas.appliance import Appliance, build_appliance
from mock_truenas.behaviour import Behaviour
from mock_truenas.server import MockTrueNAS
from tests.mock_truenas.wire import Journal, Served, SetClock

TEXT: Final = 1
BINARY: Final = 2
CLOSE: Final = 8
PING: Final = 9
PONG: Final = 10
KEY: Final = base64.b64encode(b"0123456789abcdef").decode()
NO_WAITING: Final = Behaviour(failed_login_delay=False)
PATIENCE_S: Final = 10


@dataclass
class Frame:
    """One frame as it came; opcode 0 with nothing in it stands for the end of the connection."""

    opcode: int
    payload: bytes
    first: int = 0

    @property
    def text(self) -> str:
        assert self.opcode == TEXT, self
        return self.payload.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def close(self) -> tuple[int, str]:
        """Code and reason; 1006 when the connection ended without a close frame."""
        if self.opcode == 0:
            return 1006, ""
        assert self.opcode == CLOSE, self
        return struct.unpack("!H", self.payload[:2])[0], self.payload[2:].decode()


END: Final = Frame(0, b"")


@dataclass
class Wire:
    """One WebSocket connection after its handshake."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    head: str
    asked: int = 0
    stray: list[Any] = field(default_factory=list)

    def send(self, payload: bytes | str, opcode: int = TEXT, *, final: bool = True, rsv: int = 0) -> None:
        data = payload.encode() if isinstance(payload, str) else payload
        first = (0x80 if final else 0) | rsv | opcode
        if len(data) < 126:
            head = struct.pack("!BB", first, 0x80 | len(data))
        elif len(data) < 65536:
            head = struct.pack("!BBH", first, 0x80 | 126, len(data))
        else:
            head = struct.pack("!BBQ", first, 0x80 | 127, len(data))
        # A mask of zeros is a mask.
        self.writer.write(head + b"\0\0\0\0" + data)

    async def frame(self) -> Frame:
        """The next frame, or END."""
        try:
            first, length = struct.unpack("!BB", await self.reader.readexactly(2))
            assert not length & 0x80, "a server does not mask"
            if length == 126:
                (length,) = struct.unpack("!H", await self.reader.readexactly(2))
            elif length == 127:
                (length,) = struct.unpack("!Q", await self.reader.readexactly(8))
            return Frame(first & 15, await self.reader.readexactly(length), first)
        except (asyncio.IncompleteReadError, ConnectionResetError):
            return END

    async def next(self) -> Frame:
        """The same, within some seconds of the real clock."""
        return await asyncio.wait_for(self.frame(), PATIENCE_S)

    async def raw(self, text: str) -> str:
        """Send this text; the next one that comes."""
        self.send(text)
        return (await self.next()).text

    def ask(self, method: str, *params: Any) -> int:
        """Send a JSON-RPC call; its id."""
        self.asked += 1
        self.send(json.dumps({"jsonrpc": "2.0", "id": self.asked, "method": method, "params": params}))
        return self.asked

    async def reply_to(self, number: Any) -> dict[str, Any]:
        """The reply with that id; other messages are kept in ``stray``."""
        while True:
            message: dict[str, Any] = (await self.frame()).json
            if message.get("id", message) == number and "method" not in message:
                return message
            self.stray.append(message)

    async def call(self, method: str, *params: Any) -> Any:
        """The result of a JSON-RPC call, or its error object."""
        reply = await self.reply_to(self.ask(method, *params))
        return reply["result"] if "result" in reply else reply["error"]

    async def old_call(self, method: str, *params: Any) -> Any:
        """The same on the older face."""
        self.asked += 1
        self.send(json.dumps({"id": f"c{self.asked}", "msg": "method", "method": method, "params": params}))
        reply = await self.reply_to(f"c{self.asked}")
        return reply["result"] if "result" in reply else reply["error"]

    def end(self) -> None:
        self.writer.transport.abort()


def handshake(path: str, **headers: str) -> bytes:
    """The request of a handshake; an empty header is left out."""
    given = {
        "Host": "nas",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": KEY,
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items() if value), "", ""]
    return "\r\n".join(lines).encode()


async def open_wire(host: str, port: int, path: str, tls: ssl.SSLContext | None = None, **headers: str) -> Wire:
    """A connection with its handshake done, or refused: then ``head`` tells, and the body is still to be read."""
    reader, writer = await asyncio.open_connection(host, port, ssl=tls)
    writer.write(handshake(path, **headers))
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    return Wire(reader, writer, head)


@dataclass
class SocketBox(Served):
    """A running mock of one release whose sockets are spoken by hand."""

    @property
    def appliance(self) -> Appliance:
        return self.nas.appliance

    @asynccontextmanager
    async def wire(self, path: str = "/api/current", *, key: str | None = None, **headers: str) -> AsyncIterator[Wire]:
        """A connection, logged in when a key is given; on the older face it has said hello."""
        wire = await asyncio.wait_for(open_wire("127.0.0.1", self.nas.port, path, None, **headers), PATIENCE_S)
        try:
            if path == "/websocket":
                wire.send('{"msg": "connect", "version": "1", "support": ["1"]}')
                assert (await wire.next()).json["msg"] == "connected"
            if key is not None:
                login = wire.old_call if path == "/websocket" else wire.call
                assert await login("auth.login_with_api_key", key) is True
            yield wire
        finally:
            wire.end()


@asynccontextmanager
async def socket_box(
    release: str = "25.10", behaviour: Behaviour = NO_WAITING, fixture: str = "baseline"
) -> AsyncIterator[SocketBox]:
    """A mock of a release; whatever reaches the loop's exception handler fails the test at the end."""
    clock, journal = SetClock(), Journal()
    appliance = build_appliance(
        fixture=fixture,
        release=release,
        clock=clock,
        entropy=random.Random("1:entropy").randbytes,
        rng=random.Random("1:appliance"),
    )
    nas = MockTrueNAS(appliance, clock=clock, journal=journal, behaviour=behaviour)
    served = SocketBox(nas, appliance.mint_api_key("pulse"), clock, journal)
    asyncio.get_running_loop().set_exception_handler(lambda _, context: served.loop_complaints.append(context))
    await nas.start("127.0.0.1", 0)
    try:
        yield served
    finally:
        await nas.stop()
    assert served.loop_complaints == []
