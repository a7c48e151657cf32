"""Answers and refusals of the API in their common shape (contract A9). Knows no route."""

import json
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from pulse_sim.stack.instants import rfc3339
from pulse_sim.stack.seams import Clock

MAX_BODY: Final = 32 * 1024
CLOCK: Final = web.AppKey("clock", Clock)


class Refusal(Exception):
    """A request that is answered with an error body."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        details: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = dict(details or {})
        self.headers = dict(headers or {})


def answer(value: Any, status: int = 200) -> web.Response:
    """A JSON answer."""
    text = json.dumps(value, separators=(",", ":"))
    return web.Response(text=text, status=status, content_type="application/json")


def refuse(refusal: Refusal, clock: Clock) -> web.Response:
    """`{error, code, status_code, timestamp, details}`."""
    body = {
        "error": refusal.message,
        "code": refusal.code,
        "status_code": refusal.status,
        "timestamp": rfc3339(clock.now_ns()),
        "details": refusal.details,
    }
    response = answer(body, refusal.status)
    response.headers.update(refusal.headers)
    return response


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


async def read_object(request: web.Request) -> dict[str, Any]:
    """The JSON object of a request body. Raises Refusal: too large, not JSON, not an object."""
    try:
        value = json.loads(await request.read(), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise Refusal(400, "invalid_request", "the body is not JSON") from None
    if not isinstance(value, dict):
        raise Refusal(400, "invalid_request", "the body is not a JSON object")
    return value
