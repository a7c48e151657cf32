"""``reporting.*``: what graphs there are, and their samples over a span (truenas-api 3.7).

An identifier nobody has, or a graph that cannot be drawn, is no error: its whole kind is missing from the answer.
"""

import asyncio
import errno
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field

from mock_truenas.api.errors import ValidationErrors
from mock_truenas.api.methods.checking import Given
from mock_truenas.api.methods.method import Call, Method, Param
from mock_truenas.api.methods.tables import config
from mock_truenas.api.rows_graphs import GRAPHS, Drawing, Graph, Value

_MOST_POINTS: Final = 2999
_SPANS_S: Final = {"HOUR": 3600, "DAY": 86_400, "WEEK": 7 * 86_400, "MONTH": 30 * 86_400, "YEAR": 365 * 86_400}
_SECOND_NS: Final = 1_000_000_000
_SAMPLES_BETWEEN_BREATHS: Final = 2000
_Instant = Annotated[int, Field(ge=0, le=253_402_300_799)]


class GraphAsked(Given):
    """One graph of a request."""

    name: str
    identifier: str | None = None


class Span(Given):
    """Over which time: a unit and how many of them back, or from an instant to another."""

    unit: Literal["HOUR", "DAY", "WEEK", "MONTH", "YEAR"] | None = None
    page: Annotated[int, Field(ge=1, le=100_000)] = 1
    aggregate: bool = True
    start: _Instant | None = None
    end: _Instant | None = None


def _graphs(call: Call) -> list[dict[str, Any]]:
    return [
        {
            "name": graph.name,
            "title": graph.title,
            "vertical_label": graph.vertical_label,
            "identifiers": graph.names(call.appliance, call.dialect),
        }
        for graph in GRAPHS.values()
    ]


async def _data(call: Call) -> list[dict[str, Any]]:
    # Both versions take the same object under another name.
    argument = next(name for name in _SPAN_NAMES if name in call.arguments)
    asked = [_plain(graph) for graph in call.arguments["graphs"]]
    window = _window(call, argument)
    found: dict[str, list[str]] = {}
    for one in asked:
        found.setdefault(one["name"], []).append(one.get("identifier") or "")
    rows: list[dict[str, Any]] = []
    for name, identifiers in found.items():
        for graph, identifier, drawing in _drawings(call, name, identifiers):
            rows.append(await _row(graph, identifier, drawing, window))
    return rows


async def _graph(call: Call) -> list[dict[str, Any]]:
    name = call.arguments["name"]
    window = _window(call, "query")
    if name not in GRAPHS:
        raise ValidationErrors.one("name", f"{name!r} is not a valid graph plugin.")
    every = GRAPHS[name].names(call.appliance, call.dialect)
    return [
        await _row(graph, identifier, drawing, window)
        for graph, identifier, drawing in _drawings(call, name, [""] if every is None else every)
    ]


@dataclass(frozen=True)
class _Window:
    start_s: int
    end_s: int
    now_s: int
    aggregate: bool


def _window(call: Call, argument: str) -> _Window:
    """The window asked for. Raises ValidationErrors for what excludes each other."""
    span = _plain(call.arguments[argument])
    unit, start_s, end_s = span.get("unit"), span.get("start"), span.get("end")
    problems = []
    if unit is not None:
        words = f"{argument}.{{}} should not be used together with {argument}.unit"
        problems = [(f"{argument}.{key}", words.format(key)) for key in ("start", "end") if span.get(key) is not None]
    elif end_s is not None and start_s is None:
        problems = [(f"{argument}.start", "Field required when end is given")]
    elif start_s is not None and end_s is not None and start_s >= end_s:
        problems = [(f"{argument}.end", "End has to be after start")]
    if problems:
        raise ValidationErrors((path, words, errno.EINVAL) for path, words in problems)
    now_s = call.appliance.wall_ns() // _SECOND_NS
    aggregate = bool(span.get("aggregate", True))
    if unit is None and start_s is not None:
        return _Window(start_s, now_s if end_s is None else end_s, now_s, aggregate)
    length_s = _SPANS_S[unit or "HOUR"]
    end_s = max(0, now_s - (span.get("page", 1) - 1) * length_s)
    return _Window(max(0, end_s - length_s), end_s, now_s, aggregate)


