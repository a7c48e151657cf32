"""What ``pulse-sim gate`` concludes from its runs: a fold that fails closed, and nothing else (R9).

This is the gate of a pipeline, over a catalogue and some seeds; the gates of a plan are in :mod:`gates`. Knows no file,
no clock and no system under test; how much did not fit a budget, it is told.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from pulse_sim.canonical import digest
from pulse_sim.outcome import Outcome, worst
from pulse_sim.verdict.model import RunSummary

WHOLE_RUN: Final = "the run as a whole"
"""What stands in place of a check where a run is compared and none of its checks says how it ended."""


class Change(StrEnum):
    """How a check stands beside the same check of the baseline. ``GONE``: it is not judged any more."""

    WORSE = "worse"
    GONE = "gone"
    SAME = "same"
    BETTER = "better"
    NEW = "new"


@dataclass(frozen=True, slots=True)
class CheckChange:
    """One check of one run beside the baseline's. ``about`` are its parameters in words; None is "not judged"."""

    scenario: str
    seed: int
    check: str
    about: str
    before: Outcome | None
    now: Outcome | None

    @property
    def change(self) -> Change:
        """Worse, same or better by the order of outcomes; what is no longer judged counts as worse elsewhere too."""
        if self.before is None:
            return Change.NEW
        if self.now is None:
            return Change.GONE
        if self.now is self.before:
            return Change.SAME
        return Change.WORSE if self.now.rank > self.before.rank else Change.BETTER

    @property
    def told(self) -> str:
        """In one line."""
        about = f" ({self.about})" if self.about else ""
        before, now = (one.value if one else "not judged" for one in (self.before, self.now))
        return f"{self.scenario} seed {self.seed}: {self.check}{about}: {before} before, {now} now"


@dataclass(frozen=True, slots=True)
class Comparison:
    """The gate beside a baseline. ``changes`` are the checks of runs that both have, in the gate's order, but for the
    ``same`` that are as they were.

    ``damages``: why the baseline cannot be used. ``foreign``: its scenarios the gate does not have. ``missing``: runs
    of the gate it does not have. ``unused``: how many of its runs have seeds the gate does not run.
    """

    changes: tuple[CheckChange, ...]
    damages: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    unused: int = 0
    same: int = 0

    def count(self, change: Change) -> int:
        """How many checks changed in that way."""
        return self.same if change is Change.SAME else len(self.of(change))

    def of(self, *changes: Change) -> tuple[CheckChange, ...]:
        """The checks that changed in one of these ways."""
        return tuple(one for one in self.changes if one.change in changes)

    @property
    def problems(self) -> tuple[str, ...]:
        """What makes the comparison itself not passed, the worst first."""
        told = [f"worse than the baseline: {one.told}" for one in self.of(Change.WORSE, Change.GONE)]
        told += [f"the baseline is damaged: {damage}" for damage in self.damages]
        if self.foreign:
            told.append(f"the baseline is of another catalogue: this one lacks {_listed(self.foreign)}")
        if not self.changes and not self.same and not self.damages:
            told.append("no run of the gate is in the baseline: nothing was compared")
        return tuple(told)

    @property
    def outcome(self) -> Outcome:
        """Failed where anything is worse, inconclusive where it could not be told, passed else."""
        if self.of(Change.WORSE, Change.GONE):
            return Outcome.FAILED
        return Outcome.INCONCLUSIVE if self.problems else Outcome.PASSED


@dataclass(frozen=True, slots=True)
class Repeat:
    """A run that was not passed, run once more with the same seed. ``reason`` says why where it could not be repeated.

    ``run`` names its bundle where that was kept, beside the first one's.
    """

    outcome: Outcome | None
    trace_digest: str = ""
    outcome_digest: str = ""
    run: str | None = None
    reason: str = ""

    def repeats(self, first: RunSummary) -> bool | None:
        """Whether the same came out, to the digest; None when it was not repeated."""
        if self.outcome is None:
            return None
        mine = (self.outcome, self.trace_digest, self.outcome_digest)
        return mine == (first.outcome, first.trace_digest, first.outcome_digest)


