"""One request from its head to its end: where each stage of the faults is applied, and what the journal gets to know.

The stages are carried out from the fields of effects; nothing here asks which kind of fault it has.
"""

import asyncio
import logging
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Final

from aiohttp import HttpVersion11, web

from mock_truenas.api import front
from mock_truenas.api.answer import Answer, method_error, nginx_page, text
from mock_truenas.api.credentials import fingerprint
from mock_truenas.api.house import House, Sent, reset, transport_of
from mock_truenas.api.rest import Outcome, Way
from mock_truenas.api.sockets.door import Endpoint, endpoint_of, serve_socket
from mock_truenas.api.stop import stop_of
from mock_truenas.faults.active import NOTHING_MET, Met
from mock_truenas.faults.effect import Asked, Stage
from mock_truenas.faults.target import Face, Target
from mock_truenas.journal import Ending, JournalEntry

LARGEST_BODY: Final = 64 << 20
"""What is read of a body; a real box would take more, a test needs less."""
LARGEST_PROMISED: Final = 1000 << 20
"""``client_max_body_size`` of the front: beyond, nothing is read at all (truenas-api 1)."""
_SMALL: Final = 64 << 10
_LOG: Final = logging.getLogger("mock_truenas")
_NEXT: Final = Sent(goes_on=True)
_LAST: Final = Sent(goes_on=False)


