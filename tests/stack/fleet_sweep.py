"""Hundreds of connections, some of them hanging for good, on one stack: who is polled when, and what it costs.

Either the appliances are scripts in the fetcher's place, which makes a day of 500 affordable, or a few mock appliances
that many connections share. It judges nothing; the nightly run calls :func:`a_day`.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, Final

from mock_truenas.faults import FAULT_KINDS
from pulse_sim.stack.assembly import Parts, Stack
from pulse_sim.stack.fetcher import ApiFetcher, FixtureFetcher
from pulse_sim.stack.negotiation import ApplianceClient
from pulse_sim.stack.snapshot import Snapshot
from tests.stack.stackbed import Bed

FILE: Final = "/data/truenas.enc"
ANSWER_S: Final = 0.02
ANSWERS: Final[dict[str, Any]] = {
    "system": {"version": "25.10.1", "hostname": "nas"},
    "pools": [{"name": "tank", "status": "ONLINE", "healthy": True, "size": 100, "allocated": 10, "free": 90}],
    "datasets": [{"name": "tank", "pool": "tank", "type": "FILESYSTEM", "mountpoint": "/mnt/tank"}],
}


@dataclass
class Seen:
    """What became of each connection. Times are loop seconds; `counts` are (tasks, timers, sockets) over time."""

    started_s: float = 0.0
    ended_s: float = 0.0
    polled: dict[str, list[float]] = field(default_factory=dict)
    counts: list[tuple[int, int, int]] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    clients: int = 0
    stopped_in_s: float = 0.0

    def longest_gap_s(self, connection_id: str) -> float:
        """The longest time without a success, from start to end."""
        times = [self.started_s, *self.polled.get(connection_id, []), self.ended_s]
        return max(after - before for before, after in pairwise(times))


class Watched(ApiFetcher):
    """The real fetcher, whose successes are noted."""

    seen: Seen

    async def fetch(self) -> Snapshot:
        snapshot = await super().fetch()
        self.seen.polled.setdefault(self.client.instance, []).append(asyncio.get_running_loop().time())
        return snapshot


class Scripted:
    """An appliance without a network: it answers after 20 ms, or never when its id begins with ``hanging``."""

    snapshot: Snapshot
    seen: Seen

    def __init__(self, client: ApplianceClient, *_: object) -> None:
        self.client = client
        self.seen.clients += 1

    async def ready(self) -> None:
        """Always."""

    async def fetch(self) -> Snapshot:
        seen = self.seen
        seen.at_once += 1
        seen.most_at_once = max(seen.most_at_once, seen.at_once)
        try:
            if self.client.instance.startswith("hanging"):
                await asyncio.get_running_loop().create_future()
            await asyncio.sleep(ANSWER_S)
        finally:
            seen.at_once -= 1
        seen.polled.setdefault(self.client.instance, []).append(asyncio.get_running_loop().time())
        return self.snapshot

    async def close(self) -> None:
        self.seen.clients -= 1
        await self.client.close()


def ids(count: int, hanging: int) -> list[str]:
    """Connection ids; hanging ones are spread evenly among the others."""
    step = count // hanging if hanging else count + 1
    return [f"{'hanging' if at % step == step - 1 else 'sound'}-{at}" for at in range(count)]


def configure(bed: Bed, records: list[dict[str, Any]]) -> None:
    """Puts the connections where the stack reads them, as one who restores a backup would."""
    bed.disk.make_directory("/data", 0o700)
    bed.disk.write(FILE, json.dumps(records).encode(), 0o600)


def record(connection_id: str, host: str, **more: Any) -> dict[str, Any]:
    return {"id": connection_id, "host": host, "apiKey": "1-PSIMSECRET", "useHttps": False, **more}


async def watch(stack: Stack, seen: Seen, for_s: float, every_s: float) -> None:
    """Lets the time pass and notes the stack's counts."""
    loop, runtime = asyncio.get_running_loop(), stack._runtime
    until = loop.time() + for_s
    while loop.time() < until:
        await asyncio.sleep(min(every_s, until - loop.time()))
        seen.counts.append((runtime.tasks, runtime.timers, runtime.open_connections))


