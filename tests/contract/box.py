"""A mock of any release, and raw callers of its faces: REST over plain sockets, the WebSocket faces frame by frame.

Checks nothing by itself; a caller sees what a client would see.
"""

import asyncio
import json
import random
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType

from mock_truenas.appliance import build_appliance
from mock_truenas.behaviour import Behaviour
from mock_truenas.server import MockTrueNAS
from tests.contract.shape import Resource
from tests.mock_truenas.wire import API, Journal, Reply, Served, SetClock

QUIET: Final = Behaviour(failed_login_delay=False, login_rate_limit=False)
"""No refused login waits, and tests may log in as often as they like."""
PATIENCE_S: Final = 10


class CallRefused(Exception):
    """A call answered with an error object, kept as it came."""

    def __init__(self, error: Mapping[str, Any]) -> None:
        super().__init__(json.dumps(error))
        self.error = error


@dataclass
class Socket:
    """One connection to a WebSocket face. ``stray`` keeps what was no answer to the call that was waited for.

    Each face has its own ``answer``.
    """

    ws: ClientWebSocketResponse
    stray: list[dict[str, Any]] = field(default_factory=list)
    _asked: int = 0

    async def text(self) -> str:
        """The next text frame. Fails when something else comes."""
        message = await asyncio.wait_for(self.ws.receive(), PATIENCE_S)
        assert message.type == WSMsgType.TEXT, message
        text: str = message.data
        return text

    async def closed(self) -> tuple[int | None, str | None]:
        """Code and reason of the close that comes next; 1006 without a reason when there is no close frame."""
        message = await asyncio.wait_for(self.ws.receive(), PATIENCE_S)
        if message.type == WSMsgType.CLOSE:
            return message.data, message.extra
        assert message.type in (WSMsgType.CLOSED, WSMsgType.CLOSING, WSMsgType.ERROR), message
        return self.ws.close_code, None

    async def raw(self, text: str) -> str:
        """Send this, get the next frame."""
        await self.ws.send_str(text)
        return await self.text()

    async def answer_to(self, key: object) -> dict[str, Any]:
        """The frame with that id."""
        while True:
            frame: dict[str, Any] = json.loads(await self.text())
            if frame.get("id") == key and frame.get("msg", "result") in ("result", "pong"):
                return frame
            self.stray.append(frame)

    async def answer(self, method: str, *params: Any) -> dict[str, Any]:
        """The whole frame that answers."""
        raise AssertionError(f"a plain socket cannot call {method} with {params}")

    async def call(self, method: str, *params: Any) -> Any:
        """The result. Raises CallRefused."""
        frame = await self.answer(method, *params)
        if "error" in frame:
            raise CallRefused(frame["error"])
        return frame["result"]


class Rpc(Socket):
    """JSON-RPC 2.0."""

    async def answer(self, method: str, *params: Any) -> dict[str, Any]:
        """The whole frame that answers."""
        self._asked += 1
        told = {"jsonrpc": "2.0", "id": self._asked, "method": method, "params": list(params)}
        await self.ws.send_str(json.dumps(told))
        return await self.answer_to(self._asked)


class Ddp(Socket):
    """The older protocol on ``/websocket``."""

    async def hello(self) -> None:
        """Agree on the version."""
        told = json.loads(await self.raw('{"msg": "connect", "version": "1", "support": ["1"], "features": []}'))
        assert told["msg"] == "connected", told

    async def answer(self, method: str, *params: Any) -> dict[str, Any]:
        """The whole frame that answers."""
        self._asked += 1
        key = f"call-{self._asked}"
        await self.ws.send_str(json.dumps({"id": key, "msg": "method", "method": method, "params": list(params)}))
        return await self.answer_to(key)


@dataclass
class Box(Served):
    """A running mock of one release."""

    release: str = "24.10"

    async def read(self, resource: Resource) -> Any:
        """What a resource gives over REST; the answer must be a good one, printed as the appliance prints."""
        assert resource.rest is not None
        method, _, target = self.placed(resource.rest).partition(" ")
        reply = await self.json(method, target, resource.body)
        assert (reply.status, reply.header("Content-Type")) == (200, "application/json; charset=utf-8"), reply.body[
            :300
        ]
        value = json.loads(reply.body)
        assert reply.body == json.dumps(value, indent=1).encode(), "printed with one space of indent"
        return value

    def placed(self, value: Any) -> Any:
        """A path or parameters with ``{pool}`` as the first pool of this box."""
        pool = next(iter(self.nas.appliance.state.pools))
        if isinstance(value, str):
            return value.replace("{pool}", pool)
        return tuple(self.placed(one) if isinstance(one, str) else one for one in value)

    async def json(self, method: str, target: str, body: Any = None) -> Reply:
        """One request with a JSON body, or without one."""
        sent = b"" if body is None else json.dumps(body).encode()
        return await self.ask(API + target, method, body=sent)

    @asynccontextmanager
    async def rpc(self, path: str = "/api/current", *, login: bool = True) -> AsyncIterator[Rpc]:
        """A connection to the newer face, logged in with our key."""
        async with self._connected(path) as ws:
            socket = Rpc(ws)
            if login:
                assert await socket.call("auth.login_with_api_key", self.key) is True
            yield socket

    @asynccontextmanager
    async def ddp(self, *, login: bool = True) -> AsyncIterator[Ddp]:
        """A connection to the older face, logged in with our key."""
        async with self._connected("/websocket") as ws:
            socket = Ddp(ws)
            await socket.hello()
            if login:
                assert await socket.call("auth.login_with_api_key", self.key) is True
            yield socket

    @asynccontextmanager
    async def _connected(self, path: str) -> AsyncIterator[ClientWebSocketResponse]:
        url = f"http://127.0.0.1:{self.nas.port}{path}"
        async with ClientSession() as session, session.ws_connect(url, max_msg_size=0, autoclose=False) as ws:
            yield ws


@asynccontextmanager
async def box(
    release: str, fixture: str = "baseline", behaviour: Behaviour = QUIET, *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Box]:
    """A mock of ``release``; whatever reaches the loop's exception handler fails the test at the end."""
    clock, journal = SetClock(), Journal()
    appliance = build_appliance(
        fixture=fixture,
        release=release,
        clock=clock,
        entropy=random.Random("1:entropy").randbytes,
        rng=random.Random("1:appliance"),
    )
    nas = MockTrueNAS(appliance, clock=clock, journal=journal, ssl_context=tls, behaviour=behaviour)
    served = Box(nas, appliance.mint_api_key("pulse"), clock, journal, release=release)
    asyncio.get_running_loop().set_exception_handler(lambda _, context: served.loop_complaints.append(context))
    await nas.start("127.0.0.1", 0)
    try:
        yield served
    finally:
        await nas.stop()
    assert served.loop_complaints == []


def said(problems: Sequence[str]) -> str:
    """All problems, a line each."""
    return "\n".join(problems)
