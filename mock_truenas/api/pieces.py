"""JSON text of large values in pieces, none of which holds up the loop. Knows no resource and no connection.

The bytes are those of ``json.dumps(value, indent=1)`` (REST, truenas-api 2.2) or ``json.dumps(value)`` (JSON-RPC), but
the standard encoder would need seconds for the 100 MB of a dataset listing: with an indent it runs in Python. Rows of a
large listing are therefore :class:`Row`, which print themselves by filling their few varying values into a text that
many of them have in common (:class:`Stencil`).
"""

import json
import operator
import re
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, Final

PIECE: Final = 128 << 10
MARK: Final = "\ue001"
"""Text with it in a stencil's constants would be taken for a gap: such a value is printed without one."""
_MARKED: Final = re.compile(r'"\\ue001([a-z_0-9]+)\\ue001"')
_PATIENCE: Final = 4000
_ROW_NODES: Final = 200
scalar: Final[Callable[[Any], str]] = json.dumps


class Row(Mapping[str, Any]):
    """An object of a large listing. It counts as a mapping, but is no dict; :func:`plain` makes one of it."""

    __slots__ = ()

    @abstractmethod
    def texts(self, indent: int | None, level: int) -> Iterator[str]:
        """Its JSON text in parts, as the encoder would print it ``level`` containers deep."""


class Stencil:
    """JSON text with gaps for scalars, and holes where other values are printed.

    ``value`` is an object in which ``gap(name)`` stands for each scalar named in ``gaps`` and ``gap(name)`` of any
    other name for a hole.
    """

    def __init__(self, value: Any, gaps: Sequence[str], indent: int | None, level: int) -> None:
        numbers = {name: number for number, name in enumerate(gaps)}
        parts = _MARKED.split(padded(json.dumps(value, indent=indent), level))
        self.holes: list[str] = []
        self._formats: list[tuple[str, Callable[[Sequence[str]], Any] | None]] = []
        text, picked = _escaped(parts[0]), list[int]()
        for name, following in zip(parts[1::2], parts[2::2], strict=True):
            if name in numbers:
                picked.append(numbers[name])
                text += "%s"
            else:
                self._end(text, picked)
                self.holes.append(name)
                text, picked = "", []
            text += _escaped(following)
        self._end(text, picked)

    def _end(self, text: str, picked: list[int]) -> None:
        self._formats.append((text if picked else text % (), operator.itemgetter(*picked) if picked else None))

    def filled(self, values: Sequence[str]) -> list[str]:
        """The text around the holes; ``values`` are the JSON texts of the gaps, in their order."""
        return [text if pick is None else text % pick(values) for text, pick in self._formats]


def gap(name: str) -> str:
    """What stands in a stencil's value where something else will be printed."""
    return f"{MARK}{name}{MARK}"


def padded(text: str, level: int) -> str:
    """Indented text as it stands ``level`` containers deep. Strings have no line ends: JSON escapes them."""
    return text.replace("\n", _line(level)) if level else text


def plain(value: Any) -> Any:
    """The same of ordinary dicts and lists, nothing in it shared with what it was made of."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def default(value: Any) -> Any:
    """For ``json.dumps(…, default=)``: rows as dicts. Raises TypeError for what JSON has no form for."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def is_big(value: Any) -> bool:
    """Whether printing it at once would hold up the loop for more than some milliseconds."""
    left = _PATIENCE
    waiting = [value]
    while waiting and left > 0:
        part = waiting.pop()
        left -= 1
        if isinstance(part, Row):
            left -= _ROW_NODES
            waiting += part.get("children") or ()
        elif isinstance(part, Mapping):
            waiting += part.values()
        elif isinstance(part, list | tuple):
            left -= len(part)
            waiting += part[:_PATIENCE]
    return left <= 0


def pieces(value: Any, indent: int | None) -> Iterator[bytes]:
    """The JSON text of a value in pieces of about :data:`PIECE` bytes; making one takes some milliseconds at most."""
    waiting: list[str] = []
    length = 0
    for text in texts(value, indent, 0):
        waiting.append(text)
        length += len(text)
        if length >= PIECE:
            yield "".join(waiting).encode()
            waiting.clear()
            length = 0
    if waiting:
        yield "".join(waiting).encode()


async def gathered(value: Any, indent: int | None) -> list[bytes]:
    """All pieces. Others get their turn between any two."""
    # Whoever reads the table of faults, and through it what an answer is, needs no event loop.
    import asyncio

    made = []
    for piece in pieces(value, indent):
        made.append(piece)
        await asyncio.sleep(0)
    return made


def texts(value: Any, indent: int | None, level: int) -> Iterator[str]:
    """The JSON text of a value in parts, as it stands ``level`` containers deep."""
    if isinstance(value, Row):
        yield from value.texts(indent, level)
    elif isinstance(value, Mapping):
        yield from _object(value, indent, level)
    elif isinstance(value, list | tuple):
        yield from _array(value, indent, level)
    else:
        yield json.dumps(value)


def _object(value: Mapping[str, Any], indent: int | None, level: int) -> Iterator[str]:
    if not value:
        yield "{}"
        return
    items = list(value.values())
    # As the standard encoder does it, a key that is no text stands in the quotes of one.
    keys = tuple(key if type(key) is str else json.dumps(key) for key in value)
    opening, closing = _opening(keys, indent, level)
    text = ""
    for before, item, printed in zip(opening, items, _printed(items), strict=True):
        if type(item) in _SCALARS:
            text += before + printed
        else:
            yield text + before
            yield from texts(item, indent, level + 1)
            text = ""
    yield text + closing


def _array(value: Sequence[Any], indent: int | None, level: int) -> Iterator[str]:
    if not value:
        yield "[]"
        return
    before, between, after = _punctuation("[]", indent, level)
    if all(type(item) in _SCALARS for item in value):
        yield f"{before}{between.join(_printed(value))}{after}"
        return
    for item in value:
        yield before
        if indent is not None or isinstance(item, Row):
            yield from texts(item, indent, level + 1)
        else:
            # Without an indent the standard encoder is fast; one item of an array takes it a few milliseconds.
            yield json.dumps(item, default=default)
        before = between
    yield after


# With an indent the standard encoder runs in Python. This one prints many scalars in one call, a line each.
_LINES: Final = json.JSONEncoder(separators=("\n", ": "))
_SCALARS: Final = frozenset({str, int, float, bool, type(None)})


def _printed(items: Sequence[Any]) -> list[str]:
    """The JSON texts of the scalars among some items, anything in the places of the others."""
    return _LINES.encode([item if type(item) in _SCALARS else None for item in items])[1:-1].split("\n")


@lru_cache(maxsize=4096)
def _opening(keys: tuple[str, ...], indent: int | None, level: int) -> tuple[tuple[str, ...], str]:
    """What stands before the value of each key, and at the end."""
    before, between, after = _punctuation("{}", indent, level)
    named = (json.dumps(key) for key in keys)
    return tuple(f"{between if place else before}{name}: " for place, name in enumerate(named)), after


@cache
def _punctuation(brackets: str, indent: int | None, level: int) -> tuple[str, str, str]:
    if indent is None:
        return brackets[0], ", ", brackets[1]
    inner = _line(level + 1)
    return f"{brackets[0]}{inner}", f",{inner}", f"{_line(level)}{brackets[1]}"


def _line(level: int) -> str:
    return "\n" + " " * level


def _escaped(text: str) -> str:
    return text.replace("%", "%%")
