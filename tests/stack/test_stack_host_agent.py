"""Contract A8: hosts that report themselves are a second source that disturbs nothing, and changes are told."""

from dataclasses import replace
from typing import Any

import pytest

from pulse_sim.stack.changes import Change
from pulse_sim.stack.host_agent import MAX_HOSTS, STALE_AFTER_S, HostAgents, TooManyHosts
from pulse_sim.stack.registry import Registry, Resource
from pulse_sim.stack.resources import Record, ResourceType, Status, canonical_id
from tests.stack.stackbed import TOKEN, Bed

ROUTE = "/api/agents/host/report"
APPLIANCE = ("default", "truenas", "nas-1")
DAY_S = 86_400.0
SERIAL_ID = canonical_id(ResourceType.PHYSICAL_DISK, "machine:S-1")


class Now:
    at = 0.0

    def __call__(self) -> float:
        return self.at

    def now_ns(self) -> int:
        return int(self.at * 1e9)


def bench() -> tuple[HostAgents, Registry, Now]:
    registry, now = Registry(), Now()
    return HostAgents(registry, now, now), registry, now


def report(*disks: dict[str, Any], status: str = "online", name: str = "h1") -> dict[str, Any]:
    return {"id": name, "hostname": name, "status": status, "disks": list(disks)}


def disk_of_appliance(status: str, serial: str = "S-1") -> Record:
    name = canonical_id(ResourceType.PHYSICAL_DISK, f"machine:{serial}")
    return Record("system:nas-1/disk:sda", name, ResourceType.PHYSICAL_DISK, "sda", Status(status), "storage-1")


def shown(registry: Registry, now: float) -> dict[str, Resource]:
    return {each.id: each for each in registry.resources("default", now)}


def test_a_report_becomes_a_host_and_its_disks() -> None:
    agents, registry, _ = bench()
    assert agents.report("default", report({"name": "sda", "serial": "S-1", "status": "warning"}, {"name": "sdb"})) == 3
    records = {c.record.source_id: c.record for each in registry.resources("default", 0) for c in each.claims}
    host = records["host:h1"]
    assert (host.type, host.status, host.tags) == ("host", "online", ("agent", "host"))
    assert host.resource_id == canonical_id(ResourceType.HOST, "agent:host:h1")
    assert records["host:h1/disk:sda"].resource_id == SERIAL_ID
    assert records["host:h1/disk:sdb"].resource_id == canonical_id(ResourceType.PHYSICAL_DISK, "agent:host:h1/disk:sdb")
    assert {r.parent_id for r in records.values() if r is not host} == {host.resource_id}
    assert (records["host:h1/disk:sda"].status, records["host:h1/disk:sdb"].status) == ("warning", "unknown")


@pytest.mark.parametrize(("silent_s", "status"), [(STALE_AFTER_S, "online"), (STALE_AFTER_S + 0.001, "stale")])
def test_a_host_is_stale_after_more_than_sixty_seconds(silent_s: float, status: str) -> None:
    agents, registry, _ = bench()
    agents.report("default", report())
    (holding,) = registry.holdings()
    assert registry.source_status(holding, silent_s) == status


@pytest.mark.parametrize(
    ("appliance", "agent", "merges"),
    [("S-1", "S-1", True), ("S-1", " S-1 ", True), ("S-1", "s-1", False), ("", "", False), ("None", None, False),
     ("Not Specified", "Not Specified", False), ("unknown", "unknown", False)],
)  # fmt: skip
def test_only_a_believable_serial_makes_two_disks_one(appliance: str, agent: str | None, merges: bool) -> None:
    agents, registry, _ = bench()
    registry.ingest(APPLIANCE, [disk_of_appliance("online", appliance)], 0, 0)
    agents.report("default", report({"name": "sda", "serial": agent}))
    disks = [each for each in registry.resources("default", 0) if each.spoken.record.type == "physical_disk"]
    assert len(disks) == (1 if merges else 2)


def test_a_serial_that_one_host_tells_twice_is_not_believed() -> None:
    agents, registry, _ = bench()
    registry.ingest(APPLIANCE, [disk_of_appliance("online")], 0, 0)
    agents.report("default", report({"name": "sda", "serial": "S-1"}, {"name": "sdb", "serial": "S-1"}))
    assert len([each for each in registry.resources("default", 0) if "disk" in each.spoken.record.type]) == 3


