"""From a scenario to the script of its run: everything looked up, times in nanoseconds since the start."""

from typing import Any

from pydantic import BaseModel

from pulse_sim.checks.flag import is_on
from pulse_sim.run.timeline import Action, Script
from pulse_sim.scenario.model import Connection, Scenario
from pulse_sim.scenario.timeline import fault_windows, operator_actions, rollback_actions
from pulse_sim.world.cast import AppliancePlan, Cast


def script_of(scenario: Scenario) -> Script:
    """The script of a resolved scenario."""
    return Script(
        scenario=scenario.id,
        duration_ns=scenario.duration,
        metrics_every_ns=scenario.sampling.metrics,
        resources_every_ns=scenario.sampling.resources,
        systems={name: (system.variant, dict(system.environment)) for name, system in scenario.systems.items()},
        polling=frozenset(
            name for name, system in scenario.systems.items() if is_on(system.variant, system.environment)
        ),
        appliances={
            name: {"release": appliance.release, "fixture": appliance.fixture, "tls": appliance.tls}
            for name, appliance in scenario.appliances.items()
        },
        connections={name: _first_connection(name, connection) for name, connection in scenario.connections.items()},
        windows=fault_windows(scenario),
        actions=[
            Action(action.at_ns, action.system, action.do, _options(action.parameters))
            for action in operator_actions(scenario)
        ],
        rollback=[
            Action(action.at_ns, action.system, action.do, _options(action.parameters))
            for action in rollback_actions(scenario)
        ],
        settle_after_abort_ns=scenario.settle_after_abort,
    )


def cast_of(scenario: Scenario) -> Cast:
    """Who takes part in a scenario."""
    return Cast(
        start_ns=scenario.start_ns,
        appliances={
            name: AppliancePlan(
                appliance.release,
                appliance.fixture,
                appliance.tls,
                appliance.latency,
                appliance.behaviour.model_dump(),
            )
            for name, appliance in scenario.appliances.items()
        },
        systems=tuple(scenario.systems),
    )


def _first_connection(name: str, connection: Connection) -> dict[str, Any]:
    return {"id": name, **_options(connection)}


def _options(parameters: BaseModel) -> dict[str, Any]:
    """Parameters as the log names them: times say their unit and stay nanoseconds."""
    values = {name: getattr(parameters, name) for name in type(parameters).model_fields}
    for time in ("poll_interval", "down_for", "every", "lasting"):
        if time in values:
            values[f"{time}_ns"] = values.pop(time)
    return values
