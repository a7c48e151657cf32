"""checkpoint and green_for: what they expect, what they say and the records they point at."""

from collections.abc import Sequence
from typing import Final

from pulse_sim.outcome import Outcome
from pulse_sim.units import MINUTE, SECOND
from tests.checks.log_builder import LogBuilder, Row, Said, gauge, poll_errors, poll_total
from tests.checks.test_rollout_checks import run

PASSED, FAILED, INCONCLUSIVE = Outcome.PASSED, Outcome.FAILED, Outcome.INCONCLUSIVE


def both(polls: int = 1, bad: int = 0, old: int = 17) -> LogBuilder:
    """Two hours of two connections of one system; ``polls``, ``bad`` and ``old`` are nas-2's."""
    log = LogBuilder({"nas-1": "nas-1", "nas-2": "nas-2"})
    for minute in range(120):
        page: dict[str, float | str] = {}
        for name, good, failed, age in (("nas-1", 1, 0, 17), ("nas-2", polls, bad, old if minute > 10 else 17)):
            page[poll_total("success", name)] = good * (minute + 1)
            page[poll_total("error", name)] = failed * (minute + 1)
            page[poll_errors("auth", name)] = 0
            page[gauge("pulse_monitor_poll_staleness_seconds", name)] = age
        log.scrape(minute * MINUTE + 17 * SECOND, page)
        if minute % 5 == 0:
            log.alerts(minute * MINUTE + 20 * SECOND, {})
    return log


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
    Row(
        lambda: both(),
        "2h",
        "checkpoint",
        {"at": "2h"},
        Said(
            PASSED,
            "at 2h every connection fresh, at least 95 % of polls well since the start, no alert and no abort",
            "green, 240 polls counted",
            "alerts pulse 1h55m20s, metrics pulse 1h59m17s",
        ),
    ),
    Row(
        lambda: both(),
        "2h",
        "checkpoint",
        {"at": "2h", "connections": ["nas-2", "nas-1"]},
        Said(
            PASSED,
            "at 2h nas-2, nas-1 fresh, at least 95 % of polls well since the start, no alert and no abort",
            "green, 240 polls counted",
            "alerts pulse 1h55m20s, metrics pulse 1h59m17s",
        ),
    ),
    Row(
        lambda: both(),
        "2h",
        "green_for",
        {"for": "1h", "connections": ["nas-2", "nas-1"]},
        Said(PASSED, "nas-2, nas-1 green for 1h up to the end", "green for 2h at the end", "metrics pulse 1h59m17s"),
    ),
    Row(
        lambda: both(old=301),
        "2h",
        "checkpoint",
        {"at": "2h"},
        Said(
            FAILED,
            "at 2h every connection fresh, at least 95 % of polls well since the start, no alert and no abort",
            "the last success of nas-2 was 301s old at 1h59m17s",
            "metrics pulse 1h59m17s",
        ),
    ),
    Row(
        lambda: both(old=301),
        "2h",
        "checkpoint",
        {"at": "2h", "connections": ["nas-1"]},
        Said(
            PASSED,
            "at 2h nas-1 fresh, at least 95 % of polls well since the start, no alert and no abort",
            "green, 120 polls counted",
            "alerts pulse 1h55m20s, metrics pulse 1h59m17s",
        ),
    ),
    Row(
        lambda: both(old=301),
        "2h",
        "green_for",
        {"for": "1h", "connections": ["nas-1"]},
        Said(PASSED, "nas-1 green for 1h up to the end", "green for 2h at the end", "metrics pulse 1h59m17s"),
    ),
    Row(
        lambda: both(old=301),
        "2h",
        "green_for",
        {"for": "1h"},
        Said(
            FAILED,
            "every connection green for 1h up to the end",
            "green for 0s at the end, staleness of nas-2 over its limit at 1h59m17s",
            "metrics pulse 1h59m17s",
        ),
    ),
    Row(
        lambda: both(polls=0),
        "2h",
        "checkpoint",
        {"at": "2h"},
        Said(
            INCONCLUSIVE,
            "at 2h every connection fresh, at least 95 % of polls well since the start, no alert and no abort",
            "the polls of nas-2 were not counted up to the checkpoint",
            "metrics pulse 17s 1h59m17s",
        ),
    ),
    Row(
        lambda: both(bad=1),
        "2h",
        "green_for",
        {"for": "1h"},
        Said(
            FAILED,
            "every connection green for 1h up to the end",
            "green for 0s at the end, 5 % or more of the polls of nas-2 failed in an hour at 1h59m17s",
            "metrics pulse 1h59m17s",
        ),
    ),
    Row(
        lambda: both(bad=1),
        "2h",
        "checkpoint",
        {"at": "2h", "success_rate": 0.5},
        Said(
            PASSED,
            "at 2h every connection fresh, at least 50 % of polls well since the start, no alert and no abort",
            "green, 360 polls counted",
            "alerts pulse 1h55m20s, metrics pulse 1h59m17s",
        ),
    ),
    Row(
        lambda: both(),
        "2h",
        "checkpoint",
        {"at": "1h17s"},
        Said(
            PASSED,
            "at 1h17s every connection fresh, at least 95 % of polls well since the start, no alert and no abort",
            "green, 122 polls counted",
            "alerts pulse 55m20s, metrics pulse 1h17s",
        ),
    ),
    Row(
        lambda: run(180, alerts={115: "slow"}),
        "3h",
        "checkpoint",
        {"at": "1h55m20s"},
        Said(
            FAILED,
            "at 1h55m20s every connection fresh, at least 95 % of polls well since the start, no alert and no abort",
            "alert slow of pulse active at 1h55m20s",
            "alerts pulse 1h55m20s",
        ),
    ),
    Row(
        lambda: run(180, alerts={175: "slow", 170: "bad"}),
        "3h",
        "green_for",
        {"for": "1h"},
        Said(
            FAILED,
            "every connection green for 1h up to the end",
            "green for 4m at the end, alert slow of pulse at 2h55m20s",
            "alerts pulse 2h55m20s",
        ),
    ),
    Row(
        lambda: run(180)._sample(7200 * SECOND, "alerts", "pulse", {"odd": {"rule": None, "instance": None}}),
        "3h",
        "checkpoint",
        {"at": "2h"},
        Said(
            FAILED,
            "at 2h every connection fresh, at least 95 % of polls well since the start, no alert and no abort",
            "alert odd of pulse active at 2h",
            "alerts pulse 2h",
        ),
    ),
)
