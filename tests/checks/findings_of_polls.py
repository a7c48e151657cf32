"""poll_errors, poll_success_rate and request_rate: what they say of small logs, and at which records they point."""

from collections.abc import Sequence
from typing import Final

from pulse_sim.outcome import Outcome
from tests.checks.log_builder import LogBuilder, Row, Said, poll_total
from tests.checks.test_poll_checks import counted

PASSED, FAILED, INCONCLUSIVE = Outcome.PASSED, Outcome.FAILED, Outcome.INCONCLUSIVE


FINDINGS: Final[Sequence[Row]] = (
    Row(
        lambda: counted(("4m17s", 1), ("5m17s", 2), ("6m17s", 5), ("7m17s", 9)),
        "10m",
        "poll_errors",
        {"connection": "nas-1", "error_type": "auth", "at_least": 4, "between": ["5m", "6m"]},
        Said(PASSED, "at least 4 auth errors of nas-1 between 5m and 6m", "4 auth errors", "metrics pulse 5m17s 6m17s"),
    ),
    Row(
        lambda: counted(("4m17s", 1), ("5m17s", 2), ("6m17s", 5), ("7m17s", 9)),
        "10m",
        "poll_errors",
        {"connection": "nas-1", "error_type": "auth", "at_least": 1, "at_most": 3, "between": ["5m", "6m"]},
        Said(
            FAILED,
            "at least 1 and at most 3 auth errors of nas-1 between 5m and 6m",
            "4 auth errors",
            "metrics pulse 5m17s 6m17s",
        ),
    ),
    Row(
        lambda: counted(("4m17s", 1), ("5m17s", 2), ("6m17s", 5), ("7m17s", 9)),
        "10m",
        "poll_errors",
        {"connection": "nas-1", "error_type": "auth", "at_most": 1, "between": ["5m", "6m"]},
        Said(FAILED, "at most 1 auth error of nas-1 between 5m and 6m", "4 auth errors", "metrics pulse 5m17s 6m17s"),
    ),
    Row(
        lambda: counted(("4m17s", 1), ("5m17s", 2), ("6m17s", 5), ("7m17s", 9)),
        "10m",
        "poll_errors",
        {"connection": "nas-1", "error_type": "auth", "at_most": 9},
        Said(PASSED, "at most 9 auth errors of nas-1", "9 auth errors", "metrics pulse 4m17s 5m17s 6m17s 7m17s"),
    ),
    Row(
        lambda: counted(("4m17s", 1), ("5m17s", 2), ("6m17s", 5), ("7m17s", 9)),
        "11m",
        "poll_errors",
        {"connection": "nas-1", "error_type": "auth", "at_least": 10},
        Said(
            INCONCLUSIVE,
            "at least 10 auth errors of nas-1",
            "the scrapes end before the window does",
            "metrics pulse 4m17s 5m17s 6m17s 7m17s",
        ),
    ),
    Row(
        lambda: counted(("17s", 0), ("1m17s", 0), ("2m17s", 0)),
        "5m",
        "poll_errors",
        {"connection": "nas-1", "error_type": "auth", "at_most": 0},
        Said(PASSED, "at most 0 auth errors of nas-1", "0 auth errors", "metrics pulse 17s 2m17s"),
    ),
    Row(
        lambda: counted(("17s", 0), ("1m17s", 0), ("2m17s", 0)),
        "5m",
        "poll_errors",
        {"connection": "nas-1", "error_type": "auth", "at_least": 1, "at_most": 1},
        Said(FAILED, "at least 1 and at most 1 auth error of nas-1", "0 auth errors", "metrics pulse 17s 2m17s"),
    ),
    Row(
        lambda: LogBuilder().scrape("17s", {}),
        "1m",
        "poll_errors",
        {"connection": "nas-1", "error_type": "auth", "at_most": 0},
        Said(
            INCONCLUSIVE,
            "at most 0 auth errors of nas-1",
            'no samples of pulse_monitor_poll_errors_total{error_type="auth",instance="nas-1",instance_type="truenas"}',
            "metrics pulse 17s",
        ),
    ),
    Row(
        lambda: LogBuilder().scrape("17s", {}).scrape("1m17s", {}).scrape("2m17s", {}),
        "5m",
        "poll_errors",
        {"connection": "nas-1", "error_type": "auth", "at_most": 0, "between": ["1m", "2m"]},
        Said(
            INCONCLUSIVE,
            "at most 0 auth errors of nas-1 between 1m and 2m",
            'no samples of pulse_monitor_poll_errors_total{error_type="auth",instance="nas-1",instance_type="truenas"}',
            "metrics pulse 1m17s 2m17s",
        ),
    ),
    Row(
        lambda: counted(("5m17s", 0)),
        "10m",
        "poll_errors",
        {"connection": "nas-1", "error_type": "auth", "at_most": 0, "between": ["5m", "6m"]},
        Said(
            INCONCLUSIVE, "at most 0 auth errors of nas-1 between 5m and 6m", "no scrape of pulse at or before 5m", ""
        ),
    ),
    Row(
        lambda: counted(("5m17s", 0)),
        "10m",
        "poll_errors",
        {"connection": "nas-1", "error_type": "auth", "at_most": 0, "between": ["6m", "7m"]},
        Said(INCONCLUSIVE, "at most 0 auth errors of nas-1 between 6m and 7m", "no scrape of pulse after 6m", ""),
    ),
    Row(
        lambda: counted(("17s", 0), ("1m17s", float("nan"))),
        "2m",
        "poll_errors",
        {"connection": "nas-1", "error_type": "auth", "at_most": 0},
        Said(
            INCONCLUSIVE,
            "at most 0 auth errors of nas-1",
            "pulse_monitor_poll_errors_total was nan at 1m17s",
            "metrics pulse 1m17s",
        ),
    ),
    Row(
        lambda: counted(("4m17s", 0), ("5m17s", 1)),
        "10m",
        "poll_errors",
        {"connection": "nas-1", "error_type": "auth", "at_most": 1, "between": ["5m", "9m"]},
        Said(
            INCONCLUSIVE,
            "at most 1 auth error of nas-1 between 5m and 9m",
            "the scrapes end before the window does",
            "metrics pulse 5m17s",
        ),
    ),
    Row(
        lambda: (
            LogBuilder()
            .scrape("17s", {poll_total("success"): 0, poll_total("error"): 0})
            .scrape("1m17s", {poll_total("success"): 90, poll_total("error"): 10})
        ),
        "2m",
        "poll_success_rate",
        {"connection": "nas-1", "at_least": 0.9},
        Said(
            PASSED,
            "at least 90.00 % of the polls of nas-1 succeed",
            "90.00 %: 90 of 100 polls succeeded",
            "metrics pulse 1m17s",
        ),
    ),
    Row(
        lambda: (
            LogBuilder()
            .scrape("17s", {poll_total("success"): 0, poll_total("error"): 0})
            .scrape("1m17s", {poll_total("success"): 90, poll_total("error"): 10})
        ),
        "2m",
        "poll_success_rate",
        {"connection": "nas-1", "at_least": 0.91, "between": ["1m", "2m"]},
        Said(
            FAILED,
            "at least 91.00 % of the polls of nas-1 succeed between 1m and 2m",
            "90.00 %: 90 of 100 polls succeeded",
            "metrics pulse 1m17s",
        ),
    ),
    Row(
        lambda: (
            LogBuilder()
            .scrape("17s", {poll_total("success"): 0, poll_total("error"): 0})
            .scrape("1m17s", {poll_total("success"): 90, poll_total("error"): 10})
        ),
        "10m",
        "poll_success_rate",
        {"connection": "nas-1", "at_least": 0.9},
        Said(
            INCONCLUSIVE,
            "at least 90.00 % of the polls of nas-1 succeed",
            "the scrapes end before the window does",
            "metrics pulse 1m17s",
        ),
    ),
    Row(
        lambda: (
            LogBuilder()
            .scrape("17s", {poll_total("success"): 0, poll_total("error"): 0})
            .scrape("1m17s", {poll_total("success"): 5, poll_total("error"): 0})
        ),
        "2m",
        "poll_success_rate",
        {"connection": "nas-1", "at_least": 1.0},
        Said(
            PASSED,
            "at least 100.00 % of the polls of nas-1 succeed",
            "100.00 %: 5 of 5 polls succeeded",
            "metrics pulse 1m17s",
        ),
    ),
    Row(
        lambda: LogBuilder().scrape("17s", {poll_total("success"): 0, poll_total("error"): 0}),
        "2m",
        "poll_success_rate",
        {"connection": "nas-1", "at_least": 1.0},
        Said(
            INCONCLUSIVE,
            "at least 100.00 % of the polls of nas-1 succeed",
            "no poll of nas-1 was counted",
            "metrics pulse 17s",
        ),
    ),
    Row(
        lambda: LogBuilder().request("1m").request("5m").request("5m1s").request("5m2s"),
        "10m",
        "request_rate",
        {"appliance": "nas-1", "at_most_per_minute": 3},
        Said(
            PASSED,
            "at most 3 requests to nas-1 in any 60 s",
            "3 requests in the 60 s from 5m",
            "request nas-1 5m1ms 5m1s1ms 5m2s1ms",
        ),
    ),
    Row(
        lambda: LogBuilder().request("1m").request("5m").request("5m1s").request("5m2s"),
        "10m",
        "request_rate",
        {"appliance": "nas-1", "at_most_per_minute": 2},
        Said(
            FAILED,
            "at most 2 requests to nas-1 in any 60 s",
            "3 requests in the 60 s from 5m",
            "request nas-1 5m1ms 5m1s1ms 5m2s1ms",
        ),
    ),
    Row(
        lambda: LogBuilder().request("1m").request("5m").request("5m1s").request("5m2s"),
        "10m",
        "request_rate",
        {"appliance": "nas-1", "at_most_per_minute": 0, "between": ["2m", "3m"]},
        Said(
            PASSED,
            "at most 0 requests to nas-1 in any 60 s between 2m and 3m",
            "none, and 4 at other times",
            "request nas-1 1m1ms 5m2s1ms",
        ),
    ),
    Row(
        lambda: LogBuilder().request("1m").request("5m").request("5m1s").request("5m2s"),
        "10m",
        "request_rate",
        {"appliance": "nas-1", "at_most_per_minute": 1, "between": ["2m", "3m"]},
        Said(
            INCONCLUSIVE,
            "at most 1 request to nas-1 in any 60 s between 2m and 3m",
            "no request to nas-1 in the journal between 2m and 3m",
            "",
        ),
    ),
    Row(
        lambda: LogBuilder().request("1m").request("5m").request("5m1s").request("5m2s"),
        "10m",
        "request_rate",
        {"appliance": "nas-1", "at_most_per_minute": 1, "between": ["9m", "11m"]},
        Said(
            INCONCLUSIVE,
            "at most 1 request to nas-1 in any 60 s between 9m and 11m",
            "the run ended at 10m, before the window did",
            "",
        ),
    ),
    Row(
        lambda: LogBuilder().request("1m").request("5m").request("5m1s").request("5m2s"),
        "10m",
        "request_rate",
        {"appliance": "nas-1", "at_most_per_minute": 1, "between": ["5m2s", "10m"]},
        Said(
            PASSED,
            "at most 1 request to nas-1 in any 60 s between 5m2s and 10m",
            "1 request in the 60 s from 5m2s",
            "request nas-1 5m2s1ms",
        ),
    ),
    Row(
        lambda: LogBuilder().request("1m").request("5m").request("5m1s").request("5m2s"),
        "10m",
        "request_rate",
        {"appliance": "nas-1", "at_most_per_minute": 1, "between": ["30s", "1m"]},
        Said(
            PASSED,
            "at most 1 request to nas-1 in any 60 s between 30s and 1m",
            "1 request in the 60 s from 1m",
            "request nas-1 1m1ms",
        ),
    ),
)
