"""Which rules' conditions hold for one connection now (contract A10). Pure but for the window it is given.

Raising, resolving and telling anybody is the book's business.
"""

from collections.abc import Mapping
from typing import Final

from pulse_sim.stack.alerts.config import Limit
from pulse_sim.stack.alerts.rules import EVALUATION_S, RULES, Measure, Rule
from pulse_sim.stack.alerts.windows import Window, slowest
from pulse_sim.stack.metrics import POLL_BUCKETS
from pulse_sim.stack.readings import ERROR_ORDER, Reading

Exceeded = tuple[float, float]
"""The measure and the threshold it is above."""

_OF: Final = {measure: tuple(rule for rule in RULES if rule.measure is measure) for measure in Measure}
_RISES: Final = tuple(
    (rule, rule.window_s // EVALUATION_S, ERROR_ORDER.index(rule.error_type))
    for rule in _OF[Measure.ERROR_RISE]
    if rule.error_type is not None
)
_SLOW: Final = tuple((rule, rule.window_s // EVALUATION_S) for rule in _OF[Measure.DURATION_P95])


def firing(
    window: Window,
    reading: Reading,
    limits: Mapping[str, Limit],
    *,
    staleness_s: float,
    interval_s: float,
    tick: int,
) -> dict[str, Exceeded]:
    """The rules that hold at evaluation `tick`, by id; the window has observed the reading already."""
    found: dict[str, Exceeded] = {}
    if reading.consecutive:
        for rule in _OF[Measure.CONSECUTIVE_FAILURES]:
            _weigh(rule, reading.consecutive, interval_s, limits, found)
    for rule in _OF[Measure.STALENESS]:
        _weigh(rule, staleness_s, interval_s, limits, found)
    if not len(window):
        return found
    for rule, ticks, index in _RISES:
        if reading.errors[index]:
            _weigh(rule, reading.errors[index] - window.before(tick - ticks)[0][index], interval_s, limits, found)
    for rule, ticks in _SLOW:
        limit = limits[rule.id]
        p95 = slowest(POLL_BUCKETS, reading.buckets, window.before(tick - ticks)[1], limit.above(interval_s))
        if p95 is not None:
            _weigh(rule, p95, interval_s, limits, found)
    return found


def _weigh(
    rule: Rule, measured: float, interval_s: float, limits: Mapping[str, Limit], found: dict[str, Exceeded]
) -> None:
    limit = limits[rule.id]
    above = limit.above(interval_s)
    if measured > above and limit.enabled:
        found[rule.id] = (measured, above)
