"""A NAS lives by its clock alone: what it is at an instant does not depend on how often anybody looked."""

import tracemalloc
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from mock_truenas.appliance import NasBuilder
from mock_truenas.appliance.changes import Change
from mock_truenas.appliance.model import State
from tests.mock_truenas.nases import DAY, HOUR, MINUTE, SECOND, START_NS, Aged, Work, aged, built

TIB = 1 << 40


def sound(state: State) -> list[str]:
    """What does not add up."""
    problems = []
    below = dict.fromkeys(state.datasets, 0)
    for name, dataset in state.datasets.items():
        parent = name.rpartition("/")[0]
        if parent:
            below[parent] += dataset.used
        if dataset.available < 0:
            problems.append(f"{name} has less than nothing available")
    problems += [
        f"{name} holds less than what is below" for name, used in below.items() if used > state.datasets[name].used
    ]
    problems += [f"{pool.name} is fuller than full" for pool in state.pools.values() if pool.allocated > pool.size]
    return problems


# -- datasets ----------------------------------------------------------------------------------------------------------


def test_datasets_fill_in_steps_of_ten_minutes_and_parents_and_pool_follow() -> None:
    home = aged()
    before = home.nas.state
    revision = home.nas.revision
    home.wait(10 * MINUTE - 1)
    assert (home.nas.state, home.nas.revision) == (before, revision)
    home.wait(1)
    after = home.nas.state
    gain = after.datasets["tank/documents"].used - before.datasets["tank/documents"].used
    assert gain > 0
    assert after.datasets["tank"].used - before.datasets["tank"].used == gain
    assert before.datasets["tank"].available - after.datasets["tank"].available == gain
    assert after.pools["tank"].allocated - before.pools["tank"].allocated >= gain
    assert after.datasets["fast"] is before.datasets["fast"]
    home.wait(DAY)
    grown = home.nas.state.datasets["tank/documents"].used - before.datasets["tank/documents"].used
    assert 0.8 * 24 * (24 << 20) < grown < 1.2 * 24 * (24 << 20)


def test_nothing_grows_beyond_what_is_available() -> None:
    nas = NasBuilder("n").pool("tank", mirror=2, disk="1TB").dataset("tank/a", used="870G", grows="40G")
    home = built(nas.dataset("tank/b", grows="1G"))
    home.wait(3 * DAY)
    state = home.nas.state
    assert sound(state) == []
    assert state.datasets["tank"].available < 4096 * 2
    assert home.classes() == ["ZpoolCapacityCritical"]
    home.wait(3 * DAY)
    assert home.nas.state.datasets == state.datasets


def test_a_quota_holds_a_dataset_back_and_its_alerts_come_on_the_way() -> None:
    nas = NasBuilder("n").pool("tank", mirror=2).dataset("tank/a", used="700G", grows="10G", quota="1T")
    home = built(nas)
    seen: list[str] = []
    for _ in range(40):
        home.wait(2 * HOUR)
        seen += [klass for klass in home.classes() if klass not in seen]
    assert seen == ["QuotaWarning", "QuotaCritical"]
    assert TIB - 4096 < home.nas.state.datasets["tank/a"].used <= TIB


@pytest.mark.parametrize("change", [{"readonly": True}, {"encrypted": True, "key_loaded": False}])
def test_what_takes_no_writes_does_not_grow(change: dict[str, bool]) -> None:
    home = aged()
    home.nas.change_dataset("tank/documents", **change)
    before = home.nas.state.datasets
    home.wait(DAY)
    assert home.nas.state.datasets == before


@pytest.mark.parametrize("status", ["SUSPENDED", "FAULTED", "OFFLINE"])
def test_a_pool_that_does_not_work_does_not_fill(status: str) -> None:
    home = aged()
    home.nas.change_pool("tank", status=status, status_code="IO_FAILURE_WAIT")
    before = home.nas.state.datasets
    home.wait(DAY)
    assert home.nas.state.datasets == before


