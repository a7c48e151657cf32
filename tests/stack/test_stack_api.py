"""Contract A9, A1: every route, its errors, who may ask, and what it shows."""

import json
from typing import Any

import aiohttp
import pytest

from tests.stack.stackbed import TOKEN, Bed

BASE = "/api/truenas/connections"


def test_a_connection_is_added_shown_changed_and_removed() -> None:
    async def story(bed: Bed) -> None:
        await bed.start()
        added = await bed.add(name="first", password="PSIMpw", username="root")
        assert (added["id"], added["apiKey"], added["password"]) == ("nas-1", "********", "********")
        status, listed = await bed.api("GET", BASE)
        assert (status, [each["id"] for each in listed]) == (200, ["nas-1"])
        assert set(listed[0]) == {
            "id", "name", "host", "port", "apiKey", "username", "password", "useHttps", "insecureSkipVerify",
            "fingerprint", "enabled", "pollIntervalSeconds", "poll",
        }  # fmt: skip
        changed = {**listed[0], "name": "second"}
        status, answer = await bed.api("PUT", f"{BASE}/nas-1", changed)
        assert (status, answer["name"]) == (200, "second")
        assert bed.stack is not None
        assert bed.stack._store.load()[0].api_key == bed.keys["nas-1"]
        assert bed.stack._store.load()[0].password == "PSIMpw"
        assert (await bed.api("DELETE", f"{BASE}/nas-1"))[0] == 200
        assert await bed.api("GET", BASE) == (200, [])

    Bed().run(story)


def test_an_id_is_made_when_none_is_given_and_never_twice() -> None:
    async def story(bed: Bed) -> set[str]:
        await bed.start(PULSE_ENABLE_TRUENAS="")
        made = set()
        for at in range(3):
            _, answer = await bed.api("POST", BASE, {"host": f"nas{at}", "api_key": "1-x"})
            made.add(answer["id"])
            await bed.stop()
            await bed.start(PULSE_ENABLE_TRUENAS="")
        return made

    made = Bed().run(story)
    assert {len(each) for each in made} == {36}
    assert len(made) == 3


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ({"host": "", "apiKey": "1-x"}, 400, "validation_error", "host"),
        ({"host": "h"}, 400, "validation_error", "apiKey"),
        ({"host": "h", "apiKey": "********"}, 400, "validation_error", "apiKey"),
        ({"host": "h", "apiKey": "1-x", "pollIntervalSeconds": 9999}, 400, "validation_error", "pollIntervalSeconds"),
        ([1], 400, "invalid_request", None),
        ("text", 400, "invalid_request", None),
        ({"host": "NAS-1.", "apiKey": "1-x", "useHttps": False}, 409, "duplicate_connection", None),
        ({"host": "other", "apiKey": "1-x", "id": "nas-1"}, 409, "duplicate_connection", None),
        ({"host": "h", "apiKey": "1-x", "name": "x" * 40_000}, 413, "request_too_large", None),
    ],
)
def test_a_refused_add_says_why_and_leaves_nothing_behind(body: Any, status: int, code: str, field: str | None) -> None:
    async def story(bed: Bed) -> None:
        await bed.start()
        await bed.add()
        await bed.wait(2)
        before, stored = await bed.metrics(), bed.disk.read("/data/truenas.enc")
        found, answer = await bed.api("POST", BASE, body)
        assert (found, answer["code"], answer["status_code"]) == (status, code, status)
        assert set(answer) == {"error", "code", "status_code", "timestamp", "details"}
        assert answer["timestamp"].endswith("Z")
        assert field is None or field in answer["details"]
        assert bed.disk.read("/data/truenas.enc") == stored
        after = await bed.metrics()
        for series in before:
            assert series.startswith("pulse_http") or series in after
        assert {s for s in after if "instance=" in s} == {s for s in before if "instance=" in s}
        assert after["pulse_runtime_tasks"] == before["pulse_runtime_tasks"]
        assert after["pulse_runtime_open_connections"] == before["pulse_runtime_open_connections"]

    Bed().run(story)


