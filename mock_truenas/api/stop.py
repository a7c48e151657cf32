"""Where an answer ends before its time: the stages BODY and PACE of the faults it met. Sends nothing."""

from dataclasses import dataclass

from mock_truenas.faults.active import NOTHING_MET, Met
from mock_truenas.faults.effect import Stage
from mock_truenas.journal import Ending


@dataclass(frozen=True)
class Stop:
    """After how many bytes of the body it ends, how, and by which fault."""

    after: int
    ending: Ending
    fault_id: str


def stop_of(met: Met, length: int) -> Stop | None:
    """The stop that comes first; at the same byte the cut does, as BODY is before PACE."""
    if met is NOTHING_MET:
        return None
    most = max(0, length - 1)
    stops = [
        Stop(min(fault.effect.keep_bytes, most), "cut", fault.fault_id)
        for fault in met.at(Stage.BODY)
        # An answer without a body cannot promise more than it sends.
        if fault.effect.keep_bytes is not None and length
    ] + [
        Stop(min(fault.effect.reset_after, most), "reset", fault.fault_id)
        for fault in met.at(Stage.PACE)
        if fault.effect.reset_after is not None
    ]
    return min(stops, key=lambda stop: stop.after, default=None)
