"""A run over virtual time, read off its log and thinned so that 48 hours fit on a page without losing a peak.

Knows the names of the metrics of a poller (pulse-contract A7) and nothing of how they are drawn.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby, pairwise
from typing import Any, Final

from pulse_sim.observation import Connection, RunLog, Sample, Source
from pulse_sim.report.model import ActionRow, Band, Bar, FaultRow, Lane, PhaseRow, Ticks, Timeline
from pulse_sim.report.text import parameters_in_words, plain
from pulse_sim.units import MINUTE

MAX_LANES: Final = 8
MAX_SLICES: Final = 240
MAX_MARKS: Final = 400
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
    return Lane(
        connection=plain(connection.id),
        system=plain(system),
        appliance=plain(connection.appliance),
        staleness=_thinned(log.series(system, _STALENESS, **labels), end_ns, gap_ns),
        errors=tuple(_errors(log, system, labels, end_ns)),
        breaker=tuple(_bands(log.series(system, _BREAKER, **labels), gap_ns)),
        polls=tuple(_bars(log, system, labels, end_ns)),
        requests=sum(any(start <= at < end for start, end in spans) for at in arrivals),
    )


def _thinned(samples: Sequence[Sample], end_ns: int, gap_ns: int) -> tuple[tuple[int, float | None], ...]:
    """The curve as at most two points a slice, its lowest and its highest, so that no peak is lost."""
    points: list[tuple[int, float | None]] = []
    slice_ns = _slice_ns(end_ns)
    before: int | None = None
    for _, group in groupby(samples, key=lambda sample: sample.time_ns // slice_ns):
        inside = list(group)
        if before is not None and inside[0].time_ns - before > gap_ns:
            points.append((before, None))
        kept = {min(inside, key=_value).seq, max(inside, key=_value).seq}
        points.extend((sample.time_ns, sample.value) for sample in inside if sample.seq in kept)
        before = inside[-1].time_ns
    return tuple(points)


def _value(sample: Sample) -> float:
    return sample.value


def _errors(log: RunLog, system: str, labels: Mapping[str, str], end_ns: int) -> Iterable[Ticks]:
    """Per error type the moments its counter was seen to have risen, at most one a slice."""
    types = {
        series.labels["error_type"]
        for series in log.metrics(system).names.values()
        if series.name == _ERRORS and labels.items() <= series.labels.items() and "error_type" in series.labels
    }
    slice_ns = _slice_ns(end_ns)
    for name in sorted(types):
        rises = list(_rises(log.series(system, _ERRORS, **labels, error_type=name)))
        if rises:
            moments = {at_ns // slice_ns: at_ns for at_ns, _ in rises}
            yield Ticks(plain(name), tuple(sorted(moments.values())), sum(by for _, by in rises))


def _rises(samples: Sequence[Sample]) -> Iterable[tuple[int, int]]:
    """(when seen, by how much) for each rise of a counter; a counter that fell was reset and rose from nothing."""
    before = 0.0
    for sample in samples:
        by = sample.value - before if sample.value >= before else sample.value
        if by > 0:
            yield sample.time_ns, round(by)
        before = sample.value


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
    slice_ns = _slice_ns(end_ns)
    counts: dict[int, list[int]] = {}
    for position, result in enumerate(("success", "error")):
        for at_ns, by in _rises(log.series(system, _POLLS, **labels, result=result)):
            counts.setdefault(at_ns // slice_ns, [0, 0])[position] += by
    for index, (succeeded, failed) in sorted(counts.items()):
        yield Bar(index * slice_ns, min((index + 1) * slice_ns, end_ns), succeeded, failed)


def _slice_ns(end_ns: int) -> int:
    """How long one slice is: a minute, or longer where minutes would be too many."""
    return max(MINUTE, -(-end_ns // MAX_SLICES))
