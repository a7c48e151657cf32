"""The whole subsystem: its catalogue and every broken stack over many seeds, and what is swept without a scenario."""

from typing import Any, Final

from tests.nightly.measurement import Measurement

CATALOGUE_SEEDS: Final = 10
BROKEN_SEEDS: Final = 10
PAYLOADS: Final = 5_000
"""Faults of the mock's catalogue with drawn parameters, for each of which a stack is started."""


def measure(seeds: int | None = None) -> dict[str, Any]:
    """Everything, and under ``faults`` whatever was not as it must be. Fewer seeds are fewer runs of the scenarios."""
    # Every run of the tests reads this module; only a measurement needs the sweeps and the stacks.
    from tests.nightly.subsystem import measured

    return measured(min(CATALOGUE_SEEDS, seeds or CATALOGUE_SEEDS))


MEASUREMENT: Final = Measurement(
    5,
    ("pulse_sim", "mock_truenas", "scenarios", "tests/broken", "tests/stack", "requirements.lock"),
    measure,
)
