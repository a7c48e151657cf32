"""source_status and resource_status: what they say of small logs, and at which records they point."""

from collections.abc import Sequence
from typing import Final

from pulse_sim.outcome import Outcome
from tests.checks.log_builder import LogBuilder, Row, Said
from tests.checks.test_status_checks import sources

PASSED, FAILED, INCONCLUSIVE = Outcome.PASSED, Outcome.FAILED, Outcome.INCONCLUSIVE


FINDINGS: Final[Sequence[Row]] = (
    Row(
        lambda: sources(("5m", "stale"), ("8m", "online"), ("10m", "stale")),
        "30m",
        "source_status",
        {"connection": "nas-1", "is_": "stale", "by": "9m", "after": "5m"},
        Said(FAILED, "nas-1 stale after 5m by 9m", "never stale, last online", "resources pulse 8m"),
    ),
    Row(
        lambda: sources(("5m", "stale"), ("8m", "online"), ("10m", "stale")),
        "30m",
        "source_status",
        {"connection": "nas-1", "is_": "stale", "by": "10m", "after": "5m"},
        Said(PASSED, "nas-1 stale after 5m by 10m", "stale at 10m", "resources pulse 10m"),
    ),
    Row(
        lambda: sources(("5m", "stale"), ("8m", "online"), ("10m", "stale")),
        "30m",
        "source_status",
        {"connection": "nas-1", "is_": "online", "by": "8m"},
        Said(PASSED, "nas-1 online by 8m", "online at 8m", "resources pulse 8m"),
    ),
    Row(
        lambda: sources(("5m", "stale"), ("8m", "online"), ("10m", "stale")),
        "30m",
        "source_status",
        {"connection": "nas-1", "is_": "online", "at": "9m"},
        Said(PASSED, "nas-1 online at 9m", "online at 8m", "resources pulse 8m"),
    ),
    Row(
        lambda: sources(("5m", "stale"), ("8m", "online"), ("10m", "stale")),
        "30m",
        "source_status",
        {"connection": "nas-1", "is_": "online", "at": "10m"},
        Said(FAILED, "nas-1 online at 10m", "stale at 10m", "resources pulse 10m"),
    ),
    Row(
        lambda: sources(("5m", "stale"), ("8m", "online"), ("10m", "stale")),
        "30m",
        "source_status",
        {"connection": "nas-1", "is_": "online", "at": "4m"},
        Said(INCONCLUSIVE, "nas-1 online at 4m", "no sample of the resources of pulse just before 4m", ""),
    ),
    Row(
        lambda: sources(("5m", "stale"), ("8m", "online"), ("10m", "stale")),
        "30m",
        "source_status",
        {"connection": "nas-1", "is_": "stale", "by": "4m"},
        Said(INCONCLUSIVE, "nas-1 stale by 4m", "no sample of the resources of pulse up to 4m", ""),
    ),
    Row(
        lambda: sources(("5m", "stale"), ("8m", "online"), ("10m", "stale")),
        "30m",
        "source_status",
        {"connection": "nas-1", "is_": "unknown", "by": "10m"},
        Said(FAILED, "nas-1 unknown by 10m", "never unknown, last stale", "resources pulse 5m 8m 10m"),
    ),
    Row(
        lambda: sources(("5m", "stale"), ("8m", "online"), ("10m", "stale")),
        "30m",
        "source_status",
        {"connection": "nas-1", "is_": "stale", "between": ["4m", "11m"]},
        Said(FAILED, "nas-1 stale at all times between 4m and 11m", "online at 8m", "resources pulse 8m"),
    ),
    Row(
        lambda: sources(("5m", "stale"), ("8m", "online"), ("10m", "stale")),
        "30m",
        "source_status",
        {"connection": "nas-1", "is_": "online", "between": ["8m", "9m"]},
        Said(PASSED, "nas-1 online at all times between 8m and 9m", "online in 1 of 1 samples", "resources pulse 8m"),
    ),
    Row(
        lambda: sources(("5m", "stale"), ("8m", "online"), ("10m", "stale")),
        "30m",
        "source_status",
        {"connection": "nas-1", "is_": "stale", "between": ["11m", "12m"]},
        Said(
            INCONCLUSIVE,
            "nas-1 stale at all times between 11m and 12m",
            "no sample of the resources of pulse between 11m and 12m",
            "",
        ),
    ),
    Row(
        lambda: sources(("5m", "stale"), ("8m", "online"), ("10m", "stale")),
        "30m",
        "source_status",
        {"connection": "nas-1", "is_": "unknown", "by": "26m"},
        Said(INCONCLUSIVE, "nas-1 unknown by 26m", "no sample of the resources of pulse up to 26m", ""),
    ),
    Row(
        lambda: LogBuilder(),
        "30m",
        "source_status",
        {"connection": "nas-1", "is_": "stale", "by": "4m"},
        Said(INCONCLUSIVE, "nas-1 stale by 4m", "no sample of the resources of pulse", ""),
    ),
    Row(
        lambda: LogBuilder().resources("5m", {"nas-1": {}, "nas-1/pool:tank": {"status": "warning"}}),
        "6m",
        "resource_status",
        {"resource": "nas-1/pool:tank", "is_": "warning", "at": "5m"},
        Said(PASSED, "nas-1/pool:tank warning at 5m", "warning at 5m", "resources pulse 5m"),
    ),
    Row(
        lambda: LogBuilder().resources("5m", {"nas-1": {}, "nas-1/pool:tank": {"status": None}}),
        "6m",
        "resource_status",
        {"resource": "nas-1/pool:tank", "is_": "online", "by": "5m"},
        Said(
            INCONCLUSIVE, "nas-1/pool:tank online by 5m", "no sample shows system:nas-1/pool:tank", "resources pulse 5m"
        ),
    ),
    Row(
        lambda: LogBuilder().resources("5m", {"nas-1": {}, "nas-1/pool:tank/x": {"status": "warning"}}),
        "6m",
        "resource_status",
        {"resource": "nas-1/pool:tank/x", "is_": "online", "by": "5m", "after": "1m"},
        Said(FAILED, "nas-1/pool:tank/x online after 1m by 5m", "never online, last warning", "resources pulse 5m"),
    ),
    Row(
        lambda: LogBuilder().resources("5m", {"nas-1": {"sourceStatus": None}}),
        "6m",
        "source_status",
        {"connection": "nas-1", "is_": "online", "by": "5m"},
        Said(FAILED, "nas-1 online by 5m", "never online, last absent", "resources pulse 5m"),
    ),
)
