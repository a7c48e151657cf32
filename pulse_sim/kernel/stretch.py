"""A trace that keeps the events of one stretch of a run, for a second look at it, and says when the stretch is over.

The digest is the same as that of any other trace. Knows nothing of what an event means or who wants to see it.
"""

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from pulse_sim.kernel.hosts import CURRENT
from pulse_sim.kernel.trace import Checkpoint, Trace

KEPT_BYTES: Final = 65_536


@dataclass(frozen=True, slots=True)
class SeenEvent:
    """One event as it was traced, counted from 1. ``task`` is 0 in a plain callback; ``host`` is whose code ran.

    ``payload`` is the first 65,536 bytes of ``size``; ``sha256`` is over all of it.
    """

    number: int
    at_ns: int
    task: int
    task_name: str | None
    host: str | None
    kind: str
    subject: str
    size: int
    sha256: str
    payload: bytes


class StretchTrace(Trace):
    """Keeps the events from number ``first`` to ``last`` in ``seen``, then stops and calls ``on_over`` once."""

    __slots__ = ("_first", "_last", "_on_over", "seen")

    def __init__(
        self,
        first: int,
        last: int,
        on_over: Callable[[], None],
        on_checkpoint: Callable[[Checkpoint], None] | None = None,
    ) -> None:
        super().__init__(on_checkpoint)
        self._first = first
        self._last = last
        self._on_over = on_over
        self.seen: list[SeenEvent] = []

    def event(self, kind: str, subject: str, payload: bytes) -> None:
        """Add one event; keep it when it belongs to the stretch."""
        if not self.running:
            return
        Trace.event(self, kind, subject, payload)
        if self.events >= self._first:
            self.seen.append(self._seen(kind, subject, payload))
            if self.events >= self._last and self.running:
                self.stop()
                self._on_over()

    def _seen(self, kind: str, subject: str, payload: bytes) -> SeenEvent:
        task, host = _current_task(), CURRENT.get()
        return SeenEvent(
            number=self.events,
            at_ns=self._at_ns,
            task=self._number(),
            task_name=None if task is None else task.get_name(),
            host=None if host is None else host.name,
            kind=kind,
            subject=subject,
            size=len(payload),
            sha256=hashlib.sha256(payload).hexdigest(),
            payload=bytes(payload[:KEPT_BYTES]),
        )


def _current_task() -> "asyncio.Task[Any] | None":
    try:
        return asyncio.current_task()
    except RuntimeError:  # before the loop runs
        return None