def _drawings(call: Call, name: str, identifiers: Sequence[str]) -> list[tuple[Graph, str, Drawing]]:
    """The drawings of one kind; none at all when one of them cannot be made."""
    graph = GRAPHS.get(name)
    if graph is None:
        return []
    if graph.identifiers is None:
        return [(graph, name, graph.draw(call.appliance, call.dialect, name))]
    known = graph.identifiers(call.appliance, call.dialect)
    if any(identifier not in known for identifier in identifiers):
        return []
    return [
        (graph, identifier, graph.draw(call.appliance, call.dialect, known[identifier])) for identifier in identifiers
    ]


async def _row(graph: Graph, identifier: str, drawing: Drawing, window: "_Window") -> dict[str, Any]:
    start_s, end_s, now_s = window.start_s, window.end_s, window.now_s
    data: list[list[Value]] = []
    width = len(drawing.legend)
    # What has not happened yet is not in the books.
    for number, at_s in enumerate(_grid(start_s, end_s, now_s), 1):
        data.append([at_s, *drawing.sample(at_s)])
        if number * width % _SAMPLES_BETWEEN_BREATHS < width:
            # A year of a hundred cores is no reason to keep everybody waiting.
            await asyncio.sleep(0)
    if data and not any(data[-1][1:]):
        data.pop()
    return {
        "name": graph.name,
        "identifier": identifier,
        "data": data,
        "aggregations": _aggregations(drawing.legend, data) if window.aggregate else None,
        "start": start_s,
        "end": end_s,
        "legend": ["time", *drawing.legend],
    }


def _grid(start_s: int, end_s: int, now_s: int) -> Iterator[int]:
    """Seconds on a grid that does not move with who asks, at most 2999 of them."""
    step_s = max(1, -(-(end_s - start_s) // _MOST_POINTS))
    first = -(-start_s // step_s) * step_s
    return iter(range(first, min(end_s, now_s), step_s))


def _aggregations(legend: Sequence[str], data: Sequence[Sequence[Value]]) -> dict[str, dict[str, float]]:
    shown: dict[str, dict[str, float]] = {"min": {}, "mean": {}, "max": {}}
    for place, name in enumerate(legend, 1):
        values = [value for row in data if (value := row[place]) is not None]
        if values:
            shown["min"][name] = min(values)
            shown["mean"][name] = sum(values) / len(values)
            shown["max"][name] = max(values)
    return shown


def _plain(value: Any) -> Mapping[str, Any]:
    return value.model_dump() if isinstance(value, BaseModel) else value


_SPAN_NAMES: Final = ("query", "reporting_query")
_ASKED: Final = (
    Param("graphs", Annotated[list[GraphAsked], Field(min_length=1)]),
    Param("reporting_query", Span, {}, until="25.04.0"),
    Param("query", Span, {}, since="25.04.0"),
)
_ONE: Final = (Param("name", str), Param("query", Span, {}))
_CONFIG: Final = {"id": 1, "tier0_days": 7, "tier1_days": 30, "tier1_update_interval": 300}

METHODS: Final = (
    Method("reporting.graphs", "Graphs that can be drawn", _graphs, filterable=True, moving="never"),
    Method("reporting.netdata_graphs", "Graphs that can be drawn", _graphs, filterable=True, moving="never"),
    Method("reporting.get_data", "Samples of graphs over a span", _data, _ASKED),
    Method("reporting.netdata_get_data", "Samples of graphs over a span", _data, _ASKED),
    Method("reporting.graph", "Samples of every graph of one kind", _graph, _ONE),
    Method("reporting.netdata_graph", "Samples of every graph of one kind", _graph, _ONE),
    *config("reporting", _CONFIG),
)
