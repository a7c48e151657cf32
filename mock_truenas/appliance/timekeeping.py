"""The time of an appliance: its clock, what is due by it, and streams of chance. Knows no state."""

import random
from typing import Final

from mock_truenas.appliance.schedule import NEVER_NS, Schedule
from mock_truenas.clock import Clock

LONGEST_WALK_NS: Final = 14 * 86_400_000_000_000
"""A clock set further ahead than this is followed from here on only: years are not walked through tick by tick."""


class Timekeeper:
    """Lets happen what is due, in order, each at its own instant. ``seed`` is what all chance follows from."""

    def __init__(self, clock: Clock, seed: int) -> None:
        self.seed = seed
        self._clock = clock
        self._instant_ns: int | None = None
        self.forget_time()

    def forget_time(self) -> None:
        """Forget whatever is due, and begin every stream anew."""
        self.schedule = Schedule()
        self._streams: dict[str, random.Random] = {}

    def now_ns(self) -> int:
        """The appliance's own time, Unix nanoseconds; while it catches up, the instant it has come to."""
        return self._clock.now_ns() if self._instant_ns is None else self._instant_ns

    def evolve(self) -> None:
        """Let everything happen that is due by now."""
        if self.schedule.next_ns <= self._clock.now_ns() and self._instant_ns is None:
            self._catch_up(self._clock.now_ns())

    def _catch_up(self, now_ns: int) -> None:
        try:
            while (due := self.schedule.take(now_ns)) is not None:
                self._instant_ns = due[0]
                due[1](due[0])
        finally:
            self._instant_ns = None

    def next_change_ns(self) -> int | None:
        """When something will next happen by itself; None when nothing will."""
        return None if self.schedule.next_ns == NEVER_NS else self.schedule.next_ns

    def from_ns(self, at_ns: int) -> int:
        """From where what repeats goes on after ``at_ns``: from there, unless the clock was set far ahead."""
        return max(at_ns, self._clock.now_ns() - LONGEST_WALK_NS)

    def stream(self, purpose: str) -> random.Random:
        """The seeded stream of a purpose, the same one each time it is asked for."""
        stream = self._streams.get(purpose)
        if stream is None:
            stream = self._streams[purpose] = random.Random(f"{self.seed}:{purpose}")
        return stream
