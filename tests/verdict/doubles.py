"""Plans and evidence for verdict tests, a few lines each."""

from dataclasses import dataclass
from datetime import date

from pulse_sim.outcome import Outcome, worst
from pulse_sim.verdict.model import EvidenceResult, JudgedCheck, RunSummary

TODAY = date(2026, 2, 9)


@dataclass(frozen=True)
class PlanEvidence:
    id: str


@dataclass(frozen=True)
class PlanGate:
    id: str
    evidence: tuple[str, ...] = ()
    priority: str = "P0"
    title: str = "it holds"
    checks: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    open: str | None = None
    attest: str | None = None
    risk: str | None = "R-1"
    severity: str | None = "sev-3"
    owner: str | None = "operations"
    target: str | None = "2026-03-01"
    rollback: str | None = "disable"


@dataclass(frozen=True)
class PlanBlockade:
    unblocked_by: str
    why: str = "not built yet"


@dataclass(frozen=True)
class PlanPacket:
    id: str
    gates: tuple[PlanGate, ...] = ()
    evidence: tuple[PlanEvidence, ...] = ()
    depends_on: tuple[str, ...] = ()
    blockade: PlanBlockade | None = None
    title: str = "a packet"
    objective: str | None = None
    owner: str | None = None
    rollback: str | None = None


@dataclass(frozen=True)
class PlanWaiver:
    gate: str
    expires: date = date(2026, 3, 1)
    owner: str = "operations"
    reason: str = "known, being fixed"


@dataclass(frozen=True)
class PlanLeftOut:
    packet: str
    why: str = "not built yet"


@dataclass(frozen=True)
class PlanFailureClass:
    id: str
    evidence: tuple[str, ...] = ()
    title: str = "a class"


@dataclass(frozen=True)
class PlanDrift:
    """One row of a drift table."""

    id: str
    title: str
    state: str
    reason: str | None = "known"
    severity: str | None = None
    owner: str | None = None
    milestone: str | None = None
    target: str | None = None


@dataclass(frozen=True)
class PlanDebt:
    """One row of a debt ledger."""

    id: str
    title: str = "put off"
    severity: str = "sev-3"
    owner: str = "engineering"
    milestone: str = "7.0"
    target: str | None = None


@dataclass(frozen=True)
class PlanRisk:
    """A risk that remains."""

    id: str
    title: str = "it may still happen"
    severity: str = "sev-3"
    owner: str = "operations"
    rollback: str = "disable"
    packet: str | None = None


@dataclass(frozen=True)
class PlanPhase:
    """One rollout phase."""

    id: str
    packet: str = "TRR-04"
    evidence: tuple[str, ...] = ()
    checkpoints: tuple[str, ...] = ()
    exit: tuple[str, ...] = ()
    rollback: tuple[str, ...] = ()
    duration: int = 48 * 3600 * 10**9
    issues: str = "no-critical-issue"
    sign_off: str = "phase-1"
    title: str = "a phase"


@dataclass(frozen=True)
class PlanDouble:
    packets: tuple[PlanPacket, ...] = ()
    waivers: tuple[PlanWaiver, ...] = ()
    leaves_out: tuple[PlanLeftOut, ...] = ()
    failure_classes: tuple[PlanFailureClass, ...] = ()
    drift: tuple[PlanDrift, ...] = ()
    debt: tuple[PlanDebt, ...] = ()
    phases: tuple[PlanPhase, ...] = ()
    residual_risks: tuple[PlanRisk, ...] = ()
    p1_blocks: bool = False
    id: str = "plan"
    title: str = "A plan"


def run(name: str, outcome: Outcome | None = None, **checks: Outcome) -> RunSummary:
    """A run whose outcome is the worst of its checks unless said otherwise."""
    lines = tuple(JudgedCheck(check, is_, f"{check} holds", f"{check} was {is_}") for check, is_ in checks.items())
    return RunSummary(
        run=f"{name}-7-00000000",
        scenario=name,
        seed=7,
        outcome=worst(line.outcome for line in lines) if outcome is None else outcome,
        checks=lines,
    )


def result(name: str, *runs: RunSummary, outcome: Outcome | None = None, reason: str = "") -> EvidenceResult:
    """Scenario evidence whose outcome is the worst of its runs unless said otherwise."""
    is_ = worst(one.outcome for one in runs) if outcome is None else outcome
    return EvidenceResult(name, "scenario", is_, reason, runs)


def packet(*gates: PlanGate, id: str = "TRR-04", depends_on: tuple[str, ...] = ()) -> PlanPacket:
    """A packet that declares the evidence its gates name."""
    names = dict.fromkeys(name for gate in gates for name in gate.evidence)
    return PlanPacket(id, gates, tuple(PlanEvidence(name) for name in names), depends_on)
