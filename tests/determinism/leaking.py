"""A system under test that tells its log what it must not see: the order that PYTHONHASHSEED gives a set of strings."""

import logging

from pulse_sim.stack.assembly import Parts
from pulse_sim.stack.watch import Outcomes, Polled
from pulse_sim.sut.protocol import Place
from pulse_sim.sut.reference import ReferenceSystem


class Leaking(Outcomes):
    """Logs an order of strings before the first poll of each connection."""

    def begun(self, polled: Polled) -> None:
        super().begun(polled)
        if polled.status.last_success_ns is None:
            order = " ".join({f"tag-{number}" for number in range(20)})
            logging.getLogger("TrueNASPoller").info("first poll, tags %(order)s", {"order": order})


def hash_order(place: Place) -> ReferenceSystem:
    """The reference stack with that leak."""
    return ReferenceSystem(place, Parts(outcomes=Leaking))
