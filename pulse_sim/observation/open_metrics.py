"""The metrics of a log as OpenMetrics text with timestamps, for Prometheus's own tools (R6).

Grouped by family, then by metric, each in time order. A value is written when it changed and otherwise often enough
that no reader looking back five minutes misses it. With several systems each series gets a ``system`` label. Knows no
metric's meaning; types are told from names.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Final

from pulse_sim.observation.log import RunLog
from pulse_sim.observation.series import MetricsHistory, Scrape, SeriesName
from pulse_sim.units import MINUTE, SECOND

AT_LEAST_EVERY_NS: Final = 4 * MINUTE
_VALUE: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[+-]?Inf|NaN")
_NAME: Final = "__name__"
"""The label Prometheus keeps a metric's name in; a series that has one of its own cannot be told."""
_PARTS: Final = ("_bucket", "_sum", "_count")


@dataclass(slots=True)
class _Family:
    """One metric family: its type, and of each metric (one set of labels without ``le``) its series."""

    type: str
    metrics: dict[tuple[str, str], list[str]] = field(default_factory=dict)


def open_metrics(log: RunLog) -> Iterator[str]:
    """Lines of OpenMetrics, each with its newline, timestamps in unix seconds; the last is ``# EOF``."""
    families: dict[str, _Family] = {}
    for system in log.systems:
        history = log.metrics(system)
        for text, series in history.names.items():
            if not _is_creation_time(series, history) and _NAME not in series.labels:
                metric = (system, _labels(series, skip="le"))
                _family(series, history, families).metrics.setdefault(metric, []).append(text)
    for name, family in sorted(families.items()):
        yield f"# TYPE {name} {family.type}\n"
        for (system, _), texts in sorted(family.metrics.items()):
            label = system if len(log.systems) > 1 else None
            yield from _metric(log.metrics(system), sorted(texts, key=_part_order), log.start_unix_ns, label)
    yield "# EOF\n"


def _is_number(value: str) -> bool:
    """Whether Prometheus reads it; beyond the largest double it does not, and says so of the whole document."""
    return _VALUE.fullmatch(value) is not None and (value.endswith(("Inf", "NaN")) or isfinite(float(value)))


def _is_creation_time(series: SeriesName, history: MetricsHistory) -> bool:
    """Whether a series only repeats when another one began; OpenMetrics would take it for a part of that one."""
    base = series.name.removesuffix("_created")
    return base != series.name and (base in history.histograms or history.has(f"{base}_total"))


def _family(series: SeriesName, history: MetricsHistory, families: dict[str, _Family]) -> _Family:
    """The family a series belongs to; one whose family's name is taken by another type stands alone."""
    name, kind = series.name, "gauge"
    part = next((part for part in _PARTS if series.name.endswith(part)), "")
    if part and series.name.removesuffix(part) in history.histograms:
        name, kind = series.name.removesuffix(part), "histogram"
    elif series.name.endswith("_total"):
        name, kind = series.name.removesuffix("_total"), "counter"
    family = families.setdefault(name, _Family(kind))
    return family if family.type == kind else families.setdefault(series.name, _Family("unknown"))


def _metric(history: MetricsHistory, texts: Sequence[str], start_unix_ns: int, system: str | None) -> Iterator[str]:
    """All points of one metric; a histogram's point is written whole, as soon as any part of it changed."""
    shown = [_shown(history.names[text], system) for text in texts]
    values: list[str | None] = [None] * len(texts)
    due = _due(history, texts)
    for index, changes in _timeline(history, texts, due):
        for position, value in changes.items():
            values[position] = value
        if index not in due:
            continue
        stamp = _stamp(start_unix_ns + history.scrapes[index].time_ns)
        for name, value in zip(shown, values, strict=True):
            if value is not None and _is_number(value):
                yield f"{name} {value} {stamp}\n"


def _timeline(
    history: MetricsHistory, texts: Sequence[str], due: frozenset[int]
) -> Iterator[tuple[int, Mapping[int, str | None]]]:
    changes: dict[int, dict[int, str | None]] = {index: {} for index in due}
    for position, text in enumerate(texts):
        for index, value in history.steps(text):
            changes.setdefault(index, {})[position] = value
    yield from sorted(changes.items())


def _due(history: MetricsHistory, texts: Sequence[str]) -> frozenset[int]:
    """The scrapes at which a point is written: at each change, and before more than four minutes pass without one."""
    changed = {index for text in texts for index, value in history.steps(text)}
    due: set[int] = set()
    written_ns = 0
    for index, scrape in enumerate(history.scrapes):
        if index in changed or _next_ns(history.scrapes, index) - written_ns > AT_LEAST_EVERY_NS:
            due.add(index)
            written_ns = scrape.time_ns
    return frozenset(due)


def _next_ns(scrapes: Sequence[Scrape], index: int) -> int:
    """When the next scrape is; after the last one, never soon enough, so that the end is always written."""
    return scrapes[index + 1].time_ns if index + 1 < len(scrapes) else scrapes[index].time_ns + 2 * AT_LEAST_EVERY_NS


def _part_order(text: str) -> tuple[int, float, str]:
    """Buckets by bound, then everything else; of a histogram that is count and sum."""
    series = SeriesName.parse(text)
    bound = series.labels.get("le") if series else None
    if bound is None:
        return 1, 0.0, text
    return 0, float(bound) if _VALUE.fullmatch(bound) else 0.0, text


def _shown(series: SeriesName, system: str | None) -> str:
    labels = _labels(series, skip="")
    if system is not None and "system" not in series.labels:
        labels = ",".join(part for part in (f'system="{_escaped(system)}"', labels) if part)
    return f"{series.name}{{{labels}}}" if labels else series.name


def _labels(series: SeriesName, skip: str) -> str:
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in series.labels.items() if name != skip)


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _stamp(unix_ns: int) -> str:
    """Unix seconds without needless zeros."""
    seconds, rest = divmod(unix_ns, SECOND)
    return f"{seconds}.{rest:09d}".rstrip("0").rstrip(".")
