"""Handwritten observation logs of a few records, for tests of checks."""

import json
from collections.abc import Callable, Mapping
from itertools import groupby
from typing import Any, Final, NamedTuple, Self

from pulse_sim.checks import CheckResult, judge_run
from pulse_sim.observation import Header, Record, RunLog, Source
from pulse_sim.outcome import Outcome
from pulse_sim.units import SECOND, format_duration, parse_duration

START = "2026-02-09T00:00:00Z"
START_UNIX = 1770595200
LABELS = 'instance="nas-1",instance_type="truenas"'

PLAIN: Final[Mapping[str, Mapping[str, Any]]] = {
    "system": {"version": "TrueNAS-SCALE-24.10.2.4", "serial": "SYS-1", "model": "Mini"},
    "pools": {
        "guid": "1",
        "status": "ONLINE",
        "healthy": True,
        "size": 1000,
        "allocated": 400,
        "free": 600,
        "errors": [0, 0, 0],
        "scan": {"function": None, "state": None, "errors": None},
    },
    "datasets": {
        "type": "FILESYSTEM",
        "pool": "tank",
        "used": 300,
        "available": 500,
        "readonly": False,
        "locked": False,
        "mountpoint": "/mnt/tank",
    },
    "disks": {
        "serial": "D-1",
        "model": "HD",
        "type": "HDD",
        "bus": "ATA",
        "size": 1000,
        "pool": "tank",
        "status": "ONLINE",
        "temperature": 30,
    },
    "alerts": {"klass": "VolumeStatus", "level": "CRITICAL", "dismissed": False},
}
"""Things of an appliance that say nothing in particular."""


def at(text: str | int) -> int:
    """Nanoseconds of ``5m``, or the nanoseconds themselves."""
    return text if isinstance(text, int) else parse_duration(text)


def poll_total(result: str, connection: str = "nas-1") -> str:
    """The text of a series of polls by result."""
    return f'pulse_monitor_poll_total{{instance="{connection}",instance_type="truenas",result="{result}"}}'


def poll_errors(error_type: str, connection: str = "nas-1") -> str:
    """The text of a series of poll errors by type."""
    labels = f'error_type="{error_type}",instance="{connection}",instance_type="truenas"'
    return f"pulse_monitor_poll_errors_total{{{labels}}}"


def gauge(name: str, connection: str = "nas-1") -> str:
    """The text of a per-connection gauge."""
    return f'{name}{{instance="{connection}",instance_type="truenas"}}'


