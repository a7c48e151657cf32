"""The check that another source of resources has no part in TrueNAS's trouble: what it says is shown as it says it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pulse_sim.checks.coverage import require_seen, require_started
from pulse_sim.checks.judgement import CheckKind, Finding, NoEvidence, check_kind
from pulse_sim.checks.parameters import Name, Parameters, Window
from pulse_sim.checks.statuses import status_of_source
from pulse_sim.checks.wording import amount, at_ms, within
from pulse_sim.observation import ResourceSample, RunLog, Source

OURS: Final = "truenas"
OWN: Final = ("type", "name", "status", "parentId", "sourceId", "sources", "facts", "alerts")
TROUBLE: Final = frozenset(
    {"remove_connection", "disable_connection", "update_connection", "add_connection", "enable_connection"}
)
"""Actions that change what TrueNAS says."""


class SourceUndisturbed(Parameters):
    """While TrueNAS is in trouble, the resources of another source keep their status and data."""

    source: Name
    system: Name = "pulse"
    between: Window | None = None


def expected_source(given: SourceUndisturbed) -> str:
    """In words."""
    return f"the resources of {given.source} stay online and as they are{within(given.between)}, whatever TrueNAS does"


def find_source_disturbance(log: RunLog, given: SourceUndisturbed) -> Finding:
    """Every sample from the first that shows the source, or of the window, against the first of them.

    What the source alone speaks of keeps status and data; what TrueNAS speaks of too keeps the source among its
    sources, and the source online.
    """
    require_started(log, given.system)
    from_ns, to_ns = given.between or (0, log.end_ns)
    samples = [one for one in log.resources(given.system) if from_ns <= one.time_ns <= to_ns]
    if given.between is None:
        first = next((index for index, one in enumerate(samples) if _of_source(one, given.source)), len(samples))
        samples = samples[first:]
    if not samples or not _of_source(samples[0], given.source):
        when = within(given.between)
        raise NoEvidence(f"no resource of {given.source} was shown{when}", [one.seq for one in samples[:1]])
    first_shown = _of_source(samples[0], given.source)
    for sample in samples:
        wrong = _disturbance(first_shown, sample, given.source)
        if wrong is not None:
            return Finding(False, f"{wrong} at {at_ms(sample.time_ns)}", [samples[0].seq, sample.seq])
    begin_ns = samples[0].time_ns if given.between is None else from_ns
    _require_trouble(log, given, begin_ns, to_ns)
    times = [one.time_ns for one in samples]
    what = f"sample of the resources of {given.system}"
    require_seen(log, given.system, times, (begin_ns, to_ns), log.resources_interval_ns, what)
    shown = f"{amount(len(first_shown), 'resource')} the same in {amount(len(samples), 'sample')}"
    return Finding(True, shown, [samples[0].seq, samples[-1].seq])


def _of_source(sample: ResourceSample, source: str) -> Mapping[str, Mapping[str, Any]]:
    return {key: one for key, one in sample.by_id.items() if source in (one.get("sources") or ())}


def _disturbance(first: Mapping[str, Mapping[str, Any]], sample: ResourceSample, source: str) -> str | None:
    for key, before in first.items():
        called = str(before.get("sourceId") or key)[:120]
        after = sample.by_id.get(key)
        if after is None:
            return f"{called} is not shown"
        if source not in (after.get("sources") or ()):
            return f"{called} is no longer one of {source}"
        status = status_of_source(after, source)
        if status != "online":
            return f"{called} is {status} as a resource of {source}"
        is_shared = OURS in (before.get("sources") or ()) or OURS in (after.get("sources") or ())
        changed = [] if is_shared else [field for field in OWN if before.get(field) != after.get(field)]
        if changed:
            return f"{called} changed its {changed[0]}"
    return None


def _require_trouble(log: RunLog, given: SourceUndisturbed, from_ns: int, to_ns: int) -> None:
    """Raises NoEvidence when nothing happened to TrueNAS: peace without trouble proves nothing."""
    faults: Sequence[int] = [
        fault.seq
        for fault in log.faults()
        if fault.on not in log.systems and fault.from_ns < to_ns and from_ns < fault.to_ns
    ]
    actions = [
        record.seq
        for record in log.of(Source.OPERATOR, "action", given.system)
        if record.data["do"] in TROUBLE and from_ns <= record.time_ns <= to_ns
    ]
    if not faults and not actions:
        raise NoEvidence(f"nothing happened to TrueNAS while {given.source} was watched")


KINDS: Final[tuple[CheckKind, ...]] = (
    check_kind("source_undisturbed", SourceUndisturbed, expected_source, find_source_disturbance),
)
