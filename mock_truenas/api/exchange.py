"""One request from its head to its end: where each stage of the faults is applied, and what the journal gets to know.

The stages are carried out from the fields of effects; nothing here asks which kind of fault it has.
"""

import asyncio
import logging
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web

from mock_truenas.api import front
from mock_truenas.api.answer import Answer, method_error, nginx_page
from mock_truenas.api.credentials import fingerprint
from mock_truenas.api.house import House, Sent, reset, transport_of
from mock_truenas.faults.active import NOTHING_MET, Met
from mock_truenas.faults.effect import Asked, Stage
from mock_truenas.faults.target import Target
from mock_truenas.journal import Ending, JournalEntry

LARGEST_BODY: Final = 64 << 20
_SMALL: Final = 64 << 10
_BUG: Final = logging.getLogger("mock_truenas")


_NEXT: Final = Sent(goes_on=True)
_LAST: Final = Sent(goes_on=False)


@dataclass(eq=False)
class Exchange:
    """One request and the answer to it."""

    house: House
    request: web.BaseRequest
    started_s: float
    path: str = ""
    query: str = ""
    status: int | None = None
    sent: int = 0
    shaped_by: list[str] = field(default_factory=list)
    silent: bool = False
    dropped: bool = False

    async def run(self) -> Sent:
        """Answer the request. Always writes one journal entry, also when the client goes or the door closes."""
        try:
            return await self._answer()
        except asyncio.CancelledError:
            self.end("reset" if self.dropped else "silent" if self.silent else "client_gone")
            raise
        except ConnectionError:
            # Not raised on: aiohttp would try to answer the client that is gone with an error page.
            self.end("reset" if self.dropped else "client_gone")
            return _LAST

    async def _answer(self) -> Sent:
        self.path, _, self.query = _origin_form(self.request.raw_path).partition("?")
        below = front.below_api(self.path)
        target = Target("front", self.request.method, self.path) if below is None else self._target(below)
        met = self.house.faults.met_by(target)
        if met is not NOTHING_MET:
            await self._wait(met)
        answer = await self._made(met, below)
        return await self._deliver(self._rewritten(answer, met), met)

    def _target(self, below: str) -> Target:
        return Target("rest", self.request.method, _bare(below))

    async def _wait(self, met: Met) -> None:
        """Stages DROP and DELAY."""
        for fault in met.at(Stage.DROP):
            self.shaped_by.append(fault.fault_id)
            self.silent = True
            await asyncio.get_running_loop().create_future()
        for fault in met.at(Stage.DELAY):
            self.shaped_by.append(fault.fault_id)
            await asyncio.sleep(fault.wait_s(asyncio.get_running_loop().time()))

    async def _made(self, met: Met, below: str | None) -> Answer:
        """Stages STATUS and STATE: the answer of the latest status fault, else of the front or the API."""
        host = self.request.headers.get("Host")
        if met is not NOTHING_MET:
            instead = met.answer(Asked(self.house.scheme, host or "", self.request.raw_path))
            if instead is not None:
                self.shaped_by.append(instead[0].fault_id)
                return instead[1]
        if host is None and self.request.version >= (1, 1):
            return nginx_page(400)
        if below is None:
            return front.own_answer(self.path, self.house.scheme, host or "")
        method, rest = self.request.method, self.house.rest
        try:
            body = await self._body() if rest.wants_body(method, below) else b""
        except web.HTTPRequestEntityTooLarge:
            return nginx_page(413)
        try:
            outcome = rest.respond(method, below, self.query, self.request.headers.get("Authorization"), body)
        except Exception as error:  # the appliance's own form of a method that broke; here it is a bug of the mock
            _BUG.exception(
                "REST method %(path)s broke: %(exception)s", {"path": below, "exception": type(error).__name__}
            )
            return method_error(str(error), "Traceback (most recent call last):\n" + type(error).__name__ + "\n")
        self.shaped_by += outcome.revoked_by
        return outcome.answer

    async def _body(self) -> bytes:
        if self.request.headers.get("Expect", "").lower() == "100-continue":
            transport_of(self.request).write(b"HTTP/1.1 100 Continue\r\n\r\n")
        return await self.request.read()

    def _rewritten(self, answer: Answer, met: Met) -> Answer:
        """First half of stage BODY."""
        for fault in met.at(Stage.BODY):
            if fault.effect.rewrite is not None:
                self.shaped_by.append(fault.fault_id)
                answer = fault.effect.rewrite(answer)
        return answer

    async def _deliver(self, answer: Answer, met: Met) -> Sent:
        """Second half of stage BODY, and PACE: send all, or a part and then FIN or RST."""
        goes_on = self.request.keep_alive
        head = self._head(answer, goes_on=goes_on)
        body = b"" if self.request.method == "HEAD" else answer.body
        stop = _stop(met, len(body))
        if stop is None:
            await self._send(answer.status, head, body)
            self.end("complete")
            return _NEXT if goes_on else _LAST
        self.shaped_by.append(stop.fault_id)
        if stop.ending == "reset":
            # Bytes still in our own buffer would be lost with the connection; wait until the kernel has them.
            transport_of(self.request).set_write_buffer_limits(high=0)
        if body:
            await self._send(answer.status, head, body[: stop.after])
        if stop.ending == "reset":
            await self.request.writer.drain()
            reset(transport_of(self.request))
        self.end(stop.ending)
        return _LAST

    def _head(self, answer: Answer, *, goes_on: bool) -> bytes:
        date = front.http_date(self.house.clock.now_ns() // 1_000_000_000)
        return front.head(answer, server=self.house.server_name, date=date, length=len(answer.body), keep_alive=goes_on)

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

    async def _send(self, status: int, head: bytes, body: bytes) -> None:
        transport = transport_of(self.request)
        self.status = status
        self.sent = len(body)
        if len(body) <= _SMALL:
            transport.write(head + body)
        else:
            transport.write(head)
            transport.write(body)
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
            )
        )


@dataclass(frozen=True)
class Stop:
    """Where an answer ends before its time, how, and by which fault."""

    after: int
    ending: Ending
    fault_id: str


def _stop(met: Met, length: int) -> Stop | None:
    """The stop that comes first; at the same byte the cut does, as BODY is before PACE."""
    if met is NOTHING_MET:
        return None
    most = max(0, length - 1)
    stops = [
        Stop(min(fault.effect.keep_bytes, most), "cut", fault.fault_id)
        for fault in met.at(Stage.BODY)
        # An answer without a body cannot promise more than it sends.
        if fault.effect.keep_bytes is not None and length
    ] + [
        Stop(min(fault.effect.reset_after, most), "reset", fault.fault_id)
        for fault in met.at(Stage.PACE)
        if fault.effect.reset_after is not None
    ]
    return min(stops, key=lambda stop: stop.after, default=None)


def _origin_form(target: str) -> str:
    """The target of a request line without scheme and host, should it have them."""
    if target.startswith("/"):
        return target
    _, separator, rest = target.partition("://")
    return "/" + rest.partition("/")[2] if separator else target


def _bare(path: str) -> str:
    return path[:-1] if len(path) > 1 and path.endswith("/") else path