async def stop(bed: Bed, seen: Seen) -> None:
    """Stops the stack and notes how long that took."""
    loop = asyncio.get_running_loop()
    seen.ended_s = loop.time()
    await bed.stop()
    seen.stopped_in_s = loop.time() - seen.ended_s


def scripted(seen: Seen) -> Parts:
    """Parts of a stack whose appliances are scripts."""

    class Mine(Scripted):
        pass

    Mine.snapshot, Mine.seen = asyncio.run(FixtureFetcher(ANSWERS).fetch()), seen
    return replace(Parts(), fetcher=Mine)


def fleet(
    count: int,
    hanging: int,
    for_s: float,
    *,
    meanwhile: Callable[[Bed, Stack, Seen], Any] | None = None,
    environ: dict[str, str] | None = None,
    every_s: float = 60.0,
) -> Seen:
    """A stack with so many scripted connections, some hanging, for so long; then it is stopped."""
    seen = Seen()
    parts = scripted(seen)

    async def story(bed: Bed) -> None:
        configure(bed, [record(each, each) for each in ids(count, hanging)])
        seen.started_s = asyncio.get_running_loop().time()
        stack = await bed.start(parts, environ=environ)
        await watch(stack, seen, for_s, every_s)
        if meanwhile is not None:
            await meanwhile(bed, stack, seen)
        await stop(bed, seen)

    Bed().run(story)
    return seen


def wired(count: int, hanging: int, for_s: float, *, tls: bool, release: str, all_asleep_at_end: bool = False) -> Seen:
    """The same over the network: mock appliances shared by ten connections each, and one that never answers.

    No more than ten, because more would take turns to log in: an appliance wants few logins of one address.
    """
    seen = Seen()
    sound = -(-count // 10)
    names = [*(f"nas-{at}" for at in range(sound)), "asleep"]

    class Mine(Watched):
        pass

    Mine.seen = seen

    async def story(bed: Bed) -> None:
        bed.mocks["asleep"].inject("asleep", "appliance.asleep", FAULT_KINDS["appliance.asleep"].parameters())
        records = []
        for at, each in enumerate(ids(count, hanging)):
            host = "asleep" if each.startswith("hanging") else names[at % sound]
            records.append(record(each, host, apiKey=bed.keys[host], useHttps=tls, insecureSkipVerify=True))
        configure(bed, records)
        seen.started_s = asyncio.get_running_loop().time()
        stack = await bed.start(replace(Parts(), fetcher=Mine))
        await watch(stack, seen, for_s, 7.0)
        for name in names if all_asleep_at_end else ():
            bed.mocks[name].inject("at the end", "appliance.asleep", FAULT_KINDS["appliance.asleep"].parameters())
        await stop(bed, seen)

    Bed(*names, tls=tls, release=release).run(story)
    return seen


def a_day(count: int = 500, share: float = 0.05, hours: float = 24.0) -> dict[str, Any]:
    """The whole: figures of `count` scripted connections over a virtual day."""
    hanging = round(count * share)
    seen = fleet(count, hanging, hours * 3600, every_s=600.0)
    sound = [each for each in ids(count, hanging) if each.startswith("sound")]
    half = len(seen.counts) // 2
    early, late = seen.counts[:half], seen.counts[half:]
    return {
        "connections": count,
        "hanging": hanging,
        "hours": hours,
        "polls": sum(len(times) for times in seen.polled.values()),
        "longest_gap_s": max(seen.longest_gap_s(each) for each in sound),
        "most_counts_first_half": [max(each) for each in zip(*early, strict=True)],
        "most_counts_second_half": [max(each) for each in zip(*late, strict=True)],
        "stopped_in_s": seen.stopped_in_s,
        "clients_left": seen.clients,
    }
