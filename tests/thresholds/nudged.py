"""Stacks with one alert threshold moved a little, and what the scenario of that threshold must say of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from pulse_sim.outcome import Outcome
from pulse_sim.stack.alerts.book import AlertBook
from pulse_sim.stack.assembly import Parts
from pulse_sim.sut.protocol import SystemFactory
from pulse_sim.sut.reference import ReferenceSystem
from tests.run.rehearsal import Rehearsed, rehearse

THRESHOLDS: Final = Path(__file__).resolve().parents[2] / "scenarios" / "thresholds"
RELEASES: Final = ("24.10", "25.10")

HIGHER: Final[dict[str, dict[str, float]]] = {
    "poll-failing": {"threshold": 4},
    "stale": {"threshold": 330},
    "stale-critical": {"threshold": 630},
    "auth": {"threshold": 1},
    "timeouts": {"threshold": 6},
    "connection": {"threshold": 1},
    "slow": {"threshold": 15},
}
"""Settings of a rule under which what lies just above the true limit is told no more.

15 s is the end of the bucket a poll of ten seconds and a little falls into.
"""

LOWER: Final[dict[str, dict[str, float]]] = {
    "poll-failing": {"threshold": 2},
    "stale": {"threshold": 270},
    "stale-critical": {"threshold": 570},
    "timeouts": {"threshold": 4},
    "slow": {"threshold": 5},
}
"""Settings under which what lies just below is told; nothing is lower than the limits of auth and connection."""


def nudged(rule: str, settings: dict[str, float]) -> SystemFactory:
    """The reference stack with other settings of one rule."""

    class Nudged(AlertBook):
        """Goes by a threshold a little off."""

        def load(self) -> None:
            super().load()
            self.set_config({"rules": {rule: settings}})

    return lambda place: ReferenceSystem(place, Parts(alerts=Nudged))


def rehearsed(directory: Path, rule: str, release: str, *, seed: int = 1, **more: Any) -> Rehearsed:
    """The scenario of a threshold, run once with appliances of a release where it leaves the choice."""
    lines = (THRESHOLDS / f"{rule}.yaml").read_text("utf-8").splitlines(keepends=True)
    text = "".join(line for line in lines if not line.startswith("matrix:")).replace("${release}", release)
    return rehearse(directory, text, seed=seed, **more)


def failed_alert_checks(done: Rehearsed, rule: str) -> set[tuple[str, str]]:
    """Kind and connection of the failed checks on the alert of a rule."""
    return {
        (result.check, str(result.parameters.get("connection")))
        for result in done.results
        if result.outcome is Outcome.FAILED and result.parameters.get("alert") == rule
    }


def sweep_thresholds(seeds: Sequence[int], directory: Path) -> list[str]:
    """What is wrong over thresholds, releases and seeds: a true stack that does not pass, an untrue one that does."""
    faults = []
    for seed in seeds:
        for rule in HIGHER:
            for release in RELEASES:
                place = directory / f"{rule}-{release}-{seed}"
                if rehearsed(place / "true", rule, release, seed=seed).outcome is not Outcome.PASSED:
                    faults.append(f"{rule} on {release} with seed {seed}: the true stack does not pass")
                for name, table in (("higher", HIGHER), ("lower", LOWER)):
                    if rule not in table:
                        continue
                    factory = nudged(rule, table[rule])
                    done = rehearsed(place / name, rule, release, seed=seed, factory=factory)
                    if not failed_alert_checks(done, rule):
                        faults.append(f"{rule} on {release} with seed {seed}: a {name} threshold goes unnoticed")
    return faults
