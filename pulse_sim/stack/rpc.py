"""One JSON-RPC session with an appliance over a WebSocket (truenas-api 5): requests out, replies in, nothing mapped.

It logs in once and stays open; whoever reads an open one finds out at the next call when it is gone. It retries nothing
and knows no resource. Credentials are sent over TLS only: it is built for no other address.
"""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import aiohttp
from yarl import URL

from pulse_sim.stack.connection import Connection
from pulse_sim.stack.errors import AnswerUnusable, LoginRefused, RpcRefused, SessionClosed, StatusRefused
from pulse_sim.stack.runtime import Runtime
from pulse_sim.stack.wire import parse

HEARTBEAT_S: Final = 20.0
"""Well inside the 60 s after which the front of an appliance cuts what is idle (truenas-api 1)."""
FAREWELL_S: Final = 1.0
_ENDS: Final = frozenset(
    {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSING, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR}
)
_NOT_AUTHENTICATED: Final = 207


def endpoint(connection: Connection) -> URL:
    """``wss://nas:443/api/current``. Raises ValueError for a connection without TLS."""
    if not connection.use_https:
        raise ValueError("JSON-RPC would send credentials in the clear; use https")
    return URL.build(scheme="wss", host=connection.host, port=connection.effective_port) / "api" / "current"


def refuse_redirects() -> aiohttp.TraceConfig:
    """Tracing for a session whose WebSocket handshakes must not be sent elsewhere: raises StatusRefused instead."""

    async def refuse(_session: Any, _context: Any, params: aiohttp.TraceRequestRedirectParams) -> None:
        raise StatusRefused(params.response.status)

    tracing = aiohttp.TraceConfig()
    tracing.on_request_redirect.append(refuse)
    return tracing


