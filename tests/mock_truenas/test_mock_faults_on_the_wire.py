"""Every fault kind on real loopback sockets: the bytes, the proof in the journal, a clean request after healing."""

import asyncio
import json
import logging
from typing import Any

import pytest

from mock_truenas.faults import FAULT_KINDS
from mock_truenas.journal import JournalEntry
from tests.mock_truenas.faults.minimal import MINIMAL
from tests.mock_truenas.wire import API, Reply, Served, serving

INFO = f"{API}/system/info"


async def _faulty(served: Served, kind: str, **parameters: Any) -> tuple[Reply, JournalEntry]:
    served.inject("fault-1", kind, **parameters)
    reply = await served.ask(INFO)
    return reply, await served.journal.next()


async def _clean_after_heal(served: Served) -> None:
    served.nas.heal("fault-1")
    served.nas.heal("fault-1")
    await served.nas.settled()
    reply = await served.ask(INFO)
    assert (reply.status, reply.ended) == (200, "open")
    assert json.loads(reply.body)["hostname"] == "truenas"
    entry = served.journal.entries[-1]
    assert (entry.status, entry.ended, entry.faults) == (200, "complete", ())


@pytest.mark.asyncio
async def test_delay_holds_the_answer_back_and_then_sends_it_whole() -> None:
    async with serving() as served:
        reply, entry = await _faulty(served, "http.delay", delay="30ms")
        assert (reply.status, reply.ended) == (200, "open")
        assert entry.duration_ns >= 30_000_000
        assert (entry.ended, entry.faults) == ("complete", ("fault-1",))
        await _clean_after_heal(served)


@pytest.mark.asyncio
async def test_client_that_leaves_during_a_delay_is_journaled_as_gone_with_the_fault() -> None:
    async with serving() as served:
        served.inject("fault-1", "http.delay", delay="1h", path="/pool")
        _, writer = await served.connect()
        writer.write(served.request(f"{API}/pool"))
        await writer.drain()
        assert (await served.ask(INFO)).status == 200  # by now the other request has arrived
        await served.journal.next()
        writer.transport.abort()
        entry = await served.journal.next()
        assert (entry.status, entry.ended, entry.faults) == (None, "client_gone", ("fault-1",))
        await _clean_after_heal(served)


@pytest.mark.asyncio
async def test_silence_accepts_the_request_and_sends_not_one_byte() -> None:
    async with serving() as served:
        served.inject("fault-1", "http.silence", path="/pool")
        reader, writer = await served.connect()
        writer.write(served.request(f"{API}/pool"))
        await writer.drain()
        assert (await served.ask(INFO)).status == 200
        await served.journal.next()
        writer.write_eof()
        assert await reader.read() == b""
        writer.transport.abort()
        entry = await served.journal.next()
        assert (entry.status, entry.ended, entry.bytes, entry.faults) == (None, "silent", 0, ("fault-1",))
        await _clean_after_heal(served)


@pytest.mark.asyncio
async def test_status_answers_the_stock_nginx_page() -> None:
    async with serving() as served:
        reply, entry = await _faulty(served, "http.status", status=502)
        assert (reply.status, reply.reason, reply.header("Content-Type")) == (502, "Bad Gateway", "text/html")
        assert reply.body == (
            b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"
            b"<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
        )
        assert (entry.status, entry.ended, entry.faults) == (502, "complete", ("fault-1",))
        await _clean_after_heal(served)


@pytest.mark.parametrize(
    ("status", "content_type", "body"),
    [
        (401, "text/plain; charset=utf-8", b"401: Unauthorized"),
        (403, None, b""),
        (404, "text/plain; charset=utf-8", b"404: Not Found"),
        (422, "application/json; charset=utf-8", b'{\n "message": "Device or resource busy",\n "errno": 16\n}'),
        (503, "text/plain; charset=utf-8", b"503: Service Temporarily Unavailable"),
    ],
)
@pytest.mark.asyncio
async def test_status_of_the_middleware_has_the_body_the_api_gives_it(
    status: int, content_type: str | None, body: bytes
) -> None:
    async with serving() as served:
        reply, entry = await _faulty(served, "http.status", status=status, body="middleware")
        assert (reply.status, reply.header("Content-Type"), reply.body) == (status, content_type, body)
        assert (entry.status, entry.faults) == (status, ("fault-1",))
        await _clean_after_heal(served)


