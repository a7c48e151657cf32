"""Draws a timeline as one SVG: readable without JavaScript, on light and dark, on its own or inside a page.

Knows the timeline model and nothing of logs. Every text goes through XML escaping.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from pulse_sim.report.model import AlertRow, Band, Bar, Curve, FaultRow, Lane, Ticks, Timeline
from pulse_sim.report.text import clock
from pulse_sim.report.thinning import DRAWN_SLICES, thinned
from pulse_sim.units import HOUR, MINUTE, SECOND

WIDTH: Final = 1120
LEFT: Final = 132
RIGHT: Final = 16
_PLOT: Final = WIDTH - LEFT - RIGHT
_CURVE_HEIGHT: Final = 56
_LATENCY_HEIGHT: Final = 26
_MARK_ROWS: Final = 6
_LETTER: Final = 6.3
"""How wide a letter is drawn at most on average; only an estimate is possible without the reader's font."""
_STALE_AFTER_S: Final = 120.0
_STATES: Final = ("closed", "half-open", "open", "warning", "critical", "info")
_STEPS: Final = (
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    24 * HOUR,
    48 * HOUR,
    7 * 24 * HOUR,
)
STYLE: Final = """
.tl{color-scheme:light dark;
--ink:#1f2933;--dim:#66727f;--line:#d9dee4;--soft:#eef1f4;--ok:#2e7d5b;--warn:#8a5600;--bad:#c0392b;--curve:#2868a8;
--shade:#c98a1b;--on:#fff;
font:12px/1.2 ui-sans-serif,system-ui,"Segoe UI",Roboto,"Helvetica Neue",Arial,"DejaVu Sans",sans-serif}
@media (prefers-color-scheme:dark){.tl{--ink:#e6e9ec;--dim:#9aa5b1;--line:#39424d;--soft:#262d36;--ok:#58b98a;
--warn:#e0ad4f;--bad:#ef7768;--curve:#74aee6;--shade:#e0ad4f;--on:#14181d}}
@media print{.tl{color-scheme:light dark;
--ink:#1f2933;--dim:#66727f;--line:#d9dee4;--soft:#eef1f4;--ok:#2e7d5b;--warn:#8a5600;--bad:#c0392b;
--curve:#2868a8;--shade:#c98a1b;--on:#fff}}
.tl text{fill:var(--ink)}.tl .d{fill:var(--dim);font-size:11px}.tl .b{font-weight:600}.tl .g{stroke:var(--line)}
.tl .w{fill:var(--shade);opacity:.13}.tl .f{fill:var(--shade);opacity:.55}.tl .o{fill:var(--curve)}
.tl .p{fill:var(--soft)}
.tl .c{fill:none;stroke:var(--curve);stroke-width:1.6;stroke-linejoin:round}.tl .a{fill:var(--curve);opacity:.1}
.tl .e{stroke:var(--bad);stroke-width:1.6}.tl .t{stroke:var(--dim);stroke-dasharray:3 4;opacity:.7}
.tl .closed{fill:var(--ok);opacity:.35}.tl .half-open{fill:var(--warn)}.tl .open{fill:var(--bad)}
.tl .warning{fill:var(--warn)}.tl .critical{fill:var(--bad)}.tl .info{fill:var(--curve)}
.tl .unknown{fill:var(--dim)}
.tl .i{fill:var(--on);font-size:10px}.tl .s{stroke:var(--ok);opacity:.6}.tl .x{stroke:var(--bad)}
"""


def draw_timeline(timeline: Timeline, *, styled: bool = True) -> str:
    """The SVG document, without an XML declaration, so that it can also stand inside HTML.

    Without its own style sheet it is for a page that has :data:`STYLE` once for all its drawings.
    """
    timeline = thinned(timeline, DRAWN_SLICES, len(timeline.lanes))
    drawing = _Drawing(timeline)
    drawing.axis()
    drawing.phases()
    drawing.faults()
    drawing.actions()
    for lane in timeline.lanes:
        drawing.lane(lane)
    if timeline.marks_left_out:
        drawing.note(f"{timeline.marks_left_out} more faults and actions are not drawn")
    if timeline.lanes_left_out:
        drawing.note(f"{timeline.lanes_left_out} more connections are not drawn")
    return drawing.finished(f"<style>{STYLE}</style>" if styled else "")


