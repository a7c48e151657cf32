"""The last known records on disk, so that a restart ends in stale and not in nothing (contract A8).

The file holds no secret. A file that cannot be read is reported and replaced at the next save: its content comes back
with the next poll.
"""

import json
import logging
import math
from collections.abc import Callable, Collection
from typing import Any, Final

from pulse_sim.stack.registry import Holding, Registry
from pulse_sim.stack.resources import Record, ResourceType, Status
from pulse_sim.stack.runtime import Runtime
from pulse_sim.stack.safe_write import safe_write
from pulse_sim.stack.seams import Clock, Disk

RECORDS_FILE: Final = "registry.json"
SAVE_S: Final = 60.0
_VERSION: Final = 1
_log = logging.getLogger("pulse.records")


class Keeper:
    """Loads the registry at start and saves it every minute and at stop, when something changed.

    `foreign` are sources this version knows nothing of: what the file has of them is not shown, and is written back as
    it was for the version that knows them.
    """

    def __init__(
        self,
        registry: Registry,
        disk: Disk,
        data_dir: str,
        clock: Clock,
        time: Callable[[], float],
        foreign: Collection[str] = (),
    ) -> None:
        self._registry = registry
        self._disk = disk
        self._path = f"{data_dir}/{RECORDS_FILE}"
        self._clock = clock
        self._time = time
        self._saved_version = 0
        self._encoded: dict[int, tuple[Record, str]] = {}
        self._failing = False
        self._foreign = frozenset(foreign)
        self._written_back: list[str] = []

    async def run(self, runtime: Runtime) -> None:
        """Saves every minute until cancelled, without what has expired by then."""
        while True:
            await runtime.sleep_until(runtime.time() + SAVE_S)
            self._registry.drop_expired(self._time())
            self.save()

    def load(self) -> None:
        """Puts the saved records into the registry, as old as they are; a clock set back makes them fresh at most."""
        try:
            document = json.loads(self._disk.read(self._path))
            if document["version"] != _VERSION:
                raise ValueError("unknown version")
            for entry in document["holdings"]:
                if entry["key"][1] in self._foreign:
                    self._written_back.append(json.dumps(entry, separators=(",", ":")))
                    continue
                self._registry.restore(_holding(entry, self._clock.now_ns(), self._time()))
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError) as failure:
            _log.error(
                "%(file)s not loaded: %(exception)s", {"file": RECORDS_FILE, "exception": type(failure).__name__}
            )
        self._saved_version = self._registry.version

    def save(self) -> None:
        """Writes the registry when it changed since the last save. A disk that fails is reported once, not fatal."""
        if self._registry.version == self._saved_version:
            return
        kept: dict[int, tuple[Record, str]] = {}
        holdings = [self._entry(holding, kept) for holding in self._registry.holdings()]
        self._encoded = kept
        holdings += self._written_back
        text = f'{{"version":{_VERSION},"holdings":[{",".join(holdings)}]}}'
        try:
            safe_write(self._disk, self._path, text.encode())
        except OSError as failure:
            if not self._failing:
                fields = {"file": RECORDS_FILE, "exception": type(failure).__name__}
                _log.error("%(file)s not saved: %(exception)s", fields)
            self._failing = True
            return
        self._failing = False
        self._saved_version = self._registry.version

    def _entry(self, holding: Holding, kept: dict[int, tuple[Record, str]]) -> str:
        """One holding as JSON; a record that did not change since the last save is not encoded again."""
        records = []
        for source_id, record in holding.records.items():
            known = self._encoded.get(id(record))
            text = known[1] if known is not None and known[0] is record else _encode(record)
            kept[id(record)] = (record, text)
            records.append(f"[{holding.changed_ns.get(source_id, 0)},{text}]")
        retired_ns = None
        if holding.retired_at is not None:
            retired_ns = self._clock.now_ns() - int((self._time() - holding.retired_at) * 1e9)
        head = json.dumps(
            {"key": holding.key, "limitSeconds": holding.limit_s, "seenNs": holding.seen_ns, "retiredNs": retired_ns}
        )
        return f'{head[:-1]}, "records":[{",".join(records)}]}}'


def _encode(record: Record) -> str:
    return json.dumps(
        {
            "sourceId": record.source_id,
            "resourceId": record.resource_id,
            "type": record.type,
            "name": record.name,
            "status": record.status,
            "parentId": record.parent_id,
            "tags": record.tags,
            "identity": record.identity,
            "metrics": record.metrics,
            "details": record.details,
            "alerts": record.alerts,
        },
        separators=(",", ":"),
    )


def _holding(entry: dict[str, Any], now_ns: int, now: float) -> Holding:
    org, source, connection_id = entry["key"]
    seen_ns, retired_ns = entry["seenNs"], entry["retiredNs"]
    records, changed_ns = {}, {}
    for changed, data in entry["records"]:
        record = _record(data)
        records[record.source_id] = record
        changed_ns[record.source_id] = int(changed)
    limit_s = float(entry["limitSeconds"])
    if not 0 < limit_s < math.inf:
        raise ValueError("not a limit")
    return Holding(
        key=(str(org), str(source), str(connection_id)),
        limit_s=limit_s,
        records=records,
        changed_ns=changed_ns,
        seen_at=None if seen_ns is None else now - max(now_ns - int(seen_ns), 0) / 1e9,
        seen_ns=None if seen_ns is None else int(seen_ns),
        retired_at=None if retired_ns is None else now - max(now_ns - int(retired_ns), 0) / 1e9,
    )


def _record(data: dict[str, Any]) -> Record:
    return Record(
        source_id=str(data["sourceId"]),
        resource_id=str(data["resourceId"]),
        type=ResourceType(data["type"]),
        name=str(data["name"]),
        status=Status(data["status"]),
        parent_id=data["parentId"],
        tags=tuple(data["tags"]),
        identity=dict(data["identity"]),
        metrics=dict(data["metrics"]),
        details=dict(data["details"]),
        alerts=tuple(data["alerts"]),
    )
