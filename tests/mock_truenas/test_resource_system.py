"""The machine, its settings, its boot and its alerts over REST on every release (truenas-api 3.1, 3.2, 3.5)."""

import json
from typing import Any

import pytest

from mock_truenas.appliance.model import Alert
from tests.contract.box import box
from tests.mock_truenas.storage import REST_RELEASES, answer, ask, job
from tests.mock_truenas.wire import API

releases = pytest.mark.parametrize("release", REST_RELEASES)
VERSIONS = {
    "24.04": ("TrueNAS-SCALE-24.04.2.5", "TrueNAS-SCALE-24.04.2.5", "24.04.2.5", "SCALE"),
    "24.10": ("TrueNAS-SCALE-24.10.2.4", "TrueNAS-SCALE-24.10.2.4", "24.10.2.4", "SCALE"),
    "25.04": ("25.04.2.6", "TrueNAS-25.04.2.6", "25.04.2.6", "COMMUNITY_EDITION"),
    "25.10": ("25.10.6", "TrueNAS-25.10.6", "25.10.6", "COMMUNITY_EDITION"),
}


@releases
@pytest.mark.asyncio
async def test_version_has_the_forms_of_its_release(release: str) -> None:
    async with box(release) as nas:
        told = [(await ask(nas, "GET /system/info"))["version"]]
        told += [await ask(nas, f"GET /system/{name}") for name in ("version", "version_short", "product_type")]
        assert tuple(told) == VERSIONS[release]


@releases
@pytest.mark.asyncio
async def test_clock_that_is_off_shows_in_the_date_and_not_in_the_uptime(release: str) -> None:
    async with box(release) as nas:
        before = await ask(nas, "GET /system/info")
        nas.nas.appliance.change_host(clock_offset_ns=3_600_000_000_000)
        after = await ask(nas, "GET /system/info")
        assert after["datetime"]["$date"] - before["datetime"]["$date"] == 3_600_000
        assert (after["uptime_seconds"], after["boottime"]) == (before["uptime_seconds"], before["boottime"])


@releases
@pytest.mark.asyncio
async def test_boot_id_and_banner_want_no_login(release: str) -> None:
    async with box(release) as nas:
        await ask(nas, "PUT /system/advanced", {"login_banner": "Keep out"})
        for path, value in (("boot_id", nas.nas.appliance.state.host.boot_id), ("advanced/login_banner", "Keep out")):
            reply = await nas.ask(f"{API}/system/{path}", headers={"Authorization": ""})
            assert (reply.status, json.loads(reply.body)) == (200, value)
        assert (await nas.ask(f"{API}/system/host_id", headers={"Authorization": ""})).status == 401


@releases
@pytest.mark.asyncio
async def test_reboot_gives_a_new_boot_and_an_uptime_from_zero(release: str) -> None:
    async with box(release) as nas:
        before = await ask(nas, "GET /system/boot_id")
        body = {"delay": 10} if release < "25.04" else {"reason": "a test", "options": {"delay": 10}}
        number = await ask(nas, "POST /system/reboot", body)
        assert isinstance(number, int)
        assert await ask(nas, "GET /system/state") == "READY"
        nas.clock.at_ns += 10_000_000_000
        assert await ask(nas, "GET /system/state") == "BOOTING"
        assert await ask(nas, "GET /system/ready") is False
        nas.clock.at_ns += 600_000_000_000
        assert await ask(nas, "GET /system/ready") is True
        assert await ask(nas, "GET /system/boot_id") != before
        assert (await ask(nas, "GET /system/info"))["uptime_seconds"] < 700


@releases
@pytest.mark.asyncio
async def test_time_zone_is_that_of_the_machine(release: str) -> None:
    async with box(release) as nas:
        general = await ask(nas, "GET /system/general")
        assert general["timezone"] == (await ask(nas, "GET /system/info"))["timezone"]
        changed = await ask(nas, "PUT /system/general", {"timezone": "Asia/Tokyo", "ui_port": 8080})
        assert changed == {**general, "timezone": "Asia/Tokyo", "ui_port": 8080}
        assert await ask(nas, "GET /system/general") == changed
        assert (await ask(nas, "GET /system/info"))["timezone"] == "Asia/Tokyo"
        status, said = await answer(nas, "PUT /system/general", {"ui_port": "8080"})
        assert (status, list(said)) == (422, ["system_general_update.ui_port"])


@releases
@pytest.mark.asyncio
async def test_time_servers_are_added_changed_and_removed(release: str) -> None:
    async with box(release) as nas:
        made = await ask(nas, "POST /system/ntpserver", {"address": "ntp.example.org", "force": True})
        assert (made["address"], made["iburst"], made["maxpoll"]) == ("ntp.example.org", True, 10)
        path = f"/system/ntpserver/id/{made['id']}"
        assert (await ask(nas, f"PUT {path}", {"prefer": True}))["prefer"] is True
        await ask(nas, f"DELETE {path}")
        assert await answer(nas, f"GET {path}") == (404, {"message": ""})


