"""``checkpoints.jsonl``: what the trace digest of a run was after every 1,000 events, so two runs can be compared.

One canonical JSON line ``{"at_ns","digest","events"}`` each: one for every 1,000 events, one for the last event that
happened, and last the end of the run, one event more: its header. Knows no trace and no run.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from pulse_sim.canonical import canonical_json
from pulse_sim.evidence.hostile import BundleDamaged, read_document
from pulse_sim.evidence.names import CHECKPOINTS
from pulse_sim.observation.strict_json import strict_json

CHECKPOINTS_VERSION: Final = 1
EVERY: Final = 1_000
MAX_BYTES: Final = 64 * 1024 * 1024
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Mark:
    """The digest (64 hex) after ``events`` events; ``at_ns`` is the virtual instant of the last of them."""

    events: int
    at_ns: int
    digest: str

    def encode(self) -> bytes:
        """Its line with the newline."""
        return canonical_json({"at_ns": self.at_ns, "digest": self.digest, "events": self.events}) + b"\n"


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """What a run left: ``happened`` compares two runs by what happened; ``end`` also depends on the run's inputs."""

    happened: tuple[Mark, ...]
    end: Mark


class CheckpointWriter:
    """Appends the lines as they come. Opened before a run: inside one no file may be opened."""

    def __init__(self, directory: Path) -> None:
        self._file = (directory / CHECKPOINTS).open("xb")

    def write(self, mark: Mark) -> None:
        """Append one line."""
        self._file.write(mark.encode())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def read_checkpoints(root: Path) -> Checkpoints:
    """The checkpoints of the run in ``root``. Raises BundleDamaged, naming the line, unless they are exactly of the
    shape this tool writes.
    """
    content = read_document(root, CHECKPOINTS, limit=MAX_BYTES)
    lines = content.split(b"\n")
    if lines.pop():
        raise BundleDamaged(CHECKPOINTS, f"line {len(lines) + 1}: cut off")
    marks = [_mark(number, line) for number, line in enumerate(lines, 1)]
    if len(marks) < 2:
        raise BundleDamaged(CHECKPOINTS, f"line {len(marks) + 1}: the end of the run is missing")
    for number, what in _contradictions(marks):
        raise BundleDamaged(CHECKPOINTS, f"line {number}: {what}")
    return Checkpoints(tuple(marks[:-1]), marks[-1])


def require_agreement(checkpoints: Checkpoints, trace_digest: object, end_ns: int | None) -> None:
    """Raises BundleDamaged when the last line is of another run than that of the trace digest and of the log's end."""
    end, line = checkpoints.end, len(checkpoints.happened) + 1
    if end.digest != trace_digest:
        raise BundleDamaged(CHECKPOINTS, f"line {line}: ends with another digest than the trace digest of the manifest")
    if end_ns is not None and end.at_ns != end_ns:
        raise BundleDamaged(CHECKPOINTS, f"line {line}: ends at {end.at_ns} ns, the log at {end_ns} ns")


def _mark(number: int, line: bytes) -> Mark:
    try:
        raw = strict_json(line)
    except ValueError as error:
        raise BundleDamaged(CHECKPOINTS, f"line {number}: {error}") from None
    if not isinstance(raw, dict) or raw.keys() != {"at_ns", "digest", "events"}:
        raise BundleDamaged(CHECKPOINTS, f"line {number}: a checkpoint has the keys at_ns, digest and events")
    at_ns, digest, events = raw["at_ns"], raw["digest"], raw["events"]
    if type(at_ns) is not int or type(events) is not int or not isinstance(digest, str) or at_ns < 0:
        raise BundleDamaged(CHECKPOINTS, f"line {number}: at_ns and events are integers and digest is a string")
    mark = Mark(events, at_ns, digest)
    if not _DIGEST.fullmatch(digest) or mark.encode() != line + b"\n":
        raise BundleDamaged(CHECKPOINTS, f"line {number}: is not written as this tool writes it")
    return mark


def _contradictions(marks: list[Mark]) -> Iterator[tuple[int, str]]:
    """Line numbers and what is wrong there with a file whose lines are well-formed each."""
    for number, mark in enumerate(marks[:-2], 1):
        if mark.events != number * EVERY:
            yield number, f"is after {mark.events} events, not {number * EVERY}"
    last, end = marks[-2], marks[-1]
    whole = (len(marks) - 2) * EVERY
    if not whole < last.events <= whole + EVERY:
        yield len(marks) - 1, f"is after {last.events} events, not after {whole + 1} to {whole + EVERY}"
    if end.events != last.events + 1:
        yield len(marks), f"ends after {end.events} events, {last.events} happened and the header is one"
    for number, (one, other) in enumerate(pairwise(marks), 2):
        if other.at_ns < one.at_ns:
            yield number, f"time goes back from {one.at_ns} to {other.at_ns}"
