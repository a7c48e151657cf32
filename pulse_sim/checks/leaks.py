"""The check that nothing leaks: what systems, and in simulation the kernel, hold at the end against what they held.

What leaks does not go away, so a leak is in every one of the last three samples, while a poll in flight is not: the
lowest of the last three is compared with the highest of the reference. Counts only; memory and CPU are not judged here
(R4).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, isfinite
from typing import Final

from pulse_sim.checks.coverage import require_started
from pulse_sim.checks.judgement import CheckKind, Finding, NoEvidence, check_kind
from pulse_sim.checks.parameters import NoLeaks
from pulse_sim.checks.wording import amount, number
from pulse_sim.observation import Record, RunLog, Sample, Source
from pulse_sim.units import DAY, HOUR, format_duration

GAUGES: Final = ("pulse_runtime_tasks", "pulse_runtime_open_connections", "pulse_runtime_timers")
RESOURCES: Final = "pulse_registry_resources"
KERNEL: Final = ("tasks", "transports", "timers")
LAST: Final = 3
KEPT_AFTER_REMOVAL_NS: Final = DAY
IN_FLIGHT: Final = 4
"""What one poll in flight may hold of each kernel count, both ends together; these fall on the beat of the polls."""


@dataclass(frozen=True, slots=True)
class Stretches:
    """The reference ``[from_ns, to_ns)`` and the start of the time whose last samples are compared with it."""

    from_ns: int
    to_ns: int
    late_ns: int


@dataclass(frozen=True, slots=True)
class Growth:
    """One count, before and after, and how much it may be."""

    what: str
    before: float
    after: float
    allowed: int
    evidence: tuple[int, ...]

    @property
    def is_leak(self) -> bool:
        """Whether it is more than it may be."""
        return self.after > self.allowed


def find_growth(log: RunLog, given: NoLeaks) -> Finding:
    """The gauges of every system and the kernel's counts, each against its own reference."""
    stretches = _stretches(log)
    if not log.systems:
        raise NoEvidence("the log knows no system")
    growths: list[Growth] = []
    for system in log.systems:
        require_started(log, system)
        scale = _scale(log, stretches, system)
        for name in GAUGES:
            growths.append(_gauge(log, system, name, stretches, scale, given.tolerance))
        growths.append(_resources(log, system, stretches, given.tolerance))
    growths.extend(_kernel(log, stretches, given.tolerance))
    leaks = [growth for growth in growths if growth.is_leak]
    if leaks:
        worst = leaks[0]
        observed = f"{worst.what} {number(worst.before)} before, {number(worst.after)} after, {worst.allowed} allowed"
        return Finding(False, observed, [seq for growth in leaks for seq in growth.evidence])
    observed = ", ".join(f"{growth.what} {number(growth.before)} to {number(growth.after)}" for growth in growths)
    return Finding(True, observed, [seq for growth in growths for seq in growth.evidence])


