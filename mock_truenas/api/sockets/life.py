"""The life of an open WebSocket: messages are taken until one side ends it, then everything it began ends too."""

import asyncio
import logging
from typing import Final, Protocol

from aiohttp import WSMsgType, web

from mock_truenas.api.house import House
from mock_truenas.api.methods.method import Principal
from mock_truenas.api.sockets.connection import Connection, Opening
from mock_truenas.api.sockets.endpoint import Endpoint
from mock_truenas.api.sockets.events import Ended, Event, Teller
from mock_truenas.api.sockets.limits import too_long
from mock_truenas.api.sockets.line import ABNORMAL, Line, Parting
from mock_truenas.api.sockets.older import DdpFace, NoJson
from mock_truenas.api.sockets.rpc import RpcFace
from mock_truenas.api.sockets.slots import Slots
from mock_truenas.api.sockets.subscriptions import Subscriptions
from mock_truenas.faults.active import Met
from mock_truenas.faults.effect import Stage

_NO_STATUS: Final = 1005
_LOG: Final = logging.getLogger("mock_truenas")


class Face(Protocol):
    """What a face does with a connection."""

    async def take(self, text: str) -> None:
        """A text message came."""
        ...

    def text_of(self, event: Event | Ended) -> str:
        """How an event is told."""
        ...


class Life:
    """One connection from the end of its handshake on."""

    def __init__(
        self,
        house: House,
        request: web.BaseRequest,
        endpoint: Endpoint,
        opening: Opening,
        socket: web.WebSocketResponse,
    ) -> None:
        self._house = house
        self._socket = socket
        self._loop = asyncio.get_running_loop()
        self._began_s = self._loop.time()
        self._line = Line(request, socket, self._patience)
        teller = Teller(house.appliance, endpoint.dialect, endpoint.face, self._listener)
        subscriptions = Subscriptions(teller, house.sessions.ticking, self._tell)
        self._connection = Connection(house, endpoint, opening, self._line, subscriptions)
        self._slots = Slots()
        self._face: Face = (RpcFace if endpoint.face == "rpc" else DdpFace)(self._connection, self._slots)

    async def live(self, met: Met) -> None:
        """Until it ends. ``met`` are the faults of the handshake, one of which may close it at once."""
        number = self._connection.opening.number
        self._house.sessions.peers[number] = self._connection
        try:
            closing = met.close()
            if closing is not None:
                await self._line.close(closing[1].code, closing[1].reason, (closing[0],))
            else:
                await self._converse()
        except asyncio.CancelledError:
            self._line.lost()
            raise
        finally:
            del self._house.sessions.peers[number]
            self._line.unwatch()
            self._connection.subscriptions.close()
            await self._slots.close()
            self._end()

    async def _converse(self) -> None:
        while True:
            message = await self._socket.receive()
            self._line.touch()
            if message.type is WSMsgType.TEXT:
                await self._take(message.data)
            elif message.type is WSMsgType.BINARY:
                await self._line.close(1003, f"Invalid websocket message type: {message.type!r}")
            elif message.type is WSMsgType.PING:
                await self._line.pong(message.data)
            elif message.type is not WSMsgType.PONG:
                self._line.ended(self._socket.close_code or _NO_STATUS)
                return

    async def _take(self, text: str) -> None:
        connection = self._connection
        known = connection.standing.session is not None
        length = too_long(text, connection.appliance.release.dialect, known=known)
        if length is not None:
            await self._line.close(length.code, length.reason)
            return
        try:
            await self._face.take(text)
        except NoJson as error:
            await self._line.close(1007, str(error))
        except (KeyError, TypeError, AttributeError, RecursionError) as error:
            # Messages the real one did not foresee break its loop as well (truenas-api 5.1, 6).
            _LOG.debug("a message broke its face: %(exception)s", {"exception": type(error).__name__})
            await self._line.close(1011)
        except Exception as error:  # the appliance's own form of a face that broke; here it is a bug of the mock
            _LOG.exception("a socket face broke: %(exception)s", {"exception": type(error).__name__})
            await self._line.close(1011)

    async def _tell(self, event: Event | Ended) -> None:
        """Tell the client of an event, through the faults it meets."""
        began_s = self._loop.time()
        connection = self._connection
        if not self._line.open or (isinstance(event, Event) and self._listener() is None):
            return
        met = self._house.faults.met_by(connection.target(event=event.collection))
        by: list[str] = []
        silenced_by = met.silenced_by()
        if silenced_by is not None:
            connection.journal(began_s, kind="event", call=event.collection, ended="silent", faults=(silenced_by,))
            return
        for fault in met.at(Stage.DELAY):
            by.append(fault.fault_id)
            await asyncio.sleep(fault.wait_s(self._loop.time()))
        if isinstance(event, Event) and event.fields is not None:
            fields, changed_by = met.changed(event.fields)
            event = Event(event.msg, event.collection, event.id, fields)
            by += (fault_id for fault_id in changed_by if fault_id not in by)
        delivered = await self._line.send(self._face.text_of(event), met, connection.endpoint.face)
        by += (fault_id for fault_id in delivered.faults if fault_id not in by)
        connection.journal(
            began_s,
            kind="event",
            call=event.collection,
            bytes=delivered.bytes,
            ended=delivered.ended,
            faults=tuple(by),
        )

    def _listener(self) -> Principal | None:
        """Who is told of events. Only a message ends a session whose time is over (truenas-api 5.3)."""
        session = self._connection.standing.session
        return session.principal if session is not None else None

    def _patience(self) -> tuple[float | None, tuple[str, ...]]:
        """How long a connection may be idle: as the front has it (truenas-api 1), or a fault if that is less."""
        own_s: float | None = None
        if self._house.faults.behaving(self._house.behaviour).idle_cut:
            own_s = self._house.appliance.release.dialect.value("front_read_timeout_s")
        fault = self._house.faults.idle_cut()
        if fault is not None and (own_s is None or fault[1] / 1e9 < own_s):
            return fault[1] / 1e9, (fault[0],)
        return own_s, ()

    def _end(self) -> None:
        parting = self._line.parting or Parting(ABNORMAL, "client_gone")
        self._connection.journal(
            self._began_s, kind="close", close_code=parting.code, ended=parting.ended, faults=parting.faults
        )
        self._connection.standing.leave()
