"""F01 to F13: the front door and the way to it; F53: what breaks off."""

import asyncio
import gzip
import json
from typing import Any

from mock_truenas.faults import Recipe
from tests.mock_truenas.faults.box import TEXT, Box
from tests.mock_truenas.faults.cases import Case, page
from tests.mock_truenas.wire import Reply

HTML, PLAIN = "text/html", "text/plain; charset=utf-8"
NO_UPGRADE = b'No WebSocket UPGRADE hdr: None\n Can "Upgrade" only to "WebSocket".'


def told(reply: Reply) -> tuple[Any, ...]:
    """What an answer says; its Location where it has one."""
    where = reply.header("Location")
    said = (reply.status, reply.header("Content-Type"), reply.body)
    return said if where is None else (reply.status, where)


async def restart(box: Box, recipe: Recipe) -> Any:
    live = await box.logged_in()
    box.inject(recipe)
    return await live.closed(), told(await box.rest("/pool")), told((await box.shake()).shaken)


async def slow_method(box: Box, recipe: Recipe) -> Any:
    began_s = asyncio.get_running_loop().time()
    box.inject(recipe, path="/pool/*")
    pool = json.loads((await box.rest("/pool?limit=1")).body)[0]["id"]
    reply = await box.rest(f"/pool/id/{pool}/scrub", "POST", b'"START"')
    box.nas.heal("fault")
    jobs = json.loads((await box.rest("/core/get_jobs")).body)
    ran = [job["method"] for job in jobs]
    box.inject(recipe)
    await box.rest("/pool")
    return told(reply), "pool.scrub" in ran, asyncio.get_running_loop().time() - began_s >= 120


async def idle(box: Box, recipe: Recipe) -> Any:
    live = await box.logged_in()
    box.inject(recipe)
    await asyncio.sleep(30)
    await live.call("core.ping")
    began_s = asyncio.get_running_loop().time()
    ended = await live.closed()
    return ended, round(asyncio.get_running_loop().time() - began_s, 1)


async def shaken(box: Box, recipe: Recipe) -> Any:
    box.inject(recipe)
    return told((await box.shake()).shaken)


async def redirected(box: Box, recipe: Recipe) -> Any:
    box.inject(recipe)
    posted = await box.rest("/core/ping?a=%2F", "POST", b"{}")
    return told(posted), told((await box.shake()).shaken), told(await box.rest("//ui/"))


