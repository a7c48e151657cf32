"""Disks over REST: what each release tells of them, temperatures in both forms, self-tests (truenas-api 3.4, 3.6)."""

import re
from dataclasses import replace
from typing import Any

import pytest

from tests.contract.box import Box, box
from tests.mock_truenas.storage import REST_RELEASES, answer, ask, job

releases = pytest.mark.parametrize("release", REST_RELEASES)
UP_TO_25_04 = ("24.04", "24.10", "25.04")
SMART_KEYS = {"togglesmart", "smartoptions", "critical", "difference", "informational", "supports_smart"}


@releases
@pytest.mark.asyncio
async def test_disk_tells_its_pool_and_password_only_when_asked(release: str) -> None:
    async with box(release) as nas:
        (plain,) = await ask(nas, "GET /disk?name=sda")
        (full,) = await ask(nas, "GET /disk?name=sda&extra.pools=true&extra.passwords=true")
        assert (plain["pool"], full["pool"]) == (None, "tank")
        assert full.keys() - plain.keys() == {"passwd", "kmip_uid"}
        assert (plain.keys() >= SMART_KEYS) == (release in UP_TO_25_04)
        assert not {"health", "status", "smart_status", "temperature"} & plain.keys()


@releases
@pytest.mark.asyncio
async def test_identifier_follows_from_what_the_disk_has_and_finds_it(release: str) -> None:
    async with box(release) as nas:
        appliance = nas.nas.appliance
        appliance.change_disk("sdb", lunid=None)
        appliance.change_disk("sdc", lunid=None, serial="")
        shown = {row["name"]: row["identifier"] for row in await ask(nas, "GET /disk")}
        assert shown["sda"].startswith("{serial_lunid}")
        assert re.fullmatch(r"\{serial\}[^_]+", shown["sdb"])
        assert shown["sdc"] == "{devicename}sdc"
        for name, identifier in shown.items():
            assert (await ask(nas, f"GET /disk/id/{identifier}"))["name"] == name


@releases
@pytest.mark.asyncio
async def test_what_was_set_on_a_disk_stays(release: str) -> None:
    async with box(release) as nas:
        (row,) = await ask(nas, "GET /disk?name=sda")
        path = f"/disk/id/{row['identifier']}"
        changed = await ask(nas, f"PUT {path}", {"description": "left", "hddstandby": "30"})
        assert changed == {**row, "description": "left", "hddstandby": "30"} == await ask(nas, f"GET {path}")
        for given, key in (({"hddstandby": "7"}, "hddstandby"), ({"name": "sdz"}, "name")):
            status, said = await answer(nas, f"PUT {path}", given)
            assert (status, list(said)) == (422, [f"disk_update.{key}"])
        status, said = await answer(nas, f"PUT {path}", {"togglesmart": False})
        assert status == (200 if release in UP_TO_25_04 else 422)
        assert (await answer(nas, "PUT /disk/id/no", {}))[0] == 422


