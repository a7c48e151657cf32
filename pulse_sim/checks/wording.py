"""Stable words for times and amounts, equal on every machine. Knows nothing of checks."""

from fractions import Fraction
from math import ceil

from pulse_sim.units import MILLISECOND, format_duration


def amount(value: float, noun: str) -> str:
    """``1 error``, ``3 errors``; a value that is no whole number gets three decimals."""
    return f"{number(value)} {noun}" if value == 1 else f"{number(value)} {noun}s"


def number(value: float) -> str:
    """A whole number as one, anything else with three decimals."""
    return str(int(value)) if value == int(value) else f"{value:.3f}"


def percent(share: Fraction) -> str:
    """Two decimals, cut and not rounded, so that 99.999 % never reads 100 %."""
    hundredths = int(share * 10_000)
    return f"{hundredths // 100}.{hundredths % 100:02d} %"


def within(window: tuple[int, int] | None) -> str:
    """`` between 5m and 10m``, or nothing for the whole run."""
    return "" if window is None else f" between {format_duration(window[0])} and {format_duration(window[1])}"


def at_most_ms(nanoseconds: float) -> str:
    """A duration rounded up to whole milliseconds, so that nothing looks better than it is."""
    return format_duration(ceil(nanoseconds / MILLISECOND) * MILLISECOND)


def at_ms(nanoseconds: int) -> str:
    """A point in the run, cut to whole milliseconds."""
    return format_duration(nanoseconds // MILLISECOND * MILLISECOND)
