"""The random schedule: which of the orders that real timing could have brought about a run takes, drawn from its seed.

FIFO is what an asyncio program meets on an idle machine, and what a rehearsal uses unless it is told otherwise. The
random schedule is for races: a change of configuration while a poll is under way, two alerts at one deadline.

What keeps its order, because legal programs and asyncio's own transports rely on it:

- callbacks of ``call_soon`` among themselves (connection_made, data_received, connection_lost of one connection);
- a task's own steps, and a step after every callback registered before it: it may be late, it is never early;
- a task that yields (``sleep(0)``) goes on after whatever it had itself started, woken or registered before;
- what the kernel itself times for one owner, such as the arrivals at one end of one connection;
- the scenario's own actions at one instant (heal, inject, operator, sample), and all they set in motion.

What is drawn, because nothing promises it and real timing changes it:

- the order in which the tasks that are ready in one turn of the loop are stepped, and the executor calls among them;
- the order of a program's timers due at one instant (asyncio's documentation calls it undefined), of the arrivals at
  different connections, and how many turns of the loop lie between them.

Everything ready in a turn still runs in that turn, so nobody starves. It knows neither tasks' names nor the network.
"""

import asyncio
import contextvars
import random
from collections.abc import Callable
from enum import StrEnum
from functools import partial
from heapq import heappop, heappush
from typing import Any, Final

from pulse_sim.kernel.clock import VirtualClock
from pulse_sim.kernel.scheduling import VirtualTimeLoop
from pulse_sim.kernel.tasks import task_number
from pulse_sim.kernel.timers import ApartHandle, HeapEntry, Priority, ProgramTimer, SignedHandle, fill

STREAM: Final = "kernel/schedule"
"""The stream of the run that the order is drawn from."""
_DEFAULT: Final = int(Priority.DEFAULT)


class Schedule(StrEnum):
    """How a run orders what asyncio leaves open."""

    FIFO = "fifo"
    RANDOM = "random"


