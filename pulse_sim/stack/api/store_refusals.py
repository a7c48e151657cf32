"""How a failure of the connection store is answered (contract A1, A9). Knows no route."""

from collections.abc import Mapping
from typing import Final

from pulse_sim.stack.api.answers import Refusal
from pulse_sim.stack.damage import Damage, StoreDamaged

RETRY_AFTER_S: Final = 1
"""Longer than a writer holds the lock of the data directory."""
READ_ANSWERS: Final[Mapping[int, str]] = {503: "Another process is writing; try again after `Retry-After` seconds."}
"""What a request that reads the store may be answered besides."""
_CHANGED: Final = "another process changed the connections meanwhile: nothing was stored, read them and try again"


def write_answers(conflict: str = "") -> dict[int, str]:
    """The same for one that writes; `conflict` says what else a 409 may mean there."""
    changed = "Another process changed the connections meanwhile: nothing was stored."
    return {409: f"{conflict} {changed}".strip(), **READ_ANSWERS}


def store_refusal(damage: StoreDamaged, code: str) -> Refusal:
    """The refusal of a request for which the store failed; `code` names what could not be done.

    Who only came at a bad moment is told so, and is not told that anything is broken: 503 while another process
    writes, 409 when one wrote in between, 500 for everything else.
    """
    details = {"file": damage.file, "reason": damage.damage.value}
    if damage.damage is Damage.BUSY:
        return Refusal(
            503,
            "truenas_store_busy",
            f"{damage.reason}: try again",
            details,
            headers={"Retry-After": str(RETRY_AFTER_S)},
        )
    if damage.damage is Damage.CHANGED:
        return Refusal(409, "truenas_store_changed", _CHANGED, details)
    return Refusal(500, code, damage.reason, details)
