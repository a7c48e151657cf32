"""The wall clock of this machine, for what lies outside every digest: how long things took and when."""

import time
from datetime import UTC, datetime


def now_text() -> str:
    """The moment in RFC 3339, UTC, whole seconds."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")  # noqa: TID251 - the composition root's own clock


def stopwatch_s() -> float:
    """Seconds of a clock that only runs forward; differences mean something, values do not."""
    return time.perf_counter()
