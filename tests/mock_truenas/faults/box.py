"""A mock and a client of raw bytes, on real loopback sockets or in a simulation; cases written once run on both."""

import asyncio
import contextlib
import json
import random
import struct
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

from mock_truenas.appliance import build_appliance
from mock_truenas.behaviour import Behaviour
from mock_truenas.faults import FAULT_KINDS, Recipe
from mock_truenas.journal import JournalEntry
from mock_truenas.server import MockTrueNAS
from pulse_sim.kernel import Simulation
from tests.mock_truenas.wire import START_NS, Reply, SetClock, read_reply

QUICK = Behaviour(failed_login_delay=False, login_rate_limit=False)
PATIENCE_S = 20
SHAKE = (
    "GET {path} HTTP/1.1\r\nHost: nas\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
TEXT, CLOSE = 1, 8


@dataclass
class Socket:
    """A WebSocket without a library: frames as they come."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    shaken: Reply

    def send(self, text: str) -> None:
        data = text.encode()
        head = bytes((0x81, 0x80 | len(data))) if len(data) < 126 else struct.pack("!BBH", 0x81, 0xFE, len(data))
        self.writer.write(head + b"\0\0\0\0" + data)

    def ask(self, method: str, *params: Any, id_: int | None = 1) -> None:
        message = {"jsonrpc": "2.0", "id": id_, "method": method, "params": list(params)}
        self.send(json.dumps(message))

    async def frame(self) -> tuple[int, bytes] | str:
        """Opcode and payload of the next frame; ``fin`` or ``reset`` where the connection ends."""
        try:
            first, second = await self.reader.readexactly(2)
            size = second & 0x7F
            if size == 126:
                (size,) = struct.unpack("!H", await self.reader.readexactly(2))
            elif size == 127:
                (size,) = struct.unpack("!Q", await self.reader.readexactly(8))
            return first & 0x0F, await self.reader.readexactly(size)
        except asyncio.IncompleteReadError as error:
            return f"fin after {error.partial!r}" if error.partial else "fin"
        except ConnectionResetError:
            return "reset"

    async def text(self) -> str:
        """The next message."""
        got = await asyncio.wait_for(self.frame(), PATIENCE_S * 60)
        assert isinstance(got, tuple), got
        assert got[0] == TEXT, got
        return got[1].decode()

    async def text_within(self, patience_s: float) -> str:
        """The next message. Raises TimeoutError when none comes."""
        got = await asyncio.wait_for(self.frame(), patience_s)
        assert isinstance(got, tuple), got
        return got[1].decode()

    async def message(self) -> Any:
        return json.loads(await self.text())

    async def call(self, method: str, *params: Any, id_: int = 1) -> Any:
        """The reply to one call."""
        self.ask(method, *params, id_=id_)
        return await self.message()

    async def closed(self) -> tuple[int, str] | str:
        """Code and reason of the close frame that comes next, or how else the connection ends."""
        got = await asyncio.wait_for(self.frame(), PATIENCE_S * 60)
        if isinstance(got, str):
            return got
        assert got[0] == CLOSE, got
        return struct.unpack("!H", got[1][:2])[0], got[1][2:].decode()

    def leave(self) -> None:
        self.writer.transport.abort()


@dataclass
class Box:
    """One appliance, its journal, and a client."""

    nas: MockTrueNAS
    key: str
    address: str
    port: int
    journal: list[JournalEntry]
    injected: int = 0
    sockets: list[Socket] = field(default_factory=list)

    @property
    def has_rest(self) -> bool:
        return self.nas.appliance.release.dialect.has("rest")

    @property
    def has_rpc(self) -> bool:
        return self.nas.appliance.release.dialect.has("json_rpc")

    def inject(self, recipe: Recipe, **more: Any) -> None:
        parameters = FAULT_KINDS[recipe.kind].parameters.model_validate({**recipe.parameters, **more})
        self.nas.inject("fault", recipe.kind, parameters)

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(self.address, self.port)

    async def rest(
        self, target: str, method: str = "GET", body: bytes = b"", authorization: str | None = None
    ) -> Reply:
        """One REST request, or one for a page when ``target`` says so with two slashes."""
        path = target[1:] if target.startswith("//") else f"/api/v2.0{target}"
        lines = [
            f"{method} {path} HTTP/1.1",
            "Host: nas",
            f"Authorization: {authorization or f'Bearer {self.key}'}",
            *([f"Content-Length: {len(body)}"] if body else []),
        ]
        reader, writer = await self.connect()
        try:
            writer.write("\r\n".join([*lines, "", ""]).encode() + body)
            return await asyncio.wait_for(read_reply(reader, method), PATIENCE_S * 60)
        finally:
            writer.transport.abort()

    async def shake(self, path: str = "/api/current") -> Socket:
        """A handshake; whoever wants to talk looks at the status first."""
        reader, writer = await self.connect()
        try:
            socket = await self._shaken(reader, writer, path)
        except BaseException:
            # A cancelled or refused one would hold its connection until it is collected, and Python warns of that.
            writer.transport.abort()
            raise
        self.sockets.append(socket)
        return socket

    async def _shaken(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str) -> Socket:
        writer.write(SHAKE.format(path=path).encode())
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE_S)
        first, *lines = head.decode().split("\r\n")[:-2]
        _, status, reason = first.split(" ", 2)
        headers = tuple((name, value.strip()) for name, _, value in (line.partition(":") for line in lines))
        body = b"" if status == "101" else await reader.readexactly(int(dict(headers)["Content-Length"]))
        return Socket(reader, writer, Reply(int(status), reason, headers, body, "open"))

    async def logged_in(self) -> Socket:
        socket = await self.shake()
        assert await socket.call("auth.login_with_api_key", self.key) == {"jsonrpc": "2.0", "result": True, "id": 1}
        return socket

    async def shaped(self) -> list[JournalEntry]:
        """The entries that name the fault, once everybody has gone."""
        for socket in self.sockets:
            socket.leave()
        await asyncio.sleep(0.01)
        return [entry for entry in self.journal if "fault" in entry.faults]

    async def clean(self) -> None:
        """After healing the next request on every face is as ever, and no entry names the fault any more."""
        self.nas.heal("fault")
        await self.nas.settled()
        self.journal.clear()
        if self.has_rest:
            reply = await self.rest("/system/info")
            assert (reply.status, reply.ended) == (200, "open")
            assert json.loads(reply.body)["hostname"] == "truenas"
        if self.has_rpc:
            socket = await self.logged_in()
            assert (await socket.call("system.info", id_=2))["result"]["hostname"] == "truenas"
            socket.leave()
        await asyncio.sleep(0.01)
        assert self.journal
        assert [entry.faults for entry in self.journal] == [()] * len(self.journal)


Act = Callable[[Box], Coroutine[Any, Any, None]]


def _made(clock: Any, entropy: Any, rng: random.Random, release: str, behaviour: Behaviour) -> tuple[Any, ...]:
    journal: list[JournalEntry] = []
    appliance = build_appliance(fixture="baseline", clock=clock, entropy=entropy, rng=rng, release=release)
    nas = MockTrueNAS(appliance, clock=clock, journal=journal.append, behaviour=behaviour)
    return nas, appliance.mint_api_key("pulse"), journal


@contextlib.asynccontextmanager
async def real_box(release: str, behaviour: Behaviour) -> AsyncIterator[Box]:
    """On a free loopback port. The clock stands; whatever reaches the loop's exception handler fails the test."""
    complaints: list[Mapping[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    entropy, rng = random.Random("entropy").randbytes, random.Random("appliance")
    nas, key, journal = _made(SetClock(), entropy, rng, release, behaviour)
    await nas.start("127.0.0.1", 0)
    box = Box(nas, key, "127.0.0.1", nas.port, journal)
    try:
        yield box
    finally:
        for socket in box.sockets:
            socket.leave()
        await nas.stop()
    assert complaints == []


def on_real_sockets(release: str, behaviour: Behaviour, act: Act) -> None:
    """Run a case on real sockets."""

    async def world() -> None:
        async with real_box(release, behaviour) as box:
            await act(box)

    asyncio.run(world())


def in_simulation(release: str, behaviour: Behaviour, act: Act) -> None:
    """Run a case in virtual time."""
    sim = Simulation(seed=7, start_ns=START_NS, rebind=("aiohttp", "aiohappyeyeballs", "mock_truenas"))
    host, client = sim.host("nas-1"), sim.host("client")
    nas, key, journal = _made(host.clock, sim.entropy("nas-1"), sim.stream("nas-1"), release, behaviour)

    async def world() -> None:
        await host.run(nas.start(host.address, 80), name="start")
        await client.run(act(Box(nas, key, host.address, 80, journal)), name="client")
        await host.run(nas.stop(), name="stop")

    sim.run(world())
