"""Whether a log saw enough of a stretch of time to be judged on it. Knows nothing of what was sampled.

A stretch without samples counts as unseen when it is longer than three sampling intervals, not counting the time the
system was down.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

from pulse_sim.checks.judgement import NoEvidence
from pulse_sim.observation import Connection, RunLog
from pulse_sim.units import format_duration

INTERVALS: Final = 3


def connection_of(log: RunLog, connection: str) -> Connection:
    """The connection by its id. Raises NoEvidence when the log knows none, or its system never started."""
    found = log.connections.get(connection)
    if found is None:
        raise NoEvidence(f"the log has no connection {connection}")
    require_started(log, found.system)
    return found


def require_started(log: RunLog, system: str) -> None:
    """Raises NoEvidence when ``system`` never started."""
    if not log.up(system):
        raise NoEvidence(f"system {system} never started")


def require_seen(
    log: RunLog, system: str, times: Iterable[int], window: tuple[int, int], interval_ns: int, what: str
) -> None:
    """Raises NoEvidence when ``window`` ends after the run or has a stretch without a sample at one of ``times``."""
    from_ns, to_ns = window
    if to_ns > log.end_ns:
        raise NoEvidence(f"the run ended at {format_duration(log.end_ns)}, before {format_duration(to_ns)}")
    inside = [time_ns for time_ns in times if from_ns <= time_ns <= to_ns]
    if not inside:
        raise NoEvidence(f"no {what} between {format_duration(from_ns)} and {format_duration(to_ns)}")
    down = down_spans(log, system)
    for before, after in pairwise([from_ns, *inside, to_ns]):
        if after - before - _overlap(down, before, after) > INTERVALS * interval_ns:
            raise NoEvidence(f"no {what} between {format_duration(before)} and {format_duration(after)}")


def is_seen_at(log: RunLog, system: str, sampled_ns: int, time_ns: int, interval_ns: int) -> bool:
    """Whether a sample at ``sampled_ns`` is recent enough to tell of ``time_ns``, which must lie in the run."""
    if time_ns > log.end_ns:
        return False
    return time_ns - sampled_ns - _overlap(down_spans(log, system), sampled_ns, time_ns) <= INTERVALS * interval_ns


def down_spans(log: RunLog, system: str) -> Sequence[tuple[int, int]]:
    """When ``system`` was not up, as ``[from, to)`` in nanoseconds."""
    spans: list[tuple[int, int]] = []
    down_since: int | None = 0
    for life in log.up(system):
        if down_since is not None:
            spans.append((down_since, life.from_ns))
        down_since = life.to_ns
    if down_since is not None:
        spans.append((down_since, log.end_ns))
    return spans


def _overlap(spans: Sequence[tuple[int, int]], from_ns: int, to_ns: int) -> int:
    return sum(max(0, min(to_ns, end) - max(from_ns, start)) for start, end in spans)
