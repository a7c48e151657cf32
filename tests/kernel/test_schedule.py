"""The two schedules: what the random one permutes, what it leaves alone, and that a seed decides all of it."""

import asyncio
import itertools
from collections.abc import Callable, Coroutine
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_sim.kernel import (
    Bandwidth,
    Latency,
    Priority,
    Schedule,
    Simulation,
    SimulationDeadlock,
    Slicer,
    Toxic,
)
from tests.kernel.testbed import ANY, START_NS, Bench, hello

S = 1_000_000_000
SEEDS = range(40)
THREE = ["".join(order) for order in itertools.permutations("abc")]

Program = Callable[[list[str]], Coroutine[Any, Any, None]]


def orders(program: Program, schedule: str = "random", seeds: range = SEEDS) -> set[str]:
    """What the program wrote down, for each seed."""
    found = set()
    for seed in seeds:
        order: list[str] = []
        Simulation(seed=seed, start_ns=START_NS, rebind=(), schedule=schedule).run(program(order))
        found.add("".join(order))
    return found


async def three_tasks(order: list[str]) -> None:
    async def step(name: str) -> None:
        order.append(name)

    await asyncio.gather(*(asyncio.create_task(step(name)) for name in "abc"))


async def three_woken_tasks(order: list[str]) -> None:
    event = asyncio.Event()

    async def step(name: str) -> None:
        await event.wait()
        order.append(name)

    waiting = [asyncio.create_task(step(name)) for name in "abc"]
    await asyncio.sleep(1)
    event.set()
    await asyncio.gather(*waiting)


async def three_timers(order: list[str]) -> None:
    loop = asyncio.get_running_loop()
    when = loop.time() + 1
    for name in "abc":
        loop.call_at(when, order.append, name)
    await asyncio.sleep(2)


async def three_timers_of_one_object(order: list[str]) -> None:
    class Ticker:
        def tick(self, name: str) -> None:
            order.append(name)

    ticker = Ticker()
    for name in "abc":
        asyncio.get_running_loop().call_later(1, ticker.tick, name)
    await asyncio.sleep(2)


async def three_executor_calls(order: list[str]) -> None:
    loop = asyncio.get_running_loop()
    await asyncio.gather(*(loop.run_in_executor(None, order.append, name) for name in "abc"))


async def three_callbacks(order: list[str]) -> None:
    for name in "abc":
        asyncio.get_running_loop().call_soon(order.append, name)
    await asyncio.sleep(1)


async def three_done_callbacks(order: list[str]) -> None:
    future = asyncio.get_running_loop().create_future()
    for name in "abc":
        future.add_done_callback(lambda _future, name=name: order.append(name))  # type: ignore[misc]
    future.set_result(None)
    await asyncio.sleep(1)


@pytest.mark.parametrize(
    "program", [three_tasks, three_woken_tasks, three_timers, three_timers_of_one_object, three_executor_calls]
)
def test_every_order_of_what_has_none_is_reached_and_fifo_takes_the_first(program: Program) -> None:
    assert sorted(orders(program)) == THREE
    assert orders(program, "fifo", range(5)) == {"abc"}


@pytest.mark.parametrize("program", [three_callbacks, three_done_callbacks])
def test_callbacks_are_first_in_first_out_under_either_schedule(program: Program) -> None:
    assert orders(program) == orders(program, "fifo", range(5)) == {"abc"}


@settings(max_examples=40)
@given(st.integers(0, 2**32), st.lists(st.sampled_from(["task", "callback"]), max_size=12))
def test_a_step_may_be_late_but_never_early_and_callbacks_keep_their_order(seed: int, kinds: list[str]) -> None:
    order: list[int] = []

    async def step(number: int) -> None:
        order.append(number)

    async def main() -> None:
        tasks = []
        for number, kind in enumerate(kinds):
            if kind == "task":
                tasks.append(asyncio.create_task(step(number)))
            else:
                asyncio.get_running_loop().call_soon(order.append, number)
        await asyncio.sleep(0)  # one turn is enough for all that was ready
        assert sorted(order) == list(range(len(kinds)))

    Simulation(seed=seed, start_ns=START_NS, rebind=(), schedule="random").run(main())
    for number in order:
        if kinds[number] == "callback":
            after = order[order.index(number) :]
            assert not [other for other in after if other < number and kinds[other] == "callback"]
        else:
            before = order[: order.index(number)]
            assert {earlier for earlier in range(number) if kinds[earlier] == "callback"} <= set(before)


@settings(max_examples=40)
@given(st.integers(0, 2**32))
def test_a_task_takes_its_own_steps_in_order_and_nobody_takes_two_in_one_turn(seed: int) -> None:
    order: list[tuple[int, int]] = []

    async def work(number: int) -> None:
        for turn in range(5):
            order.append((turn, number))
            await asyncio.sleep(0)

    async def main() -> None:
        await asyncio.gather(*(asyncio.create_task(work(number)) for number in range(4)))

    Simulation(seed=seed, start_ns=START_NS, rebind=(), schedule="random").run(main())
    assert [turn for turn, _ in order] == sorted(turn for turn, _ in order)
    assert len(set(order)) == 20


