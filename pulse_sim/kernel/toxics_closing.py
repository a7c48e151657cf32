"""How toxics that end a connection act, as stages beside those that pace a stream.

They act as Toxiproxy's source does (https://github.com/Shopify/toxiproxy, ``toxics/*.go``), with two exceptions: an
open connection is reset by reset_peer too (Toxiproxy sets SO_LINGER as one is made, and closes those older), and
one that a timeout spared is not closed as that is removed.
"""

import random
from collections.abc import Iterator
from typing import Any, Final

from pulse_sim.kernel.endpoint import DATA
from pulse_sim.kernel.toxics import Bandwidth, Effect, Latency, LimitData, ResetPeer, Slicer, SlowClose, Timeout
from pulse_sim.kernel.toxics_stages import (
    MS,
    BandwidthStage,
    LatencyStage,
    Segment,
    SlicerStage,
    SlowCloseStage,
    Stage,
    Timed,
)

CLOSE: Final = 4
"""The toxic closes the connection, both ends of it."""
ABORT: Final = 5
"""The toxic resets the connection, both ends of it."""


class LimitDataStage(Stage):
    """Counts what it passed since it was laid, whatever its limit was meanwhile."""

    __slots__ = ("_passed",)

    def __init__(self, effect: LimitData, rng: random.Random, now_ns: int) -> None:
        super().__init__(effect, rng, now_ns)
        self._passed = 0

    def _pass(self, start_ns: int, _entered_ns: int, data: bytes, /) -> Iterator[Timed]:
        part = data[: max(0, self._effect.bytes - self._passed)]
        self._passed += len(part)
        if part:
            yield start_ns, DATA, part
        if self._passed >= self._effect.bytes:
            self.closed = True
            yield start_ns, CLOSE, b""


class TimeoutStage(Stage):
    """Drops data, and closes when none has come for the time; an end of the stream passes."""

    __slots__ = ("_since_ns",)

    def __init__(self, effect: Timeout, rng: random.Random, now_ns: int) -> None:
        super().__init__(effect, rng, now_ns)
        self._since_ns = now_ns

    def push(self, now_ns: int, kind: int, data: bytes, entered_ns: int | None = None, /) -> int:
        if kind == DATA:
            self._since_ns = now_ns
            return 0 if self.closed else len(data)
        super().push(now_ns, kind, data, entered_ns)
        self.closed = True
        return 0

    def due_ns(self) -> int | None:
        if self.closed or not self._effect.timeout:
            return super().due_ns()
        due_ns: int = self._since_ns + self._effect.timeout * MS
        return due_ns

    def pop(self, now_ns: int) -> list[Segment]:
        due_ns = self.due_ns()
        if not self.closed and due_ns is not None and due_ns <= now_ns:
            self.closed = True
            return [(CLOSE, b"")]
        return super().pop(now_ns)

    def update(self, now_ns: int, effect: Any, /) -> list[Segment]:
        self._since_ns = now_ns
        return super().update(now_ns, effect)

    def withdraw(self) -> list[Segment]:
        """What was dropped cannot come back, so the connection closes."""
        return super().withdraw() if self.closed else [(CLOSE, b"")]


class ResetPeerStage(Stage):
    """Whatever comes first, data or the end of the stream, starts the time and goes no further."""

    __slots__ = ("_since_ns",)

    def __init__(self, effect: ResetPeer, rng: random.Random, now_ns: int) -> None:
        super().__init__(effect, rng, now_ns)
        self._since_ns: int | None = None

    def push(self, now_ns: int, _kind: int, data: bytes, _entered_ns: int | None = None, /) -> int:
        if self._since_ns is None:
            self._since_ns = now_ns
        return len(data)

    def due_ns(self) -> int | None:
        if self.closed or self._since_ns is None:
            return None
        due_ns: int = self._since_ns + self._effect.timeout * MS
        return due_ns

    def pop(self, now_ns: int) -> list[Segment]:
        due_ns = self.due_ns()
        if due_ns is None or due_ns > now_ns:
            return []
        self.closed = True
        return [(ABORT, b"")]

    def update(self, _now_ns: int, effect: Any, /) -> list[Segment]:
        self._effect = effect
        return []

    def withdraw(self) -> list[Segment]:
        """A reset that was under way comes now: what it swallowed cannot come back."""
        if self.closed or self._since_ns is None:
            return []
        self.closed = True
        return [(ABORT, b"")]


_STAGES: Final[dict[type[Effect], type[Stage]]] = {
    Latency: LatencyStage,
    Bandwidth: BandwidthStage,
    SlowClose: SlowCloseStage,
    Timeout: TimeoutStage,
    ResetPeer: ResetPeerStage,
    Slicer: SlicerStage,
    LimitData: LimitDataStage,
}


def stage_of(effect: Effect, rng: random.Random, now_ns: int) -> Stage:
    """The stage that acts as ``effect``, laid at ``now_ns``."""
    return _STAGES[type(effect)](effect, rng, now_ns)
