"""The stack over JSON-RPC: one session that stays open, logins that are few, and the same errors as over REST."""

import asyncio
import json
from typing import Any

import pytest

from pulse_sim.kernel import LinkFault
from pulse_sim.stack.client import Client
from pulse_sim.stack.connection import Connection
from pulse_sim.stack.deadlines import Deadlines
from pulse_sim.stack.errors import AnswerUnusable, Classifier, MonitorError
from pulse_sim.stack.negotiation import NegotiatedClient
from pulse_sim.stack.rpc import RpcSession
from pulse_sim.stack.rpc_client import RpcClient
from pulse_sim.stack.runtime import Runtime
from tests.stack.stackbed import Bed

FIVE_CALLS = ["system.info", "pool.query", "pool.dataset.query", "disk.query", "alert.list"]
LOGINS = ("auth.login_with_api_key", "auth.login_ex")


def bed_of(release: str = "25.10", **options: Any) -> Bed:
    return Bed(tls=True, release=release, **options)


async def add(bed: Bed, **fields: Any) -> None:
    await bed.add(insecureSkipVerify=True, **fields)


def calls(bed: Bed, *, name: str = "nas-1") -> list[str]:
    return [entry["call"] for entry in bed.journals[name] if entry["kind"] == "call"]


def kinds(bed: Bed, kind: str) -> list[dict[str, Any]]:
    return [entry for entry in bed.journals["nas-1"] if entry["kind"] == kind]


def sockets_of(bed: Bed) -> int:
    """Ends of connections that Pulse's host still has."""
    pairs = bed.sim.network._connections.values()
    return sum(not end.gone and end.host is bed.pulse for pair in pairs for end in pair.ends)


@pytest.mark.parametrize("release", ["25.04.0", "25.04", "25.10", "26.0"])
def test_one_poll_is_a_login_and_five_calls_and_ingests_what_the_appliance_is(release: str) -> None:
    async def story(bed: Bed) -> tuple[dict[str, str], dict[str, Any]]:
        await bed.start()
        await add(bed)
        await bed.wait(10)
        return await bed.statuses(), bed.appliances["nas-1"].truth()

    bed = bed_of(release)
    statuses, truth = bed.run(story)
    assert calls(bed) == ["auth.login_with_api_key", *FIVE_CALLS]
    expected = {"system:nas-1"}
    for kind, key in (("pool", "pools"), ("dataset", "datasets"), ("disk", "disks")):
        expected |= {f"system:nas-1/{kind}:{name}" for name in truth[key]}
    assert set(statuses) == expected


@pytest.mark.parametrize(("release", "answered"), [("24.04", 302), ("24.10", 302)])
def test_an_appliance_without_the_endpoint_is_asked_over_rest_from_then_on(release: str, answered: int) -> None:
    async def story(bed: Bed) -> None:
        await bed.start()
        await add(bed)
        await bed.wait(130)
        assert await bed.metric("monitor_poll_total", result="success") == 3

    bed = bed_of(release)
    bed.run(story)
    tried = [entry["status"] for entry in bed.journals["nas-1"] if entry["path"] == "/api/current"]
    assert tried == [answered]
    assert {entry["face"] for entry in bed.journals["nas-1"][1:]} == {"rest"}


def test_over_plain_http_no_web_socket_is_ever_tried() -> None:
    async def story(bed: Bed) -> None:
        await bed.start()
        await bed.add()
        await bed.wait(130)

    bed = Bed(release="25.10")
    bed.run(story)
    assert {entry["face"] for entry in bed.journals["nas-1"]} == {"rest"}


@pytest.mark.parametrize(("transport", "face"), [("rest", "rest"), ("rpc", "rpc"), ("auto", "rpc"), (" RPC ", "rpc")])
def test_the_transport_can_be_forced(transport: str, face: str) -> None:
    async def story(bed: Bed) -> None:
        await bed.start(environ={"PULSE_TRUENAS_TRANSPORT": transport})
        await add(bed)
        await bed.wait(10)

    bed = bed_of()
    bed.run(story)
    assert {entry["face"] for entry in bed.journals["nas-1"]} == {face}


def test_one_session_lives_through_a_day_of_polls_and_a_front_that_cuts_what_is_idle() -> None:
    async def story(bed: Bed) -> list[dict[str, float]]:
        await bed.start()
        await add(bed)
        await bed.wait(17)
        samples = [await bed.metrics()]
        await bed.wait(24 * 3600)
        return [*samples, await bed.metrics()]

    bed = bed_of()
    first, last = bed.run(story)
    assert (len(kinds(bed, "handshake")), len(kinds(bed, "close"))) == (1, 1)
    assert sum(call in LOGINS for call in calls(bed)) == 1
    assert len(calls(bed)) == 1 + 5 * 1441
    for name in ("tasks", "timers", "open_connections"):
        assert first[f"pulse_runtime_{name}"] == last[f"pulse_runtime_{name}"], name


