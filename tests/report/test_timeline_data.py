"""A timeline as data: it comes back as it was, less detail loses no peak, and nothing else is taken for one."""

import json
from pathlib import Path
from typing import Any

import pytest

from pulse_sim.canonical import canonical_json
from pulse_sim.report.model import AlertRow, Band, Bar, Lane, Ticks, Timeline
from pulse_sim.report.svg import draw_timeline
from pulse_sim.report.thinning import thinned, thinned_bands, thinned_curve
from pulse_sim.report.timeline import read_timeline
from pulse_sim.report.timeline_data import read_timeline_data, timeline_data
from pulse_sim.units import MINUTE, SECOND
from tests.checks.log_builder import LogBuilder
from tests.report.hostile import HOSTILE_POOL
from tests.report.stories import read_log

LABELS = 'instance_type="truenas",instance="nas-1"'
DURATION = "pulse_monitor_poll_duration_seconds"


def alert(severity: str, rule: str = "stale", instance: str = "nas-1") -> dict[str, str]:
    return {"rule": rule, "severity": severity, "state": "active", "instance": instance}


def lane_of(log: LogBuilder, end: str = "1h") -> Lane:
    """The lane of ``nas-1``."""
    (lane,) = [lane for lane in read_timeline(log.log(end)).lanes if lane.connection == "nas-1"]
    return lane


@pytest.mark.parametrize("name", ["nas-1", HOSTILE_POOL])
def test_a_timeline_comes_back_as_it_was_written(tmp_path: Path, name: str) -> None:
    timeline = read_timeline(read_log(tmp_path, name, unseen=(12, 20)))
    written = canonical_json(timeline_data(timeline))
    again = read_timeline_data(json.loads(written))
    assert again == timeline
    assert canonical_json(timeline_data(again)) == written


@pytest.mark.parametrize(
    "damage",
    [
        {"version": 2},
        {"end_ms": "1"},
        {"end_ms": -1},
        {"end_ms": True},
        {"lanes": None},
        {"phases": [["x"]]},
        {"lanes": [{}]},
        {"faults": [1]},
        {"faces": [["a"]]},
        {"injected": {}.keys},
        {"actions": [["a", 1.5, ""]]},
    ],
)
def test_anything_else_is_no_timeline(tmp_path: Path, damage: dict[str, Any]) -> None:
    data = timeline_data(read_timeline(read_log(tmp_path)))
    with pytest.raises(ValueError, match=r"timeline|unpack"):
        read_timeline_data({**data, **damage})


@pytest.mark.parametrize("data", [None, 7, [], "x", {}])
def test_what_is_not_even_an_object_is_no_timeline(data: object) -> None:
    with pytest.raises(ValueError, match="no timeline"):
        read_timeline_data(data)


def test_latency_is_the_mean_of_the_polls_between_two_looks_and_survives_a_restart() -> None:
    log = LogBuilder()
    for minute, (count, spent) in enumerate([(1, 0.5), (3, 2.5), (3, 2.5), (1, 4.0)]):
        log.scrape(minute * MINUTE, {f"{DURATION}_count{{{LABELS}}}": count, f"{DURATION}_sum{{{LABELS}}}": spent})
    assert lane_of(log).latency == ((0, 0.5), (MINUTE, 1.0), (3 * MINUTE, 4.0))


def test_no_number_that_is_not_finite_is_drawn() -> None:
    log = LogBuilder()
    for minute, value in enumerate(["1", "NaN", "+Inf", "2"]):
        names = ("pulse_monitor_poll_staleness_seconds", f"{DURATION}_count", f"{DURATION}_sum")
        polls = {f'pulse_monitor_poll_total{{{LABELS},result="success"}}': value}
        log.scrape(minute * MINUTE, {**{f"{name}{{{LABELS}}}": value for name in names}, **polls})
    timeline = read_timeline(log.log("1h"))
    assert [value for _, value in timeline.lanes[0].staleness] == [1.0, None, None, 2.0]
    assert "nan" not in draw_timeline(timeline) and "inf" not in draw_timeline(timeline).replace("info", "")
    canonical_json(timeline_data(timeline))


def test_a_connection_shows_its_own_alerts_from_one_look_to_the_next() -> None:
    log = LogBuilder()
    looks: list[tuple[dict[str, dict[str, str]], list[str]]] = [
        ({}, []),
        ({"a": alert("warning")}, []),
        ({"a": alert("critical"), "b": alert("warning")}, []),
        ({"c": alert("critical", "auth", "nas-2")}, ["a", "b"]),
        ({"d": alert("warning")}, ["c"]),
    ]
    for minute, (changed, gone) in enumerate(looks):
        log.add(minute * MINUTE, "sampler/alerts", "pulse", status=200, error=None, changed=changed, gone=gone)
    (row,) = lane_of(log, "6m").alerts
    assert row.name == "stale"
    assert [(band.state, band.from_ns // MINUTE, band.to_ns // MINUTE) for band in row.spans] == [
        ("warning", 1, 2),
        ("critical", 2, 3),
        ("warning", 4, 6),
    ]


def test_faces_are_those_that_answered_in_full(tmp_path: Path) -> None:
    assert read_timeline(read_log(tmp_path)).faces == (("nas-1", ("rest",)),)
    assert read_timeline(read_log(tmp_path / "b")).injected == (("auth.revoke_key", "nas-1"),)


def test_less_detail_keeps_lowest_and_highest_and_every_gap() -> None:
    curve = tuple((second * SECOND, float(second % 7)) for second in range(600))
    few = thinned_curve((*curve, (600 * SECOND, None)), MINUTE)
    assert len(few) <= 2 * 10 + 1
    assert {value for _, value in few} == {0.0, 6.0, None}
    assert set(few) <= {*curve, (600 * SECOND, None)}


def test_less_detail_keeps_every_poll_and_the_worst_state_of_a_slice() -> None:
    bars = tuple(Bar(at * MINUTE, (at + 1) * MINUTE, 1, at % 2) for at in range(100))
    bands = tuple(Band("open" if at % 10 == 3 else "closed", at * MINUTE, (at + 1) * MINUTE) for at in range(100))
    ticks = (Ticks("auth", tuple(at * MINUTE for at in range(100)), 100),)
    lane = Lane("n", "s", "a", 1, (), (), ticks, bands, (AlertRow("stale", bands),), bars)
    few = thinned(Timeline(100 * MINUTE, (), (), (), (lane, lane)), 10, 1)
    assert (len(few.lanes), few.lanes_left_out) == (1, 1)
    (one,) = few.lanes
    assert (sum(bar.succeeded for bar in one.polls), sum(bar.failed for bar in one.polls)) == (100, 50)
    assert len(one.polls) == len(one.errors[0].at_ns) == 10
    assert one.breaker == one.alerts[0].spans == (Band("open", 0, 100 * MINUTE),)


def test_bands_that_are_few_are_left_as_they_are() -> None:
    bands = (Band("closed", 0, 5 * MINUTE), Band("open", 5 * MINUTE, 6 * MINUTE))
    assert thinned_bands(bands, MINUTE, 10 * MINUTE) == bands
