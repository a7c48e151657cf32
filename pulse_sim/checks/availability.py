"""The check that a system answered whoever looked at it: its health, its pages and its metrics, over a whole run.

Counts looks, not seconds; what was in the answers is other checks' business.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Final

from pulse_sim.checks.coverage import require_seen, require_started
from pulse_sim.checks.judgement import CheckKind, Finding, NoEvidence, check_kind
from pulse_sim.checks.parameters import Name, Parameters, Share, Window
from pulse_sim.checks.wording import percent, within
from pulse_sim.observation import RunLog, Scrape, Source

LOOKS: Final[Mapping[str, str]] = {
    "health": "health probe",
    "metrics": "scrape",
    "resources": "look at the resources",
    "connections": "look at the connections",
}
ABSENT: Final = 404
"""A page this system or version does not have: no look at all, neither answered nor not."""


class Availability(Parameters):
    """A system answered at least a share of the looks at its health, metrics and pages."""

    system: Name = "pulse"
    at_least: Share
    between: Window | None = None


def expected_answers(given: Availability) -> str:
    """In words."""
    share = percent(Fraction(str(given.at_least)))
    return f"at least {share} of the looks at {given.system} answered{within(given.between)}"


def find_answers(log: RunLog, given: Availability) -> Finding:
    """Looks while it was stopped count as well: whoever looked got no answer, whatever the reason."""
    require_started(log, given.system)
    window = given.between or (log.up(given.system)[0].from_ns, log.end_ns)
    counted: list[Scrape] = []
    for kind, what in LOOKS.items():
        looks = _looks(log, given.system, kind, window)
        interval_ns = log.metrics_interval_ns if kind == "metrics" else log.resources_interval_ns
        times = [look.time_ns for look in looks]
        require_seen(log, given.system, times, window, interval_ns, f"{what} of {given.system}")
        present = [look for look in looks if look.status != ABSENT]
        if kind == "health" and not present:
            raise NoEvidence(f"{given.system} has no page of its health", [look.seq for look in looks])
        counted.extend(present)
    missed = [look for look in counted if not look.ok]
    share = Fraction(len(counted) - len(missed), len(counted))
    observed = f"{percent(share)}: {len(counted) - len(missed)} of {len(counted)} looks answered"
    evidence = [look.seq for look in missed] or [counted[0].seq, counted[-1].seq]
    return Finding(share >= Fraction(str(given.at_least)), observed, evidence)


def _looks(log: RunLog, system: str, kind: str, window: tuple[int, int]) -> Sequence[Scrape]:
    looks = [Scrape.of(record) for record in log.of(Source.SAMPLER, kind, system)]
    return [look for look in looks if window[0] <= look.time_ns <= window[1]]


KINDS: Final[tuple[CheckKind, ...]] = (check_kind("availability", Availability, expected_answers, find_answers),)
