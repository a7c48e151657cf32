"""poll_metrics: what they say of small logs, and at which records they point."""

from collections.abc import Sequence
from typing import Final

from pulse_sim.outcome import Outcome
from tests.checks.log_builder import LogBuilder, Row, Said, poll_errors, poll_total
from tests.checks.test_telemetry_checks import COUNT, off_by, polled

PASSED, FAILED, INCONCLUSIVE = Outcome.PASSED, Outcome.FAILED, Outcome.INCONCLUSIVE


FINDINGS: Final[Sequence[Row]] = (
    Row(
        lambda: polled(),
        "10m",
        "poll_metrics",
        {"connection": "nas-1"},
        Said(
            PASSED,
            "the poll metrics of nas-1 complete, and as many polls as the journal saw",
            "10 success, 0 error (no error); 10 polls in the journal",
            "request nas-1 1ms, metrics pulse 17s 1m17s, request nas-1 9m1ms, metrics pulse 9m17s",
        ),
    ),
    Row(
        lambda: polled(refused=(3, 4), unreached=(6,)),
        "10m",
        "poll_metrics",
        {"connection": "nas-1"},
        Said(
            PASSED,
            "the poll metrics of nas-1 complete, and as many polls as the journal saw",
            "7 success, 3 error (1 connection, 2 auth); 9 polls in the journal",
            "request nas-1 1ms, metrics pulse 17s 1m17s 3m17s 4m17s, request nas-1 9m1ms, metrics pulse 9m17s",
        ),
    ),
    Row(
        lambda: polled(
            shown=lambda minute, page: off_by(COUNT, -1)(minute, off_by(poll_total("success"), -1)(minute, page))
        ),
        "10m",
        "poll_metrics",
        {"connection": "nas-1"},
        Said(
            FAILED,
            "the poll metrics of nas-1 complete, and as many polls as the journal saw",
            "9 polls counted, 10 in the journal, 0 perhaps unseen",
            "request nas-1 1ms, metrics pulse 17s 1m17s, request nas-1 9m1ms, metrics pulse 9m17s",
        ),
    ),
    Row(
        lambda: polled(refused=(3,), shown=lambda _, page: {**page, poll_errors("auth"): 0}),
        "10m",
        "poll_metrics",
        {"connection": "nas-1"},
        Said(
            FAILED,
            "the poll metrics of nas-1 complete, and as many polls as the journal saw",
            "1 failed polls, but 0 of a type",
            "request nas-1 1ms, metrics pulse 17s 1m17s 3m17s, request nas-1 9m1ms, metrics pulse 9m17s",
        ),
    ),
    Row(
        lambda: polled(shown=off_by(COUNT, -1)),
        "10m",
        "poll_metrics",
        {"connection": "nas-1"},
        Said(
            FAILED,
            "the poll metrics of nas-1 complete, and as many polls as the journal saw",
            "10 polls, but 9 durations",
            "request nas-1 1ms, metrics pulse 17s 1m17s, request nas-1 9m1ms, metrics pulse 9m17s",
        ),
    ),
    Row(
        lambda: polled(
            shown=lambda minute, page: {
                name: value for name, value in page.items() if name != poll_errors("api") or minute not in (5, 7)
            }
        ),
        "10m",
        "poll_metrics",
        {"connection": "nas-1"},
        Said(
            FAILED,
            "the poll metrics of nas-1 complete, and as many polls as the journal saw",
            'no pulse_monitor_poll_errors_total with error_type="api" at 5m17s',
            "metrics pulse 5m17s 7m17s",
        ),
    ),
    Row(
        lambda: polled(
            shown=lambda minute, page: {
                name: value for name, value in page.items() if name != poll_total("error") or minute != 5
            }
        ),
        "10m",
        "poll_metrics",
        {"connection": "nas-1"},
        Said(
            FAILED,
            "the poll metrics of nas-1 complete, and as many polls as the journal saw",
            'no pulse_monitor_poll_total with result="error" at 5m17s',
            "metrics pulse 5m17s",
        ),
    ),
    Row(
        lambda: polled().add("5m30s", "sut/stopped", "pulse").add("5m40s", "sut/started", "pulse"),
        "10m",
        "poll_metrics",
        {"connection": "nas-1"},
        Said(
            INCONCLUSIVE,
            "the poll metrics of nas-1 complete, and as many polls as the journal saw",
            "pulse was started again: its counters began anew",
            "",
        ),
    ),
    Row(
        lambda: polled().action("5m", "test_connection", id="nas-1"),
        "10m",
        "poll_metrics",
        {"connection": "nas-1"},
        Said(
            INCONCLUSIVE,
            "the poll metrics of nas-1 complete, and as many polls as the journal saw",
            "nas-1 was tested by hand, or not polled all the time",
            "action pulse 5m",
        ),
    ),
    Row(
        lambda: polled(start=LogBuilder().action("0s", "add_connection", id="nas-1")).action(
            "5m", "add_connection", id="nas-1"
        ),
        "10m",
        "poll_metrics",
        {"connection": "nas-1"},
        Said(
            INCONCLUSIVE,
            "the poll metrics of nas-1 complete, and as many polls as the journal saw",
            "nas-1 was tested by hand, or not polled all the time",
            "action pulse 5m",
        ),
    ),
    Row(
        lambda: polled(start=LogBuilder({"nas-1": "nas-1", "other": "nas-1"})),
        "10m",
        "poll_metrics",
        {"connection": "nas-1"},
        Said(
            INCONCLUSIVE,
            "the poll metrics of nas-1 complete, and as many polls as the journal saw",
            "nas-1 is polled by others too: nas-1, other",
            "",
        ),
    ),
    Row(
        lambda: polled().action("0s", "update_connection", id="nas-1", poll_interval="9s"),
        "10m",
        "poll_metrics",
        {"connection": "nas-1"},
        Said(
            INCONCLUSIVE,
            "the poll metrics of nas-1 complete, and as many polls as the journal saw",
            "polls less than 10s apart cannot be told apart in a journal",
            "",
        ),
    ),
    Row(
        lambda: polled(unreached=tuple(range(10))),
        "10m",
        "poll_metrics",
        {"connection": "nas-1"},
        Said(
            INCONCLUSIVE,
            "the poll metrics of nas-1 complete, and as many polls as the journal saw",
            "no poll of nas-1 in the journal of nas-1",
            "",
        ),
    ),
    Row(
        lambda: polled(),
        "13m",
        "poll_metrics",
        {"connection": "nas-1"},
        Said(
            INCONCLUSIVE,
            "the poll metrics of nas-1 complete, and as many polls as the journal saw",
            "no scrape of pulse with nas-1 between 9m17s and 13m",
            "",
        ),
    ),
    Row(
        lambda: polled(unreached=tuple(range(10))).request("9m30s"),
        "10m",
        "poll_metrics",
        {"connection": "nas-1"},
        Said(
            PASSED,
            "the poll metrics of nas-1 complete, and as many polls as the journal saw",
            "0 success, 10 error (10 connection); 0 polls in the journal",
            "metrics pulse 17s 1m17s 9m17s",
        ),
    ),
)
