"""What falls on one instant happens in a fixed order: heal, inject, operator, sample, and the network last."""

import asyncio
import random
from pathlib import Path

import pytest

from pulse_sim.kernel import Trace
from pulse_sim.observation import Source
from pulse_sim.sut.protocol import Answer, Place
from pulse_sim.units import MINUTE, SECOND
from pulse_sim.world.cast import Cast
from pulse_sim.world.protocol import Instant
from pulse_sim.world.simulated import SimulatedWorld
from tests.run.rehearsal import rehearse, scenario
from tests.sut.plugins import Minimal

START_NS = 1_770_595_200_000_000_000


def lonely_world() -> SimulatedWorld:
    return SimulatedWorld(Cast(START_NS, {}, ("pulse",)), 1, Minimal, Trace())


@pytest.mark.parametrize("shuffle", range(6))
def test_the_order_at_one_instant_is_that_of_the_table_however_it_was_asked_for(shuffle: int) -> None:
    world = lonely_world()
    happened: list[str] = []

    async def run() -> None:
        asyncio.get_running_loop().call_later(1, happened.append, "network")
        instants = list(Instant)
        random.Random(shuffle).shuffle(instants)
        for instant in instants:
            world.at(SECOND, instant, lambda name=instant.name: happened.append(name))  # type: ignore[misc]
        await asyncio.sleep(2)

    world.run(run())
    assert happened == ["HEAL", "INJECT", "OPERATOR", "SAMPLE", "network"]


def test_what_is_asked_for_in_the_past_happens_now() -> None:
    world = lonely_world()
    happened: list[int] = []

    async def run() -> None:
        await asyncio.sleep(3)
        world.at(SECOND, Instant.INJECT, lambda: happened.append(world.now_ns()))
        await asyncio.sleep(1)

    world.run(run())
    assert happened == [3 * SECOND]


class Diary(Minimal):
    """Writes down which requests reach it, in their order."""

    pages: list[tuple[int, str]]

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self.pages = []

    async def request(self, method: str, path: str, json: object = None) -> Answer:
        self.pages.append((self.place.clock.now_ns() - START_NS, f"{method} {path}"))
        return await super().request(method, path, json)

    async def scrape(self) -> Answer:
        self.pages.append((self.place.clock.now_ns() - START_NS, "scrape"))
        return await super().scrape()


def test_at_an_edge_the_operator_acts_before_the_observer_looks(tmp_path: Path) -> None:
    diaries: list[Diary] = []

    def factory(place: Place) -> Diary:
        diaries.append(Diary(place))
        return diaries[-1]

    timeline = [
        {"at": "4m", "do": "test_connection", "with": {"id": "nas-1"}},
        {"at": "2m", "for": "2m", "fault": "net.down", "on": "nas-1"},
        {"at": "4m", "for": "1m", "fault": "http.silence", "on": "nas-1"},
    ]
    rehearsed = rehearse(tmp_path, scenario(timeline=timeline), factory=factory)
    at_the_edge = [page for time_ns, page in diaries[0].pages if time_ns == 4 * MINUTE]
    assert at_the_edge == ["POST /api/truenas/connections/nas-1/test", "scrape"]
    edge = [record for record in rehearsed.log.records if 4 * MINUTE <= record.time_ns < 4 * MINUTE + SECOND]
    assert [f"{record.source}/{record.kind}" for record in edge][:3] == [
        "fault/heal",
        "fault/inject",
        "operator/action",
    ]


def test_a_look_at_the_edge_of_a_window_sees_what_was_before_any_answer_inside_it(tmp_path: Path) -> None:
    timeline = [{"at": "3m", "for": "2m", "fault": "auth.revoke_key", "on": "nas-1"}]
    done = rehearse(tmp_path, scenario(timeline=timeline))
    inject = done.of("fault/inject")[0]
    sample = next(record for record in done.of("sampler/metrics") if record.seq > inject.seq)
    assert sample.time_ns - inject.time_ns == 500_000, "one exchange with the system, begun at the edge itself"
    assert inject.source is Source.FAULT
