"""Virtual time as integer nanoseconds, and the wall clocks that hosts read off it.

It knows nothing of the event loop and never reads a clock of the machine it runs on.
"""

from typing import Final

SECOND_NS: Final = 1_000_000_000
LOOP_BASE_S: Final = 1_000_000
"""The loop's clock starts here plus a seeded fraction: aiohttp rounds up to whole seconds and must line nothing up."""


class VirtualClock:
    """Nanoseconds since the start of a run, and the same instant as the loop's float seconds."""

    __slots__ = ("base_s", "now_ns", "start_ns", "time_s")

    def __init__(self, start_ns: int, fraction: float) -> None:
        """``start_ns``: Unix time of the start. ``fraction`` in [0, 1) shifts the loop's clock off whole seconds."""
        self.start_ns = start_ns
        self.base_s = LOOP_BASE_S + fraction
        self.now_ns = 0
        self.time_s = self.base_s

    def seconds_at(self, at_ns: int) -> float:
        """The loop time of a virtual instant."""
        return self.base_s + at_ns / SECOND_NS

    def instant_of(self, when_s: float) -> int:
        """The nearest virtual instant of a loop time; doubles of this size resolve better than one nanosecond."""
        return round((when_s - self.base_s) * SECOND_NS)

    def move_to(self, at_ns: int) -> None:
        """Set the clock; the caller never moves it back."""
        self.now_ns = at_ns
        self.time_s = self.base_s + at_ns / SECOND_NS


class HostClock:
    """The wall clock of one host: the run's wall time plus that host's skew."""

    __slots__ = ("_clock", "skew_ns")

    def __init__(self, clock: VirtualClock, skew_ns: int = 0) -> None:
        self._clock = clock
        self.skew_ns = skew_ns

    def now_ns(self) -> int:
        """Unix nanoseconds as this host believes them."""
        return self._clock.start_ns + self._clock.now_ns + self.skew_ns

    def step(self, by_ns: int) -> None:
        """Jump, as an operator or NTP would set it; monotonic time is not touched."""
        self.skew_ns += by_ns
