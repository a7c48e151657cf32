"""Stand-ins for the sockets that aiohttp asks a transport or a server for. There is no descriptor behind them."""

import socket
import struct
from typing import Any, Final

from pulse_sim.kernel.fences import refuse

Address = tuple[str, int]

_LINGER: Final = struct.Struct("ii")


class UnconnectedSocket:
    """What a client library makes in order to connect it; never a descriptor, since opening one costs two syscalls.

    ``claim`` is the right to the simulated connection once `sock_connect` has made one.
    """

    family = socket.AF_INET
    type = socket.SOCK_STREAM
    proto = socket.IPPROTO_TCP

    __slots__ = ("claim",)

    def __init__(self, family: int = -1, type: int = -1, proto: int = -1) -> None:  # noqa: ARG002 - as socket.socket
        if type not in (-1, socket.SOCK_STREAM):
            refuse(f"a socket of type {type}")
        self.claim: Any = None

    def setblocking(self, _flag: bool) -> None:
        return None

    def bind(self, _address: Address) -> None:
        refuse("socket.bind")

    def fileno(self) -> int:
        return -1

    def close(self) -> None:
        self.claim = None  # unused, it closes the connection


class StandInSocket:
    """Knows its addresses and remembers options; SO_LINGER(1, 0) makes closing a reset."""

    family = socket.AF_INET
    type = socket.SOCK_STREAM
    proto = socket.IPPROTO_TCP

    __slots__ = ("_options", "local", "peer", "reset_on_close")

    def __init__(self, local: Address, peer: Address | None) -> None:
        self.local = local
        self.peer = peer
        self._options: dict[tuple[int, int], Any] | None = None
        self.reset_on_close = False

    def getsockname(self) -> Address:
        return self.local

    def getpeername(self) -> Address:
        if self.peer is None:
            raise OSError(107, "Transport endpoint is not connected")
        return self.peer

    def setsockopt(self, level: int, option: int, value: int | bytes) -> None:
        if level == socket.SOL_SOCKET and option == socket.SO_LINGER and isinstance(value, bytes):
            self.reset_on_close = _LINGER.unpack(value) == (1, 0)
        if self._options is None:
            self._options = {}
        self._options[level, option] = value

    def getsockopt(self, level: int, option: int, _length: int = 0) -> int | bytes:
        value: int | bytes = (self._options or {}).get((level, option), 0)
        return value

    def fileno(self) -> int:
        return -1

    def gettimeout(self) -> float:
        return 0.0

    def setblocking(self, _flag: bool) -> None:
        return None

    def close(self) -> None:
        return None
