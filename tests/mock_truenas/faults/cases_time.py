"""F42 to F52: how much, how long, and in which order."""

import asyncio
import json
from typing import Any

from mock_truenas.api.methods.method import JobPlan
from mock_truenas.faults import Recipe
from tests.mock_truenas.faults.box import TEXT, Box, Socket
from tests.mock_truenas.faults.cases import Case, error

SECOND = 1_000_000_000
MIB = 1 << 20


def now_s() -> float:
    return asyncio.get_running_loop().time()


async def after(socket: Socket, method: str, *params: Any, id_: int = 5) -> int:
    """Whole seconds until a call is answered."""
    began_s = now_s()
    reply = await socket.call(method, *params, id_=id_)
    assert "result" in reply
    assert reply["id"] == id_
    return int(now_s() - began_s)


async def oversize(box: Box, recipe: Recipe) -> Any:
    live = await box.logged_in()
    box.inject(recipe)
    live.ask("system.info", id_=2)
    got = await live.frame()
    assert isinstance(got, tuple)
    return got[0], len(got[1]), json.loads(got[1])["id"]


async def late_datasets(box: Box, recipe: Recipe) -> Any:
    live = await box.logged_in()
    box.inject(recipe)
    return await after(live, "pool.dataset.query"), await after(live, "system.info")


async def hanging(box: Box, recipe: Recipe) -> Any:
    live = await box.logged_in()
    box.inject(recipe)
    live.ask("system.info", id_=2)
    answered = (await live.call("core.ping", id_=3))["id"]
    try:
        await live.text_within(40)
    except TimeoutError:
        return answered, "nothing"
    return answered, "something"


async def too_late_for_the_front(box: Box, recipe: Recipe) -> Any:
    box.inject(recipe)
    began_s = now_s()
    reply = await box.rest("/zfs/snapshot")
    return reply.status, int(now_s() - began_s)


async def full_queue(box: Box, recipe: Recipe) -> Any:
    live = await box.logged_in()
    box.inject(recipe)
    for number in range(1, 21):
        live.ask("zfs.snapshot.query", id_=number)
    live.ask("core.ping", id_=21)
    return await live.message()


async def stalled(box: Box, recipe: Recipe) -> Any:
    live = await box.logged_in()
    began_s = now_s()
    box.inject(recipe)
    live.ask("disk.temperatures", id_=2)
    await asyncio.sleep(6)
    rest = await box.rest("/system/version")
    await live.text()
    stalled_s = now_s() - began_s
    return rest.status, round(stalled_s, 1), await after(live, "core.ping")


async def unknown_service(box: Box, recipe: Recipe) -> Any:
    live = await box.logged_in()
    box.inject(recipe)
    began_s = now_s()
    rows = {row["service"]: row for row in (await live.call("service.query"))["result"]}
    waited_s = int(now_s() - began_s)
    return waited_s, rows["ssh"]["state"], rows["ssh"]["pids"], rows["cifs"]["state"] != "UNKNOWN"


async def busy(box: Box, recipe: Recipe) -> Any:
    live = await box.logged_in()
    box.inject(recipe)
    return await after(live, "pool.query"), await after(live, "disk.query")


async def skewed(box: Box, recipe: Recipe) -> Any:
    live = await box.logged_in()
    before = (await live.call("system.info"))["result"]["datetime"]["$date"]
    box.inject(recipe)
    shown = (await live.call("system.info"))["result"]["datetime"]["$date"]
    klasses = {row["klass"] for row in (await live.call("alert.list"))["result"]}
    return 3_600_000 <= shown - before < 3_610_000, "NTPHealthCheck" in klasses


def job(box: Box, takes_ns: int) -> int:
    plan = JobPlan(takes_ns, lambda _: "done")
    return box.nas.appliance.jobs.start("pool.scrub", (), plan).id


async def job_that_ends_before_it_begins(box: Box, recipe: Recipe) -> Any:
    live = await box.logged_in()
    job(box, 0)
    box.inject(recipe)
    (row,) = (await live.call("core.get_jobs"))["result"]
    return row["state"], row["time_finished"]["$date"] < row["time_started"]["$date"]


async def event_first(box: Box, recipe: Recipe) -> Any:
    live = await box.logged_in()
    box.inject(recipe)
    live.ask("core.subscribe", "alert.list", id_=2)
    event, reply = await live.message(), await live.message()
    return event["method"], event["params"]["collection"], reply["id"]


async def burst(box: Box, recipe: Recipe) -> Any:
    live = await box.logged_in()
    await live.call("core.subscribe", "pool.query", id_=2)
    box.inject(recipe)
    pool = next(iter(box.nas.appliance.state.pools))
    box.nas.appliance.change_pool(pool, fragmentation=50)
    texts = [await live.text() for _ in range(5)]
    box.nas.appliance.change_pool(pool, fragmentation=0)
    return len(set(texts)), json.loads(texts[0])["params"]["collection"]


async def around_a_reply(box: Box, recipe: Recipe) -> Any:
    live = await box.logged_in()
    box.inject(recipe)
    live.ask("system.info", id_=7)
    seen = [await live.message()]
    box.nas.heal("fault")
    live.ask("core.ping", id_=8)
    while seen[-1].get("id") != 8:
        seen.append(await live.message())
    return [message.get("id", message.get("method")) for message in seen]


