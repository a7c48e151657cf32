"""The timeline read off a log and drawn: true to the log, small, well-formed whatever the names."""

import json
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from pulse_sim.report.model import ActionRow, FaultRow, Timeline
from pulse_sim.report.page import figure
from pulse_sim.report.svg import draw_timeline
from pulse_sim.report.thinning import MAX_SLICES
from pulse_sim.report.timeline import read_timeline
from pulse_sim.report.timeline_data import read_timeline_data
from pulse_sim.units import MINUTE
from tests.report.hostile import HOSTILE_POOL, RAW, invisible
from tests.report.page_reader import Page
from tests.report.stories import read_log

parsed = ET.fromstring  # what this package wrote itself
SVG = "{http://www.w3.org/2000/svg}"


def test_a_timeline_tells_phases_faults_and_each_connection(tmp_path: Path) -> None:
    timeline = read_timeline(read_log(tmp_path))
    assert [phase.name for phase in timeline.phases] == ["warm-up", "steady", "inject", "heal", "settle"]
    assert timeline.phases[-1].to_ns == timeline.end_ns == 25 * MINUTE
    (fault,) = timeline.faults
    assert (fault.kind, fault.from_ns, fault.to_ns) == ("auth.revoke_key", 5 * MINUTE, 10 * MINUTE)
    (lane,) = timeline.lanes
    assert (lane.connection, lane.requests) == ("nas-1", 25)
    assert [(ticks.name, ticks.total, len(ticks.at_ns)) for ticks in lane.errors] == [("auth", 5, 5)]
    assert [band.state for band in lane.breaker] == ["closed", "open", "closed"]
    assert (sum(bar.succeeded for bar in lane.polls), sum(bar.failed for bar in lane.polls)) == (20, 5)
    assert max(value for _, value in lane.staleness if value is not None) == 317


def test_forty_eight_hours_are_thinned_without_losing_the_peak(tmp_path: Path) -> None:
    timeline = read_timeline(read_log(tmp_path, minutes=2880))
    (lane,) = timeline.lanes
    assert len(lane.staleness) <= 2 * MAX_SLICES + 2
    assert max(value for _, value in lane.staleness if value is not None) == 317
    assert sum(bar.succeeded + bar.failed for bar in lane.polls) == 2880
    assert len(draw_timeline(timeline)) < 64 * 1024


def test_the_drawing_is_well_formed_and_shows_every_row(tmp_path: Path) -> None:
    drawn = parsed(draw_timeline(read_timeline(read_log(tmp_path))))
    texts = [element.text for element in drawn.iter(f"{SVG}text")]
    for text in ("phases", "faults", "auth.revoke_key on nas-1", "nas-1", "staleness", "auth × 5", "breaker", "polls"):
        assert text in texts
    assert [element.get("class") for element in drawn.iter(f"{SVG}rect")].count("w") == 1


def test_the_shade_stands_where_the_fault_was(tmp_path: Path) -> None:
    drawn = parsed(draw_timeline(read_timeline(read_log(tmp_path))))
    shade = next(element for element in drawn.iter(f"{SVG}rect") if element.get("class") == "w")
    first, last = (
        float(element.get("x", "0")) for element in drawn.iter(f"{SVG}text") if element.text in ("0s", "25m")
    )
    begin, width = float(shade.get("x", "0")), float(shade.get("width", "0"))
    assert abs((begin - first) / (last - first) - 5 / 25) < 0.001
    assert abs(width / (last - first) - 5 / 25) < 0.001


def test_windows_that_overlap_are_one_shade() -> None:
    windows = ((0, 5), (3, 6), (6, 7), (9, 10), (2, 3))
    faults = tuple(FaultRow("net.down", "nas-1", "", begin * MINUTE, end * MINUTE) for begin, end in windows)
    drawn = parsed(draw_timeline(Timeline(10 * MINUTE, (), faults, (), ())))
    shades = [element for element in drawn.iter(f"{SVG}rect") if element.get("class") == "w"]
    assert [float(shade.get("width", "0")) / 972 for shade in shades] == pytest.approx([0.7, 0.1], abs=0.001)


def test_words_of_marks_close_together_stand_on_different_rows() -> None:
    faults = tuple(
        FaultRow("http.silence", "nas-1", "", at * MINUTE, (at + 1) * MINUTE) for at in (100, 103, 960, 990, 995)
    )
    actions = (ActionRow("add_connection nas-2", 100 * MINUTE, "201"), ActionRow("remove it", 101 * MINUTE, "200"))
    drawn = parsed(draw_timeline(Timeline(1000 * MINUTE, (), faults, actions, ())))
    rows: dict[str, list[tuple[float, float]]] = {}
    for element in drawn.iter(f"{SVG}text"):
        words, x = element.text or "", float(element.get("x", "0"))
        if words.startswith(("http.silence", "add_", "remove")):
            begin = x - 6.3 * len(words) if element.get("text-anchor") == "end" else x
            rows.setdefault(element.get("y", ""), []).append((begin, begin + 6.3 * len(words)))
    assert sum(len(spans) for spans in rows.values()) == 7
    for spans in rows.values():
        spans.sort()
        assert all(before[1] <= after[0] for before, after in pairwise(spans))
        assert spans[0][0] >= 132 and spans[-1][1] <= 1120


def test_an_evil_name_stays_a_name(tmp_path: Path) -> None:
    text = draw_timeline(read_timeline(read_log(tmp_path, HOSTILE_POOL)))
    drawn = parsed(text)
    assert not list(drawn.iter(f"{SVG}script"))
    assert invisible(text) == [] and not [raw for raw in RAW if raw in text]
    assert any("<script>" in (element.text or "") for element in drawn.iter(f"{SVG}text"))


def test_a_gap_in_the_samples_is_a_gap_in_the_curve(tmp_path: Path) -> None:
    (lane,) = read_timeline(read_log(tmp_path, unseen=(12, 20))).lanes
    assert [value for _, value in lane.staleness].count(None) == 1
    assert not [at_ns for at_ns, _ in lane.staleness if 12 * MINUTE < at_ns < 20 * MINUTE]
    assert [band.state for band in lane.breaker] == ["closed", "open", "closed", "closed"]


def test_a_hostile_word_in_any_place_of_a_timeline_is_a_word() -> None:
    name = HOSTILE_POOL
    band = [name, 0, 1000]
    lane = {
        **dict.fromkeys(("connection", "system", "appliance"), name),
        "requests": 1,
        "staleness": [[0, 1000], [1, 2.5]],
        "latency": [[0], [0.1]],
        "errors": [[name, 2, [500]]],
        "breaker": [band],
        "alerts": [[name, [band]]],
        "polls": [[0, 1000, 1, 1]],
    }
    data = {
        "version": 1,
        "end_ms": 1000,
        "phases": [band],
        "faults": [[name, name, name, 0, 500]],
        "actions": [[name, 0, name]],
        "lanes": [lane],
        **dict.fromkeys(("lanes_left_out", "marks_left_out"), 1),
        "injected": [[name, name]],
        "faces": [[name, [name]]],
    }
    timeline = read_timeline_data(data)
    text = draw_timeline(timeline)
    tags = {element.tag.removeprefix(SVG) for element in parsed(text).iter()}
    assert tags <= {"svg", "style", "rect", "path", "polyline", "text", "title"}
    assert invisible(text) == [] and not [raw for raw in RAW if raw in text]
    page = Page(f"<figure>{figure(timeline)}</figure>")
    assert set(page.elements) - tags == {"figure", "div", "script"}
    assert invisible(json.dumps(page.data, ensure_ascii=False)) == []
