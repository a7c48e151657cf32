"""Snapshots over REST on every release, and zfs.resource over JSON-RPC (truenas-api 3.8)."""

from typing import Any

import pytest

from mock_truenas.api.errors import MethodError
from tests.contract.box import Box, CallRefused, box
from tests.mock_truenas.calls import machine
from tests.mock_truenas.storage import REST_RELEASES, answer, ask, job, snapshots

releases = pytest.mark.parametrize("release", REST_RELEASES)
ITEM = "id/tank%2Fdocuments@one"


async def names(nas: Box, path: str, query: str = "") -> list[str]:
    return [row["name"] for row in await ask(nas, f"GET {path}{query}")]


async def taken(nas: Box, path: str, name: str = "one", **more: Any) -> Any:
    return await ask(nas, f"POST {path}", {"dataset": "tank/documents", "name": name, **more})


@releases
@pytest.mark.asyncio
async def test_snapshot_is_taken_and_told_of(release: str) -> None:
    path = snapshots(release)
    async with box(release) as nas:
        made = await taken(nas, path)
        assert list(made) == ["id", "properties", "pool", "name", "type", "snapshot_name", "dataset", "createtxg"]
        assert (made["id"], made["name"]) == ("tank/documents@one",) * 2
        assert (made["pool"], made["dataset"], made["snapshot_name"]) == ("tank", "tank/documents", "one")
        assert made["createtxg"].isdigit()
        assert await ask(nas, f"GET {path}/{ITEM}") == made
        seconds = nas.clock.at_ns // 10**9
        creation = made["properties"]["creation"]
        assert list(creation) == ["value", "rawvalue", "source", "parsed"]
        assert creation["rawvalue"] == str(seconds)
        assert creation["parsed"] == ({"$date": seconds * 1000} if release == "25.10" else seconds)
        status, said = await answer(nas, f"POST {path}", {"dataset": "tank/documents", "name": "one"})
        assert (status, said["errno"]) == (422, 17)


@pytest.mark.parametrize(("release", "gone"), [("24.10", "/pool/snapshot"), ("25.10", "/zfs/snapshot")])
@pytest.mark.asyncio
async def test_the_service_has_one_name_in_a_release(release: str, gone: str) -> None:
    async with box(release) as nas:
        assert await answer(nas, f"GET {gone}") == (404, "404: Not Found")


@releases
@pytest.mark.asyncio
async def test_recursive_snapshot_leaves_out_what_is_excluded(release: str) -> None:
    path = snapshots(release)
    async with box(release) as nas:
        for name in ("tank/a", "tank/a/b", "tank/c"):
            await ask(nas, "POST /pool/dataset", {"name": name})
        body = {"dataset": "tank", "naming_schema": "auto-%Y-%m-%d", "recursive": True, "exclude": ["tank/a"]}
        await ask(nas, f"POST {path}", body)
        found = await names(nas, path, "?snapshot_name=auto-2026-02-09")
        assert found == [f"{name}@auto-2026-02-09" for name in ("tank", "tank/c", "tank/documents")]
        assert await ask(nas, f"DELETE {path}/id/tank@auto-2026-02-09", {"recursive": True}) is True
        assert await names(nas, path, "?snapshot_name=auto-2026-02-09") == []


REFUSED: list[tuple[dict[str, Any], int, str]] = [
    ({"dataset": "tank"}, 422, "snapshot_create.naming_schema"),
    ({"dataset": "tank", "name": "a", "naming_schema": "b"}, 422, "snapshot_create.naming_schema"),
    ({"dataset": "tank", "name": "a", "exclude": ["tank/b"]}, 422, "snapshot_create.exclude"),
    ({"dataset": "tank", "name": "a@b"}, 422, "snapshot_create.name"),
    ({"name": "a"}, 422, "snapshot_create.dataset"),
    ({"dataset": "no", "name": "a"}, 422, "message"),
]


@releases
@pytest.mark.parametrize(("given", "status", "key"), REFUSED, ids=lambda value: str(value)[:50])
@pytest.mark.asyncio
async def test_snapshot_that_cannot_be_taken_is_refused(
    release: str, given: dict[str, Any], status: int, key: str
) -> None:
    async with box(release) as nas:
        before = len(nas.nas.appliance.base.snapshots)
        told, said = await answer(nas, f"POST {snapshots(release)}", given)
        assert (told, key in said) == (status, True), said
        assert len(nas.nas.appliance.base.snapshots) == before


