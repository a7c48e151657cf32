"""Samples of the past and values of the moment: what is drawn, in which form, and that asking changes nothing."""

import itertools
import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_truenas.api.errors import CallError, ValidationErrors
from mock_truenas.api.rows_curves import Curve, seed_of
from mock_truenas.api.rows_realtime import app_stats, instance_metrics, realtime
from tests.mock_truenas.calls import EVERY, SECOND_NS, Machine, machine

OLD = ("24.04", "24.10")
NEW = tuple(release for release in EVERY if release not in OLD)
KEY = {release: "reporting_query" if release in OLD else "query" for release in EVERY}


def data(box: Machine, *graphs: Any, **span: Any) -> Any:
    asked = [graph if isinstance(graph, dict) else {"name": graph} for graph in graphs]
    return box.call("reporting.get_data", asked, span)


def disk(box: Machine, name: str, graph: str = "disktemp") -> str:
    (row,) = box.call("reporting.graphs", [["name", "=", graph]])
    return next(str(one) for one in row["identifiers"] if str(one).partition(" ")[0] == name)


# -- what can be drawn -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("release", EVERY)
def test_graphs_tell_their_identifiers(release: str) -> None:
    box = machine(release)
    graphs = {row["name"]: row for row in box.call("reporting.graphs")}
    assert box.call("reporting.netdata_graphs") == list(graphs.values())
    assert {set(row) == {"name", "title", "vertical_label", "identifiers"} for row in graphs.values()} == {True}
    assert graphs["cpu"]["identifiers"] is None
    assert graphs["interface"]["identifiers"] == ["enp5s0", "enp6s0"]
    assert len(graphs["disk"]["identifiers"]) == len(box.appliance.state.disks)


@pytest.mark.parametrize("release", EVERY)
def test_disks_are_named_at_length_from_25_04_on(release: str) -> None:
    box = machine(release)
    state = box.appliance.state.disks["sda"]
    long = f"sda | Type: {state.type} | Model: {state.model} | Serial: {state.serial}"
    wanted, other = ("sda", long) if release in OLD else (long, "sda")
    (row,) = data(box, {"name": "disktemp", "identifier": wanted})
    assert (row["name"], row["identifier"]) == ("disktemp", wanted)
    assert data(box, {"name": "disktemp", "identifier": other}) == []


LEGENDS = [
    ("24.10", "cpu", ["time", "system", "user", "idle", "softirq", "nice", "iowait"]),
    ("25.04", "cpu", ["time", "cpu", "cpu0", "cpu1", "cpu2", "cpu3"]),
    ("25.10", "memory", ["time", "available"]),
    ("24.04", "load", ["time", "shortterm", "midterm", "longterm"]),
    ("26.0", "load", ["time", "shortterm", "midterm", "longterm"]),
]


@pytest.mark.parametrize(("release", "graph", "legend"), LEGENDS)
def test_legends(release: str, graph: str, legend: list[str]) -> None:
    (row,) = data(machine(release, "baseline"), graph)
    assert row["legend"][: len(legend)] == legend
    assert row["identifier"] == graph
    assert {len(sample) for sample in row["data"]} == {len(row["legend"])}


@pytest.mark.parametrize("release", EVERY)
def test_legends_of_what_has_identifiers(release: str) -> None:
    box = machine(release)
    asked = [
        {"name": "interface", "identifier": "enp5s0"},
        {"name": "disk", "identifier": disk(box, "sda", "disk")},
        {"name": "disktemp", "identifier": disk(box, "sda")},
    ]
    assert [row["legend"] for row in data(box, *asked)] == [
        ["time", "received", "sent"],
        ["time", "reads", "writes"],
        ["time", "temperature_value"],
    ]


@pytest.mark.parametrize("release", EVERY)
def test_the_second_argument_has_the_name_of_the_release(release: str) -> None:
    box = machine(release)
    with pytest.raises(ValidationErrors) as caught:
        data(box, "cpu", unit="CENTURY")
    assert [path for path, _, _ in caught.value.problems] == [f"{KEY[release]}.unit"]


# -- what is left out --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("release", EVERY)
def test_what_is_unknown_takes_its_whole_kind_with_it(release: str) -> None:
    box = machine(release)
    known = {"name": "interface", "identifier": "enp5s0"}
    unknown = {"name": "interface", "identifier": "eth99"}
    assert [row["name"] for row in data(box, "cpu", known, unknown, {"name": "nothing"}, "load")] == ["cpu", "load"]
    assert data(box, {"name": "disk", "identifier": None}) == []


