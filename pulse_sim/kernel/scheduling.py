"""The heart of the event loop: asyncio's own ready queue, and a virtual clock in place of the selector.

Time moves only when nothing is ready, straight to the next timer. Timers go by (instant, priority, sequence). This is
the FIFO schedule; `schedule` draws another order over it, by overriding, so that this one pays nothing for it. It
knows no network, no executor and no tasks of its own kind.
"""

import asyncio
import contextvars
import gc
import itertools
import threading
from collections import deque
from collections.abc import Callable, Iterator
from heapq import heapify, heappop, heappush
from typing import Any, Final

from pulse_sim.kernel.clock import SECOND_NS, VirtualClock
from pulse_sim.kernel.errors import SimulationDeadlock
from pulse_sim.kernel.fences import refuse
from pulse_sim.kernel.timers import HeapEntry, Priority, ReadyHandle, TimedHandle, copy_context

_DEFAULT: Final = int(Priority.DEFAULT)
_MOST_ROUNDS_AT_ONE_INSTANT: Final = 200_000
_COMPACT_ABOVE: Final = 100
COLLECT_EVERY_NS: Final = 600_000_000_000
"""Garbage is collected at multiples of this virtual time, never when an allocation counter says so."""


class VirtualTimeLoop(asyncio.base_events.BaseEventLoop):
    """Clock, timers and the ready queue; what else a loop offers is added elsewhere."""

    _ready: "deque[Any]"
    _scheduled: list[HeapEntry]
    _timer_cancelled_count: int
    _closed: bool
    _stopping: bool
    _task_factory: Any
    _one_turn = False
    """Whether something has to happen between two turns. Otherwise they are taken without leaving `_run_once`."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__()
        self.clock = clock
        self.numbers: Iterator[int] = itertools.count(1)
        self._collect_every_ns = self._collect_at_ns = COLLECT_EVERY_NS
        self._sequence = itertools.count()
        self._level = _DEFAULT
        self._rounds = 0
        self._clock_resolution = 1e-9

    def __del__(self) -> None:
        """Nothing to warn of: an unclosed simulated loop holds no descriptor."""

    # ---- time and queues

    def time(self) -> float:
        return self.clock.time_s

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., Any], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.Handle:
        if self._closed:
            raise RuntimeError("Event loop is closed")
        handle = ReadyHandle()
        handle._context = copy_context() if context is None else context
        handle._callback = callback
        handle._args = args
        handle._cancelled = False
        self._ready.append(handle)
        return handle

    def call_apart(self, callback: Callable[[], Any]) -> asyncio.Handle:
        """``call_soon`` for what would happen outside the loop's thread, in no order with its callbacks."""
        return self.call_soon(callback)

    def call_soon_threadsafe(  # type: ignore[override]
        self, callback: Callable[..., Any], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.Handle:
        running = getattr(self, "_thread_id", None)
        if running is not None and running != threading.get_ident():
            refuse("call_soon_threadsafe from another thread")
        return self.call_soon(callback, *args, context=context)

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Callable[..., Any], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.TimerHandle:
        at_ns = self.clock.now_ns + max(0, round(delay * 1_000_000_000))
        return self.call_at_ns(at_ns, callback, *args, context=context)

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., Any], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.TimerHandle:
        if self._closed:
            raise RuntimeError("Event loop is closed")
        handle = TimedHandle()
        handle._context = copy_context() if context is None else context
        handle._callback = callback
        handle._args = args
        handle._cancelled = False
        handle._loop = self
        handle._when = when  # as given: a caller that compares loop.time() with its own deadline must find it reached
        handle._scheduled = True
        at_ns = round((when - self.clock.base_s) * SECOND_NS)  # VirtualClock.instant_of, without the call
        heappush(self._scheduled, (at_ns, _DEFAULT, next(self._sequence), handle))
        return handle

    def call_at_ns(
        self,
        at_ns: int,
        callback: Callable[..., Any],
        *args: Any,
        priority: int = _DEFAULT,
        context: contextvars.Context | None = None,
    ) -> TimedHandle:
        """Call at a virtual instant, or at once when that has passed; ties go by priority, then first come."""
        if self._closed:
            raise RuntimeError("Event loop is closed")
        handle = TimedHandle()
        handle._context = copy_context() if context is None else context
        handle._callback = callback
        handle._args = args
        handle._cancelled = False
        handle._loop = self
        handle._when = self.clock.base_s + at_ns / SECOND_NS
        handle._scheduled = True
        heappush(self._scheduled, (at_ns, priority, next(self._sequence), handle))
        return handle

    def rearm(self, at_ns: int, handle: TimedHandle) -> None:
        """Schedule a handle that is never cancelled once more; it may be in the heap several times."""
        heappush(self._scheduled, (at_ns, _DEFAULT, next(self._sequence), handle))

    def live_timers(self) -> int:
        """Timers still to fire; cancelled ones that await compaction do not count."""
        return sum(not entry[3]._cancelled for entry in self._scheduled)

    # ---- running

    def _run_once(self) -> None:
        """Take turns until stopped."""
        ready, clock = self._ready, self.clock
        popleft = ready.popleft
        while True:
            self._rounds += 1
            heap = self._scheduled
            if not ready and not self._stopping:
                self._advance()
            elif heap and heap[0][0] <= clock.now_ns:
                self._release()
            for _ in range(len(ready)):
                handle = popleft()
                callback = handle._callback
                if callback is None:  # cancelled
                    continue
                args = handle._args
                try:
                    # Unpacking costs more than to ask: the steps of a task have no argument, what wakes it has one.
                    if not args:
                        handle._context.run(callback)
                    elif len(args) == 1:
                        handle._context.run(callback, args[0])
                    else:
                        handle._context.run(callback, *args)
                except (SystemExit, KeyboardInterrupt):
                    raise
                except BaseException as error:
                    self.call_exception_handler(
                        {"message": "Exception in callback", "exception": error, "handle": handle}
                    )
            # A traceback keeps this frame; it must not keep the task whose exception it belongs to.
            handle = callback = args = None
            if self._rounds > _MOST_ROUNDS_AT_ONE_INSTANT:
                raise SimulationDeadlock(f"virtual time stands still at {clock.now_ns} ns; {self._waiting()}")
            if self._stopping or self._one_turn:
                return

    def _advance(self) -> None:
        """Move the clock to the next timer and make what is due there ready."""
        heap = self._scheduled
        if self._timer_cancelled_count * 2 > len(heap) > _COMPACT_ABOVE:
            self._compact()
            heap = self._scheduled
        while heap and heap[0][3]._cancelled:
            heappop(heap)[3]._scheduled = False
            self._timer_cancelled_count -= 1
        if not heap:
            raise SimulationDeadlock(f"nothing can ever run again at {self.clock.now_ns} ns; {self._waiting()}")
        at_ns = heap[0][0]
        clock = self.clock
        if at_ns > clock.now_ns:
            self._rounds = 0
            if at_ns >= self._collect_at_ns:
                self._collect(at_ns - at_ns % self._collect_every_ns)
                return
            clock.now_ns = at_ns  # as move_to, without the call: this is every second step of a run
            clock.time_s = clock.base_s + at_ns / SECOND_NS
        self._level = heap[0][1]
        self._release()

    def _collect(self, boundary_ns: int) -> None:
        """Collect on the boundary itself, so that whatever a finaliser sets in motion has an instant of its own."""
        if boundary_ns > self.clock.now_ns:
            self.clock.move_to(boundary_ns)
        self._collect_at_ns = boundary_ns + self._collect_every_ns
        gc.collect()

    def _release(self) -> None:
        """Move the due timers of the current priority from the heap to the ready queue."""
        heap = self._scheduled
        clock = self.clock
        now_ns = clock.now_ns
        level = self._level
        while heap:
            entry = heap[0]
            if entry[0] > now_ns or (entry[1] > level and entry[0] == now_ns):
                return
            handle: Any = heappop(heap)[3]
            if handle._cancelled:
                self._timer_cancelled_count -= 1
            else:
                self._ready.append(handle)
                if handle._when > clock.time_s:
                    clock.time_s = handle._when
            handle._scheduled = False

    def _compact(self) -> None:
        kept = []
        for entry in self._scheduled:
            handle: Any = entry[3]
            if handle._cancelled:
                handle._scheduled = False
            else:
                kept.append(entry)
        heapify(kept)
        self._scheduled = kept
        self._timer_cancelled_count = 0

    def _waiting(self) -> str:
        tasks = sorted(asyncio.all_tasks(self), key=lambda task: getattr(task, "number", 0))
        names = ", ".join(task.get_name() for task in tasks[:8])
        return f"{len(tasks)} tasks wait: {names}{', …' if len(tasks) > 8 else ''}"

    def _process_events(self, _event_list: Any) -> None:
        return None

    def _write_to_self(self) -> None:
        return None
