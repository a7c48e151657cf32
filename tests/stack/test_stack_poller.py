"""Contract A5, A8, A12: who is polled, what an edit does, and what start, stop, restart and the flag leave behind."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from pulse_sim.kernel import LinkFault
from pulse_sim.stack.assembly import Parts
from pulse_sim.stack.client import Client
from pulse_sim.stack.store import ConnectionStore
from tests.stack.stackbed import Bed

CONNECTION = "/api/truenas/connections/nas-1"


def arrivals(bed: Bed, name: str = "nas-1") -> list[float]:
    """Arrival of each poll's first request, in seconds."""
    return [
        (entry["at_ns"] - entry["duration_ns"]) / 1e9
        for entry in bed.journals[name]
        if str(entry["path"]).endswith("/system/info")
    ]


def test_due_times_do_not_drift_with_slow_polls() -> None:
    async def story(bed: Bed) -> None:
        await bed.start()
        await bed.add()
        bed.inject("http.delay", delay="4s", path="/disk")
        await bed.wait(3700)

    bed = Bed()
    bed.run(story)
    offsets = [at % 60 for at in arrivals(bed)]
    assert len(offsets) == 62
    assert max(offsets) - min(offsets) < 0.5


def test_an_interval_of_its_own_is_kept_and_shown() -> None:
    async def story(bed: Bed) -> dict[str, Any]:
        await bed.start()
        await bed.add(pollIntervalSeconds=7)
        await bed.wait(70)
        return await bed.poll_of()

    bed = Bed()
    assert bed.run(story)["intervalSeconds"] == 7
    assert len(arrivals(bed)) == 10


def test_a_connection_added_by_the_api_is_polled_at_once() -> None:
    async def story(bed: Bed) -> None:
        await bed.start()
        await bed.wait(33)
        await bed.add()
        await bed.wait(2)
        assert (await bed.poll_of())["lastSuccessAt"] is not None

    Bed().run(story)


def test_a_changed_key_takes_effect_at_once_on_a_new_client_and_closes_the_old_one() -> None:
    async def story(bed: Bed) -> None:
        await bed.start()
        await bed.add(apiKey="1-" + "x" * 64)
        await bed.wait(1200)
        assert set(await bed.errors()) == {"auth"}
        assert await bed.metric("scheduler_breaker_state") == 2
        status, _ = await bed.api("PUT", CONNECTION, {"apiKey": bed.keys["nas-1"]})
        assert status == 200
        await bed.wait(2)
        assert await bed.metric("monitor_poll_total", result="success") == 1
        assert await bed.metric("scheduler_breaker_state") == 0
        assert set(await bed.errors()) == {"auth"}  # the history of the connection goes on
        await bed.wait(30)
        assert (await bed.metrics())["pulse_runtime_open_connections"] == 0

    Bed().run(story)


def test_an_edit_of_name_or_interval_keeps_the_client() -> None:
    async def story(bed: Bed) -> bool:
        await bed.start()
        await bed.add()
        await bed.wait(5)
        before = bed.sim.network.counts()["connections_opened"]["pulse", "nas-1"]
        await bed.api("PUT", CONNECTION, {"name": "new", "pollIntervalSeconds": 30})
        await bed.wait(5)
        return bool(bed.sim.network.counts()["connections_opened"]["pulse", "nas-1"] == before)

    bed = Bed()
    assert bed.run(story)
    assert len(arrivals(bed)) == 2


def test_an_edit_that_is_refused_leaves_the_working_client_alone() -> None:
    async def story(bed: Bed) -> None:
        await bed.start()
        await bed.add()
        await bed.wait(30)
        status, answer = await bed.api("PUT", CONNECTION, {"host": "user@nas"})
        assert (status, answer["code"]) == (400, "validation_error")
        await bed.wait(60)
        assert await bed.metric("monitor_poll_total", result="success") == 2

    Bed().run(story)


class RefusesHost(Client):
    """A client that cannot be built for one host, as with TLS settings the machine does not support."""

    def __init__(self, connection: Any, *args: Any, **options: Any) -> None:
        if connection.host == "nas-2":
            raise ValueError("no such protocol")
        super().__init__(connection, *args, **options)


def test_a_client_that_cannot_be_built_leaves_the_old_one_working_and_is_logged_once() -> None:
    async def story(bed: Bed) -> None:
        await bed.start(replace(Parts(), client=RefusesHost))
        await bed.add()
        await bed.wait(30)
        status, answer = await bed.api("PUT", CONNECTION, {"host": "nas-2"})
        assert (status, list(answer["details"])) == (400, ["host"])
        assert (await bed.api("POST", "/api/truenas/connections", bed.record("nas-2")))[0] == 400
        another = ConnectionStore("/data", bed.seams())
        another.save([replace(each, host="nas-2") for each in another.load()])  # a process that knows no client
        await bed.wait(180)
        assert await bed.metric("monitor_poll_total", result="success") == 4

    bed = Bed("nas-1", "nas-2")
    bed.run(story)
    assert len([text for text in bed.logs.texts() if "not possible" in text]) == 1


