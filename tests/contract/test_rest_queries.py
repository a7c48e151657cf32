"""Paths and query strings of filterable GETs (truenas-api 2.1, 2.3), and the calls that change something."""

import json
from typing import Any
from urllib.parse import quote

import pytest

from mock_truenas.appliance.model import Alert
from tests.mock_truenas.wire import API, START_NS, Served, serving


async def _get(served: Served, target: str, method: str = "GET", body: bytes = b"") -> Any:
    reply = await served.ask(API + target, method, body=body)
    assert reply.status == 200, reply
    return json.loads(reply.body)


async def _names(served: Served, target: str) -> list[str]:
    return [row["name"] for row in await _get(served, target)]


@pytest.mark.parametrize("path", ["/system/info", "/pool", "/pool/dataset", "/disk", "/alert/list", "/boot/get_state"])
@pytest.mark.asyncio
async def test_trailing_slash_is_the_same_resource(path: str) -> None:
    async with serving() as served:
        assert await _get(served, path) == await _get(served, path + "/")


@pytest.mark.asyncio
async def test_items_are_found_by_their_id() -> None:
    async with serving() as served:
        pools, datasets = await _get(served, "/pool"), await _get(served, "/pool/dataset")
        for pool in pools:
            assert await _get(served, f"/pool/id/{pool['id']}") == pool
        for dataset in datasets:
            assert await _get(served, f"/pool/dataset/id/{quote(dataset['id'], safe='')}") == dataset
        for disk in await _get(served, "/disk"):
            assert await _get(served, f"/disk/id/{quote(disk['identifier'], safe='')}/") == disk
            assert await _get(served, f"/disk/id/{disk['identifier']}") == disk


@pytest.mark.asyncio
async def test_limit_and_offset_page_through_the_whole_list() -> None:
    async with serving("homelab") as served:
        everything = await _names(served, "/pool/dataset?limit=0")
        assert len(everything) == 40
        paged = [
            name
            for offset in range(0, 48, 12)
            for name in await _names(served, f"/pool/dataset?limit=12&offset={offset}")
        ]
        assert paged == everything
        assert await _names(served, "/pool/dataset?offset=99999999999999999999") == []


@pytest.mark.asyncio
async def test_count_is_a_bare_integer() -> None:
    async with serving("homelab") as served:
        assert (await served.ask(f"{API}/pool/dataset?count=true")).body == b"40"
        assert await _get(served, "/pool/dataset?count=true&type=VOLUME") == 4
        assert len(await _get(served, "/disk?count=false")) == 12


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("name=sda", ["sda"]),
        ("name__eq=sda", ["sda"]),
        ("name__neq=sda&type=HDD", ["sdb", "sdc"]),
        ("type=SSD", ["nvme0n1"]),
        ("size__gt=4000000000000", ["sda", "sdb", "sdc"]),
        ("size__lte=1000204886016", ["nvme0n1"]),
        ("name__regex=nv", ["nvme0n1"]),
        ("name__~=sd[ab]", ["sda", "sdb"]),
        ("name__^=sd", ["sda", "sdb", "sdc"]),
        ("name__!^=sd", ["nvme0n1"]),
        ("name__%24=c", ["sdc"]),
        ("name__C%3D=SDA", ["sda"]),
        ("rotationrate=null", ["nvme0n1"]),
        ("togglesmart=true&type=SSD", ["nvme0n1"]),
        ("rotationrate__gt=0", ["sda", "sdb", "sdc"]),
        ("nosuchfield=1", []),
        ("nosuchfield__neq=1", []),
        ("pool=tank", []),
        ("pool=tank&extra.pools=true", ["sda", "sdb"]),
    ],
)
@pytest.mark.asyncio
async def test_filter_selects(query: str, names: list[str]) -> None:
    async with serving() as served:
        assert await _names(served, f"/disk?{query}") == names


@pytest.mark.asyncio
async def test_filter_reaches_into_objects() -> None:
    async with serving("homelab") as served:
        assert await _names(served, "/pool/dataset?readonly.parsed=true&name__regex=.*/home") == ["vault/replica/home"]


@pytest.mark.asyncio
async def test_disks_tell_their_pool_only_when_asked() -> None:
    async with serving() as served:
        assert {disk["pool"] for disk in await _get(served, "/disk")} == {None}
        pools = {disk["name"]: disk["pool"] for disk in await _get(served, "/disk?extra.pools=true")}
        assert pools == {"sda": "tank", "sdb": "tank", "sdc": "backup", "nvme0n1": "fast"}


def _childless(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != "children"}


