"""Clock and generator aliases bound at import are the run's during a run, and everybody's own again after it."""

import asyncio
import importlib
import os
import random
import sys
import time
import types
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import aiohttp.connector
import aiohttp.helpers
import aiohttp.multipart
import prometheus_client.context_managers
import pytest
from aiohttp import web
from aiohttp._websocket.writer import WebSocketWriter

from pulse_sim.kernel import FenceError, KernelError
from tests.kernel.testbed import START_NS, Bench

PACKAGES = ("aiohttp", "aiohappyeyeballs", "prometheus_client")
SOURCE = """
import datetime, os, random, secrets, time, uuid
from datetime import date, datetime as moment
from os import urandom
from random import Random, randint, shuffle
from time import monotonic, perf_counter, time as now
from uuid import uuid4
"""


@pytest.fixture
def victim() -> Iterator[Any]:
    module = types.ModuleType("victim_package.inner")
    exec(SOURCE, module.__dict__)  # noqa: S102 - the test's own text
    sys.modules["victim_package"] = types.ModuleType("victim_package")
    sys.modules["victim_package.inner"] = module
    yield module
    del sys.modules["victim_package"], sys.modules["victim_package.inner"]


def _bench(seed: int = 7) -> Bench:
    return Bench(seed, rebind=(*PACKAGES, "victim_package"))


def _draw(victim: Any, seed: int) -> list[Any]:
    async def main() -> list[Any]:
        order = list(range(20))
        victim.shuffle(order)
        return [
            order,
            victim.randint(0, 10**9),
            victim.random.random(),
            victim.Random().random(),
            victim.urandom(8),
            victim.os.urandom(8),
            victim.uuid4(),
            victim.uuid.uuid4(),
            victim.secrets.token_hex(8),
        ]

    return _bench(seed).sim.run(main())


def test_randomness_of_every_spelling_comes_from_the_seed(victim: Any) -> None:
    one, again, other = _draw(victim, 1), _draw(victim, 1), _draw(victim, 2)
    assert one == again
    assert all(mine != theirs for mine, theirs in zip(one, other, strict=True))


def test_clocks_of_every_spelling_are_virtual(victim: Any) -> None:
    bench = _bench()

    async def main() -> list[Any]:
        loop = bench.sim.loop
        return [
            victim.time.time() == victim.now() == START_NS / 1e9,
            victim.monotonic() == victim.perf_counter() == victim.time.monotonic() == loop.time(),
            victim.moment.now(UTC) == victim.datetime.datetime.now(UTC) == datetime(2026, 2, 9, tzinfo=UTC),
            victim.date.today().isoformat() == "2026-02-09",
            victim.time.strftime("%Y-%m-%d") == "2026-02-09",
            victim.time.localtime().tm_mday == 9,
        ]

    assert bench.sim.run(main()) == [True] * 6


def test_real_values_are_instances_of_the_stand_in_classes(victim: Any) -> None:
    async def main() -> tuple[bool, bool, type, type]:
        moment, generator = datetime(2026, 1, 1, tzinfo=UTC), random.Random(1)
        return (
            isinstance(moment, victim.moment),
            isinstance(generator, victim.Random),
            type(victim.moment(2026, 1, 1, tzinfo=UTC)),
            type(victim.Random(3)),
        )

    assert _bench().sim.run(main()) == (True, True, datetime, random.Random)


def test_every_constructor_of_the_stand_in_datetime_makes_a_real_one(victim: Any) -> None:
    async def main() -> list[Any]:
        moment = victim.moment
        return [
            moment.fromtimestamp(0, UTC),
            moment.fromisoformat("1970-01-01T00:00:00+00:00"),
            moment.strptime("1970-01-01T00:00:00+0000", "%Y-%m-%dT%H:%M:%S%z"),
            moment.combine(victim.date(1970, 1, 1), datetime.min.time(), UTC),
            moment.min.replace(year=1970, tzinfo=UTC),
        ]

    made = _bench().sim.run(main())
    assert made == [datetime(1970, 1, 1, tzinfo=UTC)] * 5
    assert {type(moment) for moment in made} == {datetime}


def test_the_wall_clock_is_that_of_the_asking_host(victim: Any) -> None:
    bench = _bench()
    skewed = bench.sim.host("skewed", skew_ns=90_000_000_000)

    async def ask() -> float:
        now: float = victim.time.time()
        return now - START_NS / 1e9

    async def main() -> list[float]:
        first = await skewed.run(ask())
        skewed.clock.step(-30_000_000_000)
        return [await bench.pulse.run(ask()), first, await skewed.run(ask())]

    assert bench.sim.run(main()) == [0, 90, 60]


def test_a_blocking_sleep_is_fenced(victim: Any) -> None:
    async def main() -> None:
        victim.time.sleep(1)

    with pytest.raises(FenceError, match=r"time\.sleep"):
        _bench().sim.run(main())


