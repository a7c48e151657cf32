"""The check that the faults of a run were felt.

A fault nobody felt proves nothing, so it is never a failure: INCONCLUSIVE. Judged from the other side only: what the
appliance answered, and what the client counted.
"""

import re
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any, Final

from pulse_sim.checks.counters import Step, edges, rise, steps
from pulse_sim.checks.judgement import CheckKind, Finding, NoEvidence, check_kind
from pulse_sim.checks.parameters import FaultsTookEffect
from pulse_sim.checks.polls import ERRORS, INSTANCE_TYPE
from pulse_sim.observation import FaultWindow, Request, RunLog
from pulse_sim.units import MICROSECOND, SECOND, format_duration

SLACK_NS: Final = 30 * SECOND
"""A poll's deadline: one that began inside the window may be counted this much later."""

_ROUNDING_NS: Final = MICROSECOND
"""What a sum of doubles may be off by."""

DURATION: Final = "pulse_monitor_poll_duration_seconds"
LAST_SUCCESS: Final = "pulse_monitor_poll_last_success_timestamp"
STALENESS: Final = "pulse_monitor_poll_staleness_seconds"
_NUMBER: Final = re.compile(r"[0-9]+(\.[0-9]+)?")
JOURNAL_KEYS: Final = frozenset({"fault", "status", "ended", "duration_at_least_ns"})


def find_effects(log: RunLog, _given: FaultsTookEffect) -> Finding:
    """Every injected fault's witness is satisfied inside its window."""
    faults = log.faults()
    unfelt: list[str] = []
    evidence: list[int] = []
    for fault in faults:
        seen = witnessed(log, fault)
        if not seen:
            window = f"{format_duration(fault.from_ns)} to {format_duration(fault.to_ns)}"
            unfelt.append(f"{fault.id} ({fault.kind} on {fault.on}, {window})")
        evidence.extend(seen[:1] or [fault.seq])
    if unfelt:
        raise NoEvidence(f"never took effect: {'; '.join(unfelt)}", [fault.seq for fault in faults])
    unhealed = [fault for fault in faults if fault.healed_seq is None]
    if unhealed:
        raise NoEvidence(f"never healed: {', '.join(fault.id for fault in unhealed)}", [one.seq for one in unhealed])
    if not faults and any(record.data["phase"] == "inject" for record in log.phases()):
        raise NoEvidence("a fault window began, but no fault was injected")
    if not log.phases():
        raise NoEvidence("the log has no phases")
    return Finding(
        True,
        f"{len(faults)} of {len(faults)} took effect" if faults else "none scheduled",
        evidence or [log.phases()[-1].seq],
    )


def witnessed(log: RunLog, fault: FaultWindow) -> Sequence[int]:
    """The records that show ``fault`` took effect; any one part of its witness is enough."""
    witness = fault.witness
    seen = [request.seq for request in _requests(log, fault) if _matches(request, fault, witness.get("journal") or ())]
    for name in fault.connections:
        connection = log.connections.get(name)
        if connection is None or not log.up(connection.system):
            continue
        labels = {"instance_type": INSTANCE_TYPE, "instance": name}
        seen.extend(_errors(log, connection.system, fault, labels))
        seen.extend(_slow_polls(log, connection.system, fault, labels))
        seen.extend(_clock_off(log, connection.system, fault, labels))
    return seen


def _requests(log: RunLog, fault: FaultWindow) -> Sequence[Request]:
    appliances = {fault.on} & set(log.appliances) or {
        log.connections[name].appliance for name in fault.connections if name in log.connections
    }
    requests = [request for appliance in sorted(appliances) for request in log.exchanges(appliance)]
    return [request for request in requests if fault.from_ns <= request.arrival_ns < fault.to_ns]


def _matches(request: Request, fault: FaultWindow, matchers: Sequence[Mapping[str, Any]]) -> bool:
    return any(_fits(request, fault, matcher) for matcher in matchers)


def _fits(request: Request, fault: FaultWindow, matcher: Mapping[str, Any]) -> bool:
    """Whether all of a matcher holds. An empty one, or one with a key unknown here, holds for nothing."""
    if not matcher or not matcher.keys() <= JOURNAL_KEYS:
        return False
    if "fault" in matcher and (fault.id in request.faults) is not matcher["fault"]:
        return False
    if "status" in matcher and request.status not in matcher["status"]:
        return False
    if "ended" in matcher and request.ended not in matcher["ended"]:
        return False
    least_ns: int = matcher.get("duration_at_least_ns", 0)
    return request.duration_ns >= least_ns