@pytest.mark.asyncio
async def test_datasets_without_children_are_the_roots_alone() -> None:
    async with serving("homelab") as served:
        rows = {row["name"]: row for row in await _get(served, "/pool/dataset")}
        lean = await _get(served, "/pool/dataset?extra.retrieve_children=false")
        assert lean == [_childless(rows[name]) for name in ("tank", "flash", "vault")]


@pytest.mark.asyncio
async def test_datasets_not_flat_are_the_roots_with_all_below() -> None:
    async with serving("homelab") as served:
        rows = {row["name"]: row for row in await _get(served, "/pool/dataset")}
        tree = await _get(served, "/pool/dataset?extra.flat=false")
        assert tree == [rows[name] for name in ("tank", "flash", "vault")]


@pytest.mark.parametrize("key", ["id", "name"])
@pytest.mark.asyncio
async def test_dataset_asked_for_by_name_is_found_whatever_the_options(key: str) -> None:
    async with serving("homelab") as served:
        rows = {row["name"]: row for row in await _get(served, "/pool/dataset")}
        home = rows["tank/home"]
        assert await _get(served, f"/pool/dataset?{key}=tank/home") == [home]
        assert await _get(served, f"/pool/dataset?{key}=tank/home&extra.flat=false") == [home]
        assert await _get(served, f"/pool/dataset?{key}=tank/home&extra.retrieve_children=false") == [_childless(home)]
        assert await _get(served, "/pool/dataset/id/tank%2Fhome?extra.flat=false") == home
        assert await _get(served, "/pool/dataset/id/tank%2Fhome?extra.retrieve_children=false") == _childless(home)
        assert await _get(served, f"/pool/dataset?{key}=tank/none") == []


@pytest.mark.asyncio
async def test_only_the_properties_asked_for_are_sent() -> None:
    always = {"id", "name", "type", "pool", "encrypted", "encryption_root", "key_loaded", "locked"}
    always |= {"mountpoint", "user_properties"}
    async with serving() as served:
        query = quote('["used", "available", "nosuch"]')
        for row in await _get(served, f"/pool/dataset?extra.retrieve_children=false&extra.properties={query}"):
            assert set(row) == always | {"used", "available"}
        for row in await _get(served, "/pool/dataset?extra.retrieve_children=false&extra.properties=[]"):
            assert set(row) == always
        everything = await _get(served, "/pool/dataset?extra.properties=null")
        assert everything == await _get(served, "/pool/dataset")


@pytest.mark.asyncio
async def test_is_upgraded_is_sent_only_when_asked() -> None:
    async with serving() as served:
        assert all("is_upgraded" not in pool for pool in await _get(served, "/pool"))
        assert all(pool["is_upgraded"] is True for pool in await _get(served, "/pool?extra.is_upgraded=true"))


@pytest.mark.asyncio
async def test_temperatures_are_by_name_and_null_where_there_is_none() -> None:
    async with serving("small-office") as served:
        path = "/disk/temperatures"
        every = await _get(served, path, "POST", b'{"names": []}')
        assert sorted(every) == ["sda", "sdb", "sdc", "sdd"]
        assert every["sdd"] is None
        options = b'{"names": ["sda", "zz"], "options": {"cache": 290, "only_cached": false, "powermode": "NEVER"}}'
        assert await _get(served, path, "POST", options) == {"sda": every["sda"], "zz": None}


@pytest.mark.asyncio
async def test_alert_is_dismissed_and_restored_by_uuid() -> None:
    async with serving() as served:
        uuid = "0b8c1c8e-7f0e-4a51-9a0d-2f2f6d0c1b11"
        served.nas.appliance.raise_alert(Alert(uuid, "A", "INFO", "text", START_NS))
        for path, dismissed in [("/alert/dismiss", True), ("/alert/restore", False)]:
            assert (await served.ask(API + path, "POST", body=json.dumps(uuid).encode())).body == b"null"
            assert [alert["dismissed"] for alert in await _get(served, "/alert/list")] == [dismissed]
        assert (await served.ask(f"{API}/alert/dismiss", "POST", body=b'"unknown"')).body == b"null"
        assert (await served.ask(f"{API}/alert/dismiss", "POST", body=b"7")).status == 422
        assert (await served.ask(f"{API}/alert/dismiss", "POST")).status == 422


@pytest.mark.asyncio
async def test_change_of_state_shows_at_once_in_every_kept_answer() -> None:
    async with serving() as served:
        queries = ("/disk", "/disk?name=sda", "/pool/dataset", "/pool")
        before = [await _get(served, query) for query in queries]
        served.nas.appliance.change_disk("sda", serial="CHANGED")
        served.nas.appliance.change_dataset("tank", readonly=True)
        served.nas.appliance.change_pool("tank", status="DEGRADED")
        after = [await _get(served, query) for query in queries]
        assert [old == new for old, new in zip(before, after, strict=True)] == [False] * 4
