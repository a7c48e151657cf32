"""A recorded run simulated once more, up to the end of one stretch of its events, as a worker process does it.

Leaves no bundle. Knows nothing of the other run it will be compared with.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from pulse_sim.cli.job import RunJob, conduct, header_of
from pulse_sim.cli.masking import masked
from pulse_sim.kernel.stretch import SeenEvent, StretchTrace
from pulse_sim.kernel.trace import Checkpoint


@dataclass(frozen=True)
class Rerun:
    """The run to repeat and the events wanted of it, ``first`` to ``last``.

    ``digests`` is what its bundle says after how many events; ``happened`` how many there were in all. The log of the
    repetition goes to ``job.directory``, which is the caller's to remove.
    """

    job: RunJob
    digests: Mapping[int, str]
    happened: int
    first: int
    last: int


@dataclass(frozen=True)
class Departure:
    """Where, after how many events, a repetition turned out not to be the recorded run, and how."""

    events: int
    what: str


@dataclass(frozen=True)
class Repeated:
    """What the repetition showed: the wanted events, fit to be shown, or that it is not the recorded run."""

    events: tuple[SeenEvent, ...]
    departure: Departure | None


def repeat(rerun: Rerun) -> Repeated:
    """Simulate until the wanted events have been seen, or until the first checkpoint that is not the recorded one."""
    departures: list[Departure] = []
    over = False

    def end() -> None:
        nonlocal over
        over = True
        trace.stop()
        _stop_loop()

    def compare(point: Checkpoint) -> None:
        recorded = rerun.digests.get(point.events, point.digest)
        if recorded != point.digest:
            what = f"the bundle has digest {recorded[:16]}…, the repetition {point.digest[:16]}…"
            departures.append(Departure(point.events, what))
            end()

    trace = StretchTrace(rerun.first, rerun.last, end, compare)
    try:
        conduct(rerun.job, header_of(rerun.job), rerun.job.directory, trace)
    except RuntimeError:
        if not over:
            raise
    if not departures and trace.events < min(rerun.happened, rerun.last):
        departures.append(Departure(trace.events, f"the repetition ends there, the run had {rerun.happened} events"))
    elif not departures and trace.events > rerun.happened:
        departures.append(Departure(rerun.happened, "the run ended there, the repetition goes on"))
    elif not departures and trace.events == rerun.happened:
        compare(Checkpoint(trace.events, 0, trace.digest()))
    return Repeated(tuple(masked(trace.seen)), departures[0] if departures else None)


def _stop_loop() -> None:
    """End the run after the step it is in: the kernel then cancels and closes everything, as at any other end."""
    try:
        asyncio.get_running_loop().stop()
    except RuntimeError:  # the loop does not run yet: the run goes on unseen
        return
