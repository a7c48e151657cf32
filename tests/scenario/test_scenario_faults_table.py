"""The world's fault kinds are data, and fit with the appliance's in one catalogue."""

import pytest

from mock_truenas.faults import FAULT_KINDS, Stage
from pulse_sim.scenario.kinds import ALL_FAULT_KINDS, fault_parameters
from pulse_sim.world.faults import WORLD_FAULT_KINDS, LinkEffect


def test_no_kind_of_the_world_hides_one_of_the_appliance() -> None:
    assert not FAULT_KINDS.keys() & WORLD_FAULT_KINDS.keys()
    assert len(ALL_FAULT_KINDS) == len(FAULT_KINDS) + len(WORLD_FAULT_KINDS)


@pytest.mark.parametrize(
    ("name", "given", "effect", "stage"),
    [
        ("net.down", {}, LinkEffect("refuse"), Stage.REFUSE),
        ("net.partition", {}, LinkEffect("blackhole"), Stage.DROP),
        ("net.reset_peer", {}, LinkEffect("reset"), Stage.DROP),
        ("net.latency", {"latency": "2s"}, LinkEffect("latency", 2_000_000_000, 0), Stage.DELAY),
        (
            "net.latency",
            {"latency": "2s", "jitter": "5ms"},
            LinkEffect("latency", 2_000_000_000, 5_000_000),
            Stage.DELAY,
        ),
    ],
)
def test_a_kind_asks_the_link_for_numbers(name: str, given: dict[str, str], effect: LinkEffect, stage: Stage) -> None:
    kind = WORLD_FAULT_KINDS[name]
    assert kind.link(fault_parameters(name, given)) == effect
    assert kind.stage is stage


@pytest.mark.parametrize(
    ("name", "errors"),
    [("net.down", ("connection",)), ("net.partition", ("timeout",)), ("net.reset_peer", ("connection",))],
)
def test_a_lost_link_is_witnessed_by_the_errors_of_polls(name: str, errors: tuple[str, ...]) -> None:
    witness = WORLD_FAULT_KINDS[name].witness(fault_parameters(name, {}))
    assert witness.poll_errors == errors
    assert witness.poll_slower_than_ns is None


def test_latency_is_witnessed_by_a_poll_no_faster_than_the_least_time_added() -> None:
    parameters = fault_parameters("net.latency", {"latency": "2s", "jitter": "500ms"})
    assert WORLD_FAULT_KINDS["net.latency"].witness(parameters).poll_slower_than_ns == 1_500_000_000


def test_every_kind_says_what_it_does_and_where_it_can_be_done() -> None:
    for kind in ALL_FAULT_KINDS.values():
        assert kind.doc.endswith("."), kind.name
        assert kind.worlds <= {"simulated", "live"}, kind.name
