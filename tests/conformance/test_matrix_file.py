"""The committed matrix says exactly one thing about each of its cells."""

import pytest

from tests.conformance.matrix import FILE, MOST_DIFFERENT, MatrixError, read, the_matrix

SMALL = """
stages: {connect: "", close: ""}
events: {rst: ""}
transports: [plain]
connections: {new: ""}
rules:
  - {stage: connect, run: true}
  - {stage: close, impossible: no such thing}
different: []
"""


def test_every_stage_meets_every_event_both_ways_on_both_kinds_of_connection() -> None:
    matrix = the_matrix()
    assert (len(matrix.stages), len(matrix.events), matrix.transports, list(matrix.connections)) == (
        12,
        9,
        ("plain", "tls"),
        ["new", "kept"],
    )
    cells = list(matrix.cells())
    assert len(cells) == 432 == len(matrix.runs) + len(matrix.impossible)
    assert {*matrix.runs, *matrix.impossible} == set(cells)


def test_at_most_five_cells_may_differ() -> None:
    assert len(the_matrix().different) <= MOST_DIFFERENT


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("  - {stage: close, impossible: no such thing}\n", "", "close-rst-plain-new is not defined"),
        ("{stage: close,", "{", "connect-rst-plain-new is defined twice"),
        ("stage: close,", "stage: closing,", "no stage is called 'closing'"),
        ("run: true", "run: true, impossible: both", "either run: true or impossible"),
        ("different: []", "different: [{cell: close-rst-plain-new, reason: x}]", "does not run"),
    ],
)
def test_a_matrix_that_leaves_a_cell_open_or_says_two_things_of_it_is_refused(
    old: str, new: str, complaint: str
) -> None:
    assert SMALL.count(old) == 1
    with pytest.raises(MatrixError, match=complaint):
        read(SMALL.replace(old, new))


def test_the_small_matrix_itself_is_accepted() -> None:
    assert len(read(SMALL).runs) == 1
    assert FILE.is_file()
