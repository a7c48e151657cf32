"""A loaded scenario's timeline as it will happen: fault windows and operator actions, nothing left to look up."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mock_truenas.faults import FaultKind
from pulse_sim.scenario.kinds import ALL_FAULT_KINDS, action_parameters, fault_parameters
from pulse_sim.scenario.model import ActionEntry, FaultEntry, RollbackEntry, Scenario
from pulse_sim.units import format_duration


@dataclass(frozen=True)
class FaultWindow:
    """One fault over [from_ns, to_ns) since the start; ``parameters`` is the kind's model, ``given`` its plain data."""

    id: str
    kind: FaultKind
    on: str
    from_ns: int
    to_ns: int
    parameters: Any
    given: Mapping[str, Any]

    @property
    def stage(self) -> str:
        """Where the fault acts, in the words of the log."""
        return self.kind.stage.name.lower()

    @property
    def changes_state(self) -> bool:
        """Whether the fault changes what the appliance is, not just how it answers."""
        return self.stage == "state" and self.kind.target == "appliance"

    @property
    def witness(self) -> Mapping[str, Any]:
        """How to tell from the other side that it took effect, as plain data."""
        return self.kind.witness(self.parameters).to_data()


@dataclass(frozen=True)
class OperatorAction:
    """One thing done to ``system`` at ``at_ns`` since the start."""

    id: str
    at_ns: int
    do: str
    system: str
    parameters: Any
    given: Mapping[str, Any]


def fault_windows(scenario: Scenario) -> tuple[FaultWindow, ...]:
    """The fault windows of a loaded scenario by start, then in the file's order."""
    entries = [entry for entry in scenario.timeline if isinstance(entry, FaultEntry)]
    return tuple(_window(entry) for entry in sorted(entries, key=lambda entry: entry.at))


def operator_actions(scenario: Scenario) -> tuple[OperatorAction, ...]:
    """The operator's actions of a loaded scenario by time, then in the file's order."""
    entries = [entry for entry in scenario.timeline if isinstance(entry, ActionEntry)]
    return tuple(_action(entry) for entry in sorted(entries, key=lambda entry: entry.at))


def rollback_actions(scenario: Scenario) -> tuple[OperatorAction, ...]:
    """What is done after an abort; ``at_ns`` is since the abort."""
    return tuple(_after_abort(entry) for entry in sorted(scenario.rollback, key=lambda entry: entry.after))


def _window(entry: FaultEntry) -> FaultWindow:
    assert entry.id is not None
    parameters = fault_parameters(entry.fault, entry.parameters)
    to_ns = entry.at + entry.length
    return FaultWindow(
        entry.id, ALL_FAULT_KINDS[entry.fault], entry.on, entry.at, to_ns, parameters, dict(entry.parameters)
    )


def _action(entry: ActionEntry) -> OperatorAction:
    assert entry.id is not None and entry.system is not None
    parameters = action_parameters(entry.do, entry.parameters)
    return OperatorAction(entry.id, entry.at, entry.do, entry.system, parameters, dict(entry.parameters))


def _after_abort(entry: RollbackEntry) -> OperatorAction:
    assert entry.system is not None
    parameters = action_parameters(entry.do, entry.parameters)
    name = f"{entry.do}:{entry.system}+{format_duration(entry.after)}"
    return OperatorAction(name, entry.after, entry.do, entry.system, parameters, dict(entry.parameters))
