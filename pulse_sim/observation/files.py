"""The bytes of a log's two files, checked line by line and put into one sequence.

Refuses what is not exactly one whole run. Knows nothing of what the records mean.
"""

from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Final, TypeVar

from pulse_sim.observation.record import Header, Record, Source
from pulse_sim.observation.shapes import require_shape
from pulse_sim.observation.strict_json import MAX_LINE_BYTES
from pulse_sim.observation.writer import JOURNAL, OBSERVATIONS

MAX_FILE_BYTES: Final = 1024 * 1024 * 1024

T = TypeVar("T")


class LogDamaged(ValueError):
    """The log is not what a run left behind. The message names the file and the line."""


def read_file(path: Path) -> bytes:
    """The bytes of one file. Raises LogDamaged when there is none or it is oversize."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise LogDamaged(f"{path.name}: more than {MAX_FILE_BYTES} bytes")
        return path.read_bytes()
    except OSError as error:
        raise LogDamaged(f"{path.name}: {error.strerror or type(error).__name__}") from None


def decode_file(name: str, content: bytes) -> tuple[Header, list[Record]]:
    """The header and the records of one file, each line checked on its own."""
    if not content:
        raise LogDamaged(f"{name}: empty")
    lines = BytesIO(content)
    header = _line(name, 1, lines.readline(MAX_LINE_BYTES + 2), Header.decode)
    records: list[Record] = []
    number = 2
    while line := lines.readline(MAX_LINE_BYTES + 2):
        records.append(_line(name, number, line, _record))
        is_request = records[-1].source is Source.APPLIANCE and records[-1].kind == "request"
        if is_request != (name == JOURNAL):
            raise LogDamaged(f"{name} line {number}: {records[-1].source}/{records[-1].kind} is in the wrong file")
        number += 1
    return header, records


def _record(line: bytes) -> Record:
    record = Record.decode(line)
    require_shape(record.source.value, record.kind, record.data)
    return record


def _line(name: str, number: int, line: bytes, decode: Callable[[bytes], T]) -> T:
    if not line.endswith(b"\n"):
        what = "too long" if len(line) > MAX_LINE_BYTES else "cut off"
        raise LogDamaged(f"{name} line {number}: {what}")
    try:
        return decode(line[:-1])
    except ValueError as error:
        raise LogDamaged(f"{name} line {number}: {error}") from None


def merge(observations: Sequence[Record], requests: Sequence[Record]) -> list[Record]:
    """All records in sequence; every number from 0 exactly once and time never back."""
    records: list[Record] = []
    own = journal = now_ns = 0
    while own < len(observations) or journal < len(requests):
        wanted = len(records)
        if own < len(observations) and observations[own].seq == wanted:
            record, place = observations[own], f"{OBSERVATIONS} line {own + 2}"
            own += 1
        elif journal < len(requests) and requests[journal].seq == wanted:
            record, place = requests[journal], f"{JOURNAL} line {journal + 2}"
            journal += 1
        else:
            raise LogDamaged(f"{_place(observations, own, requests, journal)}: record {wanted} is not where it belongs")
        if record.time_ns < now_ns:
            raise LogDamaged(f"{place}: time goes back from {now_ns} to {record.time_ns}")
        now_ns = record.time_ns
        records.append(record)
    return records


def _place(observations: Sequence[Record], own: int, requests: Sequence[Record], journal: int) -> str:
    """The line nearest to a break of the sequence: the one with the lower number of the two that are next."""
    ahead = [(observations[own].seq, f"{OBSERVATIONS} line {own + 2}")] if own < len(observations) else []
    if journal < len(requests):
        ahead.append((requests[journal].seq, f"{JOURNAL} line {journal + 2}"))
    return min(ahead)[1]


def require_end(records: Sequence[Record], requests: int) -> None:
    """Raises LogDamaged unless the last record, and no other, is ``world/end`` and its counts are right, and the run
    began once.
    """
    ends = [record for record in records if (record.source, record.kind) == (Source.WORLD, "end")]
    if not ends or ends[-1] is not records[-1]:
        raise LogDamaged(f"{OBSERVATIONS}: the log has no world/end as its last record")
    if len(ends) > 1:
        raise LogDamaged(f"{OBSERVATIONS}: record {ends[0].seq} is a world/end, and the log goes on")
    starts = [record for record in records if (record.source, record.kind) == (Source.WORLD, "start")]
    if len(starts) > 1:
        raise LogDamaged(f"{OBSERVATIONS}: record {starts[1].seq} is a second world/start")
    told = (ends[0].data["records"], ends[0].data["requests"])
    if told != (len(records), requests):
        raise LogDamaged(
            f"{OBSERVATIONS}: world/end tells of {told[0]} records and {told[1]} requests, "
            f"the files have {len(records)} and {requests}"
        )
