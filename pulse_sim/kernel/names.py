"""Names and addresses of the simulated network: what getaddrinfo answers. IPv4 only."""

import ipaddress
import socket
from collections.abc import Mapping
from typing import Any, Final

from pulse_sim.kernel.hosts import Host

AddressInfo = tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple[str, int]]

WILDCARD: Final = "0.0.0.0"  # noqa: S104 - an address of the simulated network
LOOPBACK: Final = "127.0.0.1"
_SERVICES: Final = {"http": 80, "https": 443}
_WORDS: Final = {
    socket.EAI_NONAME: "Name or service not known",
    socket.EAI_AGAIN: "Temporary failure in name resolution",
    socket.EAI_NODATA: "No address associated with hostname",
    socket.EAI_ADDRFAMILY: "Address family for hostname not supported",
    socket.EAI_SERVICE: "Servname not supported for ai_socktype",
}


def address_of(number: int) -> str:
    """The address of the n-th declared host, from 10.0.0.1 on."""
    return str(ipaddress.IPv4Address("10.0.0.0") + number + 1)


def is_numeric(name: str) -> bool:
    """Whether ``name`` is an IPv4 address already."""
    try:
        ipaddress.IPv4Address(name)
    except ValueError:
        return False
    return True


def literal(name: Any, *, passive: bool = False) -> str | None:
    """The address of what no name server is asked for: nothing, localhost, an address. None for every other name."""
    if name is None or name in ("", b""):
        return WILDCARD if passive else LOOPBACK
    text = canonical(name)
    if text == "localhost":
        return LOOPBACK
    return text if is_numeric(text) else None


def canonical(name: Any) -> str:
    """A name as name servers compare it: lower case, without the dot of the root."""
    text = name.decode("ascii", "replace") if isinstance(name, bytes) else str(name)
    return text.rstrip(".").lower()


def resolve(hosts: Mapping[str, Host], name: Any, *, passive: bool = False) -> str:
    """The one address of a literal or a declared host. Raises socket.gaierror as glibc does for an unknown name."""
    address = literal(name, passive=passive)
    if address is not None:
        return address
    host = declared(hosts, canonical(name))
    if host is None:
        raise failure(socket.EAI_NONAME)
    return host.address


def declared(hosts: Mapping[str, Host], name: str) -> Host | None:
    """The host a canonical name means, however it was written when it was declared."""
    return hosts.get(name) or next((host for host in hosts.values() if host.name.lower() == name), None)


def failure(code: int) -> socket.gaierror:
    """The error of getaddrinfo(3) for a code, in glibc's words."""
    return socket.gaierror(code, _WORDS[code])


def port_number(port: Any) -> int:
    """A port given as number, digits or one of the two services a browser knows."""
    if port is None or port == "":
        return 0
    if isinstance(port, int):
        return port
    text = port.decode("ascii", "replace") if isinstance(port, bytes) else str(port)
    if text in _SERVICES:
        return _SERVICES[text]
    if not text.isdigit():
        raise failure(socket.EAI_SERVICE)
    return int(text)