def _errors(log: RunLog, system: str, fault: FaultWindow, labels: Mapping[str, str]) -> Sequence[int]:
    window = (fault.from_ns, fault.to_ns + SLACK_NS)
    seen: list[int] = []
    for error_type in fault.witness.get("poll_errors") or ():
        try:
            gained = rise(log, system, window, ERRORS, **labels, error_type=error_type)
        except NoEvidence:
            continue
        if gained.amount > 0:
            seen.extend(gained.evidence)
    return seen


def _slow_polls(log: RunLog, system: str, fault: FaultWindow, labels: Mapping[str, str]) -> Sequence[int]:
    """Scrapes before which a poll of at least the asked length ended: by the mean, or by a bucket it does not fit."""
    least_ns = fault.witness.get("poll_slower_than_ns")
    longer_ns = fault.witness.get("poll_slower_than_usual_ns")
    if least_ns is None and longer_ns is None:
        return ()
    try:
        scrapes = log.metrics(system).scrapes
        begin, end = edges(log, system, scrapes, fault.from_ns, fault.to_ns + SLACK_NS)
        seconds = steps(log, system, f"{DURATION}_sum", **labels)
        counts = steps(log, system, f"{DURATION}_count", **labels)
    except NoEvidence:
        return ()
    means = [
        spent.gain / polls.gain if polls.gain and spent.gain is not None else None
        for polls, spent in zip(counts, seconds, strict=True)
    ]
    limits = [] if least_ns is None else [(least_ns - _ROUNDING_NS) / SECOND]
    before = [mean for mean in means[:begin] if mean is not None]
    if longer_ns is not None and before:
        # Half a microsecond of a microsecond must still tell it from the usual.
        limits.append(median(before) + (longer_ns - min(_ROUNDING_NS, longer_ns / 2)) / SECOND)
    seen: set[int] = set()
    for least_s in limits:
        quick = _quick_polls(log, system, least_s, labels)
        for index in range(begin, end + 1):
            mean, polls = means[index], counts[index].gain
            if mean is None or polls is None:
                continue
            within_bucket = quick[index].gain if quick else None
            if mean >= least_s or (within_bucket is not None and polls > within_bucket):
                seen.add(counts[index].seq)
    return sorted(seen)


def _clock_off(log: RunLog, system: str, fault: FaultWindow, labels: Mapping[str, str]) -> Sequence[int]:
    """Scrapes by which the system's clock is off: the time of its last success and how long ago that was make its now.

    How long ago it was the system tells by monotonic time, which no step touches.
    """
    off_ns = fault.witness.get("clock_off_ns")
    if not off_ns:
        return ()
    stamps = log.series(system, LAST_SUCCESS, **labels)
    ages = {sample.seq: sample.value for sample in log.series(system, STALENESS, **labels)}
    seen: list[int] = []
    for stamp in stamps:
        if not fault.from_ns <= stamp.time_ns < fault.to_ns or not stamp.value or stamp.seq not in ages:
            continue
        found_ns = (stamp.value + ages[stamp.seq]) * SECOND - (log.start_unix_ns + stamp.time_ns)
        if found_ns / off_ns >= 0.5:
            seen.append(stamp.seq)
    return seen


def _quick_polls(log: RunLog, system: str, least_s: float, labels: Mapping[str, str]) -> Sequence[Step]:
    """The polls in the smallest bucket that ends at ``least_s`` or later; empty when there is no such bucket, or when
    its samples are no numbers.
    """
    bounds = {
        float(series.labels["le"]): series.labels["le"]
        for series in log.metrics(system).names.values()
        if series.name == f"{DURATION}_bucket" and _NUMBER.fullmatch(series.labels.get("le", ""))
    }
    least = min((bound for bound in bounds if bound >= least_s), default=None)
    if least is None:
        return ()
    try:
        return steps(log, system, f"{DURATION}_bucket", **labels, le=bounds[least])
    except NoEvidence:
        return ()


KINDS: Final[tuple[CheckKind, ...]] = (
    check_kind(
        "faults_took_effect", FaultsTookEffect, lambda _: "every fault took effect inside its window", find_effects
    ),
)
