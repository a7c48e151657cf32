"""The life of a served appliance: start, journal, clock, TLS, many clients, stop."""

import asyncio
import json
import ssl
from pathlib import Path

import pytest

from mock_truenas.api.front import http_date
from mock_truenas.certificate import self_signed_context
from mock_truenas.server import MockTrueNAS
from tests.mock_truenas.wire import API, START_NS, Journal, SetClock, appliance, read_reply, serving

INFO = f"{API}/system/info"


@pytest.mark.asyncio
async def test_two_requests_a_second_apart_differ_in_uptime_and_datetime() -> None:
    async with serving() as served:
        first = json.loads((await served.ask(INFO)).body)
        served.clock.at_ns += 1_000_000_000
        second = json.loads((await served.ask(INFO)).body)
        assert second["uptime_seconds"] - first["uptime_seconds"] == pytest.approx(1, abs=1e-6)
        assert second["datetime"]["$date"] - first["datetime"]["$date"] == 1000
        assert second["uptime"] != first["uptime"]
        moving = {"uptime", "uptime_seconds", "datetime", "loadavg"}
        assert {key for key in first if first[key] != second[key]} <= moving


@pytest.mark.asyncio
async def test_journal_entry_tells_the_exchange_and_never_the_key() -> None:
    async with serving() as served:
        reply = await served.ask(
            f"{API}/pool/dataset/id/tank%2Fdocuments?extra.flat=false", headers={"User-Agent": "Pulse/5"}
        )
        entry = (await served.journal.next()).to_data()
        assert entry == {
            "face": "rest",
            "kind": "request",
            "method": "GET",
            "path": f"{API}/pool/dataset/id/tank%2Fdocuments",
            "query": "extra.flat=false",
            "status": 200,
            "duration_ns": entry["duration_ns"],
            "bytes": len(reply.body),
            "ended": "complete",
            "faults": [],
            "credential": entry["credential"],
            "user_agent": "Pulse/5",
            "call": "pool.dataset.query",
            "user": "truenas_admin",
            "connection": None,
            "request_id": None,
            "error": None,
            "close_code": None,
            "at_ns": START_NS,
        }
        assert entry["duration_ns"] % 1000 == 0
        assert len(entry["credential"]) == 12
        assert served.key not in json.dumps(entry)
        assert served.key.partition("-")[2] not in json.dumps(entry)


@pytest.mark.asyncio
async def test_same_credential_has_the_same_fingerprint_and_another_another() -> None:
    async with serving() as served:
        other = served.nas.appliance.mint_api_key("other")
        for key in (served.key, served.key, other, ""):
            await served.ask(INFO, headers={"Authorization": f"Bearer {key}" if key else ""})
        one, again, another, none = (entry.credential for entry in served.journal.entries)
        assert one == again != another
        assert none is None


@pytest.mark.asyncio
async def test_connection_is_kept_for_many_requests_and_pipelined_ones_are_answered_in_order() -> None:
    async with serving() as served:
        reader, writer = await served.connect()
        for path in ("/system/version_short", "/core/ping", "/system/ready", "/nope"):
            writer.write(served.request(API + path))
        bodies = [(await read_reply(reader)).body for _ in range(4)]
        assert bodies == [b'"24.10.2.4"', b'"pong"', b"true", b"404: Not Found"]
        writer.transport.abort()


@pytest.mark.asyncio
async def test_client_that_asks_to_close_is_told_so_and_closed() -> None:
    async with serving() as served:
        reader, writer = await served.connect()
        writer.write(served.request(INFO, headers={"Connection": "close"}))
        assert (await read_reply(reader)).header("Connection") == "close"
        assert await reader.read() == b""
        writer.close()


@pytest.mark.asyncio
async def test_expectation_is_answered_before_the_body_is_read() -> None:
    async with serving() as served:
        reader, writer = await served.connect()
        headers = {"Expect": "100-continue", "Content-Length": "13"}
        writer.write(served.request(f"{API}/disk/temperatures", "POST", headers))
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b'{"names": []}')
        assert (await read_reply(reader)).status == 200
        writer.transport.abort()


