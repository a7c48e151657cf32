"""How much a counter rose, scrape by scrape, across restarts and while the series comes and goes.

Rises are differences of samples (pulse-contract A10), never extrapolated. A counter begins at 0 when its series
appears and again when its system starts anew, even where the new value happens to be higher than the old. Knows no
metric's meaning.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from pulse_sim.checks.coverage import is_seen_at
from pulse_sim.checks.judgement import NoEvidence
from pulse_sim.observation import RunLog, Scrape, Source
from pulse_sim.units import format_duration


@dataclass(frozen=True, slots=True)
class Step:
    """What a counter gained between one successful scrape and the next; ``gain`` is None while the series is absent."""

    time_ns: int
    seq: int
    gain: float | None


@dataclass(frozen=True, slots=True)
class Rise:
    """What a counter gained over a window. ``is_whole``: the scrapes reach the end of the window."""

    amount: float
    evidence: tuple[int, ...]
    is_whole: bool


def steps(log: RunLog, system: str, name: str, **labels: str) -> Sequence[Step]:
    """One step per successful scrape of ``system``. Raises NoEvidence for a value that is no finite number."""
    samples = {sample.seq: sample.value for sample in log.series(system, name, **labels)}
    starts = [record.seq for record in log.of(Source.SUT, "started", system)]
    found: list[Step] = []
    before: float | None = None
    life = 0
    for scrape in log.metrics(system).scrapes:
        value = samples.get(scrape.seq)
        if value is not None and not isfinite(value):
            raise NoEvidence(f"{name} was {value} at {format_duration(scrape.time_ns)}", [scrape.seq])
        lives = bisect_left(starts, scrape.seq)
        is_new = before is None or lives != life or (value is not None and value < before)
        found.append(Step(scrape.time_ns, scrape.seq, _gain(value, 0.0 if is_new else before)))
        before, life = value, lives
    return found


def _gain(value: float | None, before: float | None) -> float | None:
    return None if value is None or before is None else value - before


def rise(log: RunLog, system: str, window: tuple[int, int] | None, name: str, **labels: str) -> Rise:
    """The rise between the last scrape at or before the window and the first at or after it, else the last there is.

    Without a window, over the whole run. Raises NoEvidence without scrapes, without the series, or without a scrape
    before a window that begins after the system did.
    """
    scrapes = log.metrics(system).scrapes
    from_ns, to_ns = window or (0, log.end_ns)
    begin, end = edges(log, system, scrapes, from_ns, to_ns)
    inside = steps(log, system, name, **labels)[begin : end + 1]
    gains = [(step.seq, step.gain) for step in inside if step.gain is not None]
    if not gains:
        raise NoEvidence(f"no samples of {_series(name, labels)}", [scrape.seq for scrape in scrapes[begin : end + 1]])
    evidence = [seq for seq, gain in gains if gain] or [gains[0][0], gains[-1][0]]
    is_whole = is_seen_at(log, system, scrapes[end].time_ns, to_ns, log.metrics_interval_ns)
    return Rise(sum(gain for _, gain in gains), tuple(evidence), is_whole)


def edges(log: RunLog, system: str, scrapes: Sequence[Scrape], from_ns: int, to_ns: int) -> tuple[int, int]:
    """Of the scrapes, the first whose gain belongs to ``[from_ns, to_ns]`` and the last one."""
    times = [scrape.time_ns for scrape in scrapes]
    begin = bisect_right(times, from_ns)
    if begin == 0 and log.up(system)[0].from_ns < from_ns:
        raise NoEvidence(f"no scrape of {system} at or before {format_duration(from_ns)}")
    if begin == len(times):
        raise NoEvidence(f"no scrape of {system} after {format_duration(from_ns)}")
    return begin, min(bisect_left(times, to_ns), len(times) - 1)


def _series(name: str, labels: dict[str, str]) -> str:
    return name + "{" + ",".join(f'{label}="{value}"' for label, value in sorted(labels.items())) + "}"
