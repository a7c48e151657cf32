"""Systems under test that only tests want: a minimal foreign one, and some that misbehave in one way each.

``pulse-sim run … --sut tests.sut.plugins:<name>`` plugs one in.
"""

import asyncio
import logging
import os
import socket
import threading
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from pulse_sim.sut.protocol import Answer, Capability, Place, SystemFailure
from pulse_sim.sut.reference import ReferenceSystem


class Minimal:
    """The smallest system that keeps the protocol: health, metrics, no connections, no resources; polls nothing."""

    version = "minimal 1"
    capabilities = frozenset({Capability.METRICS, Capability.RESTART, Capability.KILL, Capability.REMOVE_FILE})

    def __init__(self, place: Place) -> None:
        self.place = place
        self._runner: web.AppRunner | None = None

    async def start(self, environment: Mapping[str, str], variant: str) -> None:
        if self._runner is not None:
            raise SystemFailure(f"system {self.place.name} is running already")
        app = web.Application()
        app.add_routes([web.get("/metrics", self.metrics), web.get("/api/health", self.health)])
        app.add_routes([web.get("/api/v2/resources", self.resources), web.get("/api/truenas/connections", self.none)])
        self._runner = web.AppRunner(app, access_log=None)
        self.place.disk.make_directory(self.place.data_dir, 0o700)
        self.place.disk.write(f"{self.place.data_dir}/starts", self._starts() + b"x", 0o600)
        await self.place.spawn(self._listen(self._runner), "minimal-start")

    def _starts(self) -> bytes:
        try:
            content: bytes = self.place.disk.read(f"{self.place.data_dir}/starts")
        except FileNotFoundError:
            return b""
        return content

    async def _listen(self, runner: web.AppRunner) -> None:
        await runner.setup()
        await web.TCPSite(runner, self.place.address, self.place.port).start()

    async def stop(self) -> None:
        runner, self._runner = self._runner, None
        if runner is not None:
            await self.place.spawn(runner.cleanup(), "minimal-stop")

    async def restart(self, environment: Mapping[str, str], variant: str) -> None:
        await self.stop()
        await self.start(environment, variant)

    async def kill(self) -> None:
        self._runner = None
        self.place.kill()

    async def request(self, method: str, path: str, json: Any = None) -> Answer:
        headers = {"Authorization": f"Bearer {self.place.api_token}"}
        return await self.place.fetch(method, self.place.base_url + path, headers, json)

    async def scrape(self) -> Answer:
        return await self.place.fetch("GET", self.place.base_url + "/metrics", {}, None)

    async def remove_file(self, name: str) -> None:
        try:
            self.place.disk.remove(f"{self.place.data_dir}/{name}")
        except OSError as error:
            raise SystemFailure(f"{name} is no file of system {self.place.name}") from error

    async def metrics(self, request: web.Request) -> web.Response:
        return web.Response(text="up 1.0\n")

    async def health(self, request: web.Request) -> web.Response:
        return web.json_response({"status": "healthy"})

    async def resources(self, request: web.Request) -> web.Response:
        return web.json_response({"data": [], "meta": {"totalPages": 1}})

    async def none(self, request: web.Request) -> web.Response:
        return web.json_response([])


class AfterStart(ReferenceSystem):
    """The reference, and on its host something that begins once it has started."""

    def __init__(self, place: Place, work: Callable[[Place], Any]) -> None:
        super().__init__(place)
        self._own = place
        self._work = work

    async def start(self, environment: Mapping[str, str], variant: str) -> None:
        await super().start(environment, variant)
        self._own.spawn(self._run(), "after-start")

    async def _run(self) -> None:
        done = self._work(self._own)
        if asyncio.iscoroutine(done):
            await done


def and_then(work: Callable[[Place], Any]) -> Callable[[Place], ReferenceSystem]:
    """The reference system, with ``work`` on its host after each start."""
    return lambda place: AfterStart(place, work)


class NeverUp(Minimal):
    """Does not come up, in a way of one's choice."""

    def __init__(self, place: Place, fail: Callable[[], Any]) -> None:
        super().__init__(place)
        self._fail = fail

    async def start(self, environment: Mapping[str, str], variant: str) -> None:
        done = self._fail()
        if asyncio.iscoroutine(done):
            await done


def _escape_by_thread(place: Place) -> None:
    threading.Thread(target=print).start()


async def _escape_by_socket(place: Place) -> None:
    with socket.socket() as real:
        real.connect(("192.0.2.1", 9))


async def _swallowed_escape(place: Place) -> None:
    try:
        socket.getaddrinfo("localhost", 80)
    except RuntimeError:
        logging.getLogger("plugin").info("tried to leave")


def dies_if_it_is_called_bad(place: Place) -> Minimal:
    """The worker process is gone, in the middle of its work and without a word."""
    if place.name == "bad":
        os._exit(3)
    return Minimal(place)


def cannot_be_made(place: Place) -> Minimal:
    raise LookupError("this system cannot be made")


starts_a_thread = and_then(_escape_by_thread)
opens_a_real_socket = and_then(_escape_by_socket)
swallows_its_escape = and_then(_swallowed_escape)


class BreaksOnce(Minimal):
    """Its adapter raises what the protocol does not know, at the first look."""

    async def scrape(self) -> Answer:
        if self.place.clock.now_ns() % 3_600_000_000_000 < 60_000_000_000:
            raise ArithmeticError
        return await super().scrape()
