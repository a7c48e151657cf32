"""The numbers of a connection's metrics as plain values, for who reads them every few seconds (contract A7, A10).

The same events that move the series of `/metrics` move these. Knows neither labels nor text, and judges nothing.
"""

from bisect import bisect_left
from collections.abc import Sequence

from pulse_sim.stack.errors import ErrorType

ERROR_ORDER = tuple(ErrorType)


class Reading:
    """`errors` counts failed polls in the order of ERROR_ORDER, `buckets` polls by duration with one bucket more than
    bounds; both are replaced, never changed, so that who kept one has it as it was. `polls` rises with every poll.
    """

    __slots__ = ("_bounds", "buckets", "consecutive", "errors", "polls", "successes")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self.errors: tuple[int, ...] = (0,) * len(ERROR_ORDER)
        self.buckets: tuple[int, ...] = (0,) * (len(bounds) + 1)
        self.consecutive = 0
        self.polls = 0
        self.successes = 0

    def succeeded(self, duration_s: float) -> None:
        """A poll ended well."""
        self.successes += 1
        self._ended(duration_s)

    def failed(self, duration_s: float, error_type: ErrorType) -> None:
        """A poll failed."""
        self.errors = _one_more(self.errors, ERROR_ORDER.index(error_type))
        self._ended(duration_s)

    def _ended(self, duration_s: float) -> None:
        self.polls += 1
        self.buckets = _one_more(self.buckets, bisect_left(self._bounds, duration_s))


def _one_more(counts: tuple[int, ...], index: int) -> tuple[int, ...]:
    return (*counts[:index], counts[index] + 1, *counts[index + 1 :])
