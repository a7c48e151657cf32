"""Pools over REST: scans, disks going and coming, pools made and exported, tasks (truenas-api 3.2, 4)."""

from typing import Any

import pytest

from mock_truenas.appliance.model import Scan
from tests.contract.box import Box, box
from tests.mock_truenas.storage import REST_RELEASES, answer, ask, job

releases = pytest.mark.parametrize("release", REST_RELEASES)
HOUR_NS = 3_600_000_000_000


async def pool(nas: Box, name: str, query: str = "") -> Any:
    (row,) = await ask(nas, f"GET /pool?name={name}{query}")
    return row


def leaves(row: Any) -> list[Any]:
    found = [vdev for group in row["topology"].values() for vdev in group]
    for vdev in found:
        found += vdev["children"]
    return [vdev for vdev in found if vdev["path"] is not None]


@releases
@pytest.mark.asyncio
async def test_scrub_runs_for_its_time_and_then_is_finished(release: str) -> None:
    async with box(release) as nas:
        number = await ask(nas, "POST /pool/id/1/scrub", "START")
        takes_ns = nas.nas.appliance.jobs.get(number).takes_ns
        nas.clock.at_ns += takes_ns // 2
        scan = (await pool(nas, "tank"))["scan"]
        assert (scan["function"], scan["state"], scan["end_time"]) == ("SCRUB", "SCANNING", None)
        assert scan["percentage"] == pytest.approx(50, abs=0.01)
        assert scan["total_secs_left"] == (takes_ns - takes_ns // 2) // 1_000_000_000
        # The two byte fields are swapped upstream.
        assert scan["bytes_to_process"] < scan["bytes_processed"]
        nas.clock.at_ns += takes_ns
        scan = (await pool(nas, "tank"))["scan"]
        assert (scan["state"], scan["percentage"], scan["total_secs_left"]) == ("FINISHED", 100.0, None)
        assert scan["end_time"]["$date"] > scan["start_time"]["$date"]
        (done,) = await ask(nas, f"GET /core/get_jobs?id={number}")
        assert (done["method"], done["state"]) == ("pool.scrub", "SUCCESS")


@releases
@pytest.mark.asyncio
async def test_scrub_is_paused_goes_on_and_is_stopped(release: str) -> None:
    async with box(release) as nas:
        await ask(nas, "POST /pool/id/1/scrub", "START")
        nas.clock.at_ns += 60_000_000_000
        await ask(nas, "POST /pool/id/1/scrub", "PAUSE")
        paused = (await pool(nas, "tank"))["scan"]
        assert (paused["state"], paused["pause"]) == ("SCANNING", {"$date": nas.clock.at_ns // 10**9 * 1000})
        nas.clock.at_ns += HOUR_NS
        assert (await pool(nas, "tank"))["scan"]["percentage"] == paused["percentage"]
        await ask(nas, "POST /pool/id/1/scrub", "START")
        nas.clock.at_ns += 60_000_000_000
        going = (await pool(nas, "tank"))["scan"]
        assert (going["pause"], going["percentage"]) == (None, pytest.approx(2 * paused["percentage"]))
        status, said = await answer(nas, "POST /pool/id/1/scrub", "START")
        assert (status, said["errno"]) == (422, 16)
        await ask(nas, "POST /pool/id/1/scrub", "STOP")
        assert (await pool(nas, "tank"))["scan"]["state"] == "CANCELED"
        status, said = await answer(nas, "POST /pool/id/1/scrub", "STOP")
        assert (status, said["errno"]) == (422, 2)


@releases
@pytest.mark.asyncio
async def test_pool_that_was_never_scanned_has_an_object_of_nulls(release: str) -> None:
    async with box(release) as nas:
        nas.nas.appliance.change_pool("tank", scan=None)
        scan = (await pool(nas, "tank"))["scan"]
        assert len(scan) == 11
        assert set(scan.values()) == {None}


@releases
@pytest.mark.asyncio
async def test_disk_taken_offline_degrades_its_pool_and_is_told_of_until_it_is_back(release: str) -> None:
    async with box(release) as nas:
        (first, _) = leaves(await pool(nas, "tank"))
        assert await ask(nas, "POST /pool/id/1/offline", {"label": first["guid"]}) is True
        row = await pool(nas, "tank")
        assert (row["status"], row["healthy"], row["warning"], row["status_code"]) == (
            "DEGRADED",
            False,
            False,
            "OFFLINE_DEV",
        )
        assert row["status_detail"]
        mirror = row["topology"]["data"][0]
        assert (mirror["status"], mirror["unavail_disk"]) == ("DEGRADED", None)
        (gone, there) = leaves(row)
        assert (gone["status"], gone["device"], gone["disk"]) == ("OFFLINE", None, None)
        (disk,) = await ask(nas, "GET /disk?name=sda")
        assert gone["unavail_disk"] == disk
        assert there["unavail_disk"] is None
        status, said = await answer(nas, "POST /pool/id/1/offline", {"label": there["guid"]})
        assert (status, said["errno"]) == (422, 16)
        assert await ask(nas, "POST /pool/id/1/online", {"label": first["guid"]}) is True
        assert (await pool(nas, "tank"))["status_code"] == "OK"


@releases
@pytest.mark.asyncio
async def test_replaced_disk_is_resilvered_and_the_old_one_is_free(release: str) -> None:
    async with box(release, "homelab") as nas:
        appliance = nas.nas.appliance
        spare = next(disk for disk in appliance.base.disks.values() if disk.name == "sdi")
        appliance.change_disk("sdi", pool=None, zfs_guid=None)
        old = leaves(await pool(nas, "tank"))[0]
        body = {"label": old["guid"], "disk": spare.identifier}
        number = await ask(nas, "POST /pool/id/1/replace", body)
        row = await pool(nas, "tank")
        assert (row["scan"]["function"], row["scan"]["state"]) == ("RESILVER", "SCANNING")
        assert "sdi" in {leaf["disk"] for leaf in leaves(row)}
        nas.clock.at_ns += appliance.jobs.get(number).takes_ns
        assert (await pool(nas, "tank"))["scan"]["state"] == "FINISHED"
        disks = {row["name"]: row["pool"] for row in await ask(nas, "GET /disk?extra.pools=true")}
        assert (disks["sdi"], disks[old["disk"]]) == ("tank", None)
        status, said = await answer(nas, "POST /pool/id/1/replace", {"label": old["guid"], "disk": "no"})
        assert (status, list(said)) == (422, ["options.label"])


@releases
@pytest.mark.asyncio
async def test_a_dead_disk_and_its_successor_stand_side_by_side_until_the_resilver_ends(release: str) -> None:
    async with box(release, "homelab") as nas:
        appliance = nas.nas.appliance
        appliance.change_disk("sdi", pool=None, zfs_guid=None)
        appliance.fail_disk(leaves(await pool(nas, "tank"))[0]["disk"], "FAULTED")
        sick = await pool(nas, "tank")
        told = [alert for alert in await ask(nas, "GET /alert/list") if alert["klass"] == "VolumeStatus"]
        assert [alert["args"]["status"] for alert in told] == [sick["status_detail"]]
        dead = leaves(sick)[0]
        body = {"label": dead["guid"], "disk": appliance.base.disks["sdi"].identifier}
        number = await ask(nas, "POST /pool/id/1/replace", body)
        row = await pool(nas, "tank")
        (group,) = [one for vdev in row["topology"]["data"] for one in vdev["children"] if one["type"] == "REPLACING"]
        assert [(leaf["status"], leaf["disk"]) for leaf in group["children"]] == [("FAULTED", None), ("ONLINE", "sdi")]
        assert (row["status"], group["status"]) == ("DEGRADED", "DEGRADED")
        nas.clock.at_ns += appliance.jobs.get(number).takes_ns
        row = await pool(nas, "tank")
        assert (row["status"], row["status_code"], leaves(row)[0]["disk"]) == ("ONLINE", "OK", "sdi")
        assert "VolumeStatus" not in {alert["klass"] for alert in await ask(nas, "GET /alert/list")}


@releases
@pytest.mark.asyncio
async def test_exported_pool_is_gone_with_its_datasets_and_destroyed_its_disks_are_free(release: str) -> None:
    async with box(release) as nas:
        assert (await job(nas, "POST /pool/id/1/export", {"destroy": True}))["state"] == "SUCCESS"
        assert "tank" not in {row["name"] for row in await ask(nas, "GET /pool")}
        assert not any(row["pool"] == "tank" for row in await ask(nas, "GET /pool/dataset"))
        assert await answer(nas, "GET /pool/id/1") == (404, {"message": ""})
        free = await ask(nas, "POST /disk/details", {"type": "UNUSED"})
        assert {disk["name"] for disk in free} == {"sda", "sdb"}
        body = {"name": "second", "topology": {"data": [{"type": "MIRROR", "disks": ["sda", "sdb"]}]}}
        made = await job(nas, "POST /pool", body)
        assert (made["state"], made["result"]["name"], made["result"]["status"]) == ("SUCCESS", "second", "ONLINE")
        row = await pool(nas, "second")
        assert [leaf["disk"] for leaf in leaves(row)] == ["sda", "sdb"]
        assert row["size"] == row["allocated"] + row["free"]
        assert (await ask(nas, "GET /pool/dataset/id/second"))["mountpoint"] == "/mnt/second"


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"name": "x", "topology": {"data": []}}, "pool_create.topology.data"),
    ({"name": "x"}, "pool_create.topology"),
    ({"topology": {"data": [{"type": "STRIPE", "disks": ["sda"]}]}}, "pool_create.name"),
    ({"name": "tank", "topology": {"data": [{"type": "STRIPE", "disks": ["sda"]}]}}, "pool_create.name"),
    ({"name": "mirror", "topology": {"data": [{"type": "STRIPE", "disks": ["sda"]}]}}, "pool_create.name"),
    ({"name": "x", "topology": {"data": [{"type": "STRIPE", "disks": ["sda"]}]}}, "pool_create.topology.data.0.disks"),
    ({"name": "x", "topology": {"data": [{"type": "STRIPE", "disks": ["no"]}]}}, "pool_create.topology.data.0.disks"),
    ({"name": "x", "topology": {"data": [{"type": "MIRROR", "disks": ["no"]}]}}, "pool_create.topology.data.0.disks"),
]