class LogBuilder:
    """Records in the order of the calls; sampler snapshots are written as differences, as a run does."""

    def __init__(
        self,
        connections: Mapping[str, str] | None = None,
        systems: tuple[str, ...] = ("pulse",),
        started: bool = True,
        world: str = "simulated",
        **start: Any,
    ) -> None:
        self.header = Header("test", 7, START, world, "reference", "fifo")
        self.records: list[Record] = []
        self._seen: dict[tuple[str, str], dict[str, Any]] = {}
        named = {"nas-1": "nas-1"} if connections is None else connections
        self.add(
            0,
            "world/start",
            "run",
            scenario="test",
            systems={system: {} for system in systems},
            appliances={appliance: {} for appliance in named.values()},
            connections={
                name: {"system": systems[0], "appliance": appliance, "poll_interval_ns": 60 * SECOND}
                for name, appliance in named.items()
            },
            **start,
        )
        if started:
            for system in systems:
                self.add(0, "sut/started", system, version="1", variant="truenas-off-by-default")

    def add(self, time: str | int, what: str, subject: str, /, **data: Any) -> Self:
        """One record as it is; ``what`` is source/kind."""
        source, kind = what.split("/")
        self.records.append(Record(len(self.records), at(time), Source(source), kind, subject, data))
        return self

    def phase(self, time: str | int, phase: str) -> Self:
        """The start of a phase."""
        return self.add(time, "world/phase", "run", phase=phase)

    def scrape(self, time: str | int, values: Mapping[str, float | str], system: str = "pulse") -> Self:
        """A successful scrape that showed exactly ``values``."""
        return self._sample(time, "metrics", system, {series: str(value) for series, value in values.items()})

    def resources(self, time: str | int, shown: Mapping[str, Mapping[str, Any]], system: str = "pulse") -> Self:
        """A successful sample of the resources, by source id below ``system:``; ids follow from source ids."""
        by_id = {}
        for name, fields in shown.items():
            source_id = f"system:{name}"
            own: dict[str, Any] = {
                "type": "host",
                "name": name,
                "status": "online",
                "sources": ["truenas"],
                "parentId": None,
            }
            own["sourceStatus"] = {
                "truenas": {"status": fields.get("source", "online"), "lastSeen": None, "error": None}
            }
            own |= {
                "sourceId": source_id,
                **{key: value for key, value in fields.items() if key not in ("source", "id")},
            }
            by_id[fields.get("id", f"id-{name}")] = own
        return self._sample(time, "resources", system, by_id)

    def alerts(self, time: str | int, shown: Mapping[str, tuple[str | None, str | None]]) -> Self:
        """A successful sample of the active alerts, each by its id with its rule and its connection."""
        by_id = {name: {"rule": rule, "instance": instance} for name, (rule, instance) in shown.items()}
        return self._sample(time, "alerts", "pulse", by_id)

    def missed(self, time: str | int, kind: str, system: str = "pulse", status: int | None = None) -> Self:
        """A sample that failed."""
        changes: dict[str, Any] = {} if kind == "health" else {"changed": {}, "gone": []}
        error = "ClientConnectionError" if status is None else None
        return self.add(time, f"sampler/{kind}", system, status=status, error=error, **changes)

    def health(self, time: str | int, status: int = 200, system: str = "pulse") -> Self:
        """A health probe that was answered."""
        return self.add(time, "sampler/health", system, status=status, error=None)

    def request(self, arrival: str | int, appliance: str = "nas-1", **data: Any) -> Self:
        """A request by its arrival; it takes 1 ms unless told."""
        entry = {
            "face": "rest",
            "method": "GET",
            "path": "/api/v2.0/pool",
            "status": 200,
            "duration_ns": 1_000_000,
            "bytes": 2,
            "ended": "complete",
            "faults": [],
            "credential": None,
            "user_agent": "pulse",
            **data,
        }
        return self.add(at(arrival) + entry["duration_ns"], "appliance/request", appliance, **entry)

    def truth(self, time: str | int, appliance: str = "nas-1", **parts: Any) -> Self:
        """What an appliance was from then on; of what is not given there is none, and every field has a value."""
        named: dict[str, Any] = {
            part: {name: {**PLAIN[part], **fields} for name, fields in parts.get(part, {}).items()}
            for part in ("pools", "datasets", "disks")
        }
        alerts = [{**PLAIN["alerts"], "uuid": uuid, **fields} for uuid, fields in parts.get("alerts", {}).items()]
        system = {**PLAIN["system"], "hostname": appliance, **parts.get("system", {})}
        return self.add(time, "appliance/truth", appliance, system=system, **named, alerts=alerts)

    def fault(
        self, from_: str | int, to: str | int, on: str = "nas-1", fault: str = "f1", heal: bool = True, **data: Any
    ) -> Self:
        """A fault window with its heal."""
        inject = {
            "kind": "auth.revoke_key",
            "on": on,
            "parameters": {},
            "from_ns": at(from_),
            "to_ns": at(to),
            "stage": "state",
            "witness": {"journal": [{"fault": True, "status": [401]}], "poll_errors": ["auth"]},
            "connections": [on],
            **data,
        }
        self.add(from_, "fault/inject", fault, **inject)
        return self.add(to, "fault/heal", fault) if heal else self

    def action(self, time: str | int, do: str, status: int | None = 200, system: str = "pulse", **given: Any) -> Self:
        """What an operator did."""
        error = None if status == 200 else "refused"
        return self.add(time, "operator/action", system, **{"do": do, "with": given, "status": status, "error": error})

    def _sample(self, time: str | int, kind: str, system: str, snapshot: dict[str, Any]) -> Self:
        before = self._seen.get((kind, system), {})
        changed = {key: value for key, value in snapshot.items() if before.get(key) != value}
        gone = sorted(before.keys() - snapshot.keys())
        self._seen[kind, system] = snapshot
        return self.add(time, f"sampler/{kind}", system, status=200, error=None, changed=changed, gone=gone)

    def files(self, end: str | int, reason: str = "completed") -> tuple[bytes, bytes]:
        """The bytes of both files: records in the order of time, those of one instant in the order of the calls."""
        own, journal = [self.header.encode()], [self.header.encode()]
        ordered = sorted(self.records, key=lambda record: record.time_ns)
        for seq, record in enumerate(ordered):
            placed = Record(seq, record.time_ns, record.source, record.kind, record.subject, record.data)
            (journal if record.kind == "request" else own).append(placed.encode())
        counts = {"records": len(ordered) + 1, "requests": len(journal) - 1, "reason": reason}
        own.append(Record(len(ordered), at(end), Source.WORLD, "end", "run", counts).encode())
        return b"".join(own), b"".join(journal)

    def log(self, end: str | int, reason: str = "completed") -> RunLog:
        """The log as the reader sees it."""
        return RunLog.parse(*self.files(end, reason))


