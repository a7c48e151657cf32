"""The resolver of the simulated network: what getaddrinfo and getnameinfo answer, and when. IPv4 only.

It stands for glibc's stub resolver with one name server, and for that server. It knows names and addresses, never
connections.
"""

import asyncio
import socket
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from pulse_sim.kernel import names
from pulse_sim.kernel.endpoint import Watch
from pulse_sim.kernel.hosts import Host
from pulse_sim.kernel.links import ANY

ATTEMPT_NS: Final = 5_000_000_000  # resolv.conf(5): timeout, RES_TIMEOUT
ATTEMPTS: Final = 2  # resolv.conf(5): attempts, RES_DFLRETRY

_KINDS: Final = ("nxdomain", "servfail", "slow", "silence")


@dataclass(frozen=True, slots=True)
class DnsFault:
    """What is wrong with the answers for a name. ``delay_ns`` counts only for kind ``slow``.

    nxdomain: there is no such name (EAI_NONAME). servfail: the server cannot tell (EAI_AGAIN). slow: the answer comes
    later. silence: the question is lost; the stub asks again after 5 s and gives up after 10 s (EAI_AGAIN).
    """

    kind: Literal["nxdomain", "servfail", "slow", "silence"]
    delay_ns: int = 0

    def __post_init__(self) -> None:
        if self.kind not in _KINDS:
            raise ValueError(f"no such DNS fault: {self.kind!r}")
        if self.delay_ns < 0:
            raise ValueError("a delay is not negative")


@dataclass(frozen=True, slots=True)
class _Applied:
    fault: DnsFault
    name: str
    host: str

    def covers(self, name: str, host: str) -> bool:
        return self.name in (ANY, name) and self.host in (ANY, host)


@dataclass(frozen=True, slots=True)
class _Answer:
    """What comes back: addresses, or the code getaddrinfo fails with."""

    addresses: tuple[str, ...] = ()
    code: int = 0

    def told(self) -> bytes:
        return " ".join(self.addresses or (str(self.code),)).encode()


class Resolver:
    """Answers from the declared hosts and published names. ``latency_ns`` is how long a healthy look-up takes."""

    def __init__(
        self, hosts: Mapping[str, Host], by_address: Mapping[str, Host], here: Callable[[], Host], watch: Watch
    ) -> None:
        """``hosts`` by name and by address, as the network keeps them; ``here`` tells the asking host."""
        self.latency_ns = 0
        self._hosts = hosts
        self._by_address = by_address
        self._here = here
        self._watch = watch
        self._published: dict[str, tuple[str, ...]] = {}
        self._faults: dict[str, _Applied] = {}

    # ---- names and faults

    def publish(self, name: str, addresses: Iterable[str]) -> None:
        """Give a name these IPv4 addresses, in this order, whether or not a host is called so; none takes it away."""
        known = tuple(addresses)
        for address in known:
            if not names.is_numeric(address):
                raise ValueError(f"{address!r} is not an IPv4 address")
        self._published[names.canonical(name)] = known

    def apply(self, fault_id: str, fault: DnsFault, *, name: str, host: str = ANY) -> None:
        """Have questions for ``name`` from ``host`` meet a fault; ``*`` is any. Raises ValueError for an id in use."""
        if fault_id in self._faults:
            raise ValueError(f"a fault {fault_id!r} is applied already")
        if host != ANY and host not in self._hosts:
            raise KeyError(f"no host is called {host!r}")
        self._faults[fault_id] = _Applied(fault, names.canonical(name), host)
        self._watch("fault", fault_id, f"dns {fault.kind} {name}".encode())

    def heal(self, fault_id: str) -> None:
        """Take a fault away; an unknown id is healed already. What was asked before keeps the answer it gets."""
        if self._faults.pop(fault_id, None) is not None:
            self._watch("heal", fault_id, b"")

    # ---- questions

    async def getaddrinfo(
        self, host: Any, port: Any, *, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0
    ) -> list[names.AddressInfo]:
        """An entry for each address of a name, at least one loop step later. Literals are answered by nobody else.

        Raises socket.gaierror: EAI_NONAME, EAI_AGAIN, EAI_NODATA (IPv6 asked for), EAI_ADDRFAMILY, EAI_SERVICE.
        """
        number = names.port_number(port)
        address = names.literal(host, passive=bool(flags & socket.AI_PASSIVE))
        if address is None:
            if flags & socket.AI_NUMERICHOST:
                raise names.failure(socket.EAI_NONAME)
            addresses = await self._look_up(names.canonical(host))
            unfit = socket.EAI_NODATA
        else:
            await asyncio.sleep(0)
            addresses = (address,)
            unfit = socket.EAI_ADDRFAMILY if host and names.is_numeric(names.canonical(host)) else socket.EAI_NONAME
        if family not in (0, socket.AF_INET):
            raise names.failure(unfit)
        kind = socket.SocketKind(type or socket.SOCK_STREAM)
        return [(socket.AF_INET, kind, proto or socket.IPPROTO_TCP, "", (each, number)) for each in addresses]

    def getnameinfo(self, sockaddr: Any) -> tuple[str, str]:
        """The name of the host at an address, or the address; the port stays a number."""
        host = self._by_address.get(sockaddr[0])
        return (host.name if host is not None else str(sockaddr[0]), str(sockaddr[1]))

    async def _look_up(self, name: str) -> tuple[str, ...]:
        """Ask up to twice; the first answer to either question counts, also one that comes after the second."""
        asking = self._here().name
        first: tuple[int, _Answer] | None = None
        answer = _Answer(code=socket.EAI_AGAIN)
        for attempt in range(ATTEMPTS):
            asked_ns = attempt * ATTEMPT_NS
            delay_ns, found = self._asked(name, asking)
            if found is not None and (first is None or asked_ns + delay_ns < first[0]):
                first = asked_ns + delay_ns, found
            if first is not None and first[0] < asked_ns + ATTEMPT_NS:
                await asyncio.sleep((first[0] - asked_ns) / 1e9)
                answer = first[1]
                break
            await asyncio.sleep(ATTEMPT_NS / 1e9)
        self._watch("dns", f"{asking}?{name}", answer.told())
        if answer.code:
            raise names.failure(answer.code)
        return answer.addresses

    def _asked(self, name: str, asking: str) -> tuple[int, _Answer | None]:
        """How long the answer to a question asked now takes, and what it is: None when it never comes.

        Overlapping faults act in the order drop, delay, answer; servfail before nxdomain, as a server that cannot find
        out does not deny.
        """
        faults = [applied.fault for applied in self._faults.values() if applied.covers(name, asking)]
        kinds = {fault.kind for fault in faults}
        delay_ns = self.latency_ns + sum(fault.delay_ns for fault in faults if fault.kind == "slow")
        if "silence" in kinds:
            return delay_ns, None
        if "servfail" in kinds:
            return delay_ns, _Answer(code=socket.EAI_AGAIN)
        addresses = () if "nxdomain" in kinds else self._addresses(name)
        return delay_ns, _Answer(addresses) if addresses else _Answer(code=socket.EAI_NONAME)

    def _addresses(self, name: str) -> tuple[str, ...]:
        published = self._published.get(name)
        if published is not None:
            return published
        found = names.declared(self._hosts, name)
        return () if found is None else (found.address,)