@releases
@pytest.mark.parametrize(("given", "key"), REFUSED, ids=lambda value: str(value)[:70])
@pytest.mark.asyncio
async def test_pool_that_cannot_be_made_is_refused_by_field(release: str, given: dict[str, Any], key: str) -> None:
    async with box(release) as nas:
        status, said = await answer(nas, "POST /pool", given)
        assert status == 422
        assert key in said
        assert said[key][0]["errno"] in (17, 22)
        assert len(await ask(nas, "GET /pool")) == 3


CODES = {
    "OK": (True, False),
    "FEAT_DISABLED": (True, True),
    "RESILVERING": (True, True),
    "NON_NATIVE_ASHIFT": (True, True),
    "FAILING_DEV": (False, False),
    "MISSING_DEV_R": (False, False),
}


@releases
@pytest.mark.parametrize("code", CODES)
@pytest.mark.asyncio
async def test_health_follows_from_the_status_code(release: str, code: str) -> None:
    async with box(release) as nas:
        nas.nas.appliance.change_pool("tank", status_code=code)
        row = await pool(nas, "tank")
        assert ((row["healthy"], row["warning"]), row["status_code"]) == (CODES[code], code)
        assert (row["status_detail"] is None) == (code in ("OK", "NON_NATIVE_ASHIFT"))


