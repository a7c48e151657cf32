"""Which journal entries somebody means: criteria as data. Asks nothing itself."""

import fnmatch
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from mock_truenas.journal import Face, JournalEntry, Kind

_API: Final = "/api/v2.0"
ASKING: Final[frozenset[Kind]] = frozenset({"request", "handshake", "call"})


@dataclass(frozen=True)
class Matching:
    """Criteria that must all be met; those left None are not asked.

    ``call`` (API method), ``path`` (whole, or below /api/v2.0) and ``user`` are globs; ``status`` one or several;
    ``fault`` the id of one that shaped the answer; ``between`` half-open, nanoseconds of the appliance's clock.
    Without ``kind``, what a client asked: requests, handshakes and calls, but no events and closes.
    """

    face: Face | None = None
    call: str | None = None
    path: str | None = None
    method: str | None = None
    user: str | None = None
    status: int | Collection[int] | None = None
    error: int | None = None
    credential: str | None = None
    connection: int | None = None
    fault: str | None = None
    ended: str | None = None
    kind: Kind | None = None
    between: tuple[int | None, int | None] | None = None

    def covers(self, entry: JournalEntry, *, of_any_kind: bool = False) -> bool:
        """Whether an entry is meant."""
        return (of_any_kind or self._is_of_kind(entry)) and all(test(entry) for test in self._tests)

    def missed(self, entry: JournalEntry) -> int:
        """How many criteria an entry does not meet; all and one for an entry of another kind."""
        if not self._is_of_kind(entry):
            return self.criteria + 1
        return sum(not test(entry) for test in self._tests)

    @property
    def criteria(self) -> int:
        """How many there are."""
        return len(self._tests)

    def told(self) -> str:
        """The criteria in words."""
        named = {name: value for name, value in vars(self).items() if value is not None and name in _FIELDS}
        return ", ".join(f"{name} {_word(value)}" for name, value in named.items()) or "any request"

    def _is_of_kind(self, entry: JournalEntry) -> bool:
        return entry.kind == self.kind if self.kind is not None else entry.kind in ASKING

    @cached_property
    def _tests(self) -> tuple[Callable[[JournalEntry], bool], ...]:
        return tuple(
            _FIELDS[name](value) for name, value in vars(self).items() if value is not None and name in _FIELDS
        )


def _equal(name: str) -> Callable[[Any], Callable[[JournalEntry], bool]]:
    return lambda value: lambda entry: getattr(entry, name) == value


def _glob(name: str) -> Callable[[Any], Callable[[JournalEntry], bool]]:
    def test(pattern: str) -> Callable[[JournalEntry], bool]:
        match = re.compile(fnmatch.translate(pattern)).match
        return lambda entry: match(getattr(entry, name) or "") is not None

    return test


def _path(pattern: str) -> Callable[[JournalEntry], bool]:
    match = re.compile(fnmatch.translate(pattern)).match
    return lambda entry: bool(match(entry.path) or match(entry.path.removeprefix(_API)))


def _status(wanted: int | Collection[int]) -> Callable[[JournalEntry], bool]:
    several = frozenset({wanted} if isinstance(wanted, int) else wanted)
    return lambda entry: entry.status in several


def _between(window: tuple[int | None, int | None]) -> Callable[[JournalEntry], bool]:
    since, until = window
    return lambda entry: (since is None or entry.at_ns >= since) and (until is None or entry.at_ns < until)


_FIELDS: Final[dict[str, Callable[[Any], Callable[[JournalEntry], bool]]]] = {
    "face": _equal("face"),
    "call": _glob("call"),
    "path": _path,
    "method": _equal("method"),
    "user": _glob("user"),
    "status": _status,
    "error": _equal("error"),
    "credential": _equal("credential"),
    "connection": _equal("connection"),
    "fault": lambda fault: lambda entry: fault in entry.faults,
    "ended": _equal("ended"),
    "between": _between,
}


def _word(value: Any) -> str:
    return " or ".join(map(str, value)) if isinstance(value, list | set | frozenset | tuple) else str(value)
