"""What resources say in every state of the appliance: numbers add up, nulls are where the fact sheet has them."""

import json
from dataclasses import replace
from typing import Any

import pytest

from mock_truenas.appliance.model import Alert
from tests.contract.shape import Shapes
from tests.mock_truenas.wire import API, START_NS, Served, serving

SHAPES = Shapes("24.10")
FIXTURES = ("baseline", "small-office", "homelab")


async def _get(served: Served, call: str) -> Any:
    method, _, target = call.partition(" ")
    reply = await served.ask(API + target, method)
    assert (reply.status, reply.header("Content-Type")) == (200, "application/json; charset=utf-8"), call
    value = json.loads(reply.body)
    assert reply.body == json.dumps(value, indent=1).encode(), "printed with one space of indent"
    return value


@pytest.mark.parametrize(
    ("fixture", "counts"), [("baseline", (3, 5, 4)), ("small-office", (1, 5, 4)), ("homelab", (3, 40, 12))]
)
@pytest.mark.asyncio
async def test_fixture_has_its_number_of_pools_datasets_and_disks(fixture: str, counts: tuple[int, int, int]) -> None:
    async with serving(fixture) as served:
        found = tuple([len(await _get(served, f"GET {path}")) for path in ("/pool", "/pool/dataset", "/disk")])
        assert found == counts
        truth = served.nas.appliance.truth()
        assert tuple(len(truth[part]) for part in ("pools", "datasets", "disks")) == counts


@pytest.mark.parametrize("fixture", FIXTURES)
@pytest.mark.asyncio
async def test_leaves_have_device_and_disk_and_inner_vdevs_do_not(fixture: str) -> None:
    async with serving(fixture) as served:
        names = {disk["name"] for disk in await _get(served, "GET /disk")}
        for pool in await _get(served, "GET /pool"):
            vdevs = [vdev for group in pool["topology"].values() for vdev in group]
            for vdev in vdevs:
                assert ("device" in vdev, "disk" in vdev) == (vdev["type"] == "DISK",) * 2
                assert (vdev["path"] is None) == (vdev["type"] != "DISK")
                vdevs += vdev["children"]
            assert {vdev["disk"] for vdev in vdevs if vdev["type"] == "DISK"} <= names


@pytest.mark.parametrize("fixture", FIXTURES)
@pytest.mark.asyncio
async def test_pool_numbers_add_up_and_their_texts_agree(fixture: str) -> None:
    async with serving(fixture) as served:
        for pool in await _get(served, "GET /pool"):
            assert pool["size"] == pool["allocated"] + pool["free"]
            for name in ("size", "allocated", "free", "freeing"):
                assert pool[f"{name}_str"] == str(pool[name])


@pytest.mark.asyncio
async def test_exported_pool_has_nulls_and_is_unhealthy() -> None:
    async with serving() as served:
        served.nas.appliance.change_pool("backup", status="OFFLINE")
        pool = next(pool for pool in await _get(served, "GET /pool") if pool["name"] == "backup")
        assert SHAPES.problems(pool, "@pool") == []
        nulls = {"scan", "topology", "fragmentation"}
        nulls |= {f"{name}{end}" for name in ("size", "allocated", "free", "freeing") for end in ("", "_str")}
        assert {name for name in nulls if pool[name] is not None} == set()
        assert (pool["status"], pool["healthy"], pool["autotrim"]["value"]) == ("OFFLINE", False, "off")


@pytest.mark.parametrize(
    ("code", "healthy", "warning"),
    [
        ("OK", True, False),
        ("FEAT_DISABLED", True, True),
        ("FAILING_DEV", False, False),
        ("MISSING_DEV_R", False, False),
    ],
)
@pytest.mark.asyncio
async def test_health_follows_the_status_code(code: str, healthy: bool, warning: bool) -> None:
    async with serving() as served:
        served.nas.appliance.change_pool("tank", status_code=code)
        pool = await _get(served, "GET /pool/id/1")
        assert (pool["healthy"], pool["warning"]) == (healthy, warning)


