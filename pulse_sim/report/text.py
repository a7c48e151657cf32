"""Hostile words made harmless, once for every report and again for each place they are shown in (R13).

Names come from appliances and files of others: control characters, ESC, bidirectional overrides and half surrogates
are made visible here. Knows nothing of what is reported.
"""

import re
import unicodedata
from typing import Any, Final

from pulse_sim.units import HOUR, MINUTE, SECOND, format_duration

_PICTURES: Final = 0x2400
_DELETE: Final = 0x7F
_HIDDEN_CATEGORIES: Final = ("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp")
_MARKDOWN: Final = re.compile(r"[\\`*_\[\]<>|~&@$#]")
_ENTITIES: Final = {"<": "&lt;", ">": "&gt;", "&": "&amp;", "@": "&#64;"}
_LINKS: Final = re.compile(r"(?i)(https?|ftp|mailto|xmpp)(:)|(www)(\.)")
_LIMIT: Final = 2000


def plain(value: Any, limit: int = _LIMIT) -> str:
    """``value`` as one printable line: controls become control pictures, other invisible characters ``\\u{…}``."""
    text = str(value)
    shown = "".join(map(_visible, text[: limit + 1]))
    return shown if len(text) <= limit else shown[: limit - 1] + "…"


def markdown(text: str) -> str:
    """``text`` for a Markdown paragraph or table cell: no markup, no HTML, no mention, no link comes to life in it."""
    escaped = _MARKDOWN.sub(lambda match: _ENTITIES.get(match[0], "\\" + match[0]), plain(text))
    return _LINKS.sub(lambda match: f"{match[1]}&#58;" if match[1] else f"{match[3]}&#46;", escaped)


def clock(time_ns: int) -> str:
    """Virtual time since the start as people read it: ``7m 30s``, ``31h 05m``; below a minute with decimals."""
    if time_ns < MINUTE:
        return f"{time_ns / SECOND:.3f}".rstrip("0").rstrip(".") + "s"
    if time_ns < HOUR:
        minutes, rest = divmod(time_ns, MINUTE)
        return f"{minutes}m {rest // SECOND:02d}s" if rest >= SECOND else f"{minutes}m"
    hours, rest = divmod(time_ns, HOUR)
    return f"{hours}h {rest // MINUTE:02d}m" if rest >= MINUTE else f"{hours}h"


def in_words(value: Any) -> str:
    """A plain JSON value as a few words: ``nas-1``, ``5m, 10m``, ``path=/pool``."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return ", ".join(f"{key}={in_words(item)}" for key, item in sorted(value.items()))
    if isinstance(value, list | tuple):
        return ", ".join(in_words(item) for item in value)
    return str(value)


def parameters_in_words(parameters: Any) -> str:
    """Parameters of a fault or a check in one line; nanoseconds (``delay_ns``) are told as durations."""
    if not isinstance(parameters, dict):
        return ""
    parts = []
    for key, value in sorted(parameters.items()):
        if value is None:
            continue
        if key == "between" and isinstance(value, list | tuple) and len(value) == 2:
            parts.append(f"between {in_words(value[0])} and {in_words(value[1])}")
        elif key.endswith("_ns") and type(value) is int:
            parts.append(f"{key[:-3]} {format_duration(value)}")
        else:
            parts.append(f"{key} {in_words(value)}")
    return ", ".join(parts)


def _visible(character: str) -> str:
    if character.isascii():
        code = ord(character)
        if code < 0x20:
            return chr(_PICTURES + code)
        return "␡" if code == _DELETE else character
    if unicodedata.category(character) in _HIDDEN_CATEGORIES:
        return f"\\u{{{ord(character):x}}}"
    return character