# -- scans -------------------------------------------------------------------------------------------------------------


def test_the_end_of_a_scrub_is_told_and_warms_disks_no_more() -> None:
    home = aged()
    told: list[Change] = []
    home.nas.start_scrub("tank", takes_ns=HOUR)
    home.nas.watch(told.append)
    disk = home.nas.state.disks["sda"]
    warm = home.nas.temperature(disk, home.nas.now_ns())
    home.wait(HOUR)
    cool = home.nas.temperature(disk, home.nas.now_ns())
    assert [change.id for change in told if change.collection == "zfs.pool.scan"] == ["tank"]
    assert (warm, cool) == (37, 34)


def test_a_paused_scrub_stands_still_and_goes_on_where_it_was() -> None:
    home = aged()
    home.nas.start_scrub("tank", takes_ns=100 * MINUTE)
    home.wait(30 * MINUTE)
    scan = home.nas.state.pools["tank"].scan
    assert scan is not None
    home.nas.change_pool("tank", scan=replace(scan, paused_at_ns=home.nas.now_ns()))
    home.wait(5 * HOUR)
    paused = home.nas.state.pools["tank"].scan
    assert paused is not None
    assert (home.nas.progress(paused, home.nas.now_ns()).fraction, paused.ends_at_ns) == (0.3, None)
    home.nas.change_pool("tank", scan=replace(paused, paused_at_ns=None, held_ns=5 * HOUR))
    home.wait(70 * MINUTE)
    ended = home.nas.state.pools["tank"].scan
    assert ended is not None
    assert home.nas.progress(ended, home.nas.now_ns()).finished
    assert ended.ends_at_ns == START_NS + 100 * MINUTE + 5 * HOUR


def test_a_failed_disk_degrades_its_pool_and_a_resilver_heals_it() -> None:
    home = built(NasBuilder("n").pool("tank", raidz1=3).disk("4TB"))
    home.nas.fail_disk("sdb")
    pool = home.nas.state.pools["tank"]
    assert (pool.status, pool.status_code, pool.topology.data[0].status) == ("DEGRADED", "MISSING_DEV_R", "DEGRADED")
    home.nas.replace_disk("sdb", "sdd", takes_ns=6 * HOUR)
    home.wait(3 * HOUR)
    pool = home.nas.state.pools["tank"]
    assert pool.scan is not None
    assert (pool.scan.function, home.nas.progress(pool.scan, home.nas.now_ns()).fraction) == ("RESILVER", 0.5)
    assert (pool.status, home.classes()) == ("DEGRADED", ["VolumeStatus"])
    home.wait(3 * HOUR)
    pool = home.nas.state.pools["tank"]
    assert (pool.status, pool.status_code, home.classes()) == ("ONLINE", "OK", [])
    assert [leaf.disk for leaf in pool.topology.data[0].children] == ["sda", "sdd", "sdc"]
    assert (home.nas.state.disks["sdb"].pool, home.nas.state.disks["sdd"].pool) == (None, "tank")


@pytest.mark.parametrize(
    ("lost", "status", "code"),
    [
        (("sda",), "DEGRADED", "MISSING_DEV_R"),
        (("sda", "sdb"), "DEGRADED", "MISSING_DEV_R"),
        (("sda", "sdb", "sdc"), "UNAVAIL", "MISSING_DEV_NR"),
    ],
)
def test_a_pool_bears_as_many_lost_disks_as_it_has_parity(lost: tuple[str, ...], status: str, code: str) -> None:
    home = built(NasBuilder("n").pool("tank", raidz2=5))
    for name in lost:
        home.nas.fail_disk(name)
    pool = home.nas.state.pools["tank"]
    assert (pool.status, pool.status_code) == (status, code)
    for name in lost:
        home.nas.fail_disk(name, "ONLINE")
    assert home.nas.state.pools["tank"].status == "ONLINE"


