"""The second source: agents on hosts, which report themselves (contract A8).

An agent's disk is the same resource as an appliance's where both tell the same believable serial; nothing else of an
agent ever merges with anything. Knows no appliance and fetches nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from pulse_sim.stack.disk_names import believable_serials, disk_ids
from pulse_sim.stack.registry import Registry
from pulse_sim.stack.resources import Record, ResourceType, Status, canonical_id
from pulse_sim.stack.seams import Clock

SOURCE: Final = "agent"
STALE_AFTER_S: Final = 60.0
MAX_HOSTS: Final = 1000


class TooManyHosts(Exception):
    """An organisation has as many reporting hosts as are kept; one a day silent makes room."""


class HostAgents:
    """Takes reports. `time` is monotonic seconds."""

    def __init__(self, registry: Registry, clock: Clock, time: Callable[[], float]) -> None:
        self._registry = registry
        self._clock = clock
        self._time = time

    def report(self, org: str, report: Mapping[str, Any]) -> int:
        """Takes `{id, hostname, status, disks[]}`; how many resources it told of. Raises TooManyHosts.

        Nobody removes an agent: each report begins the day after which it is dropped.
        """
        key, now = (org, SOURCE, str(report["id"])), self._time()
        self._registry.drop_expired(now)
        others = [h for h in self._registry.holdings() if h.key[:2] == key[:2] and h.key != key]
        if len(others) >= MAX_HOSTS:
            raise TooManyHosts
        records = host_records(report, self._registry.known(key))
        self._registry.register(key, STALE_AFTER_S)
        self._registry.ingest(key, records, now, self._clock.now_ns())
        self._registry.retire(key, now)
        return len(records)


def host_records(report: Mapping[str, Any], known: Mapping[str, Record]) -> list[Record]:
    """The records of one report: the host, then its disks, called as they are `known` by where no serial names them."""
    source_id = f"host:{report['id']}"
    disks: Sequence[Mapping[str, Any]] = report.get("disks") or ()
    ids = disk_ids(
        {_disk_source(source_id, disk): disk.get("serial") for disk in disks},
        SOURCE,
        believable_serials(disk.get("serial") for disk in disks),
        {each: record.resource_id for each, record in known.items() if record.type is ResourceType.PHYSICAL_DISK},
    )
    host = Record(
        source_id=source_id,
        resource_id=canonical_id(ResourceType.HOST, f"{SOURCE}:{source_id}"),
        type=ResourceType.HOST,
        name=report["hostname"],
        status=Status(report["status"]),
        parent_id=None,
        tags=(SOURCE, "host"),
        identity={"hostname": report["hostname"]},
    )
    return [host, *(_disk(disk, host, ids[_disk_source(source_id, disk)]) for disk in disks)]


def _disk_source(host_source: str, disk: Mapping[str, Any]) -> str:
    return f"{host_source}/disk:{disk['name']}"


def _disk(disk: Mapping[str, Any], host: Record, resource_id: str) -> Record:
    return Record(
        source_id=_disk_source(host.source_id, disk),
        resource_id=resource_id,
        type=ResourceType.PHYSICAL_DISK,
        name=disk["name"],
        status=Status(disk.get("status") or Status.UNKNOWN),
        parent_id=host.resource_id,
        tags=(SOURCE, "disk"),
        identity={"serial": disk.get("serial"), "model": disk.get("model")},
        metrics={"sizeBytes": disk.get("sizeBytes"), "temperatureCelsius": disk.get("temperatureCelsius")},
    )
