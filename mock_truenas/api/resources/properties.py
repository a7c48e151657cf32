"""ZFS properties as the API shows them: ``{parsed, rawvalue, value, source, source_info}`` (truenas-api 3.3).

``rawvalue`` is always text; ``value`` is in capitals for what is one of a few words, null for "none". Knows no dataset.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from mock_truenas.api.resources.moment import date

Property = dict[str, Any]

COMMON: Final[Mapping[str, str]] = {
    "deduplication": "off",
    "checksum": "on",
    "sync": "standard",
    "compression": "lz4",
    "copies": "1",
    "snapdev": "hidden",
}
FILESYSTEM: Final[Mapping[str, str]] = {
    "aclmode": "discard",
    "acltype": "posix",
    "xattr": "sa",
    "atime": "off",
    "casesensitivity": "sensitive",
    "exec": "on",
    "snapdir": "hidden",
    "recordsize": "131072",
    "special_small_block_size": "0",
    "quota": "0",
    "refquota": "0",
}
USER: Final = frozenset(
    {"comments", "managedby", "quota_warning", "quota_critical", "refquota_warning", "refquota_critical"}
)
"""Kept as user properties below; absent where they are not set."""
LIMITS: Final = frozenset({"quota", "refquota", "reservation", "refreservation"})
_SIZES: Final = frozenset({"recordsize", "volblocksize", "volsize"})
_SWITCHES: Final = frozenset({"atime", "exec", "readonly", "checksum", "sparse"})
_CREATED_ONCE: Final = frozenset({"casesensitivity", "volblocksize"})
_DAYS: Final = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
_MONTHS: Final = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def inherits(name: str) -> bool:
    """Whether children take a setting over from their parent."""
    return name not in LIMITS | USER | _CREATED_ONCE | {"volsize", "sparse"} and "@" not in name


def prop(parsed: object, raw: str, value: str | None, source: str, source_info: str | None = None) -> Property:
    """A property object."""
    return {"parsed": parsed, "rawvalue": raw, "value": value, "source": source, "source_info": source_info}


def number(amount: int, source: str, source_info: str | None = None) -> Property:
    """A size."""
    return prop(amount, str(amount), nice(amount), source, source_info)


def setting(name: str, raw: str, source: str | None = None, source_info: str | None = None) -> Property:
    """A setting from its raw text; ``source`` None is that of one nobody set."""
    source = source or ("NONE" if name in _CREATED_ONCE else "DEFAULT")
    if name in LIMITS:
        amount = int(raw)
        return prop(amount or None, raw, nice(amount) if amount else None, source, source_info)
    if name in _SIZES:
        return number(int(raw), source, source_info)
    if name in USER:
        return prop(raw, raw, raw, source, source_info)
    if raw.isdigit():
        return prop(int(raw) if name == "copies" else raw, raw, raw, source, source_info)
    parsed = {"on": True, "off": False}.get(raw, raw) if name in _SWITCHES else raw
    return prop(parsed, raw, raw.upper(), source, source_info)


def creation_text(created_at_ns: int) -> str:
    """``Mon Feb  9  0:00 2026``, in UTC. Not strftime: its names follow the locale."""
    at = datetime.fromtimestamp(created_at_ns // 1_000_000_000, UTC)
    return f"{_DAYS[at.weekday()]} {_MONTHS[at.month - 1]} {at.day:2} {at.hour:2}:{at.minute:02} {at.year}"


def creation(created_at_ns: int) -> Property:
    """When it was made."""
    return prop(date(created_at_ns), str(created_at_ns // 1_000_000_000), creation_text(created_at_ns), "NONE")


def nice(amount: int) -> str:
    """A size as ZFS prints it: three digits and a letter, ``204G``, ``1.32T``, ``0B``."""
    power = min(7, max(0, amount.bit_length() - 1) // 10)
    scaled = amount / (1 << (10 * power))
    if power == 0 or scaled == int(scaled):
        return f"{int(scaled)}{'BKMGTPEZ'[power]}"
    digits = 2 if scaled < 10 else 1 if scaled < 100 else 0
    return f"{scaled:.{digits}f}{'BKMGTPEZ'[power]}"
