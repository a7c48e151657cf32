"""F14 to F25: keys, logins and sessions."""

import asyncio
import base64
import json
from dataclasses import replace
from typing import Any

from mock_truenas.faults import Recipe
from tests.mock_truenas.faults.box import QUICK, Box
from tests.mock_truenas.faults.cases import Case, refused
from tests.mock_truenas.faults.cases_transport import told

TEXT = "text/plain; charset=utf-8"
INVALID_KEY = (401, TEXT, b"Invalid API key")
NOBODY = (-32001, 207, "ENOTAUTHENTICATED", "[ENOTAUTHENTICATED] Not authenticated")
NOT_ALLOWED = (-32001, 13, "EACCES", "[EACCES] Not authorized")
NO_CHOICES = "'NoneType' object has no attribute 'may_create_auth_token'"
PAM = "AUTH: unexpected authenticator run state. Expected: START"


def by_key(box: Box) -> dict[str, Any]:
    return {"mechanism": "API_KEY_PLAIN", "username": "truenas_admin", "api_key": box.key}


async def login(box: Box) -> Any:
    """What a login by key on a connection of its own answers."""
    socket = await box.shake()
    reply = await socket.call("auth.login_ex", by_key(box))
    socket.leave()
    return reply["result"]["response_type"] if "result" in reply else refused(reply)


async def in_the_clear(box: Box, recipe: Recipe) -> Any:
    box.inject(recipe)
    seen = [await login(box), await login(box), told(await box.rest("/pool"))]
    return [*seen, "ApiKeyRevoked" in {alert.klass for alert in box.nas.appliance.state.alerts.values()}]


async def revoked(box: Box, recipe: Recipe) -> Any:
    live = await box.logged_in()
    box.inject(recipe)
    alive = (await live.call("system.info"))["result"]["hostname"]
    return alive, await login(box), told(await box.rest("/pool"))


async def key_of_rest(box: Box, recipe: Recipe) -> Any:
    box.inject(recipe)
    return told(await box.rest("/pool"))


async def expired_key(box: Box, recipe: Recipe) -> Any:
    live = await box.logged_in()
    box.inject(recipe)
    alive = (await live.call("system.info"))["result"]["hostname"]
    return alive, await login(box), told(await box.rest("/pool"))


async def lost_session(box: Box, recipe: Recipe) -> Any:
    live = await box.logged_in()
    box.inject(recipe)
    before = refused(await live.call("system.info")), (await live.call("core.ping"))["result"]
    again = (await live.call("auth.login_ex", by_key(box)))["result"]["response_type"]
    return before, again, (await live.call("system.info"))["result"]["hostname"]


async def session_that_comes_back(box: Box, recipe: Recipe) -> Any:
    live = await box.logged_in()
    box.inject(recipe)
    during = refused(await live.call("pool.query"))
    box.nas.heal("fault")
    return during, (await live.call("system.info"))["result"]["hostname"]


async def too_many(box: Box, recipe: Recipe) -> Any:
    box.inject(recipe)
    began_s = asyncio.get_running_loop().time()
    return await login(box), asyncio.get_running_loop().time() - began_s >= 1


async def choices(box: Box, recipe: Recipe) -> Any:
    box.inject(recipe)
    return refused(await (await box.shake()).call("auth.mechanism_choices"))


async def half_a_login(box: Box, recipe: Recipe) -> Any:
    box.inject(recipe)
    return await login(box)


async def small_role(box: Box, recipe: Recipe) -> Any:
    live = await box.logged_in()
    box.inject(recipe)
    allowed = (await live.call("system.info"))["result"]["hostname"], (await box.rest("/system/info")).status
    return allowed, refused(await live.call("pool.query")), told(await box.rest("/pool"))


async def allowlist(box: Box, recipe: Recipe) -> Any:
    limited = box.nas.appliance.mint_api_key("limited", allowlist=(("GET", "/pool"),))
    before = (await box.rest("/pool", authorization=f"Bearer {limited}")).status
    box.inject(recipe)
    return before, told(await box.rest("/pool", authorization=f"Bearer {limited}")), (await box.rest("/pool")).status


async def standby(box: Box, recipe: Recipe) -> Any:
    box.inject(recipe)
    return (await (await box.shake()).call("auth.login_ex", by_key(box)))["result"]


