"""``report.md``: for a pull request. A function of the report model alone, so equal evidence gives equal bytes.

No wall time, path or machine enters it; names are escaped so that no markup of theirs comes to life.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from pulse_sim.outcome import Outcome
from pulse_sim.report.coverage import CoverageReport
from pulse_sim.report.model import CheckRow, RunBrief, RunReport, VerdictReport
from pulse_sim.report.text import clock, plain
from pulse_sim.report.text import markdown as md
from pulse_sim.verdict import EvidenceResult, PacketResult, PhaseResult, ResidualRisk, Verdict

MOST_CHARACTERS: Final = 60_000
"""What a comment on a pull request may hold, less what is put around it."""
_MOST_REASONS: Final = 50
_MOST_NAMES: Final = 2500

SIGNS = {
    Outcome.PASSED: "✅",
    Outcome.SKIPPED: "⏭️",
    Outcome.INCONCLUSIVE: "❔",
    Outcome.FAILED: "❌",
    Outcome.ERRORED: "💥",
}
_VERDICT_SIGNS = {Verdict.GO: "✅", Verdict.GO_WITH_CONDITIONS: "⚠️", Verdict.NO_GO: "⛔"}


def render_run_markdown(report: RunReport) -> str:
    """The report of one run."""
    return _joined(_run_parts(report))


def render_verdict_markdown(report: VerdictReport) -> str:
    """The report of a verdict, short enough for a comment: details that find no room are named and left out."""
    parts, left_out = list(_verdict_parts(report)), []
    size = sum(len(part) + 2 for part in parts)
    for title, content in _details(report):
        folded = f"<details><summary>{md(title)}</summary>\n\n{content}\n\n</details>"
        size += len(folded) + 2
        if size > MOST_CHARACTERS:
            left_out.append(title)
            size -= len(folded) + 2
        else:
            parts.append(folded)
    if left_out:
        parts.append(f"Too long for here, told in report.html: {md(', '.join(left_out))}.")
    return _joined(parts)


def _run_parts(report: RunReport) -> Iterable[str]:
    yield f"# {SIGNS[report.outcome]} {md(report.scenario)}: {report.outcome.value}"
    yield f"{md(report.title)}"
    yield f"**{md(report.why)}**"
    if report.hypothesis:
        yield f"> {md(report.hypothesis)}"
    yield "## Checks"
    yield _table(["", "check", "expected", "observed"], [_check_cells(row) for row in report.checks])
    if report.timeline is not None:
        yield "## What happened"
        yield _table(
            ["phase", "from", "to"],
            [[md(phase.name), clock(phase.from_ns), clock(phase.to_ns)] for phase in report.timeline.phases],
        )
        if report.timeline.faults:
            yield _table(
                ["fault", "on", "from", "to", "with"],
                [
                    [md(fault.kind), md(fault.on), clock(fault.from_ns), clock(fault.to_ns), md(fault.about)]
                    for fault in report.timeline.faults
                ],
            )
    yield "## Reproduce"
    yield _fenced(report.replay)
    yield _facts(
        [
            ("seed", str(report.seed)),
            ("world", report.world),
            ("system under test", report.sut),
            ("schedule", report.schedule),
            ("starts", report.start),
            ("virtual time", "unknown" if report.length_ns is None else clock(report.length_ns)),
            ("records", f"{report.records}, of them {report.requests} requests"),
            ("trace digest", report.trace_digest),
            ("outcome digest", report.outcome_digest),
        ]
    )


def _check_cells(row: CheckRow) -> list[str]:
    observed = md(row.observed)
    if row.reason and row.observed not in row.reason:
        observed = f"{observed} — {md(row.reason)}" if observed else md(row.reason)
    about = f" ({md(row.about)})" if row.about else ""
    return [_signed(row.outcome), f"**{md(row.check)}**{about}", md(row.expected), observed]


def _verdict_parts(report: VerdictReport) -> Iterable[str]:
    """What is read at a glance; everything else is folded away below it."""
    verdict = report.verdict
    yield f"# {_VERDICT_SIGNS[verdict.verdict]} {verdict.verdict.value}: {md(verdict.title)}"
    yield f"**{md(report.why)}**"
    if report.first_reason:
        place = f"{md(report.first_place)}: " if report.first_place else ""
        yield f"First reason: {place}{md(report.first_reason)}"
    if report.rows:
        yield "## Failure classes"
        yield _table(
            ["", "class", "what happened"],
            [[_signed(row.outcome), f"**{_short(row.title)}**", _short(row.happened)] for row in report.rows],
        )
    yield from _conditions(report)
    yield "## Reproduce"
    yield _fenced(report.replay)


def _details(report: VerdictReport) -> Iterable[tuple[str, str]]:
    """Title and content of what is folded away, the more important first."""
    verdict = report.verdict
    if len(verdict.reasons) > 1 and verdict.verdict is Verdict.NO_GO:
        shown = [f"1. {_short(reason)}" for reason in verdict.reasons[:_MOST_REASONS]]
        more = len(verdict.reasons) - len(shown)
        yield "All reasons", "\n".join([*shown, *([f"\n{more} more stand in verdict.json."] if more else [])])
    yield (
        "Packets and gates",
        _table(
            ["packet", "state", "gate", "priority", "outcome", "why"],
            [cells for packet in verdict.packets for cells in _packet_cells(packet)],
        ),
    )
    if verdict.phases:
        rows = [cells for phase in verdict.phases for cells in _phase_cells(phase)]
        yield "Phases and their transition checklists", _table(["phase", "", "demanded", "why"], rows)
    if report.coverage is not None:
        yield "What this verdict did not exercise", _coverage(report.coverage)
    if report.commands:
        yield (
            "Commands",
            _table(["evidence", "", "command", "exit status"], [_command_cells(one) for one in report.commands]),
        )
    if verdict.residual_risks:
        risks = [[_short(part) for part in _risk_parts(risk)] for risk in verdict.residual_risks]
        yield (
            "Residual risks",
            _table(["risk", "what may still go wrong", "severity", "owner", "rollback", "from"], risks),
        )
    if verdict.drift:
        rows = [[md(row.id), _short(row.title), md(row.state), _short(row.reason)] for row in verdict.drift]
        yield "Drift", _table(["", "what differs", "state", "why"], rows)
    if verdict.debt:
        rows = [
            [md(row.id), _short(row.title), md(row.severity), md(row.owner), md(row.milestone)] for row in verdict.debt
        ]
        yield "Debt", _table(["", "what is put off", "severity", "owner", "milestone"], rows)
    if verdict.leaves_out:
        left_out = [[md(packet), _short(why)] for packet, why in verdict.leaves_out]
        yield "What this plan leaves out", _table(["packet", "why"], left_out)
    yield (
        f"{len(report.runs)} runs",
        _table(["", "run", "seed", "checks", "outcome digest"], [_run_cells(run) for run in report.runs]),
    )
    yield (
        "Facts",
        _facts(
            [
                ("plan", verdict.plan),
                ("seed", str(report.seed)),
                ("decided on", verdict.decided_on.isoformat()),
                ("outcome digest", verdict.outcome_digest),
                *report.inventory,
            ]
        ),
    )


def _coverage(coverage: CoverageReport) -> str:
    """Per axis how much was exercised, and the names of what was not."""
    rows = [
        [md(tally.axis), f"{tally.exercised} of {tally.of}", _short(", ".join(tally.missing), _MOST_NAMES) or "—"]
        for tally in coverage.tallies
    ]
    counted = (
        f"Only passed runs count ({coverage.passed} of {coverage.all}), and of faults only those seen to take effect."
    )
    return f"{counted}\n\n{_table(['', 'exercised', 'not exercised'], rows)}"


def _run_cells(run: RunBrief) -> list[str]:
    return [
        _signed(run.summary.outcome),
        f"**{md(run.summary.scenario)}** {_short(run.title)}",
        str(run.summary.seed),
        _tally(run.summary.checks),
        md(run.summary.outcome_digest[:16]),
    ]


def _phase_cells(phase: PhaseResult) -> Iterable[list[str]]:
    name = f"**{md(phase.id)}** {_short(phase.title)}: {'may end' if phase.may_end else 'may not end yet'}"
    for item in phase.checklist:
        yield [name, _signed(item.outcome), _short(item.title), _short(item.reason)]
        name = ""


def _command_cells(item: EvidenceResult) -> list[str]:
    command = item.command
    if command is None:
        return [md(item.id), _signed(item.outcome), "", _short(item.reason)]
    ended = "timed out" if command.timed_out else "none" if command.exit_status is None else str(command.exit_status)
    tests = "" if command.tests_run is None else f", {command.tests_run} tests"
    return [md(item.id), _signed(item.outcome), _short(" ".join(command.argv)), ended + tests]


def _risk_parts(risk: ResidualRisk) -> tuple[str, ...]:
    return risk.id, risk.title, risk.severity, risk.owner, risk.rollback, risk.source


def _conditions(report: VerdictReport) -> Iterable[str]:
    verdict = report.verdict
    if verdict.conditions:
        yield "## Conditions"
        yield _table(
            ["gate", "why it is open", "risk", "severity", "owner", "target", "rollback"],
            [
                [
                    f"**{md(one.gate)}** ({one.priority}) {_short(one.title)}",
                    *(
                        _short(text)
                        for text in (one.reason, one.risk, one.severity, one.owner, one.target, one.rollback)
                    ),
                ]
                for one in verdict.conditions
            ],
        )
    if verdict.closed_conditions:
        yield "## Conditions stated to be closed"
        yield _table(
            ["gate", "state", "by", "on", "evidence"],
            [
                [
                    md(one.gate),
                    md(one.state),
                    _short(one.by),
                    md(one.on),
                    _short(f"{one.evidence} {one.reason}".strip()),
                ]
                for one in verdict.closed_conditions
            ],
        )
    if verdict.waivers:
        yield "## Waivers"
        yield _table(
            ["gate", "state", "owner", "reason", "expires"],
            [
                [md(use.gate), md(use.state), _short(use.owner), _short(use.reason), md(use.expires)]
                for use in verdict.waivers
            ],
        )


def _packet_cells(packet: PacketResult) -> Iterable[list[str]]:
    name, state = f"**{md(packet.id)}** {md(packet.title)}", packet.state.value
    gates = packet.gates or (None,)
    for gate in gates:
        if gate is None:
            cells = ["—", "", "", _short("; ".join(packet.reasons))]
        else:
            told = (
                "waived"
                if gate.waived
                else "closed later"
                if gate.closed_later
                else "not applicable"
                if gate.not_applicable
                else gate.outcome.value
            )
            cells = [
                f"{md(gate.id)}: {_short(gate.title)}",
                gate.priority,
                f"{SIGNS[gate.outcome]} {told}",
                _short(gate.reason),
            ]
        yield [name, state, *cells]
        name = state = ""
    if packet.unblocks:
        yield ["", "", "", "", "", f"unblocked by: {md(packet.unblocks)}"]


def _short(text: str, limit: int = 300) -> str:
    """``text`` for a cell, cut where it is too long for one."""
    return md(plain(text, limit))


def _signed(outcome: Outcome) -> str:
    return f"{SIGNS[outcome]} {outcome.value}"


def _tally(checks: Sequence[object]) -> str:
    passed = sum(getattr(line, "outcome", None) is Outcome.PASSED for line in checks)
    return f"{passed} of {len(checks)}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return "None."
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def _facts(facts: Sequence[tuple[str, str]]) -> str:
    return _table(["", ""], [[name, md(value)] for name, value in facts if value])


def _fenced(line: str) -> str:
    fence = "```"
    while fence in line:
        fence += "`"
    return f"{fence}\n{line}\n{fence}"


def _joined(parts: Iterable[str]) -> str:
    return "\n\n".join(parts) + "\n"
