"""Contract A2 and A3 on the wire, row by row and over both transports: what happens, and which error it becomes."""

import asyncio
import ssl
from typing import Any

import pytest

from pulse_sim.kernel import LinkFault
from pulse_sim.stack.client import Client
from pulse_sim.stack.connection import read_connection
from pulse_sim.stack.deadlines import Deadlines
from pulse_sim.stack.errors import Classifier, MonitorError
from pulse_sim.stack.fetcher import ApiFetcher, Retries
from pulse_sim.stack.negotiation import NegotiatedClient
from pulse_sim.stack.rpc import endpoint
from pulse_sim.stack.rpc_client import RpcClient
from pulse_sim.stack.runtime import Runtime
from pulse_sim.stack.transport import tls_context
from tests.stack.stackbed import START_NS, Bed
from tests.stack.test_stack_client import fingerprint_of

LOGIN = "auth.login_with_api_key"


def client_of(bed: Bed, runtime: Runtime, transport: str = "auto", **fields: Any) -> NegotiatedClient:
    record = {**bed.record("nas-1"), "insecureSkipVerify": True, **fields}
    return NegotiatedClient(
        read_connection(record), runtime, bed.pulse.clock, deadlines=Deadlines(), classifier=Classifier(),
        rest=Client, rpc=RpcClient, transport=transport,
    )  # fmt: skip


def failure_of(
    kind: str | None,
    parameters: dict[str, Any] | None = None,
    *,
    transport: str,
    release: str = "25.10",
    link: LinkFault | None = None,
    **fields: Any,
) -> tuple[MonitorError, float]:
    """The error of asking for the pools of an appliance with a fault, and the seconds until it came."""

    async def story(bed: Bed) -> tuple[MonitorError, float]:
        runtime, loop = Runtime(), asyncio.get_running_loop()
        if fields.get("fingerprint") == "right":
            fields["fingerprint"] = fingerprint_of(bed, "nas-1")
        client = client_of(bed, runtime, transport, **fields)
        if kind is not None:
            bed.inject(kind, **(parameters or {}))
            await bed.wait(0.01)
        if link is not None:
            bed.sim.network.apply("link", link, dst="nas-1")
        started = loop.time()
        with pytest.raises(MonitorError) as caught:
            await client.pools()
        took_s = loop.time() - started
        await client.close()
        assert (runtime.timers, runtime.open_connections) == (0, 0)
        assert "PSIMSECRET" not in f"{caught.value!r} {caught.value.cause} {caught.value.op}"
        return caught.value, took_s

    bed = Bed(tls=True, release=release)
    found = bed.run(story)
    assert not bed.sim.unhandled
    return found


