"""recovers and staleness_below: what they say of small logs, and at which records they point."""

from collections.abc import Sequence
from typing import Final

from pulse_sim.outcome import Outcome
from pulse_sim.units import MINUTE
from tests.checks.log_builder import START_UNIX, LogBuilder, Row, Said
from tests.checks.test_recovery_checks import BREAKER, FAILURES, STALENESS, SUCCESS, ages, online, shown

PASSED, FAILED, INCONCLUSIVE = Outcome.PASSED, Outcome.FAILED, Outcome.INCONCLUSIVE


FINDINGS: Final[Sequence[Row]] = (
    Row(
        lambda: online(LogBuilder().scrape("10m17s", shown(540, 4, 2)).scrape("11m17s", shown(661))),
        "20m",
        "recovers",
        {"connection": "nas-1", "within": "1m1s", "after": "10m"},
        Said(
            PASSED,
            "nas-1 recovered within 1m1s after 10m",
            "recovered after 1m1s",
            "metrics pulse 11m17s, resources pulse 12m",
        ),
    ),
    Row(
        lambda: online(LogBuilder().scrape("10m17s", shown(540, 4, 2)).scrape("11m17s", shown(661))),
        "20m",
        "recovers",
        {"connection": "nas-1", "within": "1m", "after": "10m"},
        Said(
            FAILED,
            "nas-1 recovered within 1m after 10m",
            "recovered after 1m1s",
            "metrics pulse 11m17s, resources pulse 12m",
        ),
    ),
    Row(
        lambda: online(LogBuilder().scrape("10m17s", shown(540, 4, 2)).scrape("11m17s", shown(661)), "12m", "stale"),
        "20m",
        "recovers",
        {"connection": "nas-1", "within": "2m", "after": "10m"},
        Said(
            FAILED,
            "nas-1 recovered within 2m after 10m",
            "polled again at 11m1s, but shown stale",
            "metrics pulse 11m17s, resources pulse 12m",
        ),
    ),
    Row(
        lambda: online(
            online(LogBuilder().scrape("10m17s", shown(540, 4, 2)).scrape("11m17s", shown(661)), "12m", "stale"), "13m"
        ),
        "20m",
        "recovers",
        {"connection": "nas-1", "within": "2m", "after": "10m"},
        Said(
            FAILED,
            "nas-1 recovered within 2m after 10m",
            "recovered after 3m",
            "metrics pulse 11m17s, resources pulse 13m",
        ),
    ),
    Row(
        lambda: online(
            online(LogBuilder().scrape("10m17s", shown(540, 4, 2)).scrape("11m17s", shown(661)), "12m", "stale"), "13m"
        ),
        "20m",
        "recovers",
        {"connection": "nas-1", "within": "3m", "after": "10m"},
        Said(
            PASSED,
            "nas-1 recovered within 3m after 10m",
            "recovered after 3m",
            "metrics pulse 11m17s, resources pulse 13m",
        ),
    ),
    Row(
        lambda: LogBuilder().scrape("10m17s", shown(540, 4, 2)).scrape("11m17s", shown(661)),
        "20m",
        "recovers",
        {"connection": "nas-1", "within": "2m", "after": "10m"},
        Said(
            INCONCLUSIVE,
            "nas-1 recovered within 2m after 10m",
            "no sample of the resources after the success at 11m1s",
            "metrics pulse 11m17s",
        ),
    ),
    Row(
        lambda: online(LogBuilder().scrape("10m17s", shown(540, 4, 2)).scrape("11m17s", shown(540, 5, 1))),
        "20m",
        "recovers",
        {"connection": "nas-1", "within": "2m", "after": "10m"},
        Said(
            FAILED,
            "nas-1 recovered within 2m after 10m",
            "not recovered by the end of the run",
            "metrics pulse 10m17s 11m17s",
        ),
    ),
    Row(
        lambda: online(LogBuilder().scrape("10m17s", shown(540, 4, 2)).scrape("11m17s", shown(540, 5, 1))),
        "20m",
        "recovers",
        {"connection": "nas-1", "within": "8m", "after": "10m"},
        Said(INCONCLUSIVE, "nas-1 recovered within 8m after 10m", "the log does not show nas-1 up to 18m", ""),
    ),
    Row(
        lambda: LogBuilder(),
        "20m",
        "recovers",
        {"connection": "nas-1", "within": "2m", "after": "10m"},
        Said(
            INCONCLUSIVE,
            "nas-1 recovered within 2m after 10m",
            "no samples of pulse_monitor_poll_last_success_timestamp of nas-1 after 10m",
            "",
        ),
    ),
    Row(
        lambda: LogBuilder().scrape("11m17s", {SUCCESS: START_UNIX + 661, FAILURES: 0}),
        "20m",
        "recovers",
        {"connection": "nas-1", "within": "2m", "after": "10m"},
        Said(
            INCONCLUSIVE,
            "nas-1 recovered within 2m after 10m",
            "no samples of pulse_scheduler_breaker_state of nas-1 after 10m",
            "",
        ),
    ),
    Row(
        lambda: LogBuilder().scrape("10m", shown(540)).scrape("11m17s", {SUCCESS: START_UNIX + 661, BREAKER: 0}),
        "20m",
        "recovers",
        {"connection": "nas-1", "within": "2m", "after": "10m"},
        Said(
            INCONCLUSIVE,
            "nas-1 recovered within 2m after 10m",
            "no samples of pulse_monitor_poll_consecutive_failures of nas-1 after 10m",
            "",
        ),
    ),
    Row(
        lambda: LogBuilder().scrape("11m17s", {SUCCESS: "NaN", FAILURES: 0, BREAKER: 0}),
        "20m",
        "recovers",
        {"connection": "nas-1", "within": "2m", "after": "10m"},
        Said(
            INCONCLUSIVE,
            "nas-1 recovered within 2m after 10m",
            "pulse_monitor_poll_last_success_timestamp was nan",
            "metrics pulse 11m17s",
        ),
    ),
    Row(
        lambda: ages(at_77=120.0),
        "10m",
        "staleness_below",
        {"connection": "nas-1", "at_most": "2m"},
        Said(
            PASSED,
            "the last success of nas-1 at most 2m old at all times",
            "at most 2m, at 1m17s",
            "metrics pulse 1m17s",
        ),
    ),
    Row(
        lambda: ages(at_77=121.0, at_137=181.5, at_197=122.0, at_257=123.0, at_317=124.0),
        "10m",
        "staleness_below",
        {"connection": "nas-1", "at_most": "2m"},
        Said(
            FAILED,
            "the last success of nas-1 at most 2m old at all times",
            "at most 3m1s500ms, at 2m17s",
            "metrics pulse 1m17s 2m17s 3m17s 5m17s",
        ),
    ),
    Row(
        lambda: ages(at_77="NaN", at_137="-1"),
        "10m",
        "staleness_below",
        {"connection": "nas-1", "at_most": "2m"},
        Said(
            INCONCLUSIVE,
            "the last success of nas-1 at most 2m old at all times",
            "pulse_monitor_poll_staleness_seconds of nas-1 was no age",
            "metrics pulse 1m17s 2m17s",
        ),
    ),
    Row(
        lambda: ages(step=4 * MINUTE),
        "10m",
        "staleness_below",
        {"connection": "nas-1", "at_most": "2m"},
        Said(
            INCONCLUSIVE,
            "the last success of nas-1 at most 2m old at all times",
            "no sample of staleness between 17s and 4m17s",
            "",
        ),
    ),
    Row(
        lambda: ages(),
        "10m",
        "staleness_below",
        {"connection": "nas-1", "at_most": "2m", "between": ["2m", "9m"]},
        Said(
            PASSED,
            "the last success of nas-1 at most 2m old at all times between 2m and 9m",
            "at most 17s, at 2m17s",
            "metrics pulse 2m17s",
        ),
    ),
    Row(
        lambda: LogBuilder(),
        "10m",
        "staleness_below",
        {"connection": "nas-1", "at_most": "2m", "between": ["2m", "9m"]},
        Said(
            INCONCLUSIVE,
            "the last success of nas-1 at most 2m old at all times between 2m and 9m",
            "no samples of pulse_monitor_poll_staleness_seconds of nas-1 between 2m and 9m",
            "",
        ),
    ),
    Row(
        lambda: ages(to=5 * MINUTE).action("5m", "remove_connection", id="nas-1"),
        "10m",
        "staleness_below",
        {"connection": "nas-1", "at_most": "2m"},
        Said(
            PASSED, "the last success of nas-1 at most 2m old at all times", "at most 17s, at 17s", "metrics pulse 17s"
        ),
    ),
    Row(
        lambda: (
            LogBuilder({})
            .action("5m", "add_connection", id="nas-1", appliance="nas-1")
            .scrape("5m17s", {STALENESS: 3})
            .scrape("8m", {STALENESS: 3})
        ),
        "10m",
        "staleness_below",
        {"connection": "nas-1", "at_most": "2m"},
        Said(
            PASSED,
            "the last success of nas-1 at most 2m old at all times",
            "at most 3s, at 5m17s",
            "metrics pulse 5m17s",
        ),
    ),
)
