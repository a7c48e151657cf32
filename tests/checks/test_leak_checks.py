"""no_leaks on handwritten logs."""

from collections.abc import Mapping
from typing import Any

import pytest

from pulse_sim.outcome import Outcome
from pulse_sim.units import HOUR, MINUTE, SECOND
from tests.checks.log_builder import LogBuilder, judge

PASSED, FAILED, INCONCLUSIVE = Outcome.PASSED, Outcome.FAILED, Outcome.INCONCLUSIVE
TASKS, OPEN = "pulse_runtime_tasks", "pulse_runtime_open_connections"
RESOURCES = 'pulse_registry_resources{source="truenas"}'
IDLE: Mapping[str, float | str] = {TASKS: 7, OPEN: 1, "pulse_runtime_timers": 5, RESOURCES: 10}
COUNTS = {"tasks": 20, "transports": 4, "timers": 9}


def holding(minute: int, **odd: float) -> Mapping[str, float | str]:
    return {**IDLE, **({TASKS: odd[f"at_{minute}"]} if f"at_{minute}" in odd else {})}


def run(
    connections: Mapping[str, str] | None = None,
    kernel: bool = True,
    late: Mapping[str, int] | None = None,
    **odd: float,
) -> LogBuilder:
    """Warm until 1m, a fault from 5m to 10m, settled until 20m; ``at_17=9``: nine tasks scraped at 17m17s."""
    log = LogBuilder(connections).phase("0s", "warm-up").phase("1m", "steady").fault("5m", "10m").phase("5m", "inject")
    log.phase("10m", "settle")
    if kernel:
        log.add("1m", "world/counts", "run", **COUNTS).add("20m", "world/counts", "run", **(late or COUNTS))
    for minute in range(20):
        log.scrape(minute * MINUTE + 17 * SECOND, holding(minute, **odd))
    return log


def leaks(builder: LogBuilder, end: str = "20m", **parameters: object) -> tuple[Outcome, str]:
    result = judge(builder.log(end), "no_leaks", **parameters)
    return result.outcome, result.observed


def test_what_comes_back_to_its_steady_state_does_not_leak() -> None:
    told = "runtime tasks 7 to 7, runtime open connections 1 to 1, runtime timers 5 to 5, registry resources 10 to 10"
    told += ", kernel tasks 20 to 20, kernel transports 4 to 4, kernel timers 9 to 9"
    assert leaks(run()) == (PASSED, told)


def test_growth_beyond_the_tolerance_in_all_of_the_last_three_samples_is_a_leak() -> None:
    assert leaks(run(at_17=10, at_18=10, at_19=12)) == (FAILED, "runtime tasks 7 before, 10 after, 9 allowed")
    assert leaks(run(at_17=9, at_18=10, at_19=12))[0] is PASSED
    assert leaks(run(at_17=9, at_18=9, at_19=9), tolerance=1)[0] is FAILED
    assert leaks(run(at_17=7, at_18=7, at_19=7), tolerance=0)[0] is PASSED


def test_the_reference_is_the_steady_state_before_the_first_fault_only() -> None:
    high: dict[str, Any] = {"at_17": 20, "at_18": 20, "at_19": 20}
    assert leaks(run(at_0=20, **high))[0] is FAILED
    assert leaks(run(at_1=20, **high))[0] is PASSED
    assert leaks(run(at_4=20, **high))[0] is PASSED
    assert leaks(run(at_5=20, **high))[0] is FAILED


@pytest.mark.parametrize("name", IDLE)
def test_each_gauge_is_needed_and_judged(name: str) -> None:
    without = LogBuilder().phase("1m", "steady").fault("5m", "10m").phase("10m", "settle")
    without.add("1m", "world/counts", "run", **COUNTS).add("20m", "world/counts", "run", **COUNTS)
    grown = LogBuilder().phase("1m", "steady").fault("5m", "10m").phase("10m", "settle")
    grown.add("1m", "world/counts", "run", **COUNTS).add("20m", "world/counts", "run", **COUNTS)
    unreadable = LogBuilder().phase("1m", "steady").fault("5m", "10m").phase("10m", "settle")
    for minute in range(20):
        time = minute * MINUTE + 17 * SECOND
        without.scrape(time, {series: value for series, value in IDLE.items() if series != name})
        grown.scrape(time, {**IDLE, name: float(IDLE[name]) + (3 if minute > 10 else 0)})
        unreadable.scrape(time, {**IDLE, name: "NaN"})
    assert leaks(without)[0] is INCONCLUSIVE
    assert leaks(grown)[0] is FAILED
    assert leaks(unreadable)[0] is INCONCLUSIVE


def test_twice_the_connections_may_hold_twice_as_much() -> None:
    added = run(at_17=16, at_18=16, at_19=16).action("12m", "add_connection", id="nas-2", appliance="nas-2")
    assert leaks(added)[0] is PASSED
    over = run(at_17=17, at_18=17, at_19=17).action("12m", "add_connection", id="nas-2", appliance="nas-2")
    assert leaks(over) == (FAILED, "runtime tasks 7 before, 17 after, 16 allowed")
    refused = run(at_17=16, at_18=16, at_19=16).action("12m", "add_connection", 400, id="nas-2", appliance="nas-2")
    assert leaks(refused)[0] is FAILED


