"""Appliances on a clock that stands still until it is set, without any face."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mock_truenas.appliance import Appliance, NasBuilder, build_appliance
from mock_truenas.appliance.plans import Fixture

START_NS = 1_770_595_200_000_000_000  # 2026-02-09T00:00:00Z, a Monday
SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


@dataclass
class Watch:
    """A wall clock to set."""

    at_ns: int = START_NS

    def now_ns(self) -> int:
        return self.at_ns


@dataclass
class Aged:
    """An appliance and its clock."""

    nas: Appliance
    clock: Watch

    def wait(self, passed_ns: int) -> Appliance:
        """Let time pass, then everything happen that is due."""
        self.clock.at_ns += passed_ns
        self.nas.evolve()
        return self.nas

    def classes(self) -> list[str]:
        """The classes of the alerts that stand."""
        return [alert.klass for alert in self.nas.state.alerts.values()]


def aged(fixture: str | Fixture = "baseline", release: str = "24.10", seed: int = 1) -> Aged:
    clock = Watch()
    nas = build_appliance(
        fixture=fixture,
        release=release,
        clock=clock,
        entropy=random.Random(f"{seed}:entropy").randbytes,
        rng=random.Random(f"{seed}:appliance"),
    )
    return Aged(nas, clock)


def built(builder: NasBuilder, release: str = "25.10") -> Aged:
    return aged(builder.plan(), release)


@dataclass(frozen=True)
class Work:
    """The plan of a job."""

    takes_ns: int = 0
    result: Callable[[Appliance], Any] = lambda _: None
    description: str = "work"
    steps: tuple[tuple[float, str], ...] = ()
    abortable: bool = False