async def address_moves(box: Box, recipe: Recipe) -> Any:
    live = await box.logged_in()
    before = (await live.call("system.boot_id"))["result"]
    box.inject(recipe)
    ended = await live.closed()
    again = await box.logged_in()
    after = (await again.call("system.boot_id"))["result"]
    return ended, after != before, (await box.rest("/system/info")).status


async def second_factor(box: Box, recipe: Recipe) -> Any:
    password = box.nas.appliance.mint_password("truenas_admin")
    basic = "Basic " + base64.b64encode(f"truenas_admin:{password}".encode()).decode()
    before = (await box.rest("/pool", authorization=basic)).status
    box.inject(recipe)
    by_password = {"mechanism": "PASSWORD_PLAIN", "username": "truenas_admin", "password": password}
    reply = (await (await box.shake()).call("auth.login_ex", by_password))["result"]
    legacy = (await (await box.shake()).call("auth.login", "truenas_admin", password))["result"]
    return before, told(await box.rest("/pool", authorization=basic)), reply, legacy


async def jobs_forgotten(box: Box, recipe: Recipe) -> Any:
    pool = json.loads((await box.rest("/pool?limit=1")).body)[0]["id"]
    await box.rest(f"/pool/id/{pool}/scrub", "POST", b'"START"')
    before = len(json.loads((await box.rest("/core/get_jobs")).body))
    box.inject(recipe)
    return before, (await box.rest("/core/get_jobs")).body


CASES = (
    Case(
        "F14", in_the_clear, ["EXPIRED", "AUTH_ERR", INVALID_KEY, True], {"faults": ("fault",), "call": "auth.login_ex"}
    ),
    Case("F14", revoked, ("truenas", "AUTH_ERR", INVALID_KEY), {"status": 401, "faults": ("fault",)}, recipe=1),
    Case(
        "F15",
        key_of_rest,
        (500, TEXT, b"500 Internal Server Error\n\nServer got itself in trouble"),
        {"status": 500, "face": "rest"},
    ),
    Case("F15", key_of_rest, INVALID_KEY, {"status": 401, "face": "rest"}, release="24.10"),
    Case("F16", expired_key, ("truenas", "EXPIRED", INVALID_KEY), {"status": 401}),
    Case(
        "F17",
        lost_session,
        ((NOBODY, "pong"), "SUCCESS", "truenas"),
        {"kind": "call", "call": "system.info", "error": -32001},
        release="25.10",
    ),
    Case("F18", session_that_comes_back, (NOBODY, "truenas"), {"kind": "call", "call": "pool.query", "error": -32001}),
    Case(
        "F19",
        too_many,
        ((-32001, 16, "EBUSY", "[EBUSY] Rate Limit Exceeded"), True),
        {"call": "auth.login_ex", "duration_ns": 1_000_000_000},
        timed=True,
    ),
    Case("F20", choices, (-32001, 22, "EINVAL", NO_CHOICES), {"call": "auth.mechanism_choices"}, release="26.0"),
    Case("F21", half_a_login, (-32001, 22, "EINVAL", PAM), {"call": "auth.login_ex"}),
    Case("F22", small_role, (("truenas", 200), NOT_ALLOWED, (403, None, b"")), {"status": 403, "call": "pool.query"}),
    Case("F23", allowlist, (200, INVALID_KEY, 200), {"status": 401}, release="24.10"),
    Case(
        "F24",
        standby,
        {"response_type": "REDIRECT", "urls": ["10.0.0.11"]},
        {"call": "auth.login_ex", "kind": "call"},
    ),
    Case("F24", address_moves, ("reset", True, 200), {"kind": "close", "close_code": 1006}, recipe=1),
    Case("F24", jobs_forgotten, (1, b"[]"), {"call": "core.get_jobs", "status": 200}, recipe=2),
    Case(
        "F25",
        second_factor,
        (
            200,
            (401, TEXT, b"HTTP Basic Auth is unavailable when OTP is enabled"),
            {"response_type": "OTP_REQUIRED", "username": "truenas_admin"},
            False,
        ),
        {"faults": ("fault",)},
        behaviour=replace(QUICK, idle_cut=False),
    ),
)
