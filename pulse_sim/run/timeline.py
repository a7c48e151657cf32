"""A scenario made ready to run, nothing left to look up, and how the log tells of it; times are since the start."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pulse_sim.scenario.timeline import FaultWindow


@dataclass(frozen=True, slots=True)
class Action:
    """One thing the operator does."""

    at_ns: int
    system: str
    do: str
    options: Mapping[str, Any]


@dataclass(frozen=True)
class Script:
    """Everything a run needs of a scenario."""

    scenario: str
    duration_ns: int
    metrics_every_ns: int
    resources_every_ns: int
    systems: Mapping[str, tuple[str, Mapping[str, str]]]
    polling: frozenset[str]
    """The systems that poll from the start; the others never warm up."""
    appliances: Mapping[str, Mapping[str, Any]]
    connections: Mapping[str, Mapping[str, Any]]
    windows: Sequence[FaultWindow]
    actions: Sequence[Action]
    rollback: Sequence[Action] = ()
    """What is done after an abort, at times since it."""
    settle_after_abort_ns: int = 0

    def describe(self) -> dict[str, Any]:
        """The data of the ``world/start`` record."""
        return {
            "scenario": self.scenario,
            "duration_ns": self.duration_ns,
            "metrics_every_ns": self.metrics_every_ns,
            "resources_every_ns": self.resources_every_ns,
            "systems": {
                name: {"variant": variant, "environment": dict(environment)}
                for name, (variant, environment) in self.systems.items()
            },
            "appliances": {name: dict(appliance) for name, appliance in self.appliances.items()},
            "connections": {
                name: {key: options[key] for key in ("system", "appliance", "poll_interval_ns")}
                for name, options in self.connections.items()
            },
        }


def describe_window(window: FaultWindow, connections: Sequence[str]) -> dict[str, Any]:
    """The data of a ``fault/inject`` record; ``connections`` are those that poll the appliance."""
    return {
        "kind": window.kind.name,
        "on": window.on,
        "parameters": dict(window.given),
        "from_ns": window.from_ns,
        "to_ns": window.to_ns,
        "stage": window.stage,
        "witness": dict(window.witness),
        "connections": list(connections),
    }