async def late(box: Box, recipe: Recipe) -> Any:
    live = await box.logged_in()
    box.inject(recipe)
    live.ask("system.info", id_=7)
    live.ask("core.ping", id_=8)
    began_s = now_s()
    order = [(await live.message())["id"], (await live.message())["id"]]
    return order, int(now_s() - began_s)


async def endless_job(box: Box, recipe: Recipe) -> Any:
    live = await box.logged_in()
    await live.call("core.subscribe", "core.get_jobs", id_=2)
    box.inject(recipe)
    number = job(box, 2 * SECOND)
    states = []
    try:
        while True:
            states.append(json.loads(await live.text_within(10))["params"]["fields"]["state"])
    except TimeoutError:
        pass
    (row,) = (await live.call("core.get_jobs", [["id", "=", number]]))["result"]
    return set(states), row["state"], row["time_finished"], box.nas.appliance.jobs.get(number).state


async def lost_job(box: Box, recipe: Recipe) -> Any:
    live = await box.logged_in()
    job(box, 0)
    before = len((await live.call("core.get_jobs"))["result"])
    box.inject(recipe)
    return before, (await live.call("core.get_jobs"))["result"]


async def no_news_of_jobs(box: Box, recipe: Recipe) -> Any:
    live = await box.logged_in()
    await live.call("core.subscribe", "core.get_jobs", id_=2)
    box.inject(recipe)
    job(box, SECOND)
    try:
        await live.text_within(10)
    except TimeoutError:
        return "nothing"
    return "something"


async def booting(box: Box, recipe: Recipe) -> Any:
    live = await box.logged_in()
    before = (await live.call("system.info"))["result"]["uptime_seconds"]
    box.inject(recipe)
    ended = await live.closed()
    again = await box.logged_in()
    state, pools = (await again.call("system.state"))["result"], (await again.call("pool.query"))["result"]
    return ended, state, pools, (await again.call("system.info"))["result"]["uptime_seconds"] < before


async def rebooted(box: Box, recipe: Recipe) -> Any:
    live = await box.logged_in()
    boot = (await live.call("system.boot_id"))["result"]
    box.inject(recipe)
    ended = await live.closed()
    again = await box.logged_in()
    state = (await again.call("system.state"))["result"]
    await asyncio.sleep(130)
    again = await box.logged_in()
    return (
        ended,
        state,
        (await again.call("system.state"))["result"],
        (await again.call("system.boot_id"))["result"] != boot,
    )


FULL = error(-32000, "Maximum number of concurrent calls (20) has exceeded", 21)

CASES = (
    Case("F42", oversize, (TEXT, MIB + 1, 2), {"kind": "call", "call": "system.info"}),
    Case(
        "F43",
        late_datasets,
        (11, 0),
        {"call": "pool.dataset.query", "duration_ns": 11 * SECOND},
        timed=True,
    ),
    Case("F44", hanging, (3, "nothing"), {"call": "system.info", "ended": "silent"}, timed=True),
    Case("F45", full_queue, FULL, {"call": "zfs.snapshot.query"}, timed=True),
    Case("F45", too_late_for_the_front, (504, 60), {"call": "zfs.snapshot.query", "status": 504}, timed=True),
    Case("F46", stalled, (200, 46.0, 0), {"call": "disk.temperatures", "duration_ns": 46 * SECOND}, timed=True),
    Case("F47", unknown_service, (15, "UNKNOWN", [], True), {"duration_ns": 15 * SECOND}, timed=True),
    Case("F48", busy, (30, 0), {"call": "pool.query", "duration_ns": 30 * SECOND}, timed=True),
    Case("F49", skewed, (True, True), {"call": "system.info"}),
    Case("F49", job_that_ends_before_it_begins, ("SUCCESS", True), {"call": "core.get_jobs"}, recipe=1),
    Case("F50", event_first, ("collection_update", "alert.list", 2), {"call": "core.subscribe"}),
    Case("F50", burst, (1, "pool.query"), {"kind": "event"}, recipe=1),
    Case("F50", around_a_reply, ["collection_update", 7, 8], {"call": "system.info"}, recipe=2),
    Case("F50", around_a_reply, [7, 7, 8], {"call": "system.info"}, recipe=3),
    Case("F50", around_a_reply, [1007, 8], {"call": "system.info"}, recipe=4),
    Case("F50", late, ([8, 7], 12), {"call": "system.info"}, recipe=5, timed=True),
    Case("F51", endless_job, ({"RUNNING"}, "RUNNING", None, "SUCCESS"), {"call": "core.get_jobs"}, timed=True),
    Case("F51", lost_job, (1, []), {"call": "core.get_jobs"}, recipe=1),
    Case("F51", no_news_of_jobs, "nothing", {"kind": "event"}, recipe=2, timed=True),
    Case("F52", booting, ("fin", "BOOTING", [], True), {"call": "system.state"}),
    Case("F52", rebooted, ("reset", "BOOTING", "READY", True), {"call": "system.state"}, recipe=1, timed=True),
)
