"""Snapshots as differences: what a sampler writes and the reader puts together again.

Two samples a minute apart share nearly all their text, and a log of 48 hours keeps thousands. Knows nothing of what
is sampled.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

T = TypeVar("T")


def difference(before: Mapping[str, T], after: Mapping[str, T]) -> dict[str, Any]:
    """``{"changed": {key: new value}, "gone": [keys]}`` that leads from ``before`` to ``after``; ``gone`` is sorted.

    Of a value that is an object and was there before, only the fields that changed. Raises ValueError when such an
    object loses a field, which a difference cannot tell: objects of one kind always have the same.
    """
    changed = {key: _news(before.get(key), value) for key, value in after.items() if _is_news(before, key, value)}
    return {"changed": changed, "gone": sorted(before.keys() - after.keys())}


def _is_news(before: Mapping[str, Any], key: str, value: Any) -> bool:
    return key not in before or before[key] != value


def _news(known: Any, value: Any) -> Any:
    if not isinstance(value, Mapping) or not isinstance(known, Mapping):
        return value
    lost = known.keys() - value.keys()
    if lost:
        raise ValueError(f"an object loses its {min(lost)}")
    return {field: part for field, part in value.items() if field not in known or known[field] != part}


def apply(before: Mapping[str, T], delta: Mapping[str, Any]) -> dict[str, T]:
    """The snapshot after ``delta``, which tells objects that were there before by the fields that changed.

    Raises ValueError when it takes away what was not there, or takes and gives one key.
    """
    after = {**before, **{key: _whole(before.get(key), value) for key, value in delta["changed"].items()}}
    for key in delta["gone"]:
        if key not in before or key in delta["changed"]:
            raise ValueError(f"a sample takes away {key[:80]!r}, which was not there")
        if key not in after:
            raise ValueError(f"a sample takes away {key[:80]!r} twice")
        del after[key]
    return after


def _whole(known: Any, value: Any) -> Any:
    return {**known, **value} if isinstance(known, Mapping) and isinstance(value, Mapping) else value
