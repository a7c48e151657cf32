"""The verdict: what is tampered with, killed, mutated or broken, over many seeds, and what must never become GO."""

from typing import Any, Final

from tests.nightly.measurement import Measurement

FLIPS: Final = 10_000
TAMPERINGS: Final = 1_000
KILLS: Final = 50
THRESHOLD_SEEDS: Final = 5
BROKEN_SEEDS: Final = 500
KILLED_SHARE_WANTED: Final = 0.9


def measure(seeds: int | None = None) -> dict[str, Any]:
    """Everything, and under ``faults`` whatever was not as it must be. ``seeds`` bounds those of the broken stacks
    and with them the share of mutmut's changes, which take the longest; the rest is always whole.
    """
    # Every run of the tests reads this module; only a measurement needs the sweeps and the stacks.
    from tests.nightly.judgement import measured

    return measured(min(BROKEN_SEEDS, seeds or BROKEN_SEEDS))


MEASUREMENT: Final = Measurement(
    6,
    (
        "pulse_sim",
        "mock_truenas",
        "scenarios",
        "tests/broken",
        "tests/checks",
        "tests/evidence",
        "tests/verdict",
        "requirements.lock",
    ),
    measure,
)