@pytest.mark.asyncio
async def test_large_answer_arrives_whole_at_a_slow_reader() -> None:
    async with serving("homelab") as served:
        whole = (await served.ask(f"{API}/pool/dataset")).body
        assert len(whole) > 400_000
        reader, writer = await served.connect()
        writer.write(served.request(f"{API}/pool/dataset"))
        assert (await served.ask(INFO)).status == 200  # others are served while this one has read nothing
        assert (await read_reply(reader)).body == whole
        writer.transport.abort()


@pytest.mark.asyncio
async def test_tls_serves_the_same_and_redirects_to_https() -> None:
    client = ssl.create_default_context()
    server = self_signed_context("localhost", START_NS / 1e9)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    async with serving(ssl_context=server, client_tls=client) as served:
        assert served.nas.url == f"https://127.0.0.1:{served.nas.port}"
        assert (await served.ask(INFO)).status == 200
        assert (await served.ask("/")).header("Location") == "https://nas/ui/"
        for kind, ended in (("http.truncate_body", "fin"), ("http.reset", "reset")):
            served.inject("f", kind)
            assert (await served.ask(INFO)).ended in (ended, "fin")  # a TLS layer may hide how the end came
            assert served.journal.entries[-1].faults == ("f",)
            served.nas.heal("f")
        served.inject("f", "appliance.down")
        with pytest.raises(ConnectionRefusedError):
            await served.connect()
        served.nas.heal("f")
        await served.nas.settled()
        assert (await served.ask(INFO)).status == 200


def test_certificate_key_does_not_stay_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    self_signed_context("nas.example", START_NS / 1e9)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.asyncio
async def test_stop_ends_waiting_requests_and_leaves_no_task_behind() -> None:
    async with serving() as served:
        served.inject("silent", "http.silence", path="/pool")
        reader, writer = await served.connect()
        writer.write(served.request(f"{API}/pool"))
        assert (await served.ask(INFO)).status == 200
        await served.nas.stop()
        assert await reader.read() == b""
        assert served.journal.entries[-1].ended == "silent"
        writer.close()
        await writer.wait_closed()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        await served.nas.stop()


@pytest.mark.asyncio
async def test_stopped_appliance_starts_again() -> None:
    async with serving() as served:
        with pytest.raises(RuntimeError, match="started already"):
            await served.nas.start("127.0.0.1", 0)
        await served.nas.stop()
        await served.nas.start("127.0.0.1", served.nas.port)
        assert (await served.ask(INFO)).status == 200


@pytest.mark.asyncio
async def test_address_in_use_is_an_oserror_and_can_be_tried_again() -> None:
    async with serving() as served:
        clock = SetClock()
        second = MockTrueNAS(appliance(clock=clock), clock=clock, journal=Journal())
        with pytest.raises(OSError, match="in use"):
            await second.start("127.0.0.1", served.nas.port)
        await second.start("127.0.0.1", 0)
        await second.stop()


@pytest.mark.asyncio
async def test_appliance_that_is_down_from_the_start_opens_when_healed() -> None:
    async with serving() as served:
        await served.nas.stop()
        served.inject("down", "appliance.down")
        await served.nas.start("127.0.0.1", served.nas.port)
        with pytest.raises(ConnectionRefusedError):
            await served.connect()
        served.nas.heal("down")
        await served.nas.settled()
        assert (await served.ask(INFO)).status == 200


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (951_782_399, "Mon, 28 Feb 2000 23:59:59 GMT"),
        (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
        (1_770_595_200, "Mon, 09 Feb 2026 00:00:00 GMT"),
        (-1, "Wed, 31 Dec 1969 23:59:59 GMT"),
    ],
)
def test_date_header_of_an_instant(seconds: int, text: str) -> None:
    assert http_date(seconds) == text
