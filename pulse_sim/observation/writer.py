"""Writes the observation log as the run goes: two files, one sequence, constant memory.

A log that was not closed has no ``world/end`` and is refused by the reader, which is the point: half a run is not a
short run. Knows nothing of who reports what, or when.
"""

import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeAlias

from pulse_sim.observation.record import Header, Record, Source
from pulse_sim.observation.shapes import require_shape
from pulse_sim.observation.strict_json import MAX_LINE_BYTES

OBSERVATIONS: Final = "observations.jsonl"
JOURNAL: Final = "journal.jsonl"

RecordHook: TypeAlias = Callable[[Record, bytes], None]
"""Called with every record and its encoded line, in sequence order; the run feeds its trace digest with it."""


class LogWriter:
    """Appends records to ``observations.jsonl`` and, of appliances' requests, to ``journal.jsonl``.

    Both files are created in ``directory`` (FileExistsError when one is there) and begin with ``header``.
    """

    def __init__(self, directory: Path, header: Header, *, on_record: RecordHook | None = None) -> None:
        self._on_record = on_record
        self._records = 0
        self._requests = 0
        self._now_ns = 0
        with ExitStack() as opened:
            self._observations = opened.enter_context((directory / OBSERVATIONS).open("xb"))
            self._journal = opened.enter_context((directory / JOURNAL).open("xb"))
            for file in (self._observations, self._journal):
                file.write(header.encode())
            self._files = opened.pop_all()

    def write(self, time_ns: int, source: Source, kind: str, subject: str, data: Mapping[str, Any]) -> Record:
        """Write one record, with the next sequence number, at ``time_ns`` virtual nanoseconds since the start.

        Raises ValueError, and writes nothing, for what the reader would refuse: time going back, an unknown kind, a
        field missing, NaN, an oversize line, anything after :meth:`close`; TypeError for data that is not JSON.
        """
        if self._observations.closed:
            raise ValueError("the log is closed")
        if not self._now_ns <= time_ns < 2**63:
            raise ValueError(f"time goes back from {self._now_ns} to {time_ns}")
        require_shape(source.value, kind, data)
        record = Record(self._records, time_ns, source, kind, subject, dict(data))
        line = record.encode()
        if len(line) > MAX_LINE_BYTES:
            raise ValueError(f"a record of {len(line)} bytes is over the limit of {MAX_LINE_BYTES}")
        is_request = (source, kind) == (Source.APPLIANCE, "request")
        (self._journal if is_request else self._observations).write(line)
        self._records += 1
        self._requests += is_request
        self._now_ns = time_ns
        if self._on_record is not None:
            self._on_record(record, line)
        return record

    def close(self, time_ns: int, reason: str = "completed", **more: Any) -> None:
        """Seal the log: write ``world/end`` with the counts, ``reason`` and ``more``, then sync both files.

        ``reason`` is completed, aborted, deadline or crashed.
        """
        counts = {"records": self._records + 1, "requests": self._requests}
        self.write(time_ns, Source.WORLD, "end", "run", {**more, "reason": reason, **counts})
        for file in (self._journal, self._observations):
            file.flush()
            os.fsync(file.fileno())
        self._files.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Release the files. A log that was not closed stays without its end."""
        self._files.close()
