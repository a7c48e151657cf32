"""Two hosts, a small web server, and ways to talk to it: what most kernel tests need."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from pulse_sim.kernel import Host, Simulation, Trace

ANY = "0.0.0.0"  # noqa: S104 - an address of the simulated network
START_NS = 1_770_595_200_000_000_000  # 2026-02-09T00:00:00Z

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Bench:
    """A simulation with a client host `pulse` and a serving host `nas-1`."""

    def __init__(self, seed: int = 7, **options: Any) -> None:
        options.setdefault("trace", Trace())
        self.sim = Simulation(seed=seed, start_ns=START_NS, **options)
        self.nas = self.sim.host("nas-1")
        self.pulse = self.sim.host("pulse")

    async def serve(self, answer: Answer, *, port: int = 80, host: Host | None = None, **site: Any) -> web.AppRunner:
        """Start an unmodified aiohttp server on a host (default `nas-1`)."""

        async def start() -> web.AppRunner:
            app = web.Application()
            app.router.add_route("*", "/{path:.*}", answer)
            runner = web.AppRunner(app, access_log=None)
            await runner.setup()
            await web.TCPSite(runner, ANY, port, **site).start()
            return runner

        return await (host or self.nas).run(start())


async def hello(_request: web.Request) -> web.Response:
    return web.Response(text="hello")
