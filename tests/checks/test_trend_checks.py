"""trend on handwritten logs, and the slope itself."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_sim.checks.judgement import NoEvidence
from pulse_sim.checks.trends import MOST, median_slope, thinned
from pulse_sim.outcome import Outcome
from pulse_sim.units import HOUR, MINUTE
from tests.checks.log_builder import LogBuilder, every, judge

PASSED, FAILED, INCONCLUSIVE = Outcome.PASSED, Outcome.FAILED, Outcome.INCONCLUSIVE
TASKS = "pulse_runtime_tasks"


def scraped(values: dict[int, float | str], name: str = TASKS) -> LogBuilder:
    """A steady system from the first minute on, and one scrape a minute showing ``values``."""
    log = LogBuilder(resources_every_ns=MINUTE).phase("1m", "steady")
    for minute, value in values.items():
        log.scrape(minute * MINUTE, {name: value})
    return log


def grown(builder: LogBuilder, at_most: float, *, minutes: int = 240, **more: Any) -> tuple[Outcome, str]:
    parameters = {"of": "tasks", "at_most_per_hour": at_most, **more}
    result = judge(builder.log(minutes * MINUTE), "trend", **parameters)
    return result.outcome, result.observed


def test_a_count_that_stays_has_no_slope_and_one_that_grows_has_its_own() -> None:
    assert grown(scraped(dict.fromkeys(range(241), 7)), 0.0) == (PASSED, "0.000 an hour over 240 samples")
    growing = scraped({minute: minute / 60 for minute in range(241)})
    assert grown(growing, 1.0)[1].startswith("1.0")
    assert grown(growing, 0.9)[0] is FAILED
    assert grown(growing, 1.1)[0] is PASSED


def test_a_leak_of_one_in_two_hours_is_found_among_polls_that_come_and_go() -> None:
    leaking = scraped({minute: 4 + minute // 120 + (minute % 7 == 0) for minute in range(1441)})
    steady = scraped({minute: 4 + (minute % 7 == 0) for minute in range(1441)})
    assert grown(leaking, 0.25, minutes=1440)[0] is FAILED
    assert grown(steady, 0.0, minutes=1440)[0] is PASSED


def test_an_outage_in_the_middle_is_no_trend() -> None:
    assert grown(scraped({minute: 40 if 60 <= minute < 120 else 4 for minute in range(241)}), 0.0)[0] is PASSED


def test_what_shrinks_does_not_grow() -> None:
    shrinking = scraped({minute: 100 - minute / 60 for minute in range(241)})
    assert grown(shrinking, 0.0) == (PASSED, "-1.000 an hour over 240 samples")


def test_series_are_counted_scrape_by_scrape() -> None:
    log = LogBuilder().phase("1m", "steady")
    for minute in range(241):
        log.scrape(minute * MINUTE, {f'a{{n="{index}"}}': 1 for index in range(10 + minute // 10)})
    assert grown(log, 5.0, of="series")[0] is FAILED
    assert grown(log, 6.5, of="series")[0] is PASSED
    gone = LogBuilder().phase("1m", "steady")
    for minute in range(241):
        gone.scrape(minute * MINUTE, {f'a{{n="{minute}"}}': 1, "b": 1})
    assert grown(gone, 0.0, of="series")[0] is PASSED


def test_rows_are_counted_look_by_look() -> None:
    log = LogBuilder(resources_every_ns=MINUTE).phase("1m", "steady")
    for minute in range(241):
        log.resources(minute * MINUTE, {f"nas-1/disk:{index}": {} for index in range(3 + minute // 60)})
    assert grown(log, 0.5, of="rows")[0] is FAILED
    assert grown(log, 1.1, of="rows")[0] is PASSED


def test_the_kernel_counts_hour_by_hour() -> None:
    log = LogBuilder().phase("1m", "steady")
    for hour in range(25):
        log.add(hour * HOUR, "world/counts", "run", tasks=9 + hour, transports=4, timers=5)
    assert grown(log, 0.9, of="kernel_tasks", minutes=1440)[0] is FAILED
    assert grown(log, 1.0, of="kernel_tasks", minutes=1440)[0] is PASSED
    assert grown(log, 0.0, of="kernel_transports", minutes=1440)[0] is PASSED


def test_too_short_too_few_unseen_or_unreadable_is_inconclusive() -> None:
    flat = scraped(dict.fromkeys(range(241), 7))
    short = scraped(dict.fromkeys(range(21), 7))
    assert grown(short, 0.0, minutes=20) == (INCONCLUSIVE, "less than 20m to judge")
    assert grown(short, 0.0, minutes=21)[0] is PASSED
    assert grown(flat, 0.0, between=["1h", "1h19m59s"])[0] is INCONCLUSIVE
    assert grown(flat, 0.0, between=["1h", "1h20m"])[0] is PASSED
    assert grown(flat, 0.0, between=["1h", "5h"])[0] is INCONCLUSIVE
    assert grown(flat, 0.0, of="timers")[0] is INCONCLUSIVE
    assert grown(flat, 0.0, of="rows")[0] is INCONCLUSIVE
    assert grown(flat, 0.0, of="kernel_tasks")[0] is INCONCLUSIVE
    hole = scraped({minute: 7 for minute in range(241) if not 100 < minute < 105})
    assert grown(hole, 0.0)[0] is INCONCLUSIVE
    assert grown(scraped({minute: 7 for minute in range(241) if not 100 < minute < 103}), 0.0)[0] is PASSED
    assert grown(scraped({**dict.fromkeys(range(241), 7), 9: "NaN"}), 0.0)[0] is INCONCLUSIVE
    cold = LogBuilder()
    for minute in range(241):
        cold.scrape(minute * MINUTE, {TASKS: 7})
    assert grown(cold, 0.0)[0] is INCONCLUSIVE
    assert grown(LogBuilder(started=False), 0.0)[0] is INCONCLUSIVE


def test_eleven_samples_are_too_few_and_twelve_are_not() -> None:
    def hourly(count: int) -> LogBuilder:
        log = LogBuilder(metrics_every_ns=HOUR).phase("0s", "steady")
        for hour in range(count):
            log.scrape(hour * HOUR, {TASKS: 7})
        return log

    assert grown(hourly(11), 0.0, minutes=11 * 60)[0] is INCONCLUSIVE
    assert grown(hourly(12), 0.0, minutes=12 * 60)[0] is PASSED


POINTS = st.lists(st.tuples(st.integers(0, 10**15), st.integers(-(10**6), 10**6)), min_size=2, max_size=40)


@given(POINTS, st.integers(-1000, 1000), st.integers(-1000, 1000))
def test_the_slope_is_exact_under_a_shift_and_a_tilt(points: list[tuple[int, int]], shift: int, tilt: int) -> None:
    own = [(time, Fraction(value), 0) for time, value in points]
    moved = [(time, value + shift + tilt * time, 0) for time, value, _ in own]
    try:
        slope = median_slope(own)
    except NoEvidence:
        assert len({time for time, _, _ in own}) == 1
        return
    assert median_slope(moved) == slope + tilt
    assert median_slope([(time, -value, 0) for time, value, _ in own]) == -slope


@given(st.integers(1, 1000), st.integers(0, 3))
def test_thinning_keeps_the_order_and_the_slope_of_a_line(count: int, slope: int) -> None:
    points = [(time, Fraction(slope * time), time) for time in every(1, 0, count)]
    kept = thinned(points)
    assert len(kept) <= MOST
    assert [time for time, _, _ in kept] == sorted({time for time, _, _ in kept})
    if len(points) <= MOST:
        assert kept == points
    elif slope == 0:
        assert median_slope(kept) == 0


@pytest.mark.parametrize("size", [101, 250, 2880])
def test_a_thinned_line_still_rises_as_the_line_does(size: int) -> None:
    points = [(time, Fraction(time), time) for time in range(size)]
    assert abs(median_slope(thinned(points)) - 1) < Fraction(1, 50)
