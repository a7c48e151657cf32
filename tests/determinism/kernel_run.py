"""A run that touches whatever could leak the process it runs in; prints its trace digest.

Run as a script: ``kernel_run.py JSON``. ``junk`` objects are made before anything is imported, so that every address
differs.
"""

import json
import sys

if __name__ == "__main__":
    OPTIONS = json.loads(sys.argv[1])
    JUNK = [bytearray(number % 977) for number in range(OPTIONS.get("junk", 0))]
    del JUNK[::3]

import asyncio
import contextlib
import ssl
import uuid
from typing import Any

import aiohttp
from aiohttp import web

from pulse_sim.kernel import Host, LinkFault, Priority, Simulation, Trace
from pulse_sim.kernel.certificate import self_signed, server_context

S = 1_000_000_000
HOSTS = ("nas-1", "nas-2", "nas-3")


class Story:
    """Three servers, a polling client for each, faults on the way, sets of tasks, and a web socket."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.options = options
        self.sim = Simulation(
            seed=options.get("seed", 7),
            start_ns=1_770_595_200 * S,
            rebind=("aiohttp", "aiohappyeyeballs", __name__),
            trace=Trace(),
        )
        self.hosts = [self.sim.host(name) for name in HOSTS]
        self.pulse = self.sim.host("pulse")
        self.sim.network.link("pulse", "nas-1").latency_ns += options.get("added_latency_ns", 0)

    def run(self) -> str:
        network = self.sim.network
        faults = (
            ("jitter", LinkFault("latency", jitter_ns=30_000_000), "nas-1", 60, 120),
            ("reset", LinkFault("reset"), "nas-2", 90, 150),
            ("hole", LinkFault("blackhole"), "nas-3", 100, 160),
        )
        for name, fault, target, begin, end in faults:
            self.sim.at(begin * S, Priority.INJECT, lambda n=name, f=fault, t=target: network.apply(n, f, dst=t))  # type: ignore[misc]
            self.sim.at(end * S, Priority.HEAL, lambda n=name: network.heal(n))  # type: ignore[misc]
        self.sim.run(self.main())
        return self.sim.trace.digest()

    async def main(self) -> None:
        for host in self.hosts:
            await host.run(self.serve(host))
        await self.pulse.run(self.poll_all())
        self.sim.trace.event("log", "pulse", self.options.get("event", "done").encode())

    async def serve(self, host: Host) -> None:
        app = web.Application()
        app.router.add_get("/socket", self.socket)
        app.router.add_get("/{path:.*}", self.answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        context = None
        if self.options.get("tls"):
            context = server_context(*self_signed(self.sim.entropy(f"certificate/{host.name}"), [host.name]))
        await web.TCPSite(runner, "", 443, ssl_context=context).start()

    async def answer(self, request: web.Request) -> web.Response:
        tags = {f"tag-{number}" for number in range(20)}  # a set of strings: PYTHONHASHSEED decides its order
        waiting = {asyncio.create_task(asyncio.sleep(number % 3 / 1000, number)) for number in range(12)}
        done, _ = await asyncio.wait(waiting)  # a set of tasks: their hashes decide it
        body = f"{sorted(tags)} {[task.result() for task in done]} {uuid.uuid4()} {request.path}"
        headers = {"X-Build": self.options.get("header", "1")}
        return web.Response(text=body + self.options.get("byte", "."), headers=headers)

    async def socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            await socket.send_str(str(message.data)[::-1])
        return socket

    async def poll_all(self) -> None:
        async with asyncio.TaskGroup() as group:
            for host in self.hosts:
                group.create_task(self.poll(host), name=f"poll {host.name}")

    async def poll(self, host: Host) -> None:
        scheme = "https" if self.options.get("tls") else "http"
        url = f"{scheme}://{host.name}:443"
        trust: ssl.SSLContext | bool = False
        timeout = aiohttp.ClientTimeout(total=20)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            for turn in range(6):
                wanted = [self.get(session, f"{url}/turn/{turn}/{part}", trust) for part in range(4)]
                await asyncio.gather(*map(asyncio.create_task, wanted))
                await asyncio.sleep(30)
            with contextlib.suppress(aiohttp.ClientError):
                async with session.ws_connect(f"{url}/socket", ssl=trust) as socket:
                    await socket.send_str("hello")
                    await socket.receive_str()
            # Several requests in flight as the session closes: the connector holds their protocols in a set.
            for part in range(5):
                self.pulse.run(self.get(session, f"{url}/late/{part}", trust))
            await asyncio.sleep(0.0012)

    async def get(self, session: aiohttp.ClientSession, url: str, trust: ssl.SSLContext | bool) -> None:
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with session.get(url, ssl=trust) as response:
                await response.read()


if __name__ == "__main__":
    story = Story(OPTIONS)
    print(json.dumps({"digest": story.run(), "events": story.sim.trace.events, "counts": story.sim.unhandled != []}))