def test_broken_json_is_an_invalid_request() -> None:
    async def story(bed: Bed) -> None:
        await bed.start()
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}"}) as session:
            for body in (b"{", b"", b"\xff", b"[" * 20_000):
                async with session.post(f"http://127.0.0.1:7655{BASE}", data=body) as answer:
                    assert (answer.status, (await answer.json())["code"]) == (400, "invalid_request")

    Bed().run(story)


@pytest.mark.parametrize(
    ("method", "path"), [("PUT", f"{BASE}/x"), ("DELETE", f"{BASE}/x"), ("POST", f"{BASE}/x/test")]
)
def test_an_unknown_connection_is_not_found(method: str, path: str) -> None:
    async def story(bed: Bed) -> tuple[int, Any]:
        await bed.start()
        return await bed.api(method, path, {})

    status, answer = Bed().run(story)
    assert (status, answer["code"]) == (404, "truenas_not_found")


def test_the_node_limit_is_a_gate() -> None:
    async def story(bed: Bed) -> tuple[int, Any]:
        await bed.start(PULSE_NODE_LIMIT="1")
        await bed.add()
        return await bed.api("POST", BASE, {"host": "other", "apiKey": "1-x"})

    status, answer = Bed().run(story)
    assert (status, answer["code"]) == (403, "node_limit_reached")


@pytest.mark.parametrize(("license_", "status"), [("", 201), ("on", 201), ("expired", 402), ("none", 402), ("0", 402)])
def test_the_license_is_a_gate(license_: str, status: int) -> None:
    async def story(bed: Bed) -> tuple[int, Any]:
        await bed.start(PULSE_LICENSE=license_)
        return await bed.api("POST", BASE, {"host": "other", "apiKey": "1-x"})

    found, answer = Bed().run(story)
    assert (found, answer.get("code")) == (status, "license_required" if status == 402 else None)


@pytest.mark.parametrize(
    ("changes", "status", "error_type"),
    [({}, 200, None), ({"apiKey": "1-" + "x" * 64}, 400, "auth"), ({"port": 81}, 400, "connection"),
     ({"host": "nowhere.example"}, 400, "connection"), ({"useHttps": True, "port": 80}, 400, "connection")],
)  # fmt: skip
def test_testing_settings_stores_nothing_and_names_the_type(
    changes: dict[str, Any], status: int, error_type: str | None
) -> None:
    async def story(bed: Bed) -> None:
        await bed.start()
        found, answer = await bed.api("POST", f"{BASE}/test", bed.record("nas-1", **changes))
        assert found == status, answer
        if error_type is None:
            assert answer == {"success": True}
        else:
            assert (answer["code"], answer["details"]["error_type"]) == ("truenas_connection_failed", error_type)
        assert await bed.api("GET", BASE) == (200, [])
        assert (await bed.metrics())["pulse_runtime_open_connections"] == 0

    Bed().run(story)


def test_a_stored_connection_is_tested_with_its_stored_secret() -> None:
    async def story(bed: Bed) -> None:
        await bed.start(PULSE_ENABLE_TRUENAS="")
        await bed.add()
        assert await bed.api("POST", f"{BASE}/nas-1/test") == (200, {"success": True})
        bed.inject("http.silence")
        status, answer = await bed.api("POST", f"{BASE}/nas-1/test")
        assert (status, answer["details"]["error_type"]) == (400, "timeout")

    Bed().run(story)


@pytest.mark.parametrize(
    ("token", "headers", "environ", "status"),
    [
        (TOKEN, {}, {}, 200),
        (None, {"Authorization": f"Bearer {TOKEN}"}, {}, 200),
        (None, {"Authorization": f"bearer {TOKEN}"}, {}, 200),
        (None, {}, {}, 401),
        ("wrong", {}, {}, 401),
        (None, {"Authorization": f"Basic {TOKEN}"}, {}, 401),
        (None, {}, {"PULSE_API_TOKEN": ""}, 200),
        (None, {"X-Forwarded-For": "1.2.3.4"}, {"PULSE_API_TOKEN": ""}, 401),
        (None, {"Forwarded": "for=1.2.3.4"}, {"PULSE_API_TOKEN": ""}, 401),
    ],
)
def test_who_is_admin(token: str | None, headers: dict[str, str], environ: dict[str, str], status: int) -> None:
    async def story(bed: Bed) -> None:
        await bed.start(environ=environ)
        for path in (BASE, "/api/v2/resources", "/api/monitoring/scheduler/health"):
            assert (await bed.api("GET", path, token=token, **headers))[0] == status
        for path in ("/metrics", "/api/health"):
            assert (await bed.api("GET", path, token=None))[0] == 200

    Bed().run(story)


