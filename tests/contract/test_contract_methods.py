"""Every method and path of ``methods.json`` answers where it is listed, and is not found in the words of the others."""

import json
from pathlib import Path

import pytest

from tests.contract.box import box
from tests.contract.shape import RELEASES, REST, RPC, applies

_DOCUMENT = json.loads((Path(__file__).parent / "methods.json").read_text("utf-8"))
ROWS: list[tuple[str, str | None]] = [(name, rest) for name, rest in _DOCUMENT["methods"]]
TEXT_404 = (404, "text/plain; charset=utf-8", b"404: Not Found")


def listed(release: str) -> dict[str, str | None]:
    """Methods of a release with their REST calls."""
    found = ((applies(name, release), rest) for name, rest in ROWS)
    return {name: rest for name, rest in found if name is not None}


def unlisted(release: str) -> list[str]:
    """Methods it must not know: those of other releases, and those of none."""
    here = listed(release)
    others = {name.partition(" ")[0] for name, _ in ROWS} - here.keys()
    return [*sorted(others), *_DOCUMENT["nowhere"]["methods"]]


@pytest.mark.parametrize("release", REST)
@pytest.mark.asyncio
async def test_every_listed_path_answers(release: str) -> None:
    missing = []
    async with box(release) as served:
        for method, rest in listed(release).items():
            if rest is not None:
                verb, _, target = rest.partition(" ")
                reply = await served.json(verb, target, None if verb == "GET" else {})
                body_404 = (reply.status, reply.header("Content-Type"), reply.body)
                if body_404 == TEXT_404 or reply.status in (405, 500, 501):
                    missing.append(f"{method} {rest}: {reply.status} {reply.body[:80]!r}")
    assert missing == []


@pytest.mark.parametrize("release", REST)
@pytest.mark.asyncio
async def test_every_unlisted_path_is_the_text_404(release: str) -> None:
    here = {rest for rest in listed(release).values() if rest}
    gone = {rest for _, rest in ROWS if rest} - here
    found = []
    async with box(release) as served:
        for rest in [*sorted(gone), *_DOCUMENT["nowhere"]["rest"]]:
            verb, _, target = rest.partition(" ")
            reply = await served.json(verb, target, None if verb == "GET" else {})
            if (reply.status, reply.header("Content-Type"), reply.body) != TEXT_404:
                found.append(f"{rest}: {reply.status} {reply.body[:80]!r}")
    assert found == []


@pytest.mark.parametrize("release", REST)
@pytest.mark.asyncio
async def test_every_listed_item_that_is_not_there_is_the_json_404(release: str) -> None:
    wrong = []
    async with box(release) as served:
        for rest in listed(release).values():
            if rest is not None and rest.startswith("GET ") and "/id/" in rest:
                reply = await served.json("GET", rest[4:])
                if (reply.status, reply.body) != (404, b'{\n "message": ""\n}'):
                    wrong.append(f"{rest}: {reply.status} {reply.body[:80]!r}")
    assert wrong == []


@pytest.mark.parametrize("release", RPC)
@pytest.mark.asyncio
async def test_every_listed_method_answers_over_json_rpc(release: str) -> None:
    missing = []
    async with box(release) as served, served.rpc() as socket:
        for method in listed(release):
            frame = await socket.answer(method)
            code = frame.get("error", {}).get("code")
            if code in (-32601, -32603, -32000):
                missing.append(f"{method}: {frame['error']}")
    assert missing == []


@pytest.mark.parametrize("release", RPC)
@pytest.mark.asyncio
async def test_every_unlisted_method_does_not_exist_over_json_rpc(release: str) -> None:
    async with box(release) as served, served.rpc() as socket:
        answers = {method: (await socket.answer(method)).get("error") for method in unlisted(release)}
    expected = {"code": -32601, "message": "Method does not exist"}
    assert {method: error for method, error in answers.items() if error != expected} == {}


@pytest.mark.parametrize("release", RPC)
@pytest.mark.asyncio
async def test_method_that_came_later_than_the_endpoint_is_missing_there(release: str) -> None:
    async with box(release) as served, served.rpc("/api/v25.04.0") as socket:
        frame = await socket.answer("pool.snapshot.query")
        error = frame["error"]
        assert error["code"] == -32601 or error["data"]["error"] == 201, frame


@pytest.mark.parametrize("release", ["24.04", "24.10"])
@pytest.mark.asyncio
async def test_every_listed_method_answers_on_the_older_face(release: str) -> None:
    missing = []
    async with box(release) as served, served.ddp() as socket:
        for method in listed(release):
            # Subscribing is a message there, and 24.x has its own words for a login.
            if method.startswith("core.") and method.endswith("subscribe"):
                continue
            frame = await socket.answer(method)
            if frame.get("error", {}).get("error") == 201:
                missing.append(f"{method}: {frame['error']}")
    assert missing == []


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.asyncio
async def test_every_unlisted_method_is_told_in_the_words_of_the_older_face(release: str) -> None:
    model = "24.10" if release in RPC else release  # what that face speaks there
    services = {name.rpartition(".")[0] for name in listed(model)}
    wrong = []
    async with box(release) as served, served.ddp() as socket:
        for method in unlisted(model):
            if release in RPC and method not in _DOCUMENT["nowhere"]["methods"]:
                continue
            service, _, verb = method.rpartition(".")
            known = f"[ENOMETHOD] Method {verb!r} not found in {service!r}"
            unknown = f"Service {service!r} not found"
            error = (await socket.answer(method)).get("error", {})
            reason = str(error.get("reason"))
            right = reason == known if service in services else reason.endswith(unknown)
            if (error.get("error"), error.get("errname"), right) != (201, "ENOMETHOD", True):
                wrong.append(f"{method}: {error}")
    assert wrong == []
