"""Controls of aiohttp's connection pool and its waiters (determinism D.2): each is shown red with it off."""

import asyncio
import contextlib
from typing import Any

import aiohttp
import aiohttp.client_middleware_digest_auth
import aiohttp.connector
import aiohttp.helpers
import pytest
from aiohttp import web

from pulse_sim.kernel.tasks import SimulationFuture, SimulationTask
from tests.determinism.control import (
    Disturb,
    S,
    fetch,
    run,
    same_in_every_heap,
    same_of_seed,
    shown,
    without_alias,
    without_substitution,
)
from tests.kernel.testbed import Bench, hello

# ---- the connection pool


async def _connections_made(bench: Bench) -> int:
    """Requests at 0, 10 and 40 s with connections kept for 15."""
    await bench.serve(hello)
    made: list[int] = []
    watching = aiohttp.TraceConfig()

    async def note(*_facts: Any) -> None:
        made.append(bench.sim.now_ns // S)

    watching.on_connection_create_end.append(note)
    connector = aiohttp.TCPConnector(keepalive_timeout=15)
    async with aiohttp.ClientSession(connector=connector, trace_configs=[watching]) as session:
        for pause in (10, 30, 0):
            await fetch(session)
            await asyncio.sleep(pause)
    return len(made)


def test_a_kept_connection_expires_in_virtual_time() -> None:
    shown(lambda: run(_connections_made) == 2, without_alias("aiohttp.connector:monotonic"))


async def _idle(bench: Bench) -> tuple[int, int]:
    await bench.serve(hello)
    async with aiohttp.ClientSession() as session:
        await fetch(session)
        await asyncio.sleep(120)
        counts = bench.sim.counts()
        return counts["transports"], counts["timers"]


def test_the_pool_s_clean_up_closes_an_idle_connection_and_its_timer_rests() -> None:
    """The timer goes by the loop's clock and the test by `monotonic`; were they different, it would fire for ever."""
    shown(lambda: run(_idle) == (0, 0), without_alias("aiohttp.connector:monotonic"))


async def _lookups(bench: Bench) -> int:
    await bench.serve(hello)
    misses: list[int] = []
    watching = aiohttp.TraceConfig()

    async def note(*_facts: Any) -> None:
        misses.append(bench.sim.now_ns)

    watching.on_dns_cache_miss.append(note)
    connector = aiohttp.TCPConnector(force_close=True, ttl_dns_cache=10)
    async with aiohttp.ClientSession(connector=connector, trace_configs=[watching]) as session:
        for pause in (5, 30, 0):
            await fetch(session)
            await asyncio.sleep(pause)
    return len(misses)


def test_the_dns_cache_expires_in_virtual_time() -> None:
    shown(lambda: run(_lookups) == 2, without_alias("aiohttp.connector:monotonic"))


async def _served_order(bench: Bench) -> list[int]:
    """Twenty requests to five places with one connection between them."""
    ports, order = range(80, 85), list[int]()
    for port in ports:
        await bench.serve(hello, port=port)

    async def ask(port: int) -> None:
        await fetch(session, f"http://nas-1:{port}/")
        order.append(port)

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as session:
        await asyncio.gather(*(ask(port) for port in ports for _ in range(4)))
    return order


def test_who_waits_for_a_connection_is_shuffled_by_the_seed() -> None:
    shown(lambda: same_of_seed(_served_order), without_alias("aiohttp.connector:random"))


def _closing_order(disturb: Disturb) -> list[int]:
    order: list[int] = []

    async def never(_request: web.Request) -> web.Response:
        await asyncio.sleep(1_000)
        return web.Response()

    async def main(bench: Bench) -> None:
        await bench.serve(never)
        session = aiohttp.ClientSession()

        async def ask(number: int) -> None:
            with contextlib.suppress(aiohttp.ClientError):
                disturb()
                await fetch(session)
            order.append(number)

        tasks = [asyncio.create_task(ask(number)) for number in range(30)]
        await asyncio.sleep(1)
        await session.close()
        await asyncio.wait(tasks)

    run(main)
    return order


def test_a_closing_session_closes_its_connections_in_one_order_whatever_the_heap() -> None:
    shown(lambda: same_in_every_heap(_closing_order), without_substitution("__hash__", "ResponseHandler"))


def _resolved_order(disturb: Disturb) -> list[int]:
    order: list[int] = []

    async def main(bench: Bench) -> None:
        await bench.serve(hello)
        connector = aiohttp.TCPConnector()

        async def resolve(number: int) -> None:
            disturb()
            await connector._resolve_host("nas-1", 80)
            order.append(number)

        await asyncio.gather(*(resolve(number) for number in range(30)))
        await connector.close()

    run(main)
    return order


def test_who_waits_for_one_lookup_goes_on_in_one_order_whatever_the_heap() -> None:
    def off(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(SimulationFuture, "__hash__", object.__hash__)

    shown(lambda: same_in_every_heap(_resolved_order), off)


def _cancelled_lookups(disturb: Disturb) -> list[str]:
    order: list[str] = []

    class Slow(aiohttp.abc.AbstractResolver):
        async def resolve(self, host: str, port: int = 0, family: Any = 0) -> Any:
            try:
                await asyncio.sleep(1_000)
            finally:
                order.append(host)

        async def close(self) -> None:
            return None

    async def main(_bench: Bench) -> None:
        connector = aiohttp.TCPConnector(resolver=Slow())

        async def resolve(number: int) -> None:
            disturb()
            with contextlib.suppress(asyncio.CancelledError):
                await connector._resolve_host(f"nas-{number}", 80)

        waiting = [asyncio.create_task(resolve(number)) for number in range(30)]
        await asyncio.sleep(1)
        await connector.close()
        await asyncio.wait(waiting)

    run(main)
    return order


def test_lookups_cut_short_end_in_one_order_whatever_the_heap() -> None:
    def off(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(SimulationTask, "__hash__", object.__hash__)

    shown(lambda: same_in_every_heap(_cancelled_lookups), off)


def _timed_out_order(disturb: Disturb) -> list[int]:
    order: list[int] = []

    async def main(bench: Bench) -> None:
        timer = aiohttp.helpers.TimerContext(bench.sim.loop)

        async def work(number: int) -> None:
            disturb()
            with contextlib.suppress(TimeoutError, asyncio.CancelledError):
                try:
                    with timer:
                        await asyncio.sleep(100)
                finally:
                    order.append(number)

        tasks = [asyncio.create_task(work(number)) for number in range(30)]
        await asyncio.sleep(1)
        timer.timeout()
        await asyncio.wait(tasks)

    run(main)
    return order


def test_tasks_that_share_a_deadline_are_cancelled_in_one_order_whatever_the_heap() -> None:
    def off(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(SimulationTask, "__hash__", object.__hash__)

    shown(lambda: same_in_every_heap(_timed_out_order), off)
