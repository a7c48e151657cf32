"""Every entry of the catalogue: what a client of raw bytes gets, the proof in the journal, and a clean next request."""

import pytest

from mock_truenas.faults import CATALOGUE
from tests.mock_truenas.faults import cases_auth, cases_shape, cases_time, cases_transport
from tests.mock_truenas.faults.box import Box, in_simulation, on_real_sockets
from tests.mock_truenas.faults.cases import Case

CASES: list[Case] = sorted(
    (case for module in (cases_transport, cases_auth, cases_shape, cases_time) for case in module.CASES), key=str
)
ELSEWHERE = {"F07", "F08"}
"""Those of TLS, in test_mock_tls_faults."""


async def rehearse(box: Box, case: Case) -> None:
    seen = await case.act(box, case.given)
    assert seen == case.seen
    shaped = [entry._asdict() for entry in await box.shaped()]
    assert any(case.proof.items() <= entry.items() for entry in shaped), shaped
    await box.clean()


@pytest.mark.parametrize("case", [case for case in CASES if not case.timed], ids=str)
def test_on_real_sockets(case: Case) -> None:
    on_real_sockets(case.release, case.behaviour, lambda box: rehearse(box, case))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_in_virtual_time(case: Case) -> None:
    in_simulation(case.release, case.behaviour, lambda box: rehearse(box, case))


def test_every_entry_and_every_recipe_has_a_case() -> None:
    wanted = {(entry.number, at) for entry in CATALOGUE for at, _ in enumerate(entry.recipes)}
    tried = {(case.number, case.recipe) for case in CASES}
    assert {number for number, _ in wanted - tried} <= ELSEWHERE