class RandomOrder(VirtualTimeLoop):
    """Mixed in before a loop: permutes its ready queue before each turn, and holds due timers back for some turns."""

    _one_turn = True

    def __init__(self, clock: VirtualClock, order: random.Random) -> None:
        """``order`` is the run's stream for this and nothing else."""
        super().__init__(clock)
        self._order = order

    # ---- what is free is marked as it is scheduled

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., Any], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.Handle:
        if self._closed:
            raise RuntimeError("Event loop is closed")
        handle = SignedHandle()
        fill(handle, callback, args, context)
        handle.by = task_number(self)
        self._ready.append(handle)
        return handle

    def call_apart(self, callback: Callable[[], Any]) -> asyncio.Handle:
        if self._closed:
            raise RuntimeError("Event loop is closed")
        handle = ApartHandle()
        fill(handle, callback, (), None)
        handle.by = 0
        self._ready.append(handle)
        return handle

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Callable[..., Any], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.TimerHandle:
        at_ns = self.clock.now_ns + max(0, round(delay * 1_000_000_000))
        return self._program_timer(at_ns, self.clock.seconds_at(at_ns), callback, args, context)

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., Any], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.TimerHandle:
        return self._program_timer(self.clock.instant_of(when), when, callback, args, context)

    def _program_timer(
        self,
        at_ns: int,
        when: float,
        callback: Callable[..., Any],
        args: tuple[Any, ...],
        context: contextvars.Context | None,
    ) -> ProgramTimer:
        if self._closed:
            raise RuntimeError("Event loop is closed")
        handle = ProgramTimer()
        fill(handle, callback, args, context)
        handle._loop = self
        handle._when = when
        handle._scheduled = True
        heappush(self._scheduled, (at_ns, _DEFAULT, next(self._sequence), handle))
        return handle

    # ---- drawing

    def _run_once(self) -> None:
        if len(self._ready) > 1:
            self._permute()
        super()._run_once()

    def _permute(self) -> None:
        """Put what is free anywhere behind the callbacks that were registered before it."""
        below = self._order.randrange
        free = _Free(below)
        ordered: list[Any] = []
        for handle in self._ready:
            if _is_free(handle):
                free.add(handle)
                continue
            for _ in range(below(len(free) + 1)):
                ordered.append(free.draw())
            ordered.append(handle)
        while len(free):
            ordered.append(free.draw())
        self._ready.clear()
        self._ready.extend(ordered)

    def _release(self) -> None:
        """Release what the base class would, but of the timers due now and of default priority only some."""
        heap = self._scheduled
        now_ns = self.clock.now_ns
        due: list[HeapEntry] = []
        while heap:
            entry = heap[0]
            if entry[0] > now_ns or (entry[1] > self._level and entry[0] == now_ns):
                break
            handle = heappop(heap)[3]
            if handle._cancelled:
                self._timer_cancelled_count -= 1
                handle._scheduled = False
            elif entry[0] == now_ns and entry[1] == _DEFAULT:
                due.append(entry)
            else:
                self._make_ready(handle)
        if not due:
            return
        ordered = self._in_drawn_order(due)
        released = self._order.randint(0 if self._ready else 1, len(ordered))
        for entry in ordered[:released]:
            self._make_ready(entry[3])
        for entry in ordered[released:]:
            heappush(heap, entry)

    def _make_ready(self, handle: Any) -> None:
        self._ready.append(handle)
        handle._scheduled = False
        if handle._when > self.clock.time_s:
            self.clock.time_s = handle._when

    def _in_drawn_order(self, due: list[HeapEntry]) -> list[HeapEntry]:
        """A random order of ``due`` in which the timers of one owner keep theirs."""
        lanes: dict[int, list[HeapEntry]] = {}
        for entry in due:
            lanes.setdefault(_lane(entry), []).append(entry)
        turns = [lane for lane, entries in lanes.items() for _ in entries]
        self._order.shuffle(turns)
        following = {lane: iter(entries) for lane, entries in lanes.items()}
        return [next(following[lane]) for lane in turns]


class _Free:
    """Handles still to be drawn, each as likely as any other; what yields waits for what its task set in motion."""

    def __init__(self, below: Callable[[int], int]) -> None:
        self._below = below
        self._handles: list[Any] = []
        self._set_in_motion: dict[int, list[Any]] = {}

    def __len__(self) -> int:
        return len(self._handles)

    def add(self, handle: Any) -> None:
        self._handles.append(handle)
        if handle.by and not _yields(handle):
            self._set_in_motion.setdefault(handle.by, []).append(handle)

    def draw(self) -> Any:
        handle = self._handles[self._below(len(self._handles))]
        if _yields(handle):
            first = self._set_in_motion.get(handle.by)
            if first:
                handle = first[self._below(len(first))]
        self._handles.remove(handle)
        if handle.by and not _yields(handle):
            self._set_in_motion[handle.by].remove(handle)
        return handle


def _yields(handle: Any) -> bool:
    """Whether it is the step of a task that registered it itself."""
    return bool(handle.by) and getattr(handle._callback.__self__, "number", 0) == handle.by


def _is_free(handle: Any) -> bool:
    """Whether a ready handle is a step of a task, or an executor's call."""
    if isinstance(handle, ApartHandle):
        return True
    callback = handle._callback
    owner = getattr(callback, "__self__", None)
    # A task's public methods may be anybody's callbacks; what steps and wakes it has no public name.
    return isinstance(owner, asyncio.Task) and not hasattr(asyncio.Task, getattr(callback, "__name__", ""))


def _lane(entry: HeapEntry) -> int:
    """The identity of whom a timer belongs to; those of plain functions of the kernel have one lane in common."""
    handle: Any = entry[3]
    if isinstance(handle, ProgramTimer):
        return id(handle)
    callback = handle._callback
    while isinstance(callback, partial):
        callback = callback.func
    return id(getattr(callback, "__self__", None))
