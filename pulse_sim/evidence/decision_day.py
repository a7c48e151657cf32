"""The day a verdict is decided on: that on which its last run ends, in scenario time. Decisions have no other clock."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from pathlib import Path

from pulse_sim.evidence.hostile import BundleDamaged, read_yaml
from pulse_sim.evidence.names import RUNS, SCENARIO
from pulse_sim.units import MICROSECOND, parse_duration
from pulse_sim.verdict import RunSummary


def decision_day(root: Path, runs: Iterable[RunSummary]) -> date | None:
    """The day by the resolved scenarios of the runs below ``root``; None when one of them left no bundle, or none ran.

    Raises BundleDamaged when a scenario does not tell when it begins and how long it lasts.
    """
    names = [run.run for run in runs]
    places = [root / RUNS / name for name in names]
    if not places or not all((place / SCENARIO).is_file() for place in places):
        return None
    return max(_end(place, name) for place, name in zip(places, names, strict=True)).date()


def _end(place: Path, name: str) -> datetime:
    scenario = read_yaml(place, SCENARIO)
    try:
        start = datetime.fromisoformat(str(scenario["start"]))
        return start + timedelta(microseconds=parse_duration(str(scenario["duration"])) // MICROSECOND)
    except (KeyError, ValueError, OverflowError):
        raise BundleDamaged(f"{RUNS}/{name}/{SCENARIO}", "does not tell when the run begins and ends") from None
