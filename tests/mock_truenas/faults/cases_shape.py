"""F26 to F41: what results say."""

import json
from collections.abc import Callable
from typing import Any

from mock_truenas.faults import Recipe
from tests.mock_truenas.faults.box import Box
from tests.mock_truenas.faults.cases import Case, refused
from tests.mock_truenas.faults.cases_transport import told

SIZES = ["size", "allocated", "free", "freeing"]
NUMBERS = [*SIZES, *(f"{name}_str" for name in SIZES), "fragmentation", "topology", "scan"]
GRAPHS = [{"name": "cpu"}, {"name": "load"}]
JSON, TEXT = "application/json; charset=utf-8", "text/plain; charset=utf-8"
Look = Callable[[Any], Any]


def on_both_faces(method: str, path: str, look: Look, *params: Any) -> Any:
    """What ``look`` sees in a result before and while the fault is there, over REST and over JSON-RPC."""

    async def act(box: Box, recipe: Recipe) -> Any:
        live = await box.logged_in()
        before = look((await live.call(method, *params))["result"])
        box.inject(recipe)
        by_call = look((await live.call(method, *params))["result"])
        by_rest = look(json.loads((await box.rest(path)).body))
        return before, by_call, by_rest

    return act


def on_rpc(method: str, look: Look, *params: Any) -> Any:
    """The same over JSON-RPC only."""

    async def act(box: Box, recipe: Recipe) -> Any:
        live = await box.logged_in()
        before = look((await live.call(method, *params))["result"])
        box.inject(recipe)
        return before, look((await live.call(method, *params))["result"])

    return act


def first(*path: str) -> Look:
    """The value at a path in the first row."""

    def look(rows: Any) -> Any:
        value = rows[0] if isinstance(rows, list) else rows
        for key in path:
            value = value.get(key, "absent")
        return value

    return look


async def exported(box: Box, recipe: Recipe) -> Any:
    live = await box.logged_in()
    box.inject(recipe)
    (pool, *_) = (await live.call("pool.query"))["result"]
    (shown, *_) = json.loads((await box.rest("/pool")).body)
    same = {name: shown[name] for name in NUMBERS} == {name: pool[name] for name in NUMBERS}
    return pool["status"], pool["healthy"], {pool[name] for name in NUMBERS}, pool["autotrim"]["value"], same


async def scrubbing(box: Box, recipe: Recipe) -> Any:
    live = await box.logged_in()
    box.inject(recipe)
    scan = (await live.call("pool.query"))["result"][0]["scan"]
    return scan["function"], scan["state"], scan["end_time"], int(scan["percentage"]), scan["total_secs_left"] > 0


async def realtime(box: Box, recipe: Recipe) -> Any:
    live = await box.logged_in()
    box.inject(recipe)
    live.ask("core.subscribe", 'reporting.realtime:{"interval": 2}', id_=2)
    live.ask("core.ping", id_=3)
    seen: list[Any] = []
    try:
        while len(seen) < 4:
            message = json.loads(await live.text_within(7))
            if "params" in message:
                seen.append(message["params"]["fields"])
    except TimeoutError:
        return seen
    return seen


async def failed(box: Box, recipe: Recipe) -> Any:
    live = await box.logged_in()
    box.inject(recipe)
    by_call = refused(await live.call("reporting.get_data", GRAPHS))
    return by_call, (await box.rest("/reporting/get_data", "POST", b'{"graphs": [{"name": "cpu"}]}')).status


async def no_method(box: Box, recipe: Recipe) -> Any:
    live = await box.logged_in()
    box.inject(recipe)
    return await live.call("zfs.snapshot.query", id_=9), told(await box.rest("/zfs/snapshot"))


async def tightened(box: Box, recipe: Recipe) -> Any:
    live = await box.logged_in()
    box.inject(recipe)
    reply = await live.call("system.info", id_=9)
    return refused(reply), reply["error"]["data"]["extra"], told(await box.rest("/system/info"))