@pytest.mark.parametrize("how", ["remove", "disable", "remove the file"])
def test_a_connection_no_longer_wanted_stops_within_a_minute_and_its_resources_go_stale(how: str) -> None:
    async def story(bed: Bed) -> None:
        await bed.start()
        await bed.add()
        await bed.wait(70)
        tasks = (await bed.metrics())["pulse_runtime_tasks"]
        if how == "remove":
            assert (await bed.api("DELETE", CONNECTION))[0] == 200
        elif how == "disable":
            assert (await bed.api("PUT", CONNECTION, {"enabled": False}))[0] == 200
        else:
            bed.disk.remove("/data/truenas.enc")
            assert (await bed.api("GET", "/api/truenas/connections")) == (200, [])
        polls = len(arrivals(bed))
        await bed.wait(181)
        assert len(arrivals(bed)) == polls
        assert not [series for series in await bed.metrics() if 'instance="nas-1"' in series]
        assert await bed.source_statuses() == {"stale"}
        assert (await bed.metrics())["pulse_runtime_tasks"] == tasks - 1
        await bed.wait(86_400)
        assert await bed.resources() == []
        assert ".encryption.key" in bed.disk.names("/data")

    Bed().run(story)


def test_with_the_flag_off_nothing_is_polled_and_a_restart_ends_in_stale() -> None:
    async def story(bed: Bed) -> None:
        await bed.start()
        await bed.add()
        await bed.wait(70)
        known = set(await bed.statuses())
        await bed.stop()
        polls = len(arrivals(bed))
        await bed.start(PULSE_ENABLE_TRUENAS="false")
        assert await bed.source_statuses() == {"online"}
        await bed.wait(121)
        assert await bed.source_statuses() == {"stale"}
        assert set(await bed.statuses()) == known
        assert [each["id"] for each in (await bed.api("GET", "/api/truenas/connections"))[1]] == ["nas-1"]
        assert not [series for series in await bed.metrics() if "instance=" in series]
        assert len(arrivals(bed)) == polls
        await bed.stop()
        await bed.start()
        await bed.wait(2)
        assert await bed.source_statuses() == {"online"}

    Bed().run(story)


def test_the_version_without_the_feature_has_no_routes_and_is_healthy() -> None:
    async def story(bed: Bed) -> None:
        await bed.start(variant="without-truenas")
        for method, path in (("GET", "/api/truenas/connections"), ("POST", "/api/truenas/connections/test")):
            assert (await bed.api(method, path))[0] == 404
        assert (await bed.api("GET", "/api/health"))[0] == 200
        assert (await bed.api("GET", "/api/v2/resources"))[1]["data"] == []

    Bed().run(story)


def test_a_restart_after_a_power_cut_knows_the_resources_of_the_last_minute() -> None:
    async def story(bed: Bed) -> None:
        await bed.start()
        await bed.add()
        await bed.wait(130)
        known = await bed.statuses()
        bed.disk.lose_power()
        bed.sim.network.apply("f", LinkFault("refuse"), dst="nas-1")
        bed.stack, before = None, bed.stack
        await bed.start(FRONTEND_PORT="7656")
        assert bed.stack is not None
        assert set(bed.stack._registry.known(("default", "truenas", "nas-1"))) == set(known)
        assert before is not None
        await before.stop()

    Bed().run(story)


def test_a_damaged_store_keeps_what_runs_running_and_is_reported_once() -> None:
    async def story(bed: Bed) -> None:
        await bed.start()
        await bed.add()
        await bed.wait(30)
        bed.disk.write("/data/truenas.enc", b"\x00" * 100, 0o600)
        status, answer = await bed.api("GET", "/api/truenas/connections")
        assert (status, answer["code"]) == (500, "truenas_load_failed")
        assert (await bed.api("POST", "/api/truenas/connections", bed.record("nas-1")))[0] == 500
        await bed.wait(300)
        assert await bed.metric("monitor_poll_total", result="success") == 6
        assert bed.disk.read("/data/truenas.enc") == b"\x00" * 100

    bed = Bed()
    bed.run(story)
    assert len([text for text in bed.logs.texts() if "connections not loaded" in text]) == 1


class EndsLate(Client):
    """A client whose call takes twenty more seconds when it is cancelled."""

    async def system_info(self) -> Any:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            await asyncio.sleep(20)
            raise


def test_stop_takes_five_seconds_whatever_the_polls_do() -> None:
    async def story(bed: Bed) -> float:
        await bed.start(replace(Parts(), client=EndsLate))
        await bed.add()
        await bed.wait(5)
        started = bed.sim.now_ns
        await bed.stop()
        took_s = (bed.sim.now_ns - started) / 1e9
        await bed.wait(20)
        return took_s

    bed = Bed()
    assert 4 <= bed.run(story) < 5
    assert "TrueNAS poller stopped, 1 tasks left behind" in bed.logs.texts()


