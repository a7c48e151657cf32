"""What is generated against which NAS, at night and in the sample that every run of the tests takes."""

from collections import Counter
from typing import Any, Final

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
    answer = requests.get(f"{nas.url}/api/v2.0/openapi.json", timeout=30)
    found = documented.operations(answer.json(), LEFT_ALONE)
    chosen = documented.sample(found, count, f"{nas.release}:{number}")
    return documented.tried(chosen, f"{nas.url}/api/v2.0", nas.headers, examples, number)


def control(count: int | None = None, *, examples: int, number: int = 1) -> documented.Tried:
    """The same for the control API of a fleet of two."""
    with controlled() as (url, headers):
        answer = requests.get(f"{url}/v1/openapi.json", timeout=30, headers=headers)
        chosen = documented.sample(documented.operations(answer.json()), count, f"control:{number}")
        return documented.tried(chosen, url, headers, examples, number)


def told(tried: documented.Tried | frames.Tried) -> dict[str, Any]:
    """As JSON for a measurement."""
    counts: Counter[int] = tried.statuses if isinstance(tried, documented.Tried) else tried.ends
    sent = {"requests": tried.requests} if isinstance(tried, documented.Tried) else {"messages": tried.messages}
    name = "statuses" if isinstance(tried, documented.Tried) else "ends"
    return {**sent, name: {str(key): counts[key] for key in sorted(counts)}, "faults": len(tried.faults)}
