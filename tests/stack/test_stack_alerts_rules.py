"""Contract A10: when each rule holds, to the evaluation, and when it ends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_sim.stack.alerts.book import HISTORY
from pulse_sim.stack.alerts.rules import RULES
from pulse_sim.stack.alerts.windows import LONGEST_TICKS, Window, quantile
from pulse_sim.stack.errors import ErrorType
from pulse_sim.stack.metrics import POLL_BUCKETS
from pulse_sim.stack.readings import Reading
from tests.stack.alertbed import AlertBed


def names(bed: AlertBed) -> list[str]:
    return sorted(alert.rule for alert in bed.book.active())


def test_the_table_of_rules_is_that_of_the_contract() -> None:
    assert [(r.id, r.threshold, r.intervals, r.window_s, r.severity.value, r.notify) for r in RULES] == [
        ("poll-failing", 3, 0, 0, "warning", False),
        ("stale", 300, 3, 0, "warning", False),
        ("stale-critical", 600, 6, 0, "critical", False),
        ("auth", 0, 0, 300, "critical", True),
        ("timeouts", 5, 0, 600, "warning", False),
        ("connection", 0, 0, 300, "warning", False),
        ("slow", 10, 0, 600, "warning", False),
    ]


def test_polls_fail_at_the_fourth_failure_in_a_row_and_end_with_a_success() -> None:
    bed = AlertBed()
    for failures in range(1, 5):
        bed.fails(ErrorType.API)
        bed.tick()
        assert names(bed) == (["poll-failing"] if failures == 4 else [])
    bed.succeeds()
    bed.tick()
    assert names(bed) == []


@pytest.mark.parametrize(("interval_s", "stale", "critical"), [(60, 300, 600), (100, 300, 600), (300, 900, 1800)])
def test_staleness_is_strictly_more_than_its_limit(interval_s: int, stale: int, critical: int) -> None:
    bed = AlertBed(interval_s)
    bed.succeeds()
    found: dict[str, float] = {}
    while len(found) < 2:
        bed.tick()
        for alert in bed.book.active():
            found.setdefault(alert.rule, bed.now)
    assert found == {"stale": stale + 15, "stale-critical": critical + 15}
    bed.succeeds()
    bed.tick()
    assert names(bed) == []


@pytest.mark.parametrize(
    ("rule", "error_type", "failures", "window_s"),
    [
        ("auth", ErrorType.AUTH, 1, 300),
        ("connection", ErrorType.CONNECTION, 1, 300),
        ("timeouts", ErrorType.TIMEOUT, 6, 600),
    ],
)
def test_a_rise_counts_for_its_window_and_one_less_is_none(
    rule: str, error_type: ErrorType, failures: int, window_s: int
) -> None:
    bed = AlertBed()
    for _ in range(failures - 1):
        bed.fails(error_type, 0.1)
    bed.tick()
    assert rule not in names(bed)
    bed.fails(error_type, 0.1)
    bed.succeeds()
    raised_at = None
    for _ in range(100):
        bed.tick()
        bed.succeeds()
        if rule in names(bed):
            raised_at = raised_at or bed.now
        elif raised_at is not None:
            break
    # the last failure counts from the evaluation that saw it; the ones before it by one evaluation less
    lasted = window_s - (15 if failures > 1 else 0)
    assert (raised_at, bed.now) == (30.0, 30.0 + lasted)


def test_a_failure_in_the_first_seconds_of_a_connection_is_a_rise() -> None:
    bed = AlertBed()
    bed.fails(ErrorType.AUTH)
    bed.tick()
    assert names(bed) == ["auth"]


def test_slow_is_the_p95_of_ten_minutes() -> None:
    bed = AlertBed()
    for _ in range(19):
        bed.succeeds(0.2)
    bed.succeeds(12.0)
    bed.tick()
    assert names(bed) == []  # exactly 95 % are quick
    bed.succeeds(12.0)
    bed.tick()
    assert names(bed) == ["slow"]
    for _ in range(39):
        bed.tick()
        assert "slow" in names(bed)
    bed.tick()
    assert "slow" not in names(bed)


@pytest.mark.parametrize(
    ("counts", "wanted"),
    [
        ([0] * 11, None),
        ([20] + [0] * 10, 0.095),
        ([0] * 10 + [3], 30.0),
        ([0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 0], 14.75),
        ([0, 0, 0, 0, 0, 0, 19, 1, 0, 0, 0], 10.0),
    ],
)
def test_the_quantile_is_interpolated_as_prometheus_does(counts: list[int], wanted: float | None) -> None:
    assert quantile(POLL_BUCKETS, counts) == (None if wanted is None else pytest.approx(wanted))


@given(st.lists(st.integers(0, 3), max_size=200))
def test_a_window_knows_every_earlier_standing_and_stays_small(polls: list[int]) -> None:
    reading, window = Reading(POLL_BUCKETS), Window()
    standings = [reading.errors]
    for tick, count in enumerate(polls, start=1):
        for _ in range(count):
            reading.failed(0.1, ErrorType.AUTH)
        window.observe(reading, tick)
        standings.append(reading.errors)
        assert len(window) <= LONGEST_TICKS + 2
        for ago in (20, LONGEST_TICKS):
            assert window.before(tick - ago)[0] == standings[max(tick - ago, 0)]


def test_a_connection_registered_anew_starts_over() -> None:
    bed = AlertBed()
    bed.fails(ErrorType.AUTH)
    bed.tick()
    bed.metrics.unregister("nas-1")
    bed.metrics.register("nas-1")
    bed.tick()
    assert names(bed) == []


def test_alerts_of_a_connection_no_longer_monitored_are_resolved() -> None:
    bed = AlertBed()
    bed.fails(ErrorType.AUTH)
    bed.tick()
    bed.connections.clear()
    bed.tick()
    (alert,) = bed.book.history()
    assert (alert.state, alert.resolution) == ("resolved", "no longer monitored")


def test_listeners_hear_of_every_change_once_until_they_unsubscribe() -> None:
    bed, heard = AlertBed(), []
    unsubscribe = bed.book.subscribe(lambda event, alert: heard.append((event, alert.rule, alert.state)))
    bed.fails(ErrorType.AUTH)
    bed.tick()
    bed.tick()
    bed.book.acknowledge(bed.book.active()[0].id, "ann")
    bed.book.acknowledge(bed.book.active()[0].id, "bob")
    assert bed.book.active()[0].acknowledged_by == "ann"
    for _ in range(20):
        bed.succeeds()
        bed.tick()
    assert heard == [
        ("raised", "auth", "active"),
        ("acknowledged", "auth", "acknowledged"),
        ("resolved", "auth", "resolved"),
    ]
    unsubscribe()
    bed.fails(ErrorType.AUTH)
    bed.tick()
    assert len(heard) == 3


def test_history_is_bounded() -> None:
    bed = AlertBed()
    for _ in range(HISTORY + 5):
        bed.fails(ErrorType.AUTH)
        bed.tick()
        bed.connections.clear()
        bed.tick()
        bed.add("nas-1")
    assert len(bed.book.history()) == HISTORY


def test_five_hundred_connections_have_their_own_alerts() -> None:
    bed = AlertBed()
    for number in range(500):
        bed.add(f"n{number}")
    bed.fails(ErrorType.AUTH, instance="n250")
    bed.tick()
    assert [(alert.rule, alert.subject.instance) for alert in bed.book.active()] == [("auth", "n250")]