@pytest.mark.asyncio
async def test_status_500_of_the_middleware_is_a_message_and_a_traceback() -> None:
    async with serving() as served:
        reply, _ = await _faulty(served, "http.status", status=500, body="middleware")
        shown = json.loads(reply.body)
        assert sorted(shown) == ["message", "traceback"]
        assert shown["traceback"].startswith("Traceback (most recent call last):\n")
        await _clean_after_heal(served)


@pytest.mark.parametrize(("asked", "sent"), [(0, 0), (17, 17), (10_000_000, -1)])
@pytest.mark.asyncio
async def test_truncated_body_promises_all_and_ends_with_fin(asked: int, sent: int) -> None:
    async with serving() as served:
        whole = (await served.ask(INFO)).body
        await served.journal.next()
        reply, entry = await _faulty(served, "http.truncate_body", keep_bytes=asked)
        expected = whole[:sent]
        assert (reply.header("Content-Length"), reply.header("Connection")) == (str(len(whole)), "keep-alive")
        assert (reply.body, reply.ended) == (expected, "fin")
        assert (entry.status, entry.ended, entry.bytes, entry.faults) == (200, "cut", len(expected), ("fault-1",))
        await _clean_after_heal(served)


@pytest.mark.parametrize("target", ["/system/info", "/system/ready", "/core/ping", "/pool?count=true", "/disk"])
@pytest.mark.asyncio
async def test_malformed_body_is_complete_for_http_and_never_json(target: str) -> None:
    async with serving() as served:
        served.inject("fault-1", "http.malformed_body")
        reply = await served.ask(API + target)
        assert (reply.status, reply.header("Content-Type")) == (200, "application/json; charset=utf-8")
        assert (reply.header("Content-Length"), reply.ended) == (str(len(reply.body)), "open")
        with pytest.raises(ValueError, match=r"\S"):
            json.loads(reply.body)
        entry = await served.journal.next()
        assert (entry.ended, entry.bytes, entry.faults) == ("complete", len(reply.body), ("fault-1",))
        await _clean_after_heal(served)


@pytest.mark.parametrize(("asked", "sent"), [(0, 0), (17, 17), (10_000_000, -1)])
@pytest.mark.asyncio
async def test_reset_ends_the_answer_in_the_middle_with_rst(asked: int, sent: int) -> None:
    async with serving() as served:
        whole = (await served.ask(INFO)).body
        await served.journal.next()
        reply, entry = await _faulty(served, "http.reset", after_bytes=asked)
        expected = whole[:sent]
        assert (reply.header("Content-Length"), reply.body, reply.ended) == (str(len(whole)), expected, "reset")
        assert (entry.status, entry.ended, entry.bytes, entry.faults) == (200, "reset", len(expected), ("fault-1",))
        await _clean_after_heal(served)


@pytest.mark.asyncio
async def test_reset_of_an_answer_without_body_leaves_no_answer_at_all() -> None:
    async with serving() as served:
        served.inject("forbidden", "http.status", status=403, body="middleware")
        reply, entry = await _faulty(served, "http.reset")
        assert (reply.status, reply.ended) == (0, "reset")
        assert (entry.status, entry.ended, entry.faults) == (None, "reset", ("forbidden", "fault-1"))
        served.nas.heal("forbidden")
        await _clean_after_heal(served)


@pytest.mark.asyncio
async def test_revoked_key_looks_deleted_and_works_again_after_heal() -> None:
    async with serving() as served:
        reply, entry = await _faulty(served, "auth.revoke_key")
        assert (reply.status, reply.header("Content-Type")) == (401, "text/plain; charset=utf-8")
        assert (reply.body, reply.header("WWW-Authenticate")) == (b"Invalid API key", None)
        assert (entry.status, entry.ended, entry.faults) == (401, "complete", ("fault-1",))
        await _clean_after_heal(served)


@pytest.mark.asyncio
async def test_revocation_hits_a_connection_that_is_already_open() -> None:
    async with serving() as served:
        reader, writer = await served.connect()
        statuses = []
        for step in ("before", "during", "after"):
            if step == "during":
                served.inject("fault-1", "auth.revoke_key", key="pul*")
            if step == "after":
                served.nas.heal("fault-1")
            writer.write(served.request(INFO))
            data = await reader.readuntil(b"\r\n\r\n")
            statuses.append(int(data.split()[1]))
            length = next(int(line.split()[1]) for line in data.split(b"\r\n") if line.startswith(b"Content-Length"))
            await reader.readexactly(length)
        writer.transport.abort()
        assert statuses == [200, 401, 200]


