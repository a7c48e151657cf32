"""The world's fault kinds are data, and fit with the appliance's in one catalogue."""

from dataclasses import fields
from typing import Any

import pytest
from pydantic import ValidationError

from mock_truenas.faults import FAULT_KINDS, Stage, Witness
from pulse_sim.kernel.toxics import EFFECTS
from pulse_sim.scenario.kinds import ALL_FAULT_KINDS, fault_parameters
from pulse_sim.world.faults import WORLD_FAULT_KINDS, ClockEffect, LinkEffect, NameEffect, ToxicEffect, WorldEffect


def test_no_kind_of_the_world_hides_one_of_the_appliance() -> None:
    assert not FAULT_KINDS.keys() & WORLD_FAULT_KINDS.keys()
    assert len(ALL_FAULT_KINDS) == len(FAULT_KINDS) + len(WORLD_FAULT_KINDS)


SAMPLES: dict[str, dict[str, Any]] = {
    "clock.step": {"by": "1h"},
    "dns.slow": {"delay": "2s"},
    "net.bandwidth": {"rate": 10},
    "net.latency": {"latency": 2000, "jitter": 500},
    "net.limit_data": {"bytes": 100},
    "net.slicer": {"average_size": 100, "size_variation": 5, "delay": 5000},
    "net.slow_close": {"delay": 1500},
}

# kind, what it asks of the way to the appliance for the sample parameters, stage, signs
Signs = tuple[tuple[str, ...], int | None, int | None]
ROWS: list[tuple[str, WorldEffect, Stage, Signs]] = [
    ("net.down", LinkEffect("down"), Stage.REFUSE, (("connection",), None, None)),
    ("net.refuse", LinkEffect("refuse"), Stage.REFUSE, (("connection",), None, None)),
    ("net.unreachable", LinkEffect("unreachable"), Stage.REFUSE, (("connection", "timeout"), None, None)),
    ("net.partition", LinkEffect("blackhole"), Stage.DROP, (("timeout",), None, None)),
    ("net.unaccepted", LinkEffect("unaccepted"), Stage.DROP, (("timeout",), None, None)),
    (
        "net.latency",
        ToxicEffect("latency", {"latency": 2000, "jitter": 500}, "downstream", 1.0),
        Stage.DELAY,
        (("timeout",), 1_500_000_000, None),
    ),
    (
        "net.bandwidth",
        ToxicEffect("bandwidth", {"rate": 10}, "downstream", 1.0),
        Stage.PACE,
        (("timeout",), None, 100_000_000),
    ),
    (
        "net.slow_close",
        ToxicEffect("slow_close", {"delay": 1500}, "downstream", 1.0),
        Stage.PACE,
        ((), 1_500_000_000, None),
    ),
    ("net.timeout", ToxicEffect("timeout", {"timeout": 0}, "downstream", 1.0), Stage.DROP, (("timeout",), None, None)),
    (
        "net.reset_peer",
        ToxicEffect("reset_peer", {"timeout": 0}, "downstream", 1.0),
        Stage.DROP,
        (("connection", "timeout"), None, None),
    ),
    (
        "net.slicer",
        ToxicEffect("slicer", {"average_size": 100, "size_variation": 5, "delay": 5000}, "downstream", 1.0),
        Stage.PACE,
        ((), None, 5_000_000),
    ),
    (
        "net.limit_data",
        ToxicEffect("limit_data", {"bytes": 100}, "downstream", 1.0),
        Stage.BODY,
        (("api", "connection"), None, None),
    ),
    ("dns.nxdomain", NameEffect("nxdomain"), Stage.REFUSE, (("connection",), None, None)),
    ("dns.servfail", NameEffect("servfail"), Stage.REFUSE, (("connection",), None, None)),
    (
        "dns.slow",
        NameEffect("slow", 2_000_000_000),
        Stage.DELAY,
        (("timeout", "connection"), 2_000_000_000, None),
    ),
    ("dns.silence", NameEffect("silence"), Stage.DROP, (("timeout", "connection"), None, None)),
    ("clock.step", ClockEffect(3_600_000_000_000), Stage.STATE, ((), None, None)),
]


