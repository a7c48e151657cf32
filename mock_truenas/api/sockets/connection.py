"""One WebSocket connection as methods and faces see it: who it is, what it wants, and what the journal hears of it."""

import asyncio
from dataclasses import dataclass, field, replace
from typing import Any

from mock_truenas.api.auth.sessions import Session, Standing
from mock_truenas.api.house import House
from mock_truenas.api.methods.method import Principal
from mock_truenas.api.sockets.endpoint import Endpoint
from mock_truenas.api.sockets.events import may_hear
from mock_truenas.api.sockets.line import ABNORMAL, Line, Parting
from mock_truenas.api.sockets.subscriptions import Subscriptions
from mock_truenas.appliance.nas import Appliance
from mock_truenas.behaviour import Behaviour
from mock_truenas.faults.target import Target
from mock_truenas.journal import JournalEntry


@dataclass(frozen=True)
class Wishes:
    """What ``core.set_options`` sets (truenas-api 5.5)."""

    legacy_jobs: bool = True
    private_methods: bool = False
    py_exceptions: bool = False


@dataclass(frozen=True)
class Opening:
    """What is known when a connection begins: its number, where it comes from, and what it asked for."""

    number: int
    address: str
    path: str
    query: str
    user_agent: str | None
    began_s: float
    began_ns: int


@dataclass(eq=False)
class Connection:
    """An open connection. Methods get it as ``Call.connection``."""

    house: House
    endpoint: Endpoint
    opening: Opening
    line: Line
    subscriptions: Subscriptions
    wishes: Wishes = Wishes()
    # Goodbyes that wait for their answer while whoever asked for them goes on.
    closing: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.standing = Standing(self.house.sessions, self)

    # -- what methods ask ------------------------------------------------------------------------------------------

    @property
    def appliance(self) -> Appliance:
        """The NAS behind it."""
        return self.house.appliance

    @property
    def behaviour(self) -> Behaviour:
        """The switches as they are now."""
        return self.house.faults.behaving(self.house.behaviour)

    @property
    def address(self) -> str:
        """The address of the client."""
        return self.opening.address

    @property
    def secure(self) -> bool:
        """Whether nobody can listen."""
        return self.house.secure

    def switched_by(self, switch: str) -> str:
        """The fault that set a switch; empty when it is set anyway."""
        return self.house.faults.switched_by(switch, self.house.behaviour)

    def session(self) -> Session | None:
        """Who is logged in now; a session that is over ends here."""
        session = self.standing.known(self.appliance.now_ns())
        if session is not None and session.key_id is not None and self.behaviour.revocation_ends_sessions:
            key = self.appliance.accounts.find_key(session.key_id)
            if key is None or key.revoked or key.expired_at(self.appliance.now_ns()):
                self.standing.leave()
                return None
        return session

    def principal(self) -> Principal | None:
        """Who calls."""
        session = self.session()
        return session.principal if session is not None else None

    def may_hear(self, principal: Principal, name: str) -> bool:
        """Whether somebody may subscribe to a collection or an event source."""
        return may_hear(principal, name.partition(":")[0], self.endpoint.dialect)

    def wish(self, **wishes: bool) -> Wishes:
        """Change options that hold for the rest of the connection."""
        self.wishes = replace(self.wishes, **wishes)
        return self.wishes

    # -- what ends it ----------------------------------------------------------------------------------------------

    def terminate(self) -> None:
        """Close it because its session was ended by somebody else (truenas-api 5.1)."""
        self.standing.leave()
        task = asyncio.get_running_loop().create_task(self.line.close(1000))
        self.closing.add(task)
        task.add_done_callback(self.closing.discard)

    def cut(self, fault_id: str) -> None:
        """End it without a close frame."""
        self.line.drop(Parting(ABNORMAL, "cut", (fault_id,)))

    def power_down(self) -> None:
        """End it once those who wait for the news have been told."""
        loop = self.line.loop
        loop.call_soon(loop.call_soon, self.line.drop, Parting(ABNORMAL, "cut"))

    def look_again(self) -> None:
        """How long it may be idle has changed."""
        self.line.watch()

    # -- what is told of it ----------------------------------------------------------------------------------------

    def target(self, call: str = "", event: str = "") -> Target:
        """What faults are asked for a call or an event of it."""
        return Target(
            self.endpoint.face, path=self.opening.path, call=call, connection=self.opening.number, event=event
        )

    def journal(self, began_s: float, **fields: Any) -> None:
        """Write an entry that began at ``began_s`` of loop time."""
        passed_us = round((asyncio.get_running_loop().time() - began_s) * 1e6)
        session = self.standing.session
        known: dict[str, Any] = {
            "method": "",
            "path": self.opening.path,
            "query": "",
            "status": None,
            "bytes": 0,
            "ended": "complete",
            "faults": (),
            "credential": session.credential if session is not None else None,
            "user": session.principal.username if session is not None else None,
            "at_ns": self.appliance.now_ns() - passed_us * 1000,
        }
        if "call" in fields:
            fields["call"] = _printable(fields["call"])
        self.house.journal(
            JournalEntry(
                duration_ns=passed_us * 1000,
                user_agent=self.opening.user_agent,
                face=self.endpoint.face,
                connection=self.opening.number,
                **{**known, **fields},
            )
        )


def _printable(name: str) -> str:
    """A name out of a message as it may stand in a journal."""
    return name[:200].encode("utf-8", "backslashreplace").decode()
