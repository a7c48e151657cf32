"""Contract A6: the circuit breaker, as a table and as a state machine."""

import math
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from pulse_sim.stack.breaker import Breaker, BreakerState


def steady() -> Breaker:
    return Breaker(lambda: 0.0)


def test_it_opens_at_the_third_failure_in_a_row() -> None:
    breaker = steady()
    states = []
    for now in range(3):
        breaker.fail(float(now))
        states.append(breaker.state)
    assert states == [BreakerState.CLOSED, BreakerState.CLOSED, BreakerState.OPEN]
    assert breaker.next_attempt() == 2.0 + 5.0


def test_a_success_in_between_starts_the_count_over() -> None:
    breaker = steady()
    for _ in range(5):
        breaker.fail(0.0)
        breaker.fail(0.0)
        breaker.succeed()
    assert (breaker.state, breaker.failures, breaker.next_attempt()) == (BreakerState.CLOSED, 0, None)


def test_the_interval_doubles_from_five_seconds_to_five_minutes_and_success_resets_it() -> None:
    breaker = steady()
    intervals = []
    for _ in range(12):
        breaker.begin()
        breaker.fail(0.0)
        intervals.append(breaker.retry_s)
    assert intervals == [5, 5, 5, 10, 20, 40, 80, 160, 300, 300, 300, 300]
    breaker.succeed()
    assert (breaker.retry_s, breaker.state) == (5.0, BreakerState.CLOSED)


@pytest.mark.parametrize(("draw", "attempt"), [(-1.0, 4.5), (0.0, 5.0), (1.0, 5.5)])
def test_the_attempt_is_moved_by_a_tenth_at_most(draw: float, attempt: float) -> None:
    breaker = Breaker(lambda: draw)
    for _ in range(3):
        breaker.fail(0.0)
    assert breaker.next_attempt() == pytest.approx(attempt)


@pytest.mark.parametrize("failures", [0, 1, 3, 9, 64, 1024, 10**6, 10**400])
def test_no_failure_count_overflows_the_interval(failures: int) -> None:
    interval = steady().retry_interval(failures)
    assert math.isfinite(interval)
    assert 5.0 <= interval <= 300.0


class BreakerMachine(RuleBasedStateMachine):
    """Any order of polls and results, at any times, with any jitter, also after absurdly many failures."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.draws: list[float] = []
        self.breaker = Breaker(lambda: self.draws.pop())
        self.in_a_row = 0

    @rule(seconds=st.floats(0, 1e6))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def a_poll_begins(self) -> None:
        was = self.breaker.state
        self.breaker.begin()
        assert self.breaker.state is (BreakerState.HALF_OPEN if was is BreakerState.OPEN else was)

    @rule(draw=st.floats(-1, 1))
    def a_poll_fails(self, draw: float) -> None:
        self.draws = [draw]
        self.in_a_row += 1
        self.breaker.fail(self.now)
        opened = self.in_a_row >= 3
        assert self.breaker.state is (BreakerState.OPEN if opened else BreakerState.CLOSED)
        if opened:
            attempt = self.breaker.next_attempt()
            assert attempt is not None
            assert self.now < attempt or self.now > 1e15
            wait = attempt - self.now
            assert 0.9 * self.breaker.retry_s - 1e-3 <= wait <= min(1.1 * self.breaker.retry_s, 300.0) + 1e-3

    @rule()
    def a_poll_succeeds(self) -> None:
        self.in_a_row = 0
        self.breaker.succeed()
        assert (self.breaker.state, self.breaker.retry_s) == (BreakerState.CLOSED, 5.0)

    @precondition(lambda self: self.breaker.state is BreakerState.OPEN)
    @rule(failures=st.integers(3, 10**30))
    def it_has_failed_for_ages(self, failures: int) -> None:
        self.breaker.failures = self.in_a_row = failures

    @invariant()
    def the_interval_is_sound(self) -> None:
        assert 5.0 <= self.breaker.retry_s <= 300.0
        assert self.breaker.failures == self.in_a_row
        assert (self.breaker.next_attempt() is None) is (self.breaker.state is BreakerState.CLOSED)


TestBreakerMachine: Any = BreakerMachine.TestCase
TestBreakerMachine.settings = settings(deadline=None)
