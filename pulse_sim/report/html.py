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

from pulse_sim.report.model import RunReport, VerdictReport
from pulse_sim.report.svg import draw_timeline
from pulse_sim.report.text import clock, plain
from pulse_sim.verdict import JudgedCheck

MAX_PAGE_BYTES: Final = 2 * 1024 * 1024
_MAX_DRAWN_BYTES: Final = 1024 * 1024


def render_run_html(report: RunReport) -> str:
    """The page of one run: what came of it and its timeline first, then checks, faults, phases, replay."""
    svg = Markup(draw_timeline(report.timeline)) if report.timeline is not None else None  # noqa: S704 — drawn here
    return _environment().get_template("run.html.jinja").render(report=report, svg=svg)


def render_verdict_html(report: VerdictReport) -> str:
    """The page of a verdict. Timelines of runs stand in it while there is room, behind their links anyway."""
    room = _MAX_DRAWN_BYTES
    drawn: list[Markup | None] = []
    for run in report.runs:
        svg = run.timeline_svg
        fits = svg is not None and len(svg.encode()) <= room
        drawn.append(Markup(svg) if fits and svg is not None else None)  # noqa: S704 — drawn by draw_timeline
        room -= len(svg.encode()) if fits and svg is not None else 0
    runs = tuple(replace(run, href=quote(run.href)) if run.href else run for run in report.runs)
    template = _environment().get_template("verdict.html.jinja")
    return template.render(report=replace(report, runs=runs), drawn=drawn)


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
