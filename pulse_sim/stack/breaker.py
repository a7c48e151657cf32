"""The circuit breaker of one connection (contract A6): a state machine over times it is told. No I/O, no clock."""

from collections.abc import Callable
from enum import IntEnum
from typing import Final

BASE_RETRY_S: Final = 5.0
LONGEST_RETRY_S: Final = 300.0
FAILURES_TO_OPEN: Final = 3
JITTER: Final = 0.1
_LARGEST_DOUBLING: Final = 6  # 5 s × 2⁶ is above the cap, so a larger exponent is never computed


class BreakerState(IntEnum):
    """Values of `pulse_scheduler_breaker_state`."""

    CLOSED = 0
    HALF_OPEN = 1
    OPEN = 2


class Breaker:
    """closed → open after three failures in a row → half-open for one attempt → closed or open again.

    `jitter` draws from [-1, 1]. Times are monotonic seconds.
    """

    def __init__(self, jitter: Callable[[], float]) -> None:
        self._jitter = jitter
        self._attempt_at = 0.0
        self.state = BreakerState.CLOSED
        self.failures = 0
        self.retry_s = BASE_RETRY_S

    def retry_interval(self, failures: int) -> float:
        """Seconds between attempts after that many failures in a row: 5 s doubling up to 300 s, from the third on."""
        doublings = min(max(failures - FAILURES_TO_OPEN, 0), _LARGEST_DOUBLING)
        return min(BASE_RETRY_S * (1 << doublings), LONGEST_RETRY_S)

    def next_attempt(self) -> float | None:
        """When the open breaker makes its own attempt; None while polls follow their schedule."""
        return None if self.state is BreakerState.CLOSED else self._attempt_at

    def begin(self) -> None:
        """A poll begins. On an open breaker it is the one attempt of the half-open state."""
        if self.state is BreakerState.OPEN:
            self.state = BreakerState.HALF_OPEN

    def succeed(self) -> None:
        """A poll succeeded: closed, and the retry interval is back at its base."""
        self.state = BreakerState.CLOSED
        self.failures = 0
        self.retry_s = BASE_RETRY_S

    def fail(self, now: float) -> None:
        """A poll failed at `now`."""
        self.failures += 1
        if self.state is BreakerState.CLOSED and self.failures < FAILURES_TO_OPEN:
            return
        self.state = BreakerState.OPEN
        self.retry_s = self.retry_interval(self.failures)
        self._attempt_at = now + min(self.retry_s * (1 + JITTER * self._jitter()), LONGEST_RETRY_S)
