"""Contract A9: what each role may do on every route, bodies at the limit, and adds that fail late."""

import asyncio
import gzip
import json
from typing import Any

import aiohttp
import pytest

from pulse_sim.stack.assembly import Stack
from pulse_sim.stack.seams import Seams
from tests.stack.stackbed import TOKEN, Bed

BASE = "/api/truenas/connections"
READ_TOKEN = "a-reading-token"
LARGEST = 32 * 1024
READS = (
    BASE,
    "/api/v2/resources",
    "/api/resources",
    "/api/monitoring/scheduler/health",
    "/api/openapi.json",
)
WRITES = (
    ("POST", BASE),
    ("PUT", f"{BASE}/nas-1"),
    ("DELETE", f"{BASE}/nas-1"),
    ("POST", f"{BASE}/test"),
    ("POST", f"{BASE}/nas-1/test"),
    ("POST", "/api/agents/host/report"),
)


async def send(data: Any, headers: dict[str, str] | None = None, path: str = BASE) -> tuple[int, Any]:
    async with (
        aiohttp.ClientSession(headers={"X-API-Token": TOKEN, **(headers or {})}) as session,
        session.post(f"http://127.0.0.1:7655{path}", data=data) as answer,
    ):
        return answer.status, await answer.json()


@pytest.mark.parametrize("header", ["X-API-Token", "Authorization"])
def test_the_read_token_reads_everything_and_writes_nothing(header: str) -> None:
    async def story(bed: Bed) -> None:
        await bed.start(PULSE_API_READ_TOKEN=READ_TOKEN, PULSE_ENABLE_TRUENAS="")
        await bed.add()
        before = bed.disk.read("/data/truenas.enc")
        shown = {header: f"Bearer {READ_TOKEN}" if header == "Authorization" else READ_TOKEN}
        for path in READS:
            assert (await bed.api("GET", path, token=None, **shown))[0] == 200, path
        for method, path in WRITES:
            status, answer = await bed.api(method, path, bed.record("nas-1"), token=None, **shown)
            assert (status, answer["code"]) == (403, "forbidden"), path
        assert bed.disk.read("/data/truenas.enc") == before

    Bed().run(story)


def test_every_route_that_changes_something_wants_an_admin() -> None:
    async def story(bed: Bed) -> dict[str, Any]:
        await bed.start()
        return dict((await bed.api("GET", "/api/openapi.json"))[1])

    document = Bed().run(story)
    for path, row in document["paths"].items():
        for method, told in row.items():
            expected = None if path in ("/metrics", "/api/health") else "read" if method == "get" else "admin"
            assert told.get("x-role") == expected, (method, path)


@pytest.mark.parametrize(
    ("environ", "headers", "status"),
    [
        ({"PULSE_API_TOKEN": "", "PULSE_API_READ_TOKEN": READ_TOKEN}, {}, 201),
        ({"PULSE_API_TOKEN": "", "PULSE_API_READ_TOKEN": READ_TOKEN}, {"X-Forwarded-For": "1.2.3.4"}, 401),
        ({"PULSE_API_TOKEN": ""}, {"Origin": "http://127.0.0.1:7655"}, 201),
        ({"PULSE_API_TOKEN": ""}, {"Origin": "http://elsewhere.example"}, 401),
        ({"PULSE_API_TOKEN": ""}, {"Origin": "null"}, 401),
        ({}, {"Origin": "http://elsewhere.example", "X-API-Token": TOKEN}, 201),
        ({}, {"X-API-Token": TOKEN[:-1]}, 401),
        ({}, {"X-API-Token": READ_TOKEN}, 401),
    ],
)
def test_who_may_write(environ: dict[str, str], headers: dict[str, str], status: int) -> None:
    async def story(bed: Bed) -> int:
        await bed.start(environ=environ, PULSE_ENABLE_TRUENAS="")
        return (await bed.api("POST", BASE, bed.record("nas-1"), token=None, **headers))[0]

    assert Bed().run(story) == status


def body_of(size: int) -> bytes:
    bare = json.dumps({"host": "h", "apiKey": "1-x", "more": ""}).encode()
    return bare[:-2] + b"x" * (size - len(bare)) + bare[-2:]


@pytest.mark.parametrize(
    ("data", "headers", "status", "code"),
    [
        (body_of(LARGEST), {}, 201, None),
        (body_of(LARGEST + 1), {}, 413, "request_too_large"),
        (gzip.compress(body_of(LARGEST + 1)), {"Content-Encoding": "gzip"}, 413, "request_too_large"),
        (gzip.compress(body_of(1000)), {"Content-Encoding": "gzip"}, 201, None),
        (b'{"host":"h","apiKey":"1-x","port":NaN}', {}, 400, "invalid_request"),
        (b'{"host":"h","apiKey":"1-x","port":1e400}', {}, 400, "validation_error"),
        (b'{"host":"h","apiKey":"1-x","port":' + b"9" * 5000 + b"}", {}, 400, "invalid_request"),
        (b'{"host":"h","apiKey":"1-x","name":"\\ud800"}', {}, 400, "validation_error"),
        (b'{"host":"h","apiKey":"1-x","more":' + b"[" * 900 + b"]" * 900 + b"}", {}, 201, None),
    ],
)
def test_bodies_at_the_limit_and_beyond(data: bytes, headers: dict[str, str], status: int, code: str | None) -> None:
    async def story(bed: Bed) -> None:
        await bed.start(PULSE_ENABLE_TRUENAS="")
        found, answer = await send(data, headers)
        assert (found, answer.get("code")) == (status, code)
        listed = (await bed.api("GET", BASE))[1]
        assert len(listed) == (1 if status == 201 else 0)
        assert "more" not in json.dumps(listed)

    Bed().run(story)