@releases
@pytest.mark.asyncio
async def test_disk_that_was_taken_out_is_told_of_only_when_asked(release: str) -> None:
    async with box(release) as nas:
        nas.nas.appliance.change_disk("sda", expires_at_ns=nas.clock.at_ns + 10**12)
        assert "sda" not in {row["name"] for row in await ask(nas, "GET /disk")}
        expired = {row["name"]: row["expiretime"] for row in await ask(nas, "GET /disk?extra.include_expired=true")}
        assert expired["sda"] == {"$date": (nas.clock.at_ns + 10**12) // 10**9 * 1000}
        assert expired["sdb"] is None


@pytest.mark.parametrize("release", UP_TO_25_04)
@pytest.mark.asyncio
async def test_smart_support_is_told_of_one_disk_at_most(release: str) -> None:
    async with box(release) as nas:
        (row,) = await ask(nas, "GET /disk?name=sda&extra.supports_smart=true")
        assert row["supports_smart"] is True
        status, said = await answer(nas, "GET /disk?extra.supports_smart=true")
        assert (status, set(said)) == (422, {"message", "errno"})


@pytest.mark.parametrize("release", UP_TO_25_04)
@pytest.mark.asyncio
async def test_temperatures_by_names_and_options_up_to_25_04(release: str) -> None:
    async with box(release) as nas:
        options = {"cache": 290, "only_cached": False, "powermode": "NEVER"}
        every = await ask(nas, "POST /disk/temperatures", {"names": [], "options": options})
        assert {name: type(value) for name, value in every.items()} == dict.fromkeys(every, int)
        assert list(every) == ["sda", "sdb", "sdc", "nvme0n1"]
        assert await ask(nas, "POST /disk/temperatures", {"names": ["sdb"]}) == {"sdb": every["sdb"]}
        status, said = await answer(nas, "POST /disk/temperatures", {"name": ["sdb"]})
        assert (status, said["message"]) == (400, "names attribute expected.")


@pytest.mark.asyncio
async def test_temperatures_by_name_and_with_thresholds_from_25_10_on() -> None:
    async with box("25.10") as nas:
        every = await ask(nas, "POST /disk/temperatures", {"name": [], "include_thresholds": False})
        assert list(every) == ["sda", "sdb", "sdc", "nvme0n1"]
        both = await ask(nas, "POST /disk/temperatures", {"name": ["sda", "sdz"], "include_thresholds": True})
        assert both == {"sda": [every["sda"], 60], "sdz": None}
        status, said = await answer(nas, "POST /disk/temperatures", {"names": ["sdb"]})
        assert (status, said["message"]) == (400, "The following attributes are not expected: names")


@releases
@pytest.mark.asyncio
async def test_disk_that_cannot_be_read_has_no_temperature(release: str) -> None:
    async with box(release) as nas:
        nas.nas.appliance.change_disk("sda", temperature=None)
        key = "names" if release in UP_TO_25_04 else "name"
        assert await ask(nas, "POST /disk/temperatures", {key: ["sda"]}) == {"sda": None}


@releases
@pytest.mark.asyncio
async def test_summary_of_temperatures_is_empty_up_to_25_04(release: str) -> None:
    async with box(release) as nas:
        summary = await ask(nas, "POST /disk/temperature_agg", {"names": ["sda", "no"], "days": 7})
        if release in UP_TO_25_04:
            assert summary == {}
        else:
            (told,) = summary.values()
            assert list(told) == ["min", "max", "avg"]
            assert told["min"] < told["avg"] < told["max"]
        assert (await answer(nas, "POST /disk/temperature_agg", {"names": [], "days": 8}))[0] == 422


@releases
@pytest.mark.asyncio
async def test_details_are_of_used_disks_free_ones_or_both(release: str) -> None:
    async with box(release) as nas:
        nas.nas.appliance.change_disk("sdc", pool=None, zfs_guid=None)
        nas.nas.appliance.change_disk("sdb", serial=nas.nas.appliance.base.disks["sda"].serial)
        both = await ask(nas, "POST /disk/details", {"type": "BOTH"})
        assert {key: [row["name"] for row in rows] for key, rows in both.items()} == {
            "used": ["sda", "sdb", "nvme0n1"],
            "unused": ["sdc"],
        }
        for kind in ("USED", "UNUSED"):
            assert await ask(nas, "POST /disk/details", {"type": kind}) == both[kind.lower()]
        twins = {row["name"]: row["duplicate_serial"] for row in both["used"]}
        assert twins == {"sda": ["sdb"], "sdb": ["sda"], "nvme0n1": []}


@releases
@pytest.mark.asyncio
async def test_only_a_free_disk_is_wiped(release: str) -> None:
    async with box(release) as nas:
        body = {"dev": "sdc", "mode": "QUICK"}
        status, said = await answer(nas, "POST /disk/wipe", body)
        assert (status, said["errno"]) == (422, 16)
        nas.nas.appliance.change_disk("sdc", pool=None, zfs_guid=None)
        assert (await job(nas, "POST /disk/wipe", body))["state"] == "SUCCESS"


async def results(nas: Box, query: str = "") -> Any:
    return await ask(nas, f"GET /smart/test/results{query}")


BUSES: dict[str, dict[str, Any]] = {
    "ATA": {"remaining": float, "lifetime": int, "lba_of_first_error": type(None)},
    "SCSI": {"segment_number": type(None), "lifetime": int, "lba_of_first_error": type(None)},
    "NVME": {
        "power_on_hours": int,
        "failing_lba": type(None),
        "nsid": type(None),
        "seg": type(None),
        "sct": str,
        "code": str,
    },
}


@pytest.mark.parametrize("bus", BUSES)
@pytest.mark.parametrize("release", UP_TO_25_04)
@pytest.mark.asyncio
async def test_self_tests_have_the_form_of_their_bus(release: str, bus: str) -> None:
    async with box(release) as nas:
        nas.nas.appliance.change_disk("sda", bus=bus)
        (row,) = await results(nas, "?disk=sda")
        (disk,) = await ask(nas, "GET /disk?name=sda")
        assert {key: row[key] for key in disk} == disk
        assert row["current_test"] is None
        test = dict(row["tests"][0])
        assert (test.pop("num"), test.pop("status")) == (1, "SUCCESS")
        assert test.pop("description")
        assert test.pop("status_verbose")
        assert {key: type(value) for key, value in test.items()} == BUSES[bus]


@pytest.mark.parametrize("release", UP_TO_25_04)
@pytest.mark.asyncio
async def test_self_test_started_by_hand_runs_and_ends(release: str) -> None:
    async with box(release) as nas:
        (disk,) = await ask(nas, "GET /disk?name=sda")
        started = await ask(nas, "POST /smart/test/manual_test", [{"identifier": disk["identifier"], "type": "SHORT"}])
        assert [row["error"] for row in started] == [None]
        nas.clock.at_ns += 60_000_000_000
        (row,) = await results(nas, "?disk=sda")
        assert (row["current_test"], row["tests"][0]["status"]) == ({"progress": 50}, "RUNNING")
        nas.clock.at_ns += 60_000_000_000
        (row,) = await results(nas, "?disk=sda")
        assert (row["current_test"], row["tests"][0]["status"]) == (None, "SUCCESS")


@pytest.mark.parametrize("release", UP_TO_25_04)
@pytest.mark.asyncio
async def test_disk_whose_data_cannot_be_read_is_left_out(release: str) -> None:
    async with box(release) as nas:
        assert "sda" in {row["disk"] for row in await results(nas)}
        nas.nas.appliance.change_disk("sda", bus="USB")
        nas.nas.appliance.change_disk("sdb", smart_message="Device: /dev/sdb, 8 Currently unreadable sectors")
        rows = {row["disk"]: row["tests"][0]["status"] for row in await results(nas)}
        assert "sda" not in rows
        assert rows["sdb"] == "FAILED"


@pytest.mark.asyncio
async def test_self_tests_are_gone_with_25_10() -> None:
    async with box("25.10") as nas:
        for path in ("/smart", "/smart/test/results", "/smart/test"):
            assert await answer(nas, f"GET {path}") == (404, "404: Not Found")


@releases
@pytest.mark.asyncio
async def test_hundreds_of_disks_have_numbers_of_their_own(release: str) -> None:
    async with box(release) as nas:
        appliance = nas.nas.appliance
        like = appliance.base.disks["sda"]
        letters = "abcdefghijklmnopqrstuvwxyz"
        names = [f"sd{a}{b}" for a in ("", *letters) for b in letters][:600]
        disks = {name: replace(like, name=name, serial=f"S{name}") for name in names}
        appliance.change(disks=disks)
        numbers = {row["name"]: row["number"] for row in await ask(nas, "GET /disk")}
        assert (numbers["sda"], numbers["sdb"], numbers["sdp"], numbers["sdq"]) == (2048, 2064, 2288, 16640)
        assert len(set(numbers.values())) == 600
