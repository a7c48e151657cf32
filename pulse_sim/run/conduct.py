"""One run from first to last record: start, phases, faults, operator, samples, end. Policy only; the world acts."""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from functools import partial
from typing import Any, Final, TypeAlias

from pulse_sim.observation import Source
from pulse_sim.run.aborting import LOOK_EVERY_NS, Aborting
from pulse_sim.run.operator import Operator
from pulse_sim.run.phases import Phase, PhasePlan
from pulse_sim.run.recorder import Alarm
from pulse_sim.run.sampler import Sampler
from pulse_sim.run.timeline import Action, Script, describe_window
from pulse_sim.scenario.timeline import FaultWindow
from pulse_sim.sut.protocol import SystemFailure
from pulse_sim.units import HOUR, SECOND
from pulse_sim.world.protocol import Instant, Observe, World

Event: TypeAlias = tuple[Instant, Callable[[], None]]
METRICS_OFFSET_NS: Final = 17 * SECOND
"""Metrics are sampled off the beat of the polls (R7)."""


class Run:
    """The conductor of one run. ``observe`` records; ``world`` is open for the length of :meth:`conduct`.

    ``on_alarm`` is told whom to call when a watch says that the run must be aborted; without it none is.
    """

    def __init__(
        self,
        script: Script,
        world: World,
        observe: Observe,
        on_alarm: Callable[[Callable[[Alarm], None]], None] = lambda _tell: None,
    ) -> None:
        self._script = script
        self._world = world
        self._observe = observe
        self._samplers = {name: Sampler(name, system, observe) for name, system in world.systems.items()}
        self._operators = {name: Operator(name, system, world, observe) for name, system in world.systems.items()}
        self._phases = PhasePlan([(window.from_ns, window.to_ns) for window in script.windows])
        self._phase: Phase | None = None
        self._ended = asyncio.Event()
        self._is_over = False
        self._end_ns = script.duration_ns
        self._open_windows: dict[str, FaultWindow] = {}
        settle_ns = script.settle_after_abort_ns
        self._aborting = Aborting(world, observe, script.rollback, settle_ns, self._act, self._end_at)
        on_alarm(self._abort)

    async def conduct(self) -> str:
        """Carry the script out to its last second; the reason the run ended: ``completed`` or ``aborted``.

        A system that does not start is a finding for the checks, not the end of the run. However it ends, every fault
        is healed, every system stopped, the world closed and every disk looked at; one that fails keeps none of the
        others from it.
        """
        async with AsyncExitStack() as ending:  # what is named last happens first
            for name in reversed(self._operators):
                ending.callback(self._note_disk, name)
            ending.push_async_callback(self._world.close)
            for operator in reversed(self._operators.values()):
                ending.push_async_callback(operator.stop)
            for window in reversed(self._script.windows):
                ending.callback(self._world.heal, window.id)
            await self._world.open(self._observe)
            self._open_log()
            await self._start_systems()
            await self._add_first_connections()
            self._schedule()
            await self._ended.wait()
            self._is_over = True
            for window in [*self._open_windows.values()]:  # of an aborted run; others have healed by now
                self._heal(window)
            self._note_counts()
            await self._look_everywhere(state=True)
        return "aborted" if self._aborting.has_begun else "completed"

    def _open_log(self) -> None:
        self._observe(Source.WORLD, "start", "run", self._script.describe())
        self._note_phase(warm=False)
        self._note_truths()

    async def _start_systems(self) -> None:
        for name, (variant, environment) in self._script.systems.items():
            with suppress(SystemFailure):  # it is on record as a crash
                await self._operators[name].start(environment, variant)

    async def _add_first_connections(self) -> None:
        for connection, options in self._script.connections.items():
            await self._operators[options["system"]].act("add_connection", {"id": connection, **options})

    def _note_disk(self, system: str) -> None:
        self._observe(Source.WORLD, "disk", system, self._world.disk(system))

    def _schedule(self) -> None:
        script = self._script
        self._follow(deque(sorted(self._events().items())))
        self._every(METRICS_OFFSET_NS, script.metrics_every_ns, lambda: self._look_everywhere(state=False), "metrics")
        self._every(script.resources_every_ns, script.resources_every_ns, self._look_at_state, "state")
        self._every(HOUR, HOUR, self._count, "counts")
        self._end_at(self._end_ns)

    def _abort(self, alarm: Alarm) -> None:
        """End the run by an abort. What gives alarm while a run that is over is put away is left to the checks."""
        if self._is_over:
            return
        self._aborting.begin(alarm)
        if not self._ended.is_set():
            first_ns = self._world.now_ns() + LOOK_EVERY_NS
            self._every(first_ns, LOOK_EVERY_NS, self._look_at_state, "rollback")

    def _end_at(self, at_ns: int) -> None:
        """Let the run end at a time, and at no other that was set before."""
        self._end_ns = at_ns
        if at_ns <= self._world.now_ns():
            self._ended.set()
            return
        self._world.at(at_ns, Instant.SAMPLE, lambda: self._ended.set() if at_ns == self._end_ns else None)

    def _events(self) -> dict[int, list[Event]]:
        """What the timeline does, by time; a look at everything at each edge of a window."""
        events: dict[int, list[Event]] = {}
        for window in self._script.windows:
            events.setdefault(window.from_ns, []).append((Instant.INJECT, partial(self._inject, window)))
            events.setdefault(window.to_ns, []).append((Instant.HEAL, partial(self._heal, window)))
        for edge in events.values():
            edge.append((Instant.SAMPLE, lambda: self._spawn(self._look_everywhere(state=True), "edge")))
        for action in self._script.actions:
            events.setdefault(action.at_ns, []).append((Instant.OPERATOR, partial(self._act_by_the_script, action)))
        return events

    def _follow(self, events: deque[tuple[int, list[Event]]]) -> None:
        """Set timers for the next time at which something happens, and only for it.

        Timers set hours ahead would hide in the kernel's count of timers what a system leaks.
        """
        if not events:
            return
        at_ns, due = events.popleft()
        for instant, event in due:
            self._world.at(at_ns, instant, event)
        self._world.at(at_ns, Instant.SAMPLE, lambda: self._follow(events))

    def _every(self, first_ns: int, period_ns: int, look: Any, name: str) -> None:
        """Run ``look`` at first, first + period, … before the end; one timer is alive at a time."""

        def due(at_ns: int) -> None:
            if at_ns >= self._end_ns:
                return
            self._world.at(at_ns + period_ns, Instant.SAMPLE, lambda: due(at_ns + period_ns))
            self._spawn(look(), name)

        self._world.at(first_ns, Instant.SAMPLE, lambda: due(first_ns))

    def _spawn(self, coroutine: Any, name: str) -> None:
        self._world.spawn(coroutine, name)

    def _inject(self, window: FaultWindow) -> None:
        if self._aborting.has_begun:
            return
        self._open_windows[window.id] = window
        self._world.inject(window.id, window.kind.name, window.on, window.parameters)
        self._observe(Source.FAULT, "inject", window.id, describe_window(window, self._connections_of(window.on)))
        self._after_fault(window)

    def _heal(self, window: FaultWindow) -> None:
        if self._open_windows.pop(window.id, None) is None:
            return
        self._world.heal(window.id)
        self._observe(Source.FAULT, "heal", window.id, {})
        self._after_fault(window)

    def _after_fault(self, window: FaultWindow) -> None:
        if window.changes_state:
            self._world.note_truth(window.on)
        self._note_phase(warm=self._phase not in (None, Phase.WARM_UP))

    def _connections_of(self, host: str) -> list[str]:
        """Connections of the file and of actions so far from or to a host, in the order they were named."""
        polls = {name: (options["system"], options["appliance"]) for name, options in self._script.connections.items()}
        for action in self._script.actions:
            if action.at_ns > self._world.now_ns() or "id" not in action.options:
                continue
            if action.do == "remove_connection":
                polls.pop(action.options["id"], None)
            elif action.options.get("appliance") is not None:
                polls[action.options["id"]] = (action.system, action.options["appliance"])
        return [connection for connection, ends in polls.items() if host in ends]

    def _act_by_the_script(self, action: Action) -> None:
        if not self._aborting.has_begun:
            self._act(action)

    def _act(self, action: Action) -> None:
        self._spawn(self._operators[action.system].act(action.do, action.options), "operator")

    def _note_truths(self) -> None:
        for appliance in self._script.appliances:
            self._world.note_truth(appliance)

    async def _look_at_state(self) -> None:
        self._note_truths()
        for sampler in self._samplers.values():
            await sampler.state()

    async def _look_everywhere(self, state: bool) -> None:
        if state:
            self._note_truths()
        for sampler in self._samplers.values():
            await sampler.metrics()
            if state:
                await sampler.state()
        if self._phase is Phase.WARM_UP:
            self._note_phase(warm=self._is_warm())

    def _is_warm(self) -> bool:
        return all(
            self._samplers[options["system"]].saw_success_of(connection)
            for connection, options in self._script.connections.items()
            if options["system"] in self._script.polling
        )

    async def _count(self) -> None:
        self._note_counts()

    def _note_counts(self) -> None:
        self._observe(Source.WORLD, "counts", "run", dict(self._world.counts()))

    def _note_phase(self, warm: bool) -> None:
        phase = self._phases.at(self._world.now_ns(), warm)
        if phase is not self._phase and not self._aborting.has_begun:
            self._phase = phase
            self._observe(Source.WORLD, "phase", "run", {"phase": phase.value})
            self._note_counts()
