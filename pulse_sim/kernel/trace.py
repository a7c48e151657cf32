"""The trace of a run: one rolling SHA-256 over everything that was observable, flat in memory.

It records what it is told and knows neither loop nor network. An event is (virtual ns, task number, kind, subject,
SHA-256 of the payload); the payload itself is never kept.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

CHECKPOINT_EVERY: Final = 1_000
_MOST_CHECKPOINTS: Final = 4_096

_sha256 = hashlib.sha256


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The digest after ``events`` events; ``at_ns`` is the instant of the last of them."""

    events: int
    at_ns: int
    digest: str


class Trace:
    """A rolling digest. Two runs with equal digests did the same things in the same order at the same instants."""

    __slots__ = ("_now", "_number", "_on_checkpoint", "_rolling", "_spacing", "checkpoints", "events", "running")

    def __init__(self, on_checkpoint: Callable[[Checkpoint], None] | None = None) -> None:
        """``on_checkpoint`` sees every checkpoint; ``checkpoints`` keeps at most 4,096, thinned by halves."""
        self._rolling = _sha256(b"pulse-sim trace 1\n")
        self._on_checkpoint = on_checkpoint
        self._now: Callable[[], int] = int
        self._number: Callable[[], int] = int
        self._spacing = CHECKPOINT_EVERY
        self.checkpoints: list[Checkpoint] = []
        self.events = 0
        self.running = True

    def bind(self, now_ns: Callable[[], int], task_number: Callable[[], int]) -> None:
        """Say where the instant and the task of an event come from."""
        self._now = now_ns
        self._number = task_number

    def event(self, kind: str, subject: str, payload: bytes) -> None:
        """Add one event."""
        if not self.running:
            return
        at_ns = self._now()
        head = f"{at_ns} {self._number()} {len(kind)}:{kind} {len(subject)}:{subject} "
        self._rolling.update(head.encode("utf-8", "surrogatepass") + _sha256(payload).digest())
        self.events = events = self.events + 1
        if not events % CHECKPOINT_EVERY:
            self._checkpoint(at_ns)

    def digest(self) -> str:
        """64 hex digits over every event so far."""
        return self._rolling.hexdigest()

    def stop(self) -> None:
        """Take no further events: what follows is tear-down, not the run."""
        self.running = False

    def _checkpoint(self, at_ns: int) -> None:
        point = Checkpoint(self.events, at_ns, self.digest())
        if self._on_checkpoint is not None:
            self._on_checkpoint(point)
        if self.events % self._spacing:
            return
        self.checkpoints.append(point)
        if len(self.checkpoints) > _MOST_CHECKPOINTS:
            self._spacing *= 2
            self.checkpoints = [kept for kept in self.checkpoints if not kept.events % self._spacing]
