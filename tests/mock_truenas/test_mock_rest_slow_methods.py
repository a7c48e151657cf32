"""A method that takes its time, in virtual time: the front loses patience, and the method goes on (truenas-api F02)."""

import asyncio
from collections.abc import Iterator

import aiohttp
import pytest

from mock_truenas.api.methods import catalogue
from mock_truenas.api.methods.method import Access, Call, Method
from mock_truenas.api.routes import routes_of
from mock_truenas.appliance import build_appliance
from mock_truenas.behaviour import AS_DELIVERED, Behaviour
from mock_truenas.journal import JournalEntry
from mock_truenas.server import MockTrueNAS
from pulse_sim.kernel import Simulation
from tests.mock_truenas.wire import API, START_NS

SECOND = 1_000_000_000
PAGE = "<center><h1>504 Gateway Time-out</h1></center>"


class Slow:
    """A NAS whose method ``test.slow`` takes ``seconds``; ``ended`` says when it was done, in seconds."""

    def __init__(self, seconds: float, release: str, behaviour: Behaviour) -> None:
        self.seconds = seconds
        self.ended: list[float] = []
        self.sim = Simulation(seed=7, start_ns=START_NS, rebind=("aiohttp", "aiohappyeyeballs", "mock_truenas"))
        self.host, self.client = self.sim.host("nas-1"), self.sim.host("pulse")
        self.journal: list[JournalEntry] = []
        self.method = Method("test.slow", "Takes its time", self.run, access=Access.OPEN)
        self.release, self.behaviour = release, behaviour

    async def run(self, _: Call) -> str:
        await asyncio.sleep(self.seconds)
        self.ended.append(asyncio.get_running_loop().time())
        return "at last"

    async def _ask(self, patience_s: float) -> tuple[int, str]:
        timeout = aiohttp.ClientTimeout(total=patience_s)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            try:
                async with session.get(f"http://nas-1{API}/test/slow") as response:
                    return response.status, await response.text()
            except TimeoutError:
                return 0, ""

    def rehearse(self, patience_s: float = 5000, waits_s: float = 0) -> tuple[int, str]:
        """What a client with this much patience sees; the NAS is stopped ``waits_s`` after that."""

        async def world() -> tuple[int, str]:
            nas = MockTrueNAS(
                build_appliance(
                    clock=self.host.clock,
                    entropy=self.sim.entropy("nas-1"),
                    rng=self.sim.stream("nas-1"),
                    release=self.release,
                ),
                clock=self.host.clock,
                journal=self.journal.append,
                behaviour=self.behaviour,
            )
            await self.host.run(nas.start(self.host.address, 80), name="start")
            seen = await self.client.run(self._ask(patience_s), name="client")
            await asyncio.sleep(waits_s)
            await self.host.run(nas.stop(), name="stop")
            return seen

        return self.sim.run(world())


@pytest.fixture(autouse=True)
def slow(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Slow]:
    seconds, release, behaviour = request.param
    made = Slow(seconds, release, behaviour)
    monkeypatch.setattr("mock_truenas.api.routes.METHODS", {**catalogue.METHODS, "test.slow": made.method})
    monkeypatch.setattr("mock_truenas.api.routes.SERVICES", {**catalogue.SERVICES, "test": ("slow",)})
    routes_of.cache_clear()
    yield made
    routes_of.cache_clear()


@pytest.mark.parametrize("slow", [(59.9, "24.10", AS_DELIVERED), (59.9, "25.10", AS_DELIVERED)], indirect=True)
def test_method_that_is_just_in_time_is_answered(slow: Slow) -> None:
    assert slow.rehearse() == (200, '"at last"')
    (entry,) = slow.journal
    assert (entry.status, entry.call, entry.duration_ns) == (200, "test.slow", 59_900_000_000)


@pytest.mark.parametrize("slow", [(75.0, "24.10", AS_DELIVERED), (75.0, "25.10", AS_DELIVERED)], indirect=True)
def test_front_gives_up_after_exactly_a_minute_and_the_method_goes_on(slow: Slow) -> None:
    status, body = slow.rehearse(waits_s=30)
    assert status == 504
    assert PAGE in body
    (entry,) = slow.journal
    assert (entry.status, entry.ended, entry.duration_ns) == (504, "complete", 60 * SECOND)
    assert len(slow.ended) == 1
    assert slow.sim.counts() == {"tasks": 0, "transports": 0, "timers": 0}


@pytest.mark.parametrize("slow", [(4000.0, "25.10", Behaviour(idle_cut=False))], indirect=True)
def test_front_is_patient_when_told_to_be(slow: Slow) -> None:
    assert slow.rehearse() == (200, '"at last"')


@pytest.mark.parametrize("slow", [(75.0, "24.10", AS_DELIVERED)], indirect=True)
def test_method_outlives_a_client_that_goes(slow: Slow) -> None:
    assert slow.rehearse(patience_s=10, waits_s=100) == (0, "")
    assert [entry.ended for entry in slow.journal] == ["client_gone"]
    assert len(slow.ended) == 1


@pytest.mark.parametrize("slow", [(75.0, "24.10", AS_DELIVERED)], indirect=True)
def test_stopping_the_nas_ends_what_still_goes_on(slow: Slow) -> None:
    assert slow.rehearse(patience_s=10, waits_s=0) == (0, "")
    assert slow.ended == []
    assert slow.sim.counts() == {"tasks": 0, "transports": 0, "timers": 0}
