"""Checks of what ``/api/v2/resources`` shows: the status of a connection as a source, and of one resource."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pulse_sim.checks.coverage import connection_of, is_seen_at, require_seen
from pulse_sim.checks.judgement import CheckKind, Finding, NoEvidence, check_kind
from pulse_sim.checks.parameters import Moment, ResourceStatus, SourceStatus
from pulse_sim.checks.wording import at_ms, within
from pulse_sim.observation import ResourceSample, RunLog
from pulse_sim.units import format_duration

ABSENT: Final = "absent"


@dataclass(frozen=True, slots=True)
class Shown:
    """A status as one sample of the resources showed it; ``absent`` when the sample did not have the resource."""

    time_ns: int
    seq: int
    status: str


def status_of_source(resource: Mapping[str, Any], source: str) -> str:
    """The status of ``source`` as a source of ``resource``."""
    told = (resource.get("sourceStatus") or {}).get(source) or {}
    return str(told.get("status") or ABSENT)


def source_of(resource: Mapping[str, Any]) -> str:
    """The status of TrueNAS as a source of ``resource``."""
    return status_of_source(resource, "truenas")


def status_of(resource: Mapping[str, Any]) -> str:
    """The status of ``resource``."""
    return str(resource.get("status") or ABSENT)


def shown(
    samples: Sequence[ResourceSample], source_id: str, read: Callable[[Mapping[str, Any]], str]
) -> Sequence[Shown]:
    """What ``read`` says of the resource with ``source_id`` in every sample."""
    found = []
    for sample in samples:
        resource = sample.with_source_id(source_id)
        found.append(Shown(sample.time_ns, sample.seq, ABSENT if resource is None else read(resource)))
    return found


def expected_moment(given: Moment, status: str) -> str:
    """In words."""
    if given.by is not None:
        after = "" if given.after is None else f" after {format_duration(given.after)}"
        return f"{status}{after} by {format_duration(given.by)}"
    if given.at is not None:
        return f"{status} at {format_duration(given.at)}"
    return f"{status} at all times{within(given.between)}"


def find_source(log: RunLog, given: SourceStatus) -> Finding:
    """The source status on the system's own resource, ``system:<connection>``."""
    system = connection_of(log, given.connection).system
    seen = shown(log.resources(system), f"system:{given.connection}", source_of)
    return _judge(log, system, seen, given, given.is_)


def find_resource(log: RunLog, given: ResourceStatus) -> Finding:
    """The status of one resource. A resource that was never shown is a gap in the log's knowledge, not a bad status."""
    connection = connection_of(log, given.resource.split("/", 1)[0])
    seen = shown(log.resources(connection.system), f"system:{given.resource}", status_of)
    if all(one.status == ABSENT for one in seen):
        raise NoEvidence(f"no sample shows system:{given.resource}", [one.seq for one in seen])
    return _judge(log, connection.system, seen, given, given.is_)


def _judge(log: RunLog, system: str, seen: Sequence[Shown], given: Moment, status: str) -> Finding:
    if not seen:
        raise NoEvidence(f"no sample of the resources of {system}")
    if given.between is not None:
        return _throughout(log, system, seen, given.between, status)
    if given.at is not None:
        return _at(log, system, seen, given.at, status)
    return _by(log, system, seen, (given.after or 0, given.by or 0), status)


def _by(log: RunLog, system: str, seen: Sequence[Shown], window: tuple[int, int], status: str) -> Finding:
    after_ns, by_ns = window
    inside = [one for one in seen if after_ns < one.time_ns <= by_ns]
    hit = next((one for one in inside if one.status == status), None)
    if hit is not None:
        return Finding(True, f"{status} at {at_ms(hit.time_ns)}", [hit.seq])
    if not inside or not is_seen_at(log, system, inside[-1].time_ns, by_ns, log.resources_interval_ns):
        raise NoEvidence(f"no sample of the resources of {system} up to {format_duration(by_ns)}")
    return Finding(False, f"never {status}, last {inside[-1].status}", [one.seq for one in inside])


def _at(log: RunLog, system: str, seen: Sequence[Shown], at_ns: int, status: str) -> Finding:
    before = [one for one in seen if one.time_ns <= at_ns]
    if not before or not is_seen_at(log, system, before[-1].time_ns, at_ns, log.resources_interval_ns):
        raise NoEvidence(f"no sample of the resources of {system} just before {format_duration(at_ns)}")
    last = before[-1]
    return Finding(last.status == status, f"{last.status} at {at_ms(last.time_ns)}", [last.seq])


def _throughout(log: RunLog, system: str, seen: Sequence[Shown], window: tuple[int, int], status: str) -> Finding:
    inside = [one for one in seen if window[0] <= one.time_ns <= window[1]]
    other = [one for one in inside if one.status != status]
    if other:
        return Finding(False, f"{other[0].status} at {at_ms(other[0].time_ns)}", [one.seq for one in other])
    times = [one.time_ns for one in inside]
    require_seen(log, system, times, window, log.resources_interval_ns, f"sample of the resources of {system}")
    return Finding(True, f"{status} in {len(inside)} of {len(inside)} samples", [one.seq for one in inside])


KINDS: Final[tuple[CheckKind, ...]] = (
    check_kind(
        "source_status",
        SourceStatus,
        lambda given: f"{given.connection} {expected_moment(given, given.is_)}",
        find_source,
    ),
    check_kind(
        "resource_status",
        ResourceStatus,
        lambda given: f"{given.resource} {expected_moment(given, given.is_)}",
        find_resource,
    ),
)
