"""Connections of a running stack survive the death of its machine, however much of its disk that takes."""

from pathlib import Path
from typing import Any

import aiohttp
import pytest

from pulse_sim.kernel import Simulation
from pulse_sim.outcome import Outcome
from pulse_sim.stack.assembly import Seams, Stack
from pulse_sim.units import MINUTE
from tests.run.rehearsal import Rehearsed, rehearse, scenario
from tests.stack.stackbed import REBOUND, START_NS, TOKEN

NAS = {"release": "24.10", "fixture": "baseline"}


def deaths(power: str) -> list[dict[str, Any]]:
    """Every configuration change is followed by a death in the same second."""
    changes = [
        {"do": "add_connection", "with": {"id": "nas-2", "appliance": "nas-2", "poll_interval": "20s"}},
        {"do": "update_connection", "with": {"id": "nas-1", "poll_interval": "30s"}},
        {"do": "remove_connection", "with": {"id": "nas-2"}},
        {"do": "add_connection", "with": {"id": "nas-3", "appliance": "nas-3", "poll_interval": "20s"}},
    ]
    timeline = []
    for minute, change in enumerate(changes, 2):
        timeline += [{"at": f"{minute}m", **change}]
        timeline += [{"at": f"{minute}m1s", "do": "kill_system", "with": {"down_for": "2s", "power": power}}]
    return timeline


@pytest.mark.parametrize("power", ["kept", "lost", "torn"])
def test_what_an_operator_was_told_is_stored_is_polled_after_the_machine_died(tmp_path: Path, power: str) -> None:
    done: Rehearsed = rehearse(
        tmp_path, scenario(appliances=dict.fromkeys(("nas-1", "nas-2", "nas-3"), NAS), timeline=deaths(power))
    )
    assert (done.outcome, done.broken) == (Outcome.PASSED, ())
    assert {record.data["error"] for record in done.of("operator/action")} == {None}
    polled = {
        nas: {int(request.arrival_ns // MINUTE) for request in done.log.requests(nas)}
        for nas in ("nas-1", "nas-2", "nas-3")
    }
    assert polled["nas-1"] >= set(range(14))
    assert {2, 3} <= polled["nas-2"] <= {2, 3, 4}, "removed in minute 4"
    assert polled["nas-3"] == set(range(5, 14))
    (disk,) = done.of("world/disk")
    names = set(disk.data["files"])
    assert {"truenas.enc", ".encryption.key"} <= names
    assert not [name for name in names if name.endswith(".tmp")]


def test_a_machine_that_dies_after_each_of_a_hundred_answers_has_stored_what_it_answered() -> None:
    """Right after each answer its power goes and its disk is torn; a new stack starts on what is left."""
    sim = Simulation(7, START_NS, rebind=REBOUND)
    pulse, operator, disk = sim.host("pulse"), sim.host("operator"), sim.disk("pulse")
    seams = Seams(pulse.clock, sim.entropy("pulse"), sim.stream, disk)
    environ = {"PULSE_DATA_DIR": "/data", "PULSE_API_TOKEN": TOKEN, "BIND_ADDRESS": pulse.address}
    base = f"http://{pulse.address}:7655/api/truenas/connections"

    async def asked(method: str, path: str = "", json: Any = None) -> tuple[int, Any]:
        async with (
            aiohttp.ClientSession(headers={"X-API-Token": TOKEN}) as session,
            session.request(method, base + path, json=json) as answer,
        ):
            return answer.status, await answer.json()

    async def story() -> None:
        stored: list[str] = []
        for number in range(100):
            await pulse.run(Stack(environ, seams).start(), name="start")
            status, answer = await asked("GET")
            assert (status, [each["id"] for each in answer]) == (200, stored)
            if len(stored) < 10:
                record = {"id": f"nas-{number}", "host": f"nas-{number}.lan", "apiKey": f"{number}-PSIMSECRET"}
                assert (await asked("POST", json=record))[0] == 201
                stored.append(record["id"])
            else:
                gone = stored.pop(number % 10)
                assert (await asked("DELETE", f"/{gone}"))[0] == 200
            sim.power_off(pulse, torn=True)
            sim.power_on(pulse)

    sim.run(story(), host=operator)
    assert sorted(disk.files()) == ["/data/.encryption.key", "/data/truenas.enc"]
    assert {disk.mode(path) for path in disk.files()} == {0o600}
