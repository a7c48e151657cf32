"""Many NAS in one process: each with its own port, key, clock, journal and state."""

import asyncio
import random

import aiohttp
import pytest

from mock_truenas.complaints import BadInput, Unknown
from mock_truenas.fleet import Fleet, Plan, Unit, plans
from tests.mock_truenas.wire import START_NS, SetClock

pytestmark = pytest.mark.asyncio


def fleet(count: int, plan: Plan | None = None, clock: SetClock | None = None) -> Fleet:
    entropy = random.Random("fleet").randbytes
    below = clock or SetClock()
    made = plans(plan or Plan("25.10"), count)
    return Fleet({name: Unit(name, each, clock=below, entropy=entropy, keeps=10) for name, each in made.items()})


async def asked(session: aiohttp.ClientSession, unit: Unit, path: str = "/disk", key: str | None = None) -> object:
    headers = {"Authorization": f"Bearer {key or unit.api_key}"}
    async with session.get(f"{unit.url}/api/v2.0{path}", headers=headers) as answer:
        return await answer.json() if answer.status == 200 else answer.status


async def test_each_has_its_own_port_key_and_state() -> None:
    units = fleet(20)
    await units.start("127.0.0.1")
    try:
        assert len({unit.nas.port for unit in units.values()}) == 20
        assert len({unit.api_key for unit in units.values()}) == 20
        async with aiohttp.ClientSession() as session:
            disks = await asyncio.gather(*(asked(session, unit) for unit in units.values()))
            assert len({str(each) for each in disks}) == 20
            first, second, *_ = units.values()
            assert await asked(session, second, key=first.api_key) == 401
            first.appliance.change_pool("tank", status="DEGRADED")
            second.clock.advance(10**9)
            first.inject("http.status", {"status": 502})
            assert await asked(session, first) == 502
            assert isinstance(await asked(session, second), list)
            assert second.appliance.state.pools["tank"].status == "ONLINE"
            assert first.clock.now_ns() == START_NS
            assert [len(unit.journal.entries) for unit in (first, second)] == [2, 3]
    finally:
        await units.stop()


async def test_the_same_seed_is_the_same_fleet() -> None:
    first, second = fleet(3), fleet(3)
    assert [unit.appliance.truth() for unit in first.values()] == [unit.appliance.truth() for unit in second.values()]
    names = [unit.appliance.state.host.hostname for unit in first.values()]
    assert names == list(first) == ["nas-1", "nas-2", "nas-3"]


async def test_one_alone_is_called_what_its_fixture_calls_it() -> None:
    (unit,) = fleet(1).values()
    assert (unit.name, unit.appliance.state.host.hostname) == ("nas-1", "truenas")


async def test_when_one_cannot_listen_none_does() -> None:
    holder = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = holder.sockets[0].getsockname()[1]
    units = fleet(2)
    try:
        with pytest.raises(OSError, match=r"in use|errno"):
            await units.start("127.0.0.1", port - 1)
        for unit in units.values():
            with pytest.raises(OSError, match="onnect"):
                await asyncio.open_connection("127.0.0.1", port - 1)
            await unit.stop()
    finally:
        holder.close()
        await holder.wait_closed()


async def test_an_unknown_one_is_answered_with_those_there_are() -> None:
    units = fleet(2)
    assert "nas-3" not in units
    with pytest.raises(Unknown, match=r"appliance nas-3: unknown; did you mean nas-.* available: nas-1, nas-2"):
        units.find("nas-3")


async def test_a_fault_that_was_refused_leaves_nothing_behind() -> None:
    (unit,) = fleet(1).values()
    for kind in ("nope", "http.status", "tls.expired"):
        with pytest.raises(BadInput):
            unit.inject(kind, {})
    assert unit.faults() == ()
    unit.inject("http.silence", {}, "mine")
    with pytest.raises(BadInput, match="id mine: is that of an active fault"):
        unit.inject("http.silence", {}, "mine")
    unit.heal_all()
    unit.heal("mine")
    assert unit.faults() == ()


async def test_an_exchange_under_way_ends_with_a_reset_and_is_forgotten() -> None:
    (unit,) = fleet(1).values()
    await unit.start()
    try:
        unit.inject("http.silence", {"path": "/pool"})
        reader, writer = await asyncio.open_connection("127.0.0.1", unit.nas.port)
        writer.write(b"GET /api/v2.0/pool HTTP/1.1\r\nHost: nas\r\n\r\n")
        while not unit.faults()[0].met:  # noqa: ASYNC110  # nobody is told of a fault that was met
            await asyncio.sleep(0)
        await unit.reset()
        assert await asyncio.wait_for(reader.read(), 10) == b""
        writer.close()
        assert unit.journal.entries == ()
        async with aiohttp.ClientSession() as session:
            assert isinstance(await asked(session, unit, "/pool"), list)
    finally:
        await unit.stop()
