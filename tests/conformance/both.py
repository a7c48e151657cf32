"""Both sides of the matrix, and where they differ."""

import random
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import fields
from functools import cache

from pulse_sim.kernel.certificate import self_signed, server_context
from tests.conformance.cells import Record, Tls
from tests.conformance.loopback import run_on_loopback
from tests.conformance.matrix import Cell
from tests.conformance.simulated import run_simulated


@cache
def tls_contexts() -> Tls:
    """One certificate and two contexts for every cell. Names are not checked: the two places differ in them."""
    certificate, key = self_signed(random.Random("conformance").randbytes, ["peer.test"])
    client = ssl.create_default_context(cadata=certificate.decode("ascii"))
    client.check_hostname = False
    return Tls(server_context(certificate, key), client)


def run_both(cells: Iterable[Cell]) -> tuple[Mapping[Cell, Record], Mapping[Cell, Record]]:
    """The cells' records, in the simulation and on loopback."""
    chosen = tuple(cells)
    tls = tls_contexts()
    return run_simulated(chosen, tls), run_on_loopback(chosen, tls)


def differences(simulated: Record, real: Record) -> list[str]:
    """One line for each field that is not the same."""
    return [
        f"{field.name}: simulated {getattr(simulated, field.name)}, real {getattr(real, field.name)}"
        for field in fields(Record)
        if getattr(simulated, field.name) != getattr(real, field.name)
    ]