def test_a_task_that_yields_goes_on_after_what_it_started_and_woke() -> None:
    """`create_task(…)`, then `sleep(0)` so that it begins: an idiom too common to break."""

    async def main() -> None:
        begun: list[str] = []
        event = asyncio.Event()

        async def waiter() -> None:
            await event.wait()
            begun.append("waiter")

        async def other(name: str) -> None:
            begun.append(name)

        tasks = [asyncio.create_task(waiter()), *(asyncio.create_task(other(name)) for name in "abc")]
        await asyncio.sleep(0)
        assert sorted(begun) == ["a", "b", "c"]
        event.set()
        await asyncio.sleep(0)
        assert begun[3:] == ["waiter"]
        await asyncio.gather(*tasks)

    for seed in SEEDS:
        Bench(seed, rebind=(), schedule="random").sim.run(main())


@settings(max_examples=40)
@given(st.integers(0, 2**32))
def test_a_timer_that_is_cancelled_while_it_is_held_back_never_fires(seed: int) -> None:
    fired: list[str] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        handles: dict[str, asyncio.TimerHandle] = {}

        def fire(name: str, other: str) -> None:
            fired.append(name)
            handles[other].cancel()

        handles["a"] = loop.call_later(1, fire, "a", "b")
        handles["b"] = loop.call_later(1, fire, "b", "a")
        await asyncio.sleep(5)

    sim = Simulation(seed=seed, start_ns=START_NS, rebind=(), schedule="random")
    sim.run(main())
    assert len(fired) in (1, 2)  # both, when both were released in one turn before either ran
    assert sim.loop.live_timers() == 0


def test_the_classes_of_one_instant_and_what_they_set_in_motion_keep_their_order() -> None:
    async def late(order: list[str], name: str) -> None:
        for _ in range(5):
            await asyncio.sleep(0)
        order.append(name)

    def run(seed: int) -> list[str]:
        sim = Simulation(seed=seed, start_ns=START_NS, rebind=(), schedule="random")
        host = sim.host("pulse")
        order: list[str] = []

        async def main() -> None:
            for priority in sorted(Priority, reverse=True):
                for number in (1, 2):
                    name = f"{priority.name} {number}"
                    sim.at(S, priority, lambda name=name: order.append(name))  # type: ignore[misc]
            sim.at(S, Priority.OPERATOR, lambda: host.run(late(order, "operated")))
            await asyncio.sleep(2)

        sim.run(main())
        return order

    found = [run(seed) for seed in range(30)]
    actions = ["HEAL 1", "HEAL 2", "INJECT 1", "INJECT 2", "OPERATOR 1", "OPERATOR 2", "operated"]
    assert all(order[:-2] == [*actions, "SAMPLE 1", "SAMPLE 2"] for order in found)


class Told(asyncio.Protocol):
    """Writes down what it is told."""

    def __init__(self, name: str, log: list[tuple[str, str]]) -> None:
        self.name, self.log = name, log

    def connection_made(self, _transport: Any) -> None:
        self.log.append((self.name, "made"))

    def data_received(self, data: bytes) -> None:
        self.log.append((self.name, f"data {data.decode()}"))

    def eof_received(self) -> None:
        self.log.append((self.name, "eof"))

    def connection_lost(self, exc: Exception | None) -> None:
        self.log.append((self.name, f"lost {exc}"))


class Greeter(asyncio.Protocol):
    """Says hello in two writes and leaves."""

    def connection_made(self, transport: Any) -> None:
        transport.write(b"hel")
        transport.write(b"lo")
        transport.close()


def told_by_four_connections(seed: int) -> list[tuple[str, str]]:
    bench = Bench(seed, schedule="random")
    log: list[tuple[str, str]] = []

    async def serve() -> None:
        await asyncio.get_running_loop().create_server(Greeter, ANY, 80)

    async def talk(name: str) -> None:
        await asyncio.get_running_loop().create_connection(lambda: Told(name, log), "nas-1", 80)

    async def main() -> None:
        await bench.nas.run(serve())
        await asyncio.gather(*(bench.pulse.run(talk(name)) for name in "abcd"))
        await asyncio.sleep(10)

    bench.sim.run(main())
    return log


def test_a_connection_is_told_of_its_bytes_in_order_and_which_connection_comes_first_is_drawn() -> None:
    logs = [told_by_four_connections(seed) for seed in range(40)]
    for log, name in itertools.product(logs, "abcd"):
        assert [what for who, what in log if who == name] == ["made", "data hello", "eof", "lost None"]
    assert len({"".join(who for who, what in log if what == "eof") for log in logs}) > 10


