"""The version before the feature keeps what agents report, and leaves what it does not know to the one that does."""

import json

from tests.stack.stackbed import Bed

REPORT = {"id": "web-1", "hostname": "web-1", "status": "online", "disks": [{"name": "sda", "serial": "WD-1"}]}


async def report(bed: Bed) -> None:
    assert (await bed.api("POST", "/api/agents/host/report", REPORT))[0] == 200


async def sources(bed: Bed) -> dict[str, int]:
    found: dict[str, int] = {}
    for each in await bed.resources():
        for source in each["sources"]:
            found[source] = found.get(source, 0) + 1
    return found


def test_agents_records_outlive_a_restart_of_the_version_without_the_feature() -> None:
    async def story(bed: Bed) -> set[str]:
        await bed.start(variant="without-truenas")
        await report(bed)
        before = await bed.resources()
        await bed.stop()
        await bed.wait(90)
        await bed.start(variant="without-truenas")
        after = await bed.resources()
        assert [each["id"] for each in after] == [each["id"] for each in before]
        return {each["sourceStatus"]["agent"]["status"] for each in after}

    assert Bed().run(story) == {"stale"}


def test_they_outlive_a_loss_of_power_and_are_dropped_a_day_later() -> None:
    async def story(bed: Bed) -> tuple[dict[str, int], dict[str, int]]:
        await bed.start(variant="without-truenas")
        await report(bed)
        await bed.wait(65)
        bed.disk.lose_power()
        before, bed.stack = bed.stack, None
        await bed.start(variant="without-truenas", FRONTEND_PORT="7656")
        assert before is not None
        known = bed.stack._registry.count("agent")  # type: ignore[attr-defined]
        await before.stop()
        await bed.wait(24 * 3600)
        return {"agent": known}, {"agent": bed.stack._registry.count("agent")}  # type: ignore[attr-defined]

    assert Bed().run(story) == ({"agent": 2}, {"agent": 0})


def test_a_rollback_and_the_way_forward_again_lose_no_record_of_either() -> None:
    async def story(bed: Bed) -> list[dict[str, int]]:
        await bed.start()
        await bed.add()
        await report(bed)
        await bed.wait(130)
        seen = [await sources(bed)]
        await bed.stop()
        await bed.start(variant="without-truenas")
        seen.append(await sources(bed))
        await report(bed)
        await bed.wait(130)
        await bed.stop()
        await bed.start(PULSE_ENABLE_TRUENAS="")
        seen.append(await sources(bed))
        assert {"stale"} == {
            each["sourceStatus"]["truenas"]["status"]
            for each in await bed.resources()
            if "truenas" in each["sourceStatus"]
        }
        return seen

    bed = Bed()
    first, rolled_back, forward = bed.run(story)
    assert rolled_back == {"agent": 2}
    assert forward == first
    kept = json.loads(bed.disk.read("/data/registry.json"))
    assert [entry["key"][1] for entry in kept["holdings"]].count("truenas") == 1
