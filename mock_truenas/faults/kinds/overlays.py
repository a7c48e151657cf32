"""Effects that show the appliance's state through a change, for as long as the fault lasts."""

from collections.abc import Callable
from typing import Any

from mock_truenas.appliance.model import State
from mock_truenas.faults.kind import Effect, Keyring

Seen = Callable[[State], State]
SeenFrom = Callable[[State, int], State]


def seen_through(change: Seen, **more: Any) -> Effect:
    """The state as ``change`` shows it; ``more`` are further fields of the effect."""
    return seen_since(lambda state, _: change(state), **more)


def seen_since(change: SeenFrom, **more: Any) -> Effect:
    """The same, where ``change`` needs the instant the fault began, in nanoseconds of the appliance's time."""

    def begin(appliance: Keyring, fault_id: str) -> None:
        began_ns = appliance.now_ns()
        appliance.overlay(fault_id, lambda state: change(state, began_ns))

    def end(appliance: Keyring, fault_id: str) -> None:
        appliance.lift(fault_id)

    return Effect(change=begin, undo=end, **more)
