"""A run over virtual time, read off its log and thinned so that a week fits on a page without losing a peak.

Knows the names of the metrics of a poller (pulse-contract A7) and nothing of how they are drawn.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise, zip_longest
from math import isfinite
from typing import Any, Final

from pulse_sim.observation import Connection, RunLog, Sample, Source
from pulse_sim.report.model import ActionRow, AlertRow, Band, Bar, Curve, FaultRow, Lane, PhaseRow, Ticks, Timeline
from pulse_sim.report.text import parameters_in_words, plain
from pulse_sim.report.thinning import MAX_SLICES, slice_ns, thinned_bands, thinned_curve
from pulse_sim.units import MILLISECOND

MAX_LANES: Final = 8
MAX_MARKS: Final = 400
_DURATION: Final = "pulse_monitor_poll_duration_seconds"
_STALENESS: Final = "pulse_monitor_poll_staleness_seconds"
_ERRORS: Final = "pulse_monitor_poll_errors_total"
_POLLS: Final = "pulse_monitor_poll_total"
_BREAKER: Final = "pulse_scheduler_breaker_state"
_BREAKER_STATES: Final = {0.0: "closed", 1.0: "half-open", 2.0: "open"}


def read_timeline(log: RunLog) -> Timeline:
    """The timeline of ``log``; at most eight connections are drawn, those faults were aimed at first, and the
    first four hundred faults and actions."""
    hit = {name for fault in log.faults() for name in fault.connections}
    wanted = sorted(log.connections.values(), key=lambda one: (one.id not in hit, one.id))
    end_ns = max(log.end_ns, 1)
    faults, actions = tuple(_faults(log)), tuple(_actions(log))
    return Timeline(
        end_ns=end_ns,
        phases=tuple(_phases(log, end_ns)),
        faults=faults[:MAX_MARKS],
        actions=actions[:MAX_MARKS],
        lanes=tuple(_lane(log, connection, end_ns) for connection in wanted[:MAX_LANES]),
        lanes_left_out=max(0, len(wanted) - MAX_LANES),
        marks_left_out=max(0, len(faults) - MAX_MARKS) + max(0, len(actions) - MAX_MARKS),
        injected=tuple(sorted({(plain(fault.kind), plain(fault.on)) for fault in log.faults()})),
        faces=tuple((plain(name), tuple(_faces(log, name))) for name in log.appliances),
    )


def _faces(log: RunLog, appliance: str) -> Sequence[str]:
    """Over which faces ``appliance`` answered a request or a call in full."""
    records = log.of(Source.APPLIANCE, "request", appliance)
    return sorted(
        {
            plain(record.data["face"])
            for record in records
            if record.data.get("kind", "request") in ("request", "call")
            and isinstance(record.data.get("face"), str)
            and record.data["ended"] == "complete"
        }
    )


def _phases(log: RunLog, end_ns: int) -> Iterable[PhaseRow]:
    marks = [(record.time_ns, plain(record.data["phase"])) for record in log.phases()]
    for (from_ns, name), (to_ns, _) in pairwise([*marks, (end_ns, "")]):
        yield PhaseRow(name, from_ns, to_ns)


def _faults(log: RunLog) -> Iterable[FaultRow]:
    given: Mapping[int, Any] = {record.seq: record.data.get("parameters") for record in log.of(Source.FAULT, "inject")}
    for fault in log.faults():
        about = plain(parameters_in_words(given.get(fault.seq)))
        yield FaultRow(plain(fault.kind), plain(fault.on), about, fault.from_ns, fault.to_ns)


def _actions(log: RunLog) -> Iterable[ActionRow]:
    for record in log.of(Source.OPERATOR, "action"):
        given, status = record.data["with"], record.data["status"]
        target = given.get("id", given.get("connection", record.subject))
        answer = "" if status is None else str(status)
        yield ActionRow(plain(f"{record.data['do']} {target}"), record.time_ns, answer)


def _lane(log: RunLog, connection: Connection, end_ns: int) -> Lane:
    system, labels = connection.system, {"instance_type": "truenas", "instance": connection.id}
    # A scrape that failed or was never made leaves a hole; three intervals without a sample are drawn as one.
    gap_ns = 3 * log.metrics_interval_ns
    spans = [(span.from_ns, end_ns if span.to_ns is None else span.to_ns) for span in connection.configured]
    arrivals = [request.arrival_ns for request in log.requests(connection.appliance)]
    staleness = _curve(log.series(system, _STALENESS, **labels), gap_ns)
    latency = _curve(list(_latencies(log, system, labels)), max(gap_ns, 3 * connection.poll_interval_ns))
    return Lane(
        connection=plain(connection.id),
        system=plain(system),
        appliance=plain(connection.appliance),
        requests=sum(any(start <= at < end for start, end in spans) for at in arrivals),
        staleness=thinned_curve(staleness, slice_ns(end_ns, MAX_SLICES)),
        latency=thinned_curve(latency, slice_ns(end_ns, MAX_SLICES)),
        errors=tuple(_errors(log, system, labels, end_ns)),
        breaker=thinned_bands(
            tuple(_bands(log.series(system, _BREAKER, **labels), gap_ns)), slice_ns(end_ns, MAX_SLICES), end_ns
        ),
        alerts=tuple(_alerts(log, connection, end_ns)),
        polls=tuple(_bars(log, system, labels, end_ns)),
    )


def _curve(samples: Sequence[Sample], gap_ns: int) -> Curve:
    """The samples with a None where too long none came."""
    points: list[tuple[int, float | None]] = []
    for before, sample in pairwise([None, *samples]):
        if sample is not None:
            if before is not None and sample.time_ns - before.time_ns > gap_ns:
                points.append((before.time_ns + MILLISECOND, None))  # no two points at one time
            points.append((sample.time_ns, sample.value if isfinite(sample.value) else None))
    return tuple(points)


def _latencies(log: RunLog, system: str, labels: Mapping[str, str]) -> Iterable[Sample]:
    """How long the polls that ended between two scrapes took, on the mean."""
    sums = {sample.seq: sample.value for sample in _finite(log.series(system, f"{_DURATION}_sum", **labels))}
    spent, polls = 0.0, 0.0
    for sample in _finite(log.series(system, f"{_DURATION}_count", **labels)):
        total = sums.get(sample.seq, spent)
        if sample.value < polls:  # a counter that fell was reset and rose from nothing
            spent, polls = 0.0, 0.0
        if sample.value > polls:
            yield Sample(sample.time_ns, max(0.0, (total - spent) / (sample.value - polls)), sample.seq)
        spent, polls = total, sample.value


def _alerts(log: RunLog, connection: Connection, end_ns: int) -> Iterable[AlertRow]:
    """Per rule when one of its alerts was seen active for ``connection``, from one look at the alerts to the next."""
    worst: dict[str, list[Band]] = {}
    samples = log.alerts(connection.system)
    for sample, after in zip_longest(samples, samples[1:]):
        until_ns = end_ns if after is None else after.time_ns
        active: dict[str, str] = {}
        for alert in sample.by_id.values():
            if alert.get("instance") == connection.id:
                rule, severity = plain(alert.get("rule") or "unknown"), plain(alert.get("severity") or "unknown")
                active[rule] = max(active.get(rule, severity), severity, key=_rank)
        for rule, severity in active.items():
            bands = worst.setdefault(rule, [])
            if bands and (bands[-1].state, bands[-1].to_ns) == (severity, sample.time_ns):
                bands[-1] = Band(severity, bands[-1].from_ns, until_ns)
            else:
                bands.append(Band(severity, sample.time_ns, until_ns))
    for rule, bands in sorted(worst.items()):
        yield AlertRow(rule, tuple(bands))


def _rank(severity: str) -> int:
    return ("info", "warning", "critical").index(severity) if severity in ("info", "warning", "critical") else 0


def _errors(log: RunLog, system: str, labels: Mapping[str, str], end_ns: int) -> Iterable[Ticks]:
    """Per error type the moments its counter was seen to have risen, at most one a slice."""
    types = {
        series.labels["error_type"]
        for series in log.metrics(system).names.values()
        if series.name == _ERRORS and labels.items() <= series.labels.items() and "error_type" in series.labels
    }
    length_ns = slice_ns(end_ns, MAX_SLICES)
    for name in sorted(types):
        rises = list(_rises(log.series(system, _ERRORS, **labels, error_type=name)))
        if rises:
            moments = {at_ns // length_ns: at_ns for at_ns, _ in rises}
            yield Ticks(plain(name), tuple(sorted(moments.values())), sum(by for _, by in rises))


def _rises(samples: Sequence[Sample]) -> Iterable[tuple[int, int]]:
    """(when seen, by how much) for each rise of a counter; a counter that fell was reset and rose from nothing."""
    before = 0.0
    for sample in _finite(samples):
        by = sample.value - before if sample.value >= before else sample.value
        if by > 0:
            yield sample.time_ns, round(by)
        before = sample.value


def _finite(samples: Sequence[Sample]) -> Iterable[Sample]:
    """Without what is no finite number: no counter is that, and nothing can be drawn of it."""
    return (sample for sample in samples if isfinite(sample.value))


def _bands(samples: Sequence[Sample], gap_ns: int) -> Iterable[Band]:
    open_band: tuple[str, int, int] | None = None
    for sample in samples:
        state = _BREAKER_STATES.get(sample.value, "unknown")
        if open_band is not None and (open_band[0] != state or sample.time_ns - open_band[2] > gap_ns):
            ends_ns = sample.time_ns if sample.time_ns - open_band[2] <= gap_ns else open_band[2]
            yield Band(open_band[0], open_band[1], ends_ns)
            open_band = None
        open_band = (state, open_band[1] if open_band else sample.time_ns, sample.time_ns)
    if open_band is not None:
        yield Band(*open_band)


def _bars(log: RunLog, system: str, labels: Mapping[str, str], end_ns: int) -> Iterable[Bar]:
    length_ns = slice_ns(end_ns, MAX_SLICES)
    counts: dict[int, list[int]] = {}
    for position, result in enumerate(("success", "error")):
        for at_ns, by in _rises(log.series(system, _POLLS, **labels, result=result)):
            counts.setdefault(at_ns // length_ns, [0, 0])[position] += by
    for index, (succeeded, failed) in sorted(counts.items()):
        yield Bar(index * length_ns, min((index + 1) * length_ns, end_ns), succeeded, failed)
