"""Controls of aiohttp's client (determinism D.2, D.3): each holds, and is shown red with it off."""

import asyncio
import contextlib
import os
import socket
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import aiohappyeyeballs
import aiohttp
import aiohttp.client_middleware_digest_auth
import aiohttp.connector
import aiohttp.helpers
import pytest
from aiohttp import web

from pulse_sim.kernel.loop import SimulationLoop
from pulse_sim.stack.connection import Connection
from pulse_sim.stack.transport import open_session
from tests.determinism.control import (
    S,
    fetch,
    run,
    same_of_seed,
    shown,
    without_alias,
    without_substitution,
)
from tests.kernel.testbed import Bench, hello

# ---- names and connecting


def test_names_are_looked_up_in_the_simulated_network() -> None:
    async def main(bench: Bench) -> bytes:
        await bench.serve(hello)
        async with aiohttp.ClientSession() as session:
            return await fetch(session)

    def off(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(SimulationLoop, "getaddrinfo", asyncio.BaseEventLoop.getaddrinfo)

    shown(lambda: run(main) == b"hello", off)


def test_the_resolver_is_the_loop_s_own_even_where_aiohttp_would_choose_another() -> None:
    """aiohttp chooses aiodns once that is installed, and it has sockets and a thread of its own."""
    assert find_spec("aiodns") is None
    assert aiohttp.DefaultResolver is aiohttp.ThreadedResolver

    async def main(bench: Bench) -> bytes:
        await bench.serve(hello)
        async with aiohttp.ClientSession() as session:
            return await fetch(session)

    def claim() -> bool:
        class Foreign(aiohttp.ThreadedResolver):
            async def resolve(self, *_question: Any, **_options: Any) -> Any:
                raise OSError("asked c-ares")

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(aiohttp.connector, "DefaultResolver", Foreign)
            return bool(run(main) == b"hello")

    shown(claim, without_substitution("DefaultResolver"))


def test_a_refusal_shows_while_connecting_so_that_the_next_address_is_tried() -> None:
    async def main(bench: Bench) -> bool:
        await bench.serve(hello)
        loop = asyncio.get_running_loop()
        kind = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
        nobody, somebody = (bench.pulse.address, 80), (bench.nas.address, 80)
        connected = await aiohappyeyeballs.start_connection([(*kind, nobody), (*kind, somebody)], loop=loop)
        try:
            transport, _ = await loop.create_connection(asyncio.Protocol, sock=connected)
        except Exception:
            connected.close()
            raise
        peer = transport.get_extra_info("peername")
        transport.close()
        return bool(peer == somebody)

    async def too_late(_self: Any, _sock: Any, _address: Any) -> None:
        return None

    shown(lambda: bool(run(main)), lambda patch: patch.setattr(SimulationLoop, "sock_connect", too_late))


# ---- what a machine's surroundings would put in


def test_a_client_of_the_stack_heeds_no_proxy_and_no_netrc(tmp_path: Path) -> None:
    secrets = tmp_path / "netrc"
    secrets.write_text("machine nas-1 login somebody password else\n")
    surroundings = {"http_proxy": "http://proxy.invalid:3128", "NETRC": str(secrets)}

    def claim() -> bool:
        seen: list[str | None] = []

        async def answer(request: web.Request) -> web.Response:
            seen.append(request.headers.get("Authorization"))
            return web.Response()

        async def main(bench: Bench) -> None:
            await bench.serve(answer)
            connection = Connection(id="nas-1", host="nas-1", port=80, use_https=False, api_key="key")
            session, _ = open_session(connection, 5)
            async with session:
                await fetch(session)

        with pytest.MonkeyPatch.context() as patch:
            for name, value in surroundings.items():
                patch.setenv(name, value)
            with contextlib.suppress(ValueError):  # aiohttp's, when it has two credentials to choose from
                run(main)
        return seen == ["Bearer key"]

    def off(patch: pytest.MonkeyPatch) -> None:
        real = aiohttp.ClientSession.__init__
        patch.setattr(
            aiohttp.ClientSession, "__init__", lambda self, **given: real(self, **{**given, "trust_env": True})
        )

    shown(claim, off)


async def _cookies(bench: Bench) -> list[str]:
    seen: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.cookies.get("taste", ""))
        response = web.Response()
        if len(seen) == 1:
            response.set_cookie("taste", "sweet", max_age=60)
        return response

    await bench.serve(answer)
    async with aiohttp.ClientSession() as session:
        for pause in (30, 60, 0):
            await fetch(session)
            await asyncio.sleep(pause)
    return seen


