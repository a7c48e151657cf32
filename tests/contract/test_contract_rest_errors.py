"""The error table of REST in every release that has it, byte for byte (truenas-api 2.1, 2.4, Appendix A)."""

import base64
import json

import pytest

from tests.contract.box import box
from tests.contract.shape import REST
from tests.mock_truenas.wire import API

TEXT = "text/plain; charset=utf-8"
JSON = "application/json; charset=utf-8"
UNKNOWN_KEY = "no-" + "x" * 64
STRICT = tuple(release for release in REST if release.startswith("25"))


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize(
    ("credentials", "body"),
    [
        ("", b"401: Unauthorized"),
        ("Negotiate abc", b"401: Unauthorized"),
        ("bearer {key}", b"401: Unauthorized"),
        ("BASIC abc", b"401: Unauthorized"),
        (f"Bearer {UNKNOWN_KEY}", b"Invalid API key"),
        ("Bearer {key}x", b"Invalid API key"),
        ("Bearer {id}-" + "0" * 64, b"Invalid API key"),
        (basic("root", "wrong"), b"Bad username or password"),
    ],
)
@pytest.mark.parametrize("release", REST)
@pytest.mark.asyncio
async def test_credentials_that_are_none_are_401_without_a_challenge(
    release: str, credentials: str, body: bytes
) -> None:
    async with box(release) as served:
        headers = {
            "Authorization": credentials.replace("{key}", served.key).replace("{id}", served.key.partition("-")[0])
        }
        reply = await served.ask(f"{API}/system/info", headers=headers)
        assert (reply.status, reply.header("Content-Type"), reply.body) == (401, TEXT, body)
        assert reply.header("WWW-Authenticate") is None


@pytest.mark.parametrize("release", REST)
@pytest.mark.asyncio
async def test_undecodable_basic_is_400_and_an_unknown_token_403(release: str) -> None:
    async with box(release) as served:
        reply = await served.ask(f"{API}/system/info", headers={"Authorization": "Basic %%%"})
        assert (reply.status, reply.header("Content-Type"), reply.body) == (400, TEXT, b"400: Bad Request")
        reply = await served.ask(f"{API}/system/info", headers={"Authorization": "Token nobody"})
        assert (reply.status, reply.header("Content-Type"), reply.body) == (403, TEXT, b"Invalid token")


@pytest.mark.parametrize("release", REST)
@pytest.mark.asyncio
async def test_wrong_paths_and_verbs(release: str) -> None:
    async with box(release) as served:
        reply = await served.ask(f"{API}/no/such")
        assert (reply.status, reply.header("Content-Type"), reply.body) == (404, TEXT, b"404: Not Found")
        reply = await served.ask(f"{API}/pool/id/999")
        assert (reply.status, reply.header("Content-Type"), reply.body) == (404, JSON, b'{\n "message": ""\n}')
        reply = await served.ask(f"{API}/system/info", "POST")
        assert (reply.status, reply.header("Content-Type"), reply.body) == (405, TEXT, b"405: Method Not Allowed")
        assert reply.header("Allow") == "GET"
        assert (await served.ask(f"{API}/system/info/")).status == 200
        assert (await served.ask(f"{API}/pool/dataset/id/tank%2Fdocuments")).status == 200


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        (b'{"graphs"', None),
        (b"[]", "Endpoint accepts multiple params, object/dict expected."),
        (b"{}", "graphs attribute expected."),
        (b'{"graphs": [{"name": "cpu"}], "b": 1, "a": 2}', "The following attributes are not expected: a, b"),
    ],
)
@pytest.mark.parametrize("release", REST)
@pytest.mark.asyncio
async def test_bodies_that_are_no_arguments_are_400(release: str, sent: bytes, message: str | None) -> None:
    told: dict[str, object] = {"message": message}
    if message is None:
        with pytest.raises(json.JSONDecodeError) as parser:
            json.loads(sent)
        told = {"message": f"json parse error: {parser.value}", "errno": 22}
    async with box(release) as served:
        reply = await served.ask(f"{API}/reporting/get_data", "POST", body=sent)
        expected = json.dumps(told, indent=1).encode()
        assert (reply.status, reply.header("Content-Type"), reply.body) == (400, JSON, expected)


@pytest.mark.parametrize("release", STRICT)
@pytest.mark.asyncio
async def test_missing_field_has_the_bytes_of_the_appendix(release: str) -> None:
    async with box(release) as served:
        reply = await served.json("POST", "/pool/dataset", {})
        assert (reply.status, reply.header("Content-Type")) == (422, JSON)
        assert reply.body == (
            b'{\n "pool_dataset_create.name": [\n  {\n   "message": "Field required",\n   "errno": 22\n  }\n ]\n}'
        )


@pytest.mark.parametrize("release", REST)
@pytest.mark.asyncio
async def test_what_is_not_there_cannot_be_deleted_and_says_errno_2(release: str) -> None:
    async with box(release) as served:
        reply = await served.json("DELETE", "/sharing/nfs/id/4711")
        problems = json.loads(reply.body)
        assert (reply.status, reply.header("Content-Type")) == (422, JSON)
        ((key, (problem,)),) = problems.items()
        assert key in ("null", "")
        assert (list(problem), problem["errno"]) == (["message", "errno"], 2)


@pytest.mark.parametrize("release", [release for release in REST if release not in ("25.04.0", "25.04.1")])
@pytest.mark.asyncio
async def test_refusal_of_a_method_has_its_words_without_a_prefix(release: str) -> None:
    async with box(release) as served:
        reply = await served.json("POST", "/vm/id/1/start")
        told = json.loads(reply.body)
        assert (reply.status, reply.header("Content-Type"), list(told)) == (422, JSON, ["message", "errno"])
        assert not told["message"].startswith("[")
        assert isinstance(told["errno"], int)


@pytest.mark.parametrize("release", REST)
@pytest.mark.asyncio
async def test_job_is_a_number_to_look_up(release: str) -> None:
    async with box(release) as served:
        reply = await served.json("POST", "/pool/id/1/scrub", "START")
        number = json.loads(reply.body)
        assert (reply.status, type(number)) == (200, int)
        (job,) = json.loads((await served.json("GET", f"/core/get_jobs?id={number}")).body)
        assert (job["id"], job["method"], job["state"]) == (number, "pool.scrub", "RUNNING")


@pytest.mark.parametrize("release", REST)
@pytest.mark.asyncio
async def test_rest_never_answers_429(release: str) -> None:
    async with box(release) as served:
        for _ in range(30):
            assert (await served.ask(f"{API}/system/info", headers={"Authorization": "Bearer no-x"})).status == 401
