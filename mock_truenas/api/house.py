"""What all connections of one server share, and how a connection is ended. Knows no request and no face."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from mock_truenas.api.auth.sessions import Sessions
from mock_truenas.api.rest import Rest
from mock_truenas.appliance.nas import Appliance
from mock_truenas.behaviour import AS_DELIVERED, Behaviour
from mock_truenas.clock import Clock
from mock_truenas.faults.active import ActiveFaults
from mock_truenas.journal import JournalEntry


@dataclass(frozen=True)
class House:
    """What all exchanges of one server share."""

    appliance: Appliance
    rest: Rest
    faults: ActiveFaults
    journal: Callable[[JournalEntry], None]
    clock: Clock
    server_name: str
    scheme: str
    sessions: Sessions
    behaviour: Behaviour = AS_DELIVERED

    @property
    def secure(self) -> bool:
        """Whether it serves TLS, so that no key is ever sent in the clear."""
        return self.scheme == "https"


class Sent(web.StreamResponse):
    """Tells aiohttp that the answer is on its way already, and whether the connection goes on; holds nothing else."""

    def __init__(self, *, goes_on: bool) -> None:
        super().__init__()
        self._goes_on = goes_on

    @property
    def keep_alive(self) -> bool:
        """Whether another request may follow."""
        return self._goes_on

    async def prepare(self, request: web.BaseRequest) -> None:
        """Nothing is left to send."""

    async def write_eof(self, data: bytes = b"") -> None:
        """Nothing is left to send."""


def transport_of(request: web.BaseRequest) -> asyncio.Transport:
    """The connection of a request. Raises ConnectionResetError when it is gone."""
    transport = request.transport
    if transport is None or transport.is_closing():
        raise ConnectionResetError("the client is gone")
    return transport


def reset(transport: asyncio.Transport) -> None:
    """Drop a connection so that its peer sees a reset: no lingering, unsent bytes are thrown away."""
    connection = transport.get_extra_info("socket")
    if connection is not None:
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
