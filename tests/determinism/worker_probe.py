"""What the tests of controls have a worker process look at."""

import sys


def set_order(_argument: int) -> list[str]:
    """The order of a set of strings, which the hash seed decides."""
    return list({f"tag-{number}" for number in range(50)})


def is_loaded(module: str) -> bool:
    """Whether a module was there before the job."""
    return module in sys.modules
