"""A NAS is built in words that read like a packing list, and refuses what cannot be with a way out."""

import os
import random
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_truenas.appliance import FIXTURES, NasBuilder
from mock_truenas.appliance.builder import disk_name
from mock_truenas.appliance.sizes import read_size
from tests.mock_truenas.nases import START_NS, Watch, aged, built

TIB = 1 << 40


def one() -> NasBuilder:
    return NasBuilder("nas-1").pool("tank", mirror=2)


def test_a_nas_is_what_its_list_says() -> None:
    nas = (
        NasBuilder("nas-1")
        .machine(memory="128G", cores=8)
        .pool("tank", raidz2=6, disk="18TB", spares=1, log=1)
        .dataset("tank/media", used="4T", snapshots="100G", compression="zstd", quota="10T")
        .dataset("tank/vms/debian", volume="64G")
        .dataset("tank/sealed", locked=True)
        .disk("4TB", count=2)
        .service("cifs")
        .service("ssh", running=False)
        .user("anna")
        .smb("media", "/mnt/tank/media", comment="Films")
        .nfs("/mnt/tank/media")
        .app("jellyfin", port=8096)
        .vm("debian", "tank/vms/debian")
        .snapshot_task("tank/media", "0 * * * *", keep="2 days")
        .replication(["tank/media"], "tank/vms")
        .alert("PoolUpgraded", level="INFO", args={"pool": "tank"})
        .update()
        .build(clock=Watch(), entropy=random.Random(1).randbytes, rng=random.Random(1), release="25.10")
    )
    state = nas.state
    assert (state.host.hostname, state.host.cores, nas.release.name) == ("nas-1", 8, "25.10")
    assert [leaf.type for leaf in state.pools["tank"].topology.data] == ["RAIDZ2"]
    assert [leaf.status for leaf in state.pools["tank"].topology.spare] == ["AVAIL"]
    assert list(state.disks) == [*(f"sd{letter}" for letter in "abcdefg"), "nvme0n1", "sdh", "sdi"]
    assert [name for name, disk in state.disks.items() if disk.pool is None] == ["sdh", "sdi"]
    assert state.disks["sda"].size == 18 * 10**12
    assert list(state.datasets) == ["tank", "tank/media", "tank/vms", "tank/vms/debian", "tank/sealed"]
    media = state.datasets["tank/media"]
    assert (media.used, media.settings) == (4 * TIB + (100 << 30), {"compression": "zstd", "quota": str(10 * TIB)})
    assert state.datasets["tank/vms/debian"].volsize == 64 << 30
    assert state.datasets["tank/sealed"].locked
    running = [row["service"] for row in state.tables["service"].values() if row["state"] == "RUNNING"]
    assert running == ["cifs"]
    counts = {name: len(state.tables[name]) for name in ("sharing.smb", "sharing.nfs", "app", "vm", "replication")}
    assert counts == {"sharing.smb": 1, "sharing.nfs": 1, "app": 1, "vm": 1, "replication": 1}
    assert len(state.snapshots) == 48
    assert sorted(alert.klass for alert in state.alerts.values()) == ["HasUpdate", "PoolUpgraded"]
    assert "anna" in {row["username"] for row in state.tables["user"].values()}


