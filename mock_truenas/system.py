"""Where the machine's own clock and entropy come in (R2, R3), for serving by hand and in tests. Knows no appliance."""

import os
import time
from typing import Final

from mock_truenas.clock import Clock


class SystemClock:
    """The machine's own wall clock."""

    def now_ns(self) -> int:
        """Nanoseconds since the Unix epoch."""
        return time.time_ns()  # noqa: TID251  # a composition root is where the system's clock comes in (R2)


SYSTEM_CLOCK: Final[Clock] = SystemClock()


def system_entropy(size: int) -> bytes:
    """``size`` random bytes of the operating system."""
    return os.urandom(size)