@pytest.mark.parametrize("effect", [Latency(0, 3), Slicer(100, 50, 10), Bandwidth(100)])
def test_no_toxic_makes_bytes_of_a_connection_overtake_each_other(effect: Latency | Slicer | Bandwidth) -> None:
    body = bytes(number % 251 for number in range(5_000))

    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=await request.read())

    async def ask() -> bytes:
        async with aiohttp.ClientSession() as session, session.post("http://nas-1/", data=body) as response:
            return await response.read()

    async def main(bench: Bench) -> list[bytes]:
        await bench.serve(answer)
        for number, stream in enumerate(("upstream", "downstream")):
            bench.sim.network.apply(f"toxic {number}", Toxic(effect, stream=stream), dst="nas-1")  # type: ignore[arg-type]
        return await asyncio.gather(*(bench.pulse.run(ask()) for _ in range(4)))

    for seed in range(5):
        bench = Bench(seed, schedule="random")
        assert bench.sim.run(main(bench)) == [body] * 4


def digest(seed: int, schedule: str) -> str:
    bench = Bench(seed, schedule=schedule)

    async def main() -> None:
        await bench.serve(hello)

        async def poll() -> None:
            async with aiohttp.ClientSession() as session:
                for _ in range(3):
                    async with session.get("http://nas-1/") as response:
                        assert await response.text() == "hello"
                    await asyncio.sleep(30)

        await asyncio.gather(*(bench.pulse.run(poll()) for _ in range(6)))

    bench.sim.run(main())
    assert bench.sim.unhandled == []
    return bench.sim.trace.digest()


def test_a_seed_decides_the_order() -> None:
    digests = [digest(seed, "random") for seed in range(8)]
    assert digests == [digest(seed, "random") for seed in range(8)]
    assert len(set(digests)) == 8
    assert digest(1, "random") != digest(1, "fifo") == digest(1, Schedule.FIFO)


def test_drawing_an_order_disturbs_no_other_stream() -> None:
    def draws(schedule: str) -> float:
        sim = Simulation(seed=3, start_ns=START_NS, schedule=schedule)
        sim.run(three_tasks([]))
        return sim.stream("backoff").random()

    assert draws("random") == draws("fifo")


def test_a_schedule_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="lifo"):
        Simulation(seed=1, start_ns=0, schedule="lifo")


def test_spinning_and_waiting_for_nothing_are_deadlocks_under_random_too() -> None:
    async def spin() -> None:
        while True:  # noqa: ASYNC110 - the mistake to be caught
            await asyncio.sleep(0)

    async def wait() -> None:
        await asyncio.get_running_loop().create_future()

    for program, told in ((spin, "stands still"), (wait, "nothing can ever run")):
        with pytest.raises(SimulationDeadlock, match=told):
            Bench(schedule="random").sim.run(program())


def test_zero_sleeps_see_a_timer_of_the_same_instant_and_time_does_not_pass_meanwhile() -> None:
    async def main() -> None:
        loop, seen = asyncio.get_running_loop(), [False]
        began = loop.time()
        loop.call_later(0, seen.__setitem__, 0, True)
        for _ in range(64):
            if seen[0]:
                break
            await asyncio.sleep(0)
        assert seen[0]
        assert loop.time() == began

    for seed in SEEDS:
        Bench(seed, rebind=(), schedule="random").sim.run(main())


# ---- what it is for


class Poller:
    """Check, then act, across an await: a target that is removed in between is asked for by a name nobody has."""

    def __init__(self) -> None:
        self.targets = {"nas-1": "192.0.2.1"}

    async def poll(self) -> str:
        await asyncio.sleep(60)
        if "nas-1" not in self.targets:
            return "nothing to poll"
        await asyncio.sleep(0)  # the session is opened
        return self.targets["nas-1"]

    async def remove(self) -> None:
        await asyncio.sleep(60)
        await asyncio.sleep(0)  # the file is written
        del self.targets["nas-1"]


def test_a_race_that_no_seed_shows_under_fifo_is_caught_by_some_under_random() -> None:
    def crashes(schedule: str, seed: int) -> bool:
        poller = Poller()

        async def main() -> bool:
            polled, _ = await asyncio.gather(poller.poll(), poller.remove(), return_exceptions=True)
            return isinstance(polled, KeyError)

        return Simulation(seed=seed, start_ns=START_NS, rebind=(), schedule=schedule).run(main())

    assert not any(crashes("fifo", seed) for seed in SEEDS)
    caught = [seed for seed in SEEDS if crashes("random", seed)]
    assert len(SEEDS) // 10 < len(caught) < len(SEEDS) * 9 // 10
    assert caught == [seed for seed in SEEDS if crashes("random", seed)]
