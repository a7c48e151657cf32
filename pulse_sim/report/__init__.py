"""One report model and its renderings."""

from pulse_sim.report.html import render_run_html, render_verdict_html
from pulse_sim.report.junit import render_run_junit, render_verdict_junit
from pulse_sim.report.markdown import render_run_markdown, render_verdict_markdown
from pulse_sim.report.model import RunBrief, RunReport, VerdictReport
from pulse_sim.report.run import run_brief, run_report
from pulse_sim.report.svg import draw_timeline
from pulse_sim.report.verdict import verdict_report

__all__ = [
    "RunBrief",
    "RunReport",
    "VerdictReport",
    "draw_timeline",
    "render_run_html",
    "render_run_junit",
    "render_run_markdown",
    "render_verdict_html",
    "render_verdict_junit",
    "render_verdict_markdown",
    "run_brief",
    "run_report",
    "verdict_report",
]