def test_a_hot_spare_steps_in_and_is_free_again_when_the_disk_is_well_or_replaced() -> None:
    home = built(NasBuilder("n").pool("tank", raidz1=3, spares=1).disk("4TB"))

    def seen() -> tuple[str, str, list[str], list[str]]:
        pool = home.nas.state.pools["tank"]
        (vdev,) = pool.topology.data
        return pool.status, pool.topology.spare[0].status, [child.type for child in vdev.children], home.classes()

    whole = ("ONLINE", "AVAIL", ["DISK"] * 3, list[str]())
    helped = ("DEGRADED", "INUSE", ["DISK", "SPARE", "DISK"], ["VolumeStatus"])
    home.nas.fail_disk("sdb", "FAULTED")
    assert seen() == helped
    spare = home.nas.state.pools["tank"].topology.data[0].children[1]
    assert [(leaf.disk, leaf.status) for leaf in spare.children] == [("sdb", "FAULTED"), ("sdd", "ONLINE")]
    scan = home.nas.state.pools["tank"].scan
    assert scan is not None
    assert scan.function == "RESILVER"
    home.wait(scan.takes_ns)
    assert seen() == helped
    home.nas.fail_disk("sdb", "ONLINE")
    assert seen() == whole
    home.nas.fail_disk("sdb", "REMOVED")
    assert seen() == helped
    home.nas.fail_disk("sda", "FAULTED")
    # There is but one spare; with it two of three are left to the vdev.
    assert (home.nas.state.pools["tank"].status, home.nas.state.pools["tank"].topology.spare[0].status) == (
        "DEGRADED",
        "INUSE",
    )
    home.nas.fail_disk("sda", "ONLINE")
    home.nas.replace_disk("sdb", "sde", takes_ns=HOUR)
    home.wait(HOUR)
    assert seen() == whole
    assert [leaf.disk for leaf in home.nas.state.pools["tank"].topology.data[0].children] == ["sda", "sde", "sdc"]
    home.nas.fail_disk("sda", "OFFLINE")
    assert home.nas.state.pools["tank"].topology.spare[0].status == "AVAIL"


def test_a_disk_in_use_replaces_none() -> None:
    home = built(NasBuilder("n").pool("tank", mirror=2).pool("other", mirror=2))
    with pytest.raises(ValueError, match="disk sdc belongs to pool other"):
        home.nas.replace_disk("sda", "sdc", takes_ns=HOUR)


# -- tasks -------------------------------------------------------------------------------------------------------------


