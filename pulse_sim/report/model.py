"""The report model: everything a report tells, as frozen values made once from evidence. Renderings add nothing to it.

Knows nothing of Markdown, HTML, XML or terminals. Texts in it are hostile words made printable, not yet escaped.
"""

from dataclasses import dataclass
from typing import TypeAlias

from pulse_sim.outcome import Outcome
from pulse_sim.report.coverage import CoverageReport
from pulse_sim.verdict import EvidenceResult, PlanVerdict, RunSummary


@dataclass(frozen=True, slots=True)
class CheckRow:
    """One check of a run; ``about`` are its parameters in words, ``evidence`` sequence numbers in the log."""

    check: str
    about: str
    outcome: Outcome
    expected: str
    observed: str
    reason: str
    evidence: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PhaseRow:
    """One phase of the run, ``[from_ns, to_ns)``."""

    name: str
    from_ns: int
    to_ns: int


@dataclass(frozen=True, slots=True)
class FaultRow:
    """One fault window, ``[from_ns, to_ns)``, as it was injected."""

    kind: str
    on: str
    about: str
    from_ns: int
    to_ns: int


@dataclass(frozen=True, slots=True)
class ActionRow:
    """Something an operator did; ``answer`` is the HTTP status, or nothing where there was none."""

    action: str
    at_ns: int
    answer: str


@dataclass(frozen=True, slots=True)
class Band:
    """A span of time in one state: a breaker, a configured connection."""

    state: str
    from_ns: int
    to_ns: int


@dataclass(frozen=True, slots=True)
class Ticks:
    """When something rose, by name: poll errors of one type."""

    name: str
    at_ns: tuple[int, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Bar:
    """Polls that ended in one slice of time."""

    from_ns: int
    to_ns: int
    succeeded: int
    failed: int


Curve: TypeAlias = tuple[tuple[int, float | None], ...]
"""(ns, value) in time order; None is a gap: nobody looked there."""


@dataclass(frozen=True, slots=True)
class AlertRow:
    """When the alerts of one rule were active for one connection, each span by its severity."""

    name: str
    spans: tuple[Band, ...]


@dataclass(frozen=True, slots=True)
class Lane:
    """One connection over time. ``staleness`` and ``latency`` (of polls, mean between two looks) are in seconds."""

    connection: str
    system: str
    appliance: str
    requests: int
    staleness: Curve
    latency: Curve
    errors: tuple[Ticks, ...]
    breaker: tuple[Band, ...]
    alerts: tuple[AlertRow, ...]
    polls: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Timeline:
    """A run over virtual time, thinned to what a page can show. ``…_left_out`` count what is not drawn; ``injected``
    has every (kind, target) of a fault once and ``faces`` of every appliance those it was asked over, both whole.
    """

    end_ns: int
    phases: tuple[PhaseRow, ...]
    faults: tuple[FaultRow, ...]
    actions: tuple[ActionRow, ...]
    lanes: tuple[Lane, ...]
    lanes_left_out: int = 0
    marks_left_out: int = 0
    injected: tuple[tuple[str, str], ...] = ()
    faces: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class RunReport:
    """One run, told."""

    scenario: str
    title: str
    packet: str
    hypothesis: str
    failure_class: str
    seed: int
    world: str
    sut: str
    schedule: str
    start: str
    outcome: Outcome
    reason: str
    trace_digest: str
    outcome_digest: str
    length_ns: int | None
    records: int
    requests: int
    checks: tuple[CheckRow, ...]
    timeline: Timeline | None
    replay: str

    @property
    def first_failing(self) -> CheckRow | None:
        """The first of the worst checks that are not passed."""
        open_rows = [row for row in self.checks if row.outcome is not Outcome.PASSED]
        return max(open_rows, key=lambda row: row.outcome.rank, default=None)

    @property
    def why(self) -> str:
        """The outcome in one line."""
        if self.outcome is Outcome.PASSED:
            return f"All {len(self.checks)} checks hold."
        if self.reason:
            return self.reason
        row = self.first_failing
        return f"{row.check}: {row.reason or row.observed}" if row else "Nothing was checked."


@dataclass(frozen=True, slots=True)
class RunBrief:
    """One run as a verdict's page tells it: what was injected, what came of it, its timeline where there is one."""

    summary: RunSummary
    title: str
    hypothesis: str
    injected: tuple[str, ...]
    href: str | None
    timeline: Timeline | None
    replay: str


@dataclass(frozen=True, slots=True)
class FailureRow:
    """One of the failure classes on the first screen."""

    id: str
    title: str
    outcome: Outcome
    injected: str
    happened: str


@dataclass(frozen=True, slots=True)
class VerdictReport:
    """A verdict, told. ``why`` is one line; ``first_reason`` is the first failing reason, or the first condition, and
    ``first_place`` the packet and gate it is about, where there is one. ``coverage`` is what passed runs exercised and
    ``inventory`` what was tested with what, name by name. ``notes`` are about how this verdict came to be made; only
    the page tells them, since equal evidence must read the same elsewhere.
    """

    verdict: PlanVerdict
    why: str
    first_place: str
    first_reason: str
    rows: tuple[FailureRow, ...]
    runs: tuple[RunBrief, ...]
    seed: int
    replay: str
    coverage: CoverageReport | None = None
    inventory: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def commands(self) -> tuple[EvidenceResult, ...]:
        """The evidence that is a command's, in the order of the plan."""
        items = (item for packet in self.verdict.packets for item in packet.evidence)
        return tuple(item for item in items if item.kind == "command")
