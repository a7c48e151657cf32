"""The OpenAPI document: sound by itself, and whatever it allows is answered as it says, never with an unasked 500."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft4Validator  # type: ignore[import-untyped]

from mock_truenas.api.openapi import document
from mock_truenas.api.routes import routes_of
from mock_truenas.appliance.releases import RELEASES
from tests.mock_truenas.requests_from_openapi import Operation, Request, operations, requests
from tests.mock_truenas.wire import API, Served, read_reply, serving

DOCUMENTS = {
    name: document(routes_of(release.dialect), release.dialect)
    for name, release in RELEASES.items()
    if release.dialect.has("rest")
}
# They end the appliance for a while, or the key that asks, so that what follows would be answered otherwise.
ENDINGS = ("/system/reboot", "/system/shutdown", "/api_key", "/user/id")
# A fault of the releases themselves (truenas-api F20).
BROKEN = "/auth/mechanism_choices"


def _parts(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from _parts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _parts(inner)


@pytest.mark.parametrize("release", DOCUMENTS)
@pytest.mark.asyncio
async def test_document_is_served_to_anybody_at_three_places(release: str) -> None:
    async with serving(release=release) as served:
        for target in (API, f"{API}/", f"{API}/openapi.json"):
            reply = await served.ask(target, headers={"Authorization": ""})
            assert (reply.status, json.loads(reply.body)) == (200, DOCUMENTS[release])
            assert (await served.ask(target, "POST")).header("Allow") == "GET"


@pytest.mark.parametrize("release", DOCUMENTS)
def test_document_lists_every_route_and_refers_to_what_it_has(release: str) -> None:
    described = DOCUMENTS[release]
    routes = routes_of(RELEASES[release].dialect)
    assert {path: set(verbs) for path, verbs in described["paths"].items()} == {
        path: {verb.lower() for verb in verbs} for path, verbs in routes.items()
    }
    for part in _parts(described):
        reference = part.get("$ref")
        if isinstance(reference, str):
            _, kind, name = reference.removeprefix("#/").split("/")
            assert name in described["components"][kind]
    names = [operation.described["operationId"] for operation in operations(described)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("release", DOCUMENTS)
def test_schemas_use_only_words_of_openapi_3_0(release: str) -> None:
    foreign = {"$defs", "const", "prefixItems", "propertyNames", "patternProperties", "$schema", "if", "then"}
    described = DOCUMENTS[release]
    for operation in operations(described):
        for content in _parts(operation.described):
            schema = content.get("schema")
            if isinstance(schema, dict):
                Draft4Validator.check_schema({**schema, "components": None})
                for part in _parts(schema):
                    assert not (foreign & set(part) and "properties" not in part)
                    assert part.get("type") != "null"


def _answered_as_told(operation: Operation, status: int) -> bool:
    if operation.path == BROKEN:
        return status in (200, 500)
    return status < 500 and str(status) in operation.described["responses"]


async def _sent(served: Served, request: Request) -> int:
    reader, writer = await served.connect()
    try:
        writer.write(served.request(API + request.target, request.verb, body=request.body))
        return (await asyncio.wait_for(read_reply(reader), 10)).status
    finally:
        writer.transport.abort()


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(list(DOCUMENTS)), st.data())
def test_what_the_document_allows_is_answered_as_it_says(release: str, data: st.DataObject) -> None:
    described = DOCUMENTS[release]
    known = [operation for operation in operations(described) if not operation.path.startswith(ENDINGS)]
    chosen = data.draw(st.lists(st.sampled_from(known), min_size=20, max_size=20))
    asked = [(operation, data.draw(requests(operation, described))) for operation in chosen]

    async def rehearse() -> None:
        async with serving("small-office", release=release) as served:
            for operation, request in asked:
                status = await _sent(served, request)
                assert _answered_as_told(operation, status), (operation, request, status)

    asyncio.run(rehearse())
