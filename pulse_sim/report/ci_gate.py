"""The CI gate told: Markdown for a job's summary page and JUnit XML for its list of tests; names are hostile.

Functions of the gate alone, so equal evidence gives equal bytes: no path, no wall time. Knows no file.
"""

from collections.abc import Iterable, Sequence
from typing import Final
from xml.etree import ElementTree as ET

from pulse_sim.outcome import Outcome
from pulse_sim.report.junit_parts import case, document, properties
from pulse_sim.report.text import markdown as md
from pulse_sim.report.text import plain
from pulse_sim.verdict import JudgedCheck
from pulse_sim.verdict.ci_gate import Change, CheckChange, CiGate, Comparison, GateRun

SHOWN_AT_MOST: Final = 50
ROWS_AT_MOST: Final = 200
"""A job's summary page takes a megabyte, and nobody reads a tenth of it."""
_SIGNS: Final = {
    Outcome.PASSED: "✅",
    Outcome.SKIPPED: "⏭️",
    Outcome.INCONCLUSIVE: "❔",
    Outcome.FAILED: "❌",
    Outcome.ERRORED: "💥",
}


def gate_in_a_line(gate: CiGate) -> str:
    """The gate in one line: what it comes to, and how many runs came to what."""
    outcomes = [run.outcome for run in gate.runs]
    told = [f"{outcomes.count(one)} {one.value}" for one in Outcome if one in outcomes]
    told += [f"{len(gate.not_run)} not run"] if gate.not_run else []
    state = "passed" if gate.outcome is Outcome.PASSED else f"NOT passed ({gate.outcome.value})"
    return f"gate {state}: {len(gate.planned)} runs: {', '.join(told) or 'none'}"


def comparison_in_a_line(comparison: Comparison) -> str:
    """The comparison in one line."""
    if comparison.damages:
        return f"not compared: the baseline is damaged in {len(comparison.damages)} places"
    told = [f"{comparison.count(change)} {change.value}" for change in Change if comparison.count(change)]
    told += [f"{len(comparison.missing)} runs that the baseline misses"] if comparison.missing else []
    told += [f"{comparison.unused} runs of the baseline with other seeds"] if comparison.unused else []
    return f"beside the baseline: {', '.join(told) or 'nothing to compare'}"


def render_gate_markdown(gate: CiGate) -> str:
    """A page for a CI job's summary: whether it passed, why not, each run, and what changed since the baseline."""
    return "\n\n".join(_parts(gate)) + "\n"


def render_gate_junit(gate: CiGate) -> bytes:
    """One suite for each run with a case for each check, and one for the gate itself; inconclusive is a failure."""
    root = ET.Element("testsuites", name="gate")
    suite = ET.SubElement(root, "testsuite", name="gate")
    case(suite, "gate", "the gate as a whole", gate.outcome, "\n".join(gate.reasons))
    for one in gate.not_run:
        case(suite, "gate", f"{one.scenario} seed {one.seed}", Outcome.INCONCLUSIVE, f"not run: {one.reason}")
    for change in () if gate.comparison is None else gate.comparison.of(Change.WORSE, Change.GONE):
        name = f"{change.scenario} seed {change.seed}: {change.check}"
        case(suite, "comparison with the baseline", name, Outcome.FAILED, change.told)
    for run in gate.runs:
        _run_suite(root, run)
    return document(root)


