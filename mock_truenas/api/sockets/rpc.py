"""The JSON-RPC 2.0 face of one connection (truenas-api 5.2, 5.5): messages in, calls, answers and events out."""

import asyncio
import json
from functools import partial
from typing import Any, Final

from mock_truenas.api.errors import MethodError, NoSuchMethod, ValidationErrors
from mock_truenas.api.sockets import jsonrpc
from mock_truenas.api.sockets.answers import Answered, deliver, rendered
from mock_truenas.api.sockets.connection import Connection
from mock_truenas.api.sockets.events import Ended, Event
from mock_truenas.api.sockets.jsonrpc import Refusal, Request
from mock_truenas.api.sockets.line import Message
from mock_truenas.api.sockets.performance import Asked, Outcome, forsaken, outcome_of
from mock_truenas.api.sockets.slots import IN_ALL, Slots
from mock_truenas.api.sockets.told import Told, told

_TOO_MANY: Final = f"Maximum number of concurrent calls ({IN_ALL}) has exceeded"


class RpcFace:
    """Answers the messages of one connection."""

    def __init__(self, connection: Connection, slots: Slots) -> None:
        self._connection = connection
        self._slots = slots

    async def take(self, text: str) -> None:
        """A text message came. Raises RecursionError for one nested too deep."""
        began_s = asyncio.get_running_loop().time()
        message = jsonrpc.read(text)
        # Whatever comes first after a session is over ends it, also when it is no call (truenas-api 5.3).
        self._connection.session()
        if isinstance(message, Refusal):
            reply = jsonrpc.error(message.id, message.code, message.message) if message.answered else None
            await self._deliver("", message, began_s, reply, message.code)
        elif self._slots.full:
            code = jsonrpc.TOO_MANY_CALLS
            reply = jsonrpc.error(message.id, code, _TOO_MANY) if message.answered else None
            await self._deliver(message.method, message, began_s, reply, code)
        else:
            asked = Asked(message.method, message.params, message.id, began_s, message.answered)
            self._slots.start(self._call(message, asked), partial(forsaken, self._connection, asked))

    async def _call(self, request: Request, asked: Asked) -> None:
        outcome = await outcome_of(self._connection, asked)
        text: Message | None = None
        code: int | None = None
        if outcome.error is not None:
            text, code = self._error(request, outcome.error)
        elif not outcome.silenced:
            text, code = await self._result(request, outcome.value)
        if not request.answered:
            text = None
        await self._deliver(request.method, request, asked.began_s, text, code, outcome)

    async def _result(self, request: Request, value: Any) -> tuple[Message, int | None]:
        try:
            return await rendered(value, jsonrpc.around(request.id)), None
        except (TypeError, ValueError, RecursionError) as error:
            words = "Failed to JSON serialize server message"
            data = self._data(jsonrpc.unserialisable(str(error)))
            return jsonrpc.error(request.id, jsonrpc.INTERNAL, words, data), jsonrpc.INTERNAL

    def _error(self, request: Request, error: MethodError) -> tuple[str, int]:
        if isinstance(error, NoSuchMethod):
            code = jsonrpc.NO_SUCH_METHOD
            return jsonrpc.error(request.id, code, "Method does not exist"), code
        if isinstance(error, ValidationErrors):
            code = jsonrpc.INVALID_PARAMS
            return jsonrpc.error(request.id, code, "Invalid params", self._data(told(error))), code
        code = jsonrpc.CALL_ERROR
        return jsonrpc.error(request.id, code, "Method call error", self._data(told(error))), code

    def _data(self, said: Told) -> dict[str, Any]:
        connection = self._connection
        frames = connection.appliance.release.dialect.has("trace_frames")
        return jsonrpc.data_of(said, frames=frames, py_exceptions=connection.wishes.py_exceptions)

    async def _deliver(
        self,
        name: str,
        message: Request | Refusal,
        began_s: float,
        text: Message | None,
        code: int | None,
        outcome: Outcome | None = None,
    ) -> None:
        request_id = json.dumps(message.id) if message.answered else None
        await deliver(self._connection, Answered(name, request_id, began_s, text, code), outcome)

    def text_of(self, event: Event | Ended) -> str:
        """How an event is told here."""
        if isinstance(event, Event):
            return jsonrpc.notification("collection_update", event.params())
        error = self._data(told(event.error)) if event.error is not None else None
        return jsonrpc.notification("notify_unsubscribed", {"collection": event.collection, "error": error})