def test_a_trailing_sample_of_zeros_is_dropped() -> None:
    box = machine("25.10", "baseline")
    row = box.appliance.state.tables["interface"]["eno1"]
    samples = data(box, {"name": "interface", "identifier": "eno1"})[0]["data"]
    box.appliance.change_row("interface", "eno1", state={**row["state"], "link_state": "LINK_STATE_DOWN"})
    silent = data(box, {"name": "interface", "identifier": "eno1"})[0]["data"]
    assert len(silent) == len(samples) - 1
    assert {tuple(sample[1:]) for sample in silent} == {(0, 0)}


# -- spans -------------------------------------------------------------------------------------------------------------

SPANS = {"HOUR": 3600, "DAY": 86_400, "WEEK": 604_800, "MONTH": 2_592_000, "YEAR": 31_536_000}


@pytest.mark.parametrize("unit", SPANS)
@pytest.mark.parametrize("page", [1, 2, 7])
def test_a_unit_and_a_page_are_a_span_of_at_most_2999_points(unit: str, page: int) -> None:
    box = machine("25.10", "baseline")
    now_s = box.clock.at_ns // SECOND_NS
    (row,) = data(box, "memory", unit=unit, page=page)
    assert (row["start"], row["end"]) == (now_s - page * SPANS[unit], now_s - (page - 1) * SPANS[unit])
    times = [sample[0] for sample in row["data"]]
    assert 1000 < len(times) <= 2999
    assert row["start"] <= times[0] and times[-1] < row["end"]
    assert len({later - earlier for earlier, later in itertools.pairwise(times)}) == 1


def test_nothing_is_known_of_the_future() -> None:
    box = machine("25.10", "baseline")
    now_s = box.clock.at_ns // SECOND_NS
    (row,) = data(box, "memory", start=now_s - 10, end=now_s + 10)
    assert [sample[0] for sample in row["data"]] == list(range(now_s - 10, now_s))
    assert data(box, "memory", start=now_s + 10, end=now_s + 20)[0]["data"] == []


@pytest.mark.parametrize(
    ("span", "attribute"),
    [
        ({"unit": "HOUR", "start": 1_770_000_000}, "start"),
        ({"unit": "HOUR", "end": 1_770_000_000}, "end"),
        ({"end": 1_770_000_000}, "start"),
        ({"start": 1_770_000_000, "end": 1_770_000_000}, "end"),
        ({"page": 0}, "page"),
        ({"start": -1}, "start"),
        ({"start": 10**30}, "start"),
        ({"unit": "hour"}, "unit"),
        ({"aggregate": 1}, "aggregate"),
        ({"units": "HOUR"}, "units"),
    ],
)
@pytest.mark.parametrize("release", ["24.10", "25.10"])
def test_spans_that_contradict_themselves_are_refused(release: str, span: Any, attribute: str) -> None:
    with pytest.raises(ValidationErrors) as caught:
        data(machine(release, "baseline"), "cpu", **span)
    assert [path for path, _, _ in caught.value.problems] == [f"{KEY[release]}.{attribute}"]


def test_more_arguments_than_there_are_is_an_error_of_the_call() -> None:
    with pytest.raises(CallError):
        machine("25.10", "baseline").call("reporting.get_data", [{"name": "cpu"}], {}, {})


# -- aggregations ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("release", EVERY)
def test_aggregations_are_by_legend(release: str) -> None:
    (row,) = data(machine(release, "baseline"), "load", unit="HOUR", page=1)
    column = [sample[1] for sample in row["data"]]
    assert set(row["aggregations"]) == {"min", "mean", "max"}
    assert set(row["aggregations"]["mean"]) == {"shortterm", "midterm", "longterm"}
    assert row["aggregations"]["min"]["shortterm"] == min(column)
    assert row["aggregations"]["max"]["shortterm"] == max(column)
    assert row["aggregations"]["mean"]["shortterm"] == sum(column) / len(column)


def test_aggregations_are_left_out_on_request() -> None:
    assert data(machine("25.10", "baseline"), "load", aggregate=False)[0]["aggregations"] is None


# -- asking changes nothing --------------------------------------------------------------------------------------------


def test_values_do_not_depend_on_who_asked_before() -> None:
    asked, silent = machine("25.10", "baseline"), machine("25.10", "baseline")
    everything = ("cpu", "memory", "load", "cputemp", "arcsize")
    order = random.Random(3)
    for _ in range(5):
        asked.pass_s(order.uniform(1, 900))
        data(asked, *order.sample(everything, 3), unit=order.choice(["HOUR", "DAY"]))
        realtime(asked.appliance, asked.dialect, asked.clock.at_ns)
    silent.clock.at_ns = asked.clock.at_ns
    assert data(asked, *everything) == data(silent, *everything)
    assert realtime(asked.appliance, asked.dialect, asked.clock.at_ns) == realtime(
        silent.appliance, silent.dialect, silent.clock.at_ns
    )


