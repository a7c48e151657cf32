"""Questions about what a client did, answered from the journal. Pure: knows no server, and no secret gets into a word.

Counting questions that look for too much are answered no when entries were let go of: silence proves nothing.
Instants are the appliance's.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from mock_truenas.journal import JournalEntry
from mock_truenas.matching import Matching

_MINUTE_NS: Final = 60_000_000_000
_SHOWN: Final = 8
_KEY: Final = re.compile(r"[0-9]+-[A-Za-z0-9]{64}")
LOGINS: Final = "auth.login*"


class NotAsExpected(AssertionError):
    """A question was answered no; the message says what was expected, what happened, and shows the entries."""


@dataclass(frozen=True)
class Finding:
    """The answer to one question, true or false like a bool. ``nearest`` are entries that all but match."""

    holds: bool
    expected: str
    observed: str
    evidence: tuple[JournalEntry, ...] = ()
    nearest: tuple[JournalEntry, ...] = ()

    def __bool__(self) -> bool:
        return self.holds

    def __repr__(self) -> str:
        return self.message()

    def check(self) -> None:
        """Raises NotAsExpected unless it holds."""
        if not self.holds:
            raise NotAsExpected(self.message())

    def message(self) -> str:
        """What was expected and observed, with the entries that show it, in a few lines."""
        lines = [f"expected {self.expected}", f"observed {self.observed}"]
        for title, entries in (("entries:", self.evidence), ("nearest:", self.nearest)):
            if entries:
                lines += [title, *(f"  {described(entry)}" for entry in entries[:_SHOWN])]
                lines += [f"  … and {len(entries) - _SHOWN} more"] if len(entries) > _SHOWN else []
        return "\n".join(lines)

    def to_data(self, at_most: int | None = None) -> dict[str, Any]:
        """Plain JSON values; of each list of entries at most so many."""
        return {
            "holds": self.holds,
            "expected": self.expected,
            "observed": self.observed,
            "evidence": [entry.to_data() for entry in self.evidence[:at_most]],
            "nearest": [entry.to_data() for entry in self.nearest[:at_most]],
        }


class Verification:
    """Questions over the entries of a journal as they were kept; ``dropped`` earlier ones are gone."""

    def __init__(self, entries: Iterable[JournalEntry], dropped: int = 0) -> None:
        self._kept = tuple(entries)
        # They were kept as they ended; a client that did two things at once began them in another order.
        self._entries = tuple(sorted(self._kept, key=lambda entry: entry.at_ns))
        self._dropped = dropped

    def requests(self, **criteria: Any) -> tuple[JournalEntry, ...]:
        """Requests, handshakes and calls, in the order they began, that meet all criteria of :class:`Matching`."""
        matching = Matching(**criteria)
        return tuple(entry for entry in self._entries if matching.covers(entry))

    def called(
        self, *, exactly: int | None = None, at_least: int | None = None, at_most: int | None = None, **criteria: Any
    ) -> Finding:
        """How often something was asked for; without a number, at least once. Raises ValueError for contradictions."""
        if exactly is not None and (at_least is not None or at_most is not None):
            raise ValueError("exactly goes with neither at_least nor at_most")
        least = exactly if exactly is not None else at_least
        most = exactly if exactly is not None else at_most
        if least is None and most is None:
            least = 1
        matching = Matching(**criteria)
        found = self.requests(**criteria)
        enough = least is None or len(found) >= least
        holds = enough and (most is None or (len(found) <= most and not self._dropped))
        return Finding(
            holds=holds,
            expected=f"{matching.told()} {_range_told(least, most)}",
            observed=f"{_times(len(found))}{self._lost(matters=most is not None)}",
            evidence=found,
            nearest=() if enough else self._nearest(matching),
        )

    def never_called(self, **criteria: Any) -> Finding:
        """Nothing of the kind was asked for."""
        return self.called(exactly=0, **criteria)

    def at_most_per_minute(self, limit: int, **criteria: Any) -> Finding:
        """No 60 seconds of appliance time hold more than ``limit`` of them."""
        matching = Matching(**criteria)
        found = self.requests(**criteria)
        busiest: tuple[JournalEntry, ...] = ()
        first = 0
        for last, entry in enumerate(found):
            while found[first].at_ns <= entry.at_ns - _MINUTE_NS:
                first += 1
            if last + 1 - first > len(busiest):
                busiest = found[first : last + 1]
        holds = len(busiest) <= limit and not self._dropped
        return Finding(
            holds=holds,
            expected=f"{matching.told()} at most {limit} times a minute",
            observed=f"{_times(len(busiest))} in the busiest minute{self._lost(matters=True)}",
            evidence=() if holds else busiest,
        )

    def logged_in_exactly(self, times: int, **criteria: Any) -> Finding:
        """So many logins on sockets succeeded. REST sends its credential with every request and never logs in."""
        criteria = {"call": LOGINS, **criteria}
        tried = self.requests(**criteria)
        found = tuple(entry for entry in tried if entry.user is not None and entry.error is None)
        return Finding(
            holds=len(found) == times and not self._dropped,
            expected=f"a login {_range_told(times, times)}",
            observed=f"{_times(len(found))}, {len(tried) - len(found)} refused{self._lost(matters=True)}",
            evidence=found,
            nearest=tuple(entry for entry in tried if entry not in found) if len(found) < times else (),
        )

    def called_in_order(self, *calls: str, **criteria: Any) -> Finding:
        """These API methods (globs) were called, each after the one before it; others may lie between."""
        found = self.requests(**criteria)
        evidence: list[JournalEntry] = []
        position = 0
        for call in calls:
            matching = Matching(call=call)
            while position < len(found) and not matching.covers(found[position]):
                position += 1
            if position == len(found):
                break
            evidence.append(found[position])
            position += 1
        got = len(evidence)
        missing = f"; {calls[got]} did not follow" if got < len(calls) else ""
        return Finding(
            holds=got == len(calls),
            expected=f"calls in this order: {', '.join(calls)}",
            observed=f"{', '.join(calls[:got]) or 'none of them'}{missing}{self._lost(matters=got < len(calls))}",
            evidence=tuple(evidence),
            nearest=tuple(entry for entry in found if Matching(call=calls[got]).covers(entry))
            if got < len(calls)
            else (),
        )

    def no_more_than_open_connections(self, limit: int) -> Finding:
        """Never more than ``limit`` WebSockets were open at the same time."""
        open_now: dict[int, JournalEntry] = {}
        most: tuple[JournalEntry, ...] = ()
        for entry in self._kept:
            if entry.connection is None:
                continue
            if entry.kind == "close":
                open_now.pop(entry.connection, None)
            else:
                open_now.setdefault(entry.connection, entry)
                most = tuple(open_now.values()) if len(open_now) > len(most) else most
        holds = len(most) <= limit and not self._dropped
        return Finding(
            holds=holds,
            expected=f"at most {limit} open connections",
            observed=f"{len(most)} at the same time{self._lost(matters=True)}",
            evidence=() if holds else most,
        )

    def _nearest(self, matching: Matching) -> tuple[JournalEntry, ...]:
        """Those that miss the fewest criteria, unless they miss them all."""
        missed = [(matching.missed(entry), entry) for entry in self._entries]
        fewest = min((count for count, _ in missed), default=0)
        if not 0 < fewest < matching.criteria:
            return ()
        return tuple(entry for count, entry in missed if count == fewest)

    def _lost(self, *, matters: bool) -> str:
        return f", and {self._dropped} earlier entries were let go of" if matters and self._dropped else ""


def described(entry: JournalEntry) -> str:
    """One line about an entry: when, what, how it ended."""
    at = datetime.fromtimestamp(entry.at_ns // 1_000_000_000, UTC).strftime("%H:%M:%S")
    what = entry.call or entry.kind
    parts = [
        f"{at}.{entry.at_ns // 1_000_000 % 1000:03d}",
        entry.face,
        f"{entry.method} {_KEY.sub('<key>', entry.path)}" if entry.face in ("rest", "front") else what,
        None if entry.status is None else str(entry.status),
        None if entry.error is None else f"error {entry.error}",
        None if entry.close_code is None else f"code {entry.close_code}",
        entry.ended,
        f"in {entry.duration_ns // 1_000_000} ms",
        None if entry.user is None else f"user {entry.user}",
        None if entry.credential is None else f"credential {entry.credential}",
        None if entry.connection is None else f"connection {entry.connection}",
        f"faults {', '.join(entry.faults)}" if entry.faults else None,
    ]
    return " ".join(part for part in parts if part)


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times" if count else "never"


def _range_told(least: int | None, most: int | None) -> str:
    if least == most and least is not None:
        return "never" if least == 0 else f"exactly {_times(least)}"
    if most is None:
        return f"at least {_times(least or 0)}"
    return f"at most {_times(most)}" if least is None else f"{least} to {most} times"