def judge(log: RunLog, check: str, **parameters: Any) -> CheckResult:
    """One check judged; ``is_`` stands for ``is``. The result survives the way through JSON."""
    given = {key.rstrip("_"): value for key, value in parameters.items()}
    (result,) = judge_run(log, [{"check": check, **given}])
    assert CheckResult.from_data(json.loads(json.dumps(result.to_data()))) == result
    assert all(0 <= seq < len(log.records) for seq in result.evidence)
    assert len(result.evidence) <= 8
    assert result.evidence or result.outcome is not Outcome.PASSED
    return result


def every(step: int, from_: int, to: int) -> range:
    """Times from ``from_`` to ``to``, both included."""
    return range(from_, to + 1, step)


class Said(NamedTuple):
    """All that one check says; ``where`` are the records it points at: ``metrics pulse 5m17s 6m17s, log pulse 7m``."""

    outcome: Outcome
    expected: str
    observed: str
    where: str


class Row(NamedTuple):
    """A run of so long, one check of it, what that says, and how the run ended."""

    log: Callable[[], LogBuilder]
    end: str
    check: str
    given: Mapping[str, Any]
    said: Said
    ended: str = "completed"


def said(log: RunLog, check: str, given: Mapping[str, Any]) -> Said:
    """All that one check says of a log."""
    result = judge(log, check, **given)
    reasons = {
        Outcome.PASSED: "",
        Outcome.INCONCLUSIVE: result.observed,
        Outcome.FAILED: f"expected {result.expected}; observed {result.observed}",
    }
    assert result.reason == reasons[result.outcome]
    records = [log.records[seq] for seq in result.evidence]
    groups = groupby(records, key=lambda one: f"{one.kind} {one.subject}")
    told = (" ".join([name, *(format_duration(one.time_ns) for one in group)]) for name, group in groups)
    return Said(result.outcome, result.expected, result.observed, ", ".join(told))


_TRUENAS, _OTHER = 'instance_type="truenas"', 'instance_type="proxmox"'


def beside_others(builder: LogBuilder) -> LogBuilder:
    """The same run, with instances of another type and of the same names on every page of metrics."""
    for record in builder.records:
        if record.kind == "metrics":
            shown = record.data["changed"]
            others = [series.replace(_TRUENAS, _OTHER) for series in shown if _TRUENAS in series]
            shown.update({series: str(record.time_ns // SECOND + 7) for series in others})
    return builder