@pytest.mark.asyncio
async def test_key_minted_during_a_revocation_is_valid_and_other_names_are_spared() -> None:
    async with serving() as served:
        spared = served.nas.appliance.mint_api_key("backup-script")
        served.inject("fault-1", "auth.revoke_key", key="pulse*")
        renewed = served.nas.appliance.mint_api_key("pulse-renewed")
        for key, status in ((served.key, 401), (renewed, 200), (spared, 200)):
            reply = await served.ask(INFO, headers={"Authorization": f"Bearer {key}"})
            assert reply.status == status
        await _clean_after_heal(served)


@pytest.mark.asyncio
async def test_down_refuses_connections_resets_live_ones_and_returns_on_the_same_port() -> None:
    async with serving() as served:
        idle_reader, idle_writer = await served.connect()
        busy_reader, busy_writer = await served.connect()
        served.inject("slow", "http.delay", delay="1h", path="/pool")
        busy_writer.write(served.request(f"{API}/pool"))
        await busy_writer.drain()
        assert (await served.ask(INFO)).status == 200
        await served.journal.next()
        port = served.nas.port
        served.inject("fault-1", "appliance.down")
        for reader in (idle_reader, busy_reader):
            with pytest.raises(ConnectionResetError):
                await reader.read()
        entry = await served.journal.next()
        assert (entry.path, entry.status, entry.ended) == (f"{API}/pool", None, "reset")
        assert entry.faults == ("slow", "fault-1")
        with pytest.raises(ConnectionRefusedError):
            await served.connect()
        served.nas.heal("slow")
        await _clean_after_heal(served)
        assert served.nas.port == port
        idle_writer.transport.abort()
        busy_writer.transport.abort()


@pytest.mark.asyncio
async def test_door_stays_closed_until_the_last_of_two_overlapping_downs_heals() -> None:
    async with serving() as served:
        served.inject("fault-1", "appliance.down")
        served.inject("fault-2", "appliance.down")
        served.nas.heal("fault-2")
        await served.nas.settled()
        with pytest.raises(ConnectionRefusedError):
            await served.connect()
        await _clean_after_heal(served)


@pytest.mark.asyncio
async def test_door_closed_again_while_it_opens_stays_closed() -> None:
    async with serving() as served:
        served.inject("fault-1", "appliance.down")
        served.nas.heal("fault-1")
        served.inject("fault-2", "appliance.down")
        await served.nas.settled()
        with pytest.raises(ConnectionRefusedError):
            await served.connect()
        served.nas.heal("fault-2")
        await _clean_after_heal(served)


@pytest.mark.asyncio
async def test_port_taken_while_the_appliance_was_down_is_said_by_settled(caplog: pytest.LogCaptureFixture) -> None:
    async with serving() as served:
        served.inject("fault-1", "appliance.down")
        thief = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", served.nas.port)
        served.nas.heal("fault-1")
        with pytest.raises(OSError, match="in use"):
            await served.nas.settled()
        assert "cannot be opened again" in caplog.text
        thief.close()
        await thief.wait_closed()


@pytest.mark.parametrize("kind", [kind.name for kind in FAULT_KINDS.values() if not kind.needs_tls])
@pytest.mark.asyncio
async def test_no_fault_of_rest_writes_a_log_line(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "mock_truenas")
    caplog.set_level(logging.INFO, "aiohttp")
    quick: dict[str, dict[str, Any]] = {
        "http.delay": {"delay": "1ms"},
        "rpc.late": {"delay": "1ms"},
        "front.timeout": {"after": "1ms"},
        "appliance.stall": {"lasts": "1ms"},
    }
    async with serving() as served:
        served.inject("fault-1", kind, **{**MINIMAL.get(kind, {}), **quick.get(kind, {})})
        try:
            _, writer = await served.connect()
        except ConnectionRefusedError:
            writer = None
        if writer is not None:
            writer.write(served.request(INFO))
            writer.write_eof()
            await served.journal.next()
            writer.transport.abort()
        await _clean_after_heal(served)
    assert [record.getMessage() for record in caplog.records if record.name != "asyncio"] == []
