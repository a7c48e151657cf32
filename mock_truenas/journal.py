"""What the appliance really answered, one entry an exchange. Knows nothing of who keeps it."""

from dataclasses import dataclass
from typing import Any, Literal

Ending = Literal["complete", "cut", "reset", "silent", "client_gone"]


@dataclass(frozen=True)
class JournalEntry:
    """One finished exchange.

    ``duration_ns`` is loop time from the request's head to the end, in whole microseconds: loop time is a float, and
    finer digits would differ between two equal waits. ``bytes`` counts body bytes handed to the connection.
    ``faults`` names those that shaped what was sent, in the order they did. ``credential`` is a fingerprint.
    """

    method: str
    path: str
    query: str
    status: int | None
    duration_ns: int
    bytes: int
    ended: Ending
    faults: tuple[str, ...]
    credential: str | None
    user_agent: str | None
    face: Literal["rest"] = "rest"

    def to_data(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "face": self.face,
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "status": self.status,
            "duration_ns": self.duration_ns,
            "bytes": self.bytes,
            "ended": self.ended,
            "faults": list(self.faults),
            "credential": self.credential,
            "user_agent": self.user_agent,
        }
