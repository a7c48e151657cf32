"""Contract A5: due times keep to a grid, whatever the polls do."""

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_sim.stack.schedule import Schedule


@settings(deadline=None)
@given(
    start=st.floats(0, 1e7),
    interval_s=st.integers(1, 3600),
    lengths=st.lists(st.floats(0, 3), min_size=1, max_size=30),
    seed=st.integers(0, 100),
)
def test_due_times_never_drift(start: float, interval_s: int, lengths: list[float], seed: int) -> None:
    schedule = Schedule(start, interval_s, random.Random(seed))
    jitter = min(interval_s / 100, 0.5) + 1e-6
    step = -1
    for length in lengths:
        offset = schedule.due - start
        nearest = math.floor(offset / interval_s + 1e-9)
        assert nearest > step
        assert 0 <= offset - nearest * interval_s + 1e-6 <= jitter + 1e-6
        step = nearest
        before = schedule.due
        assert schedule.advance(before + length * interval_s) > before


def test_a_poll_shorter_than_the_interval_skips_nothing_and_a_longer_one_skips_what_it_missed() -> None:
    schedule = Schedule(0.0, 60, random.Random(1))
    assert 60.0 <= schedule.advance(schedule.due + 29.0) < 60.5
    assert 240.0 <= schedule.advance(200.0) < 240.5


def test_a_due_time_still_to_come_stays() -> None:
    schedule = Schedule(0.0, 60, random.Random(1))
    due = schedule.advance(10.0)
    assert [schedule.advance(now) for now in (15.0, 30.0, 59.0)] == [due] * 3


@pytest.mark.parametrize("seed", range(5))
def test_jitter_is_seeded_and_small(seed: int) -> None:
    one, other = (Schedule(0.0, 60, random.Random(seed)) for _ in range(2))
    assert one.due == other.due
    assert 0 <= one.due < 0.5
