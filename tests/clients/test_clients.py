"""Clients from PyPI, which the mock was never tuned for, get from it what they get from the appliance.

Each runs in a process and an environment of its own. The table (release × call × expected) is ``table.json``.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from mock_truenas.appliance.model import Alert
from mock_truenas.certificate import Certificates
from mock_truenas.faults import CertificateOrder
from tests.clients.cells import CLIENTS, TABLE, Cell, cells, filled
from tests.clients.environment import source_of
from tests.clients.program import IMPATIENCE_S, PATIENCE_S, Program, running
from tests.contract.box import Box, box, said
from tests.contract.shape import RELEASES, Shapes
from tests.mock_truenas.wire import START_NS

SECOND_NS = 10**9
ALERT = "0b8c1c8e-7f0e-4a51-9a0d-2f2f6d0c1b11"
PAIRS = [(client, release) for client in CLIENTS for release in TABLE[client]["releases"]]
pytestmark = pytest.mark.system


def _tls() -> ssl.SSLContext:
    # Judged by nobody's clock: these clients are told not to verify, or cannot.
    return Certificates("localhost", START_NS / 1e9).issue(CertificateOrder(years=(2000, 2099)), "")


@asynccontextmanager
async def _ageing(served: Box) -> AsyncIterator[None]:
    """Time goes by ten thousand times as fast, so that jobs end."""

    async def ticks() -> None:
        while True:
            await asyncio.sleep(0.005)
            served.clock.at_ns += 50 * SECOND_NS
            served.nas.appliance.evolve()

    task = asyncio.create_task(ticks())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        served.clock.at_ns += 600 * SECOND_NS  # for what the client does not wait for
        served.nas.appliance.evolve()


@asynccontextmanager
async def _served(client: str, release: str) -> AsyncIterator[tuple[Box, dict[str, str]]]:
    async with box(release, tls=_tls() if client == "pytruenas" else None) as served:
        appliance = served.nas.appliance
        appliance.raise_alert(Alert(ALERT, "HasUpdate", "INFO", "A system update is available.", START_NS))
        known = {
            "host": f"127.0.0.1:{served.nas.port}",
            "key": served.key,
            "username": "truenas_admin",
            "password": appliance.mint_password("root"),
            "token": appliance.accounts.mint_token("root", 600, START_NS),
            "alert": ALERT,
        }
        yield served, known


async def _outcome(program: Program, cell: Cell, served: Box, known: dict[str, str]) -> dict[str, object]:
    patience_s = IMPATIENCE_S if cell.raises == "hangs" else PATIENCE_S
    asked = program.ask(cell.call, filled(cell.arguments, known), patience_s=patience_s)
    if not cell.ages:
        return await asked
    async with _ageing(served):
        return await asked


@pytest.mark.parametrize(("client", "release"), PAIRS)
@pytest.mark.asyncio
async def test_every_call_of_a_client_gives_what_the_table_says(client: str, release: str) -> None:
    shapes = Shapes(release)
    problems: list[str] = []
    async with _served(client, release) as (served, known), running(client, TABLE[client]["program"]) as program:
        for cell in cells(client, release):
            if cell.left_out or cell.covered_by:
                continue
            outcome = await _outcome(program, cell, served, known)
            problems += cell.problems(outcome, shapes, served.nas.appliance.truth())
            if outcome.get("raises") == "hangs":
                break  # the others would wait for as long
    assert not problems, said(problems)


@pytest.mark.parametrize(("client", "release"), PAIRS)
@pytest.mark.asyncio
async def test_a_revoked_key_a_502_and_a_truncated_answer_give_the_clients_own_error(client: str, release: str) -> None:
    shapes = Shapes(release)
    problems: list[str] = []
    async with _served(client, release) as (served, known), running(client, TABLE[client]["program"]) as program:
        (create,) = (cell for cell in cells(client, release) if cell.call.endswith(".create"))
        for number, cell in enumerate(cells(client, release, "failures")):
            assert cell.fault is not None
            if not cell.call.endswith(".create"):
                begun = await _outcome(program, create, served, known)
                problems += create.problems(begun, shapes, {})
            kind, parameters = cell.fault
            served.inject(f"fault-{number}", kind, **parameters)
            outcome = await _outcome(program, cell, served, known)
            served.nas.heal(f"fault-{number}")
            problems += (f"{kind} {problem}" for problem in cell.problems(outcome, shapes, {}))
    assert not problems, said(problems)


def _rows(client: str) -> Iterator[Cell]:
    for release in TABLE[client]["releases"]:
        yield from cells(client, release)
        yield from cells(client, release, "failures")


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.asyncio
async def test_the_table_has_every_public_name_of_the_client_for_every_release(client: str) -> None:
    async with running(client, TABLE[client]["program"]) as program:
        public = set((await program.ask("public", {}))["gives"])
    for release in TABLE[client]["releases"]:
        named = [cell.call for cell in cells(client, release)]
        assert public - set(named) == set(), release
        assert set(named) - public <= {"TruenasClient.create", "TrueNASClient.create"}, release


@pytest.mark.parametrize("client", CLIENTS)
def test_each_explanation_is_a_line_of_the_client(client: str) -> None:
    lines = {cell.line for cell in _rows(client) if cell.line is not None}
    missing = [line for file, line in sorted(lines) if line not in source_of(client, file)]
    assert missing == []
    assert all(cell.line for cell in _rows(client) if cell.left_out)


def test_the_clients_cover_the_releases_they_are_for() -> None:
    assert TABLE["aiotruenas-client"]["releases"] == list(RELEASES)
    assert TABLE["truenaspy"]["releases"] == [release for release in RELEASES if release < "26"]
    assert TABLE["pytruenas"]["releases"] == [release for release in RELEASES if release >= "25"]
