"""The values a verdict is made of. Knows no file, no clock and no system under test: plain data in, plain data out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from pulse_sim.canonical import Json
from pulse_sim.outcome import Outcome

ABORT_CHECK: Final = "abort_criteria"
"""The check that watches the abort criteria. An abort nobody expected is NO_GO whatever gate looks at it (R10)."""


class Verdict(StrEnum):
    """The answer to "may it be switched on for more users?", best first (R10)."""

    GO = "GO"
    GO_WITH_CONDITIONS = "GO_WITH_CONDITIONS"
    NO_GO = "NO_GO"

    @property
    def rank(self) -> int:
        """0 for GO, 2 for NO_GO."""
        return list(Verdict).index(self)


class PacketState(StrEnum):
    """Where one packet of the plan stands (rollout-plan 3)."""

    DONE = "DONE"
    DONE_WITH_CONDITIONS = "DONE_WITH_CONDITIONS"
    CHANGES_REQUESTED = "CHANGES_REQUESTED"
    BLOCKED = "BLOCKED"

    @property
    def is_done(self) -> bool:
        """Whether packets that depend on this one may be DONE."""
        return self in (PacketState.DONE, PacketState.DONE_WITH_CONDITIONS)


@dataclass(frozen=True, slots=True)
class JudgedCheck:
    """One line of ``checks.json``: what was demanded, what was seen."""

    check: str
    outcome: Outcome
    expected: str = ""
    observed: str = ""
    reason: str = ""
    records: tuple[int, ...] = ()
    """Sequence numbers of the log's records it rests on."""


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One run as the verdict sees it. ``run`` names its bundle; ``reason`` says why the run as a whole is not passed,
    where no single check says it (a damaged log, a worker that died, a capability the system lacks).
    """

    run: str
    scenario: str
    seed: int
    outcome: Outcome
    checks: tuple[JudgedCheck, ...] = ()
    reason: str = ""
    world: str = ""
    sut: str = ""
    schedule: str = ""
    trace_digest: str = ""
    outcome_digest: str = ""
    virtual_s: float | None = None
    """How long it was in virtual time; None when nobody knows."""

    @property
    def aborts(self) -> tuple[JudgedCheck, ...]:
        """The lines that say an abort criterion fired unexpectedly, or the expected one did not."""
        return tuple(line for line in self.checks if line.check == ABORT_CHECK and line.outcome is Outcome.FAILED)


@dataclass(frozen=True, slots=True)
class CommandRun:
    """One command as it was executed (rollout-plan 3). ``argv`` is the plan's, before ``${runs}`` is filled in.

    ``duration_s`` is wall time and outside every digest. ``exit_status`` is None when there is none; ``tests_run`` is
    None when the program runs no tests, or did not say how many. ``withheld``: the output showed a secret and was not
    kept. ``trouble`` says why the command could not be started.
    """

    argv: tuple[str, ...]
    exit_status: int | None
    timed_out: bool
    duration_s: float
    output_sha256: str
    output_bytes: int
    truncated: bool = False
    withheld: bool = False
    trouble: str = ""
    tests_run: int | None = None


@dataclass(frozen=True, slots=True)
class EvidenceResult:
    """What one evidence item of the plan came to. ``kind`` is ``scenario``, ``command`` or ``inventory``.

    ``reason`` is for trouble of the item as a whole (its file is missing, it timed out), not for what its runs say
    themselves. A scenario without runs, or a run without checks, is inconclusive whatever ``outcome`` claims.
    """

    id: str
    kind: str
    outcome: Outcome
    reason: str = ""
    runs: tuple[RunSummary, ...] = ()
    command: CommandRun | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """Why something is not passed, with the place that says so: as much of it as is known."""

    outcome: Outcome
    text: str
    packet: str = ""
    gate: str = ""
    evidence: str = ""
    run: str = ""
    check: str = ""
    records: tuple[int, ...] = ()
    waits_for: str = ""
    """The packet that is waited for, where that is the problem."""


@dataclass(frozen=True, slots=True)
class ClosedCondition:
    """What became of a condition somebody states to have closed: ``state`` is ``closes``, ``refused`` or ``unused``.

    ``evidence`` is what the statement points at, in words or as a digest; ``on`` is a date as text.
    """

    gate: str
    by: str
    on: str
    evidence: str
    state: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class GateResult:
    """One gate judged. ``closed`` gates do not stand in the way: they passed, or a waiver stands in for them."""

    id: str
    packet: str
    title: str
    priority: str
    blocking: bool
    outcome: Outcome
    problems: tuple[Problem, ...]
    evidence: tuple[str, ...]
    not_applicable: str | None = None
    waived: bool = False
    closed_later: bool = False
    owner: str = ""
    risk: str = ""
    severity: str = ""
    rollback: str = ""

    @property
    def closed(self) -> bool:
        """Passed, waived or closed later. A gate that does not apply stays open: it is a condition."""
        return self.outcome is Outcome.PASSED or self.waived or self.closed_later

    @property
    def stops(self) -> bool:
        """Whether this gate alone makes the verdict NO_GO."""
        return self.blocking and not self.closed and self.not_applicable is None

    @property
    def place(self) -> str:
        """The gate as reasons name it: id, priority and title."""
        return f"gate {self.id} ({self.priority}) {self.title}"

    @property
    def reason(self) -> str:
        """The first of its worst problems, or nothing when it passed."""
        return self.problems[0].text if self.problems else ""


@dataclass(frozen=True, slots=True)
class PacketResult:
    """One packet judged, with every reason it is not DONE and what would unblock it."""

    id: str
    title: str
    state: PacketState
    reasons: tuple[str, ...]
    unblocks: str | None
    depends_on: tuple[str, ...]
    gates: tuple[GateResult, ...]
    evidence: tuple[EvidenceResult, ...]
    because: tuple[Problem, ...] = ()
    """``reasons`` with their places, in the same order."""
    objective: str = ""
    owner: str = ""
    rollback: str = ""


@dataclass(frozen=True, slots=True)
class Condition:
    """An open gate that does not block: who owes what by when, and how to go back if it bites."""

    gate: str
    packet: str
    priority: str
    title: str
    reason: str
    risk: str
    severity: str
    owner: str
    target: str
    rollback: str

    @property
    def missing(self) -> tuple[str, ...]:
        """The fields a condition must have and this one lacks."""
        return tuple(
            name for name in ("risk", "severity", "owner", "target", "rollback") if not getattr(self, name).strip()
        )


@dataclass(frozen=True, slots=True)
class WaiverUse:
    """A waiver of the plan and what it did: ``state`` is ``closes``, ``expired``, ``refused`` or ``unused``."""

    gate: str
    owner: str
    reason: str
    expires: str
    state: str


@dataclass(frozen=True, slots=True)
class FailureClassResult:
    """One row of the five failure classes: the worst outcome of the runs that stand for it."""

    id: str
    title: str
    outcome: Outcome
    reason: str
    runs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChecklistItem:
    """One line of a phase's transition checklist. ``id`` is ``checkpoints``, ``exit``, ``issues``, ``rollback``,
    ``duration`` or ``sign-off``; it is met when ``outcome`` is passed.
    """

    id: str
    title: str
    outcome: Outcome
    reason: str = ""

    @property
    def is_met(self) -> bool:
        """Whether this line stands in nobody's way."""
        return self.outcome is Outcome.PASSED


