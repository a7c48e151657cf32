"""The trace of a run: one rolling SHA-256 over everything that was observable, flat in memory.

It records what it is told and knows neither loop nor network. An event is (virtual ns, task number, kind, subject,
payload), each part with its length before it, so that no two streams of events share their bytes. Events are hashed
many at a time because a call of the hash costs more than a short event does; that never shows in a digest.
"""

import hashlib
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

CHECKPOINT_EVERY: Final = 1_000
EVENT_KINDS: Final = {
    "accept": "the serving end of a connection was taken over",
    "connect": "a connection was established",
    "data": "bytes arrived; payload: the bytes, under TLS the plaintext",
    "disk": "a disk changed; subject: its name, the operation and the path; payload: the content or the former name",
    "dns": "a name look-up was answered; subject: who asked and the name; payload: the answer",
    "fault": "a fault was laid; subject: its id; payload: what it is",
    "fin": "an end of stream arrived",
    "heal": "a fault was taken away; subject: its id",
    "refused": "a connection was refused; subject: from and to",
    "rst": "a reset arrived",
    "run": "the run itself: that development mode is on, first of all; its header, last of all; payload: its line",
    "tls": "TLS records arrived; payload: how many bytes, since the library draws its own randomness",
    "unreachable": "a connection failed, there is no way; subject: from and to",
    "unhandled": "nobody handled an exception; subject: whose, where and its type; payload: the message without names",
}
"""What the kernel itself tells a trace. A kind with a slash, ``source/kind``, is a record of the observation log.

Where nothing else is said, the subject is one direction of a connection, ``sender:port>receiver:port``, told where it
arrives, and the payload is empty.
"""

_HASHED_TOGETHER: Final = 40  # divides CHECKPOINT_EVERY
_LARGE: Final = 16_384
_FRAME: Final = struct.Struct("<QQIIQ").pack


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The digest after ``events`` events; ``at_ns`` is the instant of the last of them."""

    events: int
    at_ns: int
    digest: str


class Trace:
    """A rolling digest. Two runs with equal digests did the same things in the same order at the same instants."""

    __slots__ = ("_add", "_at_ns", "_now", "_number", "_on_checkpoint", "_rolling", "_waiting", "events", "running")

    def __init__(self, on_checkpoint: Callable[[Checkpoint], None] | None = None) -> None:
        """``on_checkpoint`` sees a checkpoint every 1,000 events, and those of :meth:`finish`; none is kept here."""
        self._rolling = hashlib.sha256(b"pulse-sim trace 2\n")
        self._on_checkpoint = on_checkpoint
        self._now: Callable[[], int] = int
        self._number: Callable[[], int] = int
        self._waiting: list[bytes] = []
        self._add = self._waiting.extend
        self._at_ns = 0
        self.events = 0
        self.running = True

    def bind(self, now_ns: Callable[[], int], task_number: Callable[[], int]) -> None:
        """Say where the instant and the task of an event come from."""
        self._now = now_ns
        self._number = task_number

    def event(self, kind: str, subject: str, payload: bytes) -> None:
        """Add one event. ``payload`` must not change afterwards."""
        if not self.running:
            return
        text = (kind + subject).encode("utf-8", "surrogatepass")  # one encoding for both: kinds are ASCII
        name, size = len(kind), len(payload)
        self._at_ns = at_ns = self._now()
        self._add((_FRAME(at_ns, self._number(), name, len(text) - name, size), text, payload))
        self.events = events = self.events + 1
        if not events % _HASHED_TOGETHER or size > _LARGE:
            self._hash_waiting()
            if not events % CHECKPOINT_EVERY:
                self._checkpoint()

    def digest(self) -> str:
        """64 hex digits over every event so far."""
        self._hash_waiting()
        return self._rolling.hexdigest()

    def stop(self) -> None:
        """Take no further events: what follows is tear-down, not the run."""
        self.running = False

    def finish(self, header: bytes) -> str:
        """End the chain with the header of the run, at the instant of the last event; the digest of the whole run.

        What was to happen comes last so that checkpoints of two runs compare by what did happen. Tells a checkpoint
        after the last event before the header, unless there is one, and one after the header.
        """
        self.running = False
        if self.events % CHECKPOINT_EVERY:
            self._checkpoint()
        at_ns = self._at_ns
        self.bind(lambda: at_ns, int)
        self.running = True
        Trace.event(self, "run", "header", header)  # nothing that happened: a closer look must not take it for such
        self.running = False
        if self.events % CHECKPOINT_EVERY:
            self._checkpoint()
        return self.digest()

    def _hash_waiting(self) -> None:
        self._rolling.update(b"".join(self._waiting))
        self._waiting.clear()

    def _checkpoint(self) -> None:
        if self._on_checkpoint is not None:
            self._on_checkpoint(Checkpoint(self.events, self._at_ns, self.digest()))
