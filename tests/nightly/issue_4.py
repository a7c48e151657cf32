"""The mock against what is outside it: all that is generated, all clients from PyPI, and what it costs to be asked."""

from typing import Any, Final

from tests.nightly.measurement import Measurement

MESSAGES: Final = 10_000
EXAMPLES: Final = 12
"""Valid requests, and as many broken ones, for each operation of a document."""
BENCHMARKS: Final = ("mock_serving", "mock_datasets")


def measure(seeds: int | None = None) -> dict[str, Any]:
    """Everything, and under ``faults`` whatever was not as it must be. Seeds are examples for each operation here."""
    # Every run of the tests reads this module; only a measurement needs what generates requests.
    from tests.nightly.outside import measured

    return measured(min(EXAMPLES, seeds or EXAMPLES))


MEASUREMENT: Final = Measurement(
    4,
    ("mock_truenas", "tests/clients", "tests/contract", "tests/fuzz", "benchmarks", "requirements.lock"),
    measure,
)
