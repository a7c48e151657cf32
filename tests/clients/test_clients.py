"""Clients from PyPI, which the mock was never tuned for, get from it what they get from the appliance.

Each runs in a process and an environment of its own. The table (release × call × expected) is ``table.json``.
"""

from collections.abc import Iterator

import pytest

from tests.clients.cells import CLIENTS, TABLE, Cell, cells
from tests.clients.environment import source_of
from tests.clients.holding import hold_calls, hold_failures
from tests.clients.program import running
from tests.contract.box import said
from tests.contract.shape import RELEASES

PAIRS = [(client, release) for client in CLIENTS for release in TABLE[client]["releases"]]
LINES = [(client, release) for client, release in PAIRS if release.count(".") == 1]
pytestmark = pytest.mark.system


@pytest.mark.parametrize(("client", "release"), PAIRS)
@pytest.mark.asyncio
async def test_every_call_of_a_client_gives_what_the_table_says(client: str, release: str) -> None:
    held = await hold_calls(client, release)
    assert not held.problems, said(held.problems)
    assert held.run > 30


@pytest.mark.parametrize(("client", "release"), LINES)
@pytest.mark.asyncio
async def test_a_revoked_key_a_502_and_a_truncated_answer_give_the_clients_own_error(client: str, release: str) -> None:
    held = await hold_failures(client, release)
    assert not held.problems, said(held.problems)
    assert held.run >= 3


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