def test_a_request_from_another_host_is_no_admin_without_a_token() -> None:
    async def ask(bed: Bed) -> int:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://{bed.pulse.address}:7655{BASE}") as answer,
        ):
            return answer.status

    async def story(bed: Bed) -> int:
        await bed.start(PULSE_API_TOKEN="", BIND_ADDRESS=bed.pulse.address)
        return await bed.hosts["nas-1"].run(ask(bed), name="asker")

    assert Bed().run(story) == 401


@pytest.mark.parametrize(
    ("org", "tenants", "status", "code"),
    [("default", "", 200, None), ("acme", "", 501, "multi_tenant_disabled"), ("acme", "true", 200, None),
     ("../etc", "true", 400, "invalid_request")],
)  # fmt: skip
def test_organisations(org: str, tenants: str, status: int, code: str | None) -> None:
    async def story(bed: Bed) -> tuple[int, Any]:
        await bed.start(PULSE_MULTI_TENANT_ENABLED=tenants)
        return await bed.api("GET", BASE, **{"X-Pulse-Org-ID": org})

    found, answer = Bed().run(story)
    assert found == status
    assert code is None or answer["code"] == code


def test_each_organisation_polls_and_sees_its_own() -> None:
    async def story(bed: Bed) -> None:
        await bed.start(PULSE_MULTI_TENANT_ENABLED="1")
        header = {"X-Pulse-Org-ID": "acme"}
        assert (await bed.api("POST", BASE, bed.record("nas-1"), **header))[0] == 201
        await bed.wait(5)
        assert await bed.api("GET", BASE) == (200, [])
        assert (await bed.api("GET", "/api/v2/resources"))[1]["meta"]["total"] == 0
        assert (await bed.api("GET", "/api/v2/resources", **header))[1]["meta"]["total"] == 13

    Bed().run(story)


def test_a_resource_has_the_fields_of_the_contract() -> None:
    async def story(bed: Bed) -> list[dict[str, Any]]:
        await bed.start()
        await bed.add()
        await bed.wait(5)
        return await bed.resources()

    details = {"host": "host", "storage": "storage", "physical_disk": "physicalDisk"}
    for resource in Bed().run(story):
        assert set(resource) == {
            "id", "type", "name", "status", "lastSeen", "updatedAt", "sources", "sourceStatus", "identity", "metrics",
            "parentId", "tags", details[resource["type"]], "alerts",
        }  # fmt: skip
        assert resource["sources"] == ["truenas"]
        assert resource["sourceStatus"]["truenas"] == {
            "status": "online", "lastSeen": resource["lastSeen"], "error": None,
        }  # fmt: skip


def test_pages_filters_and_aggregations() -> None:
    async def story(bed: Bed) -> None:
        await bed.start()
        await bed.add()
        await bed.wait(5)

        async def page(query: str) -> Any:
            return (await bed.api("GET", f"/api/v2/resources?{query}"))[1]

        whole = await page("")
        assert whole["meta"] == {"page": 1, "limit": 50, "total": 13, "totalPages": 1}
        assert whole["aggregations"]["byType"] == {"host": 1, "physical_disk": 4, "storage": 8}
        assert whole["aggregations"]["bySource"] == {"truenas": 13}
        assert sum(whole["aggregations"]["byStatus"].values()) == whole["aggregations"]["total"] == 13
        second = await page("page=2&limit=5")
        assert second["meta"] == {"page": 2, "limit": 5, "total": 13, "totalPages": 3}
        assert [each["id"] for each in second["data"]] == [each["id"] for each in whole["data"][5:10]]
        assert (await page("page=9"))["data"] == []
        assert (await page("limit=1000"))["meta"]["limit"] == 100
        system = next(each for each in whole["data"] if each["type"] == "host")
        for query, total in (
            ("type=host", 1), ("type=host,storage", 9), ("type=storage&tags=pool", 3), ("source=agent", 0),
            ("source=truenas", 13), (f"parent={system['id']}&type=storage", 3), ("q=NAS-1", 1), ("status=nonsense", 0),
        ):  # fmt: skip
            assert (await page(query))["meta"]["total"] == total, query

    Bed().run(story)