class RpcSession:
    """An open, logged-in session. Made by :func:`open_rpc`; close it."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        socket: aiohttp.ClientWebSocketResponse,
        runtime: Runtime,
        instance: str,
        clean: Callable[[str], str],
    ) -> None:
        """Owns ``http``: aiohttp keeps the slot of a WebSocket that was cut, so that each has a session of its own."""
        self._http = http
        self._socket = socket
        self._clean = clean
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._last_id = 0
        self._over: BaseException | None = None
        self._reader = runtime.spawn(f"rpc {instance}", self._read())

    @property
    def is_open(self) -> bool:
        """Whether a call can still be made."""
        return self._over is None and not self._socket.closed

    async def call(self, method: str, params: Sequence[Any] = ()) -> Any:
        """The result of one call. Raises RpcRefused, SessionClosed, AnswerUnusable; sets no deadline of its own."""
        if self._over is not None:
            raise self._over
        self._last_id = number = self._last_id + 1
        reply: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[number] = reply
        try:
            request = {"jsonrpc": "2.0", "id": number, "method": method, "params": list(params)}
            await self._socket.send_str(json.dumps(request))
            return await reply
        finally:
            del self._waiting[number]
            if reply.done() and not reply.cancelled():
                reply.exception()  # when sending failed first, nobody else looks at it

    def abandon(self) -> None:
        """Ends the session here and now, without waiting for anything; closing it afterwards tidies up."""
        self._end(SessionClosed(None))
        self._reader.cancel()
        transport = self._socket.get_extra_info("transport")
        if transport is not None:
            transport.abort()  # so that no close frame is sent and none is waited for

    async def close(self, *, farewell: bool) -> None:
        """End the session; with a farewell its peer has a second to answer the close frame. Once more does nothing.

        Cancelled in the middle it leaves no socket open either.
        """
        if not farewell:
            self.abandon()
        self._end(SessionClosed(None))
        self._reader.cancel()
        try:
            await asyncio.wait([self._reader])
            await self._socket.close()
        except BaseException:
            self.abandon()
            raise
        finally:
            await self._http.close()

    async def _read(self) -> None:
        """Hands every reply to whoever waits for it; late ones, notifications and strangers are dropped."""
        while True:
            message = await self._socket.receive()
            if message.type in _ENDS:
                self._end(_ending(message, self._socket))
                return
            if message.type is aiohttp.WSMsgType.TEXT:
                self._take(message.data)
            else:
                self._fail(AnswerUnusable("answer is no text"))

    def _take(self, text: str) -> None:
        try:
            reply = parse(self._clean(text).encode("utf-8", "surrogatepass"))
        except AnswerUnusable as failure:
            self._fail(failure)
            return
        if type(reply) is not dict:
            self._fail(AnswerUnusable("answer is no JSON-RPC reply"))
            return
        if "method" in reply:
            return
        error, number = reply.get("error"), reply.get("id")
        if number is None and error is not None:
            # Only a request that could not be read is refused without its id.
            self._fail(_refusal(error))
            return
        waiter = self._waiting.get(number) if type(number) is int else None
        if waiter is None or waiter.done():
            return
        if error is not None:
            waiter.set_exception(_refusal(error))
        elif "result" in reply:
            waiter.set_result(reply["result"])
        else:
            waiter.set_exception(AnswerUnusable("answer is no JSON-RPC reply"))

    def _fail(self, failure: BaseException) -> None:
        for waiter in self._waiting.values():
            if not waiter.done():
                waiter.set_exception(failure)

    def _end(self, why: BaseException) -> None:
        if self._over is None:
            self._over = why
            self._fail(why)


async def open_rpc(
    http: aiohttp.ClientSession,
    url: URL,
    connection: Connection,
    runtime: Runtime,
    *,
    ssl: Any,
    largest: int,
    clean: Callable[[str], str],
    logging_in: Callable[[], None],
) -> RpcSession:
    """Connect and log in; sets no deadline. Raises StatusRefused when the handshake is refused, LoginRefused.

    ``url`` is that of :func:`endpoint`. ``http`` is closed with the session, and at once when none comes to be.
    ``largest`` is the longest message taken, ``clean`` is applied to every text before it is read, ``logging_in`` is
    told that the credentials are sent now.
    """
    try:
        socket = await http.ws_connect(
            url,
            ssl=ssl,
            heartbeat=HEARTBEAT_S,
            max_msg_size=largest,
            timeout=aiohttp.ClientWSTimeout(ws_close=FAREWELL_S),
        )
    except aiohttp.WSServerHandshakeError as refused:
        await http.close()
        raise StatusRefused(refused.status) from None
    except BaseException:
        await http.close()
        raise
    opened = RpcSession(http, socket, runtime, connection.id, clean)
    try:
        logging_in()
        await log_in(opened, connection)
    except BaseException:
        await opened.close(farewell=False)
        raise
    return opened


async def log_in(session: RpcSession, connection: Connection) -> None:
    """Log in with what the connection has (contract A2). Raises LoginRefused for every reply that is not a success."""
    if connection.api_key and not connection.username:
        reply = await session.call("auth.login_with_api_key", [connection.api_key])
        if reply is not True:
            raise LoginRefused("the API key was refused")
        return
    options = {"login_options": {"user_info": False}}
    if connection.api_key:
        given = {"mechanism": "API_KEY_PLAIN", "username": connection.username, "api_key": connection.api_key}
    else:
        given = {"mechanism": "PASSWORD_PLAIN", "username": connection.username, "password": connection.password}
    reply = await session.call("auth.login_ex", [{**given, **options}])
    word = reply.get("response_type") if type(reply) is dict else None
    if word != "SUCCESS":
        raise LoginRefused(_LOGIN_WORDS.get(str(word), "the login was not understood"))


_LOGIN_WORDS: Final[Mapping[str, str]] = {
    "AUTH_ERR": "the credentials were refused",
    "EXPIRED": "the credentials have expired",
    "DENIED": "the login was denied",
    "OTP_REQUIRED": "a second factor is asked for",
    "REDIRECT": "another controller is the active one",
}


def session_was_lost(failure: BaseException) -> bool:
    """Whether an appliance answered that nobody is logged in: its session ended, the connection did not."""
    return isinstance(failure, RpcRefused) and failure.errno == _NOT_AUTHENTICATED


def _refusal(error: Any) -> RpcRefused:
    fields = error if type(error) is dict else {}
    data = fields.get("data")
    code, number = fields.get("code"), data.get("error") if type(data) is dict else None
    return RpcRefused(code if type(code) is int else 0, number if type(number) is int else None)


def _ending(message: aiohttp.WSMessage, socket: aiohttp.ClientWebSocketResponse) -> BaseException:
    if message.type is aiohttp.WSMsgType.ERROR and socket.close_code == aiohttp.WSCloseCode.MESSAGE_TOO_BIG:
        return AnswerUnusable("answer longer than 4 MiB", final=True)
    code = message.data if message.type is aiohttp.WSMsgType.CLOSE else socket.close_code
    return SessionClosed(code if type(code) is int else None)
