"""The paths of REST follow from the methods of each release; bodies and paths become the methods' arguments."""

import json
from typing import Any

import pytest

from mock_truenas.api.methods.catalogue import METHODS
from mock_truenas.api.methods.method import Kind
from mock_truenas.api.routes import find, routes_of
from mock_truenas.appliance.releases import RELEASES
from tests.mock_truenas.wire import API, Reply, Served, serving

TEXT = "text/plain; charset=utf-8"


async def _call(served: Served, verb: str, path: str, body: Any = None) -> Reply:
    return await served.ask(API + path, verb, body=b"" if body is None else json.dumps(body).encode())


@pytest.mark.parametrize(
    ("release", "verb", "path", "method"),
    [
        ("24.10", "GET", "/pool", "pool.query"),
        ("24.10", "GET", "/pool/", "pool.query"),
        ("24.10", "GET", "/pool/id/1", "pool.query"),
        ("24.10", "GET", "/pool/dataset/id/tank%2Fa", "pool.dataset.query"),
        ("24.10", "POST", "/pool/dataset", "pool.dataset.create"),
        ("24.10", "PUT", "/pool/dataset/id/tank%2Fa", "pool.dataset.update"),
        ("24.10", "DELETE", "/pool/dataset/id/tank%2Fa/", "pool.dataset.delete"),
        ("24.10", "POST", "/pool/id/1/scrub", "pool.scrub"),
        ("24.10", "POST", "/pool/get_instance", "pool.get_instance"),
        ("24.10", "GET", "/system/info", "system.info"),
        ("24.10", "GET", "/alert/list", "alert.list"),
        ("24.10", "GET", "/core/get_jobs", "core.get_jobs"),
        ("24.10", "GET", "/smart/test/results", "smart.test.results"),
        ("24.10", "GET", "/pool/dataset/details", "pool.dataset.details"),
        ("24.10", "POST", "/disk/temperatures", "disk.temperatures"),
        ("24.10", "POST", "/disk/temperature_agg", "disk.temperature_agg"),
        ("24.10", "POST", "/reporting/get_data", "reporting.get_data"),
        ("24.10", "GET", "/zfs/snapshot", "zfs.snapshot.query"),
        ("25.10", "GET", "/pool/snapshot", "pool.snapshot.query"),
    ],
)
def test_path_and_verb_lead_to_the_method(release: str, verb: str, path: str, method: str) -> None:
    found = find(routes_of(RELEASES[release].dialect), path)
    assert found is not None
    assert found[0][verb].method.name == method


@pytest.mark.parametrize(
    ("release", "path"),
    [
        ("24.10", "/pool/snapshot"),
        ("25.10", "/zfs/snapshot"),
        ("25.10", "/smart/test/results"),
        ("24.04", "/app"),
        ("25.04.0", "/vm"),
        ("24.10", "/pool/query"),
        ("24.10", "/pool/id/1/explode"),
        ("24.10", "/pool/id"),
        ("24.10", "/pool//"),
        ("24.10", "/auth/login"),
        ("26.0", "/pool"),
    ],
)
def test_path_of_no_method_leads_nowhere(release: str, path: str) -> None:
    assert find(routes_of(RELEASES[release].dialect), path) is None


def test_every_method_of_a_release_with_rest_has_exactly_its_routes() -> None:
    for release in RELEASES.values():
        routes = routes_of(release.dialect)
        served = [route.method.name for verbs in routes.values() for route in verbs.values()]
        for name, method in METHODS.items():
            if release.dialect.has("rest") and release.dialect.serves(name) and not name.startswith(("auth.", "core.")):
                assert served.count(name) == (2 if method.kind is Kind.QUERY else 1), name


@pytest.mark.asyncio
async def test_release_without_rest_knows_no_path_below_it() -> None:
    async with serving(release="26.0") as served:
        for target in (API, f"{API}/", f"{API}/pool", f"{API}/openapi.json", "/api/nope"):
            for headers in ({}, {"Authorization": ""}):
                reply = await served.ask(target, headers=headers)
                assert (reply.status, reply.header("Content-Type"), reply.body) == (404, TEXT, b"404: Not Found")


@pytest.mark.asyncio
async def test_versions_are_told_to_anybody_from_25_04_on() -> None:
    for release in RELEASES.values():
        async with serving(release=release.name) as served:
            reply = await served.ask("/api/versions", headers={"Authorization": ""})
            if release.dialect.has("json_rpc"):
                assert reply.header("Content-Type") == "application/json; charset=utf-8"
                assert json.loads(reply.body) == list(release.api_versions)
                wrong = await served.ask("/api/versions", "POST")
                assert (wrong.status, wrong.body) == (405, b"405: Method Not Allowed")
            else:
                assert (reply.status, reply.header("Location")) == (302, "http://nas/ui/")


