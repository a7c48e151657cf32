"""One workload for either loop: rounds of eight requests, each over a fresh connection, served by aiohttp."""

import asyncio
import sys
import time

import aiohttp
from aiohttp import web

from pulse_sim.kernel import Simulation, Trace

REQUESTS_A_ROUND = 8
BODY = b'{"status": "ONLINE"}' * 40


async def serve(host: str, port: int) -> tuple[web.AppRunner, int]:
    """A server that answers every path; its runner and its port."""

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(body=BODY, content_type="application/json")

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, host, port).start()
    return runner, runner.addresses[0][1] if runner.addresses else port


async def poll(url: str, rounds: int, pause_s: float) -> int:
    """Requests made."""
    made = 0
    for _ in range(rounds):
        for _ in range(REQUESTS_A_ROUND):
            async with aiohttp.ClientSession() as session, session.get(url) as response:
                await response.read()
                made += 1
        await asyncio.sleep(pause_s)
    return made


def on_loopback(rounds: int) -> float:
    """Requests per second of CPU, client and server together, on the kernel's loopback and stock asyncio."""

    async def main() -> int:
        runner, port = await serve("127.0.0.1", 0)
        try:
            return await poll(f"http://127.0.0.1:{port}/pool", rounds, 0)
        finally:
            await runner.cleanup()

    started = time.process_time()
    made = asyncio.run(main())
    return made / (time.process_time() - started)


def in_simulation(rounds: int) -> float:
    """The same code on the simulated network, thirty virtual seconds between rounds, with the trace on."""
    sim = Simulation(seed=1, start_ns=1_770_595_200 * 10**9, trace=Trace())
    server, client = sim.host("nas"), sim.host("pulse")

    async def main() -> int:
        runner, _ = await server.run(serve(server.address, 80), name="server")
        try:
            return await poll("http://nas/pool", rounds, 30)
        finally:
            await server.run(runner.cleanup(), name="cleanup")

    started = time.process_time()
    made: int = sim.run(main(), host=client)
    return made / (time.process_time() - started)


if __name__ == "__main__":
    workload = {"loopback": on_loopback, "simulation": in_simulation}[sys.argv[1]]
    print(workload(int(sys.argv[2])))
