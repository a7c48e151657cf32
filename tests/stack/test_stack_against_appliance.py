"""The whole stack against the mock appliance on the simulated network, seen only through its public surfaces."""

import json
from typing import Any

import pytest

from pulse_sim.kernel import LinkFault
from tests.stack.stackbed import Bed

FIVE_CALLS = ["/system/info", "/pool", "/pool/dataset", "/disk", "/alert/list"]


def path_of(entry: dict[str, Any]) -> str:
    return str(entry["path"]).partition("?")[0].removeprefix("/api/v2.0")


def test_one_poll_is_five_get_calls_and_ingests_what_the_appliance_is() -> None:
    async def story(bed: Bed) -> tuple[dict[str, str], dict[str, Any]]:
        await bed.start()
        await bed.add()
        await bed.wait(10)
        return await bed.statuses(), bed.appliances["nas-1"].truth()

    bed = Bed()
    statuses, truth = bed.run(story)
    journal = bed.journals["nas-1"]
    assert [path_of(entry) for entry in journal] == FIVE_CALLS
    assert {(entry["method"], entry["status"], entry["user_agent"]) for entry in journal} == {("GET", 200, "pulse-sim")}
    expected = {"system:nas-1"}
    for kind, key in (("pool", "pools"), ("dataset", "datasets"), ("disk", "disks")):
        expected |= {f"system:nas-1/{kind}:{name}" for name in truth[key]}
    assert set(statuses) == expected


def test_polls_come_every_minute_with_a_new_connection_each_and_counts_stay_flat() -> None:
    async def story(bed: Bed) -> list[dict[str, float]]:
        await bed.start()
        await bed.add()
        samples = []
        await bed.wait(17)
        for _ in range(60):
            samples.append(await bed.metrics())
            await bed.wait(60)
        return samples

    bed = Bed()
    samples = bed.run(story)
    assert len(bed.journals["nas-1"]) == 61 * 5
    for name in ("tasks", "timers", "open_connections"):
        assert len({sample[f"pulse_runtime_{name}"] for sample in samples}) == 1, name
    opened = bed.sim.network.counts()["connections_opened"]["pulse", "nas-1"]
    assert opened == 61


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize(
    ("kind", "parameters", "error_type"),
    [
        ("http.delay", {"delay": "15s"}, "timeout"),
        ("http.silence", {}, "timeout"),
        ("auth.revoke_key", {}, "auth"),
        ("http.status", {"status": 503}, "api"),
        ("http.status", {"status": 504}, "timeout"),
        ("http.status", {"status": 403, "body": "middleware"}, "auth"),
        ("http.truncate_body", {"keep_bytes": 20}, "api"),
        ("http.malformed_body", {}, "api"),
        ("http.reset", {"after_bytes": 20}, "connection"),
        ("appliance.down", {}, "connection"),
    ],
)
def test_a_fault_is_counted_by_its_type_and_the_next_good_poll_recovers(
    kind: str, parameters: dict[str, Any], error_type: str, tls: bool
) -> None:
    async def story(bed: Bed) -> None:
        await bed.start()
        await bed.add(insecureSkipVerify=tls)
        await bed.wait(90)
        before = await bed.statuses()
        bed.inject(kind, **parameters)
        await bed.wait(240)
        assert set(await bed.errors()) == {error_type}
        assert (await bed.poll_of())["lastError"]["category"] == error_type
        assert await bed.source_statuses() == {"stale"}
        assert set(await bed.statuses()) == set(before)
        assert (await bed.poll_of())["consecutiveFailures"] >= 3
        bed.heal(kind)
        await bed.wait(200)
        assert await bed.statuses() == before
        assert await bed.source_statuses() == {"online"}
        assert await bed.metric("monitor_poll_consecutive_failures") == 0
        assert await bed.metric("scheduler_breaker_state") == 0

    bed = Bed(tls=tls)
    bed.run(story)
    assert not bed.sim.unhandled


