"""What the commands' exit statuses mean, and which one wins when there are several (DESIGN 4.1)."""

from collections.abc import Iterable
from enum import IntEnum

from pulse_sim.outcome import Outcome


class ExitStatus(IntEnum):
    """``2 > 4 > 1 > 3 > 0`` when combined."""

    OK = 0
    FAILED = 1
    USAGE = 2
    OPEN = 3
    BROKEN = 4


_ORDER = (ExitStatus.USAGE, ExitStatus.BROKEN, ExitStatus.FAILED, ExitStatus.OPEN, ExitStatus.OK)
_OF_OUTCOME = {
    Outcome.PASSED: ExitStatus.OK,
    Outcome.SKIPPED: ExitStatus.OPEN,
    Outcome.INCONCLUSIVE: ExitStatus.OPEN,
    Outcome.FAILED: ExitStatus.FAILED,
    Outcome.ERRORED: ExitStatus.BROKEN,
}
_OF_VERDICT = {"GO": ExitStatus.OK, "GO_WITH_CONDITIONS": ExitStatus.OPEN, "NO_GO": ExitStatus.FAILED}


def of_outcome(outcome: Outcome) -> ExitStatus:
    """The status of one run."""
    return _OF_OUTCOME[outcome]


def of_verdict(verdict: str) -> ExitStatus:
    """The status of a verdict word."""
    return _OF_VERDICT[verdict]


def combined(statuses: Iterable[ExitStatus]) -> ExitStatus:
    """The status that wins. Of none it is OPEN: nothing was shown."""
    given = set(statuses)
    return next((status for status in _ORDER if status in given), ExitStatus.OPEN)