@releases
@pytest.mark.asyncio
async def test_boot_pool_has_the_keys_of_a_pool_but_no_number(release: str) -> None:
    async with box(release) as nas:
        state = await ask(nas, "GET /boot/get_state")
        pool = (await ask(nas, "GET /pool"))[0]
        assert pool.keys() - state.keys() == {"id", "guid"}
        assert (state["name"], state["path"]) == ("boot-pool", "/")
        assert await ask(nas, "GET /boot/get_disks") == []
        assert (await job(nas, "GET /boot/scrub"))["state"] == "SUCCESS"


@releases
@pytest.mark.asyncio
async def test_days_between_scrubs_of_the_boot_pool(release: str) -> None:
    async with box(release) as nas:
        assert await ask(nas, "GET /boot/get_scrub_interval") == 7
        assert await ask(nas, "POST /boot/set_scrub_interval", 14) == 14
        assert (await ask(nas, "GET /system/advanced"))["boot_scrub"] == 14


ARGUMENTS: list[tuple[Any, str, str, str]] = [
    ({"name": "tank"}, "Pool %(name)s", "Pool tank", '{"name": "tank"}'),
    (["tank", 3], "Pool %s has %d", "Pool tank has 3", '["tank", 3]'),
    (None, "100%", "100%", "null"),
    ({"name": "tank"}, "Pool %(other)s", "Pool %(other)s", '{"name": "tank"}'),
    (["tank"], "Pool %s %s", "Pool %s %s", '["tank"]'),
]


@releases
@pytest.mark.parametrize(("args", "text", "formatted", "key"), ARGUMENTS, ids=lambda value: str(value)[:20])
@pytest.mark.asyncio
async def test_alert_is_formatted_from_its_arguments_or_left_as_it_is(
    release: str, args: Any, text: str, formatted: str, key: str
) -> None:
    async with box(release) as nas:
        nas.nas.appliance.raise_alert(
            Alert("u-1", "HasUpdate", "INFO", text, nas.clock.at_ns, args=args, one_shot=True)
        )
        row = next(row for row in await ask(nas, "GET /alert/list") if row["uuid"] == "u-1")
        assert (row["formatted"], row["key"], row["args"]) == (formatted, key, args)
        assert (row["id"], row["node"], row["mail"], row["source"]) == ("u-1", "Controller A", None, "")


@releases
@pytest.mark.asyncio
async def test_alerts_are_listed_gravest_first_and_dismissed_and_restored(release: str) -> None:
    async with box(release) as nas:
        levels = ("INFO", "CRITICAL", "NOTICE", "EMERGENCY", "WARNING", "ALERT", "ERROR")
        for number, level in enumerate(levels):
            alert = Alert(f"u-{number}", "HasUpdate", level, "x", nas.clock.at_ns, one_shot=True)  # type: ignore[arg-type]
            nas.nas.appliance.raise_alert(alert)
        shown = [row for row in await ask(nas, "GET /alert/list") if row["uuid"].startswith("u-")]
        order = ("EMERGENCY", "ALERT", "CRITICAL", "ERROR", "WARNING", "NOTICE", "INFO")
        assert tuple(row["level"] for row in shown) == order
        for verb, dismissed in (("dismiss", True), ("restore", False)):
            assert await ask(nas, f"POST /alert/{verb}", "u-3") is None
            row = next(row for row in await ask(nas, "GET /alert/list") if row["uuid"] == "u-3")
            assert row["dismissed"] is dismissed


@releases
@pytest.mark.asyncio
async def test_level_that_was_set_for_a_class_counts(release: str) -> None:
    async with box(release) as nas:
        nas.nas.appliance.raise_alert(Alert("u-1", "HasUpdate", "INFO", "x", nas.clock.at_ns, one_shot=True))
        await ask(nas, "PUT /alertclasses", {"classes": {"HasUpdate": {"level": "EMERGENCY", "policy": "NEVER"}}})
        first = (await ask(nas, "GET /alert/list"))[0]
        assert (first["klass"], first["level"]) == ("HasUpdate", "EMERGENCY")


@pytest.mark.parametrize(
    ("release", "has", "lacks"),
    [
        ("24.04", {"SMART"}, {"ApiKeyRevoked", "RESTAPIUsage", "DiskTemperatureTooHot"}),
        ("25.04", {"SMART", "ApiKeyRevoked"}, {"RESTAPIUsage", "DiskTemperatureTooHot"}),
        ("25.10.0", {"DiskTemperatureTooHot", "ApiKeyRevoked"}, {"SMART", "RESTAPIUsage"}),
        ("25.10", {"DiskTemperatureTooHot", "RESTAPIUsage", "VolumeStatus"}, {"SMART"}),
    ],
)
@pytest.mark.asyncio
async def test_categories_have_the_classes_of_the_release(release: str, has: set[str], lacks: set[str]) -> None:
    async with box(release) as nas:
        categories = await ask(nas, "GET /alert/list_categories")
        classes = {entry["id"] for category in categories for entry in category["classes"]}
        assert (has - classes, lacks & classes) == (set(), set())
        named = {category["id"] for category in categories}
        assert {"STORAGE", "SYSTEM", "UPS"} <= named
        assert ("SECURITY" in named) == (release >= "25.10")
        assert "IMMEDIATELY" in await ask(nas, "GET /alert/list_policies")
