"""Who is logged in on which connection of one server (truenas-api 5.3). Knows no frames and no mechanism."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from mock_truenas.api.methods.method import Principal

Entropy = Callable[[int], bytes]


class Peer(Protocol):
    """The connection a session lives on."""

    @property
    def address(self) -> str: ...
    @property
    def secure(self) -> bool: ...
    def terminate(self) -> None: ...


@dataclass(eq=False)
class Session:
    """One login. ``expires_at_ns`` is the appliance's wall time, None for never; ``key_id`` the API key it used."""

    id: str
    principal: Principal
    peer: Peer
    created_at_ns: int
    expires_at_ns: int | None
    key_id: int | None = None


@dataclass(eq=False)
class Sessions:
    """All sessions of one server, in order of login, and what its connections share besides."""

    entropy: Entropy
    open: dict[str, Session] = field(default_factory=dict)
    connections: dict[int, Any] = field(default_factory=dict)
    _numbered: int = 0

    def take_number(self) -> int:
        """The number of the next WebSocket connection, counted from 1."""
        self._numbered += 1
        return self._numbered

    def fresh_id(self) -> str:
        """A UUID nobody has had."""
        return str(UUID(bytes=self.entropy(16), version=4))

    def begin(self, session: Session) -> None:
        """Somebody logged in."""
        self.open[session.id] = session

    def end(self, session: Session) -> None:
        """Somebody logged out or went; once more changes nothing."""
        self.open.pop(session.id, None)
