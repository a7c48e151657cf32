"""The reference adapter: what it adds to the protocol, and how it tells that the stack did not come up."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from pulse_sim.stack.assembly import Parts
from pulse_sim.stack.poller import Poller
from pulse_sim.sut.protocol import Capability, Place, SystemFailure, SystemUnderTest
from pulse_sim.sut.reference import ReferenceSystem
from tests.sut.conformance import VARIANT, play

CONNECTIONS = "/api/truenas/connections"
RECORD = {"id": "nas-9", "host": "nas-9.example", "apiKey": "1-abc", "enabled": False}


def test_it_can_do_all_that_the_rest_of_the_scenarios_ask_for() -> None:
    assert ReferenceSystem.capabilities == set(Capability)


def test_requests_carry_the_admin_token_and_nobody_gets_in_without_it() -> None:
    async def story(system: SystemUnderTest, place: Place) -> None:
        await system.start({}, VARIANT)
        assert (await system.request("GET", CONNECTIONS)).status == 200
        assert (await place.fetch("GET", place.base_url + CONNECTIONS, {}, None)).status == 401

    play(ReferenceSystem, story)


def test_connections_survive_a_restart_and_go_with_their_file() -> None:
    async def story(system: SystemUnderTest, place: Place) -> None:
        async def ids() -> list[str]:
            return [row["id"] for row in json.loads((await system.request("GET", CONNECTIONS)).body)]

        await system.start({}, VARIANT)
        assert (await system.request("POST", CONNECTIONS, RECORD)).status == 201
        await system.restart({}, VARIANT)
        assert await ids() == ["nas-9"]
        await system.remove_file("truenas.enc")
        assert await ids() == []

    play(ReferenceSystem, story)


def test_a_restart_may_change_variant_and_environment() -> None:
    async def story(system: SystemUnderTest, place: Place) -> None:
        await system.start({}, VARIANT)
        await system.restart({}, "without-truenas")
        assert (await system.request("GET", CONNECTIONS)).status == 404
        await system.restart({"PULSE_NODE_LIMIT": "0"}, VARIANT)
        refused = await system.request("POST", CONNECTIONS, RECORD)
        assert (refused.status, json.loads(refused.body)["code"]) == (403, "node_limit_reached")

    play(ReferenceSystem, story)


@pytest.mark.parametrize(
    ("environment", "variant", "told"),
    [
        ({"PULSE_NODE_LIMIT": "many"}, VARIANT, "PULSE_NODE_LIMIT must be a whole number"),
        ({}, "no-such-variant", "variant 'no-such-variant' is none of"),
    ],
)
def test_settings_that_cannot_be_used_are_a_failure_to_start(
    environment: Mapping[str, str], variant: str, told: str
) -> None:
    async def story(system: SystemUnderTest, place: Place) -> None:
        with pytest.raises(SystemFailure, match=told):
            await system.start(environment, variant)
        await system.start({}, VARIANT)

    play(ReferenceSystem, story)


def test_an_address_already_in_use_is_a_failure_to_start_and_no_obstacle_afterwards() -> None:
    async def story(system: SystemUnderTest, place: Place) -> None:
        first = ReferenceSystem(place)
        await first.start({}, VARIANT)
        with pytest.raises(SystemFailure, match="system pulse did not start: OSError"):
            await system.start({}, VARIANT)
        await first.stop()
        await system.start({}, VARIANT)
        assert (await system.request("GET", "/api/health")).status == 200

    play(ReferenceSystem, story)


def test_the_world_and_not_the_scenario_says_where_it_listens_and_what_its_token_is() -> None:
    async def story(system: SystemUnderTest, place: Place) -> None:
        given = {"BIND_ADDRESS": "10.9.9.9", "FRONTEND_PORT": "1", "PULSE_DATA_DIR": "/x", "PULSE_API_TOKEN": "theirs"}
        await system.start(given, VARIANT)
        assert (await system.request("GET", CONNECTIONS)).status == 200
        assert place.disk.names(place.data_dir)

    play(ReferenceSystem, story)


def test_a_replaced_part_is_used() -> None:
    made: list[Any] = []

    class Noted(Poller):
        def __init__(self, *args: Any, **options: Any) -> None:
            made.append(self)
            super().__init__(*args, **options)

    async def story(system: SystemUnderTest, place: Place) -> None:
        await system.start({}, VARIANT)

    play(lambda place: ReferenceSystem(place, Parts(poller=Noted)), story)
    assert len(made) == 1
