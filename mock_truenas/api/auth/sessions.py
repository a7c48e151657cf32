"""Who is logged in on which connection of one server (truenas-api 5.3). Knows no frames and no mechanism."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol
from uuid import UUID

from mock_truenas.api.auth.rate_limit import RateLimit
from mock_truenas.api.methods.method import Principal
from mock_truenas.api.ticking import Ticking
from mock_truenas.appliance.changes import Change

Entropy = Callable[[int], bytes]
_GOING_DOWN: Final = frozenset({"system.reboot", "system.shutdown"})


class Peer(Protocol):
    """The connection a session lives on."""

    @property
    def address(self) -> str:
        """Where it comes from."""
        ...

    @property
    def secure(self) -> bool:
        """Whether nobody can listen."""
        ...

    def terminate(self) -> None:
        """Close it because its session was ended by somebody else."""
        ...

    def cut(self, fault_id: str) -> None:
        """End it without a close frame."""
        ...

    def look_again(self) -> None:
        """How long it may be idle has changed."""
        ...

    def power_down(self) -> None:
        """The appliance goes down: what was told already still goes out, then the connection ends."""
        ...


@dataclass(eq=False)
class Session:
    """One login. ``expires_at_ns`` is the appliance's wall time, None for never; ``key_id`` the API key it used.

    ``credential`` is a fingerprint of what was shown. ``suspended_by`` holds the faults because of which the appliance
    does not know it at present.
    """

    id: str
    principal: Principal
    peer: Peer
    created_at_ns: int
    expires_at_ns: int | None
    key_id: int | None = None
    credential: str | None = None
    suspended_by: list[str] = field(default_factory=list)


@dataclass(eq=False)
class Sessions:
    """All sessions of one server, in order of login, and what its connections share besides."""

    entropy: Entropy
    ticking: Ticking
    open: dict[str, Session] = field(default_factory=dict)
    peers: dict[int, Peer] = field(default_factory=dict)
    rate_limit: RateLimit = field(default_factory=RateLimit)
    _numbered: int = 0

    def __post_init__(self) -> None:
        self.ticking.appliance.watch(self._hear)

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

    def suspend(self, fault_id: str) -> None:
        """Let the appliance forget the sessions there are now, their connections staying open."""
        for session in self.open.values():
            session.suspended_by.append(fault_id)

    def resume(self, fault_id: str) -> None:
        """Let it remember them."""
        for session in self.open.values():
            if fault_id in session.suspended_by:
                session.suspended_by.remove(fault_id)

    def cut(self, fault_id: str) -> None:
        """End every connection without a close frame."""
        for peer in list(self.peers.values()):
            peer.cut(fault_id)

    def look_again(self) -> None:
        """Faults or switches have changed: how long connections may be idle is asked anew."""
        for peer in self.peers.values():
            peer.look_again()

    def _hear(self, change: Change) -> None:
        """A machine that goes down forgets everybody, and who tried too often."""
        if change.collection in _GOING_DOWN:
            self.rate_limit.clear()
            for peer in self.peers.values():
                peer.power_down()


@dataclass(eq=False)
class Standing:
    """Who one connection is to the appliance: nobody, somebody, or somebody halfway in.

    ``halfway`` is what a mechanism of several steps keeps between two messages; ``blamed`` are the faults because of
    which a login has just failed.
    """

    sessions: Sessions
    peer: Peer
    session: Session | None = None
    halfway: object | None = None
    blamed: tuple[str, ...] = ()

    def known(self, now_ns: int) -> Session | None:
        """The session if it is still valid at ``now_ns``; one that has expired ends here (truenas-api 5.3)."""
        session = self.session
        if session is None or session.suspended_by:
            return None
        expired = session.expires_at_ns is not None and now_ns >= session.expires_at_ns
        if expired or session.id not in self.sessions.open:
            self.leave()
            return None
        return session

    def enter(self, session: Session) -> None:
        """Begin a session; one there was ends."""
        self.leave()
        self.session = session
        self.sessions.begin(session)

    def leave(self) -> None:
        """End the session, if there is one."""
        if self.session is not None:
            self.sessions.end(self.session)
            self.session = None
