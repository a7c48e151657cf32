"""checkpoint and green_for: what they expect, what they say and the records they point at."""

from collections.abc import Sequence
from typing import Final

from pulse_sim.outcome import Outcome
from tests.checks.log_builder import LogBuilder, Row, Said
from tests.checks.test_rollout_checks import run

PASSED, FAILED, INCONCLUSIVE = Outcome.PASSED, Outcome.FAILED, Outcome.INCONCLUSIVE


FINDINGS: Final[Sequence[Row]] = (
    Row(
        lambda: run(180),
        "3h",
        "checkpoint",
        {"at": "2h"},
        Said(
            PASSED,
            "at 2h every connection fresh, at least 95 % of polls well since the start, no alert and no abort",
            "green, 121 polls counted",
            "alerts pulse 1h55m20s, metrics pulse 1h59m17s",
        ),
    ),
    Row(
        lambda: run(180),
        "3h",
        "checkpoint",
        {"at": "2h", "since": "1h", "connections": ["nas-1"], "success_rate": 0.9},
        Said(
            PASSED,
            "at 2h nas-1 fresh, at least 90 % of polls well since 1h, no alert and no abort",
            "green, 61 polls counted",
            "alerts pulse 1h55m20s, metrics pulse 1h59m17s",
        ),
    ),
    Row(
        lambda: run(180),
        "3h",
        "checkpoint",
        {"at": "2h", "connections": ["nas-9"]},
        Said(
            INCONCLUSIVE,
            "at 2h nas-9 fresh, at least 95 % of polls well since the start, no alert and no abort",
            "the log has no connection nas-9",
            "",
        ),
    ),
    Row(
        lambda: run(180),
        "3h",
        "checkpoint",
        {"at": "2h", "connections": ["nas-1", "nas-9"]},
        Said(
            INCONCLUSIVE,
            "at 2h nas-1, nas-9 fresh, at least 95 % of polls well since the start, no alert and no abort",
            "the log has no connection nas-9",
            "",
        ),
    ),
    Row(
        lambda: run(180, old={119: 300.5}),
        "3h",
        "checkpoint",
        {"at": "2h"},
        Said(
            FAILED,
            "at 2h every connection fresh, at least 95 % of polls well since the start, no alert and no abort",
            "the last success of nas-1 was 300s old at 1h59m17s",
            "metrics pulse 1h59m17s",
        ),
    ),
    Row(
        lambda: run(180, old={119: -1}),
        "3h",
        "checkpoint",
        {"at": "2h"},
        Said(
            INCONCLUSIVE,
            "at 2h every connection fresh, at least 95 % of polls well since the start, no alert and no abort",
            "pulse_monitor_poll_staleness_seconds of nas-1 was no age",
            "metrics pulse 1h59m17s",
        ),
    ),
    Row(
        lambda: run(180, old={119: 0}),
        "3h",
        "checkpoint",
        {"at": "2h"},
        Said(
            PASSED,
            "at 2h every connection fresh, at least 95 % of polls well since the start, no alert and no abort",
            "green, 121 polls counted",
            "alerts pulse 1h55m20s, metrics pulse 1h59m17s",
        ),
    ),
    Row(
        lambda: run(180, bad=lambda minute: 70 <= minute < 74),
        "3h",
        "checkpoint",
        {"at": "2h", "since": "1h"},
        Said(
            FAILED,
            "at 2h every connection fresh, at least 95 % of polls well since 1h, no alert and no abort",
            "57 of 61 polls of nas-1 succeeded",
            "metrics pulse 1h10m17s 1h11m17s 1h12m17s 1h13m17s",
        ),
    ),
    Row(
        lambda: run(180, bad=lambda minute: 70 <= minute < 73),
        "3h",
        "checkpoint",
        {"at": "2h", "since": "1h"},
        Said(
            PASSED,
            "at 2h every connection fresh, at least 95 % of polls well since 1h, no alert and no abort",
            "green, 61 polls counted",
            "alerts pulse 1h55m20s, metrics pulse 1h59m17s",
        ),
    ),
    Row(
        lambda: run(180, alerts={115: "slow"}),
        "3h",
        "checkpoint",
        {"at": "2h"},
        Said(
            FAILED,
            "at 2h every connection fresh, at least 95 % of polls well since the start, no alert and no abort",
            "alert slow of pulse active at 1h55m20s",
            "alerts pulse 1h55m20s",
        ),
    ),
    Row(
        lambda: run(180).add("2h", "world/abort", "run", criterion="crash", what="x", evidence=[]),
        "3h",
        "checkpoint",
        {"at": "2h"},
        Said(
            FAILED,
            "at 2h every connection fresh, at least 95 % of polls well since the start, no alert and no abort",
            "aborted at 2h",
            "abort run 2h",
        ),
    ),
    Row(
        lambda: run(180, skip=lambda minute: minute > 100),
        "3h",
        "checkpoint",
        {"at": "2h"},
        Said(
            INCONCLUSIVE,
            "at 2h every connection fresh, at least 95 % of polls well since the start, no alert and no abort",
            "no sample of the staleness of nas-1 just before 2h",
            "",
        ),
    ),
    Row(
        lambda: run(116),
        "3h",
        "checkpoint",
        {"at": "2h"},
        Said(
            INCONCLUSIVE,
            "at 2h every connection fresh, at least 95 % of polls well since the start, no alert and no abort",
            "no sample of the staleness of nas-1 just before 2h",
            "",
        ),
    ),
    Row(
        lambda: run(180),
        "3h",
        "checkpoint",
        {"at": "3h1m"},
        Said(
            INCONCLUSIVE,
            "at 3h1m every connection fresh, at least 95 % of polls well since the start, no alert and no abort",
            "no sample of the staleness of nas-1 just before 3h1m",
            "",
        ),
    ),
    Row(
        lambda: LogBuilder({}),
        "3h",
        "checkpoint",
        {"at": "1h"},
        Said(
            INCONCLUSIVE,
            "at 1h every connection fresh, at least 95 % of polls well since the start, no alert and no abort",
            "no connection is polled at 1h",
            "",
        ),
    ),
    Row(
        lambda: run(180, skip=lambda minute: minute == 120),
        "3h",
        "checkpoint",
        {"at": "2h", "since": "1h"},
        Said(
            PASSED,
            "at 2h every connection fresh, at least 95 % of polls well since 1h, no alert and no abort",
            "green, 62 polls counted",
            "alerts pulse 1h55m20s, metrics pulse 1h59m17s",
        ),
    ),
    Row(
        lambda: run(180),
        "3h",
        "green_for",
        {"for": "2h"},
        Said(
            PASSED, "every connection green for 2h up to the end", "green for 3h at the end", "metrics pulse 2h59m17s"
        ),
    ),
    Row(
        lambda: run(180),
        "3h",
        "green_for",
        {"for": "3h"},
        Said(
            PASSED, "every connection green for 3h up to the end", "green for 3h at the end", "metrics pulse 2h59m17s"
        ),
    ),
    Row(
        lambda: run(180),
        "3h",
        "green_for",
        {"for": "3h1m", "connections": ["nas-1"]},
        Said(FAILED, "nas-1 green for 3h1m up to the end", "green for 3h at the end, all there was", ""),
    ),
    Row(
        lambda: run(180, old={59: 300}),
        "3h",
        "green_for",
        {"for": "2h1m"},
        Said(
            FAILED,
            "every connection green for 2h1m up to the end",
            "green for 2h at the end, staleness of nas-1 over its limit at 59m17s",
            "metrics pulse 59m17s",
        ),
    ),
    Row(
        lambda: run(180, old={170: -1}),
        "3h",
        "green_for",
        {"for": "1h"},
        Said(
            FAILED,
            "every connection green for 1h up to the end",
            "green for 9m at the end, staleness of nas-1 over its limit at 2h50m17s",
            "metrics pulse 2h50m17s",
        ),
    ),
    Row(
        lambda: run(180, bad=lambda minute: minute == 120, auth=lambda minute: minute == 120),
        "3h",
        "green_for",
        {"for": "1h"},
        Said(
            FAILED,
            "every connection green for 1h up to the end",
            "green for 59m at the end, an auth error of nas-1 at 2h17s",
            "metrics pulse 2h17s",
        ),
    ),
    Row(
        lambda: run(180, bad=lambda minute: 60 <= minute < 63),
        "3h",
        "green_for",
        {"for": "2h"},
        Said(
            FAILED,
            "every connection green for 2h up to the end",
            "green for 1h at the end, 5 % or more of the polls of nas-1 failed in an hour at 1h59m17s",
            "metrics pulse 1h59m17s",
        ),
    ),
    Row(
        lambda: run(180, alerts={150: "slow"}),
        "3h",
        "green_for",
        {"for": "1h"},
        Said(
            FAILED,
            "every connection green for 1h up to the end",
            "green for 29m at the end, alert slow of pulse at 2h30m20s",
            "alerts pulse 2h30m20s",
        ),
    ),
    Row(
        lambda: run(180).add("2h50m", "sut/crash", "pulse"),
        "3h",
        "green_for",
        {"for": "1h"},
        Said(
            FAILED,
            "every connection green for 1h up to the end",
            "green for 10m at the end, pulse crashed at 2h50m",
            "crash pulse 2h50m",
        ),
    ),
    Row(
        lambda: run(180).add("2h50m", "world/abort", "run", criterion="x", what="", evidence=[]),
        "3h",
        "green_for",
        {"for": "1h"},
        Said(
            FAILED,
            "every connection green for 1h up to the end",
            "green for 10m at the end, the run was aborted at 2h50m",
            "abort run 2h50m",
        ),
    ),
    Row(
        lambda: run(180, skip=lambda minute: 100 < minute < 110),
        "3h",
        "green_for",
        {"for": "2h"},
        Said(
            INCONCLUSIVE,
            "every connection green for 2h up to the end",
            "no sample of the staleness of nas-1 between 1h40m17s and 1h50m17s",
            "",
        ),
    ),
    Row(
        lambda: run(170),
        "3h",
        "green_for",
        {"for": "20m"},
        Said(
            INCONCLUSIVE,
            "every connection green for 20m up to the end",
            "no sample of the staleness of nas-1 between 2h49m17s and 3h",
            "",
        ),
    ),
    Row(
        lambda: LogBuilder(),
        "3h",
        "green_for",
        {"for": "20m"},
        Said(
            INCONCLUSIVE,
            "every connection green for 20m up to the end",
            "no samples of pulse_monitor_poll_staleness_seconds of nas-1",
            "",
        ),
    ),
    Row(
        lambda: LogBuilder({}),
        "3h",
        "green_for",
        {"for": "20m"},
        Said(INCONCLUSIVE, "every connection green for 20m up to the end", "no connection is polled at 3h", ""),
    ),
    Row(
        lambda: (
            run(180)
            .action("1h", "remove_connection", id="nas-1")
            .action("2h", "add_connection", id="nas-1", appliance="nas-1")
        ),
        "3h",
        "green_for",
        {"for": "1h30m"},
        Said(FAILED, "every connection green for 1h30m up to the end", "green for 1h at the end, all there was", ""),
    ),
)
