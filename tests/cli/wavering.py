"""A system that is not the same twice: its figures have something of the process it runs in. For the gate to notice."""

import os

from pulse_sim.stack.assembly import Parts
from pulse_sim.stack.metrics import Metrics
from pulse_sim.sut.protocol import Place
from pulse_sim.sut.reference import ReferenceSystem

_PROCESS = os.getpid()  # asked for before a run begins: inside one the answer would be the same everywhere


class NeverTheSame(Metrics):
    """Adds nanoseconds to the duration of every poll, as many as the process has for a number."""

    def poll_succeeded(self, instance: str, duration_s: float, unix_ns: int) -> None:
        super().poll_succeeded(instance, duration_s + _PROCESS * 1e-9, unix_ns)


def never_the_same(place: Place) -> ReferenceSystem:
    """A factory for ``--sut``."""
    return ReferenceSystem(place, Parts(metrics=NeverTheSame))
