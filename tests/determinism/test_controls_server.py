"""Controls of aiohttp's server and of the libraries beside it (D.2, D.4): each holds, and is shown red with it off."""

import ast
import asyncio
import logging
from pathlib import Path
from typing import Any

import aiohttp
import aiohttp.helpers
import pytest
from aiohttp import web

from mock_truenas.api import door, front
from mock_truenas.appliance import build_appliance
from mock_truenas.server import MockTrueNAS
from pulse_sim.kernel.loop import SimulationLoop
from pulse_sim.kernel.server import SimulationServer
from pulse_sim.stack.api import server as stack_server
from pulse_sim.stack.connection import Connection
from pulse_sim.stack.transport import USER_AGENT, open_session
from tests.determinism.control import PRODUCT, run, shown, without_alias, without_substitution
from tests.kernel.testbed import START_NS, Bench, hello

_SERVERS = ("AppRunner", "ServerRunner", "run_app")
START = START_NS // 1_000_000_000


async def _response(bench: Bench, answer: Any = hello, **options: Any) -> tuple[dict[str, str], bytes]:
    await bench.serve(answer)
    async with aiohttp.ClientSession() as session, session.get("http://nas-1/", **options) as response:
        return dict(response.headers), await response.read()


# ---- dates


async def _date(bench: Bench) -> str:
    return (await _response(bench))[0]["Date"]


def test_the_date_of_an_answer_is_virtual() -> None:
    shown(lambda: run(_date) == "Mon, 09 Feb 2026 00:00:00 GMT", without_alias("aiohttp.helpers:time"))


def test_a_date_kept_from_before_the_run_is_not_used() -> None:
    def claim() -> bool:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(aiohttp.helpers, "_cached_current_datetime", START)
            patch.setattr(aiohttp.helpers, "_cached_formatted_datetime", "of another run")
            return bool(run(_date) == "Mon, 09 Feb 2026 00:00:00 GMT")

    shown(claim, without_substitution("_cached_current_datetime"))


async def _last_modified(_bench: Bench) -> str:
    module: Any = aiohttp.web_response
    response = web.Response()
    response.last_modified = START
    return f"{response.headers['Last-Modified']} {module.time.time()}"


def test_the_clock_of_a_response_is_virtual() -> None:
    expected = f"Mon, 09 Feb 2026 00:00:00 GMT {float(START)}"
    shown(lambda: run(_last_modified) == expected, without_alias("aiohttp.web_response:time"))


