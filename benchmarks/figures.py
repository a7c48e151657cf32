"""What a measurement is: samples with their spread, or the reason why there are none."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias


@dataclass(frozen=True)
class NotMeasured:
    """Why a figure is missing. ``reason`` names no path and no address."""

    reason: str

    def to_data(self) -> dict[str, Any]:
        return {"not_measured": self.reason}


@dataclass(frozen=True)
class Samples:
    """Values of one quantity in the order in which they were taken; at least one."""

    values: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.values:
            raise ValueError("no samples")

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def quartiles(self) -> tuple[float, float]:
        """Lower and upper; of a single value that value twice."""
        if len(self.values) == 1:
            return self.values[0], self.values[0]
        lower, _, upper = statistics.quantiles(self.values, n=4, method="inclusive")
        return lower, upper

    def to_data(self) -> dict[str, Any]:
        lower, upper = self.quartiles
        told = {"median": self.median, "lower_quartile": lower, "upper_quartile": upper}
        told |= {"min": min(self.values), "max": max(self.values)}
        return {
            **{name: round(value, 4) for name, value in told.items()},
            "samples": [round(v, 4) for v in self.values],
        }


Figure: TypeAlias = Samples | NotMeasured


def ratio(figure: Figure, to: Figure) -> Figure:
    """Pair by pair, as they were taken beside each other; the median of it is the ratio that is judged."""
    if isinstance(figure, NotMeasured):
        return figure
    if isinstance(to, NotMeasured):
        return to
    return Samples(tuple(value / other for value, other in zip(figure.values, to.values, strict=True)))


def interleaved(
    measures: dict[str, Callable[[], float]], runs: int, told: Callable[[str], None] = lambda _: None
) -> dict[str, Figure]:
    """Take every measure in turn, ``runs`` times round; one that fails once is not measured, the others go on."""
    values: dict[str, list[float]] = {name: [] for name in measures}
    failed: dict[str, NotMeasured] = {}
    for _ in range(runs):
        for name, measure in measures.items():
            if name not in failed:
                try:
                    values[name].append(measure())
                except MeasurementFailed as failure:
                    failed[name] = NotMeasured(str(failure))
                    told(f"{name}: {failure}\n{failure.detail}")
    return {name: failed[name] if name in failed else Samples(tuple(values[name])) for name in measures}


class MeasurementFailed(Exception):
    """``str()`` of it is the reason that goes into the results; ``detail`` is for the terminal alone."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.detail = detail
