"""The HTML pages: one file each, no network, at most 2 MB, whole without JavaScript. A function of the report model.

Templates escape everything they print; what is let through is the drawings and scripts of this package's own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Final
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined

from pulse_sim.outcome import Outcome
from pulse_sim.report import page
from pulse_sim.report.model import RunBrief, RunReport, Timeline, VerdictReport
from pulse_sim.report.text import clock, plain
from pulse_sim.report.thinning import thinned
from pulse_sim.units import SECOND
from pulse_sim.verdict import JudgedCheck

MAX_PAGE_BYTES: Final = 2_000_000
_DETAILS: Final = ((240, 8), (160, 8), (120, 6), (80, 4), (50, 3), (30, 2), (16, 1))
"""How much of every timeline is shown, (slices, lanes): the most that a page has room for."""
_TOLD_RUNS: Final = (100, 40, 15, 0)
_MOST_LINES: Final = 500


def render_run_html(report: RunReport) -> str:
    """The page of one run: what came of it and its timeline first, then checks, faults, phases, replay."""
    chart = None
    for slices, lanes in ((1200, 8), *_DETAILS):
        if report.timeline is None:
            break
        chart = page.figure(thinned(report.timeline, slices, lanes))
        if len(chart.encode()) <= MAX_PAGE_BYTES // 2:
            break
    template = _environment().get_template("run.html.jinja")
    return template.render(report=report, chart=chart, has_charts=chart is not None)


def render_verdict_html(report: VerdictReport) -> str:
    """The page of a verdict. Runs are told in detail, those not passed first, while there is room; all have a link."""
    whole = ""
    for told in _TOLD_RUNS:
        # The page is made once without drawings: what is left of its size is theirs.
        bare = _verdict_page(report, told, {})
        room = MAX_PAGE_BYTES - len(bare.encode())
        whole = _verdict_page(report, told, _charts(report, told, room)) if room > 0 else bare
        if len(whole.encode()) <= MAX_PAGE_BYTES:
            break
    return whole


def _charts(report: VerdictReport, told: int, room: int) -> Mapping[int, str]:
    """The figures of the runs told, all in the same detail; none where even the least does not fit."""
    wanted = {index: report.runs[index].timeline for index in _order(report)[:told]}
    timelines: dict[int, Timeline] = {index: one for index, one in wanted.items() if one is not None}
    # Drawings stand in a page that carries the chart library as soon as there is one of them.
    room -= sum(len(script.encode()) for script in page.scripts()) + 4096
    for slices, lanes in _DETAILS:
        charts, left = {}, room
        for index, timeline in timelines.items():
            charts[index] = page.figure(thinned(timeline, slices, lanes))
            left -= len(charts[index].encode())
            if left < 0:
                break
        if left >= 0:
            return charts
    return {}


def _verdict_page(report: VerdictReport, told: int, charts: Mapping[int, str]) -> str:
    order = _order(report)
    shown = set(order[:told])
    rows = [
        {
            "run": replace(run, href=quote(run.href) if run.href else None),
            "anchor": f"run-{index + 1}",
            "is_told": index in shown,
            "chart": charts.get(index),
        }
        for index, run in ((index, report.runs[index]) for index in sorted(order[:_MOST_LINES]))
    ]
    template = _environment().get_template("verdict.html.jinja")
    return template.render(report=report, rows=rows, most=_MOST_LINES, has_charts=bool(charts))


def _order(report: VerdictReport) -> list[int]:
    """The runs as they deserve attention: those not passed first."""
    return sorted(range(len(report.runs)), key=lambda index: (_is_passed(report.runs[index]), index))


def _is_passed(run: RunBrief) -> bool:
    return run.summary.outcome is Outcome.PASSED


def load_templates() -> None:
    """Compile every template and read every asset now; a process that forks does it once for all its children."""
    for name in _environment().list_templates(extensions=["jinja"]):
        _environment().get_template(name)
    page.policy()


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("pulse_sim.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(clock=clock, plain=plain, printable=_printable, hours=_hours)
    environment.globals.update(style=page.style, scripts=page.scripts, policy=page.policy)
    return environment


def _hours(length_s: float | None) -> str:
    return "unknown" if length_s is None else clock(round(length_s * SECOND))


def _printable(checks: Sequence[JudgedCheck]) -> list[JudgedCheck]:
    return [
        JudgedCheck(plain(line.check), line.outcome, plain(line.expected), plain(line.observed), plain(line.reason))
        for line in checks
    ]
