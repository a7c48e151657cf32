"""Runs of a verdict that was interrupted, kept so that they need not be made again, and taken over only as they were.

They lie beside the bundles under a name that says for what: plan, seed, system under test and code. A run is taken over
when it is of the same scenario, seed and digest, and each of its files has the hash it had when it was sealed. Decides
nothing: a run that was taken over is judged like any other.
"""

import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, Self

from pulse_sim.canonical import digest
from pulse_sim.cli.abandoned import begun
from pulse_sim.cli.job import RunJob
from pulse_sim.evidence.hostile import BundleDamaged, measure, read_json
from pulse_sim.evidence.manifest import Manifest
from pulse_sim.evidence.names import MANIFEST, PARTIAL, safe_name
from pulse_sim.scenario.load import scenario_digest

PREFIX: Final = ".resume-"
_RUNS: Final = "runs"
_ROWS: Final = "rows"
_KEY_DIGITS: Final = 16


class Kept:
    """The runs of one verdict under way. What is sealed below :attr:`runs_path` survives the process that began it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.runs_path = path / _RUNS
        self._rows = path / _ROWS
        for directory in (self.runs_path, self._rows):
            directory.mkdir(parents=True, exist_ok=True)

    def keep(self, job: RunJob, row: Mapping[str, Any]) -> None:
        """Remember what a run came to; one that left no bundle is to be made again."""
        if row["bundle"] is None:
            return
        bundle = Path(row["bundle"])
        kept = {"row": {**row, "bundle": bundle.name}, "manifest": measure(bundle, MANIFEST)[0]}
        file = self._file(job)
        fresh = file.with_suffix(".fresh")
        fresh.write_text(json.dumps(kept), "utf-8")
        fresh.replace(file)

    def row(self, job: RunJob) -> dict[str, Any] | None:
        """What the run of ``job`` came to before, when it lies there whole; else None, and it is to be made."""
        file = self._file(job)
        try:
            kept = read_json(self._rows, file.name)
            row, name = kept["row"], kept["row"]["bundle"]
            bundle = self.runs_path / safe_name(name)
            if bundle.name != name or measure(bundle, MANIFEST)[0] != kept["manifest"]:
                return None
            manifest = Manifest.read(bundle)
            known = [manifest.inputs.get(key) for key in ("scenario", "seed", "scenario_digest")]
            if known != [job.scenario.id, job.seed, scenario_digest(job.scenario)] or manifest.damages(bundle):
                return None
        except (BundleDamaged, OSError, KeyError, TypeError):
            return None
        return {**row, "bundle": str(bundle)}

    def hand_over(self, rows: Sequence[dict[str, Any]], runs_path: Path) -> list[dict[str, Any]]:
        """Put the bundles of ``rows`` into ``runs_path``, as links where the file system can; the rows with their new
        places. They stay here too until the verdict is sealed.
        """
        moved = []
        for row in rows:
            if row["bundle"] is None:
                moved.append(row)
                continue
            target = runs_path / Path(row["bundle"]).name
            if not target.exists():
                shutil.copytree(row["bundle"], target, copy_function=_linked)
            moved.append({**row, "bundle": str(target)})
        return moved

    def discard(self) -> None:
        """The verdict is sealed: nothing is left to resume."""
        shutil.rmtree(self._path, ignore_errors=True)

    def _file(self, job: RunJob) -> Path:
        identity = [job.scenario.id, job.seed, scenario_digest(job.scenario), job.schedule, job.source_file]
        return self._rows / f"{digest(identity)[:32]}.json"


@contextmanager
def kept_runs(out: Path, plan: str, seed: int, key: Mapping[str, str]) -> Iterator[Kept]:
    """Where the runs of this verdict are kept: what an interrupted one of the same ``key`` left, or an empty place.

    ``key`` is everything but scenario and seed that decides what a run comes to. Leftovers of the same plan and seed
    with another key are of no use any more and are removed. While another process works with the same key, this one
    gets a place of its own and resumes nothing.
    """
    label = f"{PREFIX}{safe_name(f'{plan}-{seed}')}-"
    path = out / f"{label}{digest(dict(key))[:_KEY_DIGITS]}"
    for other in out.glob(f"{label}*"):
        if len(other.name) == len(path.name) and other != path:
            _remove_unless_held(other)
    while True:
        path.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            with begun(out, lambda: _Place(out)) as place:
                yield Kept(place.path)
            return
        if _is_at(path, descriptor):
            break
        os.close(descriptor)  # whoever held it has sealed its verdict meanwhile and taken it away
    try:
        yield Kept(path)
    finally:
        os.close(descriptor)


class _Place:
    """A directory for the runs of this process alone."""

    def __init__(self, out: Path) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=f"{PARTIAL}kept-", dir=out))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        shutil.rmtree(self.path, ignore_errors=True)


def _is_at(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except OSError:
        return False


def _remove_unless_held(path: Path) -> None:
    if path.is_symlink():
        return
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path, ignore_errors=True)
        finally:
            os.close(descriptor)


def _linked(source: str, target: str) -> str:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
    return target