def test_a_connection_removed_does_not_lower_what_is_allowed() -> None:
    both = {"nas-1": "nas-1", "nas-2": "nas-2"}
    assert leaks(run(both).action("12m", "remove_connection", id="nas-2"))[0] is PASSED


def test_resources_of_an_added_connection_are_allowed_by_number() -> None:
    def log(shown: int, removed: str = "") -> LogBuilder:
        new: dict[str, Any] = {f"nas-2/disk:{index}": {} for index in range(shown - 1)}
        builder = LogBuilder().phase("1m", "steady").fault("5m", "10m").phase("10m", "settle")
        builder.add("1m", "world/counts", "run", **COUNTS).add("20m", "world/counts", "run", **COUNTS)
        for minute in range(20):
            grown = {**IDLE, RESOURCES: 16} if minute > 12 else IDLE
            builder.scrape(minute * MINUTE + 17 * SECOND, grown)
        builder.action("12m", "add_connection", id="nas-2", appliance="nas-2")
        if removed:
            builder.action(removed, "remove_connection", id="nas-2")
        return builder.resources("15m", {"nas-1": {}, "nas-2": {}, **new}) if shown else builder

    assert leaks(log(4))[0] is PASSED
    assert leaks(log(3)) == (FAILED, "registry resources 10 before, 16 after, 15 allowed")
    assert leaks(log(0))[0] is INCONCLUSIVE
    assert leaks(log(4, removed="13m"))[0] is PASSED  # a removed connection's resources are kept for a day


def test_resources_of_a_connection_removed_a_day_ago_are_a_leak() -> None:
    builder = LogBuilder().phase("1m", "steady").fault("5m", "10m").phase("10m", "settle")
    builder.add("1m", "world/counts", "run", **COUNTS).scrape("2m", IDLE)
    builder.add("26h", "world/counts", "run", **COUNTS)
    builder.action("12m", "add_connection", id="nas-2", appliance="nas-2")
    builder.action("13m", "remove_connection", id="nas-2")
    for minute in (1, 2, 3):
        builder.scrape(24 * HOUR + (12 + minute) * MINUTE, {**IDLE, RESOURCES: 13})
    builder.resources(25 * HOUR, {"nas-1": {}, "nas-2": {}})
    assert leaks(builder, end="26h") == (FAILED, "registry resources 10 before, 13 after, 12 allowed")


def test_without_faults_the_first_quarter_is_compared_with_the_last() -> None:
    def log(last: float) -> LogBuilder:
        builder = LogBuilder().phase("0s", "steady")
        for hour in range(8):
            builder.add(hour * HOUR, "world/counts", "run", **{**COUNTS, "timers": 9 + hour})
            builder.scrape(hour * HOUR + 17 * SECOND, {**IDLE, OPEN: last if hour > 4 else 1})
        for minute in (1, 2, 3):
            builder.scrape(7 * HOUR + minute * MINUTE, {**IDLE, OPEN: last})
        return builder

    assert leaks(log(3), end="8h")[0] is PASSED
    assert leaks(log(4), end="8h") == (FAILED, "runtime open connections 1 before, 4 after, 3 allowed")


def test_kernel_counts_taken_after_the_last_heal_are_judged() -> None:
    def counted(timers: int) -> LogBuilder:
        return run(late={**COUNTS, "timers": timers})

    assert leaks(counted(15))[0] is PASSED  # 9, two of tolerance, four of a poll in flight
    assert leaks(counted(16)) == (FAILED, "kernel timers 9 before, 16 after, 15 allowed")
    heal = run().add("10m", "world/counts", "run", **{**COUNTS, "timers": 99})
    assert leaks(heal)[0] is PASSED


def test_kernel_counts_that_end_with_the_trouble_or_count_nothing_are_no_evidence() -> None:
    early = run(kernel=False).add("1m", "world/counts", "run", **COUNTS).add("10m", "world/counts", "run", **COUNTS)
    assert leaks(early) == (INCONCLUSIVE, "the kernel's counts were not recorded before and after")
    empty = run(late={**COUNTS, "tasks": 0})
    assert leaks(empty) == (INCONCLUSIVE, "the kernel counted no task, though it was counting")


def test_only_simulation_has_kernel_counts() -> None:
    assert leaks(run(kernel=False)) == (INCONCLUSIVE, "the kernel's counts were not recorded")
    live = LogBuilder(world="live").phase("1m", "steady").fault("5m", "10m").phase("10m", "settle")
    for minute in range(20):
        live.scrape(minute * MINUTE + 17 * SECOND, IDLE)
    assert leaks(live)[0] is PASSED


def test_a_run_without_a_steady_state_a_settle_or_samples_is_inconclusive() -> None:
    assert leaks(LogBuilder())[0] is INCONCLUSIVE
    assert leaks(LogBuilder().phase("1m", "steady").fault("5m", "10m"))[0] is INCONCLUSIVE
    assert leaks(LogBuilder(started=False).phase("1m", "steady"))[0] is INCONCLUSIVE
    assert leaks(LogBuilder({}, systems=()).phase("1m", "steady"))[0] is INCONCLUSIVE
    two = LogBuilder().phase("1m", "steady").fault("5m", "10m").phase("10m", "settle")
    for time in ("2m", "11m", "12m"):
        two.scrape(time, IDLE)
    assert leaks(two)[0] is INCONCLUSIVE