def test_the_same_host_name_merges_with_nothing() -> None:
    agents, registry, _ = bench()
    system = Record("system:nas-1", "host-1", ResourceType.HOST, "h1", Status.ONLINE, None)
    registry.ingest(APPLIANCE, [system], 0, 0)
    agents.report("default", report())
    assert len(registry.resources("default", 0)) == 2


@pytest.mark.parametrize(
    ("appliance", "agent", "appliance_seen", "agent_seen", "status", "speaks"),
    [
        ("online", "online", 100, 100, "online", "truenas"),
        ("online", "warning", 100, 100, "warning", "truenas"),
        ("offline", "online", 100, 100, "offline", "truenas"),
        ("offline", "online", -100, 100, "online", "agent"),
        ("online", "offline", 100, 0, "online", "truenas"),
        ("online", "online", -100, 0, "warning", "truenas"),
        ("offline", "online", -100, 0, "offline", "truenas"),
    ],
)
def test_a_fresh_source_speaks_for_a_stale_one(
    appliance: str, agent: str, appliance_seen: float, agent_seen: float, status: str, speaks: str
) -> None:
    agents, registry, now = bench()
    registry.ingest(APPLIANCE, [disk_of_appliance(appliance)], appliance_seen, 0)
    now.at = agent_seen
    agents.report("default", report({"name": "sda", "serial": "S-1", "status": agent}))
    disk = shown(registry, 100)[SERIAL_ID]
    assert (disk.status, disk.spoken.holding.key[1]) == (status, speaks)


def test_a_host_is_dropped_a_day_after_its_last_report() -> None:
    agents, registry, now = bench()
    agents.report("default", report())
    now.at = DAY_S - 1
    agents.report("default", report(name="h2"))
    assert registry.count("agent") == 2
    now.at = DAY_S
    agents.report("default", report(name="h2"))
    assert [each.spoken.record.name for each in registry.resources("default", now.at)] == ["h2"]


def test_hosts_have_a_limit_for_each_organisation_and_known_ones_go_on() -> None:
    agents, _, _ = bench()
    for number in range(MAX_HOSTS):
        agents.report("default", report(name=f"h{number}"))
    with pytest.raises(TooManyHosts):
        agents.report("default", report(name="one-more"))
    agents.report("default", report(name="h0"))
    agents.report("acme", report(name="one-more"))


def test_listeners_hear_what_looks_different_and_what_is_gone() -> None:
    agents, registry, now = bench()
    heard: list[Change] = []
    unsubscribe = registry.subscribe(heard.append)
    disk = disk_of_appliance("online")
    registry.ingest(APPLIANCE, [disk], 0, 0)
    registry.ingest(APPLIANCE, [disk], 1, 0)
    registry.ingest(APPLIANCE, [replace(disk, status=Status.WARNING)], 2, 0)
    registry.failed(APPLIANCE, "auth")
    registry.failed(APPLIANCE, "auth")
    registry.ingest(APPLIANCE, [replace(disk, status=Status.WARNING)], 3, 0)
    registry.notice_silence(123)
    registry.notice_silence(123.1)
    registry.notice_silence(200)
    assert heard == [Change("default", (SERIAL_ID,), ())] * 5
    heard.clear()
    now.at = 200
    agents.report("default", report({"name": "sda", "serial": "S-1"}))
    heard.clear()
    registry.ingest(APPLIANCE, [], 201, 0)
    assert heard == [Change("default", (SERIAL_ID,), ())], "the agent still speaks of it"
    heard.clear()
    agents.report("default", report())
    assert heard == [Change("default", (), (SERIAL_ID,))]
    unsubscribe()
    registry.ingest(APPLIANCE, [disk], 300, 0)
    assert len(heard) == 1


def test_what_is_not_believed_gone_is_told_as_changed() -> None:
    _, registry, _ = bench()
    heard: list[Change] = []
    registry.subscribe(heard.append)
    registry.ingest(APPLIANCE, [disk_of_appliance("online")], 0, 0)
    registry.ingest(APPLIANCE, [], 1, 0, believed=False)
    registry.ingest(APPLIANCE, [], 2, 0)
    assert heard[1:] == [Change("default", (SERIAL_ID,), ()), Change("default", (), (SERIAL_ID,))]