@dataclass(frozen=True, slots=True)
class GateRun:
    """One run of the gate, and its repetition where there was reason for one. ``replay`` is the line that does it."""

    summary: RunSummary
    replay: str = ""
    repeat: Repeat | None = None

    @property
    def outcome(self) -> Outcome:
        """The run's own, and never better than its worst check; without a check it is inconclusive at best."""
        return worst([self.summary.outcome, worst(line.outcome for line in self.summary.checks)])

    @property
    def problem(self) -> str:
        """Why it is not passed; empty when it is."""
        run = self.summary
        if self.outcome is Outcome.PASSED:
            return ""
        lines = [line for line in run.checks if line.outcome is not Outcome.PASSED]
        first = max(lines, key=lambda line: line.outcome.rank, default=None)
        why = run.reason or (f"{first.check}: {first.reason or first.observed}" if first else "nothing was checked")
        return f"{run.scenario} seed {run.seed} {self.outcome}: {why}"

    @property
    def unrepeatable(self) -> str:
        """How its repetition came out otherwise; empty when it did not."""
        if self.repeat is None or self.repeat.repeats(self.summary) is not False:
            return ""
        run, again = self.summary, self.repeat
        one, other = (digest[:16] or "none" for digest in (run.trace_digest, again.trace_digest))
        return (
            f"{run.scenario} seed {run.seed} ended {run.outcome} and, repeated with the same seed, {again.outcome}: "
            f"trace digests {one} and {other}"
        )


@dataclass(frozen=True, slots=True)
class NotRun:
    """A run that was planned and for which the budget did not suffice."""

    scenario: str
    seed: int
    reason: str

    @property
    def told(self) -> str:
        """In one line."""
        return f"{self.scenario} seed {self.seed} was not run: {self.reason}"


@dataclass(frozen=True, slots=True)
class CiGate:
    """Everything the gate rests on. ``planned`` are scenario ids and seeds; ``budget_s`` is None when unlimited."""

    planned: tuple[tuple[str, int], ...]
    runs: tuple[GateRun, ...]
    not_run: tuple[NotRun, ...] = ()
    comparison: Comparison | None = None
    budget_s: float | None = None

    @property
    def outcome(self) -> Outcome:
        """The worst of everything. Of no run it is inconclusive; a run that did not repeat itself is errored."""
        outcomes = [run.outcome for run in self.runs]
        outcomes += [Outcome.ERRORED for run in self.runs if run.unrepeatable]
        outcomes += [Outcome.INCONCLUSIVE for _ in (*self.not_run, *self.unaccounted)]
        if self.comparison is not None and outcomes:
            outcomes.append(self.comparison.outcome)
        return worst(outcomes)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it is not passed, what is worst first; empty when it is."""
        told = [f"P0 failure of the harness: {run.unrepeatable}" for run in self.runs if run.unrepeatable]
        failing = [run for run in self.runs if run.problem]
        told += [run.problem for run in sorted(failing, key=lambda run: -run.outcome.rank)]
        if self.comparison is not None:
            told += self.comparison.problems
        told += [one.told for one in self.not_run]
        told += [f"{scenario} seed {seed} neither ran nor is told why not" for scenario, seed in self.unaccounted]
        if not self.runs:
            told.append("nothing was run")
        return tuple(told)

    @property
    def unaccounted(self) -> tuple[tuple[str, int], ...]:
        """What was planned and of which nothing is known."""
        known = {(run.summary.scenario, run.summary.seed) for run in self.runs}
        known |= {(one.scenario, one.seed) for one in self.not_run}
        return tuple(one for one in self.planned if one not in known)

    @property
    def outcome_digest(self) -> str:
        """64 hex over what was decided and on what; no path, no time, no word."""
        runs = [
            [run.summary.scenario, run.summary.seed, run.outcome.value, run.summary.outcome_digest] for run in self.runs
        ]
        return digest([self.outcome.value, runs, [[one.scenario, one.seed] for one in self.not_run]])


def _listed(names: Sequence[str], at_most: int = 5) -> str:
    more = f" and {len(names) - at_most} more" if len(names) > at_most else ""
    return ", ".join(names[:at_most]) + more
