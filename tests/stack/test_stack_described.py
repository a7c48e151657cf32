"""Every answer of a stack that has something to tell is as its OpenAPI document describes it (contract A9)."""

from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from tests.stack.stackbed import Bed

BASE = "/api/truenas/connections"
READ = (
    BASE,
    "/api/v2/resources",
    "/api/resources",
    "/api/health",
    "/api/monitoring/scheduler/health",
    "/api/alerts/active",
    "/api/alerts/history",
    "/api/alerts/config",
    "/api/openapi.json",
)
NEVER_EMPTY = ("data", "resources", "breakers", "staleness", "instances")


def wrong(document: Any, method: str, path: str, answered: tuple[int, Any]) -> list[str]:
    status, body = answered
    schema = document["paths"][path][method.lower()]["responses"][str(status)]["content"]["application/json"]["schema"]
    return [f"{method} {path}: {e.json_path} {e.message}" for e in Draft202012Validator(schema).iter_errors(body)]


def test_answers_full_of_things_are_as_the_document_describes_them() -> None:
    async def story(bed: Bed) -> list[str]:
        await bed.start()
        document = (await bed.api("GET", "/api/openapi.json"))[1]
        found = wrong(document, "POST", BASE, await bed.api("POST", BASE, bed.record("nas-1")))
        await bed.add("nas-2")
        disks = [{"name": "sda", "serial": "WD-1", "temperatureCelsius": 30.5}]
        report = {"id": "h", "hostname": "h", "status": "warning", "disks": disks}
        path = "/api/agents/host/report"
        found += wrong(document, "POST", path, await bed.api("POST", path, report))
        await bed.wait(70)
        bed.inject("http.status", status=502)
        await bed.wait(900)
        override = {"target": {"source": "system:nas-1"}, "rules": {"stale": {"intervals": 9, "severity": "info"}}}
        answered = await bed.api("PUT", "/api/alerts/config", {"overrides": [override]})
        found += wrong(document, "PUT", "/api/alerts/config", answered)
        alerts = (await bed.api("GET", "/api/alerts/active"))[1]
        taken = await bed.api("POST", f"/api/alerts/{alerts[0]['id']}/acknowledge", {"by": "me"})
        found += wrong(document, "POST", "/api/alerts/{id}/acknowledge", taken)
        for path in READ:
            status, body = await bed.api("GET", path)
            assert body
            assert not isinstance(body, dict) or all(body[key] for key in NEVER_EMPTY if key in body), path
            found += wrong(document, "GET", path, (status, body))
        bed.heal("http.status")
        one = f"{BASE}/{{id}}"
        found += wrong(document, "PUT", one, await bed.api("PUT", f"{BASE}/nas-2", {"name": "two"}))
        found += wrong(document, "POST", f"{one}/test", await bed.api("POST", f"{BASE}/nas-2/test"))
        found += wrong(document, "POST", f"{BASE}/test", await bed.api("POST", f"{BASE}/test", bed.record("nas-2")))
        found += wrong(document, "DELETE", one, await bed.api("DELETE", f"{BASE}/nas-2"))
        return found

    assert Bed("nas-1", "nas-2").run(story) == []


def test_no_answer_is_described_as_just_any_object() -> None:
    async def story(bed: Bed) -> Any:
        await bed.start()
        return (await bed.api("GET", "/api/openapi.json"))[1]

    loose = []
    for path, row in Bed().run(story)["paths"].items():
        for method, operation in row.items():
            for status, told in operation["responses"].items():
                schema = told.get("content", {}).get("application/json", {}).get("schema", {})
                if status.startswith("2") and schema == {"type": "object"}:
                    loose.append((method, path))
    assert loose == []
