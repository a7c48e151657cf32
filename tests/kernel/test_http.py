"""Unmodified aiohttp, both ends, over the simulated network in virtual time."""

import aiohttp
import pytest
from aiohttp import web

from tests.kernel.testbed import ANY, Bench, hello


def test_an_untouched_client_session_talks_to_an_unmodified_server(bench: Bench) -> None:
    async def client() -> tuple[int, str]:
        async with aiohttp.ClientSession() as session, session.get("http://nas-1/") as response:
            return response.status, await response.text()

    async def main() -> tuple[int, str]:
        await bench.serve(hello)
        return await bench.pulse.run(client())

    assert bench.sim.run(main()) == (200, "hello")


def test_the_date_header_is_the_wall_clock_of_the_serving_host(bench: Bench) -> None:
    bench.nas.clock.step(3_600_000_000_000)

    async def client() -> str:
        async with aiohttp.ClientSession() as session, session.get("http://nas-1/") as response:
            return response.headers["Date"]

    async def main() -> str:
        await bench.serve(hello)
        return await bench.pulse.run(client())

    assert bench.sim.run(main()) == "Mon, 09 Feb 2026 01:00:00 GMT"


def test_a_client_polling_every_minute_opens_a_connection_for_each_poll(bench: Bench) -> None:
    """aiohttp keeps an idle connection for 15 s of *loop* time; by a real clock it would be reused for ever."""

    async def client() -> None:
        async with aiohttp.ClientSession() as session:
            for _ in range(60):
                async with session.get("http://nas-1/") as response:
                    await response.read()
                await _sleep_until_next_minute()

    async def _sleep_until_next_minute() -> None:
        await bench.sim.loop.create_task(_pause())

    async def _pause() -> None:
        loop = bench.sim.loop
        waiter = loop.create_future()
        loop.call_at_ns(bench.sim.now_ns - bench.sim.now_ns % 60_000_000_000 + 60_000_000_000, waiter.set_result, None)
        await waiter

    async def main() -> None:
        await bench.serve(hello)
        await bench.pulse.run(client())

    bench.sim.run(main())
    assert bench.sim.network.counts()["connections_opened"] == {("pulse", "nas-1"): 60}


def test_a_request_body_larger_than_the_window_arrives_whole(bench: Bench) -> None:
    async def measure(request: web.Request) -> web.Response:
        return web.Response(text=str(len(await request.read())))

    async def client() -> str:
        async with aiohttp.ClientSession() as session, session.post("http://nas-1/", data=b"x" * 900_000) as response:
            return await response.text()

    async def main() -> str:
        await bench.serve(measure)
        return await bench.pulse.run(client())

    assert bench.sim.run(main()) == "900000"


def test_a_site_on_port_zero_reports_its_address_and_refuses_once_stopped(bench: Bench) -> None:
    async def client(port: int) -> int:
        async with aiohttp.ClientSession() as session, session.get(f"http://nas-1:{port}/") as response:
            return response.status

    async def main() -> tuple[list[object], int]:
        runner = await bench.serve(hello, port=0)
        addresses = list(runner.addresses)
        port = addresses[0][1]
        status = await bench.pulse.run(client(port))
        await bench.nas.run(runner.cleanup())
        with pytest.raises(aiohttp.ClientConnectorError):
            await bench.pulse.run(client(port))
        return addresses, status

    assert bench.sim.run(main()) == ([(ANY, 40_000)], 200)
