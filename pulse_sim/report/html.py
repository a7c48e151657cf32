"""The HTML pages: one file each, no network, no script, at most 2 MB. A function of the report model alone.

Templates escape everything they print; the only thing let through is the SVG this package drew.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Final
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from pulse_sim.outcome import Outcome
from pulse_sim.report.model import RunBrief, RunReport, VerdictReport
from pulse_sim.report.svg import draw_timeline
from pulse_sim.report.text import clock, plain
from pulse_sim.verdict import JudgedCheck

MAX_PAGE_BYTES: Final = 2 * 1024 * 1024
_MAX_DRAWN_BYTES: Final = 1024 * 1024
_DETAILED_RUNS: Final = (60, 15, 0)
_MOST_LINES: Final = 500


def render_run_html(report: RunReport) -> str:
    """The page of one run: what came of it and its timeline first, then checks, faults, phases, replay."""
    svg = Markup(draw_timeline(report.timeline)) if report.timeline is not None else None  # noqa: S704 — drawn here
    return _environment().get_template("run.html.jinja").render(report=report, svg=svg)


def render_verdict_html(report: VerdictReport) -> str:
    """The page of a verdict. Runs are told in detail, those not passed first, while there is room; all have a link."""
    page = ""
    for detailed in _DETAILED_RUNS:
        page = _verdict_page(report, detailed)
        if len(page.encode()) <= MAX_PAGE_BYTES:
            break
    return page


def _verdict_page(report: VerdictReport, detailed: int) -> str:
    order = sorted(range(len(report.runs)), key=lambda index: (_is_passed(report.runs[index]), index))
    told, room, rows = set(order[:detailed]), _MAX_DRAWN_BYTES, []
    for index in sorted(order[:_MOST_LINES]):
        run = report.runs[index]
        svg = run.timeline_svg if index in told else None
        if svg is not None and len(svg) > room:
            svg = None
        room -= len(svg or "")
        rows.append(
            {
                "run": replace(run, href=quote(run.href) if run.href else None),
                "is_told": index in told,
                "svg": None if svg is None else Markup(svg),  # noqa: S704 — drawn by draw_timeline
            }
        )
    template = _environment().get_template("verdict.html.jinja")
    return template.render(report=report, rows=rows, most=_MOST_LINES)


def _is_passed(run: RunBrief) -> bool:
    return run.summary.outcome is Outcome.PASSED


def load_templates() -> None:
    """Compile every template now; a process that forks does it once for all its children."""
    for name in _environment().list_templates(extensions=["jinja"]):
        _environment().get_template(name)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("pulse_sim.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(clock=clock, plain=plain, printable=_printable)
    return environment


def _printable(checks: Sequence[JudgedCheck]) -> list[JudgedCheck]:
    return [
        JudgedCheck(plain(line.check), line.outcome, plain(line.expected), plain(line.observed), plain(line.reason))
        for line in checks
    ]
