"""The one pen of a run: everything seen becomes an observation on disk and an event of the trace digest.

A watch may read along; what it finds is told once, right after the record it found it by.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from pulse_sim.observation import Record, Source


class Pen(Protocol):
    """What the recorder writes with (an observation LogWriter)."""

    def write(self, time_ns: int, source: Source, kind: str, subject: str, data: dict[str, Any]) -> Record:
        """Append one record and return it."""
        ...


class Alarm(Protocol):
    """An abort criterion that fired: which, why, and the sequence numbers of the records that show it."""

    @property
    def criterion(self) -> str:
        """Its name in a scenario."""
        ...

    @property
    def what(self) -> str:
        """In words."""
        ...

    @property
    def evidence(self) -> Sequence[int]:
        """Sequence numbers."""
        ...


class Watch(Protocol):
    """What reads along. Policy; it is handed in."""

    def see(self, record: Record) -> Sequence[Alarm]:
        """The alarms that ``record``, the next of the run, gives; the first of them counts."""
        ...


class Recorder:
    """Stamps observations with virtual time since the scenario's start. ``now_ns`` never goes back within a run.

    After its first alarm the watch reads no further.
    """

    def __init__(self, pen: Pen, now_ns: Callable[[], int], watch: Watch | None = None) -> None:
        self._pen = pen
        self._now_ns = now_ns
        self._watch = watch
        self._tell: Callable[[Alarm], None] | None = None

    def listen(self, tell: Callable[[Alarm], None]) -> None:
        """Call ``tell`` with the first alarm, right after the record that gave it was written."""
        self._tell = tell

    def observe(self, source: Source, kind: str, subject: str, data: dict[str, Any]) -> int:
        """Record one observation; its sequence number."""
        record = self._pen.write(self._now_ns(), source, kind, subject, data)
        if self._watch is not None and (alarms := self._watch.see(record)):
            self._watch = None
            if self._tell is not None:
                self._tell(alarms[0])
        return record.seq
