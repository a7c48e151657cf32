"""Every cell of the matrix that runs: the simulated network and real sockets look the same to a client."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from pulse_sim.kernel.sockets import StandInSocket
from tests.conformance.both import differences, run_both, tls_contexts
from tests.conformance.cells import Record
from tests.conformance.matrix import Cell, the_matrix
from tests.conformance.page import page
from tests.conformance.simulated import run_simulated

PAGE = Path(__file__).parents[2] / "docs" / "network-parity.md"
Both = tuple[Mapping[Cell, Record], Mapping[Cell, Record]]


@pytest.fixture(scope="module")
def both() -> Both:
    """Records of every cell from either network."""
    return run_both(the_matrix().runs)


@pytest.mark.parametrize("cell", the_matrix().runs, ids=str)
def test_the_cell_is_equal_or_differs_as_the_matrix_says(cell: Cell, both: Both) -> None:
    simulated, real = both
    found = differences(simulated[cell], real[cell])
    if cell in the_matrix().different:
        assert found, "this cell no longer differs: its reason is stale"
    else:
        assert not found


def test_a_network_that_resets_nothing_is_found_out(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(StandInSocket, "setsockopt", lambda *_ignored: None)  # SO_LINGER never takes effect
    cells = [cell for cell in the_matrix().runs if cell.event in ("rst", "fin") and cell.stage == "request_body"]
    faulty, (_, real) = run_simulated(cells, tls_contexts()), both
    assert {cell.event for cell in cells if differences(faulty[cell], real[cell])} == {"rst"}


@pytest.mark.parametrize("seed", range(3))
def test_what_a_client_sees_hangs_on_no_order_that_asyncio_leaves_open(seed: int, both: Both) -> None:
    """But for one cell: there close_notify and a reset are there at once, and either may be noticed first."""
    simulated, _ = both
    drawn = run_simulated(the_matrix().runs, tls_contexts(), seed=seed, schedule="random")
    found = {str(cell) for cell in drawn if differences(drawn[cell], simulated[cell])}
    assert found <= {"request_head-fin-tls-new"}


def test_each_part_of_a_record_is_compared() -> None:
    record = Record(outcome=("status 200",), connections=1, client=("request_start",), peers=(("connected",),))
    assert not differences(record, replace(record))
    for change in (
        replace(record, outcome=("status 500",)),
        replace(record, connections=2),
        replace(record, client=()),
        replace(record, peers=(("connected", "eof_received"),)),
    ):
        assert len(differences(record, change)) == 1


def test_the_page_says_what_the_matrix_says() -> None:
    assert PAGE.read_text("utf-8") == page(the_matrix())
