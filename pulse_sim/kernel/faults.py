"""The books of what is wrong: which faults lie between which hosts, and whom they strike as they come, change and go.

Links and chains act; this says on which links and connections, in the order of application.
"""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

from pulse_sim.kernel.connecting import Established
from pulse_sim.kernel.endpoint import Watch
from pulse_sim.kernel.links import AppliedFault, Link, LinkFault, Place
from pulse_sim.kernel.toxics import Toxic
from pulse_sim.kernel.toxics_chain import chain_on
from pulse_sim.kernel.transport import StreamTransport

_SEVERING: Final = ("refuse", "reset")


@dataclass(frozen=True, slots=True)
class AppliedToxic(Place):
    """A toxic on connections from ``src`` to a server on ``dst``. ``key`` begins its streams' names."""

    toxic: Toxic
    key: str


class Faults:
    """What is applied at present. Healing is idempotent; an id is in use from apply to heal."""

    def __init__(
        self,
        watch: Watch,
        stream: Callable[[str], random.Random],
        connections: Callable[[], Iterable[Established]],
    ) -> None:
        """``stream`` gives the run's named generators; ``connections`` those that are open."""
        self._watch = watch
        self._stream = stream
        self._connections = connections
        self._links: dict[str, AppliedFault] = {}
        self._toxics: dict[str, AppliedToxic] = {}

    def __contains__(self, fault_id: str) -> bool:
        return fault_id in self._links or fault_id in self._toxics

    def apply(self, fault_id: str, fault: LinkFault | Toxic, src: str, dst: str) -> None:
        """ValueError for an id in use. A link fault takes effect with `lay` and `strike`."""
        if fault_id in self:
            raise ValueError(f"a fault {fault_id!r} is applied already")
        if isinstance(fault, Toxic):
            key = f"{self._stream(f'network/toxic/{fault_id}').getrandbits(128):x}"
            self._toxics[fault_id] = AppliedToxic(src, dst, fault, key)
        else:
            self._links[fault_id] = AppliedFault(src, dst, fault, self._stream(f"network/jitter/{fault_id}"))
        self._watch("fault", fault_id, fault.describe().encode())
        if isinstance(fault, Toxic):
            for connection in self._connections():
                self._lay_toxic(fault_id, self._toxics[fault_id], connection)

    def update(self, fault_id: str, fault: LinkFault | Toxic) -> None:
        """KeyError for an id not in use, ValueError for a toxic that would change its type or stream."""
        if isinstance(fault, Toxic):
            before = self._toxics[fault_id]
            if (before.toxic.kind, before.toxic.stream) != (fault.kind, fault.stream):
                raise ValueError("a toxic keeps its type and its stream")
            self._toxics[fault_id] = replace(before, toxic=fault)
        else:
            old = self._links[fault_id]
            self._links[fault_id] = replace(old, fault=fault)
        self._watch("fault", fault_id, f"now {fault.describe()}".encode())
        if isinstance(fault, Toxic):
            for connection in self._connections():
                chain = chain_on(_sender(connection, fault))
                if chain is not None:
                    chain.update(fault_id, fault)

    def heal(self, fault_id: str) -> bool:
        """Take a fault from the books; whether it was there."""
        if fault_id not in self:
            return False
        self._links.pop(fault_id, None)
        lifted = self._toxics.pop(fault_id, None)
        self._watch("heal", fault_id, b"")
        if lifted is not None:
            for connection in self._connections():
                self._lift(fault_id, lifted, connection)
        return True

    def lay(self, links: Iterable[Link]) -> None:
        """Tell links what all applied faults together do to them."""
        applied = list(self._links.values())
        for link in links:
            link.lay(applied)

    def strike(self, fault_id: str) -> None:
        """What a link fault does to live connections at the moment it is applied or changed."""
        applied = self._links.get(fault_id)
        if applied is None or applied.fault.kind not in (*_SEVERING, "down"):
            return
        for connection in self._connections():
            if applied.covers(*_way(connection)):
                if applied.fault.kind == "down":
                    connection.close()
                else:
                    connection.client.sever()

    def meet(self, connection: Established) -> None:
        """A connection has come to be: the toxics that cover it are laid on it."""
        for fault_id, applied in self._toxics.items():
            self._lay_toxic(fault_id, applied, connection)

    def _lay_toxic(self, fault_id: str, applied: AppliedToxic, connection: Established) -> None:
        if not applied.covers(*_way(connection)):
            return
        chain = chain_on(_sender(connection, applied.toxic))
        if chain is None:
            return
        # One generator for each fault and connection, made here: kept ones would pile up with the connections.
        name = f"{applied.key}:{connection.name}"
        draw = random.Random(f"{name}:toxicity").random()
        struck = draw < applied.toxic.toxicity
        self._watch("fault", f"{fault_id} {connection.name}", b"struck" if struck else b"spared")
        chain.lay(fault_id, applied.toxic, draw, random.Random(f"{name}:effect"))

    def _lift(self, fault_id: str, applied: AppliedToxic, connection: Established) -> None:
        if not applied.covers(*_way(connection)):
            return
        sender = _sender(connection, applied.toxic)
        chain = chain_on(sender)
        if chain is None:
            return
        chain.lift(fault_id)
        if sender.detour is chain and chain.idle:
            sender.detour = None


def _way(connection: Established) -> tuple[str, str]:
    return connection.client.host.name, connection.server.host.name


def _sender(connection: Established, toxic: Toxic) -> StreamTransport:
    return connection.client if toxic.stream == "upstream" else connection.server