@pytest.mark.asyncio
async def test_running_scrub_moves_with_the_clock_and_ends() -> None:
    async with serving() as served:
        served.nas.appliance.start_scrub("tank", takes_ns=1000 * 10**9)
        seen = []
        for second in (0, 250, 1000):
            served.clock.at_ns = START_NS + second * 10**9
            pool = (await _get(served, "GET /pool"))[0]
            assert SHAPES.problems(pool, "@pool") == []
            scan = pool["scan"]
            seen.append((scan["state"], scan["percentage"], scan["total_secs_left"], scan["end_time"]))
        assert seen == [
            ("SCANNING", 0.0, 1000, None),
            ("SCANNING", 25.0, 750, None),
            ("FINISHED", 100.0, None, {"$date": START_NS // 10**6 + 1_000_000}),
        ]


@pytest.mark.asyncio
async def test_pool_never_scanned_has_a_scan_of_nulls() -> None:
    async with serving() as served:
        served.nas.appliance.change_pool("tank", scan=None)
        scan = (await _get(served, "GET /pool"))[0]["scan"]
        assert SHAPES.problems(scan, "@scan") == []
        assert set(scan.values()) == {None}


@pytest.mark.asyncio
async def test_missing_disk_shows_as_unavail_with_its_whole_row() -> None:
    async with serving() as served:
        pool = served.nas.appliance.state.pools["tank"]
        mirror = pool.topology.data[0]
        gone = replace(mirror.children[1], status="UNAVAIL")
        broken = replace(mirror, status="DEGRADED", children=(mirror.children[0], gone))
        served.nas.appliance.change_pool(
            "tank", status="DEGRADED", status_code="MISSING_DEV_R", topology=replace(pool.topology, data=(broken,))
        )
        shown = (await _get(served, "GET /pool"))[0]
        assert SHAPES.problems(shown, "@pool") == []
        leaf = shown["topology"]["data"][0]["children"][1]
        assert (leaf["status"], leaf["device"], leaf["disk"]) == ("UNAVAIL", None, None)
        assert leaf["unavail_disk"]["name"] == "sdb"


@pytest.mark.asyncio
async def test_datasets_appear_flat_and_inside_each_ancestor() -> None:
    async with serving("homelab") as served:
        rows = {row["name"]: row for row in await _get(served, "GET /pool/dataset")}
        for name, row in rows.items():
            inside = [child["name"] for child in row["children"]]
            assert inside == [other for other in rows if other.rpartition("/")[0] == name]
            assert all(child == rows[child["name"]] for child in row["children"])
            parsed = {key: row[key]["parsed"] for key in row if key.startswith("used") and key != "user_properties"}
            assert parsed["used"] == sum(parsed.values()) - parsed["used"]
            assert parsed["usedbychildren"] == sum(child["used"]["parsed"] for child in row["children"])


@pytest.mark.asyncio
async def test_volume_and_filesystem_have_their_own_properties() -> None:
    volume_only = {"volsize", "volblocksize"}
    filesystem_only = {"recordsize", "quota", "refquota", "aclmode", "acltype", "atime", "casesensitivity"}
    async with serving("homelab") as served:
        rows = await _get(served, "GET /pool/dataset")
        assert {row["type"] for row in rows} == {"FILESYSTEM", "VOLUME"}
        for row in rows:
            has, lacks = volume_only, filesystem_only
            if row["type"] == "FILESYSTEM":
                has, lacks = lacks, has
            assert has <= set(row)
            assert lacks.isdisjoint(row)
            assert (row["mountpoint"] is None) == (row["type"] == "VOLUME")


@pytest.mark.asyncio
async def test_encrypted_readonly_and_locked_datasets_exist_and_say_so() -> None:
    async with serving("homelab") as served:
        rows = {row["name"]: row for row in await _get(served, "GET /pool/dataset")}
        sealed, letters, replica = rows["tank/sealed"], rows["tank/private/letters"], rows["vault/replica"]
        assert (sealed["encrypted"], sealed["key_loaded"], sealed["locked"]) == (True, False, True)
        assert (letters["encryption_root"], letters["key_format"]["source_info"]) == ("tank/private", "tank/private")
        assert (replica["readonly"]["value"], replica["readonly"]["parsed"]) == ("ON", True)
        assert (rows["tank"]["key_loaded"], rows["tank"]["locked"]) == (None, False)


@pytest.mark.asyncio
async def test_keys_that_no_version_has_are_not_sent() -> None:
    async with serving() as served:
        for row in await _get(served, "GET /pool/dataset"):
            assert "mounted" not in row
        for row in await _get(served, "GET /disk"):
            assert {"status", "health", "temperature", "smart_status"}.isdisjoint(row)


@pytest.mark.asyncio
async def test_alerts_are_sorted_by_gravity_and_formatted_with_their_arguments() -> None:
    async with serving() as served:
        nas = served.nas.appliance
        uuid = "00000000-0000-4000-8000-00000000000{}"
        nas.raise_alert(Alert(uuid.format(1), "A", "INFO", "%(x)d%%", START_NS, {"x": 7}))
        nas.raise_alert(Alert(uuid.format(2), "B", "CRITICAL", "%s and %s", START_NS, ["a", "b"]))
        nas.raise_alert(Alert(uuid.format(3), "C", "WARNING", "%(gone)s", START_NS, {}))
        nas.raise_alert(Alert(uuid.format(4), "D", "NOTICE", "plain 100%", START_NS))
        rows = await _get(served, "GET /alert/list")
        assert [SHAPES.problems(row, "@alert") for row in rows] == [[]] * 4
        assert [row["level"] for row in rows] == ["CRITICAL", "WARNING", "NOTICE", "INFO"]
        assert [row["formatted"] for row in rows] == ["a and b", "%(gone)s", "plain 100%", "7%"]
        assert [row["key"] for row in rows] == ['["a", "b"]', "{}", "null", '{"x": 7}']
