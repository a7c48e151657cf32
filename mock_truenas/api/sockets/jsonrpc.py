"""JSON-RPC 2.0 messages as values and text (truenas-api 5.2). Knows no methods and no connection."""

import errno
import json
from dataclasses import dataclass
from typing import Any, Final

from mock_truenas.api.sockets.told import Told

INVALID_JSON: Final = -32700
INVALID_REQUEST: Final = -32600
NO_SUCH_METHOD: Final = -32601
INVALID_PARAMS: Final = -32602
INTERNAL: Final = -32603
TOO_MANY_CALLS: Final = -32000
CALL_ERROR: Final = -32001
_MISSING: Final = object()


@dataclass(frozen=True)
class Request:
    """A call. Without ``answered`` it is a notification, to which nothing is said, not even an error."""

    method: str
    params: list[Any]
    id: int | str | None
    answered: bool


@dataclass(frozen=True)
class Refusal:
    """A message that is no call; ``code`` and ``message`` are answered unless it was a notification."""

    code: int
    message: str
    id: int | str | None = None
    answered: bool = True


def read(text: str) -> Request | Refusal:
    """What a client sent. Raises RecursionError when it is nested deeper than any parser goes."""
    try:
        message = json.loads(text)
    except ValueError as error:
        return Refusal(INVALID_JSON, str(error))
    if isinstance(message, list):
        return Refusal(INVALID_JSON, "Batch messages are not supported at this time")
    if not isinstance(message, dict):
        return Refusal(INVALID_JSON, "Invalid Message Format")
    id_ = message.get("id", _MISSING)
    answered = id_ is not _MISSING
    if answered and not isinstance(id_, int | str | None):
        return Refusal(INVALID_REQUEST, "'id' member must be of type string, number or null")
    wrong = _wrong(message)
    if wrong is not None:
        return Refusal(INVALID_REQUEST, wrong, id_ if answered else None, answered)
    return Request(message["method"], message.get("params", []), id_ if answered else None, answered)


def _wrong(message: dict[str, Any]) -> str | None:
    if "jsonrpc" not in message:
        return "Missing 'jsonrpc' member"
    if message["jsonrpc"] != "2.0":
        return "'jsonrpc' member must be '2.0'"
    if "method" not in message:
        return "Missing 'method' member"
    if not isinstance(message["method"], str):
        return "'method' member must be of type string"
    if not isinstance(message.get("params", []), list):
        return "'params' member must be of type array"
    return None


def around(id_: int | str | None) -> tuple[str, str]:
    """What stands before and after the JSON text of a result."""
    return '{"jsonrpc": "2.0", "result": ', f', "id": {json.dumps(id_)}}}'


def error(id_: int | str | None, code: int, message: str, data: dict[str, Any] | None = None) -> str:
    """The answer with an error; without ``data`` it has no such member."""
    told: dict[str, Any] = {"code": code, "message": message}
    if data is not None:
        told["data"] = data
    return json.dumps({"jsonrpc": "2.0", "error": told, "id": id_})


def notification(method: str, params: dict[str, Any]) -> str:
    """A message of the server nobody asked for."""
    return json.dumps({"jsonrpc": "2.0", "method": method, "params": params})


def data_of(told: Told, *, frames: bool, py_exceptions: bool = False) -> dict[str, Any]:
    """The ``data`` of an error."""
    data = {
        "error": told.number,
        "errname": told.name,
        "reason": told.reason,
        "trace": told.trace(frames=frames),
        "extra": told.extra,
    }
    return {**data, "py_exception": told.pickled()} if py_exceptions else data


def unserialisable(reason: str) -> Told:
    """What is told of a result that is no JSON."""
    traced = f"Traceback (most recent call last):\nTypeError: {reason}\n"
    return Told(errno.EFAULT, reason, "TypeError", f"TypeError({reason!r})", traced)
