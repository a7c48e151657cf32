"""How often somebody who is not logged in may call what needs no login (truenas-api 5.4). Waits for nobody itself."""

from dataclasses import dataclass, field
from typing import Final

CALLS_ALLOWED: Final = 20
WINDOW_S: Final = 60.0
MOST_ENTRIES: Final = 100
# Only this one may be called as often as one likes.
EXEMPT: Final = frozenset({"core.set_options"})


@dataclass
class _Window:
    began_s: float
    calls: int = 0


@dataclass
class RateLimit:
    """Counts calls by method and address. Windows are fixed; an entry stays until :meth:`clear`."""

    _windows: dict[tuple[str, str], _Window] = field(default_factory=dict)

    def exceeded_by(self, method: str, address: str, now_s: float) -> bool:
        """Count a call at ``now_s`` of monotonic time; whether it is one too many. A full table refuses everybody."""
        if method in EXEMPT:
            return False
        key = (method, address)
        window = self._windows.get(key)
        if window is None:
            if len(self._windows) >= MOST_ENTRIES:
                return True
            window = self._windows[key] = _Window(now_s)
        if now_s - window.began_s >= WINDOW_S:
            window.began_s, window.calls = now_s, 0
        window.calls += 1
        return window.calls > CALLS_ALLOWED or len(self._windows) >= MOST_ENTRIES

    def clear(self) -> None:
        """Forget everything, as a restart does."""
        self._windows.clear()
