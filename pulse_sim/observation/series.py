"""The samples of one system's ``/metrics``, put together again from the differences in the log.

Knows the text of a series (``name{label="value"}``) and nothing of what any metric means.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import nan
from typing import Any, Final

from pulse_sim.observation.record import Record

_SERIES: Final = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\]|\\.)*",?)*)\})?')
_LABEL: Final = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of one series (or the sum of several) as one scrape showed it."""

    time_ns: int
    value: float
    seq: int


@dataclass(frozen=True, slots=True)
class Scrape:
    """One attempt to read something of a system. ``ok`` means HTTP 200."""

    time_ns: int
    seq: int
    status: int | None
    error: str | None

    @property
    def ok(self) -> bool:
        """Whether an answer came and was a 200."""
        return self.status == 200

    @classmethod
    def of(cls, record: Record) -> "Scrape":
        """The attempt that ``record``, a sampler's, tells of."""
        return cls(record.time_ns, record.seq, record.data["status"], record.data["error"])


@dataclass(frozen=True, slots=True)
class SeriesName:
    """``name`` and its labels, unescaped."""

    name: str
    labels: Mapping[str, str]

    @classmethod
    def parse(cls, text: str) -> "SeriesName | None":
        """None when ``text`` is not the name of a series in the exposition format: as good as absent."""
        match = _SERIES.fullmatch(text)
        if match is None:
            return None
        pairs = _LABEL.findall(match[2] or "")
        return cls(match[1], {label: _ESCAPE.sub(_unescape, value) for label, value in pairs})


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return nan  # what the system showed was no number; no check takes NaN for evidence


def _unescape(match: re.Match[str]) -> str:
    return "\n" if match[1] == "n" else match[1]


class MetricsHistory:
    """Every series of one system over all its scrapes. Raises ValueError for differences that do not fit together."""

    def __init__(self) -> None:
        self.attempts: list[Scrape] = []
        self.scrapes: list[Scrape] = []
        self._steps: dict[str, list[tuple[int, str | None]]] = {}

    def add(self, record: Record) -> None:
        """Take in the next ``sampler/metrics`` record of this system."""
        scrape, changed, gone = Scrape.of(record), record.data["changed"], record.data["gone"]
        self.attempts.append(scrape)
        if not scrape.ok:
            if changed or gone:
                raise ValueError("a scrape that failed cannot have seen a change")
            return
        index = len(self.scrapes)
        self.scrapes.append(scrape)
        for series, value in changed.items():
            self._steps.setdefault(series, []).append((index, value))
        for series in gone:
            steps = self._steps.get(series)
            if not steps or steps[-1][1] is None or steps[-1][0] == index:
                raise ValueError(f"a scrape takes away {series[:80]!r}, which was not there")
            steps.append((index, None))

    @cached_property
    def names(self) -> Mapping[str, SeriesName]:
        """Every series that was ever present, by its text, in the order of appearance."""
        parsed = ((text, SeriesName.parse(text)) for text in self._steps)
        return {text: series for text, series in parsed if series is not None}

    @cached_property
    def histograms(self) -> frozenset[str]:
        """The names of the families that have buckets."""
        buckets = (series.name for series in self.names.values() if "le" in series.labels)
        return frozenset(name.removesuffix("_bucket") for name in buckets if name.endswith("_bucket"))

    def has(self, name: str) -> bool:
        """Whether any series called ``name`` was ever present."""
        return name in self._by_name

    @cached_property
    def _by_name(self) -> Mapping[str, Sequence[tuple[str, SeriesName]]]:
        found: dict[str, list[tuple[str, SeriesName]]] = {}
        for text, series in self.names.items():
            found.setdefault(series.name, []).append((text, series))
        return found

    def steps(self, text: str) -> Sequence[tuple[int, str | None]]:
        """Of one series the changes, as (index into ``scrapes``, value text or None once gone)."""
        return self._steps[text]

    def find(self, name: str, labels: Mapping[str, str]) -> list[Sample]:
        """The samples of the series called ``name`` with at least ``labels``.

        Several such series are summed, scrape by scrape.
        """
        sums: list[float | None] = [None] * len(self.scrapes)
        for text, series in self._by_name.get(name, ()):
            if labels.items() <= series.labels.items():
                self._add_up(text, sums)
        return [
            Sample(scrape.time_ns, value, scrape.seq)
            for scrape, value in zip(self.scrapes, sums, strict=True)
            if value is not None
        ]

    def _add_up(self, text: str, sums: list[float | None]) -> None:
        steps: list[tuple[int, Any]] = [*self._steps[text], (len(sums), None)]
        for (index, value), (until, _) in pairwise(steps):
            if value is None:
                continue
            number = _number(value)
            for position in range(index, until):
                before = sums[position]
                sums[position] = number if before is None else before + number