async def not_found(box: Box, recipe: Recipe) -> Any:
    usual = told(await box.rest("/nothing")), told(await box.rest("/pool/id/99"))
    box.inject(recipe)
    return told(await box.rest("/pool/id/1")) == usual[recipe.parameters["form"] == "item"], usual


async def token(box: Box, recipe: Recipe) -> Any:
    live = await box.logged_in()
    box.inject(recipe)
    live.ask("reporting.get_data", [{"name": "cpu"}], id_=2)
    text = await live.text()
    return f": {recipe.parameters['value']}" in text


async def alerts(box: Box, recipe: Recipe) -> Any:
    pool = next(iter(box.nas.appliance.state.pools))
    box.nas.appliance.change_pool(pool, status="DEGRADED", status_code="MISSING_DEV_R")
    live = await box.logged_in()
    usual = (await live.call("alert.list"))["result"]
    box.inject(recipe)
    rows = (await live.call("alert.list"))["result"]
    if recipe.kind == "payload.html_in_alert":
        return "<br><ul><li>" in rows[0]["formatted"], [type(row["args"]) for row in rows] == [list] * len(usual)
    return len(rows) == 2 * len(usual), rows[0]["uuid"] == rows[1]["uuid"], {row["node"] for row in rows[:2]}


def distinct(field: str) -> Look:
    return lambda rows: len({row[field] for row in rows})


def names(rows: Any) -> Any:
    return [row["name"] for row in rows][:2]


INVALID = (-32602, 22, "EINVAL", "[EINVAL] reporting_query: Extra inputs are not permitted\n")
GONE = (404, TEXT, b"404: Not Found")
SMB = {"path": "/mnt/tank/media", "name": "media", "comment": "films"}

