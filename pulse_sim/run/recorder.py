"""The one pen of a run: everything seen becomes an observation on disk and an event of the trace digest."""

from collections.abc import Callable
from typing import Any, Protocol

from pulse_sim.observation import Record, Source


class Pen(Protocol):
    """What the recorder writes with (an observation LogWriter)."""

    def write(self, time_ns: int, source: Source, kind: str, subject: str, data: dict[str, Any]) -> Record:
        """Append one record and return it."""
        ...


class Recorder:
    """Stamps observations with virtual time since the scenario's start. ``now_ns`` never goes back within a run."""

    def __init__(self, pen: Pen, now_ns: Callable[[], int]) -> None:
        self._pen = pen
        self._now_ns = now_ns

    def observe(self, source: Source, kind: str, subject: str, data: dict[str, Any]) -> int:
        """Record one observation; its sequence number."""
        return self._pen.write(self._now_ns(), source, kind, subject, data).seq
