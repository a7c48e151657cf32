"""A clock that can be set: it runs as the one below does, somewhere else in time, or stands still."""

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from mock_truenas.clock import SettableClock
from tests.mock_truenas.wire import START_NS, SetClock

MINUTE_NS = 60_000_000_000


def test_untouched_it_agrees_with_the_clock_below() -> None:
    below = SetClock()
    clock = SettableClock(below)
    below.at_ns += MINUTE_NS
    assert clock.now_ns() == below.now_ns()


def test_years_outside_the_century_are_refused_and_change_nothing() -> None:
    clock = SettableClock(SetClock())
    for absurd in (0, -1, 4_102_444_800_000_000_000):
        with pytest.raises(ValueError, match="outside the years 2000 to 2099"):
            clock.set(absurd)
    with pytest.raises(ValueError, match="outside the years"):
        clock.advance(10**21)
    assert clock.now_ns() == START_NS


class AnyClock(RuleBasedStateMachine):
    """Whatever was done to it, it shows what a plain account of the same steps says."""

    def __init__(self) -> None:
        super().__init__()
        self.below = SetClock()
        self.clock = SettableClock(self.below)
        self.shows_ns, self.running = START_NS, True

    @rule(by_ns=st.integers(0, MINUTE_NS))
    def time_passes(self, by_ns: int) -> None:
        self.below.at_ns += by_ns
        self.shows_ns += by_ns if self.running else 0

    @rule(by_ns=st.integers(-MINUTE_NS, MINUTE_NS))
    def advance(self, by_ns: int) -> None:
        self.clock.advance(by_ns)
        self.shows_ns += by_ns

    @rule(at_ns=st.integers(START_NS - MINUTE_NS, START_NS + MINUTE_NS))
    def set(self, at_ns: int) -> None:
        self.clock.set(at_ns)
        self.shows_ns = at_ns

    @rule()
    def freeze(self) -> None:
        self.clock.freeze()
        self.running = False

    @rule()
    def run_on(self) -> None:
        self.clock.run()
        self.running = True

    @rule()
    def reset(self) -> None:
        self.clock.reset()
        self.shows_ns, self.running = self.below.at_ns, True

    @invariant()
    def shows_what_it_should(self) -> None:
        assert self.clock.now_ns() == self.shows_ns
        assert self.clock.state == ("running" if self.running else "frozen")


TestAnyClock = AnyClock.TestCase


def test_a_clock_made_standing_still_stands_again_after_a_reset() -> None:
    clock = SettableClock(SetClock(), at_ns=START_NS)
    clock.advance(MINUTE_NS)
    clock.run()
    clock.reset()
    assert (clock.now_ns(), clock.state) == (START_NS, "frozen")
