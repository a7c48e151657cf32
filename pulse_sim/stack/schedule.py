"""When the polls of one connection are due (contract A5). Pure: no clock, no waiting."""

import math
from random import Random
from typing import Final

JITTER_SHARE: Final = 0.01
LONGEST_JITTER_S: Final = 0.5
_EARLY_S: Final = 0.001  # a loop may wake a sleeper early by its clock's resolution


class Schedule:
    """Due times on a fixed grid, ``start + k × interval``, each moved by a small jitter of its own.

    The grid never moves, however long a poll takes; due times missed by a long poll are skipped, not made up for.
    """

    def __init__(self, start: float, interval_s: float, stream: Random) -> None:
        self.start = start
        self.interval_s = interval_s
        self._stream = stream
        self._step = 0
        self.due = start + self._drawn()

    def advance(self, now: float) -> float:
        """Moves on from a due time that is reached to the first one not past; one still to come stays. Returns it."""
        if self.due > now + _EARLY_S:
            return self.due
        reached = math.floor((now - self.start) / self.interval_s)
        self._step = max(self._step, reached) + 1
        self.due = self.start + self._step * self.interval_s + self._drawn()
        return self.due

    def _drawn(self) -> float:
        """Between 0 and 1 % of the interval, at most half a second, so no two polls of a connection meet."""
        return self._stream.random() * min(self.interval_s * JITTER_SHARE, LONGEST_JITTER_S)
