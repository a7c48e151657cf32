"""A scenario made ready to run: windows, actions and times in nanoseconds since the start, nothing left to look up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Window:
    """One fault on one appliance over the half-open span [from_ns, to_ns)."""

    id: str
    kind: str
    on: str
    parameters: Any
    from_ns: int
    to_ns: int
    stage: str
    witness: Mapping[str, Any]
    shown: Mapping[str, Any]

    @property
    def changes_state(self) -> bool:
        """Whether the fault changes what the appliance is, not just how it answers."""
        return self.stage == "state"

    def describe(self, connections: Sequence[str]) -> dict[str, Any]:
        """The data of the ``fault/inject`` record; ``connections`` are those that poll the appliance."""
        return {
            "kind": self.kind,
            "on": self.on,
            "parameters": dict(self.shown),
            "from_ns": self.from_ns,
            "to_ns": self.to_ns,
            "stage": self.stage,
            "witness": dict(self.witness),
            "connections": list(connections),
        }


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
    appliances: Mapping[str, Mapping[str, Any]]
    connections: Mapping[str, Mapping[str, Any]]
    windows: Sequence[Window]
    actions: Sequence[Action]

    def describe(self) -> dict[str, Any]:
        """The data of the ``world/start`` record."""
        return {
            "scenario": self.scenario,
            "duration_ns": self.duration_ns,
            "metrics_every_ns": self.metrics_every_ns,
            "resources_every_ns": self.resources_every_ns,
            "systems": {name: {"variant": variant} for name, (variant, _) in self.systems.items()},
            "appliances": {name: dict(appliance) for name, appliance in self.appliances.items()},
            "connections": {
                name: {key: options[key] for key in ("system", "appliance", "poll_interval_ns")}
                for name, options in self.connections.items()
            },
        }
