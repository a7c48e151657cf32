"""Datasets made, changed, locked and destroyed over REST, and what each tells afterwards (truenas-api 2.4, 3.3)."""

from dataclasses import replace
from typing import Any

import pytest

from tests.contract.box import Box, box
from tests.mock_truenas.storage import REST_RELEASES, answer, ask, job

releases = pytest.mark.parametrize("release", REST_RELEASES)


async def one(nas: Box, name: str) -> Any:
    return await ask(nas, f"GET /pool/dataset/id/{name.replace('/', '%2F')}")


async def sums(nas: Box) -> None:
    """Every dataset uses what it, its snapshots and its children use."""
    for row in await ask(nas, "GET /pool/dataset"):
        parts = ("usedbydataset", "usedbysnapshots", "usedbychildren", "usedbyrefreservation")
        assert row["used"]["parsed"] == sum(row[part]["parsed"] for part in parts), row["name"]
        assert row["usedbychildren"]["parsed"] == sum(child["used"]["parsed"] for child in row["children"])


@releases
@pytest.mark.asyncio
async def test_dataset_is_made_with_what_was_given_and_shown_in_its_place(release: str) -> None:
    async with box(release) as nas:
        before = await one(nas, "tank")
        given = {
            "name": "tank/new",
            "compression": "ZSTD",
            "recordsize": "1M",
            "quota": 1 << 30,
            "comments": "for a test",
            "atime": "ON",
            "readonly": "ON",
            "user_properties": [{"key": "org.example:who", "value": "me"}],
        }
        made = await ask(nas, "POST /pool/dataset", given)
        assert made == await one(nas, "tank/new")
        shown = {name: (made[name]["value"], made[name]["source"]) for name in ("compression", "recordsize", "atime")}
        assert shown == {"compression": ("ZSTD", "LOCAL"), "recordsize": ("1M", "LOCAL"), "atime": ("ON", "LOCAL")}
        assert (made["quota"]["parsed"], made["quota"]["rawvalue"]) == (1 << 30, str(1 << 30))
        assert (made["comments"]["value"], made["readonly"]["parsed"]) == ("for a test", True)
        assert made["user_properties"]["org.example:who"]["value"] == "me"
        assert (made["mountpoint"], made["type"], made["children"]) == ("/mnt/tank/new", "FILESYSTEM", [])
        names = [row["name"] for row in await ask(nas, "GET /pool/dataset")]
        assert names.index("tank") < names.index("tank/documents") < names.index("tank/new") < names.index("fast")
        parent = await one(nas, "tank")
        assert parent["available"]["parsed"] < before["available"]["parsed"]
        await sums(nas)


@releases
@pytest.mark.asyncio
async def test_volume_has_its_own_properties_and_not_those_of_filesystems(release: str) -> None:
    async with box(release) as nas:
        made = await ask(nas, "POST /pool/dataset", {"name": "tank/disk", "type": "VOLUME", "volsize": 1 << 30})
        assert (made["type"], made["mountpoint"], made["volsize"]["parsed"]) == ("VOLUME", None, 1 << 30)
        assert made["volblocksize"]["value"] == "16K"
        assert {"recordsize", "quota", "aclmode", "atime"} & made.keys() == set()
        grown = await ask(nas, "PUT /pool/dataset/id/tank%2Fdisk", {"volsize": 2 << 30})
        assert (grown["volsize"]["value"], grown["used"]["parsed"]) == ("2G", 2 << 30)
        await sums(nas)


@releases
@pytest.mark.asyncio
async def test_settings_are_inherited_until_they_are_set_and_again_once_they_are_not(release: str) -> None:
    async with box(release) as nas:
        await ask(nas, "POST /pool/dataset", {"name": "tank/documents/sub"})
        inherited = (await one(nas, "tank/documents/sub"))["compression"]
        assert (inherited["value"], inherited["source"], inherited["source_info"]) == (
            "ZSTD",
            "INHERITED",
            "tank/documents",
        )
        path = "PUT /pool/dataset/id/tank%2Fdocuments%2Fsub"
        own = (await ask(nas, path, {"compression": "LZ4"}))["compression"]
        assert (own["value"], own["source"], own["source_info"]) == ("LZ4", "LOCAL", None)
        assert (await ask(nas, path, {"compression": "INHERIT"}))["compression"] == inherited


REFUSED: list[tuple[dict[str, Any], str, int]] = [
    ({"name": "documents"}, "name", 22),
    ({"name": "tank/documents"}, "name", 17),
    ({"name": "nowhere/x"}, "name", 2),
    ({"name": "tank/a/b"}, "name", 2),
    *(({"name": f"tank/{name}"}, "name", 22) for name in ("a@b", "a/", "a//b", " a", "..", "\ud800", "a" * 300)),
    ({"name": "tank/v", "type": "VOLUME"}, "volsize", 22),
    ({"name": "tank/v", "type": "VOLUME", "volsize": 1000}, "volsize", 22),
    ({"name": "tank/v", "volsize": 1 << 30}, "volsize", 22),
    ({"name": "tank/v", "type": "VOLUME", "volsize": 1 << 30, "recordsize": "1M"}, "recordsize", 22),
    ({"name": "tank/x", "recordsize": "big"}, "recordsize", 22),
    ({"name": "tank/x", "compression": "zstd"}, "compression", 22),
    ({"name": "tank/x", "sync": "always"}, "sync", 22),
    ({"name": "tank/x", "quota": "1G"}, "quota", 22),
    ({"name": "tank/x", "no_such": 1}, "no_such", 22),
    ({}, "name", 22),
]