@pytest.mark.parametrize(
    ("transport", "kind", "parameters", "error_type", "retryable", "status"),
    [
        # 401, 403, login refused, errnos and replies that say no
        ("rest", "auth.revoke_key", {}, "auth", False, 401),
        ("rest", "http.status", {"status": 403}, "auth", False, 403),
        ("rest", "front.not_allowed", {}, "auth", False, 403),
        ("rpc", "auth.revoke_key", {}, "auth", False, None),
        ("rpc", "auth.expire_key", {}, "auth", False, None),
        ("rpc", "front.not_allowed", {}, "auth", False, None),
        ("rpc", "rpc.error", {"call": "pool.query", "errno": 1}, "auth", False, None),
        ("rpc", "rpc.error", {"call": "pool.query", "errno": 13}, "auth", False, None),
        ("rpc", "rpc.not_authenticated", {"call": "pool.query"}, "auth", False, None),
        ("rpc", "auth.role", {}, "auth", False, None),
        ("auto", "http.status", {"status": 401}, "auth", False, 401),
        # refused, reset, without an answer
        ("rest", "appliance.down", {}, "connection", True, None),
        ("rpc", "appliance.down", {}, "connection", True, None),
        ("rest", "http.reset", {"after_bytes": 0}, "connection", True, None),
        ("rpc", "rpc.cut_frame", {"call": "pool.query"}, "connection", True, None),
        ("rpc", "rpc.close", {"call": "pool.query", "code": 1000}, "connection", True, None),
        ("rpc", "rpc.close", {"call": "pool.query", "code": 1006}, "connection", True, None),
        ("rpc", "front.closed_at_once", {}, "connection", True, None),
        ("rest", "tls.old_version", {}, "connection", True, None),
        ("rpc", "tls.old_version", {}, "connection", True, None),
        # no answer inside the deadline, 408, 504
        ("rest", "http.silence", {}, "timeout", True, None),
        ("rest", "http.status", {"status": 408}, "timeout", True, 408),
        ("rest", "http.status", {"status": 504}, "timeout", True, 504),
        ("rpc", "http.status", {"status": 504}, "timeout", True, 504),
        ("rpc", "rpc.silence", {"call": "pool.query"}, "timeout", True, None),
        ("rest", "tls.stalled", {}, "timeout", True, None),
        ("rpc", "tls.stalled", {}, "timeout", True, None),
        # other statuses, JSON-RPC errors, truncated, malformed, of the wrong type, too long
        ("rest", "http.status", {"status": 400}, "api", False, 400),
        ("rest", "http.status", {"status": 404}, "api", False, 404),
        ("rest", "http.status", {"status": 413}, "api", False, 413),
        ("rest", "http.status", {"status": 429}, "api", True, 429),
        ("rest", "http.status", {"status": 500}, "api", True, 500),
        ("rest", "front.bad_gateway", {}, "api", True, 502),
        ("rpc", "front.bad_gateway", {}, "api", True, 502),
        ("rpc", "front.upgrade_stripped", {}, "api", False, 400),
        ("rpc", "front.redirect_ui", {}, "api", False, 302),
        ("rest", "http.truncate_body", {"keep_bytes": 20}, "api", True, None),
        ("rest", "http.malformed_body", {}, "api", True, None),
        ("rpc", "rpc.malformed", {"call": "pool.query"}, "api", True, None),
        ("rpc", "rpc.error", {"call": "pool.query", "errno": 22}, "api", True, None),
        ("rpc", "rpc.no_method", {"call": "pool.query"}, "api", False, None),
        ("rpc", "rpc.oversize", {"call": "pool.query", "bytes": 5 << 20}, "api", False, None),
        ("rpc", "rpc.close", {"call": "pool.query", "code": 1011}, "api", True, None),
    ],
)  # fmt: skip
def test_what_happened_is_an_error_of_its_type(
    transport: str, kind: str, parameters: dict[str, Any], error_type: str, retryable: bool, status: int | None
) -> None:
    error, _ = failure_of(kind, parameters, transport=transport)
    assert (error.type, error.retryable, error.status_code) == (error_type, retryable, status)
    assert (error.instance, error.timestamp_ns >= START_NS) == ("nas-1", True)
    assert error.op in ("GET /pool", "pool.query", "connect")


@pytest.mark.parametrize("transport", ["rest", "rpc", "auto"])
@pytest.mark.parametrize(
    ("kind", "fields", "error_type"),
    [
        (None, {"insecureSkipVerify": False}, "validation"),
        (None, {"fingerprint": "ab" * 32}, "validation"),
        ("tls.rotated", {"fingerprint": "right"}, "validation"),
        ("tls.expired", {"fingerprint": "right"}, "validation"),
        ("tls.wrong_name", {"insecureSkipVerify": False}, "validation"),
        (None, {"host": "nowhere"}, "connection"),
    ],
)
def test_whom_it_does_not_trust_and_whom_it_does_not_find_is_the_same_over_every_transport(
    transport: str, kind: str | None, fields: dict[str, Any], error_type: str
) -> None:
    error, _ = failure_of(kind, transport=transport, **fields)
    assert (error.type, error.retryable) == (error_type, error_type == "connection")


@pytest.mark.parametrize("transport", ["rest", "rpc"])
def test_a_right_pin_decides_alone_when_nothing_else_is_verified(transport: str) -> None:
    async def story(bed: Bed) -> int:
        client = client_of(bed, Runtime(), transport, fingerprint=fingerprint_of(bed, "nas-1"))
        pools = await client.pools()
        await client.close()
        return len(pools)

    assert Bed(tls=True, release="25.10").run(story) > 0


@pytest.mark.parametrize(
    ("transport", "kind", "parameters", "took_s"),
    [
        ("rest", "tls.stalled", {}, 5),
        ("rpc", "tls.stalled", {}, 5),
        ("rpc", "front.handshake_silence", {}, 10),
        ("auto", "front.handshake_silence", {}, 10),
        ("rpc", "rpc.silence", {"call": LOGIN}, 10),
        ("rpc", "rpc.silence", {"call": "pool.query"}, 10),
        ("rest", "http.silence", {}, 10),
        ("rest", "appliance.asleep", {}, 10),
    ],
)
def test_every_stage_has_its_deadline(transport: str, kind: str, parameters: dict[str, Any], took_s: float) -> None:
    error, seconds = failure_of(kind, parameters, transport=transport)
    assert error.type == "timeout"
    assert took_s <= seconds < took_s + 0.1


