"""What the front does to answers of REST: compression and chunks; and large answers in pieces."""

import json
import zlib

import pytest

from mock_truenas.api.answer import Answer
from mock_truenas.api.front import for_http_1_0
from mock_truenas.api.methods import catalogue
from mock_truenas.api.methods.method import Access, JobPlan, Method
from mock_truenas.api.routes import routes_of
from mock_truenas.behaviour import Behaviour
from tests.mock_truenas.wire import API, read_reply, serving

ZIPPING = Behaviour(gzip=True)
GZIP = {"Accept-Encoding": "br, gzip"}


def _unzipped(body: bytes) -> bytes:
    return zlib.decompress(body, wbits=31)


@pytest.mark.parametrize(
    ("accepted", "zipped"),
    [("gzip", True), ("deflate, GZIP;q=0.5", True), ("gzip;q=0", False), ("gzip; q=0.00", False), ("br", False)],
)
@pytest.mark.asyncio
async def test_json_is_compressed_for_whoever_accepts_it(accepted: str, zipped: bool) -> None:
    async with serving(behaviour=ZIPPING) as served:
        plain = await served.ask(f"{API}/disk")
        reply = await served.ask(f"{API}/disk", headers={"Accept-Encoding": accepted})
        assert plain.header("Content-Encoding") is None
        assert reply.header("Content-Encoding") == ("gzip" if zipped else None)
        assert (_unzipped(reply.body) if zipped else reply.body) == plain.body
        if zipped:
            assert (reply.header("Transfer-Encoding"), reply.header("Content-Length")) == ("chunked", None)
            assert len(reply.body) < len(plain.body) / 3
            assert served.journal.entries[-1].bytes == len(reply.body)


@pytest.mark.asyncio
async def test_nothing_is_compressed_unless_switched_on_nor_what_is_short_or_refused() -> None:
    async with serving() as served:
        assert (await served.ask(f"{API}/disk", headers=GZIP)).header("Content-Encoding") is None
    async with serving(behaviour=ZIPPING) as served:
        for target, method in ((f"{API}/core/ping", "GET"), (f"{API}/disk?limit=x", "GET"), (f"{API}/disk", "POST")):
            assert (await served.ask(target, method, GZIP)).header("Content-Encoding") is None


@pytest.mark.asyncio
async def test_compressed_answer_can_be_cut_within() -> None:
    async with serving(behaviour=ZIPPING) as served:
        whole = (await served.ask(f"{API}/disk", headers=GZIP)).body
        served.inject("cut", "http.truncate_body", keep_bytes=40)
        reply = await served.ask(f"{API}/disk", headers=GZIP)
        assert (reply.ended, reply.body) == ("fin", whole[:40])


@pytest.mark.asyncio
async def test_http_1_0_gets_a_length_and_no_chunks() -> None:
    async with serving(behaviour=ZIPPING) as served:
        data = served.request(f"{API}/disk", headers=GZIP).replace(b"HTTP/1.1", b"HTTP/1.0")
        reply = await served.ask_bytes(data)
        assert (reply.status, reply.header("Transfer-Encoding"), reply.header("Connection")) == (200, None, "close")
        assert len(reply.body) == int(reply.header("Content-Length") or 0)
    assert for_http_1_0(Answer(200, b"x", chunked=True)) == Answer(200, b"x")


@pytest.mark.asyncio
async def test_download_is_a_stream_without_a_length_unless_only_the_job_is_wanted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    save = Method(
        "test.save",
        "Something to keep",
        lambda _: JobPlan(0, lambda _nas: "content"),
        access=Access.OPEN,
        job=True,
        downloadable=True,
    )
    monkeypatch.setattr("mock_truenas.api.routes.METHODS", {**catalogue.METHODS, "test.save": save})
    monkeypatch.setattr("mock_truenas.api.routes.SERVICES", {**catalogue.SERVICES, "test": ("save",)})
    routes_of.cache_clear()
    async with serving() as served:
        routes_of.cache_clear()
        reply = await served.ask(f"{API}/test/save")
        assert (reply.header("Content-Type"), reply.body) == ("application/octet-stream", b"content")
        assert (reply.header("Transfer-Encoding"), reply.header("Content-Length")) == ("chunked", None)
        assert (await served.ask(f"{API}/test/save?download=0")).body == b"2"


