"""Handles and the order in which they fall due: (instant, priority, sequence).

asyncio's own heap compares deadlines alone, which is deterministic but not first in, first out, and depends on what
the heap held before. Here every entry is a tuple that never ties.
"""

import asyncio
import contextvars
from collections.abc import Callable
from enum import IntEnum
from typing import Any

_copy_context = contextvars.copy_context


class Priority(IntEnum):
    """Who goes first at one instant (R5). What a heal sets in motion happens before an injection looks."""

    HEAL = 0
    INJECT = 1
    OPERATOR = 2
    SAMPLE = 3
    DEFAULT = 4


class ReadyHandle(asyncio.Handle):
    """asyncio.Handle without its debug bookkeeping: simulation refuses debug mode."""

    __slots__ = ()

    def __init__(
        self,
        callback: Callable[..., Any],
        args: tuple[Any, ...],
        loop: asyncio.AbstractEventLoop,
        context: contextvars.Context | None = None,
    ) -> None:
        self._context = _copy_context() if context is None else context
        self._loop = loop
        self._callback = callback
        self._args = args
        self._cancelled = False
        self._repr = None
        self._source_traceback = None


class TimedHandle(asyncio.TimerHandle):
    """A timer; its place in the order is kept beside it in the heap."""

    __slots__ = ()

    def __init__(
        self,
        when: float,
        callback: Callable[..., Any],
        args: tuple[Any, ...],
        loop: asyncio.AbstractEventLoop,
        context: contextvars.Context | None = None,
    ) -> None:
        self._context = _copy_context() if context is None else context
        self._loop = loop
        self._callback = callback
        self._args = args
        self._cancelled = False
        self._repr = None
        self._source_traceback = None
        self._when = when
        self._scheduled = True


HeapEntry = tuple[int, int, int, TimedHandle]
