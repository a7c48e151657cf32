"""The older face of one connection, ``/websocket`` (truenas-api 6): messages in, calls, answers and events out."""

import asyncio
import errno
import json
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Final

from mock_truenas.api.errors import CallError, MethodError, NotAuthorized
from mock_truenas.api.sockets import ddp
from mock_truenas.api.sockets.answers import Answered, deliver, rendered
from mock_truenas.api.sockets.connection import Connection
from mock_truenas.api.sockets.events import Ended, Event
from mock_truenas.api.sockets.performance import Asked, Outcome, forsaken, outcome_of
from mock_truenas.api.sockets.slots import Slots
from mock_truenas.api.sockets.told import told

Message = dict[str, Any]


class NoJson(Exception):
    """What came is no JSON; the text of the parser."""


class DdpFace:
    """Answers the messages of one connection."""

    def __init__(self, connection: Connection, slots: Slots) -> None:
        self._connection = connection
        self._slots = slots
        self._connected = False

    async def take(self, text: str) -> None:
        """A text message came. Raises NoJson, and whatever a message without the usual members causes."""
        try:
            message: Message = json.loads(text)
        except ValueError as error:
            raise NoJson(str(error)) from None
        self._connection.session()
        kind = message["msg"]
        if kind == "connect":
            await self._connect(message)
        elif not self._connected:
            await self._connection.line.send(ddp.FAILED, face="ddp")
        elif kind in _TAKES:
            await _TAKES[kind](self, message)

    async def _connect(self, message: Message) -> None:
        if message.get("version") != ddp.VERSION:
            await self._connection.line.send(ddp.FAILED, face="ddp")
            return
        features = message.get("features")
        if isinstance(features, list) and "PY_EXCEPTIONS" in features:
            self._connection.wish(py_exceptions=True)
        self._connected = True
        await self._connection.line.send(ddp.connected(self._connection.house.sessions.fresh_id()), face="ddp")

    async def _ping(self, message: Message) -> None:
        if self._connection.appliance.release.dialect.has("ddp_ping"):
            await self._connection.line.send(ddp.pong(message), face="ddp")

    async def _method(self, message: Message) -> None:
        id_, name, params = message["id"], message["method"], message.get("params", [])
        began_s = asyncio.get_running_loop().time()
        if not isinstance(name, str):
            raise TypeError("a method's name is text")
        if self._slots.full:
            error = CallError("Maximum number of concurrent calls has exceeded", errno.ETOOMANYREFS)
            await self._refuse(id_, name, began_s, error)
            return
        arguments = params if isinstance(params, list) else []
        asked = Asked(name, arguments, id_, began_s)
        self._slots.start(self._call(asked), partial(forsaken, self._connection, asked))

    async def _call(self, asked: Asked) -> None:
        id_, name, began_s = asked.message_id, asked.name, asked.began_s
        outcome = await outcome_of(self._connection, asked)
        if outcome.error is None and not outcome.silenced:
            try:
                text = await rendered(outcome.value, ddp.around(id_))
            except (TypeError, ValueError, RecursionError) as error:
                outcome.error = CallError(str(error), errno.EFAULT)
            else:
                await deliver(self._connection, Answered(name, json.dumps(id_), began_s, text), outcome)
                return
        if outcome.error is not None:
            await self._refuse(id_, name, began_s, outcome.error, outcome)
        else:
            await deliver(self._connection, Answered(name, json.dumps(id_), began_s, None), outcome)

    async def _refuse(
        self, id_: Any, name: str, began_s: float, error: MethodError, outcome: Outcome | None = None
    ) -> None:
        data = self._data(error)
        answered = Answered(name, json.dumps(id_), began_s, ddp.error(id_, data), data["error"])
        await deliver(self._connection, answered, outcome)

    async def _sub(self, message: Message) -> None:
        id_, name = message["id"], message["name"]
        began_s = asyncio.get_running_loop().time()
        principal = self._connection.principal()
        if not isinstance(name, str) or not isinstance(id_, str):
            raise TypeError("a subscription has an id and a name")
        if principal is None or not self._connection.may_hear(principal, name):
            await self._refuse(id_, "core.subscribe", began_s, NotAuthorized())
            return
        self._connection.subscriptions.add(id_, name)
        await deliver(self._connection, Answered("core.subscribe", json.dumps(id_), began_s, ddp.ready(id_)))

    async def _unsub(self, message: Message) -> None:
        id_ = message["id"]
        if isinstance(id_, str):
            await self._connection.subscriptions.remove(id_)

    def _data(self, error: MethodError) -> dict[str, Any]:
        dialect = self._connection.appliance.release.dialect
        return ddp.data_of(
            told(error),
            frames=dialect.has("trace_frames"),
            bare=not dialect.has("json_rpc"),
            py_exceptions=self._connection.wishes.py_exceptions,
        )

    def text_of(self, event: Event | Ended) -> str:
        """How an event is told here."""
        if isinstance(event, Event):
            return json.dumps(event.params())
        return ddp.nosub(event.collection, self._data(event.error) if event.error is not None else None)


_TAKES: Final[Mapping[Any, Callable[[DdpFace, Message], Awaitable[None]]]] = {
    "ping": DdpFace._ping,
    "method": DdpFace._method,
    "sub": DdpFace._sub,
    "unsub": DdpFace._unsub,
}