async def unanswered(box: Box, recipe: Recipe) -> Any:
    box.inject(recipe)
    reader, writer = await box.connect()
    writer.write(b"GET /api/current HTTP/1.1\r\nHost: nas\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
    try:
        return await asyncio.wait_for(reader.read(1), 300)
    except TimeoutError:
        return "nothing"
    finally:
        writer.transport.abort()


async def asleep(box: Box, recipe: Recipe) -> Any:
    live = await box.logged_in()
    box.inject(recipe)
    live.ask("core.ping")
    seen: list[Any] = []
    try:
        seen.append(await asyncio.wait_for(live.frame(), 50))
    except TimeoutError:
        seen.append("nothing")
    for target in ("//ui/", "//api/v2.0/pool", "//api/current"):
        try:
            seen.append((await asyncio.wait_for(box.rest(target), 100)).status)
        except TimeoutError:
            seen.append("nothing")
    return seen


async def down(box: Box, recipe: Recipe) -> Any:
    live = await box.logged_in()
    box.inject(recipe)
    ended = await live.closed()
    try:
        await box.connect()
    except ConnectionRefusedError:
        return ended, "refused"
    return ended, "accepted"


async def not_listed(box: Box, recipe: Recipe) -> Any:
    box.inject(recipe)
    socket = await box.shake()
    return told(await box.rest("/pool")), socket.shaken.status, await socket.closed()


async def closed_at_once(box: Box, recipe: Recipe) -> Any:
    box.inject(recipe)
    socket = await box.shake()
    return socket.shaken.status, await socket.closed()


async def both(box: Box, recipe: Recipe) -> Any:
    box.inject(recipe)
    return told(await box.rest("/pool")), told((await box.shake()).shaken)


async def cut_body(box: Box, recipe: Recipe) -> Any:
    whole = await box.rest("/system/version")
    box.inject(recipe, **({"keep_bytes": 5} if recipe.kind == "http.truncate_body" else {"after_bytes": 5}))
    reply = await box.rest("/system/version")
    return reply.header("Content-Length") == str(len(whole.body)), reply.body == whole.body[:5], reply.ended


async def cut_gzip(box: Box, recipe: Recipe) -> Any:
    whole = await box.rest("/disk")
    box.inject(recipe)
    reply = await box.rest("/disk")
    packed = gzip.compress(whole.body, mtime=0)
    return reply.header("Content-Encoding"), reply.header("Content-Length"), reply.body == packed[:40], reply.ended


async def broken_body(box: Box, recipe: Recipe) -> Any:
    whole = await box.rest("/system/version")
    box.inject(recipe)
    reply = await box.rest("/system/version")
    return reply.body == whole.body[: len(whole.body) // 2] + page(502, "Bad Gateway"), reply.ended


async def cut_frame(box: Box, recipe: Recipe) -> Any:
    live = await box.logged_in()
    box.inject(recipe)
    live.ask("core.ping", id_=2)
    return await live.frame()


async def half_a_message(box: Box, recipe: Recipe) -> Any:
    live = await box.logged_in()
    box.inject(recipe)
    live.ask("core.ping", id_=2)
    return await live.frame()


async def closed(box: Box, recipe: Recipe) -> Any:
    live = await box.logged_in()
    box.inject(recipe, reason="unhandled")
    live.ask("core.ping", id_=2)
    return await live.closed()


BAD_GATEWAY = (502, HTML, page(502, "Bad Gateway"))
PONG = b'{"jsonrpc": "2.0", "result": "pong", "id": 2}'

CASES = (
    Case("F01", restart, ("fin", BAD_GATEWAY, BAD_GATEWAY), {"kind": "close", "close_code": 1006, "ended": "cut"}),
    Case(
        "F02",
        slow_method,
        ((504, HTML, page(504, "Gateway Time-out")), True, True),
        {"status": 504, "call": "pool.query", "duration_ns": 60_000_000_000},
        timed=True,
    ),
    Case(
        "F03",
        idle,
        ("fin", 60.0),
        {"kind": "close", "close_code": 1006, "ended": "cut"},
        release="26.0",
        timed=True,
    ),
    Case("F04", shaken, (302, "http://nas/ui/"), {"status": 302, "kind": "handshake"}),
    Case(
        "F05",
        redirected,
        (
            (307, "https://nas:443/api/v2.0/core/ping?a=%2F"),
            (307, "https://nas:443/api/current"),
            (307, "https://nas:443/ui/"),
        ),
        {"status": 307, "face": "front"},
    ),
    Case(
        "F06",
        redirected,
        (
            (307, "https://nas:9/api/v2.0/core/ping?a=%2F"),
            (307, "https://nas:9/api/current"),
            (307, "https://nas:9/ui/"),
        ),
        {"status": 307, "face": "front"},
    ),
    Case("F09", unanswered, "nothing", {"kind": "handshake", "ended": "silent", "status": None}, timed=True),
    Case(
        "F10",
        not_listed,
        ((403, HTML, page(403, "Forbidden")), 101, (1008, "You are not allowed to access this resource")),
        {"kind": "close", "close_code": 1008},
    ),
    Case("F11", closed_at_once, (101, (1000, "")), {"kind": "close", "close_code": 1000}),
    Case("F12", shaken, (400, PLAIN, NO_UPGRADE), {"kind": "handshake", "status": 400}),
    Case("F12", both, ((404, HTML, page(404, "Not Found")),) * 2, {"kind": "handshake", "status": 404}, recipe=1),
    Case("F12", both, (BAD_GATEWAY,) * 2, {"kind": "handshake", "status": 502}, recipe=2),
    Case("F13", asleep, ["nothing"] * 4, {"ended": "silent"}, timed=True),
    Case("F13", down, ("reset", "refused"), {"kind": "close", "close_code": 1006}, recipe=1),
    Case("F53", cut_body, (True, True, "fin"), {"status": 200, "ended": "cut", "bytes": 5}),
    Case("F53", cut_gzip, ("gzip", "40", True, "open"), {"status": 200, "ended": "complete", "bytes": 40}, recipe=1),
    Case("F53", cut_frame, f"fin after {PONG[:8]!r}", {"kind": "call", "call": "core.ping", "ended": "cut"}, recipe=2),
    Case("F53", half_a_message, (TEXT, PONG[: len(PONG) // 2]), {"kind": "call", "call": "core.ping"}, recipe=3),
    Case("F53", broken_body, (True, "open"), {"status": 200, "ended": "complete"}, recipe=4),
    Case("F53", cut_body, (True, True, "reset"), {"status": 200, "ended": "reset", "bytes": 5}, recipe=5),
    Case("F53", closed, (1011, "unhandled"), {"kind": "close", "close_code": 1011}, recipe=6),
)