@releases
@pytest.mark.parametrize(("given", "field", "errno"), REFUSED, ids=lambda value: str(value)[:60])
@pytest.mark.asyncio
async def test_what_cannot_be_made_is_refused_by_field_and_changes_nothing(
    release: str, given: dict[str, Any], field: str, errno: int
) -> None:
    async with box(release) as nas:
        before = nas.nas.appliance.truth()
        status, said = await answer(nas, "POST /pool/dataset", given)
        assert status == 422
        (problems,) = (said[key] for key in said if key == f"pool_dataset_create.{field}")
        assert problems[0]["errno"] == errno
        assert problems[0]["message"]
        assert nas.nas.appliance.truth() == before


@releases
@pytest.mark.asyncio
async def test_dataset_is_destroyed_with_its_children_only_when_asked(release: str) -> None:
    async with box(release) as nas:
        before = await one(nas, "tank")
        await ask(nas, "POST /pool/dataset", {"name": "tank/a"})
        await ask(nas, "POST /pool/dataset", {"name": "tank/a/b"})
        status, said = await answer(nas, "DELETE /pool/dataset/id/tank%2Fa")
        assert (status, said["errno"]) == (422, 39)
        assert "has children" in said["message"]
        assert await ask(nas, "DELETE /pool/dataset/id/tank%2Fa", {"recursive": True}) is True
        for name in ("tank%2Fa", "tank%2Fa%2Fb"):
            assert await answer(nas, f"GET /pool/dataset/id/{name}") == (404, {"message": ""})
        assert (await one(nas, "tank"))["used"] == before["used"]
        assert (await answer(nas, "DELETE /pool/dataset/id/tank%2Fa"))[0] == 422
        assert (await answer(nas, "DELETE /pool/dataset/id/tank"))[0] == 422


@releases
@pytest.mark.asyncio
async def test_encrypted_dataset_is_locked_and_opened_with_all_it_is_the_root_of(release: str) -> None:
    async with box(release, "homelab") as nas:
        locked = await job(nas, "POST /pool/dataset/lock", {"id": "tank/private"})
        assert (locked["state"], locked["result"]) == ("SUCCESS", True)
        for name in ("tank/private", "tank/private/letters"):
            row = await one(nas, name)
            assert (row["locked"], row["key_loaded"]) == (True, False)
        for given, opened in (([], []), ([{"name": "tank/private", "passphrase": "sesame"}], ["tank/private"])):
            body = {"id": "tank/private", "unlock_options": {"datasets": given, "recursive": True}}
            done = await job(nas, "POST /pool/dataset/unlock", body)
            assert done["result"]["unlocked"] == opened
            assert list(done["result"]["failed"]) == ([] if opened else ["tank/private"])
        assert (await one(nas, "tank/private/letters"))["locked"] is False
        status, said = await answer(nas, "POST /pool/dataset/lock", {"id": "tank/media"})
        assert (status, said["errno"]) == (422, 22)


@releases
@pytest.mark.asyncio
async def test_system_datasets_are_hidden(release: str) -> None:
    async with box(release) as nas:
        appliance = nas.nas.appliance
        like = appliance.base.datasets["tank/documents"]
        hidden = ("tank/.system", "tank/.system/cores", "tank/ix-applications", "tank/ix-apps", "tank/.ix-virt")
        shown = ("tank/system", "tank/documents/.system")
        more = {name: replace(like, name=name) for name in (*hidden, *shown)}
        appliance.change(datasets={**appliance.base.datasets, **more})
        names = {row["name"] for row in await ask(nas, "GET /pool/dataset")}
        assert names & {*hidden, *shown} == set(shown)


@releases
@pytest.mark.asyncio
async def test_quota_is_set_told_and_taken_away(release: str) -> None:
    async with box(release) as nas:
        ask_for = {"ds": "tank/documents", "quota_type": "USER"}
        quota = {"quota_type": "USER", "id": "1000", "quota_value": 1 << 30}
        assert await ask(nas, "POST /pool/dataset/get_quota", ask_for) == []
        await ask(nas, "POST /pool/dataset/set_quota", {"ds": "tank/documents", "quotas": [quota]})
        (told,) = await ask(nas, "POST /pool/dataset/get_quota", ask_for)
        assert (told["id"], told["quota"]) == (1000, 1 << 30)
        assert not any("@" in key for key in await one(nas, "tank/documents"))
        nothing = {**quota, "quota_value": 0}
        await ask(nas, "POST /pool/dataset/set_quota", {"ds": "tank/documents", "quotas": [nothing]})
        assert await ask(nas, "POST /pool/dataset/get_quota", ask_for) == []


@releases
@pytest.mark.asyncio
async def test_details_are_the_tree_with_what_uses_it(release: str) -> None:
    async with box(release, "homelab") as nas:
        tree = await ask(nas, "GET /pool/dataset/details")
        assert [row["name"] for row in tree] == ["tank", "flash", "vault"]
        (private,) = (row for row in tree[0]["children"] if row["name"] == "tank/private")
        assert [row["name"] for row in private["children"]] == ["tank/private/letters"]
        for key in ("smb_shares", "nfs_shares", "snapshot_tasks_count", "snapshot_count", "locked", "used"):
            assert key in private
