"""Whatever JSON reaches the control API is refused in one line or done; it never breaks, and neither does the NAS."""

import asyncio
import random
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mock_truenas.control.bodies import FaultOrder
from mock_truenas.control.endpoints import ENDPOINTS, Endpoint
from mock_truenas.control.server import Control
from mock_truenas.faults import FAULT_KINDS
from mock_truenas.fleet import Fleet, Plan, Unit
from tests.mock_truenas.wire import SetClock

NAMES = st.sampled_from(["nas-1", "tank", "tank%2Fdocuments", "sda", "service", "app", "1", "x", "%2e%2e", "%00", "ü"])
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(["5s", "ONLINE"])
)
VALUES = st.recursive(
    SCALARS,
    lambda part: st.lists(part, max_size=3) | st.dictionaries(st.text(max_size=8), part, max_size=3),
    max_leaves=8,
)


class Target:
    """A NAS with its control API, on a loop of its own that runs while somebody asks."""

    def __init__(self) -> None:
        entropy = random.Random("hostile").randbytes
        self._loop = asyncio.new_event_loop()
        self._unit = Unit("nas-1", Plan("25.10"), clock=SetClock(), entropy=entropy)
        self._control = Control(Fleet({"nas-1": self._unit}), entropy=entropy)
        self._session = self._loop.run_until_complete(self._started())

    async def _started(self) -> aiohttp.ClientSession:
        await self._unit.start()
        await self._control.start("127.0.0.1", 0)
        return aiohttp.ClientSession()

    def ask(self, verb: str, path: str, **options: Any) -> tuple[int, Any]:
        """What the control API answers."""
        return self._loop.run_until_complete(self._asked(verb, self._control.url + path, self._control.token, options))

    def worst_status(self) -> int:
        """The highest status with which the NAS answers now that nothing is wrong with it but its state."""
        self._unit.heal_all()
        self._unit.appliance.finish_boot()
        paths = ("/pool", "/pool/dataset", "/disk", "/alert/list", "/service", "/system/info", "/app")
        urls = (f"{self._unit.url}/api/v2.0{path}" for path in paths)
        key = self._unit.api_key
        return max(self._loop.run_until_complete(self._asked("GET", url, key, {}))[0] for url in urls)

    async def _asked(self, verb: str, url: str, secret: str, options: dict[str, Any]) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {secret}"}
        async with self._session.request(verb, url, headers=headers, **options) as answer:
            return answer.status, await answer.json(content_type=None)

    def close(self) -> None:
        """Stop it all."""
        for ending in (self._session.close(), self._control.stop(), self._unit.stop(), asyncio.sleep(0)):
            self._loop.run_until_complete(ending)
        self._loop.close()


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    made = Target()
    yield made
    made.close()


def bodies(endpoint: Endpoint) -> st.SearchStrategy[Any]:
    """Objects with the fields an endpoint knows, holding anything."""
    assert endpoint.takes is not None
    fields = [field.alias or name for name, field in endpoint.takes.model_fields.items()]
    keys = st.sampled_from(fields) | st.text(max_size=8) if fields else st.text(max_size=8)
    return st.dictionaries(keys, VALUES, max_size=4) | VALUES


@pytest.mark.parametrize(
    "endpoint", [each for each in ENDPOINTS if each.takes is not None], ids=lambda each: f"{each.verb} {each.path}"
)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_body_is_refused_or_done(target: Target, endpoint: Endpoint, data: st.DataObject) -> None:
    path = endpoint.path
    while "{" in path:
        name = "nas-1" if "{appliance}" in path else data.draw(NAMES)
        before, _, after = path.partition("{")
        path = before + name + after.partition("}")[2]
    status, told = target.ask(endpoint.verb, path, json=data.draw(bodies(endpoint)))
    assert status in (200, 404, 422), told
    if status != 200:
        assert set(told) == {"message", "place", "value", "allowed"}
        assert "\n" not in told["message"]


def test_a_line_break_in_a_name_does_not_break_the_line(target: Target) -> None:
    status, told = target.ask("PATCH", "/v1/appliances/nas-1/state/pools/tank", json={"\n\x1b[31m": None})
    assert (status, told["place"]) == (422, "\ufffd\ufffd[31m")
    assert told["message"].isprintable()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.sampled_from(sorted(FAULT_KINDS)), data=st.data())
def test_any_parameters_of_any_kind_are_refused_or_done(target: Target, kind: str, data: st.DataObject) -> None:
    known = sorted(FAULT_KINDS[kind].parameters.model_fields)
    keys = st.sampled_from(known) if known else st.text(max_size=5)
    parameters = data.draw(st.dictionaries(keys, VALUES, max_size=3))
    order = {"kind": kind, "parameters": parameters, "for": "1m"}
    assert set(order) <= {field.alias or name for name, field in FaultOrder.model_fields.items()}
    status, told = target.ask("POST", "/v1/appliances/nas-1/faults", json=order)
    assert status in (200, 422), told
    assert target.ask("DELETE", "/v1/appliances/nas-1/faults")[0] == 200


def test_the_nas_still_answers_after_all_that(target: Target) -> None:
    assert target.worst_status() == 200
    assert target.ask("POST", "/v1/appliances/nas-1/reset")[0] == 200
    assert target.worst_status() == 200
