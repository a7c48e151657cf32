"""The phase is a function of the windows, the time and whether everybody succeeded once."""

from hypothesis import given
from hypothesis import strategies as st

from pulse_sim.run.phases import Phase, PhasePlan

WINDOWS = PhasePlan([(300, 600), (900, 1000)])


def test_phases_follow_one_another_over_a_run_with_two_windows() -> None:
    moments = [(0, False), (17, True), (300, True), (599, True), (600, True), (900, True), (1000, True), (5000, True)]
    assert [WINDOWS.at(now, warm) for now, warm in moments] == [
        Phase.WARM_UP,
        Phase.STEADY,
        Phase.INJECT,
        Phase.INJECT,
        Phase.HEAL,
        Phase.INJECT,
        Phase.SETTLE,
        Phase.SETTLE,
    ]


def test_without_faults_a_run_stays_steady_once_warm() -> None:
    plan = PhasePlan([])
    assert (plan.at(0, False), plan.at(10**15, True)) == (Phase.WARM_UP, Phase.STEADY)


def test_a_window_that_opens_before_everybody_succeeded_is_still_inject() -> None:
    assert WINDOWS.at(300, False) is Phase.INJECT


@given(st.lists(st.tuples(st.integers(0, 1000), st.integers(1, 500)), max_size=6), st.integers(0, 2000), st.booleans())
def test_it_is_inject_exactly_inside_a_half_open_window(spans: list[tuple[int, int]], now: int, warm: bool) -> None:
    windows = [(start, start + length) for start, length in spans]
    inside = any(start <= now < end for start, end in windows)
    assert (PhasePlan(windows).at(now, warm) is Phase.INJECT) == inside
