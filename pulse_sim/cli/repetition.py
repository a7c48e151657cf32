"""The runs of verified bundles repeated with this code, and the first difference of each (same seed, same evidence).

Leaves nothing. A bundle's word imports nothing: a run of another system than the reference is repeated only when the
command line names that system.
"""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final

from pulse_sim.cli import options
from pulse_sim.cli.divergence import job_of
from pulse_sim.cli.job import CHECKOUT, RunJob
from pulse_sim.cli.recorded import RecordedRun, differing, first_difference, inputs_of_environment, read_run
from pulse_sim.cli.workers import run_all
from pulse_sim.evidence.environment import describe_environment
from pulse_sim.evidence.hostile import BundleDamaged
from pulse_sim.evidence.manifest import Manifest
from pulse_sim.evidence.names import ENVIRONMENT, MANIFEST, RESOURCES, RUNS
from pulse_sim.evidence.recheck import NotABundle
from pulse_sim.evidence.signing_key import FILE_NAME, VARIABLE, make_signing_key
from pulse_sim.observation.writer import JOURNAL, OBSERVATIONS
from pulse_sim.report.text import plain
from pulse_sim.scenario.problem import DocumentError
from pulse_sim.units import format_duration

NOT_REPEATED: Final = (ENVIRONMENT, RESOURCES)
"""What a bundle says of a machine and an hour."""
LOGS: Final = (OBSERVATIONS, JOURNAL)


def repeat_bundles(bundles: Sequence[Path], sut: str | None, workers: int, *, quiet: bool) -> dict[Path, list[str]]:
    """For each bundle, the first difference of each of its runs, in words; empty when all came out the same.

    Stops with wrong usage when a run cannot be repeated here.
    """
    options.refuse_development_mode()
    places = [(bundle, place) for bundle in bundles for place in _runs_of(bundle)]
    recorded = [_read(place) for _, place in places]
    systems = {_confirmed(run, sut) for run in recorded}
    if sut is not None and sut not in systems:
        options.stop(plain(f"--sut {sut}: no run was made with it, and only what made a run repeats it"))
    for system in sorted(systems):
        options.require_system(system)
    with tempfile.TemporaryDirectory(prefix="pulse-sim-verify-") as directory, _throw_away_key(Path(directory)):
        jobs = [_job(run, Path(directory) / str(number)) for number, run in enumerate(recorded)]
        rows = run_all(jobs, workers, quiet=quiet)
        found: dict[Path, list[str]] = {bundle: [] for bundle in bundles}
        for (bundle, place), run, row in zip(places, recorded, rows, strict=True):
            differences = _differences(run, row)
            found[bundle].extend(f"{place.name}: {told}" if place != bundle else told for told in differences)
    return found


def _runs_of(bundle: Path) -> list[Path]:
    if Manifest.read(bundle).kind == "run":
        return [bundle]
    return sorted(file.parent for file in (bundle / RUNS).glob(f"*/{MANIFEST}"))


def _read(place: Path) -> RecordedRun:
    try:
        return read_run(place)
    except (NotABundle, BundleDamaged) as error:
        options.stop(plain(f"{place.name} cannot be repeated: {error}"))


def _confirmed(run: RecordedRun, sut: str | None) -> str:
    """The system of a run, when it may be imported and its world repeats."""
    name, world = str(run.inputs["sut"]), run.inputs["world"]
    if world != "simulated":
        options.stop(
            plain(f"{run.path.name} is of the {world} world, which does not repeat; verify it without --rerun")
        )
    if name not in ("reference", sut):
        options.stop(plain(f"{run.path.name} was made with {name}; say --sut {name} to have that imported and run"))
    return name


def _job(run: RecordedRun, directory: Path) -> RunJob:
    """The job that made a run, but for where its bundle goes."""
    file = Manifest.read(run.path).inputs.get("scenario_file")
    try:
        job = job_of(run, str(run.inputs["sut"]), directory)
    except DocumentError as error:
        options.stop(plain(f"the scenario of {run.path.name} is none for this version: {error.problems[0]}"))
    return RunJob(job.scenario, job.seed, job.sut, job.schedule, directory, str(file or ""), ())


@contextmanager
def _throw_away_key(directory: Path) -> Iterator[None]:
    """A key for bundles nobody will see: who only verifies needs none of their own, and it signs nothing else."""
    file = directory / "key" / FILE_NAME
    make_signing_key(file, os.urandom)
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = str(file)
    try:
        yield
    finally:
        os.environ.pop(VARIABLE)
        if before is not None:
            os.environ[VARIABLE] = before


def _differences(run: RecordedRun, row: dict[str, Any]) -> list[str]:
    """Where the repetition parts from the recorded run, and how this is not the code of then; empty for nowhere."""
    if row["bundle"] is None:
        return [f"the repetition did not end: {row['reason']}"]
    told = list(_first_difference(run, Path(row["bundle"])))
    if told:
        here = inputs_of_environment(describe_environment(argv=(), started_at="", ended_at="", checkout=CHECKOUT))
        then = {name: run.inputs.get(name) for name in here}
        if any(value is not None for value in then.values()):
            told.extend(f"{name}: {one} then, {other} now" for name, one, other in differing(then, here))
    return told


def _first_difference(run: RecordedRun, repeated: Path) -> Iterator[str]:
    again = read_run(repeated)
    parted = first_difference(run.checkpoints, again.checkpoints)
    if parted is not None:
        at_ns = 0 if parted.equal is None else parted.equal.at_ns
        yield f"the first {parted.after} events are the same, up to {format_duration(at_ns)}"
    one, other = Manifest.read(run.path), Manifest.read(repeated)
    names = [name for name in {**one.files, **other.files} if name not in NOT_REPEATED]
    changed = sorted(
        (name for name in names if one.files.get(name) != other.files.get(name)),
        key=lambda name: (name not in LOGS, name),
    )
    if not changed:
        yield from (
            f"the manifest says {name} {mine}, of the repetition {theirs}"
            for name, mine, theirs in differing(one.inputs, other.inputs)
        )
        return
    first = changed[0]
    yield f"the first file that differs is {first}{_line(run.path / first, repeated / first)}"
    if len(changed) > 1:
        yield f"also different: {', '.join(changed[1:])}"


def _line(one: Path, other: Path) -> str:
    """The first line in which two files differ."""
    if not (one.is_file() and other.is_file()):
        return ", which only one of the two has"
    with one.open("rb") as mine, other.open("rb") as theirs:
        for number, (left, right) in enumerate(zip_longest(mine, theirs), 1):
            if left != right:
                told = "where one of them ends" if left is None or right is None else f"column {_column(left, right)}"
                return f", line {number}, {told}"
    return ""


def _column(one: bytes, other: bytes) -> int:
    shared = min(len(one), len(other))
    return next((index for index in range(shared) if one[index] != other[index]), shared) + 1
