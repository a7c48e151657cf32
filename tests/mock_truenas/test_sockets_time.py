"""What of the WebSocket faces has to do with time, on the simulated loop, to the nanosecond and without waiting."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest

from mock_truenas.appliance import Appliance, build_appliance
from mock_truenas.behaviour import AS_DELIVERED, Behaviour
from mock_truenas.faults import FAULT_KINDS
from mock_truenas.journal import JournalEntry
from mock_truenas.server import MockTrueNAS
from pulse_sim.kernel import Simulation
from tests.mock_truenas.frames_wire import PING, PONG, Wire, open_wire
from tests.mock_truenas.wire import START_NS

DAY_S = 86_400
SECOND_US = 1_000_000
ROUND_TRIP_US = 500
SECOND_NS = 1_000_000_000


@dataclass
class Play:
    """One appliance and one client in a simulation of their own; ``script`` is the client."""

    release: str = "25.10"
    behaviour: Behaviour = AS_DELIVERED

    def __post_init__(self) -> None:
        self.sim = Simulation(seed=7, start_ns=START_NS, rebind=("aiohttp", "aiohappyeyeballs", "mock_truenas"))
        self.host, self.client = self.sim.host("nas-1"), self.sim.host("pulse")
        self.journal: list[JournalEntry] = []
        self.appliance: Appliance = build_appliance(
            release=self.release,
            clock=self.host.clock,
            entropy=self.sim.entropy("nas-1"),
            rng=self.sim.stream("nas-1"),
        )
        self.key = self.appliance.mint_api_key("pulse")
        self.nas = MockTrueNAS(
            self.appliance, clock=self.host.clock, journal=self.journal.append, behaviour=self.behaviour
        )

    def now_us(self) -> int:
        return round(asyncio.get_running_loop().time() * 1e6)

    async def open(self, path: str = "/api/current", *, login: bool = True) -> Wire:
        wire = await open_wire("nas-1", 80, path)
        if login:
            assert await wire.call("auth.login_with_api_key", self.key) is True
        return wire

    def inject(self, kind: str, **parameters: Any) -> None:
        self.nas.inject("fault-1", kind, FAULT_KINDS[kind].parameters.model_validate(parameters))

    def run(self, script: Callable[["Play"], Coroutine[Any, Any, Any]]) -> Any:
        async def world() -> Any:
            await self.host.run(self.nas.start(self.host.address, 80), name="start")
            seen: Any = await self.client.run(script(self), name="client")
            await asyncio.sleep(1)
            await self.host.run(self.nas.stop(), name="stop")
            return seen

        seen = self.sim.run(world())
        assert self.sim.counts() == {"tasks": 0, "transports": 0, "timers": 0}
        return seen

    def closes(self) -> list[tuple[int | None, str]]:
        return [(entry.close_code, entry.ended) for entry in self.journal if entry.kind == "close"]


async def _cut_after(play: Play) -> int:
    wire = await play.open()
    began_us = play.now_us()
    assert (await wire.frame()).close == (1006, "")
    wire.end()
    return play.now_us() - began_us


@pytest.mark.parametrize(("release", "after_s"), [("24.10", 60), ("25.10", 60), ("26.0", 3600)])
def test_front_cuts_an_idle_connection_without_a_close_frame(release: str, after_s: int) -> None:
    play = Play(release)
    script = _old_cut_after if release == "24.10" else _cut_after
    assert play.run(script) == after_s * SECOND_US
    assert play.closes() == [(1006, "cut")]


async def _old_cut_after(play: Play) -> int:
    wire = await play.open("/websocket", login=False)
    began_us = play.now_us()
    assert (await wire.frame()).close == (1006, "")
    wire.end()
    return play.now_us() - began_us


def test_pings_and_events_keep_a_connection_and_a_switch_keeps_it_for_ever() -> None:
    async def pings(play: Play) -> None:
        wire = await play.open()
        for _ in range(10):
            await asyncio.sleep(50)
            wire.send(b"x", PING)
            assert (await wire.frame()).opcode == PONG
        wire.end()

    async def sleeps(play: Play) -> None:
        wire = await play.open()
        await asyncio.sleep(DAY_S)
        assert await wire.call("core.ping") == "pong"
        wire.end()

    Play().run(pings)
    Play(behaviour=Behaviour(idle_cut=False)).run(sleeps)


def test_fault_shortens_how_long_a_connection_may_be_idle() -> None:
    async def script(play: Play) -> int:
        wire = await play.open()
        play.inject("front.idle_cut", after="5s")
        began_us = play.now_us()
        assert (await wire.frame()).close == (1006, "")
        wire.end()
        return play.now_us() - began_us

    play = Play()
    assert play.run(script) == 5 * SECOND_US
    assert [entry.faults for entry in play.journal if entry.kind == "close"] == [("fault-1",)]


@pytest.mark.parametrize(("release", "pings"), [("25.04", False), ("25.10", True), ("26.0", True)])
def test_session_ends_after_thirty_days_and_the_connection_does_not(release: str, pings: bool) -> None:
    async def script(play: Play) -> tuple[Any, Any, Any]:
        wire = await play.open()
        await asyncio.sleep(30 * DAY_S - 1)
        assert isinstance(await wire.call("system.version"), str)
        await asyncio.sleep(1)
        calls = (await wire.call("system.version"), await wire.call("core.ping"), await wire.call("system.version"))
        assert await wire.call("auth.login_with_api_key", play.key) is True
        assert isinstance(await wire.call("system.version"), str)
        wire.end()
        return calls

    first, ping, again = Play(release, Behaviour(idle_cut=False)).run(script)
    assert first["data"]["error"] == again["data"]["error"] == 207
    assert (ping == "pong") is pings


def test_session_of_24_10_never_ends() -> None:
    async def script(play: Play) -> None:
        wire = await play.open("/websocket", login=False)
        wire.send('{"msg": "connect", "version": "1", "support": ["1"]}')
        await wire.frame()
        assert await wire.old_call("auth.login_with_api_key", play.key) is True
        await asyncio.sleep(400 * DAY_S)
        assert isinstance(await wire.old_call("system.version"), str)
        wire.end()

    Play("24.10", Behaviour(idle_cut=False)).run(script)


@pytest.mark.parametrize(
    ("method", "params", "least_s", "most_s"),
    [
        ("auth.login", ("root", "wrong"), 1, 2),
        ("auth.login_with_api_key", ("7-" + "x" * 64,), 1, 2),
        ("auth.login_ex", ({"mechanism": "PASSWORD_PLAIN", "username": "root", "password": "wrong"},), 1, 2),
    ],
)
def test_refused_login_takes_its_time(method: str, params: tuple[Any, ...], least_s: int, most_s: int) -> None:
    async def script(play: Play) -> int:
        wire = await play.open(login=False)
        began_us = play.now_us()
        assert await wire.call(method, *params) in (False, {"response_type": "AUTH_ERR"})
        wire.end()
        return play.now_us() - began_us

    assert least_s * SECOND_US <= Play().run(script) - ROUND_TRIP_US <= most_s * SECOND_US
    assert Play(behaviour=Behaviour(failed_login_delay=False)).run(script) == ROUND_TRIP_US


def test_twenty_first_login_within_a_minute_waits_and_fails() -> None:
    async def script(play: Play) -> tuple[int, Any]:
        for _ in range(20):
            (await play.open()).end()
        wire = await play.open(login=False)
        began_us = play.now_us()
        error = await wire.call("auth.login_with_api_key", play.key)
        waited_us = play.now_us() - began_us
        # Another method has a count of its own, and one has none.
        assert await wire.call("core.ping") == "pong"
        for _ in range(30):
            await wire.call("core.set_options", {})
        wire.end()
        await asyncio.sleep(60)
        wire = await play.open(login=False)
        assert await wire.call("auth.login_with_api_key", play.key) is True
        wire.end()
        return waited_us, error

    waited_us, error = Play(behaviour=Behaviour(idle_cut=False)).run(script)
    assert 1 * SECOND_US <= waited_us - ROUND_TRIP_US <= 10 * SECOND_US
    assert (error["code"], error["data"]["error"]) == (-32001, 16)
    assert error["data"]["reason"] == "[EBUSY] Rate Limit Exceeded"


def test_older_face_of_24_10_says_so_without_the_name_of_the_number() -> None:
    async def script(play: Play) -> Any:
        wire = await play.open("/websocket", login=False)
        wire.send('{"msg": "connect", "version": "1", "support": ["1"]}')
        await wire.frame()
        for _ in range(20):
            await wire.old_call("auth.login_with_api_key", "wrong")
        error = await wire.old_call("auth.login_with_api_key", "wrong")
        wire.end()
        return error

    error = Play("24.10", Behaviour(failed_login_delay=False)).run(script)
    assert (error["error"], error["reason"]) == (16, "Rate Limit Exceeded")


def test_rate_limit_can_be_switched_off() -> None:
    async def script(play: Play) -> None:
        for _ in range(50):
            (await play.open()).end()

    Play(behaviour=Behaviour(login_rate_limit=False)).run(script)


def test_realtime_values_come_every_interval_until_unsubscribed() -> None:
    async def script(play: Play) -> list[int]:
        wire = await play.open()
        name = 'reporting.realtime:{"interval": 5}'
        subscription = await wire.call("core.subscribe", name)
        times = []
        for _ in range(4):
            told = (await wire.frame()).json
            assert (told["method"], told["params"]["collection"]) == ("collection_update", name)
            assert list(told["params"]) == ["msg", "collection", "fields"]
            assert "cpu" in told["params"]["fields"]
            times.append(play.now_us())
        assert await wire.call("core.unsubscribe", subscription) is None
        ended = {"jsonrpc": "2.0", "method": "notify_unsubscribed", "params": {"collection": name, "error": None}}
        assert wire.stray == [ended]
        await asyncio.sleep(30)
        assert await wire.call("core.ping") == "pong"
        assert wire.stray == [ended]
        wire.end()
        return times

    times = Play().run(script)
    assert [later - sooner for sooner, later in pairwise(times)] == [5 * SECOND_US] * 3


def test_scrub_is_told_as_it_ends_without_anybody_asking() -> None:
    async def script(play: Play) -> list[str]:
        wire = await play.open()
        await wire.call("core.subscribe", "zfs.pool.scan")
        pool = next(iter(play.appliance.state.pools))
        play.appliance.start_scrub(pool, 600 * SECOND_NS)
        states: list[str] = []
        while not states or states[-1] != "FINISHED":
            fields = (await wire.frame()).json["params"]["fields"]
            assert fields["name"] == pool
            states.append(fields["scan"]["state"])
        wire.end()
        return states

    play = Play(behaviour=Behaviour(idle_cut=False))
    assert play.run(script)[0] == "SCANNING"


def test_late_reply_of_one_call_holds_up_no_other() -> None:
    async def script(play: Play) -> tuple[int, int]:
        wire = await play.open()
        play.inject("rpc.late", call="system.version", delay="7s")
        began_us = play.now_us()
        late = wire.ask("system.version")
        assert await wire.call("core.ping") == "pong"
        at_once_us = play.now_us() - began_us
        await wire.reply_to(late)
        wire.end()
        return at_once_us, play.now_us() - began_us

    at_once_us, late_us = Play().run(script)
    assert at_once_us == ROUND_TRIP_US
    assert late_us == 7 * SECOND_US + ROUND_TRIP_US


def test_same_seed_gives_the_same_journal() -> None:
    async def script(play: Play) -> None:
        wire = await play.open(login=False)
        await wire.call("auth.login", "root", "wrong")
        await wire.call("auth.login_with_api_key", play.key)
        await wire.call("core.subscribe", "*")
        await wire.call("core.subscribe", "reporting.realtime")
        play.appliance.start_scrub(next(iter(play.appliance.state.pools)), 60 * SECOND_NS)
        await asyncio.sleep(45)
        wire.end()

    journals = []
    for _ in range(2):
        play = Play()
        play.run(script)
        journals.append([entry.to_data() for entry in play.journal])
    assert journals[0] == journals[1]
    assert any(entry["kind"] == "event" for entry in journals[0])


def test_a_followed_log_gets_a_line_every_five_seconds() -> None:
    async def script(play: Play) -> list[tuple[int, str]]:
        wire = await play.open()
        await wire.call("core.subscribe", "filesystem.file_tail_follow:/var/log/messages:0")
        seen = []
        for _ in range(3):
            fields = (await wire.frame()).json["params"]["fields"]
            seen.append((play.now_us() // SECOND_US % 1_000_000, fields["data"][11:19]))
        wire.end()
        return seen

    assert Play().run(script) == [(5, "00:00:05"), (10, "00:00:10"), (15, "00:00:15")]