@dataclass(frozen=True, slots=True)
class PhaseResult:
    """One rollout phase (contract A11): what was rehearsed, and whether the next phase may begin.

    ``duration_s`` is what the plan demands and ``ran_s`` what the shortest run of its evidence lasted, both virtual.
    """

    id: str
    title: str
    packet: str
    duration_s: float
    ran_s: float | None
    evidence: tuple[str, ...]
    checkpoints: tuple[str, ...]
    exit: tuple[str, ...]
    rollback: tuple[str, ...]
    checklist: tuple[ChecklistItem, ...]

    @property
    def may_end(self) -> bool:
        """Whether every line of the checklist is met."""
        return all(item.is_met for item in self.checklist)


@dataclass(frozen=True, slots=True)
class DriftRow:
    """One row of the drift table; ``state`` is MATCHED, DRIFT_ACCEPTED, DRIFT_FIX_REQUIRED or DEFERRED."""

    id: str
    title: str
    state: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class DebtRow:
    """One row of the debt ledger: what is put off, how bad it is, who owes it and until which milestone."""

    id: str
    title: str
    severity: str
    owner: str
    milestone: str
    target: str = ""


@dataclass(frozen=True, slots=True)
class ResidualRisk:
    """What may still go wrong after the verdict. ``source`` says where it comes from: ``plan``, or the gate it stays
    open with, as ``condition GATE``, ``waiver GATE`` or ``closed GATE``.
    """

    id: str
    title: str
    severity: str
    owner: str
    rollback: str
    packet: str
    source: str


@dataclass(frozen=True, slots=True)
class ChainStep:
    """One step of a chain: ``kind`` is verdict, packet, gate, evidence, run or check, ``id`` its name."""

    kind: str
    id: str
    outcome: str


@dataclass(frozen=True, slots=True)
class ReasonChain:
    """The shortest chain of evidence of one reason, from the verdict down to record numbers of a run's log."""

    reason: str
    steps: tuple[ChainStep, ...]
    records: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class PlanVerdict:
    """The verdict with everything it rests on. ``reasons`` has the first failing reason first and is empty for GO."""

    plan: str
    title: str
    verdict: Verdict
    reasons: tuple[str, ...]
    conditions: tuple[Condition, ...]
    waivers: tuple[WaiverUse, ...]
    packets: tuple[PacketResult, ...]
    failure_classes: tuple[FailureClassResult, ...]
    leaves_out: tuple[tuple[str, str], ...]
    capabilities: tuple[str, ...] | None
    decided_on: date
    outcome_digest: str = ""
    chains: tuple[ReasonChain, ...] = ()
    """One for each of ``reasons``, in the same order."""
    phases: tuple[PhaseResult, ...] = ()
    drift: tuple[DriftRow, ...] = ()
    debt: tuple[DebtRow, ...] = ()
    residual_risks: tuple[ResidualRisk, ...] = ()
    closed_conditions: tuple[ClosedCondition, ...] = ()
    inventory: Mapping[str, Json] | None = None
    """The content of ``inventory.json``: what was tested with what (TRR-00)."""

    @property
    def runs(self) -> tuple[RunSummary, ...]:
        """Every run once, in the order of the plan."""
        seen: dict[str, RunSummary] = {}
        for packet in self.packets:
            for item in packet.evidence:
                for run in item.runs:
                    seen.setdefault(run.run, run)
        return tuple(seen.values())


JsonObject = dict[str, Json]