@pytest.mark.parametrize(
    ("changes", "details"),
    [
        ({"host": None}, {"host"}), ({"host": 7}, {"host"}), ({"host": "a/b"}, {"host"}), ({"host": "u@h"}, {"host"}),
        ({"host": "h?q"}, {"host"}), ({"host": "ftp://h"}, {"host"}), ({"host": "h" * 600}, {"host"}),
        ({"port": 0}, {"port"}), ({"port": 65536}, {"port"}), ({"port": "80"}, {"port"}), ({"port": True}, {"port"}),
        ({"port": 80.5}, {"port"}), ({"apiKey": None}, {"apiKey"}), ({"apiKey": "a b"}, {"apiKey"}),
        ({"apiKey": "", "username": "root"}, {"apiKey"}), ({"useHttps": "yes"}, {"useHttps"}),
        ({"insecureSkipVerify": 1}, {"insecureSkipVerify"}), ({"enabled": "no"}, {"enabled"}),
        ({"fingerprint": "ab"}, {"fingerprint"}), ({"pollIntervalSeconds": 0}, {"pollIntervalSeconds"}),
        ({"pollIntervalSeconds": 3601}, {"pollIntervalSeconds"}), ({"id": "a/b"}, {"id"}), ({"id": 3}, {"id"}),
        ({"port": 0, "pollIntervalSeconds": 0}, {"port", "pollIntervalSeconds"}),
    ],
)  # fmt: skip
def test_every_field_is_checked_and_named(changes: dict[str, Any], details: set[str]) -> None:
    async def story(bed: Bed) -> None:
        await bed.start(PULSE_ENABLE_TRUENAS="")
        for method, path in (("POST", BASE), ("POST", f"{BASE}/test")):
            status, answer = await bed.api(method, path, bed.record("nas-1", **changes))
            assert (status, answer["code"], set(answer["details"])) == (400, "validation_error", details)
        assert await bed.api("GET", BASE) == (200, [])

    Bed().run(story)


def test_a_change_is_checked_like_an_add_and_changes_nothing_when_refused() -> None:
    async def story(bed: Bed) -> None:
        await bed.start(PULSE_ENABLE_TRUENAS="")
        await bed.add()
        await bed.add("nas-1", id="two", host="other")
        before = await bed.api("GET", BASE)
        for change, status, code in (
            ({"port": 0}, 400, "validation_error"),
            ({"host": ""}, 400, "validation_error"),
            ({"host": "nas-1"}, 409, "duplicate_connection"),
            ([], 400, "invalid_request"),
        ):
            found, answer = await bed.api("PUT", f"{BASE}/two", change)
            assert (found, answer["code"]) == (status, code)
        assert await bed.api("GET", BASE) == before
        status, answer = await bed.api("PUT", f"{BASE}/two", {"id": "three", "api_key": "2-y", "enabled": False})
        assert (status, answer["id"], answer["enabled"]) == (200, "two", False)

    Bed().run(story)


class FailingOnce(Stack):
    """Cannot bring the poller in step the first time."""

    failures = 0

    async def _sync(self) -> None:
        if not self.failures:
            self.failures = 1
            raise RuntimeError("PSIMSECRET inside")
        await super()._sync()


def test_an_add_that_fails_after_it_was_stored_leaves_nothing_behind() -> None:
    async def story(bed: Bed) -> None:
        bed.stack = FailingOnce(bed.environ(), Seams(bed.pulse.clock, bed.sim.entropy("p"), bed.sim.stream, bed.disk))
        await bed.stack.start()
        before = await bed.metrics()
        status, answer = await bed.api("POST", BASE, bed.record("nas-1"))
        assert (status, answer["code"]) == (500, "internal_error")
        assert "PSIM" not in json.dumps(answer)
        assert await bed.api("GET", BASE) == (200, [])
        after = await bed.metrics()
        for name in ("pulse_runtime_tasks", "pulse_runtime_open_connections", "pulse_runtime_timers"):
            assert after[name] == before[name]
        assert not [series for series in after if "nas-1" in series]
        await bed.add()
        assert not [line for line in bed.logs.texts() if "PSIM" in line]

    Bed().run(story)


def test_two_adds_of_the_same_at_once_make_one() -> None:
    async def story(bed: Bed) -> list[int]:
        await bed.start(PULSE_ENABLE_TRUENAS="")
        adds = [bed.api("POST", BASE, {"host": "nas-1", "apiKey": f"{at}-x"}) for at in range(4)]
        answers = await asyncio.gather(*adds)
        assert len((await bed.api("GET", BASE))[1]) == 1
        return sorted(status for status, _ in answers)

    assert Bed().run(story) == [201, 409, 409, 409]


def test_without_the_feature_its_routes_are_absent_and_the_rest_is_there() -> None:
    async def story(bed: Bed) -> None:
        await bed.start(variant="without-truenas")
        status, answer = await bed.api("GET", BASE)
        assert (status, answer["code"]) == (404, "not_found")
        document = (await bed.api("GET", "/api/openapi.json"))[1]
        assert not [path for path in document["paths"] if "truenas" in path]
        for path in (*READS[1:], "/api/health"):
            assert (await bed.api("GET", path))[0] == 200

    Bed().run(story)
