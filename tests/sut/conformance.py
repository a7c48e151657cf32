"""What every adapter of a system under test must do, whatever is behind it. Subclass, say how it is made, run."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from pulse_sim.kernel import Trace
from pulse_sim.observation import Source
from pulse_sim.run.sampler import series_of
from pulse_sim.sut.protocol import Capability, Place, SystemFactory, SystemFailure, SystemUnderTest
from pulse_sim.world.cast import Cast
from pulse_sim.world.simulated import SimulatedWorld

VARIANT = "truenas-off-by-default"
START_NS = 1_770_595_200_000_000_000
Story = Callable[[SystemUnderTest, Place], Coroutine[Any, Any, None]]


def play(factory: SystemFactory, story: Story) -> SimulatedWorld:
    """Tell a story of one system alone in a simulated world. Nothing in it may die unseen."""
    places: list[Place] = []

    def make(place: Place) -> SystemUnderTest:
        places.append(place)
        return factory(place)

    world = SimulatedWorld(Cast(START_NS, {}, ("pulse",)), 1, make, Trace(), ("tests",))
    crashes: list[dict[str, Any]] = []

    def observe(source: Source, kind: str, subject: str, data: dict[str, Any]) -> int:
        if kind == "crash":
            crashes.append(data)
        return 0

    async def run() -> None:
        await world.open(observe)
        try:
            await story(world.systems["pulse"], places[0])
        finally:
            await world.systems["pulse"].stop()
            await world.close()

    world.run(run())
    assert (crashes, world.broken) == ([], [])
    return world


async def started(system: SystemUnderTest) -> None:
    await system.start({}, VARIANT)


def tasks_of(place: Place) -> int:
    """Tasks on the system's own host that have not ended, by the loop's own books."""
    return sum(getattr(getattr(task, "host", None), "name", None) == place.name for task in asyncio.all_tasks())


class Conformance(ABC):
    """The suite. ``make`` makes the system."""

    @abstractmethod
    def make(self, place: Place) -> SystemUnderTest:
        """The system under this suite."""

    def test_it_says_what_it_is_and_what_it_can_do(self) -> None:
        async def story(system: SystemUnderTest, place: Place) -> None:
            assert system.version.strip()
            assert system.capabilities <= set(Capability)

        play(self.make, story)

    def test_it_answers_as_soon_as_start_returns(self) -> None:
        async def story(system: SystemUnderTest, place: Place) -> None:
            await started(system)
            assert (await system.request("GET", "/api/health")).status == 200

        play(self.make, story)

    def test_its_metrics_page_is_text_that_can_be_read(self) -> None:
        async def story(system: SystemUnderTest, place: Place) -> None:
            await started(system)
            page = await system.scrape()
            assert page.status == 200
            assert series_of(page.body.decode())

        play(self.make, story)

    def test_an_unknown_path_is_an_answer_and_not_an_exception(self) -> None:
        async def story(system: SystemUnderTest, place: Place) -> None:
            await started(system)
            assert (await system.request("GET", "/no/such/path")).status == 404

        play(self.make, story)

    def test_a_second_start_is_refused_and_the_first_goes_on(self) -> None:
        async def story(system: SystemUnderTest, place: Place) -> None:
            await started(system)
            with pytest.raises(SystemFailure):
                await started(system)
            assert (await system.request("GET", "/api/health")).status == 200

        play(self.make, story)

    def test_once_stopped_it_cannot_be_reached_and_leaves_no_task(self) -> None:
        async def story(system: SystemUnderTest, place: Place) -> None:
            before = tasks_of(place)
            await started(system)
            await system.request("GET", "/api/health")
            assert tasks_of(place) > before
            await system.stop()
            with pytest.raises(ConnectionError):
                await system.request("GET", "/api/health")
            with pytest.raises(ConnectionError):
                await system.scrape()
            assert tasks_of(place) == before

        play(self.make, story)

    def test_stopping_what_does_not_run_does_nothing(self) -> None:
        async def story(system: SystemUnderTest, place: Place) -> None:
            await system.stop()
            await started(system)
            await system.stop()
            await system.stop()

        play(self.make, story)

    def test_it_starts_again_after_a_stop(self) -> None:
        async def story(system: SystemUnderTest, place: Place) -> None:
            for _ in range(3):
                await started(system)
                assert (await system.request("GET", "/api/health")).status == 200
                await system.stop()

        play(self.make, story)

    def test_a_restart_keeps_the_data_directory(self) -> None:
        async def story(system: SystemUnderTest, place: Place) -> None:
            await started(system)
            place.disk.write(f"{place.data_dir}/kept", b"by the restart", 0o600)
            before = set(place.disk.names(place.data_dir))
            await system.restart({}, VARIANT)
            assert before <= set(place.disk.names(place.data_dir))
            assert place.disk.read(f"{place.data_dir}/kept") == b"by the restart"
            assert (await system.request("GET", "/api/health")).status == 200

        play(self.make, story)

    def test_what_is_killed_ends_at_once_and_starts_again_on_what_is_there(self) -> None:
        async def story(system: SystemUnderTest, place: Place) -> None:
            await started(system)
            place.disk.write(f"{place.data_dir}/kept", b"by the kill", 0o600)
            await system.kill()
            assert tasks_of(place) == 0
            with pytest.raises(ConnectionError):
                await system.request("GET", "/api/health")
            await started(system)
            assert (await system.request("GET", "/api/health")).status == 200
            assert place.disk.read(f"{place.data_dir}/kept") == b"by the kill"

        play(self.make, story)

    def test_it_removes_the_one_file_that_is_named(self) -> None:
        async def story(system: SystemUnderTest, place: Place) -> None:
            await started(system)
            for name in ("gone", "kept"):
                place.disk.write(f"{place.data_dir}/{name}", b"x", 0o600)
            before = set(place.disk.names(place.data_dir))
            await system.remove_file("gone")
            assert set(place.disk.names(place.data_dir)) == before - {"gone"}

        play(self.make, story)

    @pytest.mark.parametrize("name", ["no-such-file", "a-directory"])
    def test_what_is_no_file_of_the_data_directory_is_a_failure_that_names_it(self, name: str) -> None:
        async def story(system: SystemUnderTest, place: Place) -> None:
            await started(system)
            place.disk.make_directory(f"{place.data_dir}/a-directory", 0o700)
            with pytest.raises(SystemFailure, match=name):
                await system.remove_file(name)

        play(self.make, story)
