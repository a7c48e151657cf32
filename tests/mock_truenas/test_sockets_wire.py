"""The WebSocket faces on the wire: handshake, frames, what ends a connection, and what the journal hears of it."""

import json
import zlib

import pytest

from tests.mock_truenas.frames_wire import BINARY, PING, PONG, TEXT, handshake, open_wire, socket_box

PING_CALL = '{"jsonrpc": "2.0", "id": 1, "method": "core.ping", "params": []}'
ACCEPT = "BACScCJPNqyz+UBoqMH89VmURoA="


@pytest.mark.asyncio
async def test_handshake_is_the_front_s_101_in_these_lines() -> None:
    async with socket_box() as served, served.wire() as wire:
        lines = wire.head.split("\r\n")
        assert lines[:3] == [
            "HTTP/1.1 101 Switching Protocols",
            "Server: nginx",
            "Date: Mon, 09 Feb 2026 00:00:00 GMT",
        ]
        named = dict(line.split(": ", 1) for line in lines[1:] if line)
        assert named["Upgrade"] == "websocket"
        assert named["Sec-WebSocket-Accept"] == ACCEPT
        assert named["Connection"].lower() == "upgrade"
        assert named["X-Content-Type-Options"] == "nosniff"
        assert named["X-Frame-Options"] == "SAMEORIGIN"
        assert "Strict-Transport-Security" in named
        assert not {"Content-Length", "Content-Type", "Transfer-Encoding", "Sec-WebSocket-Extensions"} & named.keys()


@pytest.mark.asyncio
async def test_result_is_one_unmasked_unfragmented_text_frame_of_these_bytes() -> None:
    async with socket_box() as served, served.wire() as wire:
        wire.send(PING_CALL)
        text = b'{"jsonrpc": "2.0", "result": "pong", "id": 1}'
        assert await wire.reader.readexactly(2 + len(text)) == bytes([0x81, len(text)]) + text


@pytest.mark.asyncio
async def test_ids_are_echoed_as_they_came() -> None:
    async with socket_box() as served, served.wire() as wire:
        for id_ in ("7", '"seven"', "null", "0", '""', "-9007199254740993"):
            told = await wire.raw(f'{{"jsonrpc": "2.0", "id": {id_}, "method": "core.ping"}}')
            assert told == f'{{"jsonrpc": "2.0", "result": "pong", "id": {id_}}}'


@pytest.mark.asyncio
async def test_message_in_fragments_with_a_ping_between_is_one_message() -> None:
    async with socket_box() as served, served.wire() as wire:
        wire.send(PING_CALL[:20], final=False)
        wire.send(b"hello", PING)
        wire.send(PING_CALL[20:], 0)
        pong = await wire.next()
        assert (pong.opcode, pong.payload) == (PONG, b"hello")
        assert (await wire.next()).json["result"] == "pong"


@pytest.mark.asyncio
async def test_compression_only_when_the_client_offers_it() -> None:
    async with socket_box() as served:
        async with served.wire(Sec_WebSocket_Extensions="permessage-deflate") as wire:
            assert "permessage-deflate" in wire.head
            wire.send(PING_CALL)
            frame = await wire.next()
            assert frame.first == 0xC1
            text = zlib.decompressobj(-15).decompress(frame.payload + b"\0\0\xff\xff")
            assert json.loads(text)["result"] == "pong"
        async with served.wire() as wire:
            wire.send(PING_CALL)
            assert (await wire.next()).first == 0x81


@pytest.mark.parametrize("path", ["/api/current", "/websocket"])
@pytest.mark.asyncio
async def test_binary_frame_closes_with_1003(path: str) -> None:
    async with socket_box() as served, served.wire(path) as wire:
        wire.send(b"{}", BINARY)
        assert (await wire.next()).close == (1003, "Invalid websocket message type: <WSMsgType.BINARY: 2>")


@pytest.mark.asyncio
async def test_text_that_is_no_utf_8_closes_with_1007_and_a_wrong_opcode_with_1002() -> None:
    async with socket_box() as served:
        async with served.wire() as wire:
            wire.send(b"\xff\xfe", TEXT)
            assert (await wire.next()).close[0] == 1007
        async with served.wire() as wire:
            wire.send(b"", 5)
            assert (await wire.next()).close[0] == 1002


@pytest.mark.asyncio
async def test_message_nested_deeper_than_a_parser_goes_breaks_the_connection() -> None:
    async with socket_box() as served, served.wire(key=served.key) as wire:
        wire.send("[" * 60_000)
        assert (await wire.next()).close == (1011, "")


@pytest.mark.parametrize(("release", "limited"), [("24.04", False), ("24.10", True), ("25.04", True), ("26.0", True)])
@pytest.mark.asyncio
async def test_long_messages_of_somebody_logged_in_by_release(release: str, limited: bool) -> None:
    async with socket_box(release) as served, served.wire("/websocket", key=served.key) as wire:
        call = '{"id": "1", "msg": "method", "method": "core.ping", "params": []}'
        wire.send(call + " " * (65_537 - len(call)))
        frame = await wire.next()
        if limited:
            assert frame.close == (1009, "Max message length is 64 kB")
        else:
            assert frame.json == {"id": "1", "msg": "result", "result": "pong"}


