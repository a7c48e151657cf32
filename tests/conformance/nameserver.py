"""A name server on loopback and how glibc is made to ask it: unprivileged, and for this process only.

glibc keeps its resolver's state per thread, `struct __res_state`, and honours what a program writes there; the order of
name services is set through `__nss_configure_lookup`. So the resolver under test is glibc's own.
"""

import asyncio
import ctypes
import socket
import struct
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

LATE_S: Final = 0.3
_ADDRESS: Final = b"\xc0\x0c" + struct.pack("!HHIH4s", 1, 1, 60, 4, socket.inet_aton("127.0.0.1"))
_A: Final = 1


class _ResolverState(ctypes.Structure):
    """The head of `struct __res_state`, <resolv.h>."""

    _fields_ = (
        ("retrans_s", ctypes.c_int),
        ("retry", ctypes.c_int),
        ("options", ctypes.c_ulong),
        ("nscount", ctypes.c_int),
        ("nsaddr_list", ctypes.c_ubyte * 48),
    )


def resolver_threads(port: int) -> ThreadPoolExecutor:
    """Threads whose getaddrinfo asks 127.0.0.1:port, once, and waits for four seconds."""
    libc = ctypes.CDLL(None)
    libc.__nss_configure_lookup(b"hosts", b"files dns")
    state_of = getattr(libc, "__res_state")
    state_of.restype = ctypes.POINTER(_ResolverState)

    def point() -> None:
        getattr(libc, "__res_init")()
        state = state_of().contents
        state.retrans_s, state.retry, state.nscount = 4, 1, 1
        family = struct.pack("=H", socket.AF_INET)
        state.nsaddr_list[:16] = family + struct.pack("!H4s8x", port, socket.inet_aton("127.0.0.1"))

    return ThreadPoolExecutor(max_workers=8, initializer=point)


class NameServer(asyncio.DatagramProtocol):
    """Answers each name as its cell wants it; unknown names do not exist."""

    def __init__(self) -> None:
        self._events: dict[bytes, str] = {}
        self._transport: Any = None
        self.port = 0

    @classmethod
    async def start(cls) -> "NameServer":
        transport, server = await asyncio.get_running_loop().create_datagram_endpoint(cls, local_addr=("127.0.0.1", 0))
        server._transport, server.port = transport, transport.get_extra_info("sockname")[1]
        return server

    def add(self, label: str, event: str) -> str:
        """The name that meets ``event``."""
        self._events[label.lower().encode()] = event
        return f"{label.lower()}.test"

    def close(self) -> None:
        self._transport.close()

    def datagram_received(self, data: bytes, address: Any) -> None:
        question, name, kind = _question(data)
        event = self._events.get(name, "refuse")
        if event in ("silence", "peer_timeout"):
            return
        if event == "garbage":
            self._transport.sendto(data[:2] + b"\x81\x80" + b"\xff" * 20, address)
        elif event == "refuse":
            self._transport.sendto(_header(data, 3, 0) + question, address)
        else:
            answers = 1 if kind == _A else 0
            whole = _header(data, 0, answers) + question + _ADDRESS * answers
            late_s = LATE_S if event == "slow" else 0
            cut = len(whole) - 3 if event == "cut_length" else len(whole)
            asyncio.get_running_loop().call_later(late_s, self._transport.sendto, whole[:cut], address)


def _question(data: bytes) -> tuple[bytes, bytes, int]:
    """The question's bytes, the name's first label, the record type."""
    at = 12
    while data[at]:
        at += data[at] + 1
    question = data[12 : at + 5]
    return question, data[13 : 13 + data[12]].lower(), struct.unpack("!H", question[-4:-2])[0]


def _header(data: bytes, code: int, answers: int) -> bytes:
    return data[:2] + struct.pack("!5H", 0x8180 | code, 1, answers, 0, 0)