def test_a_sample_is_the_same_in_every_window_that_holds_it() -> None:
    box = machine("25.10", "baseline")
    now_s = box.clock.at_ns // SECOND_NS
    wide = {sample[0]: sample for sample in data(box, "cpu", start=now_s - 900, end=now_s)[0]["data"]}
    narrow = data(box, "cpu", start=now_s - 30, end=now_s - 10)[0]["data"]
    assert [wide[sample[0]] for sample in narrow] == narrow
    box.pass_s(300)
    assert data(box, "cpu", start=now_s - 30, end=now_s - 10)[0]["data"] == narrow


def test_other_seeds_have_other_values() -> None:
    one, other = machine("25.10", "baseline", seed=1), machine("25.10", "baseline", seed=2)
    assert data(one, "cpu")[0]["data"] != data(other, "cpu")[0]["data"]


def test_history_and_the_moment_tell_the_same_temperature() -> None:
    box = machine("24.10", "baseline")
    box.pass_s(3600)
    then = box.call("disk.temperatures", ["sda"])["sda"]
    now_s = box.clock.at_ns // SECOND_NS
    box.pass_s(5)
    (row,) = data(box, {"name": "disktemp", "identifier": "sda"}, start=now_s, end=now_s + 1)
    assert row["data"] == [[now_s, then]]


CURVES = st.builds(
    Curve,
    seed=st.integers(0, 2**64 - 1),
    typical=st.floats(0, 1e12),
    daily=st.floats(0, 1),
    wander=st.floats(0, 1),
    jitter=st.floats(0, 1),
    period_s=st.integers(1, 86_400),
    highest=st.floats(0, 1e12),
)


@given(curve=CURVES, at_s=st.integers(0, 253_402_300_799))
@settings(max_examples=200, deadline=None)
def test_a_curve_stays_between_its_bounds(curve: Curve, at_s: int) -> None:
    assert 0 <= curve.at(at_s) <= curve.highest
    assert curve.at(at_s) == curve.over([at_s])[0]


@given(curve=CURVES, start_s=st.integers(0, 2_000_000_000))
@settings(max_examples=100, deadline=None)
def test_a_curve_without_jitter_has_no_steps(curve: Curve, start_s: int) -> None:
    smooth = Curve(curve.seed, 100.0, curve.daily, curve.wander, 0.0, 600)
    values = smooth.over(range(start_s, start_s + 1800))
    assert max(abs(later - earlier) for earlier, later in itertools.pairwise(values)) < 1.0


def test_seeds_of_other_names_are_other_seeds() -> None:
    names = [("cpu", 1), ("cpu", 11), ("cpu1", 1), ("cp", "u1"), ("disk", "sda", "reads"), ("disk", "sda", "writes")]
    assert len({seed_of(5, *name) for name in names}) == len(names)


# -- in real time ------------------------------------------------------------------------------------------------------

_CORE = {"user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal", "guest", "guest_nice", "usage"}
_TOTALS = {"read_ops", "read_bytes", "write_ops", "write_bytes", "busy"}
_CLASSES = {"apps", "arc", "buffers", "cache", "page_tables", "slab_cache", "unused"}
_MEMORY = {
    "arc_size",
    "arc_free_memory",
    "arc_available_memory",
    "physical_memory_total",
    "physical_memory_available",
}


@pytest.mark.parametrize("release", OLD)
def test_24_tells_memory_by_classes_and_cores_by_number(release: str) -> None:
    box = machine(release, "baseline")
    fields = realtime(box.appliance, box.dialect, box.clock.at_ns)
    assert fields is not None
    assert set(fields) == {"zfs", "memory", "virtual_memory", "cpu", "disks", "interfaces", "failed_to_connect"}
    assert fields["failed_to_connect"] is False
    assert set(fields["zfs"]) == {"arc_max_size", "arc_size", "cache_hit_ratio"}
    assert set(fields["memory"]["classes"]) == _CLASSES
    assert {"0", "average", "temperature_celsius"} <= set(fields["cpu"])
    assert set(fields["cpu"]["0"]) == set(fields["cpu"]["average"]) == _CORE
    assert set(fields["disks"]) == _TOTALS
    assert set(fields["interfaces"]["eno1"]) == {"link_state", "speed", "received_bytes_rate", "sent_bytes_rate"}
    assert {"total", "available", "percent"} <= set(fields["virtual_memory"])


