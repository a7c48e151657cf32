"""Messages of the older face as values and text (truenas-api 6). Knows no methods and no connection."""

import errno
import json
from typing import Any, Final

from mock_truenas.api.errors import ENOMETHOD
from mock_truenas.api.sockets.told import Told

VERSION: Final = "1"
_BARE: Final = {
    "[ENOTAUTHENTICATED] Not authenticated": "Not authenticated",
    "[EBUSY] Rate Limit Exceeded": "Rate Limit Exceeded",
}
FAILED: Final = json.dumps({"msg": "failed", "version": VERSION})


def connected(session: str) -> str:
    """The answer to ``connect``."""
    return json.dumps({"msg": "connected", "session": session})


def pong(message: dict[str, Any]) -> str:
    """The answer to ``ping``, with its id if it had one."""
    answer = {"msg": "pong"}
    return json.dumps({**answer, "id": message["id"]} if "id" in message else answer)


def around(id_: Any) -> tuple[str, str]:
    """What stands before and after the JSON text of a result."""
    return f'{{"id": {json.dumps(id_)}, "msg": "result", "result": ', "}"


def error(id_: Any, data: dict[str, Any]) -> str:
    """The answer with an error."""
    return json.dumps({"msg": "result", "id": id_, "error": data})


def ready(id_: Any) -> str:
    """The answer to ``sub``."""
    return json.dumps({"msg": "ready", "subs": [id_]})


def nosub(collection: str, data: dict[str, Any] | None) -> str:
    """An event source has ended."""
    ended: dict[str, Any] = {"msg": "nosub", "collection": collection}
    return json.dumps({**ended, "error": data} if data is not None else ended)


def data_of(told: Told, *, frames: bool, bare: bool, py_exceptions: bool = False) -> dict[str, Any]:
    """The ``error`` of an answer. ``bare``: as in 24.x, which says less before anybody is logged in."""
    number = errno.EAGAIN if told.validation else told.number
    if bare and told.reason in _BARE:
        return _data(number, told, _BARE[told.reason], None)
    data = _data(number, told, told.reason, None if bare and told.number == ENOMETHOD else told.trace(frames=frames))
    return {**data, "py_exception": told.pickled()} if py_exceptions else data


def _data(number: int, told: Told, reason: str, trace: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "error": number,
        "errname": "EAGAIN" if told.validation else told.name,
        "type": "VALIDATION" if told.validation else None,
        "reason": reason,
        "trace": trace,
        "extra": told.extra,
    }
