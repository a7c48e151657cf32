"""Counters of polls read scrape by scrape, and the two abort criteria on them."""

import pytest

from pulse_sim.checks.firing import Firing
from pulse_sim.checks.poll_aborts import AuthErrors, Counter, FailureRate, PollCounters
from pulse_sim.observation import Record, Source
from pulse_sim.units import MINUTE
from tests.checks.log_builder import poll_errors, poll_total

GOOD, BAD, AUTH = poll_total("success"), poll_total("error"), poll_errors("auth")


def scrape(minute: float, seq: int = 0) -> Record:
    return Record(seq, round(minute * MINUTE), Source.SAMPLER, "metrics", "pulse", {})


def test_a_counter_begins_at_0_when_it_appears_falls_or_its_system_starts() -> None:
    counter = Counter({"a": 5.0, "b": 2.0})
    assert counter.gain(False) == 7
    counter.values["a"] = 6.0
    assert counter.gain(False) == 1
    assert counter.gain(False) == 0
    assert counter.gain(True) == 8
    counter.values["a"] = 1.0
    assert counter.gain(False) == 3


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_counter_that_is_no_number_or_absent_gains_nothing_and_begins_anew(value: float) -> None:
    counter = Counter({"a": 5.0})
    assert counter.gain(False) == 5
    counter.values["a"] = value
    assert counter.gain(False) == 0
    counter.values["a"] = 6.0
    assert counter.gain(False) == 6
    counter.values.clear()
    assert counter.gain(False) == 0
    assert counter.before is None


def test_polls_are_counted_by_connection_and_by_how_they_ended() -> None:
    counters = PollCounters()
    other = poll_total("success", "nas-2")
    assert counters.see({GOOD: "3", BAD: "2", AUTH: "1", other: "9"}, []) == {"nas-1": (3, 2, 1), "nas-2": (9, 0, 0)}
    assert counters.see({GOOD: "4"}, []) == {"nas-1": (1, 0, 0), "nas-2": (0, 0, 0)}
    assert counters.see({BAD: "5", AUTH: "2"}, [other]) == {"nas-1": (0, 3, 1)}
    assert counters.see({}, [AUTH]) == {"nas-1": (0, 0, 0)}
    assert counters.see({other: "2"}, [GOOD, BAD, AUTH]) == {"nas-2": (2, 0, 0)}


def test_a_system_that_started_counts_from_0_once() -> None:
    counters = PollCounters()
    assert counters.see({GOOD: "3"}, []) == {"nas-1": (3, 0, 0)}
    counters.begin_life()
    assert counters.see({GOOD: "4"}, []) == {"nas-1": (4, 0, 0)}
    assert counters.see({GOOD: "5"}, []) == {"nas-1": (1, 0, 0)}


@pytest.mark.parametrize(
    "series",
    [
        GOOD.replace("truenas", "proxmox"),
        GOOD.replace('instance="nas-1",', ""),
        GOOD.replace("success", "skipped"),
        poll_errors("api"),
        "pulse_monitor_poll_total",
        "pulse_monitor_poll_total{",
        "pulse_runtime_tasks",
        f"other_{GOOD}",
    ],
)
def test_a_series_of_anything_else_is_not_counted(series: str) -> None:
    counters = PollCounters()
    assert counters.see({series: "3"}, []) == {}
    assert counters.see({GOOD: "1"}, [series]) == {"nas-1": (1, 0, 0)}


def test_a_value_that_is_no_number_counts_nothing() -> None:
    assert PollCounters().see({GOOD: "seven", BAD: "2"}, []) == {"nas-1": (0, 2, 0)}


def interval(rate: FailureRate, minute: float, good: float, bad: float) -> Firing | None:
    """One interval with two connections that share its polls."""
    rate.add(scrape(minute, round(minute)), {"nas-1": (good - 1, 0, 0), "nas-2": (1, bad, 0)})
    return rate.end_interval()


def test_more_than_half_failed_for_more_than_five_minutes_fires() -> None:
    rate = FailureRate()
    assert [interval(rate, minute, 2, 3) for minute in range(1, 7)] == [None] * 6
    what = "more than half of the polls failed for more than 5m"
    assert interval(rate, 6.001, 2, 3) == Firing("failure_rate", round(6.001 * MINUTE), what, (1, 6))


def test_half_is_not_more_than_half_and_begins_anew() -> None:
    rate = FailureRate()
    assert interval(rate, 1, 2, 3) is None
    assert interval(rate, 3, 3, 3) is None
    assert interval(rate, 7, 2, 3) is None
    assert interval(rate, 12, 2, 3) is None
    assert interval(rate, 13, 2, 3) is not None


def test_an_interval_without_a_poll_changes_nothing() -> None:
    rate = FailureRate()
    assert interval(rate, 1, 1, 3) is None
    assert rate.end_interval() is None
    rate.add(scrape(5), {"nas-1": (0, 0, 0)})
    assert rate.end_interval() is None
    rate.add(scrape(6), {})
    assert rate.end_interval() is None
    assert interval(rate, 7, 1, 3) is not None


def test_what_two_scrapes_added_to_one_interval_is_judged_together() -> None:
    rate = FailureRate()
    assert interval(rate, 1, 1, 3) is None
    rate.add(scrape(7, 7), {"nas-1": (0, 2, 0)})
    rate.add(scrape(7.1, 8), {"nas-1": (2, 0, 0)})
    assert rate.end_interval() is None
    assert interval(rate, 13, 1, 3) is None


def auth(errors: AuthErrors, minute: float, gained: tuple[float, float, float], name: str = "nas-1") -> Firing | None:
    return errors.add(scrape(minute, round(minute)), {name: gained})


def test_auth_errors_of_one_connection_for_more_than_ten_minutes_fire() -> None:
    errors = AuthErrors()
    assert auth(errors, 1, (0, 1, 1)) is None
    assert auth(errors, 2, (0, 1, 1), "nas-2") is None
    assert auth(errors, 5, (0, 1, 0)) is None
    assert auth(errors, 11, (0, 1, 1)) is None
    assert auth(errors, 11.001, (0, 1, 1), "nas-2") is None
    what = "auth errors of nas-1 for more than 10m"
    assert auth(errors, 11.001, (0, 1, 1)) == Firing("auth_errors", round(11.001 * MINUTE), what, (1, 11))


def test_a_success_without_an_auth_error_ends_them() -> None:
    errors = AuthErrors()
    assert auth(errors, 1, (0, 1, 1)) is None
    assert auth(errors, 5, (1, 0, 0), "nas-2") is None
    assert auth(errors, 8, (1, 0, 0)) is None
    assert auth(errors, 12, (0, 1, 1)) is None
    assert auth(errors, 15, (1, 1, 1)) is None
    assert auth(errors, 23, (0, 1, 1)) is not None
