"""When a system cannot know an appliance, and may therefore show what it knew: the spans of time that excuse it.

Knows faults, connections and lives of systems, and nothing of what is shown.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from pulse_sim.checks.coverage import down_spans
from pulse_sim.observation import Connection, RunLog

READABLE: Final = ("pool.", "disk.", "service.", "reporting.", "job.")
"""Kinds of fault that change what an appliance is, and leave it there to be asked."""


@dataclass(frozen=True, slots=True)
class Excuse:
    """From ``from_ns`` to ``to_ns``, both included, data may be as old as ``from_ns``.

    ``is_new``: nothing was ever known before. ``is_faulty``: some answers may have been unreadable.
    """

    from_ns: int
    to_ns: int
    is_new: bool
    is_faulty: bool


def excuses(log: RunLog, connection: Connection, lag_ns: int, after_heal_ns: int) -> Sequence[Excuse]:
    """The spans in order; those that touch are one.

    A fault on the way to the appliance or in it, until ``after_heal_ns`` after its end; the time the system was down
    and the lag after that; the lag after the connection was configured.
    """
    found = [Excuse(span.from_ns, span.from_ns + lag_ns, True, False) for span in connection.configured[:1]]
    found += [Excuse(span.from_ns, span.from_ns + lag_ns, False, False) for span in connection.configured[1:]]
    found += [Excuse(down, up + lag_ns, down == 0, False) for down, up in down_spans(log, connection.system)]
    found += [
        Excuse(fault.from_ns, fault.to_ns + after_heal_ns, False, True)
        for fault in log.faults()
        if (fault.on == connection.appliance or connection.id in fault.connections)
        and not fault.kind.startswith(READABLE)
    ]
    return _merged(sorted(found, key=lambda one: (one.from_ns, one.to_ns)))


def _merged(spans: Iterable[Excuse]) -> Sequence[Excuse]:
    merged: list[Excuse] = []
    for span in spans:
        if merged and span.from_ns <= merged[-1].to_ns:
            last = merged.pop()
            to_ns = max(last.to_ns, span.to_ns)
            span = Excuse(last.from_ns, to_ns, last.is_new or span.is_new, last.is_faulty or span.is_faulty)
        merged.append(span)
    return merged