@pytest.mark.parametrize(
    ("build", "told"),
    [
        (lambda: NasBuilder("n").plan(), r"at least one pool; add it with \.pool\(name, mirror=2\)"),
        (lambda: one().pool("tank", mirror=2), "pool 'tank': there is one already; choose another name"),
        (lambda: one().pool("p"), "pool 'p': give one of stripe, mirror, raidz1, raidz2, raidz3; 0 given"),
        (lambda: one().pool("p", mirror=2, raidz1=3), "2 given"),
        (lambda: one().pool("p", raidz2=3), "pool 'p': raidz2=3 is too few; it takes at least 4"),
        (lambda: one().pool("p", mirror=2, vdevs=0), "vdevs=0.*at least 1"),
        (lambda: one().pool("p", mirror=2, disk="4X"), "pool 'p': disk: '4X' is not a size; write bytes, or a number"),
        (lambda: one().dataset("tnk/a"), r"dataset 'tnk/a': there is no pool 'tnk'; pools: tank; add it with \.pool"),
        (lambda: NasBuilder("n").dataset("a"), "pools: none yet"),
        (lambda: one().dataset("tank/a").dataset("tank/a"), "dataset 'tank/a': there is one already"),
        (lambda: one().dataset("tank//a"), "a level has no name; write tank/a/b"),
        (lambda: one().dataset("tank/a", used=-1), "dataset 'tank/a': used: -1 is not a size"),
        (lambda: one().dataset("tank/a", quota="much"), "dataset 'tank/a': quota: 'much' is not a size"),
        (lambda: one().service("smb"), "service: there is no 'smb'.*known: cifs, ftp"),
        (lambda: one().service("iscsitaget"), "did you mean iscsitarget"),
        (lambda: one().machine(core=4), "machine: there is no 'core', did you mean cores"),
        (lambda: one().snapshot_task("tank", keep="long"), "snapshot_task 'tank': keep='long'.*write 3 days"),
        (lambda: built(one().dataset("tank/a", used="5T")), "pool 'tank': its datasets use 5497558138880 bytes, but"),
    ],
)
def test_what_cannot_be_is_refused_with_place_value_and_way_out(build: Callable[[], Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        build()


@pytest.mark.parametrize(
    ("text", "size"),
    [
        (0, 0),
        (7, 7),
        ("512", 512),
        ("512B", 512),
        ("4K", 4096),
        ("1.5 GiB", 3 << 29),
        ("18TB", 18 * 10**12),
        ("2p", 2 << 50),
        ("1kb", 1000),
    ],
)
def test_sizes_are_read_as_people_write_them(text: int | str, size: int) -> None:
    assert read_size(text, "here") == size


@pytest.mark.parametrize("text", ["", "-1", "G", "1e9", "4 XB", True, 1.5, None, "٤K"])
def test_what_is_no_size_is_refused_with_its_place(text: Any) -> None:
    with pytest.raises(ValueError, match=r"here: .* is not a size"):
        read_size(text, "here")


@given(st.integers(0, 20_000), st.integers(0, 20_000))
def test_disks_have_names_of_their_own_in_the_order_of_the_kernel(one: int, other: int) -> None:
    names = [disk_name(number) for number in (one, other)]
    assert (names[0] == names[1]) == (one == other)
    assert ((len(names[0]), names[0]) < (len(names[1]), names[1])) == (one < other)


def test_the_27th_disk_is_sdaa() -> None:
    assert [disk_name(number) for number in (0, 25, 26, 701, 702)] == ["sda", "sdz", "sdaa", "sdzz", "sdaaa"]


def test_the_datacenter_has_1200_disks_in_twelve_enclosures() -> None:
    state = aged("datacenter", "25.10").nas.state
    assert len(state.disks) == 1200
    places = [disk.enclosure for disk in state.disks.values()]
    assert len(set(places)) == 1200
    assert {place[0] for place in places if place is not None} == set(range(1, 13))
    assert {name: len(pool.topology.spare) for name, pool in state.pools.items()} == {
        "archive": 12,
        "bulk": 12,
        "flash": 2,
    }
    assert state.alerts == {}


def test_many_datasets_are_10000_at_depth_2() -> None:
    datasets = aged("many-datasets").nas.state.datasets
    assert len(datasets) == 10_000
    assert max(name.count("/") for name in datasets) == 1


DIGEST = """
import hashlib, random
from mock_truenas.appliance import FIXTURES, build_appliance
class Clock:
    at_ns = %d
    def now_ns(self): return self.at_ns
for name in FIXTURES:
    clock = Clock()
    one, two = random.Random(1), random.Random(1)
    nas = build_appliance(fixture=name, release="25.10", clock=clock, entropy=one.randbytes, rng=two)
    clock.at_ns += 36 * 3600 * 10**9
    nas.evolve()
    print(name, hashlib.sha256(repr((nas.state, nas.jobs.all(), nas.revision)).encode()).hexdigest())
"""


@pytest.mark.system
def test_equal_seeds_give_equal_lives_whatever_the_hash_seed() -> None:
    def digests(environment: Mapping[str, str]) -> str:
        program = DIGEST % START_NS
        done = subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            env={**os.environ, **environment},
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    one, other = (
        digests({"PYTHONHASHSEED": seed, "TZ": zone}) for seed, zone in (("1", "UTC"), ("4242", "Asia/Tokyo"))
    )
    assert one == other
    assert [line.partition(" ")[0] for line in one.splitlines()] == list(FIXTURES)
