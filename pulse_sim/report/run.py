"""Makes the report model of one run from its scenario, its log and its judged checks.

Takes plain values; knows nothing of bundles and files. Every word of others is made printable here.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pulse_sim.checks import CheckResult
from pulse_sim.observation import RunLog, Source
from pulse_sim.report.model import CheckRow, RunBrief, RunReport, Timeline
from pulse_sim.report.replay import run_line
from pulse_sim.report.text import in_words, parameters_in_words, plain
from pulse_sim.report.timeline import read_timeline
from pulse_sim.verdict import RunSummary

_SHOWN_MOMENTS = 3


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
        replay=run_line(summary, source_file),
    )


def run_brief(
    scenario: Mapping[str, Any],
    summary: RunSummary,
    *,
    timeline: Timeline | None,
    href: str | None,
    source_file: str | None = None,
) -> RunBrief:
    """The run as a verdict's page tells it. ``href`` is its own page."""
    return RunBrief(
        summary=summary,
        title=_word(scenario, "title") or plain(summary.scenario),
        hypothesis=_word(scenario, "hypothesis"),
        injected=tuple(_injected(scenario.get("timeline"))),
        href=href,
        timeline=timeline,
        replay=run_line(summary, source_file),
    )


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
    """What the scenario does to the system, faults and operator actions alike; what comes again is told once."""
    times: dict[tuple[str, str], list[str]] = {}
    for entry in timeline if isinstance(timeline, list) else ():
        if not isinstance(entry, Mapping):
            continue
        repeat = entry.get("repeat")
        again = f" ({repeat.get('times', '?')} times)" if isinstance(repeat, Mapping) else ""
        length = f" for {in_words(entry['for'])}" if "for" in entry else ""
        times.setdefault((_what(entry), length), []).append(f"{in_words(entry.get('at', '?'))}{again}")
    for (what, length), moments in times.items():
        shown = ", ".join(moments[:_SHOWN_MOMENTS])
        more = f" and {len(moments) - _SHOWN_MOMENTS} times more" if len(moments) > _SHOWN_MOMENTS else ""
        yield plain(f"{what} at {shown}{more}{length}")


def _what(entry: Mapping[str, Any]) -> str:
    target, given = entry.get("on"), entry.get("with")
    if target is None and isinstance(given, Mapping):
        target = given.get("id", given.get("connection"))
    what = in_words(entry.get("fault", entry.get("do", "?")))
    return (
        what
        if target is None
        else f"{what} on {in_words(target)}"
        if "fault" in entry
        else f"{what} {in_words(target)}"
    )


def _word(scenario: Mapping[str, Any], name: str) -> str:
    value = scenario.get(name)
    return plain(" ".join(value.split())) if isinstance(value, str) else ""
