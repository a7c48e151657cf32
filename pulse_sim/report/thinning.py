"""A timeline with less detail: for a small drawing, or for a page that many runs share. No peak, gap or poll is lost.

Knows the timeline model and neither logs nor drawings.
"""

from collections.abc import Iterable
from dataclasses import replace
from itertools import groupby
from typing import Final

from pulse_sim.report.model import Band, Bar, Curve, Lane, Ticks, Timeline
from pulse_sim.units import MINUTE

MAX_SLICES: Final = 1200
"""Slices of time a timeline is read with: enough to zoom into a week."""
DRAWN_SLICES: Final = 240
"""Slices a drawing shows: more would not be wider than a line."""

_WORSE: Final = ("closed", "info", "half-open", "warning", "open", "critical")
"""States from the best to the worst; one unknown here is worse than all."""


def slice_ns(end_ns: int, slices: int) -> int:
    """How long one slice is: a minute, or longer where minutes would be more than ``slices``."""
    return max(MINUTE, -(-end_ns // slices))


def thinned_curve(curve: Curve, length_ns: int) -> Curve:
    """At most two points a slice, its lowest and its highest, and its gaps."""
    points: list[tuple[int, float | None]] = []
    for _, group in groupby(curve, key=lambda point: point[0] // length_ns):
        inside = list(group)
        told = [(index, value) for index, (_, value) in enumerate(inside) if value is not None]
        kept = {index for index, (_, value) in enumerate(inside) if value is None}
        if told:
            kept |= {min(told, key=lambda one: one[1])[0], max(told, key=lambda one: one[1])[0]}
        points.extend(inside[index] for index in sorted(kept))
    return tuple(points)


def thinned(timeline: Timeline, slices: int, lanes: int) -> Timeline:
    """``timeline`` in at most ``slices`` slices, with its first ``lanes`` lanes."""
    length_ns = slice_ns(timeline.end_ns, slices)
    kept = timeline.lanes[:lanes]
    return replace(
        timeline,
        lanes=tuple(_lane(lane, length_ns, timeline.end_ns) for lane in kept),
        lanes_left_out=timeline.lanes_left_out + len(timeline.lanes) - len(kept),
    )


def _lane(lane: Lane, length_ns: int, end_ns: int) -> Lane:
    return replace(
        lane,
        staleness=thinned_curve(lane.staleness, length_ns),
        latency=thinned_curve(lane.latency, length_ns),
        errors=tuple(_ticks(ticks, length_ns) for ticks in lane.errors),
        breaker=thinned_bands(lane.breaker, length_ns, end_ns),
        alerts=tuple(replace(row, spans=thinned_bands(row.spans, length_ns, end_ns)) for row in lane.alerts),
        polls=tuple(_bars(lane.polls, length_ns, end_ns)),
    )


def thinned_bands(bands: tuple[Band, ...], length_ns: int, end_ns: int) -> tuple[Band, ...]:
    """Bands as they are; where they are more than slices, of each slice the worst state that shows in it."""
    if len(bands) <= -(-end_ns // length_ns):
        return bands
    worst: dict[int, Band] = {}
    for band in bands:
        for index in range(band.from_ns // length_ns, max(band.to_ns - 1, band.from_ns) // length_ns + 1):
            worst[index] = max(worst.get(index, band), band, key=_rank)
    merged: list[Band] = []
    for index, band in sorted(worst.items()):
        from_ns, to_ns = index * length_ns, min((index + 1) * length_ns, end_ns)
        if merged and (merged[-1].state, merged[-1].to_ns) == (band.state, from_ns):
            from_ns = merged.pop().from_ns
        merged.append(Band(band.state, from_ns, to_ns))
    return tuple(merged)


def _rank(band: Band) -> int:
    return _WORSE.index(band.state) if band.state in _WORSE else len(_WORSE)


def _ticks(ticks: Ticks, length_ns: int) -> Ticks:
    moments = {at_ns // length_ns: at_ns for at_ns in ticks.at_ns}
    return replace(ticks, at_ns=tuple(sorted(moments.values())))


def _bars(bars: Iterable[Bar], length_ns: int, end_ns: int) -> Iterable[Bar]:
    """A bar for each slice; what reaches into the next slice counts where it begins."""
    for index, group in groupby(bars, key=lambda bar: bar.from_ns // length_ns):
        inside = list(group)
        succeeded, failed = sum(bar.succeeded for bar in inside), sum(bar.failed for bar in inside)
        yield Bar(index * length_ns, min((index + 1) * length_ns, end_ns), succeeded, failed)
