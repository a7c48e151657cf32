"""Combinations in which every pair of values of every two dimensions occurs (all-pairs covering arrays).

Greedy and deterministic: the same dimensions give the same rows in every process. Knows nothing of what is combined.
"""

from collections.abc import Sequence
from itertools import combinations, product
from typing import TypeAlias

Pair: TypeAlias = tuple[tuple[int, int], tuple[int, int]]
"""Two (dimension, value) index pairs, of the earlier dimension first."""


def covering_rows(sizes: Sequence[int]) -> list[tuple[int, ...]]:
    """Rows of value indices, one per dimension, for dimensions with ``sizes`` values each.

    Every row covers the first pair that no earlier one does, and of its other values as many further pairs as a
    greedy choice finds. Raises ValueError for fewer than two dimensions or one without values.
    """
    if len(sizes) < 2 or min(sizes) < 1:
        raise ValueError("pairs need two dimensions with a value each")
    missing = dict.fromkeys(
        ((first, a), (second, b))
        for first, second in combinations(range(len(sizes)), 2)
        for a, b in product(range(sizes[first]), range(sizes[second]))
    )
    rows: list[tuple[int, ...]] = []
    while missing:
        row = max(
            (_grown(pair, sizes, missing, rows) for pair in missing), key=lambda made: len(_covered(made, missing))
        )
        for pair in _covered(row, missing):
            del missing[pair]
        rows.append(row)
    return rows


def rows_with_every_value(rows: Sequence[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """Some of ``rows``, chosen greedily, in which every single value occurs that occurs in any."""
    missing = {(dimension, value) for row in rows for dimension, value in enumerate(row)}
    chosen = []
    while missing:
        row = max(rows, key=lambda candidate: len(missing & set(enumerate(candidate))))
        missing -= set(enumerate(row))
        chosen.append(row)
    return chosen


def _grown(
    pair: Pair, sizes: Sequence[int], missing: dict[Pair, None], rows: Sequence[tuple[int, ...]]
) -> tuple[int, ...]:
    """A row around ``pair``: dimension by dimension the value that covers most with those chosen so far.

    Of equals the one that ``rows`` have least, so that where nothing is missing no value crowds out another.
    """
    chosen: dict[int, int] = dict(pair)
    for dimension in (number for number in range(len(sizes)) if number not in dict(pair)):
        gains = [
            sum(_ordered((dimension, value), other) in missing for other in chosen.items())
            for value in range(sizes[dimension])
        ]
        used = [sum(row[dimension] == value for row in rows) for value in range(sizes[dimension])]
        chosen[dimension] = max(range(sizes[dimension]), key=lambda value: (gains[value], -used[value], -value))
    return tuple(chosen[dimension] for dimension in range(len(sizes)))


def _covered(row: tuple[int, ...], missing: dict[Pair, None]) -> list[Pair]:
    return [pair for pair in combinations(enumerate(row), 2) if pair in missing]


def _ordered(one: tuple[int, int], other: tuple[int, int]) -> Pair:
    return (one, other) if one[0] < other[0] else (other, one)
