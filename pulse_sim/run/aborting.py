"""The end of an aborted run: it is put on record, the rollback is carried out, its effect gets time to show.

Knows no criterion and no action; it is told of an alarm, and tells when what is to be done.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from pulse_sim.observation import Source
from pulse_sim.run.recorder import Alarm
from pulse_sim.run.timeline import Action
from pulse_sim.units import SECOND
from pulse_sim.world.protocol import Instant, Observe, World

LOOK_EVERY_NS: Final = 30 * SECOND
"""How often what systems show is looked at while a rollback takes hold."""


class Aborting:
    """``rollback`` are actions at times since the abort; ``settle_ns`` passes after the last of them.

    ``act`` does one of them; ``end_at`` moves the end of the run.
    """

    def __init__(
        self,
        world: World,
        observe: Observe,
        rollback: Sequence[Action],
        settle_ns: int,
        act: Callable[[Action], None],
        end_at: Callable[[int], None],
    ) -> None:
        self._world = world
        self._observe = observe
        self._rollback = rollback
        self._settle_ns = settle_ns
        self._act = act
        self._end_at = end_at
        self.has_begun = False

    def begin(self, alarm: Alarm) -> None:
        """Put the abort on record and do what follows it; without a rollback the run ends at once."""
        self.has_begun = True
        data: dict[str, Any] = {
            "criterion": alarm.criterion,
            "what": alarm.what,
            "evidence": list(alarm.evidence),
        }
        self._observe(Source.WORLD, "abort", "run", data)
        now_ns = self._world.now_ns()
        if not self._rollback:
            self._end_at(now_ns)
            return
        until_ns = now_ns + max(action.at_ns for action in self._rollback) + self._settle_ns
        self._observe(Source.WORLD, "rollback", "run", {"actions": len(self._rollback), "until_ns": until_ns})
        for action in self._rollback:
            self._world.at(now_ns + action.at_ns, Instant.OPERATOR, partial(self._act, action))
        self._end_at(until_ns)
