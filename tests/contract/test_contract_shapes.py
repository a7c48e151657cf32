"""Every resource of every release has the keys, types and nullability of the fact sheet, over every face that has it."""

from collections.abc import Iterator

import pytest

from tests.contract.box import Rpc, box
from tests.contract.shape import RELEASES, REST, RPC, Resource, Shapes

ALL = {release: Shapes(release) for release in RELEASES}


def _cases(releases: tuple[str, ...], *, rest: bool) -> Iterator[object]:
    for release in releases:
        for resource in ALL[release].resources:
            if resource.rest is not None or not rest:
                title = resource.title if rest else f"{resource.method} {list(resource.params) or ''}"
                yield pytest.param(release, resource, id=f"{release} {title}")


@pytest.mark.parametrize(("release", "resource"), list(_cases(REST, rest=True)))
@pytest.mark.asyncio
async def test_resource_over_rest_has_the_shape_of_the_sheet(release: str, resource: Resource) -> None:
    async with box(release, "small-office") as served:
        assert ALL[release].problems(await served.read(resource), resource.returns) == []


@pytest.mark.parametrize(("release", "resource"), list(_cases(RPC, rest=False)))
@pytest.mark.asyncio
async def test_resource_over_json_rpc_has_the_shape_of_the_sheet(release: str, resource: Resource) -> None:
    async with box(release, "small-office") as served, served.rpc() as socket:
        value = await socket.call(resource.method, *resource.params)
        assert ALL[release].problems(value, resource.returns) == []


@pytest.mark.parametrize(("release", "resource"), list(_cases(("24.04", "24.10"), rest=False)))
@pytest.mark.asyncio
async def test_resource_over_the_older_face_has_the_shape_of_the_sheet(release: str, resource: Resource) -> None:
    async with box(release, "small-office") as served, served.ddp() as socket:
        value = await socket.call(resource.method, *resource.params)
        assert ALL[release].problems(value, resource.returns) == []


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


@pytest.mark.parametrize("fixture", ["baseline", "homelab"])
@pytest.mark.parametrize("release", REST)
@pytest.mark.asyncio
async def test_other_fixtures_have_the_same_shapes(release: str, fixture: str) -> None:
    async with box(release, fixture) as served:
        problems = []
        for resource in ALL[release].resources:
            if resource.rest is not None:
                reply = await served.json(*resource.rest.split(" "), resource.body)
                if reply.status != 200:
                    problems.append(f"{resource.rest}: {reply.status} {reply.body[:200]!r}")
                    continue
                value = await served.read(resource)
                problems += [f"{resource.rest} {problem}" for problem in ALL[release].problems(value, resource.returns)]
        assert problems == []


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
