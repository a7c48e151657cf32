"""The appliance's wall clock, as the composition root hands it in. Knows no event loop and no operating system."""

from typing import Protocol


class Clock(Protocol):
    """Wall time of the appliance."""

    def now_ns(self) -> int:
        """Nanoseconds since the Unix epoch."""
        ...
