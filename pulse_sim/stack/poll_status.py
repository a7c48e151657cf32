"""What is known about the polls of one connection, as the API shows it (contract A5)."""

from dataclasses import dataclass
from typing import Any

from pulse_sim.stack.errors import MonitorError
from pulse_sim.stack.instants import rfc3339, rfc3339_or_none


@dataclass(slots=True)
class PollStatus:
    """Times are unix nanoseconds; `last_error` stays after a recovery, as the last thing that went wrong."""

    interval_s: int
    last_attempt_ns: int | None = None
    last_success_ns: int | None = None
    consecutive_failures: int = 0
    last_error: MonitorError | None = None

    def to_data(self) -> dict[str, Any]:
        """`{intervalSeconds, lastAttemptAt, lastSuccessAt, consecutiveFailures, lastError{at, message, category}}`."""
        error = self.last_error
        return {
            "intervalSeconds": self.interval_s,
            "lastAttemptAt": rfc3339_or_none(self.last_attempt_ns),
            "lastSuccessAt": rfc3339_or_none(self.last_success_ns),
            "consecutiveFailures": self.consecutive_failures,
            "lastError": None
            if error is None
            else {
                "at": rfc3339(error.timestamp_ns),
                "message": f"{error.op}: {error.cause}",
                "category": error.type.value,
            },
        }
