"""Reads an observation log back, whole or not at all, and answers questions about it.

Everything is checked while loading, so that no question asked later can meet damage. Knows nothing of what a good run
looks like.
"""

from calendar import timegm
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from pulse_sim.observation.delta import apply
from pulse_sim.observation.files import LogDamaged, decode_file, merge, read_file, require_end
from pulse_sim.observation.record import Header, Record, Source
from pulse_sim.observation.series import MetricsHistory, Sample, Scrape
from pulse_sim.observation.topology import Connection, FaultWindow, Request, Span, connections, up_spans
from pulse_sim.observation.truth import Truth
from pulse_sim.observation.writer import JOURNAL, OBSERVATIONS
from pulse_sim.units import MINUTE, SECOND

__all__ = ["AlertSample", "LogDamaged", "ResourceSample", "RunLog"]

DEFAULT_METRICS_INTERVAL_NS: Final = 60 * SECOND
DEFAULT_RESOURCES_INTERVAL_NS: Final = 5 * MINUTE


@dataclass(frozen=True, slots=True)
class ResourceSample:
    """What ``/api/v2/resources`` showed, by resource id.

    A resource has type, name, status, sourceId, sources, sourceStatus and parentId, each as the system gave it or null;
    facts, by name what it told of itself; and alerts, the annotations it bears, each with id, severity and class.
    """

    time_ns: int
    seq: int
    by_id: Mapping[str, Mapping[str, Any]]

    def with_source_id(self, source_id: str) -> Mapping[str, Any] | None:
        """The resource whose source id is ``source_id``, such as ``system:nas-1/pool:tank``."""
        return next((item for item in self.by_id.values() if item.get("sourceId") == source_id), None)


@dataclass(frozen=True, slots=True)
class AlertSample:
    """What ``/api/alerts/active`` showed, by alert id.

    An alert has rule, state, severity, instance (the connection), sourceId and raisedAt, each as the system gave it or
    null.
    """

    time_ns: int
    seq: int
    by_id: Mapping[str, Mapping[str, Any]]


