"""The five outcomes of anything judged, and the one rule that combines them: the worst wins (R9)."""

from collections.abc import Iterable
from enum import StrEnum


class Outcome(StrEnum):
    """``passed < skipped < inconclusive < failed < errored``; only ``PASSED`` is success."""

    PASSED = "passed"
    SKIPPED = "skipped"
    INCONCLUSIVE = "inconclusive"
    FAILED = "failed"
    ERRORED = "errored"

    @property
    def rank(self) -> int:
        """0 for the best outcome, 4 for the worst."""
        return _RANK[self]


_RANK = {outcome: rank for rank, outcome in enumerate(Outcome)}


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """The worst of ``outcomes``. Of none it is INCONCLUSIVE: silence is never success."""
    return max(outcomes, key=lambda outcome: outcome.rank, default=Outcome.INCONCLUSIVE)
