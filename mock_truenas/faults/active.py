"""The faults an appliance has at this moment, and which of them a request meets. Carries nothing out."""

from dataclasses import dataclass, field
from difflib import get_close_matches

from pydantic import BaseModel

from mock_truenas.faults.kind import Effect, Scope, Stage
from mock_truenas.faults.table import FAULT_KINDS


@dataclass
class ActiveFault:
    """One injected fault; ``met`` counts the requests it was applied to."""

    fault_id: str
    stage: Stage
    effect: Effect
    scope: Scope | None
    met: int = 0

    def meets(self, method: str, path: str) -> bool:
        """Whether this request is one of those the fault is about; if so it is counted."""
        scope = self.scope
        if scope is None or (scope.first is not None and self.met >= scope.first) or not scope.covers(method, path):
            return False
        self.met += 1
        return True


@dataclass(frozen=True)
class Met:
    """The faults one request met, by stage, in order of injection."""

    by_stage: tuple[tuple[ActiveFault, ...], ...]

    def at(self, stage: Stage) -> tuple[ActiveFault, ...]:
        """Those acting at one stage."""
        return self.by_stage[stage]


NOTHING_MET = Met(tuple(() for _ in Stage))


@dataclass
class ActiveFaults:
    """Injected and not yet healed, in order of injection."""

    _faults: dict[str, ActiveFault] = field(default_factory=dict)

    def inject(self, fault_id: str, kind: str, parameters: BaseModel) -> ActiveFault:
        """Start a fault. Raises ValueError for an unknown kind, foreign parameters or an id already in use."""
        known = FAULT_KINDS.get(kind)
        if known is None:
            near = get_close_matches(kind, FAULT_KINDS, 1)
            hint = f", did you mean {near[0]}" if near else ""
            raise ValueError(f"unknown fault kind {kind!r}{hint}? Known: {', '.join(FAULT_KINDS)}")
        if not isinstance(parameters, known.parameters):
            raise ValueError(f"{kind} takes {known.parameters.__name__}, not {type(parameters).__name__}")
        if fault_id in self._faults:
            raise ValueError(f"fault {fault_id!r} is already active; heal it first or choose another id")
        fault = ActiveFault(fault_id, known.stage, known.effect(parameters), Scope.of(parameters))
        self._faults[fault_id] = fault
        return fault

    def heal(self, fault_id: str) -> ActiveFault | None:
        """End a fault; None when it is not active (any more)."""
        return self._faults.pop(fault_id, None)

    def met_by(self, method: str, path: str) -> Met:
        """The faults a request for ``path`` (below /api/v2.0) meets."""
        if not self._faults:
            return NOTHING_MET
        met = [fault for fault in self._faults.values() if fault.meets(method, path)]
        if not met:
            return NOTHING_MET
        return Met(tuple(tuple(fault for fault in met if fault.stage is stage) for stage in Stage))

    def closing_door(self) -> tuple[str, ...]:
        """Ids of the faults that keep the front door closed."""
        return tuple(fault.fault_id for fault in self._faults.values() if fault.effect.closes_door)
