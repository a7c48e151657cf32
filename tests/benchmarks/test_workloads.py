"""Every workload does what it says on our engines; a figure of a workload that does nothing would be worth nothing."""

from pathlib import Path

import pytest

from benchmarks.engines import contexts, in_simulation, on_loopback
from benchmarks.memory import grow
from benchmarks.workloads import ENDPOINTS, WORKLOADS
from pulse_sim.scenario.load import expand, load_scenarios

TEN_MINUTES = Path(__file__).resolve().parents[2] / "benchmarks" / "ten-minutes.yaml"


@pytest.mark.parametrize("name", WORKLOADS)
def test_a_workload_makes_the_same_requests_in_simulation_and_on_loopback(name: str) -> None:
    workload = WORKLOADS[name]
    tls = contexts() if workload.tls else None

    assert in_simulation(workload, 2, tls) == on_loopback(workload, 2, tls) == 2 * ENDPOINTS


def test_memory_is_read_at_an_eighth_the_half_and_the_end() -> None:
    read = grow(0.4)

    assert list(read) == [0.05, 0.2, 0.4]
    assert all(1 < mib < 4_096 for mib in read.values())


def test_the_ten_minute_scenario_is_ten_minutes_of_three_nas_and_four_faults() -> None:
    (file,) = load_scenarios([TEN_MINUTES])
    (scenario,) = expand(file)

    assert scenario.duration == 600 * 10**9
    assert len(scenario.appliances) == len(scenario.connections) == 3
    assert len({entry.fault for entry in scenario.timeline if hasattr(entry, "fault")}) == 4
