"""alert_fires, alert_resolves and alert_silent: what they expect, what they say and the records they point at."""

from collections.abc import Sequence
from typing import Final

from pulse_sim.outcome import Outcome
from tests.checks.log_builder import LogBuilder, Row, Said
from tests.checks.test_alert_checks import minutes, shown

PASSED, FAILED, INCONCLUSIVE = Outcome.PASSED, Outcome.FAILED, Outcome.INCONCLUSIVE


FINDINGS: Final[Sequence[Row]] = (
    Row(
        lambda: shown(*minutes(1, 20, range(8, 10))),
        "30m",
        "alert_fires",
        {"alert": "stale", "connection": "nas-1", "by": "8m"},
        Said(PASSED, "alert stale of nas-1 active by 8m", "active at 8m", "alerts pulse 8m"),
    ),
    Row(
        lambda: shown(*minutes(1, 20, range(8, 10))),
        "30m",
        "alert_fires",
        {"alert": "stale", "connection": "nas-1", "by": "7m"},
        Said(FAILED, "alert stale of nas-1 active by 7m", "never active", "alerts pulse 1m 2m 3m 4m 5m 6m 7m"),
    ),
    Row(
        lambda: shown(*minutes(1, 20, range(8, 10))),
        "30m",
        "alert_fires",
        {"alert": "stale", "connection": "nas-1", "between": ["7m", "9m"]},
        Said(PASSED, "alert stale of nas-1 begins between 7m and 9m", "active at 8m", "alerts pulse 8m"),
    ),
    Row(
        lambda: shown(*minutes(1, 20, range(8, 10))),
        "30m",
        "alert_fires",
        {"alert": "stale", "connection": "nas-1", "between": ["8m", "9m"]},
        Said(FAILED, "alert stale of nas-1 begins between 8m and 9m", "active already at 8m", "alerts pulse 8m"),
    ),
    Row(
        lambda: shown(*minutes(1, 20, range(8, 10))),
        "30m",
        "alert_fires",
        {"alert": "stale", "connection": "nas-1", "between": ["2m30s", "5m30s"]},
        Said(FAILED, "alert stale of nas-1 begins between 2m30s and 5m30s", "never active", "alerts pulse 3m 4m 5m"),
    ),
    Row(
        lambda: shown(("5m", "")),
        "30m",
        "alert_fires",
        {"alert": "stale", "connection": "nas-1", "between": ["5m", "8m"]},
        Said(FAILED, "alert stale of nas-1 begins between 5m and 8m", "never active", "alerts pulse 5m"),
    ),
    Row(
        lambda: shown(("5m", "")),
        "30m",
        "alert_fires",
        {"alert": "stale", "connection": "nas-1", "between": ["1m", "4m"]},
        Said(
            INCONCLUSIVE,
            "alert stale of nas-1 begins between 1m and 4m",
            "no sample of the alerts of pulse just before 1m",
            "",
        ),
    ),
    Row(
        lambda: shown(("5m", "")),
        "30m",
        "alert_fires",
        {"alert": "stale", "connection": "nas-1", "between": ["5m", "9m"]},
        Said(
            INCONCLUSIVE,
            "alert stale of nas-1 begins between 5m and 9m",
            "no sample of the alerts of pulse just before 9m",
            "alerts pulse 5m",
        ),
    ),
    Row(
        lambda: shown(("5m", ""), ("6m", "")).alerts("7m", {"x": (None, "nas-1")}).alerts("8m", {}),
        "30m",
        "alert_fires",
        {"alert": "stale", "connection": "nas-1", "by": "8m"},
        Said(
            INCONCLUSIVE,
            "alert stale of nas-1 active by 8m",
            "an alert at 7m does not tell its rule and connection",
            "alerts pulse 7m",
        ),
    ),
    Row(
        lambda: shown(("5m", ""), ("6m", "")).alerts("7m", {"x": ("stale", None)}).alerts("8m", {}),
        "30m",
        "alert_fires",
        {"alert": "stale", "connection": "nas-1", "between": ["7m", "8m"]},
        Said(
            INCONCLUSIVE,
            "alert stale of nas-1 begins between 7m and 8m",
            "an alert at 7m does not tell its rule and connection",
            "alerts pulse 7m",
        ),
    ),
    Row(
        lambda: shown(*minutes(1, 20, range(5, 10))),
        "30m",
        "alert_resolves",
        {"alert": "stale", "connection": "nas-1", "after": "5m", "by": "15m"},
        Said(PASSED, "alert stale of nas-1 active at 5m and over by 15m", "over at 10m", "alerts pulse 9m 10m 15m"),
    ),
    Row(
        lambda: shown(*minutes(1, 20, range(5, 10))),
        "30m",
        "alert_resolves",
        {"alert": "stale", "connection": "nas-1", "after": "6m", "by": "8m"},
        Said(FAILED, "alert stale of nas-1 active at 6m and over by 8m", "still active at 8m", "alerts pulse 6m 8m"),
    ),
    Row(
        lambda: shown(*minutes(1, 20, range(5, 10))),
        "30m",
        "alert_resolves",
        {"alert": "stale", "connection": "nas-1", "after": "4m", "by": "8m"},
        Said(FAILED, "alert stale of nas-1 active at 4m and over by 8m", "not active at 4m", "alerts pulse 4m"),
    ),
    Row(
        lambda: shown(*minutes(1, 20, range(5, 10))),
        "30m",
        "alert_resolves",
        {"alert": "stale", "connection": "nas-1", "after": "8m", "by": "8m30s"},
        Said(
            INCONCLUSIVE,
            "alert stale of nas-1 active at 8m and over by 8m30s",
            "no sample of the alerts of pulse just before 8m30s",
            "alerts pulse 8m",
        ),
    ),
    Row(
        lambda: shown(("5m", "nas-1"), ("6m", "")),
        "30m",
        "alert_resolves",
        {"alert": "stale", "connection": "nas-1", "after": "5m", "by": "12m"},
        Said(
            INCONCLUSIVE,
            "alert stale of nas-1 active at 5m and over by 12m",
            "no sample of the alerts of pulse just before 12m",
            "alerts pulse 6m",
        ),
    ),
    Row(
        lambda: shown(("1m", "")).alerts("2m", {"x": (None, "nas-1")}),
        "30m",
        "alert_resolves",
        {"alert": "stale", "connection": "nas-1", "after": "2m", "by": "4m"},
        Said(
            INCONCLUSIVE,
            "alert stale of nas-1 active at 2m and over by 4m",
            "an alert at 2m does not tell its rule and connection",
            "alerts pulse 2m",
        ),
    ),
    Row(
        lambda: shown(("1m", "nas-1")).alerts("2m", {"x": (None, "nas-1")}).alerts("3m", {}),
        "30m",
        "alert_resolves",
        {"alert": "stale", "connection": "nas-1", "after": "1m", "by": "3m"},
        Said(
            INCONCLUSIVE,
            "alert stale of nas-1 active at 1m and over by 3m",
            "an alert at 2m does not tell its rule and connection",
            "alerts pulse 2m",
        ),
    ),
    Row(
        lambda: shown(("1m", "nas-1"), ("2m", "")).alerts("3m", {"x": (None, "nas-1")}),
        "30m",
        "alert_resolves",
        {"alert": "stale", "connection": "nas-1", "after": "1m", "by": "3m"},
        Said(
            INCONCLUSIVE,
            "alert stale of nas-1 active at 1m and over by 3m",
            "an alert at 3m does not tell its rule and connection",
            "alerts pulse 3m",
        ),
    ),
    Row(
        lambda: shown(*minutes(0, 9, range(0))),
        "9m",
        "alert_silent",
        {"alert": "stale", "connection": "nas-1"},
        Said(
            PASSED,
            "alert stale of nas-1 never active",
            "not active in 10 of 10 samples",
            "alerts pulse 0s 1m 2m 3m 6m 7m 8m 9m",
        ),
    ),
    Row(
        lambda: shown(*minutes(0, 9, range(0))),
        "9m",
        "alert_silent",
        {"alert": "stale"},
        Said(
            PASSED,
            "alert stale of any connection never active",
            "not active in 10 of 10 samples",
            "alerts pulse 0s 1m 2m 3m 6m 7m 8m 9m",
        ),
    ),
    Row(
        lambda: shown(*minutes(0, 9, range(6, 8))),
        "9m",
        "alert_silent",
        {"alert": "stale", "connection": "nas-1"},
        Said(FAILED, "alert stale of nas-1 never active", "active for nas-1 at 6m", "alerts pulse 6m 7m"),
    ),
    Row(
        lambda: shown(*minutes(0, 9, range(6, 8), "nas-2 nas-1")),
        "9m",
        "alert_silent",
        {"alert": "stale", "between": ["1m", "7m"]},
        Said(
            FAILED,
            "alert stale of any connection never active between 1m and 7m",
            "active for nas-1 at 6m",
            "alerts pulse 6m 7m",
        ),
    ),
    Row(
        lambda: shown(*minutes(0, 4, range(0))),
        "9m",
        "alert_silent",
        {"alert": "stale", "connection": "nas-1"},
        Said(
            INCONCLUSIVE, "alert stale of nas-1 never active", "no sample of the alerts of pulse between 4m and 9m", ""
        ),
    ),
    Row(
        lambda: shown(*minutes(0, 4, range(0))).alerts("5m", {"x": ("stale", None)}),
        "9m",
        "alert_silent",
        {"alert": "stale", "connection": "nas-1"},
        Said(
            INCONCLUSIVE,
            "alert stale of nas-1 never active",
            "an alert at 5m does not tell its rule and connection",
            "alerts pulse 5m",
        ),
    ),
    Row(
        lambda: LogBuilder({}, systems=()),
        "9m",
        "alert_silent",
        {"alert": "stale"},
        Said(INCONCLUSIVE, "alert stale of any connection never active", "the log knows no system", ""),
    ),
    Row(
        lambda: LogBuilder(started=False),
        "9m",
        "alert_silent",
        {"alert": "stale"},
        Said(INCONCLUSIVE, "alert stale of any connection never active", "system pulse never started", ""),
    ),
    Row(
        lambda: LogBuilder(started=False).add("1m", "sut/started", "pulse").alerts("1m", {}).alerts("16m", {}),
        "20m",
        "alert_silent",
        {"alert": "stale"},
        Said(
            PASSED, "alert stale of any connection never active", "not active in 2 of 2 samples", "alerts pulse 1m 16m"
        ),
    ),
)
