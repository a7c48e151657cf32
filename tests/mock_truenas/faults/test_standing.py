"""Entries of the catalogue that an appliance of the right release, or with the right switch, has without any fault."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest

from mock_truenas.behaviour import Behaviour
from mock_truenas.faults import CATALOGUE
from tests.mock_truenas.faults.box import QUICK, Box, in_simulation
from tests.mock_truenas.faults.cases import refused
from tests.mock_truenas.faults.cases_auth import INVALID_KEY, login
from tests.mock_truenas.faults.cases_transport import told

Look = Callable[[Box], Coroutine[Any, Any, Any]]


async def idle(box: Box) -> Any:
    live = await box.logged_in()
    began_s = asyncio.get_running_loop().time()
    return await live.frame(), int(asyncio.get_running_loop().time() - began_s)


async def shaken(box: Box) -> Any:
    return told((await box.shake()).shaken)


async def in_the_clear(box: Box) -> Any:
    return await login(box), await login(box), told(await box.rest("/pool"))


async def logins(box: Box) -> Any:
    seen = [await login(box) for _ in range(21)]
    await asyncio.sleep(60)
    return set(seen[:20]), seen[20], await login(box)


async def choices(box: Box) -> Any:
    reply = await (await box.shake()).call("auth.mechanism_choices")
    return refused(reply)[3] if "error" in reply else type(reply["result"])


async def snapshots(box: Box) -> Any:
    live = await box.logged_in()
    old, new = await live.call("zfs.snapshot.query", id_=2), await live.call("pool.snapshot.query", id_=3)
    return [reply.get("error", {}).get("code") for reply in (old, new)], (await box.rest("/zfs/snapshot")).status


async def not_found(box: Box) -> Any:
    return told(await box.rest("/jail")), told(await box.rest("/pool/id/99"))


async def believed_in(box: Box) -> Any:
    datasets = json.loads((await box.rest("/pool/dataset")).body)
    disks = json.loads((await box.rest("/disk")).body)
    return any("mounted" in row for row in datasets), any("status" in row for row in disks)


async def shares(box: Box) -> Any:
    live = await box.logged_in()
    row = (await live.call("sharing.smb.query"))["result"][0]
    return "options" in row, "timemachine" in row


async def version(box: Box) -> Any:
    return json.loads((await box.rest("/system/info")).body)["version"]


async def strictness(box: Box) -> Any:
    body = json.dumps({"graphs": [{"name": "cpu"}], "reporting_query": {"unit": "HOUR", "page": 1}}).encode()
    reply = await box.rest("/reporting/get_data", "POST", body)
    return reply.status, reply.body if reply.status == 400 else b""


STRICT = b'{\n "message": "The following attributes are not expected: reporting_query"\n}'
NO_CHOICES = "'NoneType' object has no attribute 'may_create_auth_token'"
PLAIN = "text/plain; charset=utf-8"
REVOKING, LIMITING = replace(QUICK, revoke_plaintext_keys=True), replace(QUICK, login_rate_limit=True)
BUSY = (-32001, 16, "EBUSY", "[EBUSY] Rate Limit Exceeded")
CASES: list[tuple[str, str, Behaviour, Look, Any]] = [
    ("F03", "25.10", QUICK, idle, ("fin", 60)),
    ("F03", "26.0", QUICK, idle, ("fin", 3600)),
    ("F04", "24.10", QUICK, shaken, (302, "http://nas/ui/")),
    ("F14", "25.04", REVOKING, in_the_clear, ("EXPIRED", "AUTH_ERR", INVALID_KEY)),
    ("F19", "25.04", LIMITING, logins, ({"SUCCESS"}, BUSY, "SUCCESS")),
    ("F20", "25.10", QUICK, choices, NO_CHOICES),
    ("F20", "26.0", QUICK, choices, list),
    ("F33", "24.10", QUICK, version, "TrueNAS-SCALE-24.10.2.4"),
    ("F33", "25.04", QUICK, version, "25.04.2.6"),
    ("F34", "25.04", QUICK, snapshots, ([None, -32601], 200)),
    ("F34", "25.10", QUICK, snapshots, ([-32601, None], 404)),
    ("F35", "24.10", QUICK, strictness, (200, b"")),
    ("F35", "25.04", QUICK, strictness, (400, STRICT)),
    (
        "F36",
        "25.04",
        QUICK,
        not_found,
        ((404, PLAIN, b"404: Not Found"), (404, "application/json; charset=utf-8", b'{\n "message": ""\n}')),
    ),
    ("F37", "25.04", QUICK, shares, (False, True)),
    ("F37", "25.10", QUICK, shares, (True, False)),
    ("F40", "25.04", QUICK, believed_in, (False, False)),
]


@pytest.mark.parametrize(
    ("number", "release", "behaviour", "look", "seen"), CASES, ids=[f"{case[0]}-{case[1]}" for case in CASES]
)
def test_it_is_there_without_a_fault(number: str, release: str, behaviour: Behaviour, look: Look, seen: Any) -> None:
    assert next(entry.standing for entry in CATALOGUE if entry.number == number)

    async def act(box: Box) -> None:
        assert await look(box) == seen
        assert {entry.faults for entry in box.journal} <= {()}
        for socket in box.sockets:
            socket.leave()

    in_simulation(release, behaviour, act)
