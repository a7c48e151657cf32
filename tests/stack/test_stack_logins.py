"""However many connections an appliance has, it never sees more logins than it takes (contract A2, truenas-api 5.4)."""

import asyncio
from typing import Any

import pytest

from pulse_sim.kernel import LinkFault, Simulation
from pulse_sim.stack.logins import TURNS, WINDOW_S, Logins
from pulse_sim.stack.runtime import Runtime
from tests.stack.stackbed import START_NS, Bed

MANY = 30
LOGIN = "auth.login_ex"
BASE = "/api/truenas/connections"


async def add_many(bed: Bed) -> None:
    for number in range(MANY):
        user = f"watcher{number}"
        key = bed.appliances["nas-1"].mint_api_key(user, prefix="PSIMSECRET", username=user)
        record = {"id": f"c{number}", "host": "nas-1", "username": user, "apiKey": key, "insecureSkipVerify": True}
        assert (await bed.api("POST", BASE, record))[0] == 201


def logins(bed: Bed) -> list[dict[str, Any]]:
    return [entry for entry in bed.journals["nas-1"] if entry.get("call") == LOGIN]


def most_in_a_minute(times: list[float]) -> int:
    return max(sum(at <= each < at + 60 for each in times) for at in times)


async def seen(bed: Bed) -> dict[str, tuple[float, float]]:
    """Successes and failures by connection."""
    metrics = await bed.metrics()
    found = {}
    for number in range(MANY):
        series = f'pulse_monitor_poll_total{{instance="c{number}",instance_type="truenas",result='
        found[f"c{number}"] = (metrics[f'{series}"success"}}'], metrics[f'{series}"error"}}'])
    return found


def refused(bed: Bed) -> list[dict[str, Any]]:
    return [entry for entry in logins(bed) if entry.get("error") or entry.get("errno")]


def test_thirty_connections_to_one_nas_come_up_without_a_refused_login() -> None:
    async def story(bed: Bed) -> dict[str, tuple[float, float]]:
        await bed.start()
        await add_many(bed)
        await bed.wait(240)
        return await seen(bed)

    bed = Bed(tls=True, release="25.10")
    found = bed.run(story)
    assert all(good >= 1 and bad == 0 for good, bad in found.values()), found
    times = [entry["at_ns"] / 1e9 for entry in logins(bed)]
    assert len(times) == MANY
    assert most_in_a_minute(times) == TURNS
    assert not bed.sim.unhandled


def test_thirty_sessions_lost_at_once_come_back_without_a_refused_login_or_a_failed_poll() -> None:
    async def story(bed: Bed) -> tuple[dict[str, tuple[float, float]], dict[str, tuple[float, float]]]:
        await bed.start()
        await add_many(bed)
        await bed.wait(300)
        before = await seen(bed)
        bed.sim.network.apply("cut", LinkFault("reset"), dst="nas-1")
        await bed.wait(0.5)
        bed.sim.network.heal("cut")
        await bed.wait(300)
        return before, await seen(bed)

    bed = Bed(tls=True, release="25.10")
    before, after = bed.run(story)
    assert all(after[name][0] > good for name, (good, _) in before.items())
    times = [entry["at_ns"] / 1e9 for entry in logins(bed)]
    assert len(times) == 2 * MANY
    assert most_in_a_minute(times) <= TURNS
    assert sum(bad for _, bad in after.values()) <= 1  # a call that was under way


def test_an_appliance_that_is_down_holds_no_turn_and_its_connections_are_told_of_in_time() -> None:
    async def story(bed: Bed) -> dict[str, tuple[float, float]]:
        await bed.start()
        bed.inject("appliance.down")
        await add_many(bed)
        await bed.wait(60)
        told = await seen(bed)
        await bed.wait(600)
        bed.heal("appliance.down")
        await bed.wait(700)
        found = await seen(bed)
        assert all(good > 0 for good, _ in found.values()), found
        return told

    bed = Bed(tls=True, release="25.10")
    told = bed.run(story)
    assert all(bad >= 1 for _, bad in told.values()), told
    assert most_in_a_minute([entry["at_ns"] / 1e9 for entry in logins(bed)]) <= TURNS


