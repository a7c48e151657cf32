"""The first event in which two recorded runs differ: both are repeated at once, up to there and no further.

Knows nothing of how the runs were read or how the answer is told.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pulse_sim.cli.job import RunJob
from pulse_sim.cli.masking import mask_text
from pulse_sim.cli.recorded import FirstCheckpoint, RecordedRun
from pulse_sim.cli.rerun import Departure, Repeated, Rerun
from pulse_sim.kernel.stretch import SeenEvent
from pulse_sim.kernel.worker import WorkerFailure, run_jobs
from pulse_sim.scenario.load import parse_scenario

BEFORE: Final = 5
AFTER: Final = 5
TIMEOUT_S: Final = 1800.0
PRELOAD: Final = ("pulse_sim.cli.rerun",)


class NotRepeatable(Exception):
    """A run could not be repeated; the text says which and why."""


@dataclass(frozen=True)
class Side:
    """One run around the first difference. ``event`` is None when the run had ended before it."""

    before: tuple[SeenEvent, ...]
    event: SeenEvent | None
    after: tuple[SeenEvent, ...]


@dataclass(frozen=True)
class Divergence:
    """The number of the first event that is not the same in both runs, and both sides of it."""

    number: int
    one: Side
    other: Side


@dataclass(frozen=True)
class NotReproduced:
    """This code does not repeat a recorded run: which one (``A`` or ``B``), and from where on."""

    run: str
    departure: Departure


def job_of(run: RecordedRun, sut: str, directory: Path) -> RunJob:
    """What to simulate again. Raises DocumentError when the scenario of the bundle is none for this code."""
    scenario = parse_scenario(f"{run.path.name}/scenario.yaml", run.scenario_yaml(), world="simulated")
    return RunJob(scenario, run.inputs["seed"], sut, run.inputs["schedule"], directory, "", ())


def find_event(runs: Sequence[RecordedRun], suts: Sequence[str], found: FirstCheckpoint) -> Divergence | NotReproduced:
    """Repeat both runs, in processes of their own, and compare their events from the last equal checkpoint on.

    Nothing stays of the repetitions. Raises NotRepeatable, and DocumentError for a scenario that no longer loads.
    """
    with tempfile.TemporaryDirectory(prefix="pulse-sim-diff-") as directory:
        reruns = []
        for name, run, sut in zip("ab", runs, suts, strict=True):
            place = Path(directory) / name
            place.mkdir()
            marks = run.checkpoints.happened
            reruns.append(
                Rerun(
                    job=job_of(run, sut, place),
                    digests={mark.events: mark.digest for mark in marks},
                    happened=marks[-1].events,
                    first=max(1, found.after + 1 - BEFORE),
                    last=found.up_to + AFTER,
                )
            )
        results = run_jobs("pulse_sim.cli.rerun:repeat", reruns, jobs=2, timeout_s=TIMEOUT_S, preload=PRELOAD)
    repeated: list[Repeated] = []
    for name, result in zip("AB", results, strict=True):
        if isinstance(result, WorkerFailure):
            raise NotRepeatable(mask_text(f"the repetition of run {name} {result.kind}: {result.reason}"))
        if result.departure is not None:
            return NotReproduced(name, result.departure)
        repeated.append(result)
    return compare(repeated[0].events, repeated[1].events)


def compare(one: Sequence[SeenEvent], other: Sequence[SeenEvent]) -> Divergence:
    """The first event that differs between two lists that begin at the same event; NotRepeatable when none does."""
    for index in range(max(len(one), len(other))):
        left = one[index] if index < len(one) else None
        right = other[index] if index < len(other) else None
        if left is None or right is None or _traced(left) != _traced(right):
            event = left if left is not None else right
            assert event is not None
            return Divergence(event.number, _side(one, index), _side(other, index))
    raise NotRepeatable("both repetitions show the same events, though each has the checkpoints of its own run")


def _traced(event: SeenEvent) -> tuple[object, ...]:
    """What the digest is made of."""
    return event.at_ns, event.task, event.kind, event.subject, event.size, event.sha256


def _side(events: Sequence[SeenEvent], index: int) -> Side:
    return Side(
        before=tuple(events[max(0, index - BEFORE) : index]),
        event=events[index] if index < len(events) else None,
        after=tuple(events[index + 1 : index + 1 + AFTER]),
    )
