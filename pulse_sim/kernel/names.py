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


def resolve(hosts: Mapping[str, Host], name: Any, *, passive: bool = False) -> str:
    """The one address of a name. Raises socket.gaierror as glibc does for an unknown one."""
    if isinstance(name, bytes):
        name = name.decode("ascii", "replace")
    if name is None or name == "":
        return WILDCARD if passive else LOOPBACK
    text = str(name).rstrip(".").lower()
    if text == "localhost":
        return LOOPBACK
    if is_numeric(text):
        return text
    for host in (hosts.get(str(name)), hosts.get(text)):
        if host is not None:
            return host.address
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


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
        raise socket.gaierror(socket.EAI_SERVICE, "Servname not supported for ai_socktype")
    return int(text)