def _parts(gate: CiGate) -> Iterable[str]:
    yield f"# {_SIGNS[gate.outcome]} {md(gate_in_a_line(gate))}"
    if gate.reasons:
        yield "## Why it is not passed"
        yield _bullets(gate.reasons)
    if gate.comparison is not None:
        yield from _comparison_parts(gate.comparison)
    yield "## Runs"
    shown = sorted(gate.runs, key=lambda run: -run.outcome.rank) if len(gate.runs) > ROWS_AT_MOST else gate.runs
    head = ("", "scenario", "seed", "checks", "outcome digest", "repeat")
    yield from _table(head, [_run_cells(run) for run in shown])
    if gate.not_run:
        rows = [[md(one.scenario), str(one.seed), md(one.reason)] for one in gate.not_run]
        yield from _table(("not run", "seed", "why"), rows)
    failing = [run for run in gate.runs if run.problem and run.replay]
    if failing:
        yield "## Replay"
        yield "```sh\n" + "\n".join(plain(run.replay).replace("`", "'") for run in failing[:SHOWN_AT_MOST]) + "\n```"


def _comparison_parts(comparison: Comparison) -> Iterable[str]:
    yield "## Beside the baseline"
    yield f"{_SIGNS[comparison.outcome]} {md(comparison_in_a_line(comparison))}"
    told = [*comparison.damages, *(f"only in the baseline: {one}" for one in comparison.foreign)]
    told += [f"the baseline misses {one}" for one in comparison.missing]
    if told:
        yield _bullets(told)
    changed = comparison.of(Change.WORSE, Change.GONE, Change.BETTER)
    if changed:
        yield from _table(("", "scenario", "seed", "check", "before", "now"), [_change_cells(one) for one in changed])


def _change_cells(one: CheckChange) -> list[str]:
    about = f" ({md(one.about)})" if one.about else ""
    before, now = ("not judged" if outcome is None else outcome.value for outcome in (one.before, one.now))
    return [one.change.value, md(one.scenario), str(one.seed), f"**{md(one.check)}**{about}", before, now]


def _run_cells(run: GateRun) -> list[str]:
    summary = run.summary
    passed = sum(line.outcome is Outcome.PASSED for line in summary.checks)
    checks = f"{passed} of {len(summary.checks)} passed"
    again = run.repeat
    told = "" if again is None else again.reason or ("another digest" if run.unrepeatable else "the same again")
    return [
        f"{_SIGNS[run.outcome]} {run.outcome.value}",
        f"**{md(summary.scenario)}**",
        str(summary.seed),
        checks,
        md(summary.outcome_digest[:16]),
        md(told),
    ]


def _run_suite(root: ET.Element, run: GateRun) -> None:
    summary = run.summary
    suite = ET.SubElement(root, "testsuite", name=plain(f"{summary.scenario} seed {summary.seed}"))
    if summary.virtual_s is not None:
        suite.set("time", f"{summary.virtual_s:.3f}")
    properties(suite, {"seed": str(summary.seed), "sut": summary.sut, "replay": run.replay})
    for line in summary.checks:
        # Several checks of one kind are told apart by what they expect: readers of JUnit merge cases of one name.
        case(suite, summary.scenario, f"{line.check}: {line.expected}", line.outcome, _told(line))
    if summary.reason or not summary.checks:
        case(suite, summary.scenario, "the run as a whole", run.outcome, run.problem)
    if run.unrepeatable:
        case(suite, summary.scenario, "the same seed gives the same run", Outcome.ERRORED, run.unrepeatable)


def _told(line: JudgedCheck) -> str:
    return f"expected {line.expected}\nobserved {line.observed}" + (f"\n{line.reason}" if line.reason else "")


def _bullets(lines: Sequence[str]) -> str:
    more = [f"- … and {len(lines) - SHOWN_AT_MOST} more"] if len(lines) > SHOWN_AT_MOST else []
    return "\n".join([*(f"- {md(line)}" for line in lines[:SHOWN_AT_MOST]), *more])


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterable[str]:
    """A table, and below it how many rows it leaves out."""
    told = [f"| {' | '.join(row)} |" for row in rows[:ROWS_AT_MOST]]
    yield "\n".join([f"| {' | '.join(head)} |", "|" + " --- |" * len(head), *told])
    if len(rows) > ROWS_AT_MOST:
        yield f"… and {len(rows) - ROWS_AT_MOST} more rows, in the bundle's `gate.json`"
