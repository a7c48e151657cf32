"""Handles and the order in which they fall due: (instant, priority, sequence).

asyncio's own heap compares deadlines alone, which is deterministic but not first in, first out, and depends on what
the heap held before. Here every entry is a tuple that never ties.
"""

import asyncio
import contextvars
from collections.abc import Callable
from enum import IntEnum
from typing import TYPE_CHECKING, Any

copy_context = contextvars.copy_context


class Priority(IntEnum):
    """Who goes first at one instant (R5). What a heal sets in motion happens before an injection looks."""

    HEAL = 0
    INJECT = 1
    OPERATOR = 2
    SAMPLE = 3
    DEFAULT = 4


class ReadyHandle(asyncio.Handle):
    """asyncio.Handle without its debug bookkeeping, which would keep stacks and texts nobody asks for.

    Made empty and filled by whoever schedules it: a constructor written in Python would cost as much as all the rest
    of scheduling, and a request makes some twenty handles.
    """

    __slots__ = ()

    if TYPE_CHECKING:
        _context: contextvars.Context
        _callback: Any

        def __init__(self) -> None: ...
    else:
        __init__ = object.__init__
        _repr = _source_traceback = None

    def cancel(self) -> None:
        if not self._cancelled:
            self._cancelled = True
            self._callback = self._args = None  # type: ignore[assignment]


class SignedHandle(ReadyHandle):
    """A ready handle that knows which task registered it; 0 stands for none."""

    __slots__ = ("by",)

    by: int


class ApartHandle(SignedHandle):
    """What another thread would do: no order binds it to the loop's own callbacks, nor to who asked for it."""

    __slots__ = ()


class TimedHandle(asyncio.TimerHandle):
    """A timer; its place in the order is kept beside it in the heap. Made empty and filled, as a ready handle is."""

    __slots__ = ()

    if TYPE_CHECKING:
        _context: contextvars.Context
        _callback: Any
        _loop: Any
        _scheduled: bool
        _when: float

        def __init__(self) -> None: ...
    else:
        __init__ = object.__init__
        _repr = _source_traceback = None

    def cancel(self) -> None:
        if not self._cancelled:
            self._cancelled = True
            self._callback = self._args = None  # type: ignore[assignment]
            if self._scheduled:
                self._loop._timer_cancelled_count += 1


class ProgramTimer(TimedHandle):
    """A timer that the program set: what is due at the same instant has no order of its own (asyncio's own words)."""

    __slots__ = ()


HeapEntry = tuple[int, int, int, TimedHandle]


def fill(
    handle: ReadyHandle | TimedHandle,
    callback: Callable[..., Any],
    args: tuple[Any, ...],
    context: contextvars.Context | None,
) -> None:
    """What every handle holds; the FIFO schedule does the same in place."""
    handle._context = copy_context() if context is None else context
    handle._callback = callback
    handle._args = args
    handle._cancelled = False
