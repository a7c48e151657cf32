"""The appliance itself, without any face: fixtures, identity, clock, accounts."""

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_truenas.api.resources.properties import nice
from mock_truenas.appliance import FIXTURES, build_appliance
from mock_truenas.appliance.load import LoadAverage
from tests.mock_truenas.wire import START_NS, SetClock, appliance

SECOND = 1_000_000_000


@pytest.mark.parametrize("fixture", list(FIXTURES))
def test_truth_is_plain_json_that_agrees_with_itself(fixture: str) -> None:
    truth = appliance(fixture).truth()
    assert json.loads(json.dumps(truth)) == truth
    for pool in truth["pools"].values():
        assert pool["allocated"] + pool["free"] == pool["size"]
    assert {dataset["pool"] for dataset in truth["datasets"].values()} == set(truth["pools"])
    assert {disk["pool"] for disk in truth["disks"].values()} <= {*truth["pools"], "boot-pool", None}
    below = dict.fromkeys(truth["datasets"], 0)
    for name, dataset in truth["datasets"].items():
        if parent := name.rpartition("/")[0]:
            below[parent] += dataset["used"]
    assert {name for name, used in below.items() if used > truth["datasets"][name]["used"]} == set()


@pytest.mark.parametrize("fixture", list(FIXTURES))
def test_identity_follows_from_the_stream_alone(fixture: str) -> None:
    one, same, other = (appliance(fixture, seed=seed).truth() for seed in (1, 1, 2))
    assert one == same
    serials = {disk["serial"] for disk in one["disks"].values()}
    assert len(serials) == len(one["disks"])
    assert serials.isdisjoint(disk["serial"] for disk in other["disks"].values())


def test_truth_and_repr_hold_no_secret() -> None:
    nas = appliance()
    secrets = [nas.mint_api_key("pulse").partition("-")[2], nas.mint_password("root")]
    shown = json.dumps(nas.truth()) + repr(nas) + repr(nas.state)
    assert [secret for secret in secrets if secret in shown] == []


def test_scrub_ends_when_its_time_is_over() -> None:
    clock = SetClock()
    nas = appliance(clock=clock)
    nas.start_scrub("tank", takes_ns=100 * SECOND)
    scan = nas.state.pools["tank"].scan
    assert scan is not None
    progress = [nas.progress(scan, START_NS + second * SECOND) for second in (-5, 0, 50, 100, 10_000)]
    assert [step.fraction for step in progress] == [0.0, 0.0, 0.5, 1.0, 1.0]
    assert [step.finished for step in progress] == [False, False, False, True, True]


def test_uptime_is_never_negative_even_when_the_clock_goes_back() -> None:
    nas = appliance()
    assert nas.uptime_ns(0) == 0
    assert nas.uptime_ns(START_NS + SECOND) - nas.uptime_ns(START_NS) == SECOND


@given(st.lists(st.integers(min_value=0, max_value=50_000), max_size=20))
def test_load_at_an_instant_does_not_depend_on_how_often_it_was_asked(seconds: list[int]) -> None:
    asked, fresh = (LoadAverage(random.Random(7), 2.0, 0) for _ in range(2))
    for second in sorted(seconds):
        asked.at(second * SECOND)
    assert asked.at(50_000 * SECOND) == fresh.at(50_000 * SECOND)


def test_load_survives_a_clock_set_a_thousand_years_ahead() -> None:
    load = LoadAverage(random.Random(7), 2.0, 0).at(31_557_600_000 * SECOND)
    assert all(0.4 < average < 3.6 for average in load)


def test_afternoon_is_warmer_than_night_and_unread_disks_stay_unread() -> None:
    nas = appliance("small-office")
    night, afternoon = (START_NS + hour * 3600 * SECOND for hour in (3, 15))
    disk, stick = nas.state.disks["sda"], nas.state.disks["sdd"]
    assert [nas.temperature(disk, at) for at in (night, afternoon)] == [37, 39]
    assert nas.temperature(stick, night) is None


@pytest.mark.parametrize(
    ("key_prefix", "prefix", "start"),
    [("", None, "PSIMSECRET"), ("MARK", None, "MARK"), ("MARK", "X", "X"), ("", "", "")],
)
def test_api_key_has_the_form_of_the_appliance_and_its_marker(key_prefix: str, prefix: str | None, start: str) -> None:
    nas = build_appliance(
        clock=SetClock(), entropy=random.Random(1).randbytes, rng=random.Random(1), key_prefix=key_prefix
    )
    key_id, _, secret = nas.mint_api_key("pulse", prefix=prefix).partition("-")
    assert (key_id, len(secret), secret.isalnum()) == ("1", 64, True)
    assert secret.startswith(start)


def test_keys_are_numbered_named_once_and_told_apart() -> None:
    nas = appliance()
    keys = [nas.mint_api_key(name) for name in ("a", "b")]
    assert [key.partition("-")[0] for key in keys] == ["1", "2"]
    with pytest.raises(ValueError, match="exists already"):
        nas.mint_api_key("a")
    swapped = "2-" + keys[0].partition("-")[2]
    assert [nas.check_api_key(key).ok for key in (*keys, swapped, "", "x")] == [True, True, False, False, False]


@pytest.mark.parametrize("prefix", ["x" * 33, "PSIM-SECRET", "ä"])
def test_impossible_prefix_is_refused(prefix: str) -> None:
    with pytest.raises(ValueError, match="prefix"):
        appliance().mint_api_key("pulse", prefix=prefix)


def test_text_that_is_no_key_is_refused_without_being_quoted() -> None:
    with pytest.raises(ValueError, match="reads <id>") as refused:
        appliance().adopt_api_key("pulse", "hunter2")
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"fixture": "homelap"}, "did you mean homelab"),
        ({"fixture": "x"}, "available: baseline, small-office, homelab, datacenter, many-datasets"),
        ({"release": "25.11"}, "did you mean 25.10"),
        ({"release": "x"}, "available: 24.04, 24.10, 25.04.0"),
    ],
)
def test_unknown_fixture_or_release_is_refused_with_those_available(wrong: dict[str, str], told: str) -> None:
    chosen = {"fixture": "baseline", "release": "24.10", **wrong}
    with pytest.raises(ValueError, match=told):
        build_appliance(
            fixture=chosen["fixture"],
            release=chosen["release"],
            clock=SetClock(),
            entropy=random.Random(1).randbytes,
            rng=random.Random(1),
        )


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "0B"),
        (512, "512B"),
        (1023, "1023B"),
        (1024, "1K"),
        (131072, "128K"),
        (219031890739, "204G"),
        (1 << 40, "1T"),
    ],
)
def test_sizes_are_printed_as_zfs_prints_them(amount: int, text: str) -> None:
    assert nice(amount) == text
