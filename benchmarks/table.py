"""The table that `make bench` prints: each figure against its goal and against what was committed last."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rich.table import Table

from benchmarks.figures import Figure, NotMeasured


@dataclass(frozen=True)
class Goal:
    """``at_least`` or ``at_most`` a value; with neither the figure is only told."""

    at_least: float | None = None
    at_most: float | None = None

    def text(self) -> str:
        if self.at_least is not None:
            return f"≥ {self.at_least:g}"
        return "" if self.at_most is None else f"≤ {self.at_most:g}"

    def judged(self, value: float) -> str:
        """``met``, or short by how much of the goal."""
        if self.at_least is not None:
            missing = self.at_least - value
            of = self.at_least
        elif self.at_most is not None:
            missing = value - self.at_most
            of = self.at_most
        else:
            return "told"
        return "met" if missing <= 0 else f"short by {100 * missing / of:.1f} %"


@dataclass(frozen=True)
class Row:
    """One figure: ``key`` names it in the results, ``unit`` follows its value."""

    key: str
    title: str
    unit: str
    goal: Goal
    figure: Figure

    def to_data(self) -> dict[str, Any]:
        told: dict[str, Any] = {"title": self.title, "unit": self.unit, "goal": self.goal.text() or None}
        if not isinstance(self.figure, NotMeasured):
            told["judged"] = self.goal.judged(self.figure.median)
        return told | self.figure.to_data()


def cells(row: Row, earlier: Mapping[str, Any]) -> tuple[str, ...]:
    """What the table shows of a row: title, goal, measured, spread, judged, last committed."""
    before = earlier.get(row.key, {}).get("median")
    last = "" if before is None else number(before)
    if isinstance(row.figure, NotMeasured):
        return row.title, row.goal.text(), "not measured", row.figure.reason, "", last
    median = row.figure.median
    if before:
        last += f" ({100 * (median - before) / before:+.0f} %)"
    lower, upper = row.figure.quartiles
    spread = f"{number(lower)}–{number(upper)} in {number(min(row.figure.values))}–{number(max(row.figure.values))}"
    if len(row.figure.values) == 1:
        spread = "one run"
    return row.title, row.goal.text(), f"{number(median)} {row.unit}", spread, row.goal.judged(median), last


def number(value: float) -> str:
    """Three figures are enough to compare, and whole numbers stay whole."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def table(title: str, rows: Iterable[Row], earlier: Mapping[str, Any]) -> Table:
    """The rows beside ``earlier``: the figures last committed, by key."""
    shown = Table(title=title, title_justify="left")
    for heading in ("", "goal", "measured (median)", "quartiles in range", "", "last committed"):
        shown.add_column(heading, justify="left" if not heading else "right", overflow="fold")
    for row in rows:
        shown.add_row(*cells(row, earlier))
    return shown
