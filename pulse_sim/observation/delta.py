"""Snapshots as differences: what a sampler writes and the reader puts together again.

Two samples a minute apart share nearly all their text, and a log of 48 hours keeps thousands. Knows nothing of what
is sampled.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

T = TypeVar("T")


def difference(before: Mapping[str, T], after: Mapping[str, T]) -> dict[str, Any]:
    """``{"changed": {key: new value}, "gone": [keys]}`` that leads from ``before`` to ``after``; ``gone`` is sorted."""
    return {
        "changed": {key: value for key, value in after.items() if key not in before or before[key] != value},
        "gone": sorted(before.keys() - after.keys()),
    }


def apply(before: Mapping[str, T], delta: Mapping[str, Any]) -> dict[str, T]:
    """The snapshot after ``delta``.

    Raises ValueError when it takes away what was not there, or takes and gives one key.
    """
    after = {**before, **delta["changed"]}
    for key in delta["gone"]:
        if key not in before or key in delta["changed"]:
            raise ValueError(f"a sample takes away {key[:80]!r}, which was not there")
        if key not in after:
            raise ValueError(f"a sample takes away {key[:80]!r} twice")
        del after[key]
    return after
