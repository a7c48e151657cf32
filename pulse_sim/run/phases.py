"""The phases of a run (R8) as a function of time and of what the observer saw; no clock, no I/O."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

Span = tuple[int, int]


class Phase(StrEnum):
    """Warm-up until every connection succeeded once, then by the fault windows."""

    WARM_UP = "warm-up"
    STEADY = "steady"
    INJECT = "inject"
    HEAL = "heal"
    SETTLE = "settle"


@dataclass(frozen=True, slots=True)
class PhasePlan:
    """The fault windows of a run, half-open, in nanoseconds since the start."""

    windows: Sequence[Span]

    def at(self, now_ns: int, warm: bool) -> Phase:
        """The phase at a time. ``warm``: every connection of the start has succeeded once.

        Before the first window it is warm-up or steady; within any window inject; between windows heal;
        after the last one settle.
        """
        if any(start <= now_ns < end for start, end in self.windows):
            return Phase.INJECT
        if self.windows and now_ns >= max(end for _, end in self.windows):
            return Phase.SETTLE
        if self.windows and now_ns >= min(start for start, _ in self.windows):
            return Phase.HEAL
        return Phase.STEADY if warm else Phase.WARM_UP
