"""login_rate, no_retry_storm: what they say of small logs, and at which records they point."""

from collections.abc import Sequence
from typing import Final

from pulse_sim.outcome import Outcome
from tests.checks.log_builder import LogBuilder, Row, Said
from tests.checks.test_load_checks import LOGIN, logins, storm

PASSED, FAILED, INCONCLUSIVE = Outcome.PASSED, Outcome.FAILED, Outcome.INCONCLUSIVE


FINDINGS: Final[Sequence[Row]] = (
    Row(
        lambda: logins("5m", "5m20s", "5m59s", "6m", "6m19s"),
        "30m",
        "login_rate",
        {"appliance": "nas-1", "at_most_per_minute": 4},
        Said(
            PASSED,
            "at most 4 logins to nas-1 in any 60 s",
            "4 logins in the 60 s from 5m20s",
            "request nas-1 5m20s1ms 5m59s1ms 6m1ms 6m19s1ms",
        ),
    ),
    Row(
        lambda: logins("5m", "5m20s", "5m59s", "6m", "6m19s"),
        "30m",
        "login_rate",
        {"appliance": "nas-1", "at_most_per_minute": 1},
        Said(
            FAILED,
            "at most 1 login to nas-1 in any 60 s",
            "4 logins in the 60 s from 5m20s",
            "request nas-1 5m20s1ms 5m59s1ms 6m1ms 6m19s1ms",
        ),
    ),
    Row(
        lambda: logins("5m", "5m1s", status=200),
        "30m",
        "login_rate",
        {"appliance": "nas-1", "at_most_per_minute": 0},
        Said(
            PASSED, "at most 0 logins to nas-1 in any 60 s", "none, and 2 other requests", "request nas-1 5m1ms 5m1s1ms"
        ),
    ),
    Row(
        lambda: logins("5m"),
        "30m",
        "login_rate",
        {"appliance": "nas-1", "at_most_per_minute": 0, "between": ["6m", "7m"]},
        Said(
            INCONCLUSIVE,
            "at most 0 logins to nas-1 in any 60 s between 6m and 7m",
            "no request to nas-1 in the journal between 6m and 7m",
            "",
        ),
    ),
    Row(
        lambda: logins("5m"),
        "30m",
        "login_rate",
        {"appliance": "nas-1", "at_most_per_minute": 0, "between": ["6m", "31m"]},
        Said(
            INCONCLUSIVE,
            "at most 0 logins to nas-1 in any 60 s between 6m and 31m",
            "the run ended at 30m, before the window did",
            "",
        ),
    ),
    Row(
        lambda: logins("1m", "5m", status=401),
        "30m",
        "login_rate",
        {"appliance": "nas-1", "at_most_per_minute": 1, "between": ["4m", "30m"]},
        Said(
            PASSED,
            "at most 1 login to nas-1 in any 60 s between 4m and 30m",
            "1 login in the 60 s from 5m",
            "request nas-1 5m1ms",
        ),
    ),
    Row(
        lambda: logins("5m", **{**LOGIN, "call": None}),
        "30m",
        "login_rate",
        {"appliance": "nas-1", "at_most_per_minute": 1},
        Said(
            INCONCLUSIVE,
            "at most 1 login to nas-1 in any 60 s",
            "the journal does not tell which method was called",
            "request nas-1 5m1ms",
        ),
    ),
    Row(
        lambda: LogBuilder(),
        "30m",
        "login_rate",
        {"appliance": "nas-1", "at_most_per_minute": 1},
        Said(INCONCLUSIVE, "at most 1 login to nas-1 in any 60 s", "no request to nas-1 in the journal", ""),
    ),
    Row(
        lambda: storm(4, 10),
        "30m",
        "no_retry_storm",
        {"appliance": "nas-1", "at_most_times": 2.5},
        Said(
            PASSED,
            "never more than 2.5 times the usual requests to nas-1 in any 60 s",
            "10 requests in the 60 s from 12m, usual 4",
            "request nas-1 5m1ms 5m1ms3ns 12m1ms 12m1ms9ns",
        ),
    ),
    Row(
        lambda: storm(4, 11),
        "30m",
        "no_retry_storm",
        {"appliance": "nas-1", "at_most_times": 2.5},
        Said(
            FAILED,
            "never more than 2.5 times the usual requests to nas-1 in any 60 s",
            "11 requests in the 60 s from 12m, usual 4",
            "request nas-1 5m1ms 5m1ms3ns 12m1ms 12m1ms10ns",
        ),
    ),
    Row(
        lambda: storm(4, 9),
        "30m",
        "no_retry_storm",
        {"appliance": "nas-1", "at_most_times": 2.0},
        Said(
            FAILED,
            "never more than 2 times the usual requests to nas-1 in any 60 s",
            "9 requests in the 60 s from 12m, usual 4",
            "request nas-1 5m1ms 5m1ms3ns 12m1ms 12m1ms8ns",
        ),
    ),
    Row(
        lambda: storm(0, 4),
        "30m",
        "no_retry_storm",
        {"appliance": "nas-1", "at_most_times": 2.0},
        Said(
            INCONCLUSIVE,
            "never more than 2 times the usual requests to nas-1 in any 60 s",
            "no request to nas-1 before the first fault at 10m",
            "",
        ),
    ),
    Row(
        lambda: storm(4, 0),
        "30m",
        "no_retry_storm",
        {"appliance": "nas-1", "at_most_times": 2.0},
        Said(
            INCONCLUSIVE,
            "never more than 2 times the usual requests to nas-1 in any 60 s",
            "no request to nas-1 since the first fault at 10m",
            "",
        ),
    ),
    Row(
        lambda: storm(4, 4, fault=None),
        "30m",
        "no_retry_storm",
        {"appliance": "nas-1", "at_most_times": 2.0},
        Said(
            INCONCLUSIVE, "never more than 2 times the usual requests to nas-1 in any 60 s", "no fault struck nas-1", ""
        ),
    ),
    Row(
        lambda: storm(4, 4, fault="1m59s"),
        "30m",
        "no_retry_storm",
        {"appliance": "nas-1", "at_most_times": 2.0},
        Said(
            INCONCLUSIVE,
            "never more than 2 times the usual requests to nas-1 in any 60 s",
            "no steady state of a minute before the first fault",
            "",
        ),
    ),
    Row(
        lambda: LogBuilder().fault("10m", "15m").request("5m").request("12m"),
        "30m",
        "no_retry_storm",
        {"appliance": "nas-1", "at_most_times": 2.0},
        Said(
            INCONCLUSIVE,
            "never more than 2 times the usual requests to nas-1 in any 60 s",
            "no steady state of a minute before the first fault",
            "",
        ),
    ),
    Row(
        lambda: (
            LogBuilder()
            .phase("1m", "steady")
            .fault("2m", "3m")
            .fault("4m", "5m", fault="f2")
            .request("30s")
            .request("31s")
            .request("1m")
            .request("2m")
            .request("2m1s")
        ),
        "30m",
        "no_retry_storm",
        {"appliance": "nas-1", "at_most_times": 1.5},
        Said(
            FAILED,
            "never more than 1.5 times the usual requests to nas-1 in any 60 s",
            "2 requests in the 60 s from 2m, usual 1",
            "request nas-1 1m1ms 2m1ms 2m1s1ms",
        ),
    ),
)