@dataclass(eq=False, slots=True)
class Exchange:
    """One request and the answer to it."""

    house: House
    request: web.BaseRequest
    started_s: float
    at_ns: int = 0
    face: Face = "front"
    path: str = ""
    query: str = ""
    way: Way | None = None
    user: str | None = None
    error: int | None = None
    status: int | None = None
    sent: int = 0
    shaped_by: list[str] = field(default_factory=list)
    silent: bool = False
    method_takes_s: float = 0.0
    dropped: bool = False
    closes: bool = False

    async def run(self) -> Sent:
        """Answer the request. Always writes one journal entry, also when the client goes or the door closes."""
        self.at_ns = self.house.clock.now_ns()
        self.path, _, self.query = _origin_form(self.request.raw_path).partition("?")
        self.house.appliance.evolve()
        below = front.below_api(self.path)
        endpoint = endpoint_of(self.path, self.house.appliance.release) if below is None else None
        if endpoint is not None and self.request.method == "GET":
            return await self._socket(endpoint)
        try:
            return await self._answer(below, endpoint)
        except asyncio.CancelledError:
            self.end("reset" if self.dropped else "silent" if self.silent else "client_gone")
            raise
        except ConnectionError:
            # Not raised on: aiohttp would try to answer the client that is gone with an error page.
            self.end("reset" if self.dropped else "client_gone")
            return _LAST

    async def _socket(self, endpoint: Endpoint) -> Sent:
        """A WebSocket from its handshake on; it keeps its own journal."""
        number = self.house.sessions.take_number()
        met = self.house.faults.met_by(Target(endpoint.face, "GET", self.path, connection=number))
        return await serve_socket(self.house, self.request, endpoint, met, number)

    async def _answer(self, below: str | None, endpoint: Endpoint | None) -> Sent:
        verb = self.request.method
        if below is None:
            target = Target("front", verb, self.path)
        else:
            self.face = "rest"
            self.way = self.house.rest.way(verb, below)
            target = self.way.target
        met = self.house.faults.met_by(target)
        if met is not NOTHING_MET:
            await self._wait(met)
        answer = await self._made(met, endpoint)
        if met is not NOTHING_MET or self._changes_answers():
            answer = await self._rewritten(answer, met)
        return await self._deliver(answer, met)

    def _changes_answers(self) -> bool:
        """Whether the front does more to an answer than to send it."""
        return self.request.version < HttpVersion11 or self.house.faults.behaving(self.house.behaviour).gzip

    async def _wait(self, met: Met) -> None:
        """Stages DROP and DELAY."""
        silenced_by = met.silenced_by()
        if silenced_by is not None:
            self.shaped_by.append(silenced_by)
            self.silent = True
            await asyncio.get_running_loop().create_future()
        for fault in met.at(Stage.DELAY):
            self.shaped_by.append(fault.fault_id)
            wait_s = fault.wait_s(asyncio.get_running_loop().time())
            if fault.effect.in_method:
                self.method_takes_s += wait_s
            else:
                await asyncio.sleep(wait_s)

    async def _made(self, met: Met, endpoint: Endpoint | None) -> Answer:
        """Stages STATUS and STATE: the answer of the latest status fault, else of the front or the API."""
        host = self.request.headers.get("Host")
        instead = met.answer(self._asked(host)) if met is not NOTHING_MET else None
        if instead is not None:
            fault, answer = instead
            if fault.effect.performs and self.way is not None:
                await self._performed(self.way, NOTHING_MET)
            self.shaped_by.append(fault.fault_id)
            return answer
        if host is None and self.request.version >= HttpVersion11:
            return nginx_page(400)
        if self.request.body_exists and (self.request.content_length or 0) > LARGEST_PROMISED:
            self.closes = True
            return nginx_page(413)
        way = self.way
        if not self.house.appliance.state.host.answers and self.path.startswith("/api"):
            # The front stays up while what is behind it shuts down or is not there yet.
            return nginx_page(502)
        if way is None:
            if endpoint is not None:
                return text(405, headers=(("Allow", "GET"),))
            return front.own_answer(self.request.method, self.path, self._asked(host), self.house.appliance.release)
        if way.route is not None and way.route.wants_body and self.request.body_exists:
            return await self._performed(way, met)
        outcome = self._respond(way, b"", met)
        return self._noted(outcome) if isinstance(outcome, Outcome) else await self._waited(outcome)

    def _asked(self, host: str | None) -> Asked:
        return Asked(self.house.scheme, host or "", self.request.raw_path)

    async def _performed(self, way: Way, met: Met) -> Answer:
        """What REST answers to a request with a body."""
        try:
            wanted = way.route is not None and way.route.wants_body and self.request.body_exists
            body = await self._body() if wanted else b""
        except web.HTTPRequestEntityTooLarge:
            return nginx_page(413)
        outcome = self._respond(way, body, met)
        return self._noted(outcome) if isinstance(outcome, Outcome) else await self._waited(outcome)

    def _respond(self, way: Way, body: bytes, met: Met) -> Outcome | Awaitable[Outcome]:
        headers = self.request.headers
        authorization, accept = headers.get("Authorization"), headers.get("Accept", "")
        if self.method_takes_s:
            return self._slowly(way, body, met)
        try:
            address = self.request.remote or ""
            return self.house.rest.respond(way, self.query, body, authorization, accept, met, address)
        except Exception as error:
            return self._broken(error)

    async def _slowly(self, way: Way, body: bytes, met: Met) -> Outcome:
        """What comes of a method that faults make slow; the front may give up on it meanwhile."""
        await asyncio.sleep(self.method_takes_s)
        self.method_takes_s = 0.0
        outcome = self._respond(way, body, met)
        return outcome if isinstance(outcome, Outcome) else await outcome

    def _broken(self, error: Exception) -> Outcome:
        """The appliance's own form of a method that broke; here it is a bug of the mock."""
        kind = type(error).__name__
        _LOG.error("REST method %(path)s broke: %(exception)s", {"path": self.path, "exception": kind}, exc_info=error)
        return Outcome(method_error(str(error), f"Traceback (most recent call last):\n{kind}\n"))

    def _noted(self, outcome: Outcome) -> Answer:
        self.user, self.error = outcome.user, outcome.error
        if outcome.user is not None:
            self.house.appliance.note_rest_use(self.request.remote or "")
        if outcome.faults:
            self.shaped_by += outcome.faults
        return outcome.answer

    async def _waited(self, outcome: Awaitable[Outcome]) -> Answer:
        """The answer of what takes time; the front's page when it gave up. It goes on, even when the client goes."""
        house = self.house
        behaviour = house.faults.behaving(house.behaviour)
        patience_s = house.appliance.release.dialect.value("front_read_timeout_s") if behaviour.idle_cut else None
        task = house.rest.keep(outcome)
        done, _ = await asyncio.wait([task], timeout=patience_s)
        if not done:
            return nginx_page(504)
        error = task.exception()
        if error is None:
            return self._noted(task.result())
        if not isinstance(error, Exception):
            raise error
        return self._noted(self._broken(error))

    async def _body(self) -> bytes:
        if self.request.headers.get("Expect", "").lower() == "100-continue":
            transport_of(self.request).write(b"HTTP/1.1 100 Continue\r\n\r\n")
        return await self.request.read()

    async def _rewritten(self, answer: Answer, met: Met) -> Answer:
        """First half of stage BODY, and what the front does to every answer."""
        for fault in met.at(Stage.BODY) if met is not NOTHING_MET else ():
            if fault.effect.rewrite is not None:
                self.shaped_by.append(fault.fault_id)
                answer = fault.effect.rewrite(answer.whole())
        if self.request.version < HttpVersion11:
            return front.for_http_1_0(answer)
        if self.house.faults.behaving(self.house.behaviour).gzip:
            return await front.compressed(answer, self.request.headers.get("Accept-Encoding", ""))
        return answer

    async def _deliver(self, answer: Answer, met: Met) -> Sent:
        """Second half of stage BODY, and PACE: send all, or a part and then FIN or RST."""
        goes_on = self.request.keep_alive and not self.closes
        head = self._head(answer, goes_on=goes_on)
        if self.request.method == "HEAD":
            # The head is that of the whole answer, and nothing follows it.
            answer = Answer(answer.status)
        stop = stop_of(met, answer.length)
        if stop is None:
            if answer.pieces or answer.chunked or answer.length > _SMALL:
                await self._send(head, answer)
            else:
                transport_of(self.request).write(head + answer.body)
                self.status, self.sent = answer.status, len(answer.body)
            self.end("complete")
            return _NEXT if goes_on else _LAST
        self.shaped_by.append(stop.fault_id)
        if stop.ending == "reset":
            # Bytes still in our own buffer would be lost with the connection; wait until the kernel has them.
            transport_of(self.request).set_write_buffer_limits(high=0)
        if answer.length:
            await self._send(head, front.begun(answer, stop.after))
        if stop.ending == "reset":
            await self.request.writer.drain()
            reset(transport_of(self.request))
        self.end(stop.ending)
        return _LAST

    def _head(self, answer: Answer, *, goes_on: bool) -> bytes:
        now_s = self.house.clock.now_ns() // 1_000_000_000
        return front.head(answer, self.house.server_name, now_s, goes_on)

    def refuse(self, answer: Answer) -> Sent:
        """Answer bytes that were no request, and close."""
        try:
            transport_of(self.request).write(self._head(answer, goes_on=False) + answer.body)
        except ConnectionError:
            self.end("client_gone")
        else:
            self.status, self.sent = answer.status, len(answer.body)
            self.end("complete")
        return _LAST

    def drop(self, fault_id: str) -> None:
        """The connection is about to be reset by a fault."""
        self.dropped = True
        self.shaped_by.append(fault_id)

    async def _send(self, head: bytes, answer: Answer) -> None:
        transport = transport_of(self.request)
        self.status = answer.status
        self.sent = answer.length
        body = front.chunk(answer.body) if answer.chunked and answer.body else answer.body
        if len(body) <= _SMALL and not answer.pieces:
            transport.write(head + body + (front.chunk(b"") if answer.chunked else b""))
            return
        transport.write(head)
        transport.write(body)
        for piece in answer.pieces:
            await self.request.writer.drain()
            # A fast reader never fills the buffer; others get their turn all the same.
            await asyncio.sleep(0)
            transport_of(self.request).write(front.chunk(piece) if answer.chunked else piece)
        if answer.chunked:
            transport.write(front.chunk(b""))
        await self.request.writer.drain()

    def end(self, ending: Ending) -> None:
        """Write the journal entry."""
        headers = self.request.headers
        # Whole microseconds: loop time is a float, and equal waits would differ in their last nanosecond.
        passed_us = round((asyncio.get_running_loop().time() - self.started_s) * 1e6)
        self.house.journal(
            JournalEntry(
                method=self.request.method,
                path=self.path,
                query=self.query,
                status=self.status,
                duration_ns=passed_us * 1000,
                bytes=self.sent,
                ended=ending,
                faults=tuple(self.shaped_by),
                credential=fingerprint(headers.get("Authorization")),
                user_agent=headers.get("User-Agent"),
                face=self.face,
                call=(self.way.call or None) if self.way is not None else None,
                user=self.user,
                error=self.error,
                at_ns=self.at_ns,
            )
        )


def _origin_form(target: str) -> str:
    """The target of a request line without scheme and host, should it have them."""
    if target.startswith("/"):
        return target
    _, separator, rest = target.partition("://")
    return "/" + rest.partition("/")[2] if separator else target