CASES = (
    Case("F26", exported, ("OFFLINE", False, {None}, "off", True), {"call": "pool.query", "face": "rest"}),
    Case("F27", scrubbing, ("SCRUB", "SCANNING", None, 40, True), {"call": "pool.query"}),
    Case(
        "F27",
        on_both_faces("disk.query", "/disk", first("rotationrate")),
        (7200, None, None),
        {"call": "disk.query"},
        recipe=1,
    ),
    Case(
        "F28",
        on_rpc("disk.temperatures", lambda shown: set(map(type, shown.values())), ["sda", "sdb"]),
        ({int}, {type(None)}),
        {"call": "disk.temperatures"},
    ),
    Case(
        "F28",
        on_both_faces("disk.query", "/disk", names),
        (["sda", "sdb"], ["sdb", "sdc"], ["sdb", "sdc"]),
        {"call": "disk.query"},
        recipe=1,
    ),
    Case(
        "F29",
        on_rpc("reporting.get_data", lambda rows: bool(rows[0]["aggregations"]["mean"]), GRAPHS),
        (True, False),
        {"call": "reporting.get_data"},
    ),
    Case(
        "F29",
        on_rpc("reporting.get_data", lambda rows: None in rows[0]["aggregations"]["mean"].values(), GRAPHS),
        (False, True),
        {"call": "reporting.get_data"},
        recipe=1,
    ),
    Case(
        "F29",
        on_rpc("reporting.get_data", lambda rows: (len(rows), bool(rows[0]["data"])), GRAPHS),
        ((2, True), (2, False)),
        {"call": "reporting.get_data"},
        recipe=2,
    ),
    Case("F29", on_rpc("reporting.get_data", len, GRAPHS), (2, 0), {"call": "reporting.get_data"}, recipe=3),
    *(Case("F30", token, True, {"call": "reporting.get_data"}, recipe=at) for at in range(3)),
    Case("F31", realtime, [{"failed_to_connect": True}] * 4, {"kind": "event"}, timed=True),
    Case("F31", realtime, [], {"kind": "event"}, recipe=1, release="25.10", timed=True),
    Case("F32", failed, ((-32001, 22, "EINVAL", "'cputemp'"), 500), {"status": 500, "call": "reporting.get_data"}),
    Case(
        "F32",
        failed,
        ((-32602, 22, "EINVAL", "[EINVAL] graphs.0.name: Extra inputs are not permitted\n"), 422),
        {"status": 422, "call": "reporting.get_data"},
        recipe=1,
    ),
    Case(
        "F33",
        on_both_faces("system.info", "/system/info", first("version")),
        ("25.04.2.6", "25.04-RC.1", "25.04-RC.1"),
        {"call": "system.info"},
    ),
    Case(
        "F33",
        on_both_faces("system.version", "/system/version", str),
        ("TrueNAS-25.04.2.6", "25.10.2.1", "25.10.2.1"),
        {"call": "system.version"},
        recipe=1,
    ),
    Case(
        "F34",
        no_method,
        ({"jsonrpc": "2.0", "error": {"code": -32601, "message": "Method does not exist"}, "id": 9}, GONE),
        {"call": "zfs.snapshot.query"},
    ),
    Case(
        "F35",
        tightened,
        (
            INVALID,
            [["reporting_query", "Extra inputs are not permitted", 22]],
            (
                422,
                JSON,
                b'{\n "reporting_query": [\n  {\n   "message": "Extra inputs are not permitted",\n   "errno": 22\n  }'
                b"\n ]\n}",
            ),
        ),
        {"call": "system.info", "status": 422},
    ),
    *(
        Case(
            "F36",
            not_found,
            (True, (GONE, (404, JSON, b'{\n "message": ""\n}'))),
            {"status": 404},
            recipe=at,
        )
        for at in range(2)
    ),
    Case(
        "F37",
        on_both_faces(
            "sharing.smb.query",
            "/sharing/smb",
            lambda rows: ("comment" in rows[0], "comment" in rows[0].get("options", {})),
        ),
        ((True, False), (False, True), (False, True)),
        {"call": "sharing.smb.query"},
    ),
    Case(
        "F38",
        on_both_faces("pool.query", "/pool", lambda rows: type(rows[0]["fragmentation"])),
        (str, int, int),
        {"call": "pool.query"},
    ),
    Case(
        "F38",
        on_both_faces("system.info", "/system/info", lambda row: type(row["uptime_seconds"])),
        (float, str, str),
        {"call": "system.info"},
        recipe=1,
    ),
    Case(
        "F38",
        on_both_faces("pool.query", "/pool", lambda rows: type(rows[0]["guid"])),
        (str, int, int),
        {"call": "pool.query"},
        recipe=2,
    ),
    Case(
        "F39",
        on_both_faces("disk.query", "/disk", lambda rows: {row["serial"] for row in rows} == {"Not Specified"}),
        (False, True, True),
        {"call": "disk.query"},
    ),
    Case(
        "F39",
        on_both_faces("disk.query", "/disk", lambda rows: {row["size"] for row in rows} == {None}),
        (False, True, True),
        {"call": "disk.query"},
        recipe=1,
    ),
    Case(
        "F39",
        on_both_faces("disk.query", "/disk", first("rotationrate")),
        (7200, "unknown", "unknown"),
        {"call": "disk.query"},
        recipe=2,
    ),
    Case(
        "F40",
        on_both_faces("pool.dataset.query", "/pool/dataset", first("mounted")),
        ("absent", True, True),
        {"call": "pool.dataset.query"},
    ),
    Case(
        "F40",
        on_both_faces("disk.query", "/disk", first("status")),
        ("absent", "ONLINE", "ONLINE"),
        {"call": "disk.query"},
        recipe=1,
    ),
    Case("F41", alerts, (True, True), {"call": "alert.list"}),
    Case("F41", alerts, (True, True, {"Controller A", "Controller B"}), {"call": "alert.list"}, recipe=1),
)
