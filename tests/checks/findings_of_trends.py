"""trend: what they say of small logs, and at which records they point."""

from collections.abc import Sequence
from typing import Final

from pulse_sim.outcome import Outcome
from pulse_sim.units import HOUR
from tests.checks.log_builder import LogBuilder, Row, Said
from tests.checks.test_trend_checks import scraped

PASSED, FAILED, INCONCLUSIVE = Outcome.PASSED, Outcome.FAILED, Outcome.INCONCLUSIVE


def counts() -> LogBuilder:
    """The kernel's counts, hour by hour: tasks grow by one, transports by two, timers by none."""
    log = LogBuilder().phase("1m", "steady")
    for hour in range(25):
        log.add(hour * HOUR, "world/counts", "run", tasks=9 + hour, transports=4 + 2 * hour, timers=5)
    return log


FINDINGS: Final[Sequence[Row]] = (
    Row(
        lambda: scraped(dict.fromkeys(range(241), 7)),
        "4h",
        "trend",
        {"of": "tasks", "at_most_per_hour": 0.0},
        Said(
            PASSED, "tasks of pulse grow by at most 0 an hour", "0.000 an hour over 240 samples", "metrics pulse 1m 4h"
        ),
    ),
    Row(
        lambda: scraped({minute: minute for minute in range(61)}),
        "1h",
        "trend",
        {"of": "tasks", "at_most_per_hour": 59.5},
        Said(
            FAILED,
            "tasks of pulse grow by at most 59.5 an hour",
            "60.000 an hour over 60 samples",
            "metrics pulse 1m 1h",
        ),
    ),
    Row(
        lambda: scraped({minute: 100 - minute / 64 for minute in range(61)}),
        "1h",
        "trend",
        {"of": "tasks", "at_most_per_hour": 0.0},
        Said(
            PASSED, "tasks of pulse grow by at most 0 an hour", "-0.937 an hour over 60 samples", "metrics pulse 1m 1h"
        ),
    ),
    Row(
        lambda: scraped(dict.fromkeys(range(21), 7)),
        "20m",
        "trend",
        {"of": "tasks", "at_most_per_hour": 0.0},
        Said(INCONCLUSIVE, "tasks of pulse grow by at most 0 an hour", "less than 20m to judge", ""),
    ),
    Row(
        lambda: scraped({minute: 7 for minute in range(61) if not 20 < minute < 25}),
        "1h",
        "trend",
        {"of": "tasks", "at_most_per_hour": 0.0},
        Said(
            INCONCLUSIVE,
            "tasks of pulse grow by at most 0 an hour",
            "no sample of tasks of pulse between 20m and 25m",
            "",
        ),
    ),
    Row(
        lambda: scraped({0: 7, **dict.fromkeys((5, 9), "NaN")}),
        "1h",
        "trend",
        {"of": "tasks", "at_most_per_hour": 0.0},
        Said(
            INCONCLUSIVE,
            "tasks of pulse grow by at most 0 an hour",
            "pulse_runtime_tasks was no number",
            "metrics pulse 5m 9m",
        ),
    ),
    Row(
        lambda: LogBuilder().phase("1m", "steady"),
        "1h",
        "trend",
        {"of": "tasks", "at_most_per_hour": 0.0},
        Said(
            INCONCLUSIVE, "tasks of pulse grow by at most 0 an hour", "no samples of pulse_runtime_tasks of pulse", ""
        ),
    ),
    Row(
        lambda: LogBuilder(),
        "1h",
        "trend",
        {"of": "tasks", "at_most_per_hour": 0.0},
        Said(
            INCONCLUSIVE,
            "tasks of pulse grow by at most 0 an hour",
            "no steady state: the connections did not all succeed before the first fault",
            "",
        ),
    ),
    Row(
        lambda: scraped(dict.fromkeys(range(0, 61, 3), 7)),
        "1h",
        "trend",
        {"of": "tasks", "at_most_per_hour": 0.0, "between": ["3m", "24m"]},
        Said(
            INCONCLUSIVE,
            "tasks of pulse grow by at most 0 an hour between 3m and 24m",
            "8 samples of 12 needed",
            "metrics pulse 3m 6m 9m 12m 15m 18m 21m 24m",
        ),
    ),
    Row(
        lambda: scraped(dict.fromkeys(range(0, 61, 3), 7)),
        "1h",
        "trend",
        {"of": "tasks", "at_most_per_hour": 0.0, "between": ["30m", "1h"]},
        Said(
            INCONCLUSIVE,
            "tasks of pulse grow by at most 0 an hour between 30m and 1h",
            "11 samples of 12 needed",
            "metrics pulse 30m 33m 36m 39m 51m 54m 57m 1h",
        ),
    ),
    Row(
        lambda: LogBuilder().phase("1m", "steady"),
        "1h",
        "trend",
        {"of": "kernel_transports", "at_most_per_hour": 0.0},
        Said(
            INCONCLUSIVE,
            "kernel transports of pulse grow by at most 0 an hour",
            "no sample of kernel transports of pulse between 1m and 1h",
            "",
        ),
    ),
    Row(
        lambda: LogBuilder().phase("1m", "steady"),
        "1h",
        "trend",
        {"of": "rows", "at_most_per_hour": 0.0},
        Said(
            INCONCLUSIVE, "rows of pulse grow by at most 0 an hour", "no sample of rows of pulse between 1m and 1h", ""
        ),
    ),
    Row(
        lambda: LogBuilder().phase("1m", "steady"),
        "1h",
        "trend",
        {"of": "timers", "at_most_per_hour": 1.5},
        Said(
            INCONCLUSIVE,
            "timers of pulse grow by at most 1.5 an hour",
            "no samples of pulse_runtime_timers of pulse",
            "",
        ),
    ),
    Row(
        lambda: LogBuilder().phase("1m", "steady"),
        "1h",
        "trend",
        {"of": "connections", "at_most_per_hour": 1.5},
        Said(
            INCONCLUSIVE,
            "connections of pulse grow by at most 1.5 an hour",
            "no samples of pulse_runtime_open_connections of pulse",
            "",
        ),
    ),
    Row(
        lambda: LogBuilder().phase("1m", "steady"),
        "1h",
        "trend",
        {"of": "resources", "at_most_per_hour": 1.5},
        Said(
            INCONCLUSIVE,
            "resources of pulse grow by at most 1.5 an hour",
            "no samples of pulse_registry_resources of pulse",
            "",
        ),
    ),
    Row(
        lambda: LogBuilder().phase("1m", "steady"),
        "1h",
        "trend",
        {"of": "series", "at_most_per_hour": 1.5},
        Said(
            INCONCLUSIVE,
            "series of pulse grow by at most 1.5 an hour",
            "no sample of series of pulse between 1m and 1h",
            "",
        ),
    ),
    Row(
        lambda: counts(),
        "1d",
        "trend",
        {"of": "kernel_tasks", "at_most_per_hour": 1.5},
        Said(
            PASSED,
            "kernel tasks of pulse grow by at most 1.5 an hour",
            "1.000 an hour over 24 samples",
            "counts run 1h 24h",
        ),
    ),
    Row(
        lambda: counts(),
        "1d",
        "trend",
        {"of": "kernel_transports", "at_most_per_hour": 1.5},
        Said(
            FAILED,
            "kernel transports of pulse grow by at most 1.5 an hour",
            "2.000 an hour over 24 samples",
            "counts run 1h 24h",
        ),
    ),
    Row(
        lambda: counts(),
        "1d",
        "trend",
        {"of": "kernel_timers", "at_most_per_hour": 1.5},
        Said(
            PASSED,
            "kernel timers of pulse grow by at most 1.5 an hour",
            "0.000 an hour over 24 samples",
            "counts run 1h 24h",
        ),
    ),
    Row(
        lambda: scraped({minute: minute / 64 for minute in range(65)}, "pulse_runtime_timers"),
        "64m",
        "trend",
        {"of": "timers", "at_most_per_hour": 0.5},
        Said(
            FAILED,
            "timers of pulse grow by at most 0.5 an hour",
            "0.938 an hour over 64 samples",
            "metrics pulse 1m 1h4m",
        ),
    ),
    Row(
        lambda: scraped({minute: minute / 64 for minute in range(65)}, "pulse_runtime_open_connections"),
        "64m",
        "trend",
        {"of": "connections", "at_most_per_hour": 0.5},
        Said(
            FAILED,
            "connections of pulse grow by at most 0.5 an hour",
            "0.938 an hour over 64 samples",
            "metrics pulse 1m 1h4m",
        ),
    ),
    Row(
        lambda: scraped({minute: minute / 64 for minute in range(65)}, "pulse_registry_resources"),
        "64m",
        "trend",
        {"of": "resources", "at_most_per_hour": 0.5},
        Said(
            FAILED,
            "resources of pulse grow by at most 0.5 an hour",
            "0.938 an hour over 64 samples",
            "metrics pulse 1m 1h4m",
        ),
    ),
)