@pytest.mark.parametrize(
    ("fault", "error_type"),
    [(LinkFault("refuse"), "connection"), (LinkFault("reset"), "connection"), (LinkFault("blackhole"), "timeout")],
)
def test_a_network_fault_is_counted_by_its_type(fault: LinkFault, error_type: str) -> None:
    async def story(bed: Bed) -> None:
        await bed.start()
        await bed.add()
        await bed.wait(90)
        bed.sim.network.apply("f", fault, dst="nas-1")
        await bed.wait(90)
        assert set(await bed.errors()) == {error_type}
        bed.sim.network.heal("f")
        await bed.wait(90)
        assert await bed.metric("monitor_poll_consecutive_failures") == 0

    Bed().run(story)


def test_an_unresolvable_name_and_an_untrusted_or_wrong_certificate_have_their_types() -> None:
    async def story(bed: Bed) -> None:
        await bed.start()
        await bed.add()
        await bed.add(id="nowhere", host="nowhere.example")
        await bed.add(id="pinned", insecureSkipVerify=True, fingerprint="ab" * 32, username="other")
        await bed.wait(50)
        assert set(await bed.errors("nas-1")) == {"validation"}
        assert set(await bed.errors("nowhere")) == {"connection"}
        assert set(await bed.errors("pinned")) == {"validation"}

    Bed(tls=True).run(story)


def test_polling_slows_down_while_an_appliance_refuses_the_key() -> None:
    async def story(bed: Bed) -> None:
        await bed.start()
        await bed.add()
        await bed.wait(65)
        bed.inject("auth.revoke_key")
        await bed.wait(3600)

    bed = Bed()
    bed.run(story)
    refused = [entry for entry in bed.journals["nas-1"] if entry["status"] == 401]
    assert 15 <= len(refused) <= 25  # the ramp from 5 s, then one attempt every five minutes


def test_a_hanging_appliance_delays_no_other() -> None:
    async def story(bed: Bed) -> None:
        await bed.start()
        await bed.add("nas-1")
        await bed.add("nas-2")
        await bed.wait(30)
        bed.inject("http.silence", "nas-1")
        await bed.wait(600)
        assert await bed.metric("monitor_poll_total", "nas-2", result="success") == 11
        assert await bed.metric("monitor_poll_consecutive_failures", "nas-1") > 3

    Bed("nas-1", "nas-2").run(story)


def test_no_secret_leaves_the_stack_while_everything_goes_wrong() -> None:
    async def story(bed: Bed) -> str:
        await bed.start()
        await bed.add(password="PSIMSECRETpassword", username="root")
        shown = []
        for kind in ("auth.revoke_key", "http.malformed_body", "http.truncate_body"):
            bed.inject(kind)
            await bed.wait(120)
            for path in (
                "/metrics",
                "/api/truenas/connections",
                "/api/v2/resources",
                "/api/monitoring/scheduler/health",
            ):
                shown.append(str(await bed.api("GET", path)))
            shown.append(str(await bed.api("POST", "/api/truenas/connections/nas-1/test")))
            bed.heal(kind)
        return "\n".join(shown)

    bed = Bed()
    shown = bed.run(story)
    assert "PSIMSECRET" not in shown
    assert "PSIMSECRET" not in json.dumps(bed.logs.lines, default=str) + "".join(bed.logs.texts())
    assert [path for path, data in bed.disk.files().items() if b"PSIMSECRET" in data] == []


def test_the_same_seed_gives_the_same_metrics_and_logs() -> None:
    async def story(bed: Bed) -> tuple[Any, ...]:
        await bed.start()
        await bed.add()
        await bed.wait(100)
        bed.inject("http.silence")
        await bed.wait(400)
        return await bed.metrics(), await bed.resources()

    first, second = Bed(seed=3), Bed(seed=3)
    assert first.run(story) == second.run(story)
    assert first.logs.texts() == second.logs.texts()
