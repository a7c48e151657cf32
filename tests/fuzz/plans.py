"""What is generated against which NAS, at night and in the sample that every run of the tests takes."""

import re
from collections import Counter
from typing import Any, Final
from urllib.parse import quote

import requests

from mock_truenas.testing import ServedNas
from tests.contract.shape import REST, RPC
from tests.fuzz import documented, frames
from tests.fuzz.controlled import controlled
from tests.fuzz.messages import Face

FACES: Final[tuple[tuple[str, Face], ...]] = (
    *((release, "rpc") for release in RPC),
    *((release, "ddp") for release in (*REST, "26.0")),
)
_THERE: Final = {
    "appliance": "nas-1",
    "pool": "tank",
    "dataset": "tank",
    "disk": "sda",
    "alert": "00000000-0000-4000-8000-000000000000",
    "table": "service",
    "key": "1",
    "fault": "f-1",
}
# Reboots, and a key or user gone, are asked for and end the conversation; the last is broken as the real one is.
LEFT_ALONE: Final = (
    "/api_key/id",
    "/user/id",
    "/system/reboot",
    "/system/shutdown",
    "/auth/mechanism_choices",
)


def rest(nas: ServedNas, count: int | None = None, *, examples: int, number: int = 1) -> documented.Tried:
    """Requests to ``count`` operations of the document a NAS shows, or to all."""
    url = f"{nas.url}/api/v2.0"
    document = requests.get(f"{url}/openapi.json", timeout=30).json()
    chosen = documented.sample(documented.operations(document, LEFT_ALONE), count, f"{nas.release}:{number}")

    def first(path: str) -> dict[str, Any] | None:
        """The id of whatever is listed first, where the path wants one."""
        listing, found, _ = path.partition("/id/{")
        if not found:
            return None
        rows = requests.get(f"{url}{listing}", params={"limit": 1}, headers=nas.headers, timeout=30).json()
        ids = [row.get("id", row.get("identifier")) for row in rows if isinstance(row, dict)]
        return {"id": quote(str(ids[0]), safe="")} if ids else None

    return documented.tried(chosen, url, nas.headers, examples, number, first)


def _of_control(path: str) -> dict[str, str] | None:
    """What a path of the control API may name."""
    return {name: _THERE[name] for name in re.findall(r"{([a-z]+)}", path)} or None


def control(count: int | None = None, *, examples: int, number: int = 1) -> documented.Tried:
    """The same for the control API of a fleet of two."""
    with controlled() as (url, headers):
        document = requests.get(f"{url}/v1/openapi.json", timeout=30, headers=headers).json()
        # Requests with another token, or none, would all be refused for that alone.
        document.pop("security")
        document["components"].pop("securitySchemes")
        chosen = documented.sample(documented.operations(document), count, f"control:{number}")
        return documented.tried(chosen, url, headers, examples, number, _of_control)


def told(tried: documented.Tried | frames.Tried) -> dict[str, Any]:
    """As JSON for a measurement."""
    counts: Counter[int] = tried.statuses if isinstance(tried, documented.Tried) else tried.ends
    sent = {"requests": tried.requests} if isinstance(tried, documented.Tried) else {"messages": tried.messages}
    name = "statuses" if isinstance(tried, documented.Tried) else "ends"
    return {**sent, name: {str(key): counts[key] for key in sorted(counts)}, "faults": len(tried.faults)}
