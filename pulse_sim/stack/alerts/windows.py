"""How the counters of one connection stood at earlier evaluations, as far back as any rule looks. Judges nothing.

A rise is x − (x offset w): what the counter is now less what it was then. A counter younger than the window began at 0,
as every series does at registration; so the first step of a series is not missed.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from typing import Final

from pulse_sim.stack.alerts.rules import EVALUATION_S, QUANTILE, RULES
from pulse_sim.stack.readings import ERROR_ORDER, Reading

LONGEST_TICKS: Final = max(rule.window_s for rule in RULES) // EVALUATION_S
_KEPT: Final = LONGEST_TICKS + 2  # one for each tick of the longest window, now, and the one before the window
_NO_ERRORS: Final = (0,) * len(ERROR_ORDER)

Standing = tuple[int, tuple[int, ...], tuple[int, ...]]
"""Number of the evaluation, errors by type, polls by duration."""


class Window:
    """A bounded ring of standings; one is kept for each evaluation at which a counter had changed."""

    __slots__ = ("_kept", "_polls", "_reading")

    def __init__(self) -> None:
        self._kept: deque[Standing] = deque(maxlen=_KEPT)
        self._reading: Reading | None = None
        self._polls = 0

    def __len__(self) -> int:
        return len(self._kept)

    def observe(self, reading: Reading, tick: int) -> None:
        """Takes the counters as they are at evaluation `tick`; a connection registered anew starts over."""
        if reading is not self._reading:
            self._kept.clear()
            self._reading, self._polls = reading, 0
        if reading.polls != self._polls:
            self._kept.append((tick, reading.errors, reading.buckets))
            self._polls = reading.polls

    def before(self, tick: int) -> tuple[tuple[int, ...], tuple[int, ...] | None]:
        """Errors and polls as they stood at `tick`; before the first poll no error, and None for the polls."""
        for standing in reversed(self._kept):
            if standing[0] <= tick:
                return standing[1], standing[2]
        return _NO_ERRORS, None


def quantile(bounds: Sequence[float], counts: Sequence[int], share: float = QUANTILE) -> float | None:
    """The quantile of polls counted by duration, interpolated as Prometheus's ``histogram_quantile`` does.

    `counts` has one entry more than `bounds`, for what is above them all; a quantile among those is the last bound.
    None without any poll.
    """
    total = sum(counts)
    if total == 0:
        return None
    rank, below = share * total, 0
    for index, bound in enumerate(bounds):
        if below + counts[index] >= rank:
            lower = bounds[index - 1] if index else 0.0
            return lower + (bound - lower) * ((rank - below) / counts[index])
        below += counts[index]
    return bounds[-1]


def slowest(
    bounds: Sequence[float], now: tuple[int, ...], then: tuple[int, ...] | None, limit_s: float
) -> float | None:
    """The p95 of the polls between two standings when it is above the limit, else None."""
    first = bisect_right(bounds, limit_s)
    if then is None:
        then = (0,) * len(now)
    if now[first:] == then[first:]:  # no poll that took as long: the usual case, told without arithmetic
        return None
    found = quantile(bounds, [a - b for a, b in zip(now, then, strict=True)])
    return found if found is not None and found > limit_s else None