@pytest.mark.parametrize("release", NEW)
def test_25_nests_the_processor_and_flattens_memory(release: str) -> None:
    box = machine(release, "baseline")
    fields = realtime(box.appliance, box.dialect, box.clock.at_ns)
    assert fields is not None
    later = {"pools"} if release in ("25.10.0", "25.10", "26.0") else {"failed_to_connect"}
    assert set(fields) == {"zfs", "memory", "cpu", "disks", "interfaces"} | later
    assert (len(fields["zfs"]), {type(value) for value in fields["zfs"].values()}) == (22, {int})
    assert set(fields["memory"]) == _MEMORY
    assert set(fields["cpu"]["cpu"]) == set(fields["cpu"]["cpu0"]) == {"usage", "temp"}
    assert len(fields["cpu"]) == box.appliance.state.host.cores + 1
    assert set(fields["disks"]) == _TOTALS
    if "pools" in later:
        assert set(fields["pools"]) == set(box.appliance.state.pools)
        assert {sum((pool["available"], pool["used"])) == pool["total"] for pool in fields["pools"].values()} == {True}


@pytest.mark.parametrize("release", EVERY)
def test_a_link_that_is_down_carries_nothing(release: str) -> None:
    box = machine(release, "baseline")
    row = box.appliance.state.tables["interface"]["eno1"]
    box.appliance.change_row("interface", "eno1", state={**row["state"], "link_state": "LINK_STATE_DOWN"})
    fields = realtime(box.appliance, box.dialect, box.clock.at_ns)
    assert fields is not None
    totals = {} if release in OLD else {"received_bytes": 0, "sent_bytes": 0}
    assert fields["interfaces"]["eno1"] == {
        "link_state": "LINK_STATE_DOWN",
        "speed": 0,
        **totals,
        "received_bytes_rate": 0,
        "sent_bytes_rate": 0,
    }


@pytest.mark.parametrize("release", EVERY)
def test_who_does_not_reach_netdata_says_so_up_to_25_04_and_nothing_later(release: str) -> None:
    box = machine(release, "baseline")
    silent = release in ("25.10.0", "25.10", "26.0")
    told = None if silent else {"failed_to_connect": True}
    assert realtime(box.appliance, box.dialect, box.clock.at_ns, connected=False) == told
    box.appliance.reboot()
    assert realtime(box.appliance, box.dialect, box.clock.at_ns) == told


@pytest.mark.parametrize("release", EVERY)
def test_what_is_told_in_real_time_is_json_and_moves(release: str) -> None:
    box = machine(release, "homelab")
    now_ns = box.clock.at_ns
    first, later = (realtime(box.appliance, box.dialect, now_ns + step * SECOND_NS) for step in (0, 2))
    assert first != later
    json.dumps(first, allow_nan=False)
    json.dumps(app_stats(box.appliance, box.dialect, box.clock.at_ns), allow_nan=False)


def test_stats_of_apps_are_a_list_of_those_that_run() -> None:
    box = machine("25.10")
    stats = app_stats(box.appliance, box.dialect, box.clock.at_ns)
    running = [row["name"] for row in box.call("app.query", [["state", "=", "RUNNING"]])]
    assert [one["app_name"] for one in stats] == running
    one = stats[0]
    assert {type(one["cpu_usage"]), type(one["memory"])} == {int}
    assert set(one) == {"app_name", "cpu_usage", "memory", "networks", "blkio"}
    assert set(one["networks"][0]) == {"interface_name", "rx_bytes", "tx_bytes"}
    assert set(one["blkio"]) == {"read", "write"}


def test_stats_of_apps_need_a_pool_for_apps() -> None:
    box = machine("25.10")
    box.call("docker.update", {"pool": None})
    assert box.call("docker.status")["status"] == "UNCONFIGURED"
    with pytest.raises(CallError, match="Apps are not available"):
        app_stats(box.appliance, box.dialect, box.clock.at_ns)
    box.call("docker.update", {"pool": "tank"})
    assert box.call("docker.config")["dataset"] == "tank/ix-apps"
    assert app_stats(box.appliance, box.dialect, box.clock.at_ns) != []


def test_metrics_are_of_instances_that_run() -> None:
    box = machine("25.10")
    running = next(row["id"] for row in box.call("virt.instance.query") if row["status"] == "RUNNING")
    assert instance_metrics(box.appliance, box.dialect, box.clock.at_ns, running) is not None
    assert instance_metrics(box.appliance, box.dialect, box.clock.at_ns, "none") is None
