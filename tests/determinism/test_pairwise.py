"""The pairwise generator keeps its promise for any dimensions."""

from itertools import combinations, product
from math import prod

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.determinism.pairwise import covering_rows, rows_with_every_value

SIZES = st.lists(st.integers(1, 5), min_size=2, max_size=7)


@settings(deadline=None)
@given(SIZES)
def test_every_pair_of_values_of_every_two_dimensions_occurs(sizes: list[int]) -> None:
    rows = covering_rows(sizes)
    for first, second in combinations(range(len(sizes)), 2):
        seen = {(row[first], row[second]) for row in rows}
        assert seen == set(product(range(sizes[first]), range(sizes[second])))


@settings(deadline=None)
@given(SIZES)
def test_no_row_is_there_twice_and_there_are_never_more_than_in_the_full_product(sizes: list[int]) -> None:
    rows = covering_rows(sizes)
    assert len(set(rows)) == len(rows) <= prod(sizes)
    assert rows == covering_rows(list(sizes))


@settings(deadline=None)
@given(SIZES)
def test_the_sample_has_every_value_and_only_rows_of_the_whole(sizes: list[int]) -> None:
    rows = covering_rows(sizes)
    sample = rows_with_every_value(rows)
    assert set(sample) <= set(rows)
    for dimension, size in enumerate(sizes):
        assert {row[dimension] for row in sample} == set(range(size))


def test_the_rows_are_far_fewer_than_the_full_product() -> None:
    assert len(covering_rows([4, 3, 2, 2, 2, 2, 2])) <= 14 < prod([4, 3, 2, 2, 2, 2, 2])


@pytest.mark.parametrize("sizes", [[], [3], [3, 0]])
def test_what_has_no_pairs_is_refused(sizes: list[int]) -> None:
    with pytest.raises(ValueError, match="two dimensions"):
        covering_rows(sizes)