@pytest.mark.parametrize(
    ("kind", "parameters", "error_type"),
    [
        ("rpc.silence", {"call": "pool.query"}, "timeout"),
        ("rpc.late", {"call": "disk.query", "delay": "25s"}, "timeout"),
        ("rpc.error", {"call": "pool.query"}, "api"),
        ("rpc.error", {"call": "pool.query", "errno": 13}, "auth"),
        ("rpc.no_method", {"call": "alert.list"}, "api"),
        ("rpc.wrong_id", {"call": "system.info"}, "timeout"),
        ("rpc.cut_frame", {"call": "pool.query"}, "connection"),
        ("rpc.malformed", {"call": "pool.query"}, "api"),
        ("rpc.oversize", {"call": "pool.query", "bytes": 5 << 20}, "api"),
        ("rpc.close", {"call": "pool.query", "code": 1011}, "api"),
        ("rpc.close", {"call": "pool.query", "code": 1008}, "auth"),
        ("auth.role", {}, "auth"),
        ("front.bad_gateway", {}, "api"),
        ("front.handshake_silence", {}, "timeout"),
        ("front.not_allowed", {}, "auth"),
        ("appliance.down", {}, "connection"),
    ],
)
def test_a_fault_is_counted_by_its_type_and_the_next_good_poll_recovers(
    kind: str, parameters: dict[str, Any], error_type: str
) -> None:
    async def story(bed: Bed) -> None:
        await bed.start()
        await add(bed)
        await bed.wait(90)
        before = await bed.statuses()
        if kind.startswith("front"):  # what the front does is met by a new session only
            bed.sim.network.apply("cut", LinkFault("reset"), dst="nas-1")
            await bed.wait(1)
            bed.sim.network.heal("cut")
        bed.inject(kind, **parameters)
        await bed.wait(240)
        assert error_type in await bed.errors()
        assert (await bed.poll_of())["lastError"]["category"] == error_type
        assert await bed.source_statuses() == {"stale"}
        assert set(await bed.statuses()) == set(before)
        bed.heal(kind)
        await bed.wait(330)  # the longest an open breaker waits, and one poll
        assert await bed.statuses() == before
        assert await bed.source_statuses() == {"online"}
        assert await bed.metric("monitor_poll_consecutive_failures") == 0

    bed = bed_of()
    bed.run(story)
    assert not bed.sim.unhandled


def test_a_session_that_was_lost_under_a_living_socket_is_logged_in_again_once_and_no_poll_fails() -> None:
    async def story(bed: Bed) -> None:
        await bed.start()
        await add(bed)
        await bed.wait(90)
        bed.inject("auth.lose_session")
        await bed.wait(1)
        bed.heal("auth.lose_session")
        await bed.wait(120)
        assert await bed.errors() == {}

    bed = bed_of()
    bed.run(story)
    assert len(kinds(bed, "handshake")) == 1
    assert sum(call in LOGINS for call in calls(bed)) <= 2


def test_a_refused_key_is_tried_ever_more_rarely() -> None:
    async def story(bed: Bed) -> None:
        await bed.start()
        await add(bed)
        await bed.wait(65)
        bed.inject("auth.revoke_key")
        bed.sim.network.apply("cut", LinkFault("reset"), dst="nas-1")
        await bed.wait(1)
        bed.sim.network.heal("cut")
        await bed.wait(3600)
        assert (await bed.poll_of())["lastError"]["category"] == "auth"

    bed = bed_of()
    bed.run(story)
    refused = [call for call in calls(bed) if call in LOGINS]
    assert 15 <= len(refused) <= 27  # the ramp from 5 s, then one attempt every five minutes


@pytest.mark.parametrize(
    ("fields", "login"),
    [
        ({}, "auth.login_with_api_key"),
        ({"username": "truenas_admin"}, "auth.login_ex"),
    ],
)
def test_a_key_with_a_user_name_logs_in_the_newer_way(fields: dict[str, Any], login: str) -> None:
    async def story(bed: Bed) -> None:
        await bed.start()
        await add(bed, **fields)
        await bed.wait(10)
        assert await bed.metric("monitor_poll_total", result="success") == 1

    bed = bed_of()
    bed.run(story)
    assert calls(bed)[0] == login


def test_no_secret_leaves_the_stack_while_logins_fail() -> None:
    async def story(bed: Bed) -> str:
        await bed.start()
        await add(bed)
        shown = []
        for kind in ("auth.revoke_key", "rpc.malformed", "rpc.stray"):
            bed.inject(kind)
            await bed.wait(150)
            for path in ("/metrics", "/api/truenas/connections", "/api/v2/resources"):
                shown.append(str(await bed.api("GET", path)))
            shown.append(str(await bed.api("POST", "/api/truenas/connections/nas-1/test")))
            bed.heal(kind)
        return "\n".join(shown)

    bed = bed_of()
    shown = bed.run(story)
    assert "PSIMSECRET" not in shown + json.dumps(bed.logs.lines, default=str) + "".join(bed.logs.texts())


