"""Each safeguard is one part with one function to replace, and taking it away shows from outside and nowhere else."""

import asyncio
import math
from collections.abc import Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from pulse_sim.stack.assembly import Parts
from pulse_sim.stack.breaker import Breaker
from pulse_sim.stack.connection import Redaction
from pulse_sim.stack.fetcher import FixtureFetcher, Retries
from pulse_sim.stack.negotiation import ApplianceClient
from pulse_sim.stack.poller import Poller
from pulse_sim.stack.registry import Registry
from pulse_sim.stack.runtime import Runtime
from pulse_sim.stack.watch import Outcomes
from tests.stack.stackbed import Bed


class NoDeadlines(Runtime):
    @asynccontextmanager
    async def within(self, limit_s: float | None) -> Any:
        yield


class SwallowsErrors(Outcomes):
    def failed(self, polled: Any, error: Any, now: float, duration_s: float) -> None:
        return None


class NeverStale(Registry):
    def is_stale(self, silent_s: float, limit_s: float) -> bool:
        return False


class NoReconnect(Breaker):
    def next_attempt(self) -> float | None:
        return None if super().next_attempt() is None else 1e12


class DropsOnFailure(Registry):
    def failed(self, key: Any, error: str) -> None:
        self.ingest(key, [], 0.0, 0)


class ShowsSecrets(Redaction):
    def record(self, connection: Any) -> dict[str, Any]:
        return dict(connection.to_record())


class Hammers(Retries):
    def delay(self, error: Any, tries: int) -> float | None:
        return 0.05


class OneTask(Poller):
    def launch(self, watch: Any) -> asyncio.Task[None]:
        shared = self.__dict__.setdefault("shared", [])
        shared.append(watch)

        async def turns() -> None:
            while True:
                first = min(shared, key=lambda each: each.next_turn())
                await self._runtime.sleep_until(first.next_turn())
                await first.turn()

        if len(shared) == 1:
            self.task = self._runtime.spawn("truenas polls", turns())
        return self.task


async def no_timeout_is_ever_counted(bed: Bed) -> bool:
    bed.inject("http.silence")
    await bed.wait(600)
    return await bed.errors() == {}


async def no_error_is_ever_counted(bed: Bed) -> bool:
    bed.inject("http.status", status=500)
    await bed.wait(300)
    return await bed.errors() == {} and await bed.metric("monitor_poll_consecutive_failures") == 0


async def nothing_goes_stale(bed: Bed) -> bool:
    bed.inject("appliance.down")
    await bed.wait(600)
    return await bed.source_statuses() == {"online"}


async def it_never_comes_back(bed: Bed) -> bool:
    bed.inject("appliance.down")
    await bed.wait(300)
    bed.heal("appliance.down")
    await bed.wait(3600)
    return await bed.source_statuses() == {"stale"}


async def resources_vanish(bed: Bed) -> bool:
    bed.inject("appliance.down")
    await bed.wait(90)
    return await bed.resources() == []


async def the_key_is_shown(bed: Bed) -> bool:
    return "PSIMSECRET" in str(await bed.api("GET", "/api/truenas/connections"))


async def the_appliance_is_hammered(bed: Bed) -> bool:
    before = len(bed.journals["nas-1"])
    bed.inject("http.status", status=500)
    await bed.wait(85)
    return len(bed.journals["nas-1"]) - before > 100


async def a_neighbour_is_delayed(bed: Bed) -> bool:
    await bed.add("nas-2")
    await bed.wait(60)
    bed.inject("http.silence")
    await bed.wait(63)
    return await bed.metric("monitor_poll_duration_seconds_count", "nas-2") < 3


@pytest.mark.parametrize(
    ("part", "symptom"),
    [
        ({"runtime": NoDeadlines}, no_timeout_is_ever_counted),
        ({"outcomes": SwallowsErrors}, no_error_is_ever_counted),
        ({"registry": NeverStale}, nothing_goes_stale),
        ({"breaker": NoReconnect}, it_never_comes_back),
        ({"registry": DropsOnFailure}, resources_vanish),
        ({"redaction": ShowsSecrets}, the_key_is_shown),
        ({"retries": Hammers}, the_appliance_is_hammered),
        ({"poller": OneTask}, a_neighbour_is_delayed),
    ],
)
def test_a_safeguard_taken_away_shows_and_the_whole_stack_shows_nothing(
    part: dict[str, Any], symptom: Callable[[Bed], Any]
) -> None:
    def story(parts: Parts) -> Callable[[Bed], Any]:
        async def told(bed: Bed) -> bool:
            await bed.start(parts)
            await bed.add()
            await bed.wait(62)
            return bool(await symptom(bed))

        return told

    assert Bed("nas-1", "nas-2").run(story(replace(Parts(), **part)))
    assert not Bed("nas-1", "nas-2").run(story(Parts()))


def test_a_sudden_emptiness_keeps_the_resources_as_stale_until_it_is_confirmed() -> None:
    pool = {"name": "tank", "status": "ONLINE"}
    answers: dict[str, Any] = {"system": {"version": "24.10"}, "pools": [pool], "datasets": [{"name": "tank"}]}
    fixture = FixtureFetcher(answers)

    def instead_of(client: ApplianceClient, *_: object) -> FixtureFetcher:
        fixture.close = client.close  # type: ignore[method-assign]
        return fixture

    async def story(bed: Bed) -> None:
        await bed.start(replace(Parts(), fetcher=instead_of))
        await bed.add()
        await bed.wait(30)
        assert set((await bed.statuses()).values()) == {"online", "offline"}  # the dataset has no mountpoint
        fixture.answers.update(pools=[], datasets=[])
        await bed.wait(60)
        assert await bed.statuses() == {
            "system:nas-1": "online", "system:nas-1/pool:tank": "warning", "system:nas-1/dataset:tank": "offline",
        }  # fmt: skip
        assert await bed.source_statuses() == {"online", "stale"}
        await bed.wait(60)
        assert await bed.statuses() == {"system:nas-1": "online"}
        fixture.answers.update(pools=[pool])
        await bed.wait(60)
        assert (await bed.statuses())["system:nas-1/pool:tank"] == "online"
        assert math.isclose(await bed.metric("monitor_poll_total", result="success"), 4)

    Bed().run(story)
