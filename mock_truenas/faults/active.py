"""The faults an appliance has at this moment, and which of them a request meets. Carries nothing out."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from typing import Any

from pydantic import BaseModel

from mock_truenas.api.answer import Answer
from mock_truenas.api.errors import MethodError
from mock_truenas.behaviour import Behaviour
from mock_truenas.faults.effect import Asked, Close, Effect, Stage
from mock_truenas.faults.scope import Scope
from mock_truenas.faults.table import FAULT_KINDS
from mock_truenas.faults.target import Target


@dataclass
class ActiveFault:
    """One injected fault; ``matched`` counts the targets it is about, ``met`` those it was applied to."""

    fault_id: str
    kind: str
    parameters: BaseModel
    stage: Stage
    effect: Effect
    scope: Scope | None
    draws: random.Random
    matched: int = 0
    met: int = 0
    stalls_until_s: float | None = None

    @cached_property
    def stages(self) -> frozenset[Stage]:
        """Where it acts."""
        return self.effect.stages() or frozenset({self.stage})

    def meets(self, target: Target) -> bool:
        """Whether ``target`` is one of those the fault is about; if so it is counted."""
        scope = self.scope
        if scope is None or (scope.first is not None and self.met >= scope.first) or not scope.covers(target):
            return False
        self.matched += 1
        turn = self.matched - scope.skip
        if turn < 1 or (turn - 1) % scope.every:
            return False
        if scope.probability < 1 and self.draws.random() >= scope.probability:
            return False
        self.met += 1
        return True

    def wait_s(self, now_s: float) -> float:
        """How long what meets it now, at ``now_s`` of the loop, is held back."""
        stalled = 0.0
        if self.effect.stall_ns:
            if self.stalls_until_s is None:
                self.stalls_until_s = now_s + self.effect.stall_ns / 1e9
            stalled = max(0.0, self.stalls_until_s - now_s)
        return stalled + self.effect.delay_ns / 1e9


@dataclass(frozen=True)
class Met:
    """The faults one request met, by stage, in order of injection.

    The methods below tell what they come to, each with the id of the fault for the journal.
    """

    by_stage: tuple[tuple[ActiveFault, ...], ...]
    handshake: bool = False

    def at(self, stage: Stage) -> tuple[ActiveFault, ...]:
        """Those acting at one stage."""
        return self.by_stage[stage]

    def silenced_by(self) -> str | None:
        """The first fault because of which there is no answer at all, or no event."""
        return next((fault.fault_id for fault in self.at(Stage.DROP)), None)

    def answer(self, asked: Asked) -> tuple[ActiveFault, Answer] | None:
        """The HTTP answer of the latest fault that has one; when its effect ``performs``, the method runs first."""
        for fault in reversed(self.at(Stage.STATUS)):
            if self.handshake and fault.effect.close is not None:
                return None  # it is accepted, and closed then
            if fault.effect.replies is not None:
                return fault, fault.effect.replies(asked)
            if fault.effect.answer is not None:
                return fault, fault.effect.answer
        return None

    def refusal(self) -> tuple[str, MethodError] | None:
        """What the method raises instead of running, by the latest such fault."""
        for fault in reversed(self.at(Stage.STATUS)):
            if fault.effect.refuses is not None:
                return fault.fault_id, fault.effect.refuses()
        return None

    def result(self) -> tuple[str, Any] | None:
        """What the method returns instead of running, by the latest such fault; refusals come before it."""
        for fault in reversed(self.at(Stage.STATUS)):
            if fault.effect.result is not None:
                return fault.fault_id, fault.effect.result.value
        return None

    def close(self) -> tuple[str, Close] | None:
        """How an accepted handshake, or the connection instead of a reply, is closed at once."""
        for fault in reversed(self.at(Stage.STATUS)):
            if fault.effect.close is not None:
                return fault.fault_id, fault.effect.close
        return None

    @property
    def changes_value(self) -> bool:
        """Whether a kept rendering of the result may not be used."""
        return any(fault.effect.change_value is not None for fault in self.at(Stage.BODY))

    def changed(self, value: Any) -> tuple[Any, tuple[str, ...]]:
        """A JSON result, or the fields of an event, as the faults leave it, and those that changed something."""
        by = []
        for fault in self.at(Stage.BODY):
            if fault.effect.change_value is not None:
                changed = fault.effect.change_value(value)
                if changed is not value:
                    by.append(fault.fault_id)
                value = changed
        return value, tuple(by)

    def shown(self) -> tuple[str, ...]:
        """The faults of the appliance's state that the answer of the method shows."""
        return tuple(fault.fault_id for fault in self.at(Stage.STATE))


NOTHING_MET = Met(tuple(() for _ in Stage))


def by_name(purpose: str) -> random.Random:
    """A stream that depends on nothing but the name of its purpose."""
    return random.Random(purpose)


@dataclass
class ActiveFaults:
    """Injected and not yet healed, in order of injection. ``stream`` gives the draws of ``probability`` by purpose."""

    stream: Callable[[str], random.Random] = by_name
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
        scope = Scope.of(parameters, known.acts_on, known.faces, known.shows, known.spares(parameters))
        effect = known.effect(parameters)
        fault = ActiveFault(fault_id, kind, parameters, known.stage, effect, scope, self.stream(f"fault:{fault_id}"))
        self._faults[fault_id] = fault
        return fault

    def heal(self, fault_id: str) -> ActiveFault | None:
        """End a fault; None when it is not active (any more)."""
        return self._faults.pop(fault_id, None)

    def active(self) -> tuple[ActiveFault, ...]:
        """All of them, in order of injection."""
        return tuple(self._faults.values())

    def met_by(self, target: Target) -> Met:
        """The faults a request, handshake, call or event meets."""
        if not self._faults:
            return NOTHING_MET
        met = [fault for fault in self._faults.values() if fault.meets(target)]
        if not met:
            return NOTHING_MET
        by_stage = tuple(tuple(fault for fault in met if stage in fault.stages) for stage in Stage)
        return Met(by_stage, "handshake" in target.occasions)

    def closing_door(self) -> tuple[str, ...]:
        """Ids of the faults that keep the front door closed."""
        return tuple(fault.fault_id for fault in self._faults.values() if fault.effect.closes_door)

    def idle_cut(self) -> tuple[str, int] | None:
        """The shortest time, in nanoseconds, after which an idle WebSocket is cut, and by which fault."""
        cuts = [(fault.effect.idle_ns, fault.fault_id) for fault in self.active() if fault.effect.idle_ns is not None]
        return min(((fault_id, idle_ns) for idle_ns, fault_id in cuts), key=lambda cut: cut[1], default=None)

    def switched_by(self, switch: str, usual: Behaviour) -> str:
        """The latest fault that changed a switch; empty when none did."""
        by = ""
        for fault in self._faults.values():
            if fault.effect.behaviour is not None:
                changed = fault.effect.behaviour(usual)
                by = fault.fault_id if getattr(changed, switch) != getattr(usual, switch) else by
                usual = changed
        return by

    def behaving(self, usual: Behaviour) -> Behaviour:
        """The switches as the faults leave them."""
        for fault in self._faults.values():
            if fault.effect.behaviour is not None:
                usual = fault.effect.behaviour(usual)
        return usual