@pytest.mark.asyncio
async def test_item_is_made_changed_and_deleted_below_its_id() -> None:
    async with serving() as served:
        made = await _call(served, "POST", "/pool/dataset", {"name": "tank/new"})
        assert (made.status, json.loads(made.body)["id"]) == (200, "tank/new")
        changed = await _call(served, "PUT", "/pool/dataset/id/tank%2Fnew", {"comments": "hello"})
        assert (changed.status, json.loads(changed.body)["comments"]["value"]) == (200, "hello")
        assert (await _call(served, "DELETE", "/pool/dataset/id/tank%2Fnew")).body == b"true"
        assert (await _call(served, "GET", "/pool/dataset/id/tank%2Fnew")).body == b'{\n "message": ""\n}'


@pytest.mark.asyncio
async def test_missing_instance_is_404_on_get_and_422_with_errno_2_elsewhere() -> None:
    async with serving() as served:
        assert (await _call(served, "GET", "/pool/id/99")).status == 404
        reply = await _call(served, "POST", "/pool/get_instance", {"id": 99})
        assert (reply.status, json.loads(reply.body)) == (
            422,
            {"null": [{"message": "Pool 99 does not exist", "errno": 2}]},
        )


@pytest.mark.asyncio
async def test_job_method_answers_its_number_and_get_jobs_tells_the_rest() -> None:
    async with serving() as served:
        number = json.loads((await _call(served, "POST", "/pool/id/1/scrub", "START")).body)
        assert isinstance(number, int)
        (row,) = json.loads((await _call(served, "GET", f"/core/get_jobs?id={number}")).body)
        assert (row["id"], row["method"], row["state"]) == (number, "pool.scrub", "RUNNING")


@pytest.mark.parametrize(
    ("release", "names", "served_by"),
    [
        ("24.04", ("query-filters", "query-options"), True),
        ("24.04", ("filters", "options"), False),
        ("24.10", ("filters", "options"), True),
        ("25.10", ("query-filters", "query-options"), True),
        ("25.10", ("filters", "options"), True),
    ],
)
@pytest.mark.asyncio
async def test_body_of_a_get_holds_filters_and_options(release: str, names: tuple[str, str], served_by: bool) -> None:
    async with serving(release=release) as served:
        filters, options = names
        body = {filters: [["OR", [["name", "=", "sda"], ["type", "=", "SSD"]]]], options: {"select": ["name"]}}
        reply = await _call(served, "GET", "/disk", body)
        if served_by:
            assert (reply.status, json.loads(reply.body)) == (200, [{"name": "sda"}, {"name": "nvme0n1"}])
        else:
            message = "The following attributes are not expected: filters, options"
            assert (reply.status, json.loads(reply.body)) == (400, {"message": message})


@pytest.mark.asyncio
async def test_key_of_a_deleted_number_breaks_rest_from_25_04_on() -> None:
    for release in ("24.04", "24.10", "25.04", "25.10"):
        async with serving(release=release) as served:
            gone = "77-" + "x" * 64
            reply = await served.ask(f"{API}/system/info", headers={"Authorization": f"Bearer {gone}"})
            page = await served.ask(
                f"{API}/system/info", headers={"Authorization": f"Bearer {gone}", "Accept": "text/html"}
            )
            wrong = await served.ask(f"{API}/system/info", headers={"Authorization": f"Bearer {served.key[:-4]}xxxx"})
            if release.startswith("24"):
                assert (reply.status, reply.body) == (401, b"Invalid API key")
            else:
                words = b"500 Internal Server Error\n\nServer got itself in trouble"
                assert (reply.status, reply.header("Content-Type"), reply.body) == (500, TEXT, words)
                assert page.header("Content-Type") == "text/html; charset=utf-8"
            assert (wrong.status, wrong.body) == (401, b"Invalid API key")


@pytest.mark.asyncio
async def test_role_too_small_is_an_empty_403_from_25_04_on() -> None:
    async with serving(release="25.10") as served:
        served.nas.appliance.accounts.users["truenas_admin"].roles = frozenset({"READONLY_ADMIN"})
        assert (await served.ask(f"{API}/pool")).status == 200
        reply = await _call(served, "POST", "/pool/id/1/scrub", "START")
        assert (reply.status, reply.header("Content-Type"), reply.body) == (403, None, b"")
        entry = served.journal.entries[-1]
        assert (entry.status, entry.user, entry.call) == (403, "truenas_admin", "pool.scrub")


@pytest.mark.asyncio
async def test_words_of_validation_are_those_of_the_release() -> None:
    for release, path, words in (
        ("24.10", "query-options.sort", "Field was not expected"),
        ("25.10", "options.sort", "Extra inputs are not permitted"),
    ):
        async with serving(release=release) as served:
            reply = await served.ask(f"{API}/disk?sort=name")
            assert (reply.status, json.loads(reply.body)) == (422, {path: [{"message": words, "errno": 22}]})
