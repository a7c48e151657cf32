"""What the appliance really answered, one entry an exchange, and a place to keep it. Knows no question about it."""

from collections import deque
from collections.abc import Callable
from itertools import islice
from typing import Any, Final, Literal, NamedTuple

Ending = Literal["complete", "cut", "reset", "silent", "client_gone"]
Face = Literal["front", "rest", "rpc", "ddp"]
Kind = Literal["request", "handshake", "call", "event", "close"]


class JournalEntry(NamedTuple):
    """One finished exchange: a request, or on a WebSocket the handshake, each call, each event sent, and the close.

    ``duration_ns`` is loop time from the request's head to the end, in whole microseconds: loop time is a float, and
    finer digits would differ between two equal waits. ``bytes`` counts body bytes handed to the connection.
    ``faults`` names those that shaped what was sent, in the order they did. ``credential`` is a fingerprint, ``user``
    who was logged in. ``call`` is the API method on every face, ``connection`` the number of a WebSocket,
    ``request_id`` the JSON text of a call's id, ``error`` the JSON-RPC code or errno answered, ``at_ns`` the
    appliance's wall time when it began. A tuple, as thousands are kept: it costs the garbage collector nothing.
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
        return {**self._asdict(), "faults": list(self.faults)}


KEPT: Final = 20_000


class Journal:
    """Keeps the latest entries and counts the ones it had to let go; hand it to a NAS as its ``journal``."""

    def __init__(self, at_most: int = KEPT) -> None:
        """It keeps ``at_most`` entries, the latest."""
        self._entries: deque[JournalEntry] = deque(maxlen=at_most)
        self._count = 0
        self._also: Callable[[JournalEntry], None] | None = None

    def __call__(self, entry: JournalEntry) -> None:
        """Add an entry."""
        self._entries.append(entry)
        self._count += 1
        if self._also is not None:
            self._also(entry)

    def tell(self, listener: Callable[[JournalEntry], None]) -> None:
        """Hand every further entry to ``listener`` as well, which must not raise."""
        self._also = listener

    @property
    def entries(self) -> tuple[JournalEntry, ...]:
        """Those kept, as they ended."""
        return tuple(self._entries)

    @property
    def count(self) -> int:
        """How many there ever were; entries are numbered from 0, so this is the number of the next."""
        return self._count

    @property
    def dropped(self) -> int:
        """How many earlier ones are kept no more."""
        return self._count - len(self._entries)

    def since(self, number: int) -> tuple[JournalEntry, ...]:
        """Those kept from a number on."""
        return tuple(islice(self._entries, max(0, number - self.dropped), None))

    def clear(self) -> None:
        """Forget everything, numbers included."""
        self._entries.clear()
        self._count = 0
