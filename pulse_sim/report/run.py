"""Makes the report model of one run from its scenario, its log and its judged checks.

Takes plain values; knows nothing of bundles and files. Every word of others is made printable here.
"""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pulse_sim.checks import CheckResult
from pulse_sim.observation import RunLog, Source
from pulse_sim.report.model import CheckRow, RunBrief, RunReport
from pulse_sim.report.text import parameters_in_words, plain
from pulse_sim.report.timeline import read_timeline
from pulse_sim.verdict import RunSummary


def run_report(
    scenario: Mapping[str, Any],
    log: RunLog | None,
    results: Sequence[CheckResult],
    summary: RunSummary,
    *,
    source_file: str | None = None,
) -> RunReport:
    """``scenario`` is the resolved document; ``log`` is None when damaged; ``source_file`` is for the replay line."""
    return RunReport(
        scenario=plain(summary.scenario),
        title=_word(scenario, "title") or plain(summary.scenario),
        packet=_word(scenario, "packet"),
        hypothesis=_word(scenario, "hypothesis"),
        failure_class=_word(scenario, "failure_class"),
        seed=summary.seed,
        world=plain(summary.world),
        sut=plain(summary.sut),
        schedule=plain(summary.schedule),
        start=plain(log.header.start) if log is not None else _word(scenario, "start"),
        outcome=summary.outcome,
        reason=plain(summary.reason),
        trace_digest=plain(summary.trace_digest),
        outcome_digest=plain(summary.outcome_digest),
        length_ns=None if log is None else log.end_ns,
        records=0 if log is None else len(log.records),
        requests=0 if log is None else len(log.of(Source.APPLIANCE, "request")),
        checks=tuple(_check_row(result) for result in results),
        timeline=None if log is None else read_timeline(log),
        replay=replay_line(summary, source_file),
    )


def run_brief(
    scenario: Mapping[str, Any], summary: RunSummary, *, timeline_svg: str | None, href: str | None
) -> RunBrief:
    """The run as a verdict's page tells it. ``timeline_svg`` is by :func:`draw_timeline`; ``href`` is its own page."""
    return RunBrief(
        summary=summary,
        title=_word(scenario, "title") or plain(summary.scenario),
        hypothesis=_word(scenario, "hypothesis"),
        injected=tuple(_injected(scenario.get("timeline"))),
        href=href,
        timeline_svg=timeline_svg,
        replay=replay_line(summary, None),
    )


def replay_line(summary: RunSummary, source_file: str | None) -> str:
    """The one line that repeats the run."""
    file = source_file or f"{summary.scenario.partition('[')[0]}.yaml"
    parts = ["pulse-sim", "run", file, "--seed", str(summary.seed)]
    if summary.world not in ("", "simulated"):
        parts += ["--world", summary.world]
    if summary.sut not in ("", "reference"):
        parts += ["--sut", summary.sut]
    if summary.schedule not in ("", "fifo"):
        parts += ["--schedule", summary.schedule]
    return plain(" ".join(shlex.quote(part) for part in parts))


def _check_row(result: CheckResult) -> CheckRow:
    return CheckRow(
        check=plain(result.check),
        about=plain(parameters_in_words(dict(result.parameters))),
        outcome=result.outcome,
        expected=plain(result.expected),
        observed=plain(result.observed),
        reason=plain(result.reason),
        evidence=tuple(result.evidence),
    )


def _injected(timeline: Any) -> Iterable[str]:
    """What the scenario does to the system, one line an entry: faults and operator actions alike."""
    for entry in timeline if isinstance(timeline, list) else ():
        if not isinstance(entry, Mapping):
            continue
        what, target = entry.get("fault", entry.get("do", "?")), entry.get("on")
        given = entry.get("with")
        if target is None and isinstance(given, Mapping):
            target = given.get("id", given.get("connection"))
        told = f"{what} on {target}" if target is not None else f"{what}"
        told += f" at {entry.get('at', '?')}"
        if "for" in entry:
            told += f" for {entry['for']}"
        repeat = entry.get("repeat")
        if isinstance(repeat, Mapping):
            told += f", {repeat.get('times', '?')} times"
        yield plain(told)


def _word(scenario: Mapping[str, Any], name: str) -> str:
    value = scenario.get(name)
    return plain(" ".join(value.split())) if isinstance(value, str) else ""
