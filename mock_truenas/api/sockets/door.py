"""Where a WebSocket begins and ends: the handshake, the life of the connection, and what the journal hears of both."""

import asyncio
from dataclasses import dataclass, field
from typing import Final

from aiohttp import hdrs, web
from multidict import CIMultiDict

from mock_truenas.api import front
from mock_truenas.api.answer import Answer, nginx_page, text
from mock_truenas.api.credentials import fingerprint
from mock_truenas.api.house import House, Sent, transport_of
from mock_truenas.api.sockets.connection import Opening
from mock_truenas.api.sockets.endpoint import Endpoint, endpoint_of
from mock_truenas.api.sockets.life import Life
from mock_truenas.faults.active import Met
from mock_truenas.faults.effect import Asked, Stage
from mock_truenas.journal import Ending, JournalEntry

__all__ = ["Endpoint", "endpoint_of", "serve_socket"]

_LONGEST_MESSAGE: Final = 4 << 20


async def serve_socket(house: House, request: web.BaseRequest, endpoint: Endpoint, met: Met, number: int) -> Sent:
    """Serve a request for a WebSocket to the end of its connection.

    ``met`` are the faults of the handshake, ``number`` is the connection's. Journals it all.
    """
    handshake = _Handshake(house, request, endpoint, number)
    try:
        socket = await handshake.shake(met)
    except asyncio.CancelledError:
        handshake.journal("silent" if handshake.silent else "client_gone")
        raise
    except ConnectionError:
        handshake.journal("client_gone")
        return Sent(goes_on=False)
    if socket is None:
        return Sent(goes_on=request.keep_alive)
    life = Life(house, request, endpoint, handshake.opening, socket)
    await life.live(met)
    return Sent(goes_on=False)


@dataclass(eq=False)
class _Handshake:
    house: House
    request: web.BaseRequest
    endpoint: Endpoint
    number: int
    shaped_by: list[str] = field(default_factory=list)
    silent: bool = False

    def __post_init__(self) -> None:
        path, _, query = self.request.raw_path.partition("?")
        self.opening = Opening(
            number=self.number,
            address=_address(self.request),
            path=path,
            query=query,
            user_agent=self.request.headers.get("User-Agent"),
            began_s=asyncio.get_running_loop().time(),
            began_ns=self.house.clock.now_ns(),
        )

    async def shake(self, met: Met) -> web.WebSocketResponse | None:
        """The open socket; None when something else was answered. Raises ConnectionError when the client is gone."""
        await self._wait(met)
        asked = Asked(self.house.scheme, self.request.headers.get("Host", ""), self.request.raw_path)
        instead = met.answer(asked)
        if instead is not None:
            self.shaped_by.append(instead[0].fault_id)
            await self._answer(instead[1])
            return None
        if not self.house.appliance.state.host.answers:
            await self._answer(nginx_page(502))
            return None
        socket = web.WebSocketResponse(autoping=False, max_msg_size=_LONGEST_MESSAGE)
        socket.headers.extend(self._headers())
        try:
            await socket.prepare(_without_protocols(self.request))
        except web.HTTPBadRequest as refused:
            await self._answer(text(400, refused.text))
            return None
        self.journal("complete", 101)
        return socket

    async def _wait(self, met: Met) -> None:
        """Stages DROP and DELAY."""
        silenced_by = met.silenced_by()
        if silenced_by is not None:
            self.shaped_by.append(silenced_by)
            self.silent = True
            await asyncio.get_running_loop().create_future()
        for fault in met.at(Stage.DELAY):
            self.shaped_by.append(fault.fault_id)
            await asyncio.sleep(fault.wait_s(asyncio.get_running_loop().time()))

    async def _answer(self, answer: Answer) -> None:
        """Another answer than 101, as the front sends it."""
        transport = transport_of(self.request)
        transport.write(self._head(answer) + answer.body)
        await self.request.writer.drain()
        self.journal("complete", answer.status, len(answer.body))

    def _head(self, answer: Answer) -> bytes:
        now_s = self.house.clock.now_ns() // 1_000_000_000
        return front.head(answer, self.house.server_name, now_s, self.request.keep_alive)

    def _headers(self) -> list[tuple[str, str]]:
        """What the front adds to every answer; what belongs to the connection, the upgrade says itself."""
        lines = self._head(Answer(101, content_type=None)).decode().split("\r\n")[1:-2]
        pairs = (line.partition(": ") for line in lines)
        return [(name, value) for name, _, value in pairs if name not in ("Content-Length", "Connection")]

    def journal(self, ended: Ending, status: int | None = None, sent: int = 0) -> None:
        """Write the entry of the handshake."""
        opening = self.opening
        self.house.journal(
            JournalEntry(
                method=self.request.method,
                path=opening.path,
                query=opening.query,
                status=status,
                duration_ns=round((asyncio.get_running_loop().time() - opening.began_s) * 1e6) * 1000,
                bytes=sent,
                ended=ended,
                faults=tuple(self.shaped_by),
                credential=fingerprint(self.request.headers.get("Authorization")),
                user_agent=opening.user_agent,
                face=self.endpoint.face,
                kind="handshake",
                connection=opening.number if status == 101 else None,
                at_ns=opening.began_ns,
            )
        )


def _without_protocols(request: web.BaseRequest) -> web.BaseRequest:
    """The request without subprotocols: none is spoken here, and aiohttp would say so in the log."""
    if hdrs.SEC_WEBSOCKET_PROTOCOL not in request.headers:
        return request
    kept = CIMultiDict(request.headers)
    kept.popall(hdrs.SEC_WEBSOCKET_PROTOCOL)
    return request.clone(headers=kept)


def _address(request: web.BaseRequest) -> str:
    return request.remote or ""
