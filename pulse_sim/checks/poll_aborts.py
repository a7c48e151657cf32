"""Two abort criteria on the polls counted on ``/metrics``, scrape by scrape: too many failed, or logins go on failing.

Keeps the last value of every counter of polls and what the unfinished interval added, nothing older. Rises are told
apart as :mod:`pulse_sim.checks.counters` does: a counter begins at 0 when its series appears, when it falls, and when
its system starts anew.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Final

from pulse_sim.checks.firing import Firing
from pulse_sim.checks.polls import ERRORS, INSTANCE_TYPE, POLLS
from pulse_sim.observation import Record
from pulse_sim.observation.series import SeriesName
from pulse_sim.units import MINUTE

FAILURE_RATE_FOR_NS: Final = 5 * MINUTE
AUTH_ERRORS_FOR_NS: Final = 10 * MINUTE
KINDS: Final = ("success", "error", "auth")
_COUNTED: Final[Mapping[tuple[str, str | None, str | None], str]] = {
    (POLLS, "success", None): "success",
    (POLLS, "error", None): "error",
    (ERRORS, None, "auth"): "auth",
}


@dataclass(slots=True)
class Counter:
    """One connection's polls of one kind: the value of every series of it, their sum at the scrape before."""

    values: dict[str, float] = field(default_factory=dict)
    before: float | None = None

    def gain(self, is_new_life: bool) -> float:
        """What it gained since the scrape before; 0 while it is absent, or is no number."""
        value = sum(self.values.values()) if self.values else None
        if value is None or not isfinite(value):
            self.before = None
            return 0.0
        began_anew = self.before is None or is_new_life or value < self.before
        gained = value - (0.0 if began_anew else self.before or 0.0)
        self.before = value
        return gained


class PollCounters:
    """The counters of every connection of one system."""

    def __init__(self) -> None:
        self._counters: dict[str, dict[str, Counter]] = {}
        self._keys: dict[str, tuple[str, str] | None] = {}
        self._is_new_life = True

    def begin_life(self) -> None:
        """The system started: its counters begin at 0."""
        self._is_new_life = True

    def see(self, changed: Mapping[str, str], gone: list[str]) -> Mapping[str, tuple[float, float, float]]:
        """What one scrape added for each connection: polls that succeeded, that failed, and that failed by auth."""
        for text, value in changed.items():
            if text.startswith((POLLS, ERRORS)):
                self._set(text, value)
        for text in gone:
            self._forget(text)
        gained = {}
        for connection, counters in self._counters.items():
            success, error, auth = (counters[kind].gain(self._is_new_life) for kind in KINDS)
            gained[connection] = (success, error, auth)
        self._is_new_life = False
        return gained

    def _set(self, text: str, value: str) -> None:
        if text not in self._keys:
            self._keys[text] = _key(text)
        key = self._keys[text]
        if key is not None:
            connection, kind = key
            counters = self._counters.setdefault(connection, {kind: Counter() for kind in KINDS})
            counters[kind].values[text] = _number(value)

    def _forget(self, text: str) -> None:
        key = self._keys.pop(text, None)
        if key is not None:
            connection, kind = key
            del self._counters[connection][kind].values[text]
            if not any(counter.values for counter in self._counters[connection].values()):
                del self._counters[connection]


class FailureRate:
    """More than half of all polls failed, from one sampling interval to a later one more than 5 minutes after it.

    An interval is judged when it is over, all systems together; one without polls changes nothing.
    """

    name: Final = "failure_rate"

    def __init__(self) -> None:
        self._last: tuple[int, int] | None = None
        self._good = self._bad = 0.0
        self._since: tuple[int, int] | None = None

    def add(self, record: Record, gained: Mapping[str, tuple[float, float, float]]) -> None:
        """Count what one scrape added to the interval under way."""
        for success, error, _ in gained.values():
            self._good += success
            self._bad += error
        if gained:
            self._last = (record.time_ns, record.seq)

    def end_interval(self) -> Firing | None:
        """Judge the interval that is over."""
        last, good, bad = self._last, self._good, self._bad
        self._last, self._good, self._bad = None, 0.0, 0.0
        if last is None or not good + bad:
            return None
        self._since = (self._since or last) if bad > good else None
        if self._since is None or last[0] - self._since[0] <= FAILURE_RATE_FOR_NS:
            return None
        what = "more than half of the polls failed for more than 5m"
        return Firing(self.name, last[0], what, (self._since[1], last[1]))


class AuthErrors:
    """Some connection met auth errors, without a success between, for more than 10 minutes."""

    name: Final = "auth_errors"

    def __init__(self) -> None:
        self._since: dict[tuple[str, str], tuple[int, int]] = {}

    def add(self, record: Record, gained: Mapping[str, tuple[float, float, float]]) -> Firing | None:
        """Judge one scrape."""
        for connection in sorted(gained):
            success, _, auth = gained[connection]
            key = (record.subject, connection)
            if auth:
                since_ns, since_seq = self._since.setdefault(key, (record.time_ns, record.seq))
                if record.time_ns - since_ns > AUTH_ERRORS_FOR_NS:
                    what = f"auth errors of {connection} for more than 10m"
                    return Firing(self.name, record.time_ns, what, (since_seq, record.seq))
            elif success:
                self._since.pop(key, None)
        return None


def _key(text: str) -> tuple[str, str] | None:
    """The connection and the kind of polls a series counts; None of any other series."""
    series = SeriesName.parse(text)
    if series is None or series.labels.get("instance_type") != INSTANCE_TYPE or "instance" not in series.labels:
        return None
    kind = _COUNTED.get((series.name, series.labels.get("result"), series.labels.get("error_type")))
    return None if kind is None else (series.labels["instance"], kind)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")
