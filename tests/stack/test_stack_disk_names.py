"""A disk is called the same for as long as it is there, whatever single answers lack (contract A4, A8)."""

from typing import Any

import pytest

from pulse_sim.stack.disk_names import believable_serials, disk_ids
from tests.stack.stackbed import Bed

LACKING: list[dict[str, Any]] = [
    {"kind": "payload.set_field", "call": "disk.query", "field": "serial", "value": ""},
    {"kind": "payload.set_field", "call": "disk.query", "field": "serial", "value": "Not Specified"},
    {"kind": "payload.null_field", "call": "disk.query", "field": "serial"},
    {"kind": "payload.drop_field", "call": "disk.query", "field": "serial"},
    {"kind": "payload.duplicate_serial", "serial": "VB-0001"},
]


async def disks(bed: Bed) -> dict[str, str]:
    """Ids by source id."""
    return {each["identity"]["sourceId"]: each["id"] for each in await bed.resources("type=physical_disk&limit=100")}


def lack(bed: Bed, fault: dict[str, Any]) -> str:
    kind = str(fault["kind"])
    bed.inject(kind, **{key: value for key, value in fault.items() if key != "kind"})
    return kind


@pytest.mark.parametrize("fault", LACKING, ids=lambda fault: f"{fault['kind']} {fault.get('value', '')}")
def test_a_disk_keeps_its_id_while_answers_lack_its_serial(fault: dict[str, Any]) -> None:
    async def story(bed: Bed) -> None:
        await bed.start()
        await bed.add()
        await bed.wait(10)
        before = await disks(bed)
        kind = lack(bed, fault)
        await bed.wait(130)
        assert await disks(bed) == before
        bed.heal(kind)
        await bed.wait(130)
        assert await disks(bed) == before

    Bed().run(story)


def test_a_disk_keeps_its_id_over_a_restart_in_the_middle_of_answers_that_lack_its_serial() -> None:
    async def story(bed: Bed) -> None:
        await bed.start()
        await bed.add()
        await bed.wait(10)
        before = await disks(bed)
        kind = lack(bed, LACKING[0])
        await bed.wait(70)
        await bed.stop()
        await bed.start()
        await bed.wait(70)
        assert await disks(bed) == before
        bed.heal(kind)
        await bed.wait(70)
        assert await disks(bed) == before

    Bed().run(story)


def test_a_disk_never_seen_with_a_serial_is_named_by_it_once_it_has_one_and_from_then_on() -> None:
    async def story(bed: Bed) -> list[dict[str, str]]:
        kind = lack(bed, LACKING[0])
        await bed.start()
        await bed.add()
        await bed.wait(10)
        shown = [await disks(bed)]
        for turn in (bed.heal, lambda _: lack(bed, LACKING[0])):
            turn(kind)
            await bed.wait(70)
            shown.append(await disks(bed))
        return shown

    without, named, later = Bed().run(story)
    assert not set(without.values()) & set(named.values())
    assert later == named


def test_another_address_has_other_disks_also_where_it_tells_no_serial() -> None:
    async def story(bed: Bed) -> tuple[dict[str, str], dict[str, str]]:
        await bed.start()
        await bed.add("nas-1")
        await bed.wait(10)
        before = await disks(bed)
        bed.inject("payload.set_field", "nas-2", call="disk.query", field="serial", value="")
        changed = {"host": "nas-2", "apiKey": bed.keys["nas-2"]}
        assert (await bed.api("PUT", "/api/truenas/connections/nas-1", changed))[0] == 200
        await bed.wait(70)
        return before, await disks(bed)

    before, after = Bed("nas-1", "nas-2").run(story)
    assert before.keys() == after.keys()
    assert not set(before.values()) & set(after.values())


def test_an_agents_disk_keeps_its_id_where_a_report_lacks_its_serial() -> None:
    async def story(bed: Bed) -> tuple[dict[str, str], dict[str, str]]:
        await bed.start()
        shown = []
        for serial in ("WD-1", None):
            report = {"id": "h", "hostname": "h", "status": "online", "disks": [{"name": "sda", "serial": serial}]}
            assert (await bed.api("POST", "/api/agents/host/report", report))[0] == 200
            shown.append(await disks(bed))
        return shown[0], shown[1]

    before, after = Bed().run(story)
    assert before == after != {}


def ids(serials: dict[str, str | None], known: dict[str, str]) -> dict[str, str]:
    return disk_ids(serials, "truenas", believable_serials(serials.values()), known)


def test_an_id_that_another_disk_of_the_answer_has_now_is_not_kept() -> None:
    before = ids({"sda": "A", "sdb": "B"}, {})
    after = ids({"sda": None, "sdb": "A"}, before)
    assert after["sdb"] == before["sda"]
    assert after["sda"] not in before.values()


def test_a_disk_put_in_the_place_of_another_is_another_disk() -> None:
    before = ids({"sda": "A"}, {})
    assert ids({"sda": "C"}, before)["sda"] != before["sda"]


def test_a_second_way_to_the_same_disk_does_not_rename_the_first() -> None:
    before = ids({"sda": "A"}, {})
    after = ids({"sda": "A", "sdb": "A"}, before)
    assert after["sda"] == before["sda"] != after["sdb"]
