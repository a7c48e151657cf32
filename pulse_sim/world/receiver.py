"""Somebody a system can notify: takes whatever is posted over HTTP and hands it over. Judges nothing."""

import asyncio

from aiohttp import web

from pulse_sim.units import SECOND

LARGEST_BODY = 65_536


async def receive(address: str, port: int, for_ns: int) -> list[bytes]:
    """Listen on an address for so long; the bodies that came, in their order. Raises OSError when it cannot."""
    bodies: list[bytes] = []

    async def take(request: web.Request) -> web.Response:
        bodies.append(await request.read())
        return web.Response(status=204)

    application = web.Application(client_max_size=LARGEST_BODY)
    application.router.add_route("POST", "/{path:.*}", take)
    runner = web.AppRunner(application, access_log=None, handle_signals=False, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, address, port).start()
        await asyncio.sleep(for_ns / SECOND)
    finally:
        await runner.cleanup()
    return bodies
