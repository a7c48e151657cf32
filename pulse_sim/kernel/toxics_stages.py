"""How toxics that pace a stream act, each a stage of its own: segments in, segments out, each at its instant.

A stage knows neither network nor clock: it is told what time it is, says when it wants to be asked again, and draws
from the generator it was given. What it holds never changes order. It acts as Toxiproxy's source does
(https://github.com/Shopify/toxiproxy, ``toxics/*.go``), except that the delays of a chain always add up.
"""

import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from pulse_sim.kernel.endpoint import DATA
from pulse_sim.kernel.toxics import Latency, Slicer

MS: Final = 1_000_000
_US: Final = 1_000
_STEP_MS: Final = 100  # a slow bandwidth passes a tenth of a second's worth at a time
_NEVER: Final = 1 << 62

Segment = tuple[int, bytes]
"""(kind, payload)."""
Timed = tuple[int, int, bytes]
"""(instant, kind, payload)."""


@dataclass(frozen=True, slots=True)
class _Planned:
    due_ns: int
    entered_ns: int
    chunk: int
    kind: int
    data: bytes


class Stage:
    """First in, first out; a subclass says when each segment leaves. ``closed``: it has ended the stream."""

    __slots__ = ("_busy_ns", "_chunks", "_effect", "_queue", "_rng", "closed")

    buffers = False
    """Whether it takes in data ahead of what it passes on, so that a writer is not held back by it."""

    def __init__(self, effect: Any, rng: random.Random, now_ns: int) -> None:
        self.closed = False
        self._effect = effect
        self._rng = rng
        self._queue: deque[_Planned] = deque()
        self._busy_ns = now_ns
        self._chunks = 0

    def push(self, now_ns: int, kind: int, data: bytes, entered_ns: int | None = None, /) -> int:
        """Take a segment in; how many bytes of it were dropped. ``entered_ns``: when it first came, if not now."""
        if self.closed:
            return 0
        entered_ns = now_ns if entered_ns is None else entered_ns
        self._chunks += 1
        start_ns = max(now_ns, self._busy_ns)
        plan = self._pass(start_ns, entered_ns, data) if kind == DATA else [(self._end_ns(start_ns), kind, b"")]
        for due_ns, out, part in plan:
            self._busy_ns = max(self._busy_ns, due_ns)
            self._queue.append(_Planned(self._busy_ns, entered_ns, self._chunks, out, part))
        return 0

    def due_ns(self) -> int | None:
        """When it next has something to pass on, if nothing else happens."""
        return self._queue[0].due_ns if self._queue and self._queue[0].due_ns < _NEVER else None

    def pop(self, now_ns: int) -> list[Segment]:
        """What has left by now, in order."""
        left: list[Segment] = []
        while self._queue and self._queue[0].due_ns <= now_ns:
            planned = self._queue.popleft()
            left.append((planned.kind, planned.data))
        return left

    def update(self, now_ns: int, effect: Any, /) -> list[Segment]:
        """Act as ``effect`` from now on. The chunk at the head leaves at once, as in Toxiproxy; the rest waits anew."""
        queue, self._queue = self._queue, deque()
        flushed: list[Segment] = []
        if queue and queue[0].kind == DATA:
            head = queue[0].chunk
            while queue and queue[0].chunk == head:
                planned = queue.popleft()
                flushed.append((planned.kind, planned.data))
        self._effect = effect
        self._busy_ns = now_ns
        while queue:
            first = queue.popleft()
            data = first.data
            while queue and queue[0].chunk == first.chunk:
                data += queue.popleft().data
            self.push(now_ns, first.kind, data, first.entered_ns)
        return flushed

    def withdraw(self) -> list[Segment]:
        """The toxic is taken away: everything held leaves at once."""
        left = [(planned.kind, planned.data) for planned in self._queue]
        self._queue.clear()
        return left

    def _pass(self, start_ns: int, _entered_ns: int, data: bytes, /) -> Iterator[Timed]:
        """What becomes of data whose turn comes at ``start_ns``."""
        yield start_ns, DATA, data

    def _end_ns(self, start_ns: int) -> int:
        """When an end of the stream leaves whose turn comes at ``start_ns``."""
        return start_ns


class LatencyStage(Stage):
    """Data leaves ``latency`` ± ``jitter`` after it came, never before what came earlier."""

    __slots__ = ()
    buffers = True

    def _pass(self, start_ns: int, entered_ns: int, data: bytes, /) -> Iterator[Timed]:
        effect: Latency = self._effect
        delay_ms = effect.latency
        if effect.jitter:
            delay_ms += self._rng.randrange(-effect.jitter, effect.jitter)
        yield max(start_ns, entered_ns + delay_ms * MS), DATA, data


class BandwidthStage(Stage):
    """Each chunk takes its time; one of more than 100 ms' worth leaves in pieces."""

    __slots__ = ()

    def _pass(self, start_ns: int, _entered_ns: int, data: bytes, /) -> Iterator[Timed]:
        rate = self._effect.rate
        if not rate:
            yield _NEVER, DATA, data
            return
        end_ns = start_ns + len(data) * MS // rate
        size = rate * _STEP_MS
        while len(data) > size:
            start_ns += _STEP_MS * MS
            yield start_ns, DATA, data[:size]
            data = data[size:]
        yield end_ns, DATA, data


class SlowCloseStage(Stage):
    """The end of the stream waits."""

    __slots__ = ()

    def _end_ns(self, start_ns: int) -> int:
        end_ns: int = start_ns + self._effect.delay * MS
        return end_ns


class SlicerStage(Stage):
    """Each chunk is halved, give or take the variation, until its parts are small enough; the first leaves at once."""

    __slots__ = ()

    def _pass(self, start_ns: int, _entered_ns: int, data: bytes, /) -> Iterator[Timed]:
        delay_ns = self._effect.delay * _US
        for start, end in self._cuts(len(data)):
            yield start_ns, DATA, data[start:end]
            start_ns += delay_ns
        self._busy_ns = start_ns  # it pauses after the last piece too

    def _cuts(self, size: int) -> Iterator[tuple[int, int]]:
        effect: Slicer = self._effect
        variation = effect.size_variation
        rest = [(0, size)]
        while rest:
            start, end = rest.pop()
            if end - start <= effect.average_size + variation:
                yield start, end
                continue
            middle = (start + end) // 2 + (self._rng.randrange(-variation, variation) if variation else 0)
            rest += [(middle, end), (start, middle)]
