"""What the appliance really answered, one entry an exchange. Knows nothing of who keeps it."""

from dataclasses import dataclass
from typing import Any, Literal

Ending = Literal["complete", "cut", "reset", "silent", "client_gone"]
Face = Literal["front", "rest", "rpc", "ddp"]
Kind = Literal["request", "handshake", "call", "event", "close"]


@dataclass(frozen=True)
class JournalEntry:
    """One finished exchange: a request, or on a WebSocket the handshake, each call, each event sent, and the close.

    ``duration_ns`` is loop time from the request's head to the end, in whole microseconds: loop time is a float, and
    finer digits would differ between two equal waits. ``bytes`` counts body bytes handed to the connection.
    ``faults`` names those that shaped what was sent, in the order they did. ``credential`` is a fingerprint, ``user``
    who was logged in. ``call`` is the API method on every face, ``connection`` the number of a WebSocket,
    ``request_id`` the JSON text of a call's id, ``error`` the JSON-RPC code or errno answered, ``at_ns`` the
    appliance's wall time when it began.
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
    face: Face = "rest"
    kind: Kind = "request"
    call: str | None = None
    user: str | None = None
    connection: int | None = None
    request_id: str | None = None
    error: int | None = None
    close_code: int | None = None
    at_ns: int = 0

    def to_data(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {**vars(self), "faults": list(self.faults)}
