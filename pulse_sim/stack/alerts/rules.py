"""The alert rules of contract A10 as data. The rules file for Prometheus says the same; a test compares every number.

Knows no connection and evaluates nothing.
"""

from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Final

from pulse_sim.stack.errors import ErrorType

EVALUATION_S: Final = 15
"""Seconds between two evaluations."""


class Severity(StrEnum):
    """How bad an alert is; the values are on the wire."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


RANK: Final = {Severity.CRITICAL: 0, Severity.WARNING: 1, Severity.INFO: 2}
"""Order of severities, most severe first."""


class Measure(Enum):
    """What of a connection's metrics a rule looks at."""

    CONSECUTIVE_FAILURES = "consecutive failures"
    STALENESS = "staleness"
    ERROR_RISE = "rise of an error counter"
    DURATION_P95 = "95th percentile of the poll duration"


@dataclass(frozen=True, slots=True)
class Rule:
    """An alert is active while the measure is strictly above the threshold.

    The threshold is `threshold`, or `intervals` poll intervals where that is more. `window_s` is how far a rise or a
    percentile looks back. `notify`: whether the webhook is told unless configured otherwise. `words` describe the
    condition with `{threshold}`.
    """

    id: str
    measure: Measure
    threshold: float
    severity: Severity
    words: str
    intervals: float = 0.0
    window_s: int = 0
    error_type: ErrorType | None = None
    notify: bool = False


RULES: Final = (
    Rule(
        "poll-failing",
        Measure.CONSECUTIVE_FAILURES,
        3,
        Severity.WARNING,
        "more than {threshold} polls failed in a row",
    ),
    Rule(
        "stale",
        Measure.STALENESS,
        300,
        Severity.WARNING,
        "no successful poll for more than {threshold} s",
        intervals=3,
    ),
    Rule(
        "stale-critical",
        Measure.STALENESS,
        600,
        Severity.CRITICAL,
        "no successful poll for more than {threshold} s",
        intervals=6,
    ),
    Rule(
        "auth",
        Measure.ERROR_RISE,
        0,
        Severity.CRITICAL,
        "more than {threshold} polls refused for their credentials within 5 minutes",
        window_s=300,
        error_type=ErrorType.AUTH,
        notify=True,
    ),
    Rule(
        "timeouts",
        Measure.ERROR_RISE,
        5,
        Severity.WARNING,
        "more than {threshold} polls timed out within 10 minutes",
        window_s=600,
        error_type=ErrorType.TIMEOUT,
    ),
    Rule(
        "connection",
        Measure.ERROR_RISE,
        0,
        Severity.WARNING,
        "more than {threshold} polls found no connection within 5 minutes",
        window_s=300,
        error_type=ErrorType.CONNECTION,
    ),
    Rule(
        "slow",
        Measure.DURATION_P95,
        10,
        Severity.WARNING,
        "the 95th percentile of the poll duration within 10 minutes is above {threshold} s",
        window_s=600,
    ),
)

QUANTILE: Final = 0.95

APPLIANCE: Final = "appliance"
"""The rule id of the appliances' own alerts, which have no threshold."""
