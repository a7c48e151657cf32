"""How long anything may take (contract A2, A6). Numbers only, apart from what waits for them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Deadlines:
    """Limits in seconds. Every limit is read through a method, so one of them can be replaced alone."""

    connect_s: float = 5.0
    request_s: float = 10.0
    poll_s: float = 30.0
    attempt_s: float = 30.0
    retry_after_s: float = 1.0

    def for_connect(self) -> float | None:
        """Name, TCP and TLS handshake together; None would be no limit."""
        return self.connect_s

    def for_request(self) -> float | None:
        """One whole call, connecting included."""
        return self.request_s

    def for_poll(self, interval_s: float) -> float | None:
        """One whole poll: 30 s, and never more than half the interval."""
        return min(self.poll_s, interval_s / 2)

    def for_attempt(self, interval_s: float) -> float | None:
        """An open breaker's own attempt; the poll's limit holds for it too."""
        limit = self.for_poll(interval_s)
        return None if limit is None else min(self.attempt_s, limit)