class RunLog:
    """One run's log.

    ``records`` are all of both files in sequence order; times are virtual nanoseconds since the start.
    """

    def __init__(self, header: Header, records: Sequence[Record], files: Mapping[str, bytes]) -> None:
        self.header = header
        self.records = records
        self.raw_files = files
        self._of: dict[tuple[Source, str], list[Record]] = {}
        for record in records:
            self._of.setdefault((record.source, record.kind), []).append(record)
        self._metrics: dict[str, MetricsHistory] = {}
        self._resources: dict[str, list[ResourceSample]] = {}
        self._alerts: dict[str, list[AlertSample]] = {}
        self._requests: dict[str, list[Request]] = {}
        self._truths: dict[str, list[Truth]] = {}
        self._series: dict[tuple[str, str, frozenset[tuple[str, str]]], list[Sample]] = {}
        self.start_unix_ns = _unix_ns(header.start)

    @classmethod
    def load(cls, directory: Path) -> "RunLog":
        """Read ``observations.jsonl`` and ``journal.jsonl``.

        Raises LogDamaged, and nothing else, for anything wrong in them.
        """
        return cls.parse(read_file(directory / OBSERVATIONS), read_file(directory / JOURNAL))

    @classmethod
    def parse(cls, observations: bytes, journal: bytes) -> "RunLog":
        """The log in two files' bytes. Raises LogDamaged."""
        header, own = decode_file(OBSERVATIONS, observations)
        journal_header, requests = decode_file(JOURNAL, journal)
        if journal_header != header:
            raise LogDamaged(f"{JOURNAL} line 1: its header is not the one of {OBSERVATIONS}")
        records = merge(own, requests)
        require_end(records, len(requests))
        try:
            log = cls(header, records, {OBSERVATIONS: observations, JOURNAL: journal})
        except (ValueError, OverflowError) as error:
            raise LogDamaged(f"{OBSERVATIONS} line 1: {error}") from None
        log._put_together()
        return log

    def _put_together(self) -> None:
        self._located(self.of(Source.SAMPLER, "metrics"), self._add_metrics)
        self._located(self.of(Source.SAMPLER, "resources"), self._add_resources)
        self._located(self.of(Source.SAMPLER, "alerts"), self._add_alerts)
        self._located(self.of(Source.APPLIANCE, "truth"), self._add_truth)
        self._located(self.of(Source.APPLIANCE, "request"), self._add_request)
        for arrivals in self._requests.values():
            arrivals.sort(key=lambda request: (request.arrival_ns, request.seq))
        try:
            self.connections: Mapping[str, Connection] = connections(self.start, self.of(Source.OPERATOR, "action"))
        except ValueError as error:
            raise LogDamaged(f"{OBSERVATIONS}: {error}") from None

    def _located(self, records: Sequence[Record], add: Callable[[Record], None]) -> None:
        for record in records:
            try:
                add(record)
            except ValueError as error:
                file = JOURNAL if record.kind == "request" else OBSERVATIONS
                raise LogDamaged(f"{file} record {record.seq}: {error}") from None

    def _add_metrics(self, record: Record) -> None:
        self._metrics.setdefault(record.subject, MetricsHistory()).add(record)

    def _add_resources(self, record: Record) -> None:
        samples = self._resources.setdefault(record.subject, [])
        after = _snapshot(record, samples[-1].by_id if samples else {})
        if after is not None:
            samples.append(ResourceSample(record.time_ns, record.seq, after))

    def _add_alerts(self, record: Record) -> None:
        samples = self._alerts.setdefault(record.subject, [])
        after = _snapshot(record, samples[-1].by_id if samples else {})
        if after is not None:
            samples.append(AlertSample(record.time_ns, record.seq, after))

    def _add_truth(self, record: Record) -> None:
        self._truths.setdefault(record.subject, []).append(Truth.of(record))

    def _add_request(self, record: Record) -> None:
        self._requests.setdefault(record.subject, []).append(Request.of(record))

    @property
    def end_ns(self) -> int:
        """When the run ended."""
        return self.records[-1].time_ns

    @property
    def end_reason(self) -> str:
        """``completed``, ``aborted``, ``deadline`` or ``crashed``."""
        return str(self.records[-1].data["reason"])

    @property
    def start(self) -> Record | None:
        """``world/start``, or None in a log without one."""
        return next(iter(self.of(Source.WORLD, "start")), None)

    @property
    def systems(self) -> tuple[str, ...]:
        """The systems under test, sorted."""
        declared = self.start.data["systems"] if self.start else {}
        return tuple(sorted({*declared, *(record.subject for record in self.of(Source.SUT, "started"))}))

    @property
    def appliances(self) -> tuple[str, ...]:
        """The appliances, sorted."""
        return tuple(sorted(self.start.data["appliances"])) if self.start else ()

    @cached_property
    def metrics_interval_ns(self) -> int:
        """How often ``/metrics`` was to be sampled: ``metrics_every_ns`` of ``world/start``, or 60 s."""
        return self._interval("metrics_every_ns", DEFAULT_METRICS_INTERVAL_NS)

    @cached_property
    def resources_interval_ns(self) -> int:
        """How often resources and health were to be sampled: ``resources_every_ns`` of ``world/start``, or 5 min."""
        return self._interval("resources_every_ns", DEFAULT_RESOURCES_INTERVAL_NS)

    def _interval(self, key: str, default: int) -> int:
        value = self.start.data.get(key) if self.start else None
        return value if type(value) is int and value > 0 else default

    def of(self, source: Source, kind: str, subject: str | None = None) -> Sequence[Record]:
        """The records of one kind, of one subject if given, in order."""
        records = self._of.get((source, kind), [])
        return records if subject is None else [record for record in records if record.subject == subject]

    def up(self, system: str) -> tuple[Span, ...]:
        """When ``system`` was up: from each ``sut/started`` to its ``sut/stopped``."""
        lives = [*self.of(Source.SUT, "started", system), *self.of(Source.SUT, "stopped", system)]
        return up_spans(sorted(lives, key=lambda record: record.seq))

    def phases(self) -> Sequence[Record]:
        """The ``world/phase`` records."""
        return self.of(Source.WORLD, "phase")

    def metrics(self, system: str) -> MetricsHistory:
        """Every series of ``system``; empty when it was never scraped."""
        return self._metrics.get(system) or MetricsHistory()

    def scrapes(self, system: str) -> Sequence[Scrape]:
        """Every attempt to scrape ``system``, failed ones included."""
        return self.metrics(system).attempts

    def health(self, system: str) -> Sequence[Scrape]:
        """Every attempt to read the health of ``system``."""
        return [Scrape.of(record) for record in self.of(Source.SAMPLER, "health", system)]

    def series(self, system: str, name: str, **labels: str) -> Sequence[Sample]:
        """One sample per successful scrape in which ``name`` with at least ``labels`` was present.

        Several such series are summed, scrape by scrape.
        """
        key = (system, name, frozenset(labels.items()))
        if key not in self._series:
            self._series[key] = self.metrics(system).find(name, labels)
        return self._series[key]

    def resources(self, system: str) -> Sequence[ResourceSample]:
        """Every successful sample of the resources of ``system``."""
        return self._resources.get(system, [])

    def alerts(self, system: str) -> Sequence[AlertSample]:
        """Every successful sample of the active alerts of ``system``."""
        return self._alerts.get(system, [])

    def truths(self, appliance: str) -> Sequence[Truth]:
        """What ``appliance`` really was, one for each time it became another."""
        return self._truths.get(appliance, [])

    def exchanges(self, appliance: str) -> Sequence[Request]:
        """The journal of ``appliance``, by arrival; events and ends of connections among it."""
        return self._requests.get(appliance, [])

    def requests(self, appliance: str) -> Sequence[Request]:
        """What ``appliance`` was asked, by arrival: requests, handshakes and calls."""
        return [request for request in self.exchanges(appliance) if request.was_asked]

    def faults(self) -> Sequence[FaultWindow]:
        """Every injected fault, in order of injection."""
        healed: dict[str, list[int]] = {}
        for record in self.of(Source.FAULT, "heal"):
            healed.setdefault(record.subject, []).append(record.seq)
        found = []
        for record in self.of(Source.FAULT, "inject"):
            data = record.data
            after = [seq for seq in healed.get(record.subject, ()) if seq > record.seq]
            found.append(
                FaultWindow(
                    record.subject,
                    data["kind"],
                    data["on"],
                    data["from_ns"],
                    data["to_ns"],
                    data["witness"],
                    tuple(data["connections"]),
                    record.seq,
                    after[0] if after else None,
                )
            )
        return found

    def raw_lines(self) -> Iterator[tuple[str, int, bytes]]:
        """Every line of both files as (file name, line number, bytes)."""
        for name, content in self.raw_files.items():
            for number, line in enumerate(BytesIO(content), start=1):
                yield name, number, line


def _snapshot(record: Record, before: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Mapping[str, Any]] | None:
    """What a sample showed after ``before``; None when it failed."""
    data = record.data
    if data["status"] != 200:
        if data["changed"] or data["gone"]:
            raise ValueError("a sample that failed cannot have seen a change")
        return None
    return apply(before, data) if data["changed"] or data["gone"] else before


def _unix_ns(start: str) -> int:
    moment = datetime.fromisoformat(start)
    if moment.utcoffset() != timedelta(0):
        raise ValueError(f"{start!r} is not a time in UTC")
    return timegm(moment.utctimetuple()) * SECOND + moment.microsecond * 1000
