"""What will happen by itself, in order of time. Knows no clock: whoever asks says what time it is."""

import heapq
from collections.abc import Callable
from typing import Final

Action = Callable[[int], None]
NEVER_NS: Final = 1 << 62


class Schedule:
    """Happenings under names; at equal instants those come first that were entered first."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, str]] = []
        self._entered: dict[str, tuple[int, Action]] = {}
        self._count = 0
        self.next_ns = NEVER_NS
        """When the next one is due; NEVER_NS without any."""

    def at(self, due_ns: int, name: str, action: Action) -> None:
        """Enter a happening, instead of the one that had this name."""
        self._count += 1
        self._entered[name] = (self._count, action)
        heapq.heappush(self._heap, (due_ns, self._count, name))
        self._tidy()

    def cancel(self, name: str) -> None:
        """Take a happening back; does nothing without one of that name."""
        if self._entered.pop(name, None) is not None:
            self._tidy()

    def take(self, now_ns: int) -> tuple[int, Action] | None:
        """The next happening that is due at ``now_ns``, taken out of the schedule, with its instant."""
        if self.next_ns > now_ns:
            return None
        due_ns, _, name = heapq.heappop(self._heap)
        _, action = self._entered.pop(name)
        self._tidy()
        return due_ns, action

    def _tidy(self) -> None:
        """Drop what was cancelled or replaced from the head of the heap."""
        heap = self._heap
        while heap and self._entered.get(heap[0][2], (0,))[0] != heap[0][1]:
            heapq.heappop(heap)
        self.next_ns = heap[0][0] if heap else NEVER_NS