def test_lines_of_an_access_log_carry_virtual_time_and_no_process_number() -> None:
    def claim() -> bool:
        lines: list[str] = []

        class Kept(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                lines.append(record.getMessage())

        async def main(bench: Bench) -> None:
            runner = web.AppRunner(web.Application(), access_log=log, access_log_format="%t %P %Tf")
            await runner.setup()
            await web.TCPSite(runner, bench.pulse.address, 80).start()
            async with aiohttp.ClientSession() as session, session.get("http://pulse/") as response:
                await response.read()

        log, kept = logging.getLogger("tests.access"), Kept()
        log.addHandler(kept)
        log.setLevel(logging.INFO)
        log.propagate = False
        try:
            run(main)
        finally:
            log.removeHandler(kept)
        return len(lines) == 1 and lines[0].startswith("[09/Feb/2026:00:00:00 +0000] <1> 0.0")

    shown(claim, without_alias("aiohttp.web_log:datetime", "aiohttp.web_log:time_mod"))
    shown(claim, without_alias("aiohttp.web_log:os"))


def test_no_server_of_ours_writes_an_access_log() -> None:
    """It caches the time zone for half an hour, in the module."""
    servers = []
    for file in PRODUCT:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in _SERVERS:
                servers.append((file.name, {given.arg: ast.unparse(given.value) for given in node.keywords}))
    assert servers
    assert [name for name, given in servers if given.get("access_log") != "None"] == []
    assert "access_log=None" in Path(door.__file__).read_text("utf-8")


# ---- work that a thread pool would do


def _pooled(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(SimulationLoop, "run_in_executor", asyncio.BaseEventLoop.run_in_executor)


def test_the_payload_of_a_file_is_read_inline(tmp_path: Path) -> None:
    (tmp_path / "page").write_bytes(b"x" * 300_000)

    async def echo(request: web.Request) -> web.Response:
        return web.Response(body=await request.read())

    async def main(bench: Bench) -> bytes:
        await bench.serve(echo)
        with (tmp_path / "page").open("rb") as page:
            async with aiohttp.ClientSession() as session, session.post("http://nas-1/", data=page) as response:
                return await response.read()

    shown(lambda: run(main) == b"x" * 300_000, _pooled)


async def _compressed(bench: Bench) -> bytes:
    async def answer(_request: web.Request) -> web.Response:
        response = web.Response(body=b"x" * 300_000, zlib_executor_size=1_024)
        response.enable_compression()
        return response

    return (await _response(bench, answer))[1]


def test_compression_happens_inline() -> None:
    shown(lambda: run(_compressed) == b"x" * 300_000, _pooled)


def test_a_file_is_served_inline(tmp_path: Path) -> None:
    (tmp_path / "page").write_bytes(b"y" * 500_000)  # more than both windows hold

    async def answer(_request: web.Request) -> web.FileResponse:
        return web.FileResponse(tmp_path / "page")

    async def main(bench: Bench) -> bytes:
        return (await _response(bench, answer))[1]

    shown(lambda: run(main) == b"y" * 500_000, _pooled)


# ---- what a server is asked about its sockets


async def _addresses(bench: Bench) -> list[Any]:
    return (await bench.serve(hello)).addresses


def test_a_server_knows_its_addresses_without_a_socket() -> None:
    def off(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(SimulationServer, "sockets", ())

    shown(lambda: [address[1] for address in run(_addresses)] == [80], off)


async def _closed_after(bench: Bench) -> int:
    """Seconds that a connection is kept by a server which keeps it for 75."""
    app = web.Application()
    app.router.add_get("/", hello)
    runner = web.AppRunner(app, access_log=None, keepalive_timeout=75)
    await runner.setup()
    await web.TCPSite(runner, bench.pulse.address, 80).start()
    reader, writer = await asyncio.open_connection("pulse", 80)
    writer.write(b"GET / HTTP/1.1\r\nHost: pulse\r\n\r\n")
    await reader.readuntil(b"hello")
    begun = bench.sim.now_ns
    assert await reader.read() == b""
    writer.close()
    return (bench.sim.now_ns - begun) // 1_000_000_000


def test_a_server_keeps_a_connection_for_virtual_time() -> None:
    """Rounded up, it may be one second more (determinism D.3)."""

    def off(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(SimulationLoop, "time", lambda self: self.clock.base_s)

    shown(lambda: run(_closed_after) in (75, 76), off)


def test_a_heartbeat_beats_in_virtual_time() -> None:
    async def main(bench: Bench) -> list[int]:
        beats: list[int] = []

        async def answer(request: web.Request) -> web.StreamResponse:
            connection = web.WebSocketResponse(autoping=False)
            await connection.prepare(request)
            async for message in connection:
                beats.append((bench.sim.now_ns - begun) // 1_000_000_000)
                await connection.pong(message.data)
            return connection

        await bench.serve(answer)
        async with aiohttp.ClientSession() as session:
            begun = bench.sim.now_ns
            async with session.ws_connect("http://nas-1/", heartbeat=4) as connection:
                reading = asyncio.create_task(connection.receive())
                await asyncio.sleep(13)
                await connection.close()
                await reading
        return beats

    def off(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(SimulationLoop, "time", lambda self: self.clock.base_s)

    shown(lambda: run(main)[:2] == [4, 8], off)


# ---- names of libraries and versions on the wire


async def _asked(bench: Bench) -> dict[str, str]:
    seen: dict[str, str] = {}

    async def answer(request: web.Request) -> web.Response:
        seen.update(request.headers)
        return web.Response()

    await bench.serve(answer)
    session, _ = open_session(Connection(id="nas-1", host="nas-1", use_https=False, api_key="key"), 5)
    async with session, session.get("http://nas-1/") as response:
        await response.read()
    return seen


def test_a_request_of_the_stack_names_no_interpreter_library_or_encoding() -> None:
    expected = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity"}

    def off(patch: pytest.MonkeyPatch) -> None:
        real = aiohttp.ClientSession.__init__
        patch.setattr(aiohttp.ClientSession, "__init__", lambda self, **given: real(self, **{**given, "headers": None}))

    shown(lambda: {name: run(_asked).get(name) for name in expected} == expected, off)


def test_an_answer_of_the_stack_names_no_interpreter_and_no_library() -> None:
    async def main(bench: Bench) -> str:
        app = web.Application()
        app.on_response_prepare.append(stack_server._name_server)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, bench.pulse.address, 80).start()
        async with aiohttp.ClientSession() as session, session.get("http://pulse/") as response:
            return response.headers["Server"]

    async def unnamed(_request: web.Request, _response: web.StreamResponse) -> None:
        return None

    shown(lambda: run(main) == stack_server.SERVER, lambda patch: patch.setattr(stack_server, "_name_server", unnamed))


def test_an_answer_of_the_mock_names_what_it_was_told_to() -> None:
    async def main(bench: Bench) -> str:
        host, sim = bench.nas, bench.sim
        appliance = build_appliance(
            fixture="small-office",
            release="24.10",
            hostname=host.name,
            clock=host.clock,
            entropy=sim.entropy("appliance"),
            rng=sim.stream("appliance"),
        )
        nas = MockTrueNAS(appliance, clock=host.clock, journal=lambda _entry: None, server_name="nginx")
        await host.run(nas.start(host.address, 80))
        async with aiohttp.ClientSession() as session, session.get("http://nas-1/api/v2.0/system/version") as response:
            named = response.headers["Server"]
        await host.run(nas.stop())
        return named

    def off(patch: pytest.MonkeyPatch) -> None:
        real = front.head
        named = aiohttp.http.SERVER_SOFTWARE
        patch.setattr(front, "head", lambda *given, **more: real(*given, **{**more, "server": named}))

    shown(lambda: run(main) == "nginx", off)