@releases
@pytest.mark.asyncio
async def test_held_snapshot_stays_until_it_is_let_go_of(release: str) -> None:
    path = snapshots(release)
    async with box(release) as nas:
        await taken(nas, path)
        assert await ask(nas, f"POST {path}/hold", {"id": "tank/documents@one"}) is None
        (row,) = await ask(nas, f"GET {path}?id=tank/documents@one&extra.holds=true")
        assert row["holds"] == {"truenas": {"$date": nas.clock.at_ns // 10**9 * 1000}}
        assert "holds" not in (await ask(nas, f"GET {path}/{ITEM}"))
        status, said = await answer(nas, f"DELETE {path}/{ITEM}")
        assert (status, said["errno"]) == (422, 16)
        await ask(nas, f"POST {path}/release", {"id": "tank/documents@one"})
        assert await ask(nas, f"DELETE {path}/{ITEM}") is True
        assert await answer(nas, f"GET {path}/{ITEM}") == (404, {"message": ""})


@releases
@pytest.mark.asyncio
async def test_retention_is_told_of_a_snapshot_or_a_page_but_not_of_all(release: str) -> None:
    path = snapshots(release)
    async with box(release) as nas:
        await taken(nas, path)
        (row,) = await ask(nas, f"GET {path}?id=tank/documents@one&extra.retention=true")
        assert row["retention"] is None
        (row,) = await ask(nas, f"GET {path}?limit=1&extra.retention=true")
        assert "retention" in row
        status, said = await answer(nas, f"GET {path}?extra.retention=true")
        assert (status, said["errno"]) == (422, 22)


@releases
@pytest.mark.asyncio
async def test_count_and_chosen_txgs(release: str) -> None:
    path = snapshots(release)
    async with box(release) as nas:
        first = await taken(nas, path)
        nas.clock.at_ns += 60_000_000_000
        second = await taken(nas, path, "two")
        txg = int(second["createtxg"])
        assert int(first["createtxg"]) < txg
        assert await ask(nas, f"GET {path}?count=true") == len(await names(nas, path))
        assert "tank/documents@one" not in await names(nas, path, f"?extra.min_txg={txg}")
        assert "tank/documents@two" not in await names(nas, path, f"?extra.max_txg={txg - 1}")
        assert "tank/documents@two" in await names(nas, path, f"?extra.min_txg={txg}&extra.max_txg={txg}")


@releases
@pytest.mark.asyncio
async def test_rollback_destroys_newer_snapshots_only_when_it_may(release: str) -> None:
    path = snapshots(release)
    async with box(release) as nas:
        await taken(nas, path)
        nas.clock.at_ns += 60_000_000_000
        await taken(nas, path, "two")
        status, said = await answer(nas, f"POST {path}/rollback", {"id": "tank/documents@one"})
        assert (status, "tank/documents@two" in said["message"]) == (422, True)
        await ask(nas, f"POST {path}/rollback", {"id": "tank/documents@one", "options": {"recursive": True}})
        assert "tank/documents@two" not in await names(nas, path)
        assert "tank/documents@one" in await names(nas, path)


@releases
@pytest.mark.asyncio
async def test_clone_is_a_dataset(release: str) -> None:
    path = snapshots(release)
    async with box(release) as nas:
        await taken(nas, path)
        body = {"snapshot": "tank/documents@one", "dataset_dst": "tank/clone"}
        assert await ask(nas, f"POST {path}/clone", body) is True
        assert (await ask(nas, "GET /pool/dataset/id/tank%2Fclone"))["type"] == "FILESYSTEM"
        assert (await answer(nas, f"POST {path}/clone", body))[0] == 422


@releases
@pytest.mark.asyncio
async def test_snapshots_of_a_dataset_are_destroyed_by_a_job(release: str) -> None:
    path = snapshots(release)
    async with box(release) as nas:
        await taken(nas, path)
        done = await job(nas, "POST /pool/dataset/id/tank%2Fdocuments/destroy_snapshots", {"all": True})
        assert "tank/documents@one" in done["result"]
        assert not any(name.startswith("tank/documents@") for name in await names(nas, path))


@releases
@pytest.mark.asyncio
async def test_datasets_show_their_snapshots_when_asked(release: str) -> None:
    async with box(release) as nas:
        await taken(nas, snapshots(release))
        path = "GET /pool/dataset?id=tank/documents&extra.retrieve_children=false"
        (row,) = await ask(nas, f"{path}&extra.snapshots=true&extra.snapshots_count=true")
        assert "tank/documents@one" in [shown["name"] for shown in row["snapshots"]]
        assert row["snapshot_count"] == len(row["snapshots"])
        (row,) = await ask(nas, path)
        assert not {"snapshots", "snapshot_count"} & row.keys()


@pytest.mark.parametrize("release", ["25.10", "26.0"])
@pytest.mark.asyncio
async def test_resource_query_gives_datasets_by_path(release: str) -> None:
    async with box(release) as nas, nas.rpc() as rpc:
        (tank,) = await rpc.call("zfs.resource.query", {"paths": ["tank"], "properties": ["used", "compression"]})
        assert list(tank["properties"]) == ["compression", "used"]
        used = tank["properties"]["used"]
        assert (type(used["value"]), used["raw"]) == (int, str(used["value"]))
        assert (type(tank["guid"]), type(tank["createtxg"]), tank["pool"]) == (int, int, "tank")
        bare = await rpc.call("zfs.resource.query", {"properties": None})
        assert [row["name"] for row in bare] == ["tank", "fast", "backup"]
        assert {row["properties"] for row in bare} == {None}
        every = {"paths": ["tank"], "get_children": True, "properties": ["used"]}
        assert [row["name"] for row in await rpc.call("zfs.resource.query", every)] == ["tank", "tank/documents"]
        (root,) = await rpc.call("zfs.resource.query", {**every, "nest_results": True})
        assert [row["name"] for row in root["children"]] == ["tank/documents"]
        with pytest.raises(CallRefused):
            await rpc.call("zfs.resource.query", {"paths": ["tank@x"]})


@pytest.mark.asyncio
async def test_resource_snapshot_query_gives_snapshots_by_path() -> None:
    async with box("26.0") as nas, nas.rpc() as rpc:
        await rpc.call("pool.snapshot.create", {"dataset": "tank/documents", "name": "one"})
        asked = {"paths": ["tank/documents"], "properties": ["used"], "get_holds": True}
        row = next(row for row in await rpc.call("zfs.resource.snapshot.query", asked) if row["snapshot_name"] == "one")
        assert (row["name"], row["dataset"], row["type"]) == ("tank/documents@one", "tank/documents", "SNAPSHOT")
        assert (list(row["properties"]), row["holds"]) == (["used"], [])
        assert await rpc.call("zfs.resource.snapshot.query", {"paths": ["fast/no"]}) == []
        below = {"paths": ["tank"], "recursive": True}
        assert "tank/documents@one" in [row["name"] for row in await rpc.call("zfs.resource.snapshot.query", below)]


@pytest.mark.asyncio
async def test_snapshot_is_renamed_within_its_dataset() -> None:
    async with box("25.10") as nas:
        await taken(nas, "/pool/snapshot")
        body = {"id": "tank/documents@one", "options": {"new_name": "tank/documents@two"}}
        await ask(nas, "POST /pool/snapshot/rename", body)
        found = await names(nas, "/pool/snapshot")
        assert ("tank/documents@two" in found, "tank/documents@one" in found) == (True, False)
        body = {"id": "tank/documents@two", "options": {"new_name": "tank@two"}}
        assert (await answer(nas, "POST /pool/snapshot/rename", body))[0] == 422


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("zfs.snapshot.create", [{"dataset": "tank", "name": "a"}]),
        ("pool.dataset.create", [{"name": "tank/new"}]),
        ("pool.dataset.update", ["tank/media", {"readonly": "ON"}]),
        ("pool.dataset.delete", ["tank/media", {}]),
        ("pool.scrub.run", ["tank"]),
    ],
)
def test_what_is_not_imported_yet_cannot_be_changed(method: str, arguments: list[Any]) -> None:
    box = machine("25.04")
    box.appliance.reboot()
    before = box.appliance.base
    with pytest.raises(MethodError):
        box.call(method, *arguments)
    assert box.appliance.base.datasets == before.datasets
    assert box.appliance.base.snapshots == before.snapshots