def test_after_an_upgrade_that_removed_rest_the_transport_is_chosen_anew() -> None:
    async def story(bed: Bed) -> None:
        await bed.start()
        await add(bed)
        await bed.wait(30)
        bed.inject("http.not_found", path="*")
        await bed.wait(130)
        bed.heal("http.not_found")
        await bed.wait(130)
        assert await bed.metric("monitor_poll_consecutive_failures") == 0

    bed = bed_of("24.10")
    bed.run(story)
    tried = [entry for entry in bed.journals["nas-1"] if entry["path"] == "/api/current"]
    assert len(tried) >= 2


def test_the_same_seed_gives_the_same_digest() -> None:
    def digest() -> str:
        async def story(bed: Bed) -> None:
            await bed.start()
            await add(bed)
            await bed.wait(100)
            bed.inject("rpc.silence")
            await bed.wait(300)

        bed = bed_of()
        bed.run(story)
        return json.dumps(bed.journals)

    assert digest() == digest()


def test_a_poll_out_of_time_ends_its_session_and_a_late_answer_meets_nobody() -> None:
    async def story(bed: Bed) -> float:
        await bed.start()
        await add(bed, pollIntervalSeconds=10)  # a poll has 5 s, a call would have 10
        await bed.wait(5)
        bed.inject("rpc.late", call="pool.query", delay="7s")
        await bed.wait(10)
        bed.heal("rpc.late")
        await bed.wait(60)
        assert await bed.errors() == {"timeout": 1}
        return await bed.metric("monitor_poll_consecutive_failures")

    bed = bed_of()
    assert bed.run(story) == 0
    assert len(kinds(bed, "handshake")) == 2
    assert not bed.sim.unhandled


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        ("tls.stalled", {}),
        ("front.handshake_silence", {}),
        ("rpc.silence", {"call": "auth.login_with_api_key"}),
        ("rpc.silence", {"call": "disk.query"}),
        ("appliance.asleep", {}),
    ],
)
@pytest.mark.parametrize("after_s", [0.2, 3, 11, 25])
def test_stopping_in_the_middle_of_a_poll_leaves_no_socket_whatever_it_waits_for(
    kind: str, parameters: dict[str, Any], after_s: float
) -> None:
    async def story(bed: Bed) -> tuple[float, int]:
        bed.inject(kind, **parameters)
        await bed.start()
        await add(bed)
        await bed.wait(after_s)
        started = bed.sim.now_ns
        await bed.stop()
        took_s = (bed.sim.now_ns - started) / 1e9
        await bed.wait(1)
        return took_s, sockets_of(bed)

    bed = bed_of()
    took_s, transports = bed.run(story)
    assert took_s <= 5
    assert transports == 0
    assert not bed.sim.unhandled


@pytest.mark.parametrize("kind", [NegotiatedClient, RpcClient])
def test_a_closed_client_opens_nothing_any_more(kind: Any) -> None:
    async def story(bed: Bed) -> tuple[str, int]:
        runtime = Runtime()
        connection = Connection(id="n", host="nas-1", api_key=bed.keys["nas-1"], insecure_skip_verify=True)
        given: dict[str, Any] = {"deadlines": Deadlines(), "classifier": Classifier()}
        if kind is NegotiatedClient:
            given |= {"rest": Client, "rpc": RpcClient}
        client = kind(connection, runtime, bed.pulse.clock, **given)
        opening = asyncio.ensure_future(client.test())
        await bed.wait(0)
        await client.close()  # while it opens
        with pytest.raises(MonitorError):
            await opening
        with pytest.raises(MonitorError) as refused:
            await client.pools()
        await client.close()
        return refused.value.type, runtime.tasks

    bed = bed_of()
    assert bed.run(story) == ("connection", 0)
    assert [entry["kind"] for entry in bed.journals["nas-1"] if entry["kind"] == "call"] in ([], ["call"])


@pytest.mark.parametrize("text", ["[]", '"pong"', "5", "null", '{"jsonrpc":"2.0","id":1}'])
def test_a_reply_of_another_shape_is_an_unusable_answer_and_no_silence(text: str) -> None:
    session = RpcSession.__new__(RpcSession)
    loop = asyncio.new_event_loop()
    waiter: asyncio.Future[Any] = loop.create_future()
    session._waiting, session._clean = {1: waiter}, str
    session._take(text)
    assert isinstance(waiter.exception(), AnswerUnusable)
    loop.close()