def test_snapshots_come_by_schedule_and_go_when_their_time_is_over() -> None:
    nas = NasBuilder("n").pool("tank", mirror=2).dataset("tank/a").dataset("tank/a/b").dataset("tank/a/c")
    home = built(nas.snapshot_task("tank/a", "30 * * * *", keep="3 hours", recursive=True, exclude=["tank/a/c"]))
    names = set(home.nas.state.snapshots)
    assert names == {f"tank/a{end}@auto-2026-02-08_{hour}-30" for end in ("", "/b") for hour in (21, 22, 23)}
    home.wait(HOUR)
    expected = {f"tank/a{end}@auto-2026-02-0{when}-30" for end in ("", "/b") for when in ("8_22", "8_23", "9_00")}
    assert set(home.nas.state.snapshots) == expected
    row = home.nas.state.tables["pool.snapshottask"][1]
    assert row["state"] == {"state": "FINISHED", "datetime": {"$date": START_NS // 10**6 + 1_800_000}}


def test_a_held_snapshot_outlives_its_time() -> None:
    home = aged()
    first = next(iter(home.nas.state.snapshots.values()))
    home.nas.change(snapshots={**home.nas.state.snapshots, first.name: replace(first, holds={"keep": START_NS})})
    home.wait(30 * DAY)
    assert first.name in home.nas.state.snapshots
    assert len(home.nas.state.snapshots) == 15


def test_a_task_that_is_disabled_deleted_or_given_another_schedule_obeys() -> None:
    home = aged()
    home.nas.change_row("pool.snapshottask", 1, enabled=False)
    before = set(home.nas.state.snapshots)
    home.wait(2 * DAY)
    assert set(home.nas.state.snapshots) == before
    row = home.nas.state.tables["pool.snapshottask"][1]
    home.nas.change_row("pool.snapshottask", 1, enabled=True, schedule={**row["schedule"], "hour": "*", "minute": "07"})
    home.wait(HOUR)
    assert set(home.nas.state.snapshots) - before == {"tank/documents@auto-2026-02-11_00-07"}
    home.nas.delete_row("pool.snapshottask", 1)
    known = home.nas.state.snapshots
    home.wait(DAY)
    assert home.nas.state.snapshots == known


def test_a_replication_runs_as_a_job_and_names_its_last_snapshot() -> None:
    home = aged()
    home.wait(90 * MINUTE)
    row = home.nas.state.tables["replication"][1]
    (job,) = home.nas.jobs.all()
    assert (row["state"]["state"], row["job"], job.method, job.state) == ("RUNNING", 1, "replication.run", "RUNNING")
    home.wait(20 * MINUTE)
    row = home.nas.state.tables["replication"][1]
    assert row["state"]["state"] == "FINISHED"
    assert row["state"]["last_snapshot"] == "tank/documents@auto-2026-02-09_00-00"
    assert home.classes() == ["ReplicationSuccess"]
    home.wait(2 * DAY)
    assert home.classes() == ["ReplicationSuccess"]


def test_a_replication_to_a_pool_that_is_gone_fails_until_it_is_back() -> None:
    home = aged()
    home.nas.change_pool("backup", status="SUSPENDED", status_code="IO_FAILURE_WAIT")
    home.wait(3 * HOUR)
    assert sorted(home.classes()) == ["ReplicationFailed", "VolumeStatus"]
    home.nas.change_pool("backup", status="ONLINE", status_code="OK")
    home.wait(DAY)
    assert home.classes() == ["ReplicationSuccess"]


def test_a_scrub_task_starts_one_only_when_the_last_is_older_than_its_threshold() -> None:
    home = aged()
    started = []
    for _ in range(10):
        home.wait(7 * DAY)
        scan = home.nas.state.pools["tank"].scan
        assert scan is not None
        started.append((scan.started_at_ns - START_NS) // DAY)
    # The one of the fixture is five days old; the first Sunday with 35 days behind it is the 15th of March.
    assert sorted(set(started)) == [-6, 34]


# -- boot --------------------------------------------------------------------------------------------------------------


def test_a_reboot_goes_through_its_phases_and_nothing_is_lost() -> None:
    home = aged("homelab", "25.10")
    before = home.nas.state
    home.nas.reboot(takes_ns=100 * SECOND, down_ns=20 * SECOND)
    seen = []
    for _ in range(4):
        state = home.nas.state
        apps = {row["state"] for row in state.tables["app"].values()}
        seen.append((state.host.answers, state.host.state, len(state.pools), sorted(apps)))
        home.wait(40 * SECOND)
    deploying = ["DEPLOYING", "STOPPED"]
    assert seen == [
        (False, "SHUTTING_DOWN", 0, deploying),
        (True, "BOOTING", 0, deploying),
        (True, "BOOTING", 3, deploying),
        (True, "READY", 3, ["RUNNING", "STOPPED"]),
    ]
    after = home.nas.state
    assert after.host.boot_id != before.host.boot_id
    assert home.nas.uptime_ns(home.nas.now_ns()) == 140 * SECOND
    assert replace(after, host=before.host) == before


def test_a_boot_may_be_cut_short_and_a_shutdown_lasts_until_a_reboot() -> None:
    home = aged()
    home.nas.shutdown()
    home.wait(DAY)
    assert (home.nas.state.host.answers, home.nas.state.host.state, home.nas.state.pools) == (
        False,
        "SHUTTING_DOWN",
        {},
    )
    used = home.nas.base.datasets["tank/documents"].used
    home.nas.reboot(takes_ns=HOUR)
    home.nas.finish_boot()
    assert (home.nas.state.host.answers, home.nas.state.host.state) == (True, "READY")
    assert home.nas.state.datasets["tank/documents"].used == used
    told: list[Change] = []
    home.nas.watch(told.append)
    home.wait(2 * HOUR)
    assert [change for change in told if change.collection.startswith("system.")] == []


def test_boots_are_told_to_whoever_watches() -> None:
    home = aged()
    told: list[Change] = []
    home.nas.watch(told.append)
    home.nas.reboot(takes_ns=MINUTE)
    home.wait(MINUTE)
    home.nas.shutdown()
    system = [change.collection for change in told if change.collection.startswith("system.")]
    assert system == ["system.reboot", "system.ready", "system.shutdown"]


def test_a_replication_that_a_reboot_cut_off_is_due_again() -> None:
    home = aged()
    home.wait(91 * MINUTE)
    home.nas.reboot(takes_ns=MINUTE)
    assert home.nas.state.tables["replication"][1]["state"] == {"state": "PENDING"}
    home.wait(DAY + HOUR)
    assert home.nas.state.tables["replication"][1]["state"]["state"] == "FINISHED"


# -- the clock ---------------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 3 * DAY), max_size=30))
@settings(max_examples=12)
def test_the_state_at_an_instant_does_not_depend_on_how_often_it_was_looked_at(instants: list[int]) -> None:
    asked, fresh = aged("homelab"), aged("homelab")
    for instant in sorted(instants):
        asked.clock.at_ns = START_NS + instant
        asked.nas.evolve()
    for home in (asked, fresh):
        home.clock.at_ns = START_NS + 3 * DAY
        home.nas.evolve()
    assert asked.nas.state == fresh.nas.state
    assert asked.nas.jobs.all() == fresh.nas.jobs.all()
    assert asked.nas.revision == fresh.nas.revision


def test_a_clock_that_goes_back_undoes_nothing_and_repeats_nothing() -> None:
    home = aged()
    home.wait(DAY)
    state = home.nas.state
    home.wait(-5 * DAY)
    assert home.nas.state == state
    home.wait(5 * DAY)
    assert home.nas.state == state


def test_a_clock_set_a_thousand_years_ahead_is_not_walked_through() -> None:
    home = aged("homelab")
    home.wait(365_000 * DAY)
    assert sound(home.nas.state) == []
    assert home.nas.revision < 20_000
    due = home.nas.next_change_ns()
    assert due is not None
    assert home.nas.now_ns() < due <= home.nas.now_ns() + 10 * MINUTE


def test_the_next_change_is_when_something_next_happens() -> None:
    home = aged()
    home.nas.jobs.start("x.y", [], Work(90 * SECOND, steps=((0.5, "Half"),)))
    dues = []
    for _ in range(3):
        due = home.nas.next_change_ns()
        assert due is not None
        dues.append((due - START_NS) // SECOND)
        home.wait(due - home.nas.now_ns())
    assert dues == [45, 90, 600]


def test_looking_while_nothing_is_due_reads_the_clock_once_and_does_no_more() -> None:
    home = aged("homelab")
    reads: list[int] = []

    class Counted:
        def now_ns(self) -> int:
            reads.append(1)
            return START_NS

    home.nas._clock = Counted()
    before = home.nas.state
    home.nas.evolve()
    assert (len(reads), home.nas.state is before) == (1, True)


def test_an_appliance_of_a_fleet_takes_less_than_a_quarter_of_a_megabyte() -> None:
    aged()
    tracemalloc.start()
    try:
        homes = [aged(seed=seed) for seed in range(10)]
        each = tracemalloc.get_traced_memory()[0] // len(homes)
    finally:
        tracemalloc.stop()
    assert each < 250 << 10


class TwoLives(RuleBasedStateMachine):
    """One NAS is looked at all the time, its twin only when something is done to it: they stay the same."""

    faults = Bundle("faults")

    def __init__(self) -> None:
        super().__init__()
        self.often: Aged = aged("small-office", "25.10")
        self.seldom: Aged = aged("small-office", "25.10")
        self.count = 0

    @property
    def both(self) -> tuple[Aged, Aged]:
        return self.often, self.seldom

    @initialize()
    def begin(self) -> None:
        for home in self.both:
            home.nas.insert_row("sharing.nfs", {"path": "/mnt/office"})

    @rule(looks=st.lists(st.integers(1, 8 * HOUR), min_size=1, max_size=6))
    def time_passes(self, looks: list[int]) -> None:
        for step in looks:
            self.often.wait(step)
        self.seldom.clock.at_ns += sum(looks)

    @rule(target=faults, kind=st.sampled_from(["pools", "host", "disks", "nothing"]))
    def inject(self, kind: str) -> str:
        self.count += 1
        name = f"{kind}-{self.count}"

        def change(state: State) -> State:
            if kind == "pools":
                pools = {
                    key: replace(pool, status="FAULTED", status_code="BAD_LOG") for key, pool in state.pools.items()
                }
                return replace(state, pools=pools)
            if kind == "host":
                return replace(state, host=replace(state.host, ups_on_battery=True, clock_offset_ns=HOUR))
            return replace(state, disks={}) if kind == "disks" else state

        for home in self.both:
            home.nas.overlay(name, change)
        return name

    @rule(fault=consumes(faults))
    def heal(self, fault: str) -> None:
        for home in self.both:
            home.nas.lift(fault)

    @rule(minutes=st.integers(0, 300), abortable=st.booleans(), fails=st.booleans())
    def start_job(self, minutes: int, abortable: bool, fails: bool) -> None:
        def result(nas: object) -> int:
            if fails:
                raise OSError("no")
            return minutes

        plan = Work(minutes * MINUTE, result, steps=((0.3, "a"), (0.6, "b")), abortable=abortable)
        for home in self.both:
            home.nas.jobs.start("x.y", [minutes], plan)

    @rule()
    def abort_the_last_job(self) -> None:
        for home in self.both:
            jobs = home.nas.jobs.all()
            if jobs and jobs[-1].abortable:
                home.nas.jobs.abort(jobs[-1].id)

    @rule(takes=st.integers(1, 3 * HOUR), down=st.integers(0, HOUR))
    def reboot(self, takes: int, down: int) -> None:
        for home in self.both:
            home.nas.reboot(takes, down)

    @rule(takes=st.integers(1, 20 * HOUR))
    def scrub(self, takes: int) -> None:
        for home in self.both:
            home.nas.start_scrub("office", takes)

    @rule(disk=st.sampled_from(["sda", "sdb"]), status=st.sampled_from(["FAULTED", "ONLINE", "REMOVED"]))
    def a_disk_changes(self, disk: str, status: str) -> None:
        for home in self.both:
            home.nas.fail_disk(disk, status)  # type: ignore[arg-type]

    @rule()
    def dismiss(self) -> None:
        for home in self.both:
            for uuid in list(home.nas.base.alerts)[:1]:
                home.nas.dismiss_alert(uuid, dismissed=True)

    @invariant()
    def they_are_the_same(self) -> None:
        for home in self.both:
            home.nas.evolve()
        one, other = self.often.nas, self.seldom.nas
        assert one.state == other.state
        assert one.base == other.base
        assert [str(job) for job in one.jobs.all()] == [str(job) for job in other.jobs.all()]
        assert one.revision == other.revision
        assert sound(one.base) == []


TestTwoLives = TwoLives.TestCase
TestTwoLives.settings = settings(max_examples=80, stateful_step_count=30)
