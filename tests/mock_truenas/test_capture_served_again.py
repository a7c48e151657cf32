"""A capture of an appliance, served again, answers the same; of each release, over REST and JSON-RPC."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from mock_truenas.appliance.model import Alert
from mock_truenas.appliance.releases import RELEASES
from mock_truenas.behaviour import Behaviour
from mock_truenas.capture.document import Capture, read_capture
from mock_truenas.capture.recording import Source, record
from mock_truenas.capture.serving import plan_of
from mock_truenas.fleet import Plan, Unit
from tests.mock_truenas.wire import SetClock

pytestmark = pytest.mark.asyncio
# They move by themselves, or are drawn anew.
MOVING = {"loadavg", "uptime", "uptime_seconds", "timestamp"}


@asynccontextmanager
async def served(plan: Plan) -> AsyncIterator[Unit]:
    unit = Unit("nas-1", plan, clock=SetClock(), entropy=random.Random("capture").randbytes)
    await unit.start()
    try:
        yield unit
    finally:
        await unit.stop()


async def recorded(unit: Unit, face: Any = None) -> Capture:
    return await record(Source(unit.url, unit.api_key, face=face))


def still(value: Any) -> Any:
    """A value without what moves by itself."""
    if isinstance(value, dict):
        return {name: still(part) for name, part in value.items() if name not in MOVING}
    return [still(part) for part in value] if isinstance(value, list) else value


def scarred(unit: Unit) -> None:
    """Put the appliance through something, so that more than the healthy case is recorded."""
    appliance = unit.appliance
    name = next(iter(appliance.state.pools))
    appliance.change_pool(name, status="DEGRADED", status_code="FAILING_DEV", status_detail="Ill.", fragmentation=37)
    appliance.change_disk(next(iter(appliance.state.disks)), settings={"description": "left bay"}, enclosure=(0, 3))
    alert = Alert("a" * 8 + "-0000-4000-8000-" + "b" * 12, "UPSOnBattery", "WARNING", "UPS %s", appliance.now_ns())
    appliance.raise_alert(alert)


async def round_trip(plan: Plan, tmp_path: Path, face: Any = None) -> tuple[Capture, Capture]:
    async with served(plan) as unit:
        scarred(unit)
        first = await recorded(unit, face)
    file = tmp_path / "nas.json"
    file.write_text(first.text(), encoding="utf-8")
    async with served(plan_of(file, Plan(seed=99, behaviour=plan.behaviour))) as unit:
        assert unit.appliance.release.name == plan.release
        return first, await recorded(unit, face)


@pytest.mark.parametrize("fixture", ["baseline", "small-office", "homelab"])
@pytest.mark.parametrize("release", RELEASES)
async def test_a_capture_served_again_answers_the_same(release: str, fixture: str, tmp_path: Path) -> None:
    first, second = await round_trip(Plan(release, fixture), tmp_path)
    assert first.answers.keys() == second.answers.keys()
    for method in first.answers:
        assert still(second.answers[method]) == still(first.answers[method]), method
    assert first.answers["pool.dataset.query"]


@pytest.mark.parametrize("release", [name for name, each in RELEASES.items() if each.dialect.has("json_rpc")])
async def test_json_rpc_records_what_rest_does(release: str, tmp_path: Path) -> None:
    quick = Plan(release, "small-office", behaviour=Behaviour(failed_login_delay=False))
    first, second = await round_trip(quick, tmp_path, "rpc")
    for method in first.answers:
        assert still(second.answers[method]) == still(first.answers[method]), method
    if RELEASES[release].dialect.has("rest"):
        async with served(quick) as unit:
            scarred(unit)
            over_rest = await recorded(unit, "rest")
        assert still(over_rest.answers) == still(first.answers)


async def test_a_capture_lives_on_from_where_it_was_taken(tmp_path: Path) -> None:
    async with served(Plan("25.10")) as unit:
        capture = await recorded(unit)
    file = tmp_path / "nas.json"
    file.write_text(capture.text(), encoding="utf-8")
    assert read_capture(file) == capture
    async with served(plan_of(file, Plan())) as unit:
        unit.appliance.change_dataset("tank/documents", readonly=True)
        unit.appliance.start_scrub("tank", 3_600_000_000_000)
        later = await recorded(unit)
    rows = {row["name"]: row for row in later.answers["pool.query"]}
    assert rows["tank"]["scan"]["state"] == "SCANNING"