def _stretches(log: RunLog) -> Stretches:
    """Steady state before the first fault and settle; without faults, the first quarter (at most 1 h) and the rest."""
    began: dict[str, int] = {}
    for record in log.phases():
        began.setdefault(record.data["phase"], record.time_ns)
    if "steady" not in began:
        raise NoEvidence("no steady state: the connections did not all succeed before the first fault")
    from_ns = began["steady"]
    faults = log.faults()
    if not faults:
        length_ns = log.end_ns - from_ns
        return Stretches(from_ns, from_ns + min(HOUR, length_ns // 4), from_ns + length_ns * 3 // 4)
    settles = [record.time_ns for record in log.phases() if record.data["phase"] == "settle"]
    if not settles:
        raise NoEvidence("the run has no settle phase")
    return Stretches(from_ns, min(fault.from_ns for fault in faults), settles[-1])


def _configured(log: RunLog, system: str | None, time_ns: int) -> frozenset[str]:
    return frozenset(
        one.id for one in log.connections.values() if system in (None, one.system) and one.is_configured_at(time_ns)
    )


def _remembered(log: RunLog, system: str, time_ns: int) -> frozenset[str]:
    """Connections whose resources a system rightly holds: a removed one's are kept for a day (pulse-contract A8)."""
    return frozenset(
        one.id
        for one in log.connections.values()
        if one.system == system
        and any(
            span.from_ns <= time_ns and (span.to_ns is None or time_ns < span.to_ns + KEPT_AFTER_REMOVAL_NS)
            for span in one.configured
        )
    )


def _scale(log: RunLog, stretches: Stretches, system: str | None) -> Fraction:
    """How much more the system may hold because it has more connections than in the reference; never less than 1."""
    before = len(_configured(log, system, stretches.from_ns))
    after = len(_configured(log, system, _last_look(log)))
    return max(Fraction(1), Fraction(after, before)) if before else Fraction(1 + after)


def _last_look(log: RunLog) -> int:
    return max((scrapes[-1].time_ns for system in log.systems if (scrapes := log.metrics(system).scrapes)), default=0)


def _gauge(log: RunLog, system: str, name: str, stretches: Stretches, scale: Fraction, tolerance: int) -> Growth:
    before, after = _compared(log.series(system, name), stretches, f"{name} of {system}")
    allowed = ceil(Fraction(before.value) * scale) + tolerance
    return Growth(_label(log, system, name), before.value, after.value, allowed, (before.seq, after.seq))


def _resources(log: RunLog, system: str, stretches: Stretches, tolerance: int) -> Growth:
    """Resources may grow by those that belong to connections added since, removed again or not."""
    before, after = _compared(log.series(system, RESOURCES), stretches, f"{RESOURCES} of {system}")
    allowed = ceil(before.value) + tolerance
    if after.value > allowed:
        new = _remembered(log, system, after.time_ns) - _configured(log, system, stretches.from_ns)
        allowed += _shown_of(log, system, new, stretches.late_ns) if new else 0
    return Growth(_label(log, system, RESOURCES), before.value, after.value, allowed, (before.seq, after.seq))


def _shown_of(log: RunLog, system: str, connections: frozenset[str], late_ns: int) -> int:
    """How many resources of ``connections`` the last sample shows."""
    samples = [one for one in log.resources(system) if one.time_ns >= late_ns]
    if not samples:
        raise NoEvidence(f"no sample of the resources of {system} after {format_duration(late_ns)}")
    owners = (str(one.get("sourceId")).removeprefix("system:").split("/", 1)[0] for one in samples[-1].by_id.values())
    return sum(owner in connections for owner in owners)


def _compared(samples: Sequence[Sample], stretches: Stretches, what: str) -> tuple[Sample, Sample]:
    """The highest sample of the reference and the lowest of the last three."""
    early = [one for one in samples if stretches.from_ns <= one.time_ns < stretches.to_ns]
    late = [one for one in samples if one.time_ns >= stretches.late_ns][-LAST:]
    if not early or len(late) < LAST:
        raise NoEvidence(f"too few samples of {what}: {len(early)} before, {len(late)} of {LAST} after")
    unreadable = [one.seq for one in (*early, *late) if not isfinite(one.value)]
    if unreadable:
        raise NoEvidence(f"{what} was no number", unreadable)
    return max(early, key=lambda one: one.value), min(late, key=lambda one: one.value)


def _kernel(log: RunLog, stretches: Stretches, tolerance: int) -> Sequence[Growth]:
    """The kernel's counts; only simulation has them, and one taken as the last fault heals tells nothing yet."""
    records = log.of(Source.WORLD, "counts")
    if log.header.world != "simulated":
        return ()
    early = [one for one in records if stretches.from_ns <= one.time_ns <= stretches.to_ns]
    late = [one for one in records if one.time_ns > stretches.late_ns][-LAST:]
    if not records:
        raise NoEvidence("the kernel's counts were not recorded")
    if not early or not late:
        raise NoEvidence("the kernel's counts were not recorded before and after", [one.seq for one in records])
    if not all(one.data["tasks"] for one in (*early, *late)):
        raise NoEvidence("the kernel counted no task, though it was counting", [one.seq for one in (*early, *late)])
    return [_kernel_growth(log, name, early, late, stretches, tolerance) for name in KERNEL]


def _kernel_growth(
    log: RunLog, name: str, early: Sequence[Record], late: Sequence[Record], stretches: Stretches, tolerance: int
) -> Growth:
    before = max(early, key=lambda one: int(one.data[name]))
    after = min(late, key=lambda one: int(one.data[name]))
    polls = len(_configured(log, None, after.time_ns))
    allowed = ceil(before.data[name] * _scale(log, stretches, None)) + tolerance + IN_FLIGHT * polls
    return Growth(f"kernel {name}", before.data[name], after.data[name], allowed, (before.seq, after.seq))


def _label(log: RunLog, system: str, name: str) -> str:
    short = name.removeprefix("pulse_").replace("_", " ")
    return short if len(log.systems) == 1 else f"{short} of {system}"


KINDS: Final[tuple[CheckKind, ...]] = (
    check_kind(
        "no_leaks",
        NoLeaks,
        lambda given: f"counts back to their steady state, {amount(given.tolerance, 'more')[:-1]} allowed",
        find_growth,
    ),
)