def test_everything_is_as_before_after_the_run(victim: Any) -> None:
    watched = (victim, aiohttp.connector, aiohttp.helpers, aiohttp.multipart, prometheus_client.context_managers)
    before = [dict(vars(module)) for module in watched]
    mask = WebSocketWriter.__init__.__kwdefaults__

    async def main() -> bool:
        return aiohttp.connector.monotonic is time.monotonic  # type: ignore[attr-defined]

    assert _bench().sim.run(main()) is False
    assert [dict(vars(module)) for module in watched] == before
    assert WebSocketWriter.__init__.__kwdefaults__ is mask
    assert (victim.os, victim.uuid4, victim.moment) == (os, uuid.uuid4, datetime)
    assert "__hash__" not in vars(aiohttp.client_proto.ResponseHandler)


def test_websocket_masks_come_from_the_seed() -> None:
    def wire(seed: int) -> str:
        bench = Bench(seed)

        async def answer(request: web.Request) -> web.WebSocketResponse:
            socket = web.WebSocketResponse()
            await socket.prepare(request)
            await socket.send_str((await socket.receive_str()).upper())
            return socket

        async def client() -> str:
            async with aiohttp.ClientSession() as session, session.ws_connect("http://nas-1/ws") as socket:
                await socket.send_str("hello")
                return await socket.receive_str()

        async def main() -> str:
            await bench.serve(answer)
            return await bench.pulse.run(client())

        assert bench.sim.run(main()) == "HELLO"
        return bench.sim.trace.digest()

    assert wire(1) == wire(1) != wire(2)


def test_a_module_loaded_during_the_run_is_rebound_too_and_real_again_after_it(tmp_path: Path) -> None:
    package = tmp_path / "late_package"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "inner.py").write_text("from time import monotonic\n")
    sys.path.insert(0, str(tmp_path))
    bench = Bench(rebind=("late_package",))

    async def main() -> bool:
        inner = importlib.import_module("late_package.inner")
        virtual: bool = inner.monotonic() == bench.sim.loop.time()
        return virtual

    try:
        assert bench.sim.run(main())
        assert sys.modules["late_package.inner"].monotonic is time.monotonic
        assert not any(type(finder).__name__ == "Rebinding" for finder in sys.meta_path)
        assert "exec_module" not in vars(sys.modules["late_package.inner"].__loader__)
    finally:
        sys.path.remove(str(tmp_path))


def test_a_task_or_future_made_past_the_loop_is_numbered_and_still_one_of_asyncio_s(victim: Any) -> None:
    """aiohttp asks for `asyncio.Task` itself from 3.12 on, and anybody may ask `isinstance` of it on any minor."""
    exec("import asyncio", victim.__dict__)  # noqa: S102 - the test's own text

    async def nothing() -> int:
        return 42

    async def main() -> list[Any]:
        task = victim.asyncio.Task(nothing(), name="direct")
        future = victim.asyncio.Future()
        future.set_result(None)
        usual = asyncio.create_task(nothing())
        facts = [hash(task) == task.number, hash(future) == future.number, await task, task.get_name()]
        facts += [isinstance(one, victim.asyncio.Task) for one in (task, usual, future)]
        facts += [isinstance(one, victim.asyncio.Future) for one in (task, usual, future)]
        facts += [isinstance(task, asyncio.Task), issubclass(asyncio.Task, victim.asyncio.Task)]
        await usual
        return facts

    expected = [True, True, 42, "direct", True, True, False, True, True, True, True, True]
    assert _bench().sim.run(main()) == expected


def test_naive_moments_are_utc_whatever_zone_the_machine_is_in(victim: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Pacific/Apia")
    time.tzset()

    async def main() -> list[Any]:
        return [
            victim.moment.fromtimestamp(0) == datetime(1970, 1, 1),  # noqa: DTZ001 - naive on purpose
            victim.date.fromtimestamp(0).isoformat() == "1970-01-01",
            victim.time.mktime(victim.time.gmtime(86_400)) == 86_400,
            victim.time.clock_gettime(time.CLOCK_REALTIME) == START_NS / 1e9,
            victim.time.clock_gettime_ns(time.CLOCK_MONOTONIC) == victim.time.monotonic_ns(),
        ]

    try:
        assert _bench().sim.run(main()) == [True] * 5
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_library_that_goes_past_the_event_loop_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        return None

    monkeypatch.setitem(sys.modules, "aiofastnet", types.ModuleType("aiofastnet"))
    with pytest.raises(KernelError, match="aiofastnet is loaded"):
        Bench().sim.run(main())
    monkeypatch.undo()
    Bench().sim.run(main())


def test_what_the_connector_keeps_in_sets_has_a_hash_of_the_run() -> None:
    async def main() -> tuple[set[int], list[int]]:
        loop = asyncio.get_running_loop()
        placeholders = {hash(aiohttp.connector._TransportPlaceholder(loop.create_future())) for _ in range(5)}
        return placeholders, [hash(aiohttp.client_proto.ResponseHandler(loop)) for _ in range(3)]

    assert Bench().sim.run(main()) == ({0}, [1, 2, 3])
