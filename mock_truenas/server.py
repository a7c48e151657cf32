"""A NAS on the network: one port, plain or TLS, with faults that come and go while it serves.

Uses nothing but asyncio's and aiohttp's ordinary calls, so it runs on a real loop and on a simulated one alike.
"""

import asyncio
import contextlib
import contextvars
import logging
import ssl
from collections.abc import Callable
from typing import Any, Final

from aiohttp import web
from pydantic import BaseModel

from mock_truenas.api import front
from mock_truenas.api.auth.sessions import Sessions
from mock_truenas.api.door import Door
from mock_truenas.api.exchange import Exchange
from mock_truenas.api.house import House, Sent, reset
from mock_truenas.api.rest import Rest
from mock_truenas.api.ticking import Ticking
from mock_truenas.appliance.nas import Appliance
from mock_truenas.behaviour import AS_DELIVERED, Behaviour
from mock_truenas.certificate import Certificates
from mock_truenas.clock import Clock
from mock_truenas.faults.active import ActiveFaults
from mock_truenas.faults.kind import CertificateOrder
from mock_truenas.journal import JournalEntry
from mock_truenas.tls import PLAIN_HTTP_PAGE, ChangingContext, Issue

_LOG: Final = logging.getLogger("mock_truenas")


def _issue_at(clock: Clock) -> Issue:
    """Certificates for localhost with a key of their own, made when the first is asked for."""
    made: list[Certificates] = []

    def issue(order: CertificateOrder, purpose: str) -> ssl.SSLContext:
        if not made:
            made.append(Certificates("localhost", clock.now_ns() / 1e9))
        return made[0].issue(order, purpose)

    return issue