@pytest.mark.parametrize("transport", ["rest", "rpc"])
def test_an_address_that_swallows_everything_costs_five_seconds(transport: str) -> None:
    error, seconds = failure_of(None, transport=transport, link=LinkFault("blackhole"))
    assert (error.type, round(seconds, 1)) == ("timeout", 5.0)


@pytest.mark.parametrize(("interval_s", "limit_s"), [(60, 30), (30, 15), (4, 2)])
@pytest.mark.parametrize("transport", ["rest", "rpc"])
def test_a_poll_of_slow_calls_ends_at_its_own_deadline(transport: str, interval_s: int, limit_s: float) -> None:
    async def story(bed: Bed) -> float:
        bed.inject("http.delay" if transport == "rest" else "rpc.late", delay="9s", call="*.query|system.info")
        await bed.start(environ={"PULSE_TRUENAS_TRANSPORT": transport})
        await bed.add(insecureSkipVerify=True, pollIntervalSeconds=interval_s)
        await bed.wait(limit_s + 1)
        assert await bed.errors() == {"timeout": 1}
        return await bed.metric("monitor_poll_duration_seconds_sum")

    assert limit_s <= Bed(tls=True, release="25.10").run(story) < limit_s + 0.1


@pytest.mark.parametrize(
    ("release", "transport", "tls", "face"),
    [
        ("24.10", "auto", True, "rest"),
        ("24.10", "auto", False, "rest"),
        ("25.04", "auto", True, "rpc"),
        ("25.10", "auto", False, "rest"),
        ("25.10", "rest", True, "rest"),
        ("26.0", "auto", True, "rpc"),
        ("26.0", "rpc", True, "rpc"),
    ],
)
def test_the_release_the_setting_and_tls_decide_the_transport(
    release: str, transport: str, tls: bool, face: str
) -> None:
    async def story(bed: Bed) -> None:
        runtime = Runtime()
        client = client_of(bed, runtime, transport)
        await ApiFetcher(client, runtime, Retries(Deadlines())).fetch()
        await client.close()

    bed = Bed(tls=tls, release=release)
    bed.run(story)
    faces = {entry["face"] for entry in bed.journals["nas-1"] if entry["kind"] in ("call", "request")}
    assert faces - {"front"} == {face}


@pytest.mark.parametrize("credentials", [{}, {"username": "truenas_admin"}])
def test_json_rpc_that_is_forced_without_tls_is_refused_before_anything_is_sent(credentials: dict[str, str]) -> None:
    async def story(bed: Bed) -> int:
        runtime = Runtime()
        with pytest.raises(ValueError, match="clear"):
            endpoint(read_connection({**bed.record("nas-1"), **credentials}))
        client = None
        try:
            client = client_of(bed, runtime, "rpc", **credentials)
            with pytest.raises(MonitorError):
                await client.test()
        except ValueError:
            client = None
        finally:
            if client is not None:
                await client.close()
        return runtime.open_connections

    bed = Bed(release="25.10")
    assert bed.run(story) == 0
    assert bed.journals["nas-1"] == []


@pytest.mark.parametrize("skip_verify", [False, True])
def test_tls_is_1_2_or_later(skip_verify: bool) -> None:
    assert tls_context(skip_verify).minimum_version == ssl.TLSVersion.TLSv1_2


def test_datasets_come_in_pages_over_json_rpc_too() -> None:
    async def story(_: Bed) -> tuple[list[Any], bool]:
        client = RpcClient.__new__(RpcClient)
        asked: list[Any] = []
        everything = [{"name": f"p{at}"} for at in range(1203)]

        async def call(method: str, *params: Any, key: str) -> Any:
            asked.append((method, params[1]["limit"], params[1]["offset"], "used" in params[1]["extra"]["properties"]))
            return everything[params[1]["offset"] : params[1]["offset"] + params[1]["limit"]]

        client._call = call  # type: ignore[method-assign,assignment]
        return asked, await client.datasets() == everything

    asked, complete = Bed().run(story)
    assert asked == [("pool.dataset.query", 500, offset, True) for offset in (0, 500, 1000)]
    assert complete