@dataclass(frozen=True, slots=True)
class _Mark:
    """Something with words at a time or over a span of it."""

    kind: str
    from_ns: int
    to_ns: int
    words: str
    about: str


class _Drawing:
    """Parts from top to bottom; ``y`` is where the next one goes. Shades are put behind everything at the end."""

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline
        self.parts: list[str] = []
        self.y = 0.0
        self._grid: list[float] = []

    def x(self, at_ns: int) -> float:
        inside = min(max(at_ns, 0), self.timeline.end_ns)
        return LEFT + _PLOT * inside / self.timeline.end_ns

    def axis(self) -> None:
        end_ns = self.timeline.end_ns
        step = next((step for step in _STEPS if end_ns / step <= 12), _STEPS[-1])
        for at_ns in range(0, end_ns + 1, step):
            x = _n(self.x(at_ns))
            anchor = "end" if at_ns > end_ns * 0.97 else "middle"
            self.parts.append(f'<text class="d" x="{x}" y="12" text-anchor="{anchor}">{clock(at_ns)}</text>')
        self._grid = [self.x(at_ns) for at_ns in range(0, end_ns + 1, step)]
        self.y = 20

    def phases(self) -> None:
        if not self.timeline.phases:
            return
        self._label("phases", self.y + 12)
        for phase in self.timeline.phases:
            x, width = self.x(phase.from_ns), self.x(phase.to_ns) - self.x(phase.from_ns)
            told = f"{phase.name}: {clock(phase.from_ns)} to {clock(phase.to_ns)}"
            self._rect("p", x, self.y, max(width - 1, 0.5), 16, told)
            if width > 7 * len(phase.name) + 8:
                self._text(phase.name, x + 5, self.y + 12, "d")
        self.y += 24

    def faults(self) -> None:
        marks = [
            _Mark("f", one.from_ns, one.to_ns, f"{one.kind} on {one.on}", f"{one.about} {_span(one)}")
            for one in self.timeline.faults
        ]
        self._marks("faults", marks)

    def actions(self) -> None:
        marks = [
            _Mark("o", one.at_ns, one.at_ns, one.action, f"{one.answer} at {clock(one.at_ns)}")
            for one in self.timeline.actions
        ]
        self._marks("actions", marks)

    def lane(self, lane: Lane) -> None:
        self._rule()
        self._text(_shortened(lane.connection, 60), 0, self.y + 15, "b")
        told = f"{lane.system} → {lane.appliance}, {lane.requests} requests"
        self._text(told, LEFT, self.y + 15, "d")
        self.y += 24
        self._staleness(lane.staleness)
        self._latency(lane.latency)
        self._errors(lane.errors)
        self._states("breaker", "breaker", lane.breaker)
        self._alerts(lane.alerts)
        self._polls(lane.polls)
        self.y += 4

    def note(self, text: str) -> None:
        self._text(text, 0, self.y + 14, "d")
        self.y += 22

    def finished(self, style: str) -> str:
        height = self.y + 6
        back = [
            f'<rect class="w" x="{_n(self.x(from_ns))}" y="18" height="{_n(height - 22)}" '
            f'width="{_n(max(self.x(to_ns) - self.x(from_ns), 1))}"/>'
            for from_ns, to_ns in _merged(self.timeline.faults)
        ]
        lines = [f'<path class="g" d="M{_n(x)} 18V{_n(height - 4)}"/>' for x in self._grid]
        shown = self.timeline
        told = f"Timeline of {len(shown.lanes)} connections and {len(shown.faults)} faults over {clock(shown.end_ns)}"
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="tl" role="img" viewBox="0 0 {WIDTH} {_n(height)}" '
            f'aria-label="{told}">{style}' + "".join([*back, *lines, *self.parts]) + "</svg>"
        )

    def _marks(self, label: str, marks: Sequence[_Mark]) -> None:
        """A bar and its words for each mark, overlapping ones below each other; past six rows they share the last."""
        if not marks:
            return
        free_from = [0.0] * _MARK_ROWS
        top, used = self.y, 0
        for mark in sorted(marks, key=lambda mark: mark.from_ns):
            x, to_x = self.x(mark.from_ns), max(self.x(mark.to_ns), self.x(mark.from_ns) + 2)
            words = _shortened(mark.words, 48)
            length = _LETTER * len(words)
            stands_left = x + 5 + length > WIDTH - RIGHT
            begins = x - 5 - length if stands_left else x
            row = next((index for index, free in enumerate(free_from) if free <= begins), _MARK_ROWS - 1)
            free_from[row] = max(to_x, x if stands_left else x + 5 + length) + 6
            used = max(used, row + 1)
            self.y = top + 19 * row
            self._rect(mark.kind, x, self.y, to_x - x, 16, f"{mark.words} {mark.about}")
            self._text(words, x - 5 if stands_left else x + 5, self.y + 12, anchor="end" if stands_left else "")
        self._label(label, top + 12)
        self.y = top + 19 * used + 5

    def _staleness(self, points: Curve) -> None:
        values = [value for _, value in points if value is not None]
        self._label("staleness", self.y + 14)
        if not values:
            self._missing("no samples", self.y + 14)
            self.y += 24
            return
        bottom = self.y + 4 + _CURVE_HEIGHT
        high = max(*values, _STALE_AFTER_S * 1.25)
        self._text(f"max {clock(round(max(*values, 0)) * SECOND)}", 0, self.y + 29, "d")
        limit = bottom - _CURVE_HEIGHT * _STALE_AFTER_S / high
        self.parts.append(f'<path class="t" d="M{LEFT} {_n(limit)}H{WIDTH - RIGHT}"/>')
        self._text("stale after 2m", 0, limit + 4 if limit > self.y + 36 else self.y + 44, "d")
        self._curve(points, bottom, _CURVE_HEIGHT, high)
        self.y = bottom + 8

    def _latency(self, points: Curve) -> None:
        values = [value for _, value in points if value is not None]
        self._label("latency", self.y + 10)
        if not values:
            self._missing("no samples", self.y + 10)
            self.y += 18
            return
        self._text(f"max {clock(round(max(*values, 0) * SECOND))}", 0, self.y + 24, "d")
        bottom = self.y + 2 + _LATENCY_HEIGHT
        self._curve(points, bottom, _LATENCY_HEIGHT, max(*values, 1e-9))
        self.y = bottom + 8

    def _curve(self, points: Curve, bottom: float, height: float, high: float) -> None:
        """The curve with its area down to ``bottom``; ``high`` is the value at ``height`` above it."""
        for run in _unbroken(points):
            line = " ".join(
                f"{_n(self.x(at_ns))},{_n(bottom - height * min(max(value, 0.0), high) / high)}" for at_ns, value in run
            )
            first, last = _n(self.x(run[0][0])), _n(self.x(run[-1][0]))
            self.parts.append(f'<path class="a" d="M{first},{_n(bottom)}L{line} {last},{_n(bottom)}z"/>')
            self.parts.append(f'<polyline class="c" points="{line}"/>')

    def _errors(self, errors: Sequence[Ticks]) -> None:
        if not errors:
            self._label("poll errors", self.y + 11)
            self._missing("none", self.y + 11)
            self.y += 18
        for ticks in errors:
            self._label(f"{_shortened(ticks.name, 14)} × {ticks.total}", self.y + 11)
            marks = "".join(f"M{_n(self.x(at_ns))} {_n(self.y + 1)}v12" for at_ns in ticks.at_ns)
            self.parts.append(f'<path class="e" d="{marks}"/>')
            self.y += 18

    def _alerts(self, alerts: Sequence[AlertRow]) -> None:
        if not alerts:
            self._label("alerts", self.y + 11)
            self._missing("none seen", self.y + 11)
            self.y += 18
        for row in alerts:
            self._states(f"! {_shortened(row.name, 18)}", f"alert {row.name}", row.spans)

    def _states(self, label: str, what: str, bands: Sequence[Band]) -> None:
        self._label(label, self.y + 11)
        if not bands:
            self._missing("no samples", self.y + 11)
        for band in bands:
            x = self.x(band.from_ns)
            told = f"{what} {band.state}: {clock(band.from_ns)} to {clock(band.to_ns)}"
            width = self.x(band.to_ns) - x
            self._rect(_state(band.state), x, self.y + 1, max(width, 1.5), 12, told)
            if band.state != "closed" and width > 7 * len(band.state):
                self._text(band.state, x + 4, self.y + 11, "i")
        self.y += 18

    def _polls(self, bars: Sequence[Bar]) -> None:
        """One path for all that succeeded and one for all that failed, as wide as the narrowest slice."""
        succeeded, failed = sum(bar.succeeded for bar in bars), sum(bar.failed for bar in bars)
        self._label("polls", self.y + 12)
        self._text(f"{succeeded} ok, {failed} failed", 0, self.y + 26, "d")
        highest = max((bar.succeeded + bar.failed for bar in bars), default=1)
        bottom, height = self.y + 28, 24.0
        width = max(min((self.x(bar.to_ns) - self.x(bar.from_ns) for bar in bars), default=1) - 0.6, 0.8)
        good, bad = [], []
        for bar in bars:
            x = _n((self.x(bar.from_ns) + self.x(bar.to_ns)) / 2)
            high = height * bar.succeeded / highest
            if bar.succeeded:
                good.append(f"M{x} {_n(bottom)}v{_n(-high)}")
            if bar.failed:
                bad.append(f"M{x} {_n(bottom - high)}v{_n(-height * bar.failed / highest)}")
        for kind, marks in (("s", good), ("x", bad)):
            if marks:
                self.parts.append(f'<path class="{kind}" stroke-width="{_n(width)}" d="{"".join(marks)}"/>')
        self.y += 34

    def _rule(self) -> None:
        self.parts.append(f'<path class="g" d="M0 {_n(self.y)}H{WIDTH}"/>')

    def _label(self, text: str, y: float) -> None:
        self._text(text, 0, y)

    def _missing(self, text: str, y: float) -> None:
        self._text(text, LEFT, y, "d")

    def _text(self, text: str, x: float, y: float, kind: str = "", anchor: str = "") -> None:
        attributes = (f' class="{kind}"' if kind else "") + (f' text-anchor="{anchor}"' if anchor else "")
        self.parts.append(f'<text{attributes} x="{_n(x)}" y="{_n(y)}">{escape(text)}</text>')

    def _rect(self, kind: str, x: float, y: float, width: float, height: float, title: str = "") -> None:
        place = f'class="{kind}" x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}"'
        self.parts.append(f"<rect {place}><title>{escape(title)}</title></rect>" if title else f"<rect {place}/>")


