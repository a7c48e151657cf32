"""aiohttp's server with nginx's manners: no banner of its own, no log lines about broken clients."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final, cast

from aiohttp import web
from aiohttp.http_exceptions import LineTooLong

from mock_truenas.api.answer import nginx_page, server_error
from mock_truenas.api.exchange import LARGEST_BODY, Exchange
from mock_truenas.api.house import House, reset

_KEEP_ALIVE_S: Final = 65.0
_LOG: Final = logging.getLogger("mock_truenas")
_QUIET: Final = logging.getLogger("mock_truenas.http")


class Door(web.Server):
    """Makes connections with nginx's manners."""

    def __init__(self, handle: Callable[..., Any], house: House, admits: Callable[[], bool]) -> None:
        super().__init__(handle, request_factory=self._request, handler_cancellation=True)
        self.house = house
        self.admits = admits
        self.loop = asyncio.get_running_loop()

    def __call__(self) -> "Connection":
        return Connection(
            self,
            loop=self.loop,
            keepalive_timeout=_KEEP_ALIVE_S,
            access_log=None,
            logger=_QUIET,
        )

    def _request(self, message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
        return web.BaseRequest(message, payload, protocol, writer, task, self.loop, client_max_size=LARGEST_BODY)


class Connection(web.RequestHandler):
    """One client connection."""

    def __init__(self, door: Door, **options: Any) -> None:
        super().__init__(door, **options)
        self._door = door

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if not self._door.admits():
            # It knocked, or shook hands for TLS, while the door was being closed.
            reset(cast(asyncio.Transport, transport))

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002  # aiohttp's words for what was wrong; nginx keeps silent about it
    ) -> web.StreamResponse:
        """What nginx says to bytes that are no request, without a line in the log; else aiohttp's own 500."""
        if status == 400:
            answer = nginx_page(414 if isinstance(exc, LineTooLong) else 400)
        else:
            _LOG.error("request broke: %(exception)s", {"exception": type(exc).__name__})
            answer = server_error(request.headers.get("Accept", ""))
        exchange = Exchange(self._door.house, request, self._door.loop.time())
        return exchange.refuse(answer)
