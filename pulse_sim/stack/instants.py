"""Wall-clock instants as text. Reads no clock."""

from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_NS: Final = 253_402_300_799 * 1_000_000_000  # the end of year 9999, the last instant RFC 3339 can write


def rfc3339(unix_ns: int) -> str:
    """``2026-02-09T00:00:00.250Z``: UTC with milliseconds, rounded down; years outside 1970–9999 are kept in."""
    unix_ns = min(max(unix_ns, 0), _LAST_NS)
    moment = _EPOCH + timedelta(microseconds=unix_ns // 1000)
    return moment.isoformat(timespec="milliseconds")[: -len("+00:00")] + "Z"


def rfc3339_or_none(unix_ns: int | None) -> str | None:
    """As :func:`rfc3339`, with None kept."""
    return None if unix_ns is None else rfc3339(unix_ns)


def ns_from_text(text: str) -> int:
    """Unix nanoseconds of an RFC 3339 instant; without a zone it is UTC. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000