@pytest.mark.parametrize(("release", "alone"), [("24.04", None), ("24.10", None), ("25.04", None), ("25.10", False)])
@pytest.mark.asyncio
async def test_upgraded_is_told_when_asked_for_and_from_25_10_on_always(release: str, alone: bool | None) -> None:
    async with box(release) as nas:
        nas.nas.appliance.change_pool("tank", status_code="FEAT_DISABLED")
        assert (await pool(nas, "tank")).get("is_upgraded") is alone
        assert (await pool(nas, "tank", "&extra.is_upgraded=true"))["is_upgraded"] is False
        assert await ask(nas, "POST /pool/id/1/is_upgraded") is False
        assert await ask(nas, "POST /pool/id/1/upgrade") is True
        assert (await pool(nas, "tank", "&extra.is_upgraded=true"))["is_upgraded"] is True


@pytest.mark.parametrize(("release", "status"), [("24.04", "UNAVAIL"), ("24.10", "SUSPENDED"), ("25.10", "SUSPENDED")])
@pytest.mark.asyncio
async def test_suspended_is_a_status_from_24_10_on(release: str, status: str) -> None:
    async with box(release) as nas:
        nas.nas.appliance.change_pool("tank", status="SUSPENDED", status_code="IO_FAILURE_WAIT")
        row = await pool(nas, "tank")
        assert (row["status"], row["healthy"]) == (status, False)


@releases
@pytest.mark.asyncio
async def test_scrub_task_is_made_changed_and_removed(release: str) -> None:
    async with box(release) as nas:
        known = {row["pool"] for row in await ask(nas, "GET /pool/scrub")}
        for number in known:
            for row in await ask(nas, f"GET /pool/scrub?pool={number}"):
                await ask(nas, f"DELETE /pool/scrub/id/{row['id']}")
        made = await ask(nas, "POST /pool/scrub", {"pool": 1, "threshold": 10})
        assert (made["pool_name"], made["threshold"], made["enabled"]) == ("tank", 10, True)
        changed = await ask(nas, f"PUT /pool/scrub/id/{made['id']}", {"enabled": False})
        assert changed == {**made, "enabled": False}
        status, said = await answer(nas, "POST /pool/scrub", {"pool": 1})
        assert (status, list(said)) == (422, ["pool_scrub_create.pool"])
        await ask(nas, f"DELETE /pool/scrub/id/{made['id']}")
        assert await ask(nas, "GET /pool/scrub") == []


@releases
@pytest.mark.asyncio
async def test_run_scrubs_only_what_was_not_scrubbed_lately(release: str) -> None:
    async with box(release) as nas:
        before = nas.nas.appliance.base.pools["tank"].scan
        await ask(nas, "POST /pool/scrub/run", {"name": "tank", "threshold": 30})
        assert nas.nas.appliance.base.pools["tank"].scan == before
        await ask(nas, "POST /pool/scrub/run", {"name": "tank", "threshold": 1})
        scan = nas.nas.appliance.base.pools["tank"].scan
        assert isinstance(scan, Scan)
        assert scan.started_at_ns == nas.clock.at_ns


@releases
@pytest.mark.asyncio
async def test_resilver_priority_is_kept(release: str) -> None:
    async with box(release) as nas:
        assert (await ask(nas, "GET /pool/resilver"))["enabled"] is True
        changed = await ask(nas, "PUT /pool/resilver", {"enabled": False, "begin": "20:00"})
        assert (changed["enabled"], changed["begin"], changed["end"]) == (False, "20:00", "9:00")
        assert await ask(nas, "GET /pool/resilver") == changed