def test_a_cookie_expires_in_virtual_time() -> None:
    shown(lambda: run(_cookies) == ["", "sweet", ""], without_alias("aiohttp.cookiejar:time"))


# ---- entropy


async def _digest_nonce(bench: Bench) -> list[str]:
    seen: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        given = request.headers.get("Authorization", "")
        if not given:
            return web.Response(status=401, headers={"WWW-Authenticate": 'Digest realm="r", nonce="n", qop="auth"'})
        seen.append(given.partition('cnonce="')[2].partition('"')[0])
        return web.Response()

    await bench.serve(answer)
    login = aiohttp.DigestAuthMiddleware("user", "password")
    async with aiohttp.ClientSession(middlewares=[login]) as session:
        await fetch(session)
    return seen


def test_a_digest_login_draws_its_nonce_from_the_seed() -> None:
    shown(lambda: same_of_seed(_digest_nonce), without_alias("aiohttp.client_middleware_digest_auth:os"))


def test_a_digest_login_stamps_its_nonce_with_virtual_time() -> None:
    async def main(_bench: Bench) -> str:
        return aiohttp.client_middleware_digest_auth.time.ctime()  # type: ignore[attr-defined, no-any-return]

    shown(lambda: run(main) == "Mon Feb  9 00:00:00 2026", without_alias("aiohttp.client_middleware_digest_auth:time"))


async def _multipart(_bench: Bench) -> str:
    return aiohttp.MultipartWriter().boundary


def test_a_multipart_boundary_comes_from_the_seed() -> None:
    shown(lambda: same_of_seed(_multipart), without_alias("aiohttp.multipart:uuid"))


async def _socket_key(bench: Bench) -> str:
    keys: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        keys.append(request.headers["Sec-WebSocket-Key"])
        connection = web.WebSocketResponse()
        await connection.prepare(request)
        await connection.receive()
        return connection

    await bench.serve(answer)
    async with aiohttp.ClientSession() as session, session.ws_connect("http://nas-1/") as connection:
        await connection.send_str("hello")
    return keys[0]


def test_the_key_of_a_web_socket_comes_from_the_seed() -> None:
    shown(lambda: same_of_seed(_socket_key), without_alias("aiohttp.client:os"))


def test_the_masks_of_a_web_socket_come_from_the_seed() -> None:
    def traced() -> str:
        bench = Bench(5)
        bench.sim.run(_socket_key(bench), host=bench.pulse)
        return bench.sim.trace.digest()

    generator = "aiohttp._websocket.writer:WebSocketWriter.__init__.__kwdefaults__[random]"
    shown(lambda: len({traced() for _ in range(4)}) == 1, without_alias(generator))


# ---- rounding


async def _times_out_at(bench: Bench) -> int:
    async def never(_request: web.Request) -> web.Response:
        await asyncio.sleep(1_000)
        return web.Response()

    await bench.serve(never)
    begun = bench.sim.now_ns
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
        with contextlib.suppress(TimeoutError):
            await fetch(session)
    return bench.sim.now_ns - begun


def test_a_share_of_seeds_runs_without_aiohttp_s_rounding_and_every_timeout_lasts_less_than_a_second_more() -> None:
    def claim() -> bool:
        lasted = [run(_times_out_at, seed) for seed in range(12)]
        exact = sum(one == 10 * S for one in lasted)
        return 1 <= exact <= 6 and all(10 * S <= one < 11 * S for one in lasted)

    shown(claim, lambda patch: patch.setattr("pulse_sim.kernel.rebinding.SHARE_UNROUNDED", 0.0))


def test_the_stack_s_own_timeouts_are_never_rounded() -> None:
    def claim() -> bool:
        async def main(_bench: Bench) -> tuple[float, float]:
            connection = Connection(id="nas-1", host="nas-1", port=80, use_https=False, api_key="key")
            session, connector = open_session(connection, 5)
            async with session:
                return session.timeout.ceil_threshold, connector._timeout_ceil_threshold

        return bool(min(run(main)) > 1e6)

    shown(claim, lambda patch: patch.setattr("pulse_sim.stack.transport._NEVER_ROUNDED", 5))


def test_the_machine_s_entropy_itself_is_left_alone() -> None:
    """Only the named packages see the seed: whoever else asks during a run gets the real thing."""

    async def main(_bench: Bench) -> bytes:
        return os.urandom(16)

    assert run(main) != run(main)