def test_stop_in_the_middle_of_a_poll_is_quick_and_leaves_nothing() -> None:
    async def story(bed: Bed) -> float:
        await bed.start()
        await bed.add()
        bed.inject("http.silence")
        await bed.wait(3)
        started = bed.sim.now_ns
        await bed.stop()
        assert bed.sim.network.counts()["transports"] <= 2  # the appliance has not noticed yet
        return (bed.sim.now_ns - started) / 1e9

    bed = Bed()
    assert bed.run(story) < 0.1
    assert not bed.sim.unhandled


def test_log_lines_come_once_per_state_change() -> None:
    async def story(bed: Bed) -> None:
        await bed.start()
        await bed.add()
        await bed.wait(90)
        bed.inject("auth.revoke_key")
        await bed.wait(900)
        bed.heal("auth.revoke_key")
        await bed.wait(400)

    bed = Bed()
    bed.run(story)
    lines = [(level, text) for (level, name, *_), text in zip(bed.logs.lines, bed.logs.texts(), strict=True)
             if name == "TrueNASPoller"]  # fmt: skip
    assert [level for level, _ in lines] == ["INFO", "INFO", "WARNING", "WARNING", "INFO", "INFO"]
    assert lines[0][1] == "TrueNAS poller started"
    assert all(text.startswith("TrueNAS poll") for _, text in lines)
    assert "failed: auth (GET /system/info: HTTP 401)" in lines[2][1]
    assert "recovered" in lines[4][1]


def test_the_poll_status_is_what_the_contract_says() -> None:
    async def story(bed: Bed) -> dict[str, Any]:
        await bed.start()
        await bed.add()
        await bed.wait(30)
        bed.inject("http.status", status=500)
        await bed.wait(40)
        return await bed.poll_of()

    poll = Bed().run(story)
    assert set(poll) == {"intervalSeconds", "lastAttemptAt", "lastSuccessAt", "consecutiveFailures", "lastError"}
    assert set(poll["lastError"]) == {"at", "message", "category"}
    assert (poll["consecutiveFailures"], poll["lastError"]["category"]) == (1, "api")
    assert poll["lastAttemptAt"].startswith("2026-02-09T00:01:0")
    assert poll["lastError"]["message"] == "GET /system/info: HTTP 500"


def test_a_retryable_failure_costs_one_more_call_and_a_final_one_none() -> None:
    async def story(bed: Bed) -> list[int]:
        await bed.start()
        await bed.add()
        await bed.wait(30)
        counts = []
        for status in (500, 404):
            before = len(bed.journals["nas-1"])
            bed.inject("http.status", status=status)
            await bed.wait(60)
            bed.heal("http.status")
            counts.append(len(bed.journals["nas-1"]) - before)
        return counts

    assert Bed().run(story) == [2, 1]


def test_one_failed_call_that_succeeds_on_its_second_try_is_no_failed_poll() -> None:
    async def story(bed: Bed) -> None:
        await bed.start()
        await bed.add()
        await bed.wait(30)
        bed.inject("http.reset", after_bytes=5, path="/pool", first=1)
        await bed.wait(60)
        assert await bed.errors() == {}
        assert await bed.metric("monitor_poll_total", result="success") == 2

    bed = Bed()
    bed.run(story)
    assert [entry["ended"] for entry in bed.journals["nas-1"]].count("reset") == 1


class Breaks(Client):
    """A client with a bug."""

    async def system_info(self) -> Any:
        raise ZeroDivisionError


def test_a_bug_in_a_poll_is_an_internal_error_and_polling_goes_on() -> None:
    async def story(bed: Bed) -> dict[str, float]:
        await bed.start(replace(Parts(), client=Breaks))
        await bed.add()
        await bed.wait(90)
        assert (await bed.api("GET", "/api/health"))[0] == 200
        return await bed.errors()

    assert Bed().run(story) == {"internal": 2}


def test_a_field_that_cannot_be_read_is_reported_once_by_its_path() -> None:
    class Odd(Client):
        async def disks(self) -> Any:
            return [{"name": "sda", "size": "much"}]

    async def story(bed: Bed) -> list[dict[str, Any]]:
        await bed.start(replace(Parts(), client=Odd))
        await bed.add()
        await bed.wait(200)
        return await bed.resources("type=host")

    bed = Bed()
    (host,) = bed.run(story)
    assert host["host"]["unreadableFields"] == ["disk[0].size"]
    assert bed.logs.texts().count("TrueNAS poll of nas-1 could not read 1 fields, first disk[0].size") == 1


def test_a_clock_that_is_set_back_harms_nothing() -> None:
    async def story(bed: Bed) -> None:
        await bed.start()
        await bed.add()
        await bed.wait(70)
        bed.pulse.clock.step(-7_200_000_000_000)
        await bed.wait(90)
        assert await bed.metric("monitor_poll_staleness_seconds") < 60
        assert await bed.source_statuses() == {"online"}

    Bed().run(story)
