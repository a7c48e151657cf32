"""The load averages of a NAS: a seeded walk over its clock.

A value depends on the instant it is asked for, never on how often others were.
"""

import math
import random
from typing import Final

_TICK_NS: Final = 5_000_000_000
# The kernel's own weights for 1, 5 and 15 minutes at a tick of 5 seconds.
_WEIGHTS: Final = tuple(math.exp(-5 / seconds) for seconds in (60, 300, 900))
_LONGEST_WALK: Final = 7 * 24 * 720


class LoadAverage:
    """Load averages from boot on; ``typical`` is where they hover."""

    def __init__(self, stream: random.Random, typical: float, start_ns: int) -> None:
        self._stream = stream
        self._typical = typical
        self._tick_at_ns = start_ns
        self._averages = [typical, typical, typical]

    def at(self, now_ns: int) -> tuple[float, float, float]:
        """The three averages; a clock that goes back leaves them as they are."""
        ticks = (now_ns - self._tick_at_ns) // _TICK_NS
        if ticks > 0:
            self._tick_at_ns += ticks * _TICK_NS
            # A clock set years ahead must not be walked through tick by tick.
            for _ in range(min(ticks, _LONGEST_WALK)):
                running = self._typical * self._stream.uniform(0.2, 1.8)
                for place, weight in enumerate(_WEIGHTS):
                    self._averages[place] = self._averages[place] * weight + running * (1 - weight)
        one, five, fifteen = self._averages
        return one, five, fifteen