def _merged(faults: Sequence[FaultRow]) -> Sequence[tuple[int, int]]:
    """The windows of faults; those that overlap are one, so that a shade stays a shade."""
    spans: list[tuple[int, int]] = []
    for fault in sorted(faults, key=lambda one: one.from_ns):
        if spans and fault.from_ns <= spans[-1][1]:
            spans[-1] = spans[-1][0], max(spans[-1][1], fault.to_ns)
        else:
            spans.append((fault.from_ns, fault.to_ns))
    return spans


def _span(fault: FaultRow) -> str:
    return f"{clock(fault.from_ns)} to {clock(fault.to_ns)}"


def _state(state: str) -> str:
    """The class of a band; a word of the system's own has none."""
    return state if state in _STATES else "unknown"


def _unbroken(points: Curve) -> Iterable[list[tuple[int, float]]]:
    run: list[tuple[int, float]] = []
    for at_ns, value in points:
        if value is None:
            if run:
                yield run
            run = []
        else:
            run.append((at_ns, value))
    if run:
        yield run


def _shortened(text: str, characters: int) -> str:
    return text if len(text) <= characters else text[: max(characters - 1, 1)] + "…"


def _n(number: float) -> str:
    """A coordinate with one decimal at most, the same on every machine."""
    return f"{number:.1f}".removesuffix(".0")
