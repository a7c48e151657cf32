"""HTTP answers as values: what middlewared and the nginx in front of it say. Knows no sockets and no requests.

Source of the forms: truenas-api 1 (nginx) and 2.2, 2.4 (middlewared).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, Final

from mock_truenas.api.pieces import default

JSON_TYPE: Final = "application/json; charset=utf-8"
TEXT_TYPE: Final = "text/plain; charset=utf-8"
HTML_TYPE: Final = "text/html"
EINVAL: Final = 22
_REGISTERED: Final = frozenset(int(status) for status in HTTPStatus)
# What nginx and aiohttp print for these; the library's words change with the Python release.
_NGINX_PHRASES: Final = {
    302: "Found",
    408: "Request Time-out",
    413: "Request Entity Too Large",
    414: "Request-URI Too Large",
    416: "Requested Range Not Satisfiable",
    422: "Unprocessable Entity",
    503: "Service Temporarily Unavailable",
    504: "Gateway Time-out",
}


@dataclass(frozen=True)
class Answer:
    """One HTTP answer before delivery; ``content_type`` None means the header is not sent.

    ``pieces`` follow ``body`` on the wire, one after another, for what is too large to be sent at once. ``chunked``:
    the length is not told beforehand.
    """

    status: int
    body: bytes = b""
    content_type: str | None = JSON_TYPE
    headers: tuple[tuple[str, str], ...] = ()
    pieces: tuple[bytes, ...] = ()
    chunked: bool = False

    @property
    def length(self) -> int:
        """Bytes of the whole body."""
        return len(self.body) + sum(map(len, self.pieces)) if self.pieces else len(self.body)

    def whole(self) -> "Answer":
        """The same in one piece."""
        return replace(self, body=b"".join((self.body, *self.pieces)), pieces=()) if self.pieces else self


def reason(status: int) -> str:
    """The reason phrase nginx and aiohttp print; empty for a status nobody registered."""
    return _NGINX_PHRASES.get(status) or (HTTPStatus(status).phrase if status in _REGISTERED else "")


def render(value: Any) -> bytes:
    """JSON as middlewared prints it: one space of indent, ASCII, non-finite floats left bare (truenas-api 2.2)."""
    return json.dumps(value, indent=1, default=default).encode()


def json_answer(status: int, value: Any) -> Answer:
    """A JSON body with its status."""
    return Answer(status, render(value))


def call_error(message: str, errno: int = EINVAL) -> Answer:
    """422 of a CallError: text without the error name, and the number."""
    return json_answer(422, {"message": message, "errno": errno})


def validation_error(problems: Mapping[str, str], errno: int = EINVAL) -> Answer:
    """422 of ValidationErrors: attribute path to a list of messages."""
    return json_answer(422, {path: [{"message": text, "errno": errno}] for path, text in problems.items()})


def method_error(message: str, trace: str) -> Answer:
    """500 of an exception inside a method."""
    return json_answer(500, {"message": message, "traceback": trace})


def text(status: int, body: str | None = None, *, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    """A plain text answer; without ``body`` aiohttp's own ``404: Not Found`` form."""
    return Answer(status, (body if body is not None else f"{status}: {reason(status)}").encode(), TEXT_TYPE, headers)


def server_error(accept: str = "") -> Answer:
    """aiohttp's 500 for an exception outside any method; HTML when the client accepts it."""
    title, why = "500 Internal Server Error", "Server got itself in trouble"
    if "text/html" in accept:
        page = f"<html><head><title>{title}</title></head><body>\n<h1>{title}</h1>\n{why}\n</body></html>\n"
        return Answer(500, page.encode(), "text/html; charset=utf-8")
    return text(500, f"{title}\n\n{why}")


def nginx_page(status: int, title: str | None = None) -> Answer:
    """The stock nginx page of a status, CRLF lines and all; ``title`` replaces the usual heading."""
    heading = title or f"{status} {reason(status)}".rstrip()
    lines = (
        "<html>",
        f"<head><title>{heading}</title></head>",
        "<body>",
        f"<center><h1>{heading}</h1></center>",
        "<hr><center>nginx</center>",
        "</body>",
        "</html>",
        "",
    )
    return Answer(status, "\r\n".join(lines).encode(), HTML_TYPE)


def middleware_error(status: int) -> Answer:
    """What middlewared itself sends for an error status (truenas-api 2.4)."""
    if status == 403:
        return Answer(403, b"", None)
    if status == 422:
        return call_error("Device or resource busy", 16)
    if status == 500:
        trace = 'Traceback (most recent call last):\n  File "middlewared/restful.py"\nException: failed\n'
        return method_error("failed", trace)
    return text(status)


NOT_FOUND: Final = text(404)
UNAUTHORIZED: Final = text(401)
FORBIDDEN: Final = Answer(403, b"", None)
NO_SUCH_ITEM: Final = json_answer(404, {"message": ""})
