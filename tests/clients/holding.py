"""Runs a client's cells against a mock of one release and keeps what was not as the table says. Judges no client."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from mock_truenas.appliance.model import Alert
from mock_truenas.certificate import Certificates
from mock_truenas.faults import CertificateOrder
from tests.clients.cells import TABLE, Cell, cells, filled
from tests.clients.program import IMPATIENCE_S, PATIENCE_S, Program, running
from tests.contract.box import Box, box
from tests.contract.shape import Shapes
from tests.mock_truenas.wire import START_NS

_SECOND_NS: Final = 10**9
_ALERT: Final = "0b8c1c8e-7f0e-4a51-9a0d-2f2f6d0c1b11"


@dataclass
class Held:
    """How many cells were run, how many the client itself prevents, and what was wrong with which."""

    run: int = 0
    left_out: int = 0
    problems: list[str] = field(default_factory=list)


async def hold_calls(client: str, release: str) -> Held:
    """Every call of the table, one after the other, on one appliance."""
    held, shapes = Held(), Shapes(release)
    async with _served(client, release) as (served, known), running(client, TABLE[client]["program"]) as program:
        for cell in cells(client, release):
            if cell.left_out or cell.covered_by:
                held.left_out += cell.left_out
                continue
            outcome = await _outcome(program, cell, served, known)
            held.run += 1
            held.problems += cell.problems(outcome, shapes, served.nas.appliance.truth())
            if outcome.get("raises") == "hangs":
                break  # the others would wait for as long
    return held


async def hold_failures(client: str, release: str) -> Held:
    """Every failure of the table, each met by a client that had just connected, or is about to."""
    held, shapes = Held(), Shapes(release)
    async with _served(client, release) as (served, known), running(client, TABLE[client]["program"]) as program:
        (create,) = (cell for cell in cells(client, release) if cell.call.endswith(".create"))
        for number, cell in enumerate(cells(client, release, "failures")):
            assert cell.fault is not None
            if not cell.call.endswith(".create"):
                held.problems += create.problems(await _outcome(program, create, served, known), shapes, {})
            kind, parameters = cell.fault
            served.inject(f"fault-{number}", kind, **parameters)
            outcome = await _outcome(program, cell, served, known)
            served.nas.heal(f"fault-{number}")
            held.run += 1
            held.problems += (f"{kind} {problem}" for problem in cell.problems(outcome, shapes, {}))
    return held


def _tls() -> ssl.SSLContext:
    # Judged by nobody's clock: these clients are told not to verify, or cannot.
    return Certificates("localhost", START_NS / 1e9).issue(CertificateOrder(years=(2000, 2099)), "")


@asynccontextmanager
async def _ageing(served: Box) -> AsyncIterator[None]:
    """Time goes by ten thousand times as fast, so that jobs end."""

    async def ticks() -> None:
        while True:
            await asyncio.sleep(0.005)
            served.clock.at_ns += 50 * _SECOND_NS
            served.nas.appliance.evolve()

    task = asyncio.create_task(ticks())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        served.clock.at_ns += 600 * _SECOND_NS  # for what the client does not wait for
        served.nas.appliance.evolve()


@asynccontextmanager
async def _served(client: str, release: str) -> AsyncIterator[tuple[Box, dict[str, str]]]:
    async with box(release, tls=_tls() if client == "pytruenas" else None) as served:
        appliance = served.nas.appliance
        appliance.raise_alert(Alert(_ALERT, "HasUpdate", "INFO", "A system update is available.", START_NS))
        known = {
            "host": f"127.0.0.1:{served.nas.port}",
            "key": served.key,
            "username": "truenas_admin",
            "password": appliance.mint_password("root"),
            "token": appliance.accounts.mint_token("root", 600, START_NS),
            "alert": _ALERT,
        }
        yield served, known


async def _outcome(program: Program, cell: Cell, served: Box, known: dict[str, str]) -> dict[str, Any]:
    patience_s = IMPATIENCE_S if cell.raises == "hangs" else PATIENCE_S
    asked = program.ask(cell.call, filled(cell.arguments, known), patience_s=patience_s)
    if not cell.ages:
        return await asked
    async with _ageing(served):
        return await asked
