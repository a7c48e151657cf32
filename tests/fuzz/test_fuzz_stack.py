"""Whatever the stack's own OpenAPI document allows, and what it does not, is answered as it says: no 500."""

import logging
from typing import Any

import pytest
import requests

from tests.fuzz import documented
from tests.fuzz.stacked import stacked

EXAMPLES = 8
SOUND = {
    "id": {"type": "string", "pattern": "^[a-z0-9]{1,20}$"},
    "host": {"type": "string", "pattern": "^[a-z]{3,9}$"},
    "apiKey": {"type": "string", "pattern": "^[0-9a-zA-Z-]{8,20}$"},
    "fingerprint": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
}


def described(url: str, headers: dict[str, str]) -> dict[str, Any]:
    """The document, without who may ask: requests with another token would all be refused for that alone."""
    document: dict[str, Any] = requests.get(f"{url}/api/openapi.json", timeout=30, headers=headers).json()
    document["components"].pop("securitySchemes")
    for path in document["paths"].values():
        for operation in path.values():
            operation.pop("security")
            told = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            if "host" in told.get("required", ()):  # few texts are hosts, or come with a way to log in
                told["required"] += ["apiKey"]
                told["properties"] |= SOUND
    return document


def known(path: str) -> dict[str, str] | None:
    """What a path may name that is there."""
    return {"id": "nas-1"} if path.startswith("/api/truenas/") and "{" in path else None


def test_requests_from_the_openapi_document_never_break_the_stack(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR), stacked() as (url, headers):
        record = {"id": "nas-1", "host": "nas-1", "apiKey": "1-x"}
        assert requests.post(f"{url}/api/truenas/connections", json=record, headers=headers, timeout=30).ok
        chosen = documented.operations(described(url, headers))
        outcome = documented.tried(chosen, url, headers, EXAMPLES, known=known, described=True)
        assert requests.get(f"{url}/api/health", timeout=30).json()["status"] == "healthy"
    assert outcome.faults == []
    assert {200, 201, 400} <= outcome.statuses.keys()
    assert outcome.requests >= EXAMPLES * len(chosen)
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_every_route_is_in_the_document_with_what_it_may_answer() -> None:
    with stacked() as (url, headers):
        document = requests.get(f"{url}/api/openapi.json", timeout=30, headers=headers).json()
    told = {(method.upper(), path): found for path, row in document["paths"].items() for method, found in row.items()}
    base = "/api/truenas/connections"
    for row, statuses in {
        ("GET", base): {"200", "400", "401", "403", "500", "501", "503"},
        ("POST", base): {"201", "400", "401", "402", "403", "409", "413", "500", "501", "503"},
        ("PUT", f"{base}/{{id}}"): {"200", "400", "401", "403", "404", "409", "413", "500", "501", "503"},
        ("DELETE", f"{base}/{{id}}"): {"200", "400", "401", "403", "404", "409", "500", "501", "503"},
        ("POST", f"{base}/test"): {"200", "400", "401", "403", "413", "500", "501"},
        ("POST", f"{base}/{{id}}/test"): {"200", "400", "401", "403", "404", "500", "501", "503"},
        ("GET", "/api/v2/resources"): {"200", "400", "401", "403", "500", "501"},
        ("GET", "/api/resources"): {"200", "400", "401", "403", "500", "501"},
        ("GET", "/api/health"): {"200", "400", "500", "503"},
        ("GET", "/api/monitoring/scheduler/health"): {"200", "400", "401", "403", "500", "501"},
        ("POST", "/api/agents/host/report"): {"200", "400", "401", "403", "413", "500", "501"},
        ("GET", "/api/ws"): {"101", "400", "401", "403", "426", "500", "501", "503"},
        ("GET", "/metrics"): {"200", "400", "500"},
        ("GET", "/api/openapi.json"): {"200", "400", "401", "403", "500", "501"},
    }.items():
        assert set(told[row]["responses"]) == statuses, row
    assert {found.get("x-role") for found in told.values()} == {None, "read", "admin"}
    assert len({found["operationId"] for found in told.values()}) == len(told)
