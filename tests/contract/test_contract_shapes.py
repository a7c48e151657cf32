"""Every resource of every release has the keys, types and nullability of the fact sheet, over each of its faces."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.contract.box import Box, CallRefused, Rpc, Socket, box, said
from tests.contract.shape import RELEASES, REST, RPC, Resource, Shapes

ALL = {release: Shapes(release) for release in RELEASES}
FIXTURES = ("small-office", "baseline", "homelab")
Reading = Callable[[Resource], Awaitable[Any]]


async def _problems(release: str, read: Reading, *, rest: bool = False) -> list[str]:
    """What is wrong with any resource of a release, a line each."""
    found: list[str] = []
    for resource in ALL[release].resources:
        if rest and resource.rest is None:
            continue
        title = resource.rest if rest else f"{resource.method} {list(resource.params)}"
        try:
            value = await read(resource)
        except (CallRefused, AssertionError) as refused:
            found.append(f"{title}: {refused}")
        else:
            found += (f"{title} {problem}" for problem in ALL[release].problems(value, resource.returns))
    return found


def _calling(served: Box, socket: Socket) -> Reading:
    async def read(resource: Resource) -> Any:
        return await socket.call(resource.method, *served.placed(resource.params))

    return read


@pytest.mark.parametrize("fixture", FIXTURES)
@pytest.mark.parametrize("release", REST)
@pytest.mark.asyncio
async def test_resources_over_rest_have_the_shapes_of_the_sheet(release: str, fixture: str) -> None:
    async with box(release, fixture) as served:
        problems = await _problems(release, served.read, rest=True)
    assert not problems, said(problems)


@pytest.mark.parametrize("fixture", FIXTURES)
@pytest.mark.parametrize("release", RPC)
@pytest.mark.asyncio
async def test_resources_over_json_rpc_have_the_shapes_of_the_sheet(release: str, fixture: str) -> None:
    async with box(release, fixture) as served, served.rpc() as socket:
        problems = await _problems(release, _calling(served, socket))
    assert not problems, said(problems)


@pytest.mark.parametrize("release", ["24.04", "24.10"])
@pytest.mark.asyncio
async def test_resources_over_the_older_face_have_the_shapes_of_the_sheet(release: str) -> None:
    async with box(release, "small-office") as served, served.ddp() as socket:
        problems = await _problems(release, _calling(served, socket))
    assert not problems, said(problems)


@pytest.mark.parametrize("release", RPC)
@pytest.mark.asyncio
async def test_older_face_of_a_newer_release_turns_pools_back_into_those_of_24_10(release: str) -> None:
    async with box(release) as served, served.ddp() as socket:
        assert ALL["24.10"].problems(await socket.call("pool.query"), ["@pool"]) == []


@pytest.mark.parametrize("release", RPC)
@pytest.mark.asyncio
async def test_endpoint_of_an_older_version_shows_pools_as_that_version_did(release: str) -> None:
    async with box(release) as served, served.rpc("/api/v25.04.0") as socket:
        assert isinstance(socket, Rpc)
        assert ALL["25.04.0"].problems(await socket.call("pool.query"), ["@pool"]) == []


def test_a_wrong_value_is_noticed() -> None:
    shapes = ALL["24.10"]
    right = {"$date": 1}
    assert shapes.problems(right, "@date") == []
    for wrong in ({"$date": 1.0}, {"$date": True}, {"$date": None}, {}, {"$date": 1, "x": 1}, None, [right]):
        assert shapes.problems(wrong, "@date") != [], wrong
    assert shapes.problems(1, "@date|@property") != []
    assert shapes.problems({"state": "RUNNING", "more": 1}, {"state": "str", "...": "any"}) == []
    assert shapes.problems({"more": 1}, {"state": "str", "...": "any"}) != []
    assert shapes.problems({"vlan_tag": 1, "lag": 2}, {"/vlan_.*/": "int"}) == ["$: unexpected key lag"]


def test_bounds_belong_to_versions_and_not_to_names() -> None:
    shape = {"key <25.04.0": "int", "key >=25.04.0": "str", "all >=25.10.0": "bool"}
    assert ALL["24.10"].problems({"key": 1}, shape) == []
    assert ALL["25.04"].problems({"key": "1"}, shape) == []
    assert ALL["26.0"].problems({"key": "1"}, shape) == ["$: missing key all"]