@pytest.mark.parametrize(("length", "code"), [(2 << 20, None), ((2 << 20) + 1, 1009)])
@pytest.mark.asyncio
async def test_two_methods_take_messages_of_two_mebibytes(length: int, code: int | None) -> None:
    call = '{"jsonrpc": "2.0", "id": 1, "method": "filesystem.file_receive", "params": []}'
    async with socket_box() as served, served.wire(key=served.key) as wire:
        wire.send(call + " " * (length - len(call)))
        frame = await wire.next()
        if code is None:
            assert frame.json["id"] == 1
        else:
            assert frame.close[0] == code


@pytest.mark.asyncio
async def test_subprotocols_are_passed_over_without_a_word(caplog: pytest.LogCaptureFixture) -> None:
    async with socket_box() as served, served.wire(Sec_WebSocket_Protocol="one, two") as wire:
        assert "Sec-WebSocket-Protocol" not in wire.head
        assert await wire.call("core.ping") == "pong"
    assert caplog.records == []


@pytest.mark.asyncio
async def test_get_without_upgrade_is_400_about_the_header() -> None:
    async with socket_box() as served:
        reply = await served.ask("/api/current", headers={"Authorization": ""})
        assert (reply.status, reply.header("Content-Type")) == (400, "text/plain; charset=utf-8")
        assert reply.body == b'No WebSocket UPGRADE hdr: None\n Can "Upgrade" only to "WebSocket".'
        entry = await served.journal.next()
        assert (entry.kind, entry.face, entry.status, entry.ended) == ("handshake", "rpc", 400, "complete")


@pytest.mark.asyncio
async def test_handshake_with_a_broken_key_is_400_and_the_connection_goes_on() -> None:
    async with socket_box() as served:
        reader, writer = await served.connect()
        writer.write(handshake("/api/current", Sec_WebSocket_Key="short"))
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        assert head.startswith("HTTP/1.1 400 Bad Request")
        await reader.readexactly(int(head.split("Content-Length: ")[1].split("\r\n")[0]))
        writer.write(handshake("/api/current"))
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
        writer.transport.abort()


@pytest.mark.asyncio
async def test_machine_that_is_down_answers_a_handshake_with_the_front_s_502() -> None:
    async with socket_box() as served, served.wire(key=served.key) as wire:
        served.appliance.shutdown()
        assert (await wire.next()).close == (1006, "")
        refused = await open_wire("127.0.0.1", served.nas.port, "/api/current")
        assert refused.head.startswith("HTTP/1.1 502 Bad Gateway\r\nServer: nginx\r\n")
        refused.end()


@pytest.mark.asyncio
async def test_journal_tells_handshake_calls_and_close_of_a_connection_and_never_the_key() -> None:
    async with socket_box() as served:
        async with served.wire("/api/current", key=served.key, User_Agent="probe/1") as wire:
            assert await wire.call("core.ping") == "pong"
            await wire.call("no.such")
            wire.send(b"\x03\xe8bye", 8)
            assert (await wire.next()).close[0] == 1000
        entries = [await served.journal.next() for _ in range(5)]
    assert {entry.connection for entry in entries} == {1}
    assert {(entry.path, entry.face, entry.user_agent) for entry in entries} == {("/api/current", "rpc", "probe/1")}
    assert [(entry.kind, entry.status, entry.call, entry.request_id, entry.error) for entry in entries] == [
        ("handshake", 101, None, None, None),
        ("call", None, "auth.login_with_api_key", "1", None),
        ("call", None, "core.ping", "2", None),
        ("call", None, "no.such", "3", -32601),
        ("close", None, None, None, None),
    ]
    assert [entry.close_code for entry in entries] == [None, None, None, None, 1000]
    assert [entry.user for entry in entries] == [None, *["truenas_admin"] * 4]
    assert entries[1].credential == entries[4].credential
    assert served.key.partition("-")[2] not in json.dumps([entry.to_data() for entry in entries])
    assert entries[2].bytes == len('  {"jsonrpc": "2.0", "result": "pong", "id": 2}')


@pytest.mark.asyncio
async def test_client_that_goes_without_a_word_leaves_1006_in_the_journal() -> None:
    async with socket_box() as served:
        async with served.wire():
            await served.journal.next()
        entry = await served.journal.next()
        assert (entry.kind, entry.close_code, entry.ended) == ("close", 1006, "client_gone")


@pytest.mark.asyncio
async def test_server_that_stops_ends_its_connections() -> None:
    async with socket_box() as served, served.wire(key=served.key) as wire:
        await wire.call("core.subscribe", "*")
        await wire.call("core.subscribe", "reporting.realtime")
        await served.nas.stop()
        while (frame := await wire.next()).opcode == TEXT:
            pass
        assert frame.close == (1006, "")
