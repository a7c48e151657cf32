"""The nginx in front: which headers every answer has, and what it answers by itself (truenas-api 1). No network."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from mock_truenas.api.answer import Answer, nginx_page, reason

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


def own_answer(path: str, scheme: str, host: str) -> Answer:
    """What nginx of 24.10 answers without asking middlewared. ``host`` is the Host header as it came."""
    if path in ("/ui", "/ui/"):
        return Answer(200, _UI.encode(), "text/html")
    if path == "/websocket":
        return nginx_page(501)
    page = nginx_page(302)
    return Answer(302, page.body, page.content_type, (("Location", f"{scheme}://{host}/ui/"),))


def head(answer: Answer, *, server: str, date: str, length: int, keep_alive: bool) -> bytes:
    """Status line and headers, in nginx's order. An answer without a type has no Content-Type."""
    lines = [
        f"HTTP/1.1 {answer.status} {reason(answer.status)}\r\nServer: {server}\r\nDate: {date}\r\n",
        f"Content-Type: {answer.content_type}\r\n" if answer.content_type else "",
        f"Content-Length: {length}\r\nConnection: {'keep-alive' if keep_alive else 'close'}\r\n",
        *_lines(answer.headers),
        _HARDENING,
    ]
    return "".join(lines).encode("utf-8", "surrogateescape")


def _lines(headers: Iterable[tuple[str, str]]) -> Iterable[str]:
    return (f"{name}: {value}\r\n" for name, value in headers)


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
