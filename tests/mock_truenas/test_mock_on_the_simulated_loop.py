"""The same server on the simulated loop: every fault kind ends as it does on real sockets, to the nanosecond."""

import asyncio
from typing import Any

import aiohttp
import pytest

from mock_truenas.appliance import build_appliance
from mock_truenas.faults import FAULT_KINDS
from mock_truenas.journal import JournalEntry
from mock_truenas.server import MockTrueNAS
from pulse_sim.kernel import Simulation
from tests.mock_truenas.wire import API, START_NS

PATIENCE_S = 4
SECOND = 1_000_000_000


class Rehearsal:
    """One appliance and one client in a simulation of their own."""

    def __init__(self) -> None:
        self.sim = Simulation(seed=7, start_ns=START_NS, rebind=("aiohttp", "aiohappyeyeballs", "mock_truenas"))
        self.host = self.sim.host("nas-1")
        self.client = self.sim.host("pulse")
        self.journal: list[JournalEntry] = []
        appliance = build_appliance(
            clock=self.host.clock, entropy=self.sim.entropy("nas-1"), rng=self.sim.stream("nas-1")
        )
        self.key = appliance.mint_api_key("pulse")
        self.nas = MockTrueNAS(appliance, clock=self.host.clock, journal=self.journal.append)

    def inject(self, kind: str, parameters: dict[str, Any]) -> None:
        self.nas.inject("fault-1", kind, FAULT_KINDS[kind].parameters.model_validate(parameters))

    async def ask(self, session: aiohttp.ClientSession) -> int | str:
        """The status, or the name of the exception."""
        try:
            async with session.get(f"http://nas-1{API}/system/info") as response:
                await response.json()
                return response.status
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            return type(error).__name__

    async def rehearse(self, kind: str, parameters: dict[str, Any]) -> tuple[int | str, int | str, int | str]:
        headers = {"Authorization": f"Bearer {self.key}"}
        timeout = aiohttp.ClientTimeout(total=PATIENCE_S)
        async with aiohttp.ClientSession(headers=headers, timeout=timeout, raise_for_status=True) as session:
            before = await self.ask(session)
            self.inject(kind, parameters)
            during = await self.ask(session)
            self.nas.heal("fault-1")
            self.nas.heal("fault-1")
            await asyncio.sleep(1)
            return before, during, await self.ask(session)

    def run(self, kind: str, parameters: dict[str, Any]) -> tuple[int | str, int | str, int | str]:
        async def world() -> tuple[int | str, int | str, int | str]:
            await self.host.run(self.nas.start(self.host.address, 80), name="start")
            seen = await self.client.run(self.rehearse(kind, parameters), name="client")
            await self.host.run(self.nas.stop(), name="stop")
            return seen

        return self.sim.run(world())


@pytest.mark.parametrize(
    ("kind", "parameters", "seen", "entry"),
    [
        ("http.delay", {"delay": "3s"}, 200, (200, "complete", 3 * SECOND)),
        ("http.delay", {"delay": "9s"}, "TimeoutError", (None, "client_gone", None)),
        ("http.silence", {}, "TimeoutError", (None, "silent", None)),
        ("http.status", {"status": 503}, "ClientResponseError", (503, "complete", 0)),
        ("http.truncate_body", {"keep_bytes": 20}, "ClientPayloadError", (200, "cut", 0)),
        ("http.malformed_body", {}, "JSONDecodeError", (200, "complete", 0)),
        ("http.reset", {"after_bytes": 20}, "ClientPayloadError", (200, "reset", 0)),
        ("auth.revoke_key", {}, "ClientResponseError", (401, "complete", 0)),
        ("appliance.down", {}, "ClientConnectorError", None),
    ],
)
def test_fault_in_virtual_time(
    kind: str, parameters: dict[str, Any], seen: int | str, entry: tuple[int | None, str, int | None] | None
) -> None:
    rehearsal = Rehearsal()
    assert rehearsal.run(kind, parameters) == (200, seen, 200)
    shaped = [entry for entry in rehearsal.journal if entry.faults]
    if entry is None:
        assert shaped == []
    else:
        status, ended, duration_ns = entry
        assert [(found.status, found.ended, found.faults) for found in shaped] == [(status, ended, ("fault-1",))]
        assert duration_ns is None or shaped[0].duration_ns == duration_ns
    clean = rehearsal.journal[-1]
    assert (clean.status, clean.ended, clean.faults) == (200, "complete", ())
    assert rehearsal.sim.counts() == {"tasks": 0, "transports": 0, "timers": 0}


def test_same_seed_gives_the_same_journal() -> None:
    journals = []
    for _ in range(2):
        rehearsal = Rehearsal()
        rehearsal.run("http.reset", {"after_bytes": 7})
        journals.append([entry.to_data() for entry in rehearsal.journal])
    assert journals[0] == journals[1]