def test_every_kind_of_the_world_has_its_row_here() -> None:
    assert [name for name, *_ in ROWS] == list(WORLD_FAULT_KINDS)


@pytest.mark.parametrize(("name", "effect", "stage", "signs"), ROWS, ids=[row[0] for row in ROWS])
def test_a_kind_asks_for_numbers_and_says_what_shows_them(
    name: str, effect: WorldEffect, stage: Stage, signs: Signs
) -> None:
    kind = WORLD_FAULT_KINDS[name]
    parameters = fault_parameters(name, SAMPLES.get(name, {}))
    witness = kind.witness(parameters)
    assert kind.between(parameters) == effect
    assert kind.stage is stage
    assert (witness.poll_errors, witness.poll_slower_than_ns, witness.poll_slower_than_usual_ns) == signs


@pytest.mark.parametrize("name", [name for name, effect, *_ in ROWS if isinstance(effect, ToxicEffect)])
def test_every_toxic_takes_toxiproxys_stream_and_toxicity(name: str) -> None:
    given = {**SAMPLES.get(name, {}), "stream": "upstream", "toxicity": 0.25}
    effect = WORLD_FAULT_KINDS[name].between(fault_parameters(name, given))
    assert isinstance(effect, ToxicEffect)
    assert (effect.type, effect.stream, effect.toxicity) == (name.partition(".")[2], "upstream", 0.25)
    assert not {"stream", "toxicity"} & effect.attributes.keys()


def test_the_toxics_are_those_of_the_kernel_with_the_same_attributes() -> None:
    """Kernel and table are written apart; a name that differs would break a run only when it is injected."""
    effects = [effect for _, effect, *_ in ROWS if isinstance(effect, ToxicEffect)]
    assert {effect.type for effect in effects} == set(EFFECTS)
    for effect in effects:
        assert {field.name for field in fields(EFFECTS[effect.type])} == set(effect.attributes)


@pytest.mark.parametrize(
    ("direction", "asked"), [("both", "both"), ("to_appliance", "forward"), ("from_appliance", "backward")]
)
def test_a_partition_has_a_direction(direction: str, asked: str) -> None:
    effect = WORLD_FAULT_KINDS["net.partition"].between(fault_parameters("net.partition", {"direction": direction}))
    assert effect == LinkEffect("blackhole", asked)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("net.latency", {}),
        ("net.latency", {"latency": "2s"}),
        ("net.latency", {"latency": -1}),
        ("net.latency", {"latency": 1.5}),
        ("net.latency", {"latency": 1, "stream": "sideways"}),
        ("net.latency", {"latency": 1, "toxicity": 1.1}),
        ("net.slicer", {"average_size": 0}),
        ("net.slicer", {"average_size": 5, "size_variation": 5}),
        ("net.partition", {"direction": "forward"}),
        ("dns.slow", {"delay": 2}),
    ],
)
def test_wrong_parameters_are_refused(name: str, given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        fault_parameters(name, given)


@pytest.mark.parametrize(
    ("name", "given", "witness"),
    [
        ("net.latency", {"latency": 10, "jitter": 50}, Witness(poll_errors=("timeout",), poll_slower_than_ns=1)),
        ("net.bandwidth", {"rate": 0}, Witness(poll_errors=("timeout",))),
        ("net.timeout", {"timeout": 100}, Witness(poll_errors=("timeout", "connection"))),
        ("net.slicer", {"average_size": 10}, Witness()),
        ("clock.step", {"by": "2s", "direction": "backward"}, Witness(clock_off_ns=-2_000_000_000)),
    ],
)
def test_parameters_decide_what_can_be_seen(name: str, given: dict[str, Any], witness: Witness) -> None:
    """A slicer without a delay shows nowhere: a run with it is inconclusive, and never passed."""
    assert WORLD_FAULT_KINDS[name].witness(fault_parameters(name, given)) == witness


def test_every_kind_says_what_it_does_and_where_it_can_be_done() -> None:
    for kind in ALL_FAULT_KINDS.values():
        assert kind.doc.endswith("."), kind.name
        assert kind.worlds <= {"simulated", "live"}, kind.name
