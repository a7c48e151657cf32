"""Contract A8: staleness, how sources combine, removal, and what survives a restart."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_sim.kernel import Disk
from pulse_sim.stack.keeping import Keeper
from pulse_sim.stack.registry import Registry, stale_limit
from pulse_sim.stack.resources import Record, ResourceType, Status, when_stale

KEY = ("default", "truenas", "nas-1")
AGENT = ("default", "agent", "host-1")
POOL = Record("system:nas-1/pool:tank", "storage-1", ResourceType.STORAGE, "tank", Status.ONLINE, None,
              details={"kind": "pool"})  # fmt: skip
DAY_S = 86_400.0
BADNESS = ["online", "unknown", "warning", "offline"]


class SettableClock:
    def __init__(self) -> None:
        self.unix_ns = 10**18

    def now_ns(self) -> int:
        return self.unix_ns


def registry(*records: Record, interval_s: float = 60) -> Registry:
    made = Registry()
    made.register(KEY, stale_limit(interval_s, min(30, interval_s / 2)))
    made.ingest(KEY, records, 0.0, 10**18)
    return made


def status_at(made: Registry, now: float, resource_id: str = "storage-1") -> Status:
    return next(each.status for each in made.resources("default", now) if each.id == resource_id)


@pytest.mark.parametrize(
    ("interval_s", "limit_s"), [(1, 120), (30, 120), (60, 120), (61, 122 + 30), (300, 630), (3600, 7230)]
)
def test_the_limit_follows_the_interval_above_a_minute(interval_s: float, limit_s: float) -> None:
    made = registry(POOL, interval_s=interval_s)
    holding = next(iter(made.holdings()))
    assert made.source_status(holding, limit_s) == "online"
    assert made.source_status(holding, limit_s + 0.001) == "stale"


@pytest.mark.parametrize(
    ("status", "stale"),
    [("online", "warning"), ("unknown", "warning"), ("warning", "warning"), ("offline", "offline")],
)
def test_a_stale_source_warns_but_never_flatters(status: str, stale: str) -> None:
    made = registry(replace(POOL, status=Status(status)))
    assert status_at(made, 120.0) == status
    assert status_at(made, 120.1) == stale == when_stale(Status(status))


def test_the_next_success_recovers() -> None:
    made = registry(POOL)
    assert status_at(made, 500.0) == "warning"
    made.ingest(KEY, [POOL], 500.0, 0)
    assert status_at(made, 500.0) == "online"


def test_a_failure_keeps_everything_and_says_why() -> None:
    made = registry(POOL)
    made.failed(KEY, "auth")
    (found,) = made.resources("default", 10.0)
    assert (found.status, found.spoken.holding.error) == ("online", "auth")


@pytest.mark.parametrize(
    ("truenas", "agent", "now", "status"),
    [
        ("offline", "online", 10.0, "offline"),
        ("offline", "online", 130.0, "online"),
        ("online", "warning", 130.0, "warning"),
        ("online", "online", 300.0, "warning"),
        ("offline", "online", 300.0, "offline"),
    ],
)
def test_with_a_second_source_the_fresh_one_speaks(truenas: str, agent: str, now: float, status: str) -> None:
    made = registry(replace(POOL, status=Status(truenas)))
    made.register(AGENT, 60.0)
    made.ingest(AGENT, [replace(POOL, source_id="host:1", status=Status(agent))], 100.0, 0)
    assert status_at(made, now) == status


def test_what_a_reading_lacks_is_gone_when_believed_and_stale_when_not() -> None:
    other = replace(POOL, source_id="system:nas-1/pool:b", resource_id="storage-2")
    made = registry(POOL, other)
    made.ingest(KEY, [other], 60.0, 0, believed=False)
    assert (status_at(made, 60.0), status_at(made, 60.0, "storage-2")) == ("warning", "online")
    made.ingest(KEY, [other], 120.0, 0)
    assert [each.id for each in made.resources("default", 120.0)] == ["storage-2"]


def test_records_of_a_removed_connection_go_stale_and_are_dropped_a_day_later() -> None:
    made = registry(POOL)
    made.retire(KEY, 30.0)
    assert status_at(made, 121.0) == "warning"
    made.drop_expired(30.0 + DAY_S - 1)
    assert made.count("truenas") == 1
    made.drop_expired(30.0 + DAY_S)
    assert (made.count("truenas"), made.resources("default", 0.0)) == (0, [])


def test_a_connection_that_comes_back_is_not_dropped() -> None:
    made = registry(POOL)
    made.retire(KEY, 30.0)
    made.register(KEY, 120.0)
    made.drop_expired(10 * DAY_S)
    assert made.count("truenas") == 1


def test_organisations_do_not_see_each_other() -> None:
    made = registry(POOL)
    assert made.resources("acme", 0.0) == []


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.sets(st.integers(0, 4)), st.booleans()), max_size=12))
def test_counts_are_the_resources_shown(steps: list[tuple[str, set[int], bool]]) -> None:
    made = Registry()
    for at, (name, numbers, believed) in enumerate(steps):
        records = [replace(POOL, source_id=f"{name}{number}", resource_id=f"storage-{number}") for number in numbers]
        made.ingest(("default", "truenas", name), records, float(at), at, believed=believed)
        assert made.count("truenas") == len(made.resources("default", float(at)))


def kept(disk: Disk, made: Registry, clock: SettableClock, now: float) -> Keeper:
    disk.make_directory("/data", 0o700)
    return Keeper(made, disk, "/data", clock, lambda: now)


def test_a_restart_finds_the_records_as_old_as_they_are() -> None:
    disk, clock = Disk("d"), SettableClock()
    before = registry(POOL)
    kept(disk, before, clock, 50.0).save()
    disk.lose_power()
    clock.unix_ns += 100 * 10**9
    after = Registry()
    kept(disk, after, clock, 7000.0).load()
    (holding,) = after.holdings()
    assert holding.records == {POOL.source_id: POOL}
    assert holding.seen_at == 6900.0
    assert (status_at(after, 7020.0), status_at(after, 7021.0)) == ("online", "warning")


def test_retirement_survives_a_restart_and_a_clock_set_back_makes_nothing_fresher_than_now() -> None:
    disk, clock = Disk("d"), SettableClock()
    before = registry(POOL)
    before.retire(KEY, 0.0)
    kept(disk, before, clock, 60.0).save()
    clock.unix_ns -= 500 * 10**9
    after = Registry()
    kept(disk, after, clock, 1000.0).load()
    (holding,) = after.holdings()
    assert (holding.seen_at, holding.retired_at) == (1000.0, 1000.0)


def test_nothing_is_written_while_nothing_changed() -> None:
    writes: list[str] = []
    disk = Disk("d", lambda operation, path, _: writes.append(f"{operation} {path}"))
    made = registry(POOL)
    keeper = kept(disk, made, SettableClock(), 0.0)
    made.ingest(KEY, [POOL], 1.0, 1)
    keeper.save()
    count = len(writes)
    keeper.save()
    made.failed(KEY, "timeout")
    keeper.save()
    assert (count > 0, len(writes)) == (True, count)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b'{"version":2}', b'{"version":1}', b'{"version":1,"holdings":[1]}', b"[" * 100_000,
     b'{"version":1,"holdings":[{"key":["a","b","c"],"limitSeconds":NaN,"seenNs":0,"retiredNs":null,"records":[]}]}',
     b'{"version":1,"holdings":[{"key":["a","b","c"],"limitSeconds":120,"seenNs":Infinity,"retiredNs":null,"records":[]}]}'],
)  # fmt: skip
def test_a_damaged_file_of_records_is_no_reason_not_to_start(content: bytes, caplog: pytest.LogCaptureFixture) -> None:
    disk, made = Disk("d"), Registry()
    keeper = kept(disk, made, SettableClock(), 0.0)
    disk.write("/data/registry.json", content, 0o600)
    keeper.load()
    assert made.resources("default", 0.0) == []
    assert "registry.json not loaded" in caplog.text


def test_the_file_is_json_and_private() -> None:
    disk = Disk("d")
    made = Registry()
    keeper = kept(disk, made, SettableClock(), 0.0)
    made.ingest(KEY, [POOL], 0.0, 0)
    keeper.save()
    assert json.loads(disk.read("/data/registry.json"))["version"] == 1
    assert disk.mode("/data/registry.json") == 0o600


def test_every_source_of_every_organisation_survives_a_restart() -> None:
    disk, clock = Disk("d"), SettableClock()
    before = Registry()
    keys = [(org, source, "one") for org in ("acme", "default") for source in ("agent", "truenas")]
    for key in keys:
        before.register(key, 60.0 if key[1] == "agent" else 120.0)
        before.ingest(key, [replace(POOL, name="/".join(key))], 0.0, clock.unix_ns)
    kept(disk, before, clock, 0.0).save()
    after = Registry()
    kept(disk, after, clock, 0.0).load()
    assert [(h.key, h.limit_s, h.records[POOL.source_id].name) for h in after.holdings()] == [
        (key, 60.0 if key[1] == "agent" else 120.0, "/".join(key)) for key in keys
    ]
    for org in ("acme", "default"):
        (found,) = after.resources(org, 61.0)
        assert {claim.holding.key[:2] for claim in found.claims} == {(org, "agent"), (org, "truenas")}
        assert found.spoken.record.name == f"{org}/truenas/one"


@pytest.mark.parametrize(
    ("appliance", "agent", "status"),
    [(first, second, max(first, second, key=BADNESS.index)) for first in BADNESS for second in BADNESS],
)
def test_of_two_fresh_sources_the_worse_word_counts(appliance: str, agent: str, status: str) -> None:
    made = registry(replace(POOL, status=Status(appliance)))
    made.ingest(AGENT, [replace(POOL, source_id="host:1", status=Status(agent))], 0.0, 0)
    assert status_at(made, 0.0) == status


@pytest.mark.parametrize(
    ("appliance", "agent", "status"),
    [
        (first, second, "offline" if "offline" in (first, second) else "warning")
        for first in BADNESS
        for second in BADNESS
    ],
)
def test_of_two_stale_sources_none_flatters(appliance: str, agent: str, status: str) -> None:
    made = registry(replace(POOL, status=Status(appliance)))
    made.ingest(AGENT, [replace(POOL, source_id="host:1", status=Status(agent))], 0.0, 0)
    assert status_at(made, 121.0) == status
