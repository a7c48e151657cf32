"""The nginx in front: which headers every answer has, and what it answers by itself (truenas-api 1). No network."""

import asyncio
import json
import re
import zlib
from dataclasses import replace
from functools import lru_cache
from typing import Final

from mock_truenas.api.answer import HTML_TYPE, JSON_TYPE, NOT_FOUND, Answer, nginx_page, reason, text
from mock_truenas.appliance.releases import Release
from mock_truenas.faults.effect import Asked

API_ROOT: Final = "/api/v2.0"
_HARDENING: Final = (
    "Strict-Transport-Security: max-age=0; includeSubDomains; preload\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "X-XSS-Protection: 1; mode=block\r\n"
    "Permissions-Policy: geolocation=(),midi=(),sync-xhr=(),microphone=(),camera=(),magnetometer=(),gyroscope=(),"
    "fullscreen=(self),payment=()\r\n"
    "Referrer-Policy: strict-origin\r\n"
    "X-Frame-Options: SAMEORIGIN\r\n"
    "\r\n"
)
_SHORTEST_COMPRESSED: Final = 20
_REFUSED: Final = re.compile(r"q=0(\.0*)?")
_DAYS: Final = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
_MONTHS: Final = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_UI: Final = (
    "<!DOCTYPE html>\n<html><head><title>TrueNAS</title></head>\n"
    "<body><p>A mock TrueNAS. It has no web interface; its API is below /api/v2.0.</p></body></html>\n"
)


def below_api(path: str) -> str | None:
    """The path below /api/v2.0 (``/pool``; ``/`` for the root), or None when nginx does not hand it to the API."""
    if path == API_ROOT:
        return "/"
    return path[len(API_ROOT) :] if path.startswith(API_ROOT + "/") else None


def own_answer(verb: str, path: str, asked: Asked, release: Release) -> Answer:
    """What is answered outside of REST and the WebSockets: the versions, pages, and the redirect to the interface."""
    if path in ("/ui", "/ui/"):
        return Answer(200, _UI.encode(), HTML_TYPE)
    if path.startswith("/api") and release.dialect.has("json_rpc"):
        # From 25.04 on whatever is below /api goes to middlewared; before, only /api/v2.0 does.
        if path != "/api/versions":
            return NOT_FOUND
        if verb not in ("GET", "HEAD"):
            return text(405, headers=(("Allow", "GET,HEAD"),))
        return Answer(200, json.dumps(list(release.api_versions)).encode())
    page = nginx_page(302)
    return Answer(302, page.body, page.content_type, (("Location", f"{asked.scheme}://{asked.host}/ui/"),))


def head(answer: Answer, server: str, now_s: int, keep_alive: bool) -> bytes:  # positional, for the cache
    """Status line and headers, in nginx's order. An answer without a type has no Content-Type."""
    length = None if answer.chunked else answer.length
    return _head(answer.status, answer.content_type, answer.headers, length, server, now_s, keep_alive)


@lru_cache(maxsize=256)
def _head(
    status: int,
    content_type: str | None,
    headers: tuple[tuple[str, str], ...],
    length: int | None,
    server: str,
    now_s: int,
    keep_alive: bool,
) -> bytes:
    lines = [
        f"HTTP/1.1 {status} {reason(status)}\r\nServer: {server}\r\nDate: {http_date(now_s)}\r\n",
        f"Content-Type: {content_type}\r\n" if content_type else "",
        "Transfer-Encoding: chunked\r\n" if length is None else f"Content-Length: {length}\r\n",
        f"Connection: {'keep-alive' if keep_alive else 'close'}\r\n",
        *(f"{name}: {value}\r\n" for name, value in headers),
        _HARDENING,
    ]
    return "".join(lines).encode("utf-8", "surrogateescape")


def chunk(part: bytes) -> bytes:
    """A part of a body whose length was not told; the empty part ends it."""
    return b"%x\r\n%b\r\n" % (len(part), part)


def begun(answer: Answer, after: int) -> Answer:
    """The first bytes of an answer, as they stand on the wire; chunked, they promise the whole of it."""
    whole = answer.whole().body
    promise = b"%x\r\n" % len(whole) if answer.chunked else b""
    return Answer(answer.status, promise + whole[:after])


def for_http_1_0(answer: Answer) -> Answer:
    """HTTP/1.0 knows no chunks."""
    return replace(answer, chunked=False) if answer.chunked else answer


async def compressed(answer: Answer, accepted: str) -> Answer:
    """JSON and pages as nginx compresses them for whoever accepts that: fastest level, no length told."""
    if not _takes_gzip(accepted) or answer.status not in (200, 403, 404) or answer.length < _SHORTEST_COMPRESSED:
        return answer
    if answer.content_type not in (JSON_TYPE, HTML_TYPE):
        return answer
    packer = zlib.compressobj(1, wbits=31)
    packed = [packer.compress(answer.body)]
    for piece in answer.pieces:
        await asyncio.sleep(0)
        packed.append(packer.compress(piece))
    packed.append(packer.flush())
    body, *pieces = [b"".join(packed)] if not answer.pieces else [part for part in packed if part]
    headers = (*answer.headers, ("Content-Encoding", "gzip"))
    return replace(answer, body=body, pieces=tuple(pieces), headers=headers, chunked=True)


def _takes_gzip(accepted: str) -> bool:
    for part in accepted.lower().split(","):
        name, _, weight = part.partition(";")
        if name.strip() == "gzip":
            return _REFUSED.fullmatch(weight.strip()) is None
    return False


@lru_cache(maxsize=16)
def http_date(now_s: int) -> str:
    """The Date header of an instant in Unix seconds. Not strftime: its names follow the locale."""
    days, seconds = divmod(now_s, 86400)
    year, month, day = _civil(days)
    clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{_DAYS[(days + 3) % 7]}, {day:02} {_MONTHS[month - 1]} {year:04} {clock} GMT"


def _civil(days: int) -> tuple[int, int, int]:
    """Year, month and day of a day counted from 1970-01-01 (Gregorian, any sign)."""
    era, day_of_era = divmod(days + 719468, 146097)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36524 - day_of_era // 146096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * day_of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    return year_of_era + era * 400 + (month <= 2), month, day_of_year - (153 * shifted + 2) // 5 + 1
