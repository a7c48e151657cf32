"""A baseline, and what has become of each of its checks: worse, same, better, gone or new.

Reads bundles of others and trusts none of them further than its manifest: a baseline that is damaged is said to be, and
then nothing in it counts. Runs nothing, recomputes nothing.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

from pulse_sim.canonical import canonical_json
from pulse_sim.checks import CheckResult
from pulse_sim.evidence.hostile import BundleDamaged, read_json
from pulse_sim.evidence.manifest import Manifest
from pulse_sim.evidence.names import CHECKS, MANIFEST, PARTIAL, RUNS
from pulse_sim.outcome import Outcome
from pulse_sim.report.text import parameters_in_words
from pulse_sim.verdict.ci_gate import WHOLE_RUN, Change, CheckChange, Comparison

BUNDLES_AT_MOST: Final = 5_000
Key: TypeAlias = tuple[str, int]


class NoBaseline(Exception):
    """There is nothing to compare with; the message says what is there instead."""


@dataclass(frozen=True, slots=True)
class ComparedRun:
    """One run as it is compared: what each check came to. ``sut`` and ``schedule`` are not part of what it is."""

    scenario: str
    seed: int
    outcome: Outcome
    checks: tuple[CheckResult, ...]
    outcome_digest: str = ""

    @property
    def key(self) -> Key:
        """What makes it the same run as one of the baseline."""
        return self.scenario, self.seed

    @classmethod
    def from_checks(cls, data: Any) -> "ComparedRun":
        """A run from the content of its ``checks.json``. Raises ValueError for anything of another shape."""
        if not isinstance(data, Mapping) or not isinstance(data.get("checks"), list):
            raise ValueError("it is no list of judged checks")
        scenario, seed, told = data.get("scenario"), data.get("seed"), data.get("outcome_digest")
        if not isinstance(scenario, str) or type(seed) is not int or not isinstance(told, str):
            raise ValueError("it does not say what was run")
        checks = tuple(CheckResult.from_data(line) for line in data["checks"])
        return cls(scenario, seed, Outcome(str(data.get("outcome"))), checks, told)


@dataclass(frozen=True, slots=True)
class Baseline:
    """The runs of a bundle or of a directory of bundles, or why they cannot be used."""

    runs: tuple[ComparedRun, ...]
    damages: tuple[str, ...] = ()


def read_baseline(path: Path) -> Baseline:
    """The runs of a run, verdict or gate bundle, or of every such bundle directly in a directory.

    Raises NoBaseline when there is none. Damage is told in the result; nothing of the baseline is used then.
    """
    root = path.resolve()
    if not root.is_dir():
        raise NoBaseline(f"{path} is not a directory")
    if (root / MANIFEST).is_file():
        bundles = [root]
    else:
        bundles = [one for one in sorted(root.iterdir()) if _is_bundle(one)]
        if not bundles:
            raise NoBaseline(f"{path} is no bundle and has none directly in it")
    if len(bundles) > BUNDLES_AT_MOST:
        raise NoBaseline(f"{path} holds more than {BUNDLES_AT_MOST} bundles")
    damages: list[str] = []
    found: dict[Key, ComparedRun] = {}
    for bundle in bundles:
        place = "" if bundle == root else f"{bundle.name}: "
        for run in _runs(bundle, place, damages):
            first = found.setdefault(run.key, run)
            if (first.outcome, first.outcome_digest) != (run.outcome, run.outcome_digest):
                damages.append(f"{place}it has two different runs of {run.scenario} with seed {run.seed}")
    return Baseline(() if damages else tuple(found.values()), tuple(damages))


def compare(
    baseline: Baseline, runs: Sequence[ComparedRun], scenarios: Iterable[str], seeds: Iterable[int]
) -> Comparison:
    """Every check of ``runs`` beside the baseline's. ``scenarios`` and ``seeds`` are what was planned.

    Checks are the same when they are of one kind with the same parameters; of several such, in their order.
    """
    if baseline.damages:
        return Comparison((), baseline.damages)
    before = {run.key: run for run in baseline.runs}
    planned, wanted = set(scenarios), set(seeds)
    foreign = dict.fromkeys(run.scenario for run in baseline.runs if run.scenario not in planned)
    missing = tuple(f"{run.scenario} seed {run.seed}" for run in runs if run.key not in before)
    unused = sum(run.scenario in planned and run.seed not in wanted for run in baseline.runs)
    changes = [change for run in runs if run.key in before for change in _changes(before[run.key], run)]
    changed = tuple(change for change in changes if change.change is not Change.SAME)
    return Comparison(changed, (), tuple(foreign), missing, unused, len(changes) - len(changed))


def _changes(before: ComparedRun, now: ComparedRun) -> Iterator[CheckChange]:
    old, new = _by_identity(before), _by_identity(now)
    for identity in dict.fromkeys([*new, *old]):
        name, about, was = old.get(identity, ("", "", None))
        name, about, comes = new.get(identity, (name, about, None))
        yield CheckChange(now.scenario, now.seed, name, about, was, comes)
    yield CheckChange(now.scenario, now.seed, WHOLE_RUN, "", before.outcome, now.outcome)


def _by_identity(run: ComparedRun) -> dict[tuple[bytes, int], tuple[str, str, Outcome]]:
    seen: Counter[bytes] = Counter()
    found = {}
    for line in run.checks:
        identity = canonical_json([line.check, dict(line.parameters)])
        seen[identity] += 1
        about = parameters_in_words(dict(line.parameters))
        found[identity, seen[identity]] = (line.check, about, line.outcome)
    return found


def _is_bundle(path: Path) -> bool:
    hidden = path.name.startswith(PARTIAL) or path.is_symlink()
    return not hidden and path.is_dir() and (path / MANIFEST).is_file()


def _runs(bundle: Path, place: str, damages: list[str]) -> Iterator[ComparedRun]:
    """The runs of one bundle whose files are what its manifest says."""
    try:
        manifest = Manifest.read(bundle)
        broken = manifest.damages(bundle)
        for damage in broken:
            damages.append(f"{place}{damage}")
        if broken:
            return
        names = [""] if manifest.kind == "run" else sorted({*_run_places(manifest.files)})
        for name in names:
            checks = f"{name}{CHECKS}"
            if checks not in manifest.files:
                raise BundleDamaged(checks, "is missing")
            try:
                yield ComparedRun.from_checks(read_json(bundle, checks))
            except ValueError as error:
                raise BundleDamaged(checks, str(error)) from None
    except BundleDamaged as damage:
        damages.append(f"{place}{damage}")


def _run_places(files: Iterable[str]) -> Iterator[str]:
    """``runs/<run>/`` for each run in a verdict's or gate's bundle."""
    for file in files:
        parts = file.split("/")
        if len(parts) == 3 and parts[0] == RUNS:
            yield f"{parts[0]}/{parts[1]}/"
