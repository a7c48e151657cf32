"""``report.md``: for a pull request. A function of the report model alone, so equal evidence gives equal bytes.

No wall time, path or machine enters it; names are escaped so that no markup of theirs comes to life.
"""

from collections.abc import Iterable, Sequence

from pulse_sim.outcome import Outcome
from pulse_sim.report.model import CheckRow, RunReport, VerdictReport
from pulse_sim.report.text import clock
from pulse_sim.report.text import markdown as md
from pulse_sim.verdict import PacketResult, Verdict

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
    """The report of a verdict."""
    return _joined(_verdict_parts(report))


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
    yield "## Replay"
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
    verdict = report.verdict
    yield f"# {_VERDICT_SIGNS[verdict.verdict]} {verdict.verdict.value}: {md(verdict.title)}"
    yield f"**{md(report.why)}**"
    if report.first_reason:
        place = f"{md(report.first_place)}: " if report.first_place else ""
        yield f"First reason: {place}{md(report.first_reason)}"
    if report.rows:
        yield "## Failure classes"
        yield _table(
            ["", "class", "injected", "what happened"],
            [
                [
                    _signed(row.outcome),
                    f"**{md(row.title)}**",
                    md(row.injected),
                    md(row.happened),
                ]
                for row in report.rows
            ],
        )
    yield from _conditions(report)
    if len(verdict.reasons) > 1 and verdict.verdict is Verdict.NO_GO:
        yield "## All reasons"
        yield "\n".join(f"1. {md(reason)}" for reason in verdict.reasons)
    yield "## Packets"
    yield _table(
        ["packet", "state", "gate", "priority", "outcome", "why"],
        [cells for packet in verdict.packets for cells in _packet_cells(packet)],
    )
    if verdict.leaves_out:
        yield "## What this plan leaves out"
        yield _table(["packet", "why"], [[md(packet), md(why)] for packet, why in verdict.leaves_out])
    yield "## Runs"
    yield _table(
        ["", "run", "seed", "checks", "outcome digest"],
        [
            [
                _signed(run.summary.outcome),
                f"**{md(run.summary.scenario)}** {md(run.title)}",
                str(run.summary.seed),
                _tally(run.summary.checks),
                md(run.summary.outcome_digest[:16]),
            ]
            for run in report.runs
        ],
    )
    yield "## Replay"
    yield _fenced(report.replay)
    yield _facts(
        [
            ("plan", verdict.plan),
            ("seed", str(report.seed)),
            ("decided on", verdict.decided_on.isoformat()),
            ("outcome digest", verdict.outcome_digest),
        ]
    )


def _conditions(report: VerdictReport) -> Iterable[str]:
    verdict = report.verdict
    if verdict.conditions:
        yield "## Conditions"
        yield _table(
            ["gate", "why it is open", "risk", "severity", "owner", "target", "rollback"],
            [
                [
                    f"**{md(one.gate)}** ({one.priority}) {md(one.title)}",
                    *(md(text) for text in (one.reason, one.risk, one.severity, one.owner, one.target, one.rollback)),
                ]
                for one in verdict.conditions
            ],
        )
    if verdict.waivers:
        yield "## Waivers"
        yield _table(
            ["gate", "state", "owner", "reason", "expires"],
            [[md(use.gate), use.state, md(use.owner), md(use.reason), use.expires] for use in verdict.waivers],
        )


def _packet_cells(packet: PacketResult) -> Iterable[list[str]]:
    name, state = f"**{md(packet.id)}** {md(packet.title)}", packet.state.value
    gates = packet.gates or (None,)
    for gate in gates:
        if gate is None:
            cells = ["—", "", "", md("; ".join(packet.reasons))]
        else:
            told = "waived" if gate.waived else "not applicable" if gate.not_applicable else gate.outcome.value
            cells = [
                f"{md(gate.id)}: {md(gate.title)}",
                gate.priority,
                f"{SIGNS[gate.outcome]} {told}",
                md(gate.reason),
            ]
        yield [name, state, *cells]
        name = state = ""
    if packet.unblocks:
        yield ["", "", "", "", "", f"unblocked by: {md(packet.unblocks)}"]


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
