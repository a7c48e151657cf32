"""What is wrong with a document, and where: one value per problem, printable as one line.

Refuses to know what a scenario or a plan is.
"""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

Path: TypeAlias = tuple[str | int, ...]
"""Where a value sits in a document: mapping keys and list positions from the top."""

_SHOWN_CHARACTERS = 60
_NAMES_COMPARED = 200


@dataclass(frozen=True)
class Problem:
    """One problem of one file.

    ``line`` and ``column`` count from 1; ``path`` is like ``timeline[0].fault``, empty for the file as a whole.
    """

    file: str
    line: int
    column: int
    path: str
    message: str
    suggestion: str | None = None

    @property
    def order(self) -> tuple[str, int, int, str, str]:
        """What problems are sorted by: their place, then their words."""
        return (self.file, self.line, self.column, self.path, self.message)

    def __str__(self) -> str:
        """``file:line:column: path: message (did you mean …?)``, safe for a terminal."""
        file = self.file if self.file.isprintable() else shown(self.file)
        where = f"{file}:{self.line}:{self.column}: "
        subject = f"{self.path}: " if self.path else ""
        hint = f" (did you mean {self.suggestion}?)" if self.suggestion else ""
        return where + subject + self.message + hint


class DocumentError(Exception):
    """A file, or several, that cannot be used; carries every problem found, sorted by place."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


@dataclass(frozen=True)
class Finding:
    """A problem whose place in the file is not looked up yet.

    ``on_key`` points at the key of the last path component instead of its value.
    """

    path: Path
    message: str
    suggestion: str | None = None
    on_key: bool = False

    def below(self, prefix: Path) -> "Finding":
        """The same finding, seen from further up."""
        return replace(self, path=prefix + self.path)


def shown(value: Any) -> str:
    """A value of a hostile file as short, printable text."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, int | float):
        return str(value)
    text = repr(str(value)[: _SHOWN_CHARACTERS + 1])
    return text if len(str(value)) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…'"


def shown_path(path: Path) -> str:
    """``("timeline", 0, "fault")`` as ``timeline[0].fault``; keys that are not plain words are quoted."""
    text = ""
    for component in path:
        if isinstance(component, int):
            text += f"[{component}]"
        else:
            word = component if component.replace("-", "").replace("_", "").isalnum() else shown(component)
            text += f".{word}" if text else word
    return text


def nearest(given: Any, known: Iterable[str]) -> str | None:
    """The known name a slip of the pen may have meant, or None."""
    names = sorted(known)
    if not isinstance(given, str) or not names or len(names) > _NAMES_COMPARED:
        return None
    by_fold = {name.casefold().replace("-", "_"): name for name in names}
    close = difflib.get_close_matches(given[:100].casefold().replace("-", "_"), by_fold, n=1, cutoff=0.6)
    return by_fold[close[0]] if close else None


def one_of(known: Iterable[str]) -> str:
    """Known names for the end of a message: ``; known are a, b and c`` or that there are none."""
    names = sorted(known)
    if not names:
        return "; none is declared"
    if len(names) > 12:
        return ""
    return "; known: " + ", ".join(names)
