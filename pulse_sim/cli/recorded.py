"""A run as its bundle tells it, for comparing it with another: its inputs, its checkpoints, and how to repeat it.

Reads only files it has held to the manifest, runs nothing and imports no system named in a bundle.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pulse_sim.evidence.checkpoints import Checkpoints, Mark, read_checkpoints, require_agreement
from pulse_sim.evidence.hostile import BundleDamaged, measure, read_document, read_json
from pulse_sim.evidence.manifest import Manifest
from pulse_sim.evidence.names import CHECKPOINTS, CHECKS, ENVIRONMENT, MANIFEST, SCENARIO
from pulse_sim.evidence.recheck import NotABundle

_OF_MANIFEST: Final = ("scenario", "scenario_digest", "seed", "package_version")
_OF_CHECKS: Final = ("sut", "schedule", "world")


@dataclass(frozen=True)
class RecordedRun:
    """``inputs`` is what can make two runs differ, by name, None where it was not recorded."""

    path: Path
    inputs: Mapping[str, Any]
    checkpoints: Checkpoints

    def scenario_yaml(self) -> bytes:
        """The scenario as it was resolved."""
        return read_document(self.path, SCENARIO)


@dataclass(frozen=True)
class FirstCheckpoint:
    """Where the checkpoints of two runs part. ``equal`` is the last one they share, None before the first.

    ``one`` and ``other`` are the first that differ, None for a run that had ended.
    """

    equal: Mark | None
    one: Mark | None
    other: Mark | None

    @property
    def after(self) -> int:
        """The number of events that were the same for sure."""
        return 0 if self.equal is None else self.equal.events

    @property
    def up_to(self) -> int:
        """The number of an event up to which there is a difference."""
        return max(mark.events for mark in (self.one, self.other) if mark is not None)


def read_run(path: Path) -> RecordedRun:
    """The run in a bundle. Raises NotABundle when it is none of a run, BundleDamaged when what is needed is damaged."""
    root = path.resolve()
    if not (root / MANIFEST).is_file():
        raise NotABundle(f"{path} is no bundle: it has no {MANIFEST}")
    manifest = Manifest.read(root)
    if manifest.kind != "run":
        raise NotABundle(f"{path} is the bundle of a {manifest.kind}; name one of the runs in it")
    if CHECKPOINTS not in manifest.files:
        raise NotABundle(f"{path} has no {CHECKPOINTS}: it was written before there were any")
    present = [ENVIRONMENT] if ENVIRONMENT in manifest.files else []
    for name in (CHECKS, CHECKPOINTS, SCENARIO, *present):
        if name not in manifest.files or measure(root, name) != manifest.files[name]:
            raise BundleDamaged(name, "is missing or has other content than the manifest says")
    checks = _object(read_json(root, CHECKS), CHECKS)
    for damage in manifest.disagreements(CHECKS, checks):
        raise damage
    checkpoints = read_checkpoints(root)
    require_agreement(checkpoints, manifest.inputs.get("trace_digest"), None)
    inputs = {name: manifest.inputs.get(name) for name in _OF_MANIFEST} | {
        name: checks.get(name) for name in _OF_CHECKS
    }
    if type(inputs["seed"]) is not int or not all(isinstance(inputs[name], str) for name in (*_OF_CHECKS, "scenario")):
        raise BundleDamaged(CHECKS, "does not say what was run")
    environment = _object(read_json(root, ENVIRONMENT), ENVIRONMENT) if present else {}
    return RecordedRun(root, inputs | inputs_of_environment(environment), checkpoints)


def inputs_of_environment(environment: Mapping[str, Any]) -> dict[str, Any]:
    """What ``environment.json`` tells of the code of a run: git revision, Python minor, lock file, libraries."""
    git, interpreter = environment.get("git"), environment.get("interpreter")
    told: dict[str, Any] = {"git revision": None, "python": None, "lock file": environment.get("lock_file")}
    if isinstance(git, dict):
        told["git revision"] = f"{git.get('revision')}{' with changes' if git.get('dirty') else ''}"
    if isinstance(interpreter, dict):
        minor = ".".join(str(interpreter.get("version")).split(".")[:2])
        told["python"] = f"{interpreter.get('implementation')} {minor}"
        told["development mode"] = interpreter.get("development_mode")
    libraries = environment.get("libraries")
    for name, version in sorted(libraries.items()) if isinstance(libraries, dict) else ():
        told[f"library {name}"] = version
    return told


def differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """Inputs by name that are not the same, in the order they are kept in."""
    names = dict.fromkeys([*one, *other])
    return [(name, one.get(name), other.get(name)) for name in names if one.get(name) != other.get(name)]


def first_difference(one: Checkpoints, other: Checkpoints) -> FirstCheckpoint | None:
    """The first checkpoints that differ; None when the same things happened in both runs."""
    mine, theirs = one.happened, other.happened
    for index in range(max(len(mine), len(theirs))):
        left = mine[index] if index < len(mine) else None
        right = theirs[index] if index < len(theirs) else None
        if left != right:
            return FirstCheckpoint(mine[index - 1] if index else None, left, right)
    return None


def _object(value: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise BundleDamaged(place, "is not of the shape it should have")
    return value
