"""What every page carries inside itself: style sheet, chart library, our script, and the policy that allows no more.

A page asks for nothing over any network, and runs exactly the scripts whose digests its policy names. Knows nothing of
what a page tells.
"""

from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Final

from markupsafe import Markup

from pulse_sim.canonical import Json, canonical_json
from pulse_sim.report.model import Timeline
from pulse_sim.report.svg import STYLE, draw_timeline
from pulse_sim.report.timeline_data import timeline_data

_CHARTS: Final = "uPlot.iife.min.js"
_CHART_STYLE: Final = "uPlot.min.css"
_OURS: Final = "timeline.js"
_NOTHING_ELSE: Final = "base-uri 'none'; form-action 'none'"
_JSON_ESCAPES: Final = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029'"}


@cache
def style() -> Markup:
    """The one style sheet of a page."""
    page = files("pulse_sim.report").joinpath("templates", "page.css").read_text("utf-8")
    return Markup("\n".join([page, STYLE, _asset(_CHART_STYLE)]))  # noqa: S704 — our own files


@cache
def scripts() -> tuple[Markup, ...]:
    """The scripts of a page, in their order."""
    return tuple(Markup(_asset(name)) for name in (_CHARTS, _OURS))  # noqa: S704 — our own files


@cache
def policy() -> Markup:
    """The Content-Security-Policy: nothing from anywhere but this style sheet and these scripts."""
    allowed = " ".join(_source(script) for script in scripts())
    parts = ("default-src 'none'", f"script-src {allowed}", f"style-src {_source(style())}", _NOTHING_ELSE)
    return Markup("; ".join(parts))  # noqa: S704 — digests of our own files


def figure(timeline: Timeline) -> Markup:
    """A timeline drawn, with its data beside it for the script: for the inside of ``<figure class="timeline">``."""
    drawn = draw_timeline(timeline, styled=False)
    return Markup(f'<div class="drawn">{drawn}</div>') + inline_json(timeline_data(timeline))  # noqa: S704 — drawn here


def inline_json(data: Json) -> Markup:
    """``data`` as an element no text inside it can end."""
    text = canonical_json(data).decode().translate(_JSON_ESCAPES)
    return Markup(f'<script type="application/json">{text}</script>')  # noqa: S704 — nothing in it can end it


def _source(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


@cache
def _asset(name: str) -> str:
    text = files("pulse_sim.report").joinpath("assets", name).read_text("utf-8")
    return text.replace("\r\n", "\n")