def plain_http(server_name: str, clock: Clock) -> bytes:
    """The whole answer to HTTP on a port of TLS."""
    return front.head(PLAIN_HTTP_PAGE, server_name, clock.now_ns() // 1_000_000_000, False) + PLAIN_HTTP_PAGE.body


class MockTrueNAS:
    """Serves one appliance.

    ``clock`` dates the answers. ``journal`` gets an entry as each exchange ends, on the loop, and must not raise.
    ``entropy`` names sessions, by default the appliance's own. With ``ssl_context`` it serves TLS;
    ``issue`` then makes the certificates that faults of TLS show instead.
    """

    def __init__(
        self,
        appliance: Appliance,
        *,
        clock: Clock,
        journal: Callable[[JournalEntry], None],
        ssl_context: ssl.SSLContext | None = None,
        issue: Issue | None = None,
        server_name: str = "nginx",
        behaviour: Behaviour = AS_DELIVERED,
        entropy: Callable[[int], bytes] | None = None,
    ) -> None:
        self.appliance = appliance
        self._faults = ActiveFaults(appliance.stream)
        self._tls = None
        if ssl_context is not None:
            self._tls = ChangingContext(ssl_context, issue or _issue_at(clock), lambda: plain_http(server_name, clock))
        scheme = "https" if ssl_context else "http"
        sessions = Sessions(entropy or appliance.accounts.entropy, Ticking(appliance))
        rest = Rest(appliance, sessions)
        self._house = House(appliance, rest, self._faults, journal, clock, server_name, scheme, sessions, behaviour)
        self._exchanges: dict[Exchange, asyncio.Task[Any]] = {}
        self._door: Door | None = None
        self._listener: asyncio.AbstractServer | None = None
        self._opening: asyncio.Task[None] | None = None
        self._address = ("", 0)
        self._context = contextvars.copy_context()

    @property
    def faults(self) -> ActiveFaults:
        """Those active now; they begin with :meth:`inject` and end with :meth:`heal`."""
        return self._faults

    @property
    def port(self) -> int:
        """The port it listens on, the same again after ``appliance.down``; 0 before the first start."""
        return self._address[1]

    @property
    def url(self) -> str:
        """Base URL without a trailing slash."""
        host = f"[{self._address[0]}]" if ":" in self._address[0] else self._address[0]
        return f"{self._house.scheme}://{host}:{self.port}"

    async def start(self, host: str, port: int) -> None:
        """Listen; port 0 takes a free one. Raises OSError when the address cannot be had."""
        if self._door is not None:
            raise RuntimeError("this NAS is started already")
        # A door opened again by heal() must belong to whoever started the NAS, not to whoever heals.
        self._context = contextvars.copy_context()
        self._door = Door(self._handle, self._house, admits=lambda: not self._faults.closing_door())
        self._address = (host, port)
        try:
            await self._open()
        except BaseException:
            self._door = None
            raise

    async def stop(self) -> None:
        """Stop listening, end every exchange and connection. Harmless when not started."""
        door, self._door = self._door, None
        opening, self._opening = self._opening, None
        if opening is not None:
            opening.cancel()
            await asyncio.wait([opening])
        self._close_listener()
        if door is None:
            return
        tasks = list(self._exchanges.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        await self._house.rest.stop()
        transports = [connection.transport for connection in door.connections]
        door.pre_shutdown()
        await door.shutdown(timeout=1.0)
        for transport in transports:
            if transport is not None and self._tls is not None:
                # A TLS connection would wait half a minute for its peer's farewell; asyncio's breaks when its peer has
                # just gone.
                with contextlib.suppress(AttributeError):
                    transport.abort()
        await asyncio.sleep(0)

    def inject(self, fault_id: str, kind: str, parameters: BaseModel) -> None:
        """Start a fault. Raises ValueError for an unknown kind, foreign parameters, an id that is active already, and a
        fault of TLS on a NAS that serves plain HTTP.
        """
        fault = self._faults.inject(fault_id, kind, parameters)
        if fault.effect.handshake is not None:
            if self._tls is None:
                self._faults.heal(fault_id)
                raise ValueError(f"{kind} needs a NAS that serves TLS")
            self._tls.begin(fault_id, fault.effect.handshake)
        if fault.effect.change is not None:
            fault.effect.change(self.appliance, fault_id)
        sessions = self._house.sessions
        if fault.effect.change_sessions is not None:
            fault.effect.change_sessions(sessions, fault_id)
        if fault.effect.cuts is not None or fault.effect.closes_door:
            sessions.cut(fault_id)
        if fault.effect.closes_door:
            self._close_listener()
        if fault.effect.closes_door or fault.effect.cuts == "all":
            self._drop_all(fault_id)
        sessions.look_again()

    def heal(self, fault_id: str) -> None:
        """End a fault; once more, or for an unknown id, nothing happens. A door opens within this loop's next turns:
        :meth:`settled` waits for it.
        """
        fault = self._faults.heal(fault_id)
        if fault is None:
            return
        if fault.effect.undo is not None:
            fault.effect.undo(self.appliance, fault_id)
        if fault.effect.undo_sessions is not None:
            fault.effect.undo_sessions(self._house.sessions, fault_id)
        self._house.sessions.look_again()
        if self._tls is not None:
            self._tls.end(fault_id)
        if fault.effect.closes_door and not self._faults.closing_door() and self._door is not None:
            self._open_soon()

    async def reset(self) -> None:
        """Heal every fault, end what is being answered and every WebSocket, put the appliance back as it was made."""
        for fault in reversed(self._faults.active()):
            self.heal(fault.fault_id)
        tasks = [task for task in self._exchanges.values() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        self._house.sessions.rate_limit.clear()
        self.appliance.reset()
        await self.settled()

    async def settled(self) -> None:
        """Wait until the door is as the faults want it. Raises OSError when it could not be opened again."""
        if self._opening is not None:
            await self._opening

    async def _open(self) -> None:
        host, port = self._address
        assert self._door is not None
        listener = await asyncio.get_running_loop().create_server(
            self._door, host, port, ssl=self._tls, backlog=128, reuse_address=None, reuse_port=None
        )
        self._address = (host, listener.sockets[0].getsockname()[1])
        if self._door is None or self._faults.closing_door() or self._listener is not None:
            # Meanwhile it was stopped, closed again, or opened by somebody else.
            listener.close()
        else:
            self._listener = listener

    def _open_soon(self) -> None:
        if self._opening is not None and not self._opening.done():
            # It looks at the faults once it has the port; a second one would find the port taken by the first.
            return
        loop = asyncio.get_running_loop()
        self._opening = self._context.copy().run(loop.create_task, self._open_again())
        # Whoever waits for it gets the error; when nobody does, the log line is enough.
        self._opening.add_done_callback(lambda task: task.cancelled() or task.exception())

    async def _open_again(self) -> None:
        try:
            await self._open()
        except OSError as error:
            reason = error.strerror or str(error)  # an error of asyncio's own has no number
            _LOG.error("port %(port)s cannot be opened again: %(error)s", {"port": self.port, "error": reason})
            raise

    def _close_listener(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.close()

    def _drop_all(self, fault_id: str) -> None:
        for exchange in self._exchanges:
            exchange.drop(fault_id)
        for connection in self._door.connections if self._door is not None else ():
            if connection.transport is not None:
                reset(connection.transport)

    async def _handle(self, request: web.BaseRequest) -> Sent:
        exchange = Exchange(self._house, request, asyncio.get_running_loop().time())
        task = asyncio.current_task()
        assert task is not None
        self._exchanges[exchange] = task
        try:
            return await exchange.run()
        finally:
            del self._exchanges[exchange]
