"""The check that a count does not grow: the slope of its samples over a whole run, robust against what comes and goes.

Theil-Sen: the median of the slopes of all pairs of samples. A poll in flight, a burst or an outage moves it little, a
leak of one in some hours moves it surely. Whole numbers and fractions only, so that every machine finds the same slope.
"""

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import partial
from itertools import combinations
from math import isfinite
from statistics import median_low
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import Field

from pulse_sim.checks.coverage import require_seen, require_started
from pulse_sim.checks.judgement import CheckKind, Finding, NoEvidence, check_kind
from pulse_sim.checks.parameters import Name, Parameters, Window
from pulse_sim.checks.wording import within
from pulse_sim.observation import RunLog, Source
from pulse_sim.units import HOUR, MINUTE, format_duration

LEAST: Final = 12
"""Samples without which a slope is none."""

SHORTEST_NS: Final = 20 * MINUTE
"""A time too short to say anything about an hour."""

MOST: Final = 100
"""Points of which all pairs are taken. More samples than that are put together, neighbours with neighbours."""

Of = Literal[
    "tasks",
    "connections",
    "timers",
    "resources",
    "series",
    "rows",
    "kernel_tasks",
    "kernel_transports",
    "kernel_timers",
]
PerHour = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Point: TypeAlias = tuple[int, Fraction, int]
"""Time in nanoseconds, value, record."""


class Trend(Parameters):
    """A count of a system does not grow by more than so much an hour."""

    system: Name = "pulse"
    of: Of
    at_most_per_hour: PerHour
    between: Window | None = None


def expected_trend(given: Trend) -> str:
    """In words."""
    name = given.of.replace("_", " ")
    return f"{name} of {given.system} grow by at most {given.at_most_per_hour:g} an hour{within(given.between)}"


def find_trend(log: RunLog, given: Trend) -> Finding:
    """From the steady state to the end unless told."""
    require_started(log, given.system)
    window = given.between or (_steady(log), log.end_ns)
    if window[1] - window[0] < SHORTEST_NS:
        raise NoEvidence(f"less than {format_duration(SHORTEST_NS)} to judge")
    samples = [one for one in _READ[given.of](log, given.system) if window[0] <= one[0] <= window[1]]
    interval_ns = _interval(log, given.of)
    what = f"sample of {given.of.replace('_', ' ')} of {given.system}"
    require_seen(log, given.system, [time_ns for time_ns, _, _ in samples], window, interval_ns, what)
    if len(samples) < LEAST:
        raise NoEvidence(f"{len(samples)} samples of {LEAST} needed", [seq for _, _, seq in samples])
    slope = median_slope(thinned(samples)) * HOUR
    observed = f"{_thousandths(slope)} an hour over {len(samples)} samples"
    return Finding(slope <= Fraction(str(given.at_most_per_hour)), observed, [samples[0][2], samples[-1][2]])


def thinned(samples: Sequence[Point]) -> Sequence[Point]:
    """At most MOST points: of each stretch of neighbours the middle time and the middle value."""
    if len(samples) <= MOST:
        return samples
    points: list[Point] = []
    for index in range(MOST):
        part = samples[len(samples) * index // MOST : len(samples) * (index + 1) // MOST]
        middle = part[len(part) // 2]
        points.append((middle[0], median_low([value for _, value, _ in part]), middle[2]))
    return points


def median_slope(points: Sequence[Point]) -> Fraction:
    """Change per nanosecond. Points at one time make no pair. Raises NoEvidence when none is left."""
    slopes = sorted(
        (later[1] - earlier[1]) / (later[0] - earlier[0])
        for earlier, later in combinations(points, 2)
        if later[0] != earlier[0]
    )
    if not slopes:
        raise NoEvidence("all samples are of one time")
    half = len(slopes) // 2
    return slopes[half] if len(slopes) % 2 else (slopes[half - 1] + slopes[half]) / 2


def _steady(log: RunLog) -> int:
    for record in log.phases():
        if record.data["phase"] == "steady":
            return record.time_ns
    raise NoEvidence("no steady state: the connections did not all succeed before the first fault")


def _interval(log: RunLog, of: str) -> int:
    if of.startswith("kernel"):
        return HOUR
    return log.resources_interval_ns if of == "rows" else log.metrics_interval_ns


def _gauge(name: str, log: RunLog, system: str) -> Sequence[Point]:
    samples = log.series(system, name)
    if not samples:
        raise NoEvidence(f"no samples of {name} of {system}")
    unreadable = [one.seq for one in samples if not isfinite(one.value)]
    if unreadable:
        raise NoEvidence(f"{name} was no number", unreadable)
    return [(one.time_ns, Fraction(one.value), one.seq) for one in samples]


def _series(log: RunLog, system: str) -> Sequence[Point]:
    """How many series each scrape showed."""
    history = log.metrics(system)
    changes = [0] * len(history.scrapes)
    for text in history.names:
        is_there = False
        for index, value in history.steps(text):
            changes[index] += (value is not None) - is_there
            is_there = value is not None
    points: list[Point] = []
    shown = 0
    for scrape, change in zip(history.scrapes, changes, strict=True):
        shown += change
        points.append((scrape.time_ns, Fraction(shown), scrape.seq))
    return points


def _rows(log: RunLog, system: str) -> Sequence[Point]:
    """How many resources each look showed."""
    return [(one.time_ns, Fraction(len(one.by_id)), one.seq) for one in log.resources(system)]


def _kernel(name: str, log: RunLog, _system: str) -> Sequence[Point]:
    return [(one.time_ns, Fraction(one.data[name]), one.seq) for one in log.of(Source.WORLD, "counts")]


_READ: Final[Mapping[str, Callable[[RunLog, str], Sequence[Point]]]] = {
    "tasks": partial(_gauge, "pulse_runtime_tasks"),
    "connections": partial(_gauge, "pulse_runtime_open_connections"),
    "timers": partial(_gauge, "pulse_runtime_timers"),
    "resources": partial(_gauge, "pulse_registry_resources"),
    "series": _series,
    "rows": _rows,
    "kernel_tasks": partial(_kernel, "tasks"),
    "kernel_transports": partial(_kernel, "transports"),
    "kernel_timers": partial(_kernel, "timers"),
}


def _thousandths(slope: Fraction) -> str:
    """Three decimals, rounded up, so that nothing looks better than it is."""
    thousandths = -(-slope.numerator * 1000 // slope.denominator)
    sign, size = ("-" if thousandths < 0 else ""), abs(thousandths)
    return f"{sign}{size // 1000}.{size % 1000:03d}"


KINDS: Final[tuple[CheckKind, ...]] = (check_kind("trend", Trend, expected_trend, find_trend),)