@pytest.mark.parametrize("query", ["page=0", "page=x", "limit=-1", "limit=1.5", "page=99999999999"])
def test_a_page_that_is_no_number_is_refused(query: str) -> None:
    async def story(bed: Bed) -> tuple[int, Any]:
        await bed.start()
        return await bed.api("GET", f"/api/v2/resources?{query}")

    status, answer = Bed().run(story)
    assert (status, answer["code"]) == (400, "invalid_request")


def test_the_older_view_health_and_scheduler_health() -> None:
    async def story(bed: Bed) -> None:
        await bed.start()
        await bed.add()
        await bed.wait(5)
        older = (await bed.api("GET", "/api/resources"))[1]["resources"]
        assert len(older) == 13
        assert {each["platformType"] for each in older} == {"truenas"}
        status, health = await bed.api("GET", "/api/health")
        assert (status, health["status"]) == (200, "healthy")
        scheduler = (await bed.api("GET", "/api/monitoring/scheduler/health"))[1]
        assert set(scheduler) == {"updatedAt", "enabled", "queue", "breakers", "staleness", "instances"}
        assert scheduler["breakers"][0]["key"] == "truenas::nas-1"
        assert scheduler["breakers"][0]["state"] == "closed"
        assert 0 < scheduler["staleness"][0]["seconds"] < 6

    Bed().run(story)


def test_unknown_paths_and_methods_have_error_bodies_and_one_label() -> None:
    async def story(bed: Bed) -> None:
        await bed.start()
        assert (await bed.api("GET", "/api/nothing/17"))[1]["code"] == "not_found"
        assert (await bed.api("PATCH", BASE))[0] == 405
        series = [each for each in await bed.metrics() if each.startswith("pulse_http_requests_total")]
        assert 'pulse_http_requests_total{method="GET",route="unmatched",status="404"}' in series
        assert not [each for each in series if "/metrics" in each]

    Bed().run(story)


def test_http_requests_are_counted_by_route_pattern() -> None:
    async def story(bed: Bed) -> dict[str, float]:
        await bed.start()
        await bed.api("DELETE", f"{BASE}/one")
        await bed.api("DELETE", f"{BASE}/two")
        return await bed.metrics()

    found = Bed().run(story)
    labels = 'method="DELETE",route="/api/truenas/connections/{id}",status="404"'
    assert found[f"pulse_http_requests_total{{{labels}}}"] == 2
    assert found[f"pulse_http_request_duration_seconds_count{{{labels}}}"] == 2


def test_answers_name_the_server_and_nothing_about_the_interpreter() -> None:
    async def story(bed: Bed) -> dict[str, str]:
        await bed.start()
        async with aiohttp.ClientSession() as session, session.get("http://127.0.0.1:7655/api/health") as answer:
            return dict(answer.headers)

    assert Bed().run(story)["Server"] == "pulse-sim"


def test_a_secret_is_nowhere_in_what_the_api_shows() -> None:
    async def story(bed: Bed) -> str:
        await bed.start()
        await bed.add(username="root", password="PSIMSECRETpw")
        shown = []
        for body in ({"host": "/", "apiKey": "PSIMSECRETx"}, {"host": "h", "apiKey": "PSIM SECRET", "port": 0.5}):
            shown.append(await bed.api("POST", BASE, body))
            shown.append(await bed.api("POST", f"{BASE}/test", body))
        shown.append(await bed.api("PUT", f"{BASE}/nas-1", {"password": "PSIMSECRETnew"}))
        shown.append(await bed.api("GET", BASE))
        return json.dumps(shown)

    assert "PSIM" not in Bed().run(story)
