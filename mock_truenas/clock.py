"""The appliance's wall clock, as the composition root hands it in. Knows no event loop and no operating system."""

from dataclasses import dataclass
from typing import Final, Literal, Protocol


class Clock(Protocol):
    """Wall time of the appliance."""

    def now_ns(self) -> int:
        """Nanoseconds since the Unix epoch."""
        ...


@dataclass(frozen=True)
class Setting:
    """How a clock is set: ``offset_ns`` ahead of the one below it, or standing still at ``frozen_at_ns``."""

    offset_ns: int = 0
    frozen_at_ns: int | None = None


AS_BELOW: Final = Setting()

EARLIEST_NS: Final = 946_684_800_000_000_000
"""2000-01-01T00:00:00Z; what an appliance shows before that is of no use to anybody."""
LATEST_NS: Final = 4_102_444_800_000_000_000
"""2100-01-01T00:00:00Z."""


class SettableClock:
    """A clock over another one: it runs as that one does, somewhere else in time, or stands still."""

    def __init__(self, below: Clock, at_ns: int | None = None) -> None:
        """It agrees with ``below``; with ``at_ns`` it stands still there. Raises ValueError outside 2000 to 2099."""
        self._below = below
        self._first = AS_BELOW if at_ns is None else Setting(frozen_at_ns=_sound(at_ns))
        self._setting = self._first

    @property
    def setting(self) -> Setting:
        """How it is set now."""
        return self._setting

    @property
    def state(self) -> Literal["running", "frozen"]:
        """Whether it moves by itself."""
        return "running" if self._setting.frozen_at_ns is None else "frozen"

    def now_ns(self) -> int:
        """Nanoseconds since the Unix epoch."""
        frozen_at_ns = self._setting.frozen_at_ns
        return self._below.now_ns() + self._setting.offset_ns if frozen_at_ns is None else frozen_at_ns

    def set(self, at_ns: int) -> None:
        """Make it show ``at_ns``; it runs or stands as before. Raises ValueError outside 2000 to 2099."""
        self._show(_sound(at_ns), frozen=self.state == "frozen")

    def advance(self, by_ns: int) -> None:
        """Move it on; a negative ``by_ns`` sets it back. Raises ValueError outside 2000 to 2099."""
        self.set(self.now_ns() + by_ns)

    def freeze(self) -> None:
        """Stop it where it is."""
        self._show(self.now_ns(), frozen=True)

    def run(self) -> None:
        """Let it go on from where it is."""
        self._show(self.now_ns(), frozen=False)

    def reset(self) -> None:
        """Set it as it was made."""
        self._setting = self._first

    def _show(self, at_ns: int, *, frozen: bool) -> None:
        self._setting = Setting(frozen_at_ns=at_ns) if frozen else Setting(offset_ns=at_ns - self._below.now_ns())


def _sound(at_ns: int) -> int:
    if not EARLIEST_NS <= at_ns < LATEST_NS:
        raise ValueError(f"{at_ns} ns lies outside the years 2000 to 2099")
    return at_ns
