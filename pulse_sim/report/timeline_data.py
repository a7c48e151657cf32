"""A timeline as plain JSON, times in milliseconds: what a bundle keeps, and what a page hands to its script.

Knows the timeline model; reads back only what it wrote itself, and says so of anything else.
"""

from collections.abc import Sequence
from typing import Any, Final

from pulse_sim.canonical import Json
from pulse_sim.report.model import (
    ActionRow,
    AlertRow,
    Band,
    Bar,
    Curve,
    FaultRow,
    Lane,
    PhaseRow,
    Ticks,
    Timeline,
)
from pulse_sim.report.text import plain
from pulse_sim.units import MILLISECOND

VERSION: Final = 1


def timeline_data(timeline: Timeline) -> dict[str, Json]:
    """Rows are arrays in the order of the model's fields, curves two columns; values keep three decimals."""
    return {
        "version": VERSION,
        "end_ms": _ms(timeline.end_ns),
        "phases": [[row.name, _ms(row.from_ns), _ms(row.to_ns)] for row in timeline.phases],
        "faults": [[row.kind, row.on, row.about, _ms(row.from_ns), _ms(row.to_ns)] for row in timeline.faults],
        "actions": [[row.action, _ms(row.at_ns), row.answer] for row in timeline.actions],
        "lanes": [_lane_data(lane) for lane in timeline.lanes],
        "lanes_left_out": timeline.lanes_left_out,
        "marks_left_out": timeline.marks_left_out,
        "injected": [list(pair) for pair in timeline.injected],
        "faces": [[name, list(faces)] for name, faces in timeline.faces],
    }


def read_timeline_data(data: Any) -> Timeline:
    """The timeline again. Raises ValueError for anything :func:`timeline_data` does not write."""
    try:
        if data["version"] != VERSION:
            raise ValueError(f"a timeline of version {data['version']!r} is unknown here")
        return Timeline(
            end_ns=max(_ns(data["end_ms"]), 1),
            phases=tuple(PhaseRow(plain(name), _ns(start), _ns(end)) for name, start, end in data["phases"]),
            faults=tuple(
                FaultRow(plain(kind), plain(on), plain(about), _ns(start), _ns(end))
                for kind, on, about, start, end in data["faults"]
            ),
            actions=tuple(ActionRow(plain(action), _ns(at), plain(answer)) for action, at, answer in data["actions"]),
            lanes=tuple(_lane(lane) for lane in data["lanes"]),
            lanes_left_out=_count(data["lanes_left_out"]),
            marks_left_out=_count(data["marks_left_out"]),
            injected=tuple((plain(kind), plain(on)) for kind, on in data["injected"]),
            faces=tuple((plain(name), tuple(map(plain, faces))) for name, faces in data["faces"]),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"this is no timeline: {type(error).__name__}") from None


def _lane_data(lane: Lane) -> dict[str, Json]:
    return {
        "connection": lane.connection,
        "system": lane.system,
        "appliance": lane.appliance,
        "requests": lane.requests,
        "staleness": _curve_data(lane.staleness),
        "latency": _curve_data(lane.latency),
        "errors": [[ticks.name, ticks.total, [_ms(at_ns) for at_ns in ticks.at_ns]] for ticks in lane.errors],
        "breaker": _bands_data(lane.breaker),
        "alerts": [[row.name, _bands_data(row.spans)] for row in lane.alerts],
        "polls": [[_ms(bar.from_ns), _ms(bar.to_ns), bar.succeeded, bar.failed] for bar in lane.polls],
    }


def _lane(data: Any) -> Lane:
    return Lane(
        connection=plain(data["connection"]),
        system=plain(data["system"]),
        appliance=plain(data["appliance"]),
        requests=_count(data["requests"]),
        staleness=_curve(data["staleness"]),
        latency=_curve(data["latency"]),
        errors=tuple(Ticks(plain(name), tuple(map(_ns, at)), _count(total)) for name, total, at in data["errors"]),
        breaker=_bands(data["breaker"]),
        alerts=tuple(AlertRow(plain(name), _bands(spans)) for name, spans in data["alerts"]),
        polls=tuple(Bar(_ns(start), _ns(end), _count(ok), _count(bad)) for start, end, ok, bad in data["polls"]),
    )


def _curve_data(curve: Curve) -> list[Json]:
    return [[_ms(at_ns) for at_ns, _ in curve], [None if value is None else _short(value) for _, value in curve]]


def _curve(data: Any) -> Curve:
    times, values = data
    return tuple((_ns(at), None if value is None else _number(value)) for at, value in zip(times, values, strict=True))


def _bands_data(bands: Sequence[Band]) -> list[Json]:
    return [[band.state, _ms(band.from_ns), _ms(band.to_ns)] for band in bands]


def _bands(data: Any) -> tuple[Band, ...]:
    return tuple(Band(plain(state), _ns(start), _ns(end)) for state, start, end in data)


def _short(value: float) -> int | float:
    rounded = round(value, 3)
    return int(rounded) if rounded == int(rounded) else rounded


def _ms(time_ns: int) -> int:
    return time_ns // MILLISECOND


def _ns(time_ms: Any) -> int:
    return _count(time_ms) * MILLISECOND


def _count(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("a time or count of a timeline is no natural number")
    return value


def _number(value: Any) -> float:
    if type(value) not in (int, float):
        raise ValueError("a value of a timeline is no number")
    return float(value)
