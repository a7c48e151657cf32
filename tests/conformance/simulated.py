"""The simulated side: the same coroutines on one simulation, two hosts for each cell."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any, Final

from pulse_sim.kernel import DnsFault, Host, LinkFault, Priority, Simulation
from tests.conformance.cells import Record, Tls, run_cell
from tests.conformance.matrix import Cell

ANY_ADDRESS: Final = "0.0.0.0"  # noqa: S104 - an address of the simulated network
START_NS: Final = 1_770_595_200_000_000_000  # 2026-02-09T00:00:00Z
HELD_NS: Final = 200_000_000
LATE_NS: Final = 300_000_000
# What the name server's misbehaviour comes to in glibc: it ignores what it cannot parse, and denies what is cut.
NAME_FAULTS: Final[Mapping[str, DnsFault]] = {
    "refuse": DnsFault("nxdomain"),
    "silence": DnsFault("silence"),
    "slow": DnsFault("slow", LATE_NS),
    "garbage": DnsFault("silence"),
    "cut_length": DnsFault("nxdomain"),
    "peer_timeout": DnsFault("silence"),
}


def run_simulated(cells: Iterable[Cell], tls: Tls, *, seed: int = 1, schedule: str = "fifo") -> Mapping[Cell, Record]:
    """All cells' records, as the simulation gives them."""
    simulation = Simulation(seed=seed, start_ns=START_NS, schedule=schedule)
    chosen = list(cells)
    places = [SimulatedPlace(simulation, cell) for cell in chosen]

    async def main() -> dict[Cell, Record]:
        runs = [asyncio.create_task(run_cell(cell, place, tls)) for cell, place in zip(chosen, places, strict=True)]
        return dict(zip(chosen, await asyncio.gather(*runs), strict=True))

    return simulation.run(main())


class SimulatedPlace:
    """Two hosts of their own for one cell, and the link between them."""

    def __init__(self, simulation: Simulation, cell: Cell) -> None:
        self._simulation = simulation
        self._cell = cell
        name = str(cell).replace("_", "-")
        self._client: Host = simulation.host(f"client-{name}")
        self._peer: Host = simulation.host(f"peer-{name}")
        self._server: asyncio.AbstractServer | None = None
        self._target, self._port = self._peer.address, 4_000

    async def serve(self, factory: Any) -> None:
        stage, event = self._cell.stage, self._cell.event
        network = self._simulation.network
        if stage == "resolve":
            self._target = self._peer.name
            network.dns.apply(str(self._cell), NAME_FAULTS[event], name=self._peer.name)
        if stage == "connect" and event in ("silence", "slow"):
            network.apply(str(self._cell), LinkFault("blackhole"), src=self._client.name, dst=self._peer.name)
            if event == "slow":
                healed_ns = self._simulation.now_ns + HELD_NS
                self._simulation.at(healed_ns, Priority.HEAL, lambda: network.heal(str(self._cell)))
        if (stage, event) != ("connect", "refuse"):
            await self._peer.run(self._open(factory))

    async def _open(self, factory: Any) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(factory, ANY_ADDRESS, self._port)

    async def visit(self, client: Any) -> None:
        await self._client.run(client(self._target, self._port))

    def stop_listening(self) -> None:
        if self._server is not None:
            self._server.close()

    async def leave(self) -> None:
        self.stop_listening()
