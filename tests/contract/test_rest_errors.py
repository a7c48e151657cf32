"""Errors of release 24.10, byte for byte (truenas-api 1 and 2.4)."""

import base64
import json
from dataclasses import dataclass, field, replace

import pytest

from tests.mock_truenas.wire import API, Served, serving

TEXT = "text/plain; charset=utf-8"
JSON = "application/json; charset=utf-8"
HTML = "text/html"


def page(heading: str) -> bytes:
    return (
        f"<html>\r\n<head><title>{heading}</title></head>\r\n<body>\r\n<center><h1>{heading}</h1></center>\r\n"
        "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    ).encode()


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


@dataclass(frozen=True)
class Case:
    claim: str
    status: int
    content_type: str | None
    body: bytes
    target: str = f"{API}/system/info"
    method: str = "GET"
    sent: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    allow: str | None = None


UNKNOWN_KEY = "77-" + "x" * 64
CASES = [
    Case("no credentials", 401, TEXT, b"401: Unauthorized", headers={"Authorization": ""}),
    Case("unknown scheme", 401, TEXT, b"401: Unauthorized", headers={"Authorization": "Digest x"}),
    Case("scheme in lower case", 401, TEXT, b"401: Unauthorized", headers={"Authorization": "bearer {key}"}),
    Case("unknown key", 401, TEXT, b"Invalid API key", headers={"Authorization": f"Bearer {UNKNOWN_KEY}"}),
    Case("key of another form", 401, TEXT, b"Invalid API key", headers={"Authorization": "Bearer root"}),
    Case("wrong password", 401, TEXT, b"Bad username or password", headers={"Authorization": basic("root:no")}),
    Case("unknown user", 401, TEXT, b"Bad username or password", headers={"Authorization": basic("eve:{password}")}),
    Case("Basic that is no base64", 400, TEXT, b"400: Bad Request", headers={"Authorization": "Basic §§"}),
    Case("Basic without a colon", 400, TEXT, b"400: Bad Request", headers={"Authorization": basic("root")}),
    Case("bad token", 403, TEXT, b"Invalid token", headers={"Authorization": "Token x"}),
    Case("unknown path", 404, TEXT, b"404: Not Found", target=f"{API}/zfs/resource"),
    Case("unknown path, nobody", 404, TEXT, b"404: Not Found", target=f"{API}/x", headers={"Authorization": ""}),
    Case("path with a literal id", 404, TEXT, b"404: Not Found", target=f"{API}/pool/id/"),
    Case("dataset id with a bare slash", 404, TEXT, b"404: Not Found", target=f"{API}/pool/dataset/id/tank/documents"),
    Case("double slash", 404, TEXT, b"404: Not Found", target=f"{API}//pool"),
    Case("unknown pool id", 404, JSON, b'{\n "message": ""\n}', target=f"{API}/pool/id/99"),
    Case("pool id that is no number", 404, JSON, b'{\n "message": ""\n}', target=f"{API}/pool/id/tank"),
    Case("unknown dataset id", 404, JSON, b'{\n "message": ""\n}', target=f"{API}/pool/dataset/id/tank%2Fno"),
    Case("unknown disk id", 404, JSON, b'{\n "message": ""\n}', target=f"{API}/disk/id/sda"),
    Case("wrong verb", 405, TEXT, b"405: Method Not Allowed", method="POST", allow="GET"),
    Case(
        "wrong verb, nobody",
        405,
        TEXT,
        b"405: Method Not Allowed",
        method="PUT",
        headers={"Authorization": ""},
        allow="GET",
    ),
    Case("HEAD is not routed", 405, TEXT, b"", method="HEAD", allow="GET"),
    Case("GET on a POST path", 405, TEXT, b"405: Method Not Allowed", target=f"{API}/disk/temperatures", allow="POST"),
    Case(
        "unparsable JSON",
        400,
        JSON,
        b'{\n "message": "json parse error: Expecting value: line 1 column 1 (char 0)",\n "errno": 22\n}',
        target=f"{API}/disk/temperatures",
        method="POST",
        sent=b"names",
    ),
    Case(
        "list for a method with several parameters",
        400,
        JSON,
        b'{\n "message": "Endpoint accepts multiple params, object/dict expected."\n}',
        target=f"{API}/disk/temperatures",
        method="POST",
        sent=b'["sda"]',
    ),
    Case(
        "missing parameter",
        400,
        JSON,
        b'{\n "message": "names attribute expected."\n}',
        target=f"{API}/disk/temperatures",
        method="POST",
        sent=b"{}",
    ),
    Case(
        "unknown parameters",
        400,
        JSON,
        b'{\n "message": "The following attributes are not expected: name, thresholds"\n}',
        target=f"{API}/disk/temperatures/",
        method="POST",
        sent=b'{"names": [], "thresholds": 1, "name": 2}',
    ),
    Case(
        "parameter of the wrong type",
        422,
        JSON,
        b'{\n "names": [\n  {\n   "message": "Not a list",\n   "errno": 22\n  }\n ]\n}',
        target=f"{API}/disk/temperatures",
        method="POST",
        sent=b'{"names": "sda"}',
    ),
    Case(
        "option of the wrong type",
        422,
        JSON,
        b'{\n "query-options.limit": [\n  {\n   "message": "Not an integer",\n   "errno": 22\n  }\n ]\n}',
        target=f"{API}/pool?limit=many",
    ),
    Case(
        "sort is not an option",
        422,
        JSON,
        b'{\n "query-options.sort": [\n  {\n   "message": "Field was not expected",\n   "errno": 22\n  }\n ]\n}',
        target=f"{API}/disk?sort=name",
    ),
    Case(
        "unknown operator",
        422,
        JSON,
        b'{\n "query-filters": [\n  {\n   "message": "Invalid operation: like",\n   "errno": 22\n  }\n ]\n}',
        target=f"{API}/disk?name__like=sd",
    ),
    Case("no Host header", 400, HTML, page("400 Bad Request"), headers={"Host": ""}),
]


async def _headers(served: Served, case: Case) -> dict[str, str]:
    password = served.nas.appliance.mint_password("root")
    return {
        name: text.replace("{key}", served.key).replace("{password}", password) for name, text in case.headers.items()
    }


@pytest.mark.parametrize("case", CASES, ids=[case.claim for case in CASES])
@pytest.mark.asyncio
async def test_error_has_the_bytes_of_the_appliance(case: Case) -> None:
    async with serving() as served:
        reply = await served.ask(case.target, case.method, await _headers(served, case), case.sent)
        assert (reply.status, reply.header("Content-Type"), reply.body) == (case.status, case.content_type, case.body)
        assert (reply.header("Allow"), reply.header("WWW-Authenticate")) == (case.allow, None)
        entry = await served.journal.next()
        assert (entry.status, entry.bytes, entry.ended) == (case.status, len(case.body), "complete")


@pytest.mark.asyncio
async def test_forbidden_is_an_empty_body_without_a_type() -> None:
    async with serving() as served:
        key = served.nas.appliance.mint_api_key("narrow", allowlist=(("GET", "/pool"), ("*", "/disk/*")))
        outcomes = {}
        for method, path in [("GET", "/pool"), ("GET", "/system/info"), ("POST", "/disk/temperatures")]:
            body = b'{"names": []}' if method == "POST" else b""
            reply = await served.ask(API + path, method, {"Authorization": f"Bearer {key}"}, body)
            outcomes[path] = (reply.status, reply.header("Content-Type"), len(reply.body) > 0)
        assert outcomes["/pool"] == (200, JSON, True)
        assert outcomes["/disk/temperatures"] == (200, JSON, True)
        assert outcomes["/system/info"] == (403, None, False)


@pytest.mark.asyncio
async def test_basic_works_until_two_factor_is_on() -> None:
    async with serving() as served:
        nas = served.nas.appliance
        headers = {"Authorization": basic(f"admin:{nas.mint_password('admin')}")}
        assert (await served.ask(f"{API}/core/ping", headers=headers)).body == b'"pong"'
        nas.change(host=replace(nas.state.host, two_factor=True))
        reply = await served.ask(f"{API}/core/ping", headers=headers)
        assert (reply.status, reply.body) == (401, b"HTTP Basic Auth is unavailable when OTP is enabled")


@pytest.mark.asyncio
async def test_exception_inside_a_method_is_500_with_message_and_traceback(caplog: pytest.LogCaptureFixture) -> None:
    async with serving() as served:
        nas = served.nas.appliance
        nas.state, nas.revision = replace(nas.state, boot_pool=None), nas.revision + 1  # type: ignore[arg-type]
        reply = await served.ask(f"{API}/boot/get_state")
        assert (reply.status, reply.header("Content-Type")) == (500, JSON)
        assert list(json.loads(reply.body)) == ["message", "traceback"]
        assert "broke: AttributeError" in caplog.text


@pytest.mark.parametrize("target", ["/", "/api", "/api/current", "/api/v25.04.0", "/api/v2.0x", "/nope?x=1"])
@pytest.mark.asyncio
async def test_what_is_not_the_api_redirects_to_the_web_interface(target: str) -> None:
    async with serving() as served:
        reply = await served.ask(target, headers={"Host": "nas.local:8443", "Authorization": ""})
        assert (reply.status, reply.reason, reply.header("Location")) == (302, "Found", "http://nas.local:8443/ui/")
        assert (reply.header("Content-Type"), reply.body) == (HTML, page("302 Found"))


@pytest.mark.parametrize("target", [f"{API}/pool", f"{API}/nope", "/nope", "/ui/"])
@pytest.mark.asyncio
async def test_every_answer_has_the_headers_of_the_front(target: str) -> None:
    async with serving() as served:
        reply = await served.ask(target)
        assert reply.headers[0] == ("Server", "nginx")
        assert reply.headers[1] == ("Date", "Mon, 09 Feb 2026 00:00:00 GMT")
        assert reply.header("Strict-Transport-Security") == "max-age=0; includeSubDomains; preload"
        assert reply.header("X-Content-Type-Options") == "nosniff"
        assert reply.header("X-XSS-Protection") == "1; mode=block"
        assert reply.header("Referrer-Policy") == "strict-origin"
        assert reply.header("X-Frame-Options") == "SAMEORIGIN"
        assert reply.header("Permissions-Policy")
        assert reply.header("Content-Encoding") is None


@pytest.mark.parametrize(
    ("data", "heading"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n", "400 Bad Request"),
        (b"GET\r\n\r\n", "400 Bad Request"),
        (b"GET / HTTP/9.9\r\n\r\n", "400 Bad Request"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", "400 Bad Request"),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", "414 Request-URI Too Large"),
    ],
)
@pytest.mark.asyncio
async def test_bytes_that_are_no_request_get_the_page_of_nginx_and_no_log_line(
    data: bytes, heading: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving() as served:
        reply = await served.ask_bytes(data)
        assert (reply.status, reply.body) == (int(heading[:3]), page(heading))
        assert reply.header("Connection") == "close"
        assert (await served.journal.next()).status == int(heading[:3])
    assert [record for record in caplog.records if record.name != "asyncio"] == []


@pytest.mark.asyncio
async def test_openapi_document_needs_no_login_and_lists_what_is_served() -> None:
    async with serving() as served:
        for target in (API, f"{API}/", f"{API}/openapi.json"):
            document = json.loads((await served.ask(target, headers={"Authorization": ""})).body)
            assert document["openapi"] == "3.0.0"
            assert {"/system/info", "/pool", "/pool/dataset/id/{id}"} <= set(document["paths"])
            assert list(document["paths"]["/disk/temperatures"]) == ["post"]
