"""Two abort criteria on what ``/api/v2/resources`` showed: TrueNAS data corrupted, other sources interfered with.

A resource may go when its connection goes, or when the appliance itself no longer has it; nothing else may make it go,
and nothing may change what it is.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from pulse_sim.checks.coverage import require_seen, require_started
from pulse_sim.checks.judgement import NoEvidence
from pulse_sim.observation import ResourceSample, RunLog, Source

IDENTITY: Final = ("type", "sourceId")
FOREIGN: Final = ("type", "sourceId", "name", "parentId", "sources")
WITHOUT: Final = "without-truenas"
KINDS_OF_TRUTH: Final = {"pool": "pools", "dataset": "datasets", "disk": "disks"}


@dataclass(frozen=True, slots=True)
class Firing:
    """When a criterion first fired, why, and the records that show it."""

    time_ns: int
    what: str
    evidence: tuple[int, ...]


def find_corruption(log: RunLog) -> Firing | None:
    """A TrueNAS resource vanished while its connection stayed configured, or became another type or source id."""
    firings: list[Firing] = []
    for system in log.systems:
        for before, after in _pairs(log, system):
            for key, resource in before.by_id.items():
                if not _is_ours(resource):
                    continue
                if key not in after.by_id:
                    what = None if _may_go(log, system, resource, before, after) else "vanished"
                else:
                    what = _changed(resource, after.by_id[key], IDENTITY)
                if what is not None:
                    firings.append(Firing(after.time_ns, f"{_called(resource, key)} {what}", (before.seq, after.seq)))
            if firings:
                break
    return _first(log, firings)


def find_interference(log: RunLog) -> Firing | None:
    """A resource TrueNAS has no part in vanished or changed its identity; its status is its own source's business."""
    firings: list[Firing] = []
    for system in log.systems:
        for before, after in _pairs(log, system):
            for key, resource in before.by_id.items():
                if _is_ours(resource):
                    continue
                what = _changed(resource, after.by_id[key], FOREIGN) if key in after.by_id else "vanished"
                if what is not None:
                    firings.append(Firing(after.time_ns, f"{_called(resource, key)} {what}", (before.seq, after.seq)))
            if firings:
                break
    return _first(log, firings)


def _pairs(log: RunLog, system: str) -> Iterator[tuple[ResourceSample, ResourceSample]]:
    """Successive samples that differ in which resources they have, or in any of them."""
    return ((before, after) for before, after in pairwise(log.resources(system)) if before.by_id is not after.by_id)


def _first(log: RunLog, firings: list[Firing]) -> Firing | None:
    if firings:
        return min(firings, key=lambda firing: (firing.time_ns, firing.what))
    if not log.systems:
        raise NoEvidence("the log knows no system")
    for system in log.systems:
        require_started(log, system)
        times = [sample.time_ns for sample in log.resources(system)]
        what = f"sample of the resources of {system}"
        require_seen(log, system, times, (0, log.end_ns), log.resources_interval_ns, what)
        shown = [resource for sample in log.resources(system) for resource in sample.by_id.values()]
        if any(_is_ours(one) for one in shown) and not any(one.get("sourceId") for one in shown):
            raise NoEvidence(f"the resources of {system} carry no source id")
    return None


def _is_ours(resource: Mapping[str, Any]) -> bool:
    return "truenas" in (resource.get("sources") or ())


def _changed(before: Mapping[str, Any], after: Mapping[str, Any], fields: tuple[str, ...]) -> str | None:
    return next((f"changed its {field}" for field in fields if before.get(field) != after.get(field)), None)


def _called(resource: Mapping[str, Any], key: str) -> str:
    return str(resource.get("sourceId") or key)[:120]


def _may_go(
    log: RunLog, system: str, resource: Mapping[str, Any], before: ResourceSample, after: ResourceSample
) -> bool:
    """Whether a resource had reason to vanish between two samples."""
    variants = [
        record.data.get("variant") for record in log.of(Source.SUT, "started", system) if record.seq < after.seq
    ]
    if variants and variants[-1] == WITHOUT:
        return True
    owner, _, thing = str(resource.get("sourceId")).removeprefix("system:").partition("/")
    connection = log.connections.get(owner)
    if connection is None:
        return False
    if not any(span.has_seq(before.seq) and span.has_seq(after.seq) for span in connection.configured):
        return True
    return _is_gone_in_truth(log, connection.appliance, thing, after.seq)


def _is_gone_in_truth(log: RunLog, appliance: str, thing: str, seq: int) -> bool:
    """Whether the appliance itself no longer had ``thing`` (``pool:tank``) when the record ``seq`` was written."""
    kind, _, name = thing.partition(":")
    truths = [record for record in log.of(Source.APPLIANCE, "truth", appliance) if record.seq < seq]
    if not truths or kind not in KINDS_OF_TRUTH:
        return False
    return name not in truths[-1].data.get(KINDS_OF_TRUTH[kind], {name: None})
