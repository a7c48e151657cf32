"""What the front does to answers of REST: compression and chunks; and large answers in pieces."""

import json
import zlib

import pytest

from mock_truenas.api.answer import Answer
from mock_truenas.api.front import for_http_1_0
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
