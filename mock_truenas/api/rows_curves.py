"""Values that move smoothly and irregularly with the clock, each a pure function of its seed and the instant.

Knows no graph and no appliance: who asks how often, and in what order, changes nothing.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_MASK: Final = (1 << 64) - 1
_DAY_S: Final = 86_400


@dataclass(frozen=True)
class Curve:
    """A value that hovers around ``typical``.

    ``daily`` is how much of it comes and goes with the day (its height at 15:00 UTC), ``wander`` how much of it walks
    about within ``period_s``, ``jitter`` how much of it differs from one second to the next. ``lowest`` and
    ``highest`` bound it.
    """

    seed: int
    typical: float
    daily: float = 0.1
    wander: float = 0.3
    jitter: float = 0.1
    period_s: int = 180
    lowest: float = 0.0
    highest: float = math.inf

    def at(self, at_s: int) -> float:
        """The value at a second of Unix time."""
        hours = (at_s - 3 * 3600) % _DAY_S / _DAY_S
        # No cosine: the last digit of one is the C library's choice, and evidence is compared by the byte.
        day = 2 * _smooth(2 * min(hours, 1 - hours)) - 1
        knot, within = divmod(at_s, self.period_s)
        share = _smooth(within / self.period_s)
        walk = _noise(self.seed, knot) * (1 - share) + _noise(self.seed, knot + 1) * share
        value = self.typical * (
            1 + self.daily * day + self.wander * walk + self.jitter * _noise(self.seed ^ 0x5BD1E995, at_s)
        )
        return min(max(value, self.lowest), self.highest)

    def over(self, instants: Sequence[int]) -> list[float]:
        """The values at several seconds."""
        return [self.at(at_s) for at_s in instants]


def seed_of(base: int, *names: object) -> int:
    """A seed for a named series, from one for the whole appliance; the same in every process."""
    seed = base & _MASK
    for byte in "\x00".join(map(str, names)).encode():
        seed = ((seed ^ byte) * 0x100000001B3) & _MASK
    return _mixed(seed)


def _smooth(share: float) -> float:
    """From 0 to 1 as ``share`` goes there, without a kink at either end."""
    return share * share * (3 - 2 * share)


def _noise(seed: int, place: int) -> float:
    """A number in [-1, 1) for a whole number, by mixing bits: no state, so no order of asking."""
    return _mixed((seed + place * 0x9E3779B97F4A7C15) & _MASK) / (1 << 63) - 1.0


def _mixed(value: int) -> int:
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)
