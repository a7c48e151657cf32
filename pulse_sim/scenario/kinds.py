"""The tables a scenario is looked up in: fault kinds of the appliance and the world, checks, actions.

The one place of this package that knows them, so that plans load where none of them can be imported.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel

from mock_truenas.faults import FAULT_KINDS, FaultKind
from pulse_sim.checks import CHECK_KINDS
from pulse_sim.scenario.actions import ACTIONS
from pulse_sim.world.faults import WORLD_FAULT_KINDS

ALL_FAULT_KINDS: Final[Mapping[str, FaultKind]] = {**FAULT_KINDS, **WORLD_FAULT_KINDS}


def fault_parameters(kind: str, given: Mapping[str, Any]) -> Any:
    """The parameter model of a fault kind, made of plain data."""
    return _made(ALL_FAULT_KINDS[kind].parameters, given)


def action_parameters(action: str, given: Mapping[str, Any]) -> Any:
    """The parameter model of an action, made of plain data."""
    return _made(ACTIONS[action].parameters, given)


def canonical_fault_parameters(kind: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The given parameters of a fault as plain data, durations in their shortest form."""
    return _canonical(ALL_FAULT_KINDS[kind].parameters, given)


def canonical_action_parameters(action: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The given parameters of an action likewise."""
    return _canonical(ACTIONS[action].parameters, given)


def canonical_check(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A check's entry likewise, its name first."""
    given = {name: value for name, value in entry.items() if name != "check"}
    return {"check": entry["check"], **_canonical(CHECK_KINDS[entry["check"]].parameters, given)}


def _made(model: type[BaseModel], given: Mapping[str, Any]) -> BaseModel:
    return model.model_validate_json(json.dumps(dict(given)))


def _canonical(model: type[BaseModel], given: Mapping[str, Any]) -> dict[str, Any]:
    parameters = _made(model, given)
    dumped = parameters.model_dump(mode="json", by_alias=True, exclude_unset=True)
    # a parameter type of another room may write what it does not read; then the author's own words stay
    return dumped if _reads_back(model, dumped, parameters) else dict(given)


def _reads_back(model: type[BaseModel], dumped: dict[str, Any], parameters: BaseModel) -> bool:
    try:
        return _made(model, dumped) == parameters
    except ValueError:
        return False
