"""availability: what they say of small logs, and at which records they point."""

from collections.abc import Sequence
from typing import Final

from pulse_sim.outcome import Outcome
from tests.checks.log_builder import LogBuilder, Row, Said
from tests.checks.test_availability_checks import KINDS, looked

PASSED, FAILED, INCONCLUSIVE = Outcome.PASSED, Outcome.FAILED, Outcome.INCONCLUSIVE


FINDINGS: Final[Sequence[Row]] = (
    Row(
        lambda: looked({}),
        "10m",
        "availability",
        {"at_least": 1.0},
        Said(
            PASSED,
            "at least 100.00 % of the looks at pulse answered",
            "100.00 %: 36 of 36 looks answered",
            "health pulse 1m, connections pulse 9m",
        ),
    ),
    Row(
        lambda: looked({(5, "health"): None, (6, "metrics"): 503}),
        "10m",
        "availability",
        {"at_least": 0.99},
        Said(
            FAILED,
            "at least 99.00 % of the looks at pulse answered",
            "94.44 %: 34 of 36 looks answered",
            "health pulse 5m, metrics pulse 6m",
        ),
    ),
    Row(
        lambda: looked({(5, "health"): None, (6, "metrics"): 503}),
        "10m",
        "availability",
        {"at_least": 0.9, "between": ["1m", "9m"]},
        Said(
            PASSED,
            "at least 90.00 % of the looks at pulse answered between 1m and 9m",
            "94.44 %: 34 of 36 looks answered",
            "health pulse 5m, metrics pulse 6m",
        ),
    ),
    Row(
        lambda: looked({(minute, "health"): 404 for minute in range(1, 10)}),
        "10m",
        "availability",
        {"at_least": 0.5},
        Said(
            INCONCLUSIVE,
            "at least 50.00 % of the looks at pulse answered",
            "pulse has no page of its health",
            "health pulse 1m 2m 3m 4m 6m 7m 8m 9m",
        ),
    ),
    Row(
        lambda: looked({(minute, "connections"): 404 for minute in range(1, 10)}),
        "10m",
        "availability",
        {"at_least": 1.0},
        Said(
            PASSED,
            "at least 100.00 % of the looks at pulse answered",
            "100.00 %: 27 of 27 looks answered",
            "health pulse 1m, resources pulse 9m",
        ),
    ),
    Row(
        lambda: LogBuilder(started=False),
        "10m",
        "availability",
        {"at_least": 1.0},
        Said(INCONCLUSIVE, "at least 100.00 % of the looks at pulse answered", "system pulse never started", ""),
    ),
    Row(
        lambda: looked({}, tuple(kind for kind in KINDS if kind != "health")),
        "10m",
        "availability",
        {"at_least": 1.0},
        Said(
            INCONCLUSIVE,
            "at least 100.00 % of the looks at pulse answered",
            "no health probe of pulse between 0s and 10m",
            "",
        ),
    ),
    Row(
        lambda: looked({}, tuple(kind for kind in KINDS if kind != "metrics")),
        "10m",
        "availability",
        {"at_least": 1.0},
        Said(
            INCONCLUSIVE,
            "at least 100.00 % of the looks at pulse answered",
            "no scrape of pulse between 0s and 10m",
            "",
        ),
    ),
    Row(
        lambda: looked({}, tuple(kind for kind in KINDS if kind != "resources")),
        "10m",
        "availability",
        {"at_least": 1.0},
        Said(
            INCONCLUSIVE,
            "at least 100.00 % of the looks at pulse answered",
            "no look at the resources of pulse between 0s and 10m",
            "",
        ),
    ),
    Row(
        lambda: looked({}, tuple(kind for kind in KINDS if kind != "connections")),
        "10m",
        "availability",
        {"at_least": 1.0},
        Said(
            INCONCLUSIVE,
            "at least 100.00 % of the looks at pulse answered",
            "no look at the connections of pulse between 0s and 10m",
            "",
        ),
    ),
)