@pytest.mark.asyncio
async def test_large_answer_has_the_bytes_of_the_standard_encoder_and_its_exact_length() -> None:
    async with serving("datacenter") as served:
        reader, writer = await served.connect()
        writer.write(served.request(f"{API}/disk") + served.request(f"{API}/core/ping"))
        reply = await read_reply(reader)
        rows = json.loads(reply.body)
        assert len(rows) == 1200
        assert reply.body == json.dumps(rows, indent=1).encode()
        assert (await read_reply(reader)).body == b'"pong"'
        writer.transport.abort()


@pytest.mark.parametrize("kind", ["http.truncate_body", "http.malformed_body", "http.reset"])
@pytest.mark.asyncio
async def test_large_answer_meets_the_same_faults_as_a_small_one(kind: str) -> None:
    async with serving("datacenter") as served:
        whole = (await served.ask(f"{API}/disk")).body
        served.inject("f", kind)
        reply = await served.ask(f"{API}/disk?limit=1199")
        assert reply.body != whole
        assert reply.ended in ("open", "fin", "reset")
        assert served.journal.entries[-1].faults == ("f",)
        served.nas.heal("f")
        assert (await served.ask(f"{API}/disk")).body == whole


@pytest.mark.asyncio
async def test_front_answers_for_an_appliance_that_is_down_and_everything_works_once_it_is_up() -> None:
    async with serving() as served:
        nas = served.nas.appliance
        before = json.loads((await served.ask(f"{API}/system/boot_id")).body)
        nas.reboot(takes_ns=60_000_000_000, down_ns=30_000_000_000)
        reply = await served.ask(f"{API}/system/boot_id")
        assert (reply.status, reply.header("Content-Type")) == (502, "text/html")
        assert (await served.ask("/")).status == 302
        served.clock.at_ns += 31_000_000_000
        assert (await served.ask(f"{API}/system/state")).body == b'"BOOTING"'
        assert json.loads((await served.ask(f"{API}/pool")).body) == []
        served.clock.at_ns += 61_000_000_000
        assert (await served.ask(f"{API}/system/state")).body == b'"READY"'
        assert json.loads((await served.ask(f"{API}/pool")).body) != []
        assert json.loads((await served.ask(f"{API}/system/boot_id")).body) != before


@pytest.mark.asyncio
async def test_body_too_large_for_the_front_is_refused_unread() -> None:
    async with serving() as served:
        reader, writer = await served.connect()
        writer.write(served.request(f"{API}/disk/temperatures", "POST", {"Content-Length": str((1000 << 20) + 1)}))
        reply = await read_reply(reader)
        assert (reply.status, reply.header("Connection")) == (413, "close")
        assert b"<title>413 Request Entity Too Large</title>" in reply.body
        writer.transport.abort()


@pytest.mark.parametrize(("release", "warns"), [("24.10", False), ("25.10.0", False), ("25.10", True)])
@pytest.mark.asyncio
async def test_use_of_rest_is_warned_of_the_next_night_where_it_is_about_to_go(release: str, warns: bool) -> None:
    async with serving(release=release) as served:
        for target in ("/pool", "/disk?limit=x", "/nope"):
            await served.ask(API + target)
        await served.ask(f"{API}/pool", headers={"Authorization": ""})
        served.clock.at_ns += 2 * 3600 * 1_000_000_000
        alerts = json.loads((await served.ask(f"{API}/alert/list")).body)
        found = [alert["args"] for alert in alerts if alert["klass"] == "RESTAPIUsage"]
        assert found == ([{"count": 2, "ip_addresses": "127.0.0.1"}] if warns else [])
