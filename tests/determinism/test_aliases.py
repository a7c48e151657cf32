"""A dependency that grows a new import-bound clock or generator is noticed, named, and told what to do about."""

import json
import subprocess
import sys
from typing import Any

from tests.determinism.aliases import committed

ADVICE = (
    "read whether a run goes there and whether the look-alike serves it; "
    "then write the list anew with python -m tests.determinism.aliases"
)


def complaints(found: dict[str, dict[str, Any]], known: dict[str, dict[str, Any]]) -> list[str]:
    """One sentence for each alias that is new or gone."""
    said = []
    for package in sorted(found.keys() | known.keys()):
        now = set(found.get(package, {}).get("aliases", ()))
        before = set(known.get(package, {}).get("aliases", ()))
        said += [f"{package} has a new alias, {alias}: {ADVICE}" for alias in sorted(now - before)]
        said += [f"{package} has no alias {alias} any more: {ADVICE}" for alias in sorted(before - now)]
    return said


def test_the_aliases_of_what_runs_in_a_simulation_are_those_of_the_list() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.determinism.aliases", "--print"], capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout)
    assert complaints(found, committed()) == []
    assert {package: facts["rebound"] for package, facts in found.items()} == {
        package: facts["rebound"] for package, facts in committed().items()
    }


def test_a_new_alias_is_named_with_its_place_and_what_to_do() -> None:
    known = {"aiohttp": {"rebound": True, "aliases": ["aiohttp.connector:monotonic = time.monotonic"]}}
    found = {"aiohttp": {"rebound": True, "aliases": ["aiohttp.client:Pool.clock = time.time"]}}
    assert complaints(found, known) == [
        f"aiohttp has a new alias, aiohttp.client:Pool.clock = time.time: {ADVICE}",
        f"aiohttp has no alias aiohttp.connector:monotonic = time.monotonic any more: {ADVICE}",
    ]


def test_the_aliases_known_to_break_a_run_are_in_the_list() -> None:
    """What determinism D.2 and D.4 name must not drop out of the search unseen."""
    known = set(committed()["aiohttp"]["aliases"]) | set(committed()["prometheus_client"]["aliases"])
    assert known >= {
        "aiohttp.connector:monotonic = time.monotonic",
        "aiohttp.connector:random = random",
        "aiohttp.client:os = os.urandom",
        "aiohttp.client_middleware_digest_auth:os = os.urandom",
        "aiohttp.cookiejar:time = time",
        "aiohttp.multipart:uuid = uuid",
        "aiohttp._websocket.writer:WebSocketWriter.__init__.__kwdefaults__[random] = a generator of its own",
        "prometheus_client.context_managers:default_timer = time.perf_counter",
        "prometheus_client.metrics:time = time",
    }