def test_a_restart_within_the_minute_meets_no_refusal_either() -> None:
    async def story(bed: Bed) -> dict[str, tuple[float, float]]:
        await bed.start()
        await add_many(bed)
        await bed.wait(10)
        await bed.stop()
        await bed.start()
        await bed.wait(300)
        return await seen(bed)

    bed = Bed(tls=True, release="25.10")
    found = bed.run(story)
    assert all(good >= 1 and bad == 0 for good, bad in found.values()), found
    assert most_in_a_minute([entry["at_ns"] / 1e9 for entry in logins(bed)]) <= 20


def test_a_test_of_a_connection_waits_for_its_turn_as_well_and_not_for_ever() -> None:
    async def story(bed: Bed) -> tuple[list[int], dict[str, Any]]:
        await bed.start(PULSE_ENABLE_TRUENAS="")
        record = bed.record("nas-1", insecureSkipVerify=True)
        answers = await asyncio.gather(*(bed.api("POST", f"{BASE}/test", record) for _ in range(TURNS + 2)))
        await bed.wait(WINDOW_S)
        assert (await bed.api("POST", f"{BASE}/test", record))[0] == 200
        return [status for status, _ in answers], answers[-1][1]

    bed = Bed(tls=True, release="25.10")
    statuses, last = bed.run(story)
    assert statuses == [200] * TURNS + [400, 400]
    assert (last["code"], last["details"]["error_type"]) == ("truenas_connection_failed", "timeout")


def test_a_connection_whose_sessions_end_at_every_call_is_told_of() -> None:
    async def story(bed: Bed) -> dict[str, float]:
        await bed.start()
        await bed.add(insecureSkipVerify=True, pollIntervalSeconds=5)
        await bed.wait(10)
        bed.inject("rpc.close", call="pool.query", code=1006)
        await bed.wait(300)
        return await bed.errors()

    bed = Bed(tls=True, release="25.10")
    assert bed.run(story)["connection"] >= 5
    times = [entry["at_ns"] / 1e9 for entry in bed.journals["nas-1"] if entry["call"] == "auth.login_with_api_key"]
    assert most_in_a_minute(times) <= TURNS


@pytest.mark.parametrize("hosts", [1, 2])
def test_turns_are_taken_in_the_order_they_were_asked_for_and_by_host(hosts: int) -> None:
    async def story() -> list[tuple[int, float]]:
        logins, loop = Logins(Runtime()), asyncio.get_running_loop()
        taken: list[tuple[int, float]] = []
        began = loop.time()

        async def take(number: int) -> None:
            await logins.turn(f"nas-{number % hosts}")
            taken.append((number, loop.time() - began))

        await asyncio.gather(*(take(number) for number in range(3 * TURNS * hosts)))
        return taken

    simulation = Simulation(1, START_NS)
    taken = simulation.run(story(), host=simulation.host("pulse"))
    at = {number: round(when / WINDOW_S, 6) for number, when in taken}
    assert at == {number: float(number // hosts // TURNS) for number in range(3 * TURNS * hosts)}
    for host in range(hosts):
        mine = [number for number, _ in taken if number % hosts == host]
        assert mine == sorted(mine)


def test_a_turn_given_back_is_the_next_ones() -> None:
    async def story() -> float:
        logins, loop = Logins(Runtime()), asyncio.get_running_loop()
        began = loop.time()
        for _ in range(50):
            logins.give_back("nas-1", await logins.turn("nas-1"))
        assert logins.turn_at_once("nas-1") is not None
        return loop.time() - began

    simulation = Simulation(1, START_NS)
    assert simulation.run(story(), host=simulation.host("pulse")) == 0
