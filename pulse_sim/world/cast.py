"""Who takes part in a run: the appliances and systems of one scenario, as plain values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class AppliancePlan:
    """One appliance: release and fixture as the mock names them, one-way latency of its links in nanoseconds.

    ``behaviour`` holds the switches that are not as the mock has them by itself.
    """

    release: str
    fixture: str
    tls: bool
    latency_ns: int
    behaviour: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True)
class Cast:
    """``start_ns`` is the unix time of the scenario's start in nanoseconds."""

    start_ns: int
    appliances: Mapping[str, AppliancePlan]
    systems: Sequence[str]