@pytest.mark.parametrize(
    ("body", "status", "code", "path"),
    [
        (report(), 200, None, None),
        (report({"name": "a", "serial": None, "model": "x", "sizeBytes": 1, "temperatureCelsius": 3}), 200, None, None),
        ({**report(), "disks": None}, 200, None, None),
        ({"hostname": "h", "status": "online"}, 400, "validation_error", "id"),
        ({"id": "h", "status": "online"}, 400, "validation_error", "hostname"),
        ({"id": "h", "hostname": "h"}, 400, "validation_error", "status"),
        ({**report(), "id": "../etc"}, 400, "validation_error", "id"),
        ({**report(), "hostname": "\n"}, 400, "validation_error", "hostname"),
        (report(status="fine"), 400, "validation_error", "status"),
        ({**report(), "disks": {}}, 400, "validation_error", "disks"),
        (report({"serial": "x"}), 400, "validation_error", "disks.0.name"),
        (report({"name": "sda", "sizeBytes": -1}), 400, "validation_error", "disks.0.sizeBytes"),
        (report({"name": "sda", "status": True}), 400, "validation_error", "disks.0.status"),
        (report(*[{"name": str(at)} for at in range(257)]), 400, "validation_error", "disks"),
        ([], 400, "invalid_request", None),
    ],
)  # fmt: skip
def test_the_route_takes_reports_and_says_what_is_wrong_with_others(
    body: Any, status: int, code: str | None, path: str | None
) -> None:
    async def story(bed: Bed) -> tuple[int, Any]:
        await bed.start(PULSE_ENABLE_TRUENAS="")
        return await bed.api("POST", ROUTE, body)

    found, answer = Bed().run(story)
    assert (found, answer.get("code")) == (status, code)
    assert path is None or set(answer["details"]) == {path}


def test_a_host_stands_beside_an_appliance_and_neither_disturbs_the_other() -> None:
    async def story(bed: Bed) -> None:
        await bed.start()
        await bed.add()
        await bed.wait(5)
        before = await bed.resources("source=truenas&limit=100")
        assert (await bed.api("POST", ROUTE, report({"name": "sda"}), token=TOKEN))[0] == 200
        assert await bed.resources("source=truenas&limit=100") == before
        assert len(await bed.resources("source=agent")) == 2
        found = await bed.metrics()
        assert found['pulse_registry_resources{source="truenas"}'] == 13
        assert found['pulse_registry_resources{source="agent"}'] == 2
        await bed.wait(61)
        (stale,) = {each["sourceStatus"]["agent"]["status"] for each in await bed.resources("source=agent")}
        assert stale == "stale"

    Bed().run(story)


def test_a_disk_that_gets_another_name_is_told_under_both() -> None:
    _, registry, _ = bench()
    heard: list[Change] = []
    first, second = disk_of_appliance("online", "A"), disk_of_appliance("online", "B")
    registry.ingest(APPLIANCE, [first], 0, 0)
    registry.subscribe(heard.append)
    registry.ingest(APPLIANCE, [second], 1, 0)
    assert heard == [Change("default", (second.resource_id,), (first.resource_id,))]


def test_a_shared_disk_keeps_its_name_within_its_source_when_only_the_agent_is_fresh() -> None:
    async def story(bed: Bed) -> tuple[set[str], set[str]]:
        await bed.start()
        await bed.add()
        await bed.wait(5)
        serial = bed.appliances["nas-1"].truth()["disks"]["sda"]["serial"]
        report = {"id": "h", "hostname": "h", "status": "online", "disks": [{"name": "c0", "serial": serial}]}
        named = []
        for away in (False, True):
            if away:
                bed.inject("appliance.down")
                await bed.wait(200)
            assert (await bed.api("POST", "/api/agents/host/report", {**report}))[0] == 200
            shown = await bed.resources("type=physical_disk&source=agent")
            named.append({each["identity"]["sourceId"] for each in shown})
        return named[0], named[1]

    assert Bed().run(story) == ({"system:nas-1/disk:sda"}, {"system:nas-1/disk:sda"})
