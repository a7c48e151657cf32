"""The check that what a system shows of an appliance is what the appliance is, within a lag and over the whole run.

Judged by what is on record of the appliance itself (``appliance/truth``), never by what it answered.
"""

import json
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pulse_sim.checks.coverage import INTERVALS, connection_of, require_seen
from pulse_sim.checks.excuses import Excuse, excuses
from pulse_sim.checks.judgement import CheckKind, Finding, NoEvidence, check_kind
from pulse_sim.checks.likeness import (
    NEEDED,
    ONLINE,
    UNKNOWN,
    alerts_of,
    is_like,
    likeness,
    shown_fields,
    when_stale,
)
from pulse_sim.checks.parameters import Name, Parameters, Window
from pulse_sim.checks.polls import INSTANCE_TYPE, POLLS
from pulse_sim.checks.statuses import source_of
from pulse_sim.checks.wording import amount, at_ms, within
from pulse_sim.observation import Connection, ResourceSample, RunLog, Source
from pulse_sim.units import Duration, format_duration

DISK: Final = "physical_disk"
_LONGEST: Final = 60
_LONGEST_LIE: Final = 300


class ShowsTruth(Parameters):
    """Everything shown of a connection's appliance is what the appliance was at most ``lag`` ago."""

    connection: Name
    lag: Duration
    after_heal: Duration | None = None
    between: Window | None = None


@dataclass(frozen=True, slots=True)
class Lie:
    """What was shown wrongly, in words, and the truths it was held against."""

    what: str
    evidence: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class View:
    """One sample of the resources of one connection, by what follows its own id in their source ids.

    ``now`` are the numbers of the truths that may be seen in it, ``old`` those where data is stale for the reason in
    ``excuse``; the same without one.
    """

    sample: ResourceSample
    shown: Mapping[str, Mapping[str, Any]]
    twice: Sequence[str]
    now: range
    old: range
    excuse: Excuse | None


def expected_truth(given: ShowsTruth) -> str:
    """In words."""
    excused = "" if given.after_heal is None else f" and, once healed, {format_duration(given.after_heal)}"
    what = f"everything shown of the appliance of {given.connection} is what it was within the last"
    return f"{what} {format_duration(given.lag)}{excused}{within(given.between)}"


def find_untruth(log: RunLog, given: ShowsTruth) -> Finding:
    """Every sample taken while the connection was configured. The first thing shown wrongly decides."""
    connection = connection_of(log, given.connection)
    _require_one_appliance(log, connection)
    _require_warm(log, connection)
    windows = _judged(log, connection, given.between or (0, log.end_ns))
    known = log.resources(connection.system)
    samples = [one for one in known if any(begin <= one.time_ns <= end for begin, end in windows)]
    teller = _Comparison(log, connection, given)
    for sample in samples:
        lie = teller.first_lie(sample)
        if lie is not None:
            return Finding(False, f"{lie.what} at {at_ms(sample.time_ns)}", [sample.seq, *lie.evidence])
    _require_samples(log, connection, samples, windows)
    teller.require_told()
    excused = len(samples) - teller.strict
    compared = f"{amount(teller.strict, 'sample')} true" + (f", {excused} more excused in part" if excused else "")
    truths = [truth.seq for truth in log.truths(connection.appliance)]
    return Finding(True, f"{compared}, {amount(len(truths), 'truth')}", [samples[0].seq, samples[-1].seq, *truths])


def _judged(log: RunLog, connection: Connection, window: tuple[int, int]) -> Sequence[tuple[int, int]]:
    """The parts of ``window`` in which the connection was configured."""
    if window[1] > log.end_ns:
        raise NoEvidence(f"the run ended at {at_ms(log.end_ns)}, before the window did")
    ends = [(span.from_ns, log.end_ns if span.to_ns is None else span.to_ns) for span in connection.configured]
    found = [(max(begin, window[0]), min(end, window[1])) for begin, end in ends]
    judged = [(begin, end) for begin, end in found if begin < end]
    if not judged:
        raise NoEvidence(f"{connection.id} was not configured{within(window)}")
    return judged


def _require_samples(
    log: RunLog, connection: Connection, samples: Sequence[ResourceSample], windows: Sequence[tuple[int, int]]
) -> None:
    """A connection of the file is configured anew by the run's first action: so short a part needs no sample."""
    times = [sample.time_ns for sample in samples]
    what = f"sample of the resources of {connection.system}"
    for begin, end in windows:
        if end - begin > INTERVALS * log.resources_interval_ns:
            require_seen(log, connection.system, times, (begin, end), log.resources_interval_ns, what)
    if not samples:
        raise NoEvidence(f"no {what} while {connection.id} was configured")


def _require_one_appliance(log: RunLog, connection: Connection) -> None:
    named = {connection.appliance}
    if log.start is not None:
        named.update(data["appliance"] for name, data in log.start.data["connections"].items() if name == connection.id)
    for action in log.of(Source.OPERATOR, "action"):
        if action.data["with"].get("id") == connection.id and action.data["with"].get("appliance"):
            named.add(str(action.data["with"]["appliance"]))
    if len(named) > 1:
        raise NoEvidence(f"{connection.id} led to several appliances: {', '.join(sorted(named))}")
    if not log.truths(connection.appliance):
        raise NoEvidence(f"no truth of {connection.appliance} is on record")


def _require_warm(log: RunLog, connection: Connection) -> None:
    labels = {"instance_type": INSTANCE_TYPE, "instance": connection.id}
    polls = log.series(connection.system, POLLS, result="success", **labels)
    if not any(sample.value > 0 for sample in polls):
        raise NoEvidence(f"no poll of {connection.id} ever succeeded")


class _Comparison:
    """Holds the samples of one connection against the truths of its appliance. ``strict`` counts unexcused samples."""

    def __init__(self, log: RunLog, connection: Connection, given: ShowsTruth) -> None:
        self._truths = log.truths(connection.appliance)
        self._likeness = [likeness(truth) for truth in self._truths]
        self._alerts = [alerts_of(truth) for truth in self._truths]
        self._times = [truth.time_ns for truth in self._truths]
        self._seqs = [truth.seq for truth in self._truths]
        self._appliance = connection.appliance
        self._system_id = f"system:{connection.id}"
        self._lag_ns = given.lag
        after_heal_ns = given.lag if given.after_heal is None else given.after_heal
        self._excuses = excuses(log, connection, given.lag, after_heal_ns)
        self._begins = [excuse.from_ns for excuse in self._excuses]
        self._untold: dict[str, int] = {}
        self._found_true: dict[str, tuple[Any, ...]] = {}
        self.strict = 0

    def first_lie(self, sample: ResourceSample) -> Lie | None:
        """The first thing that this sample shows wrongly; None when there is none."""
        view = self._view(sample)
        self.strict += view.excuse is None
        return next(self._lies(view), None)

    def require_told(self) -> None:
        """Raises NoEvidence when nothing was compared, or what makes up a thing was not told."""
        for what, seq in self._untold.items():
            raise NoEvidence(f"no sample tells {what}", [seq])
        if not self.strict:
            raise NoEvidence(f"every sample of {self._system_id} was excused")

    def _view(self, sample: ResourceSample) -> View:
        until = bisect_left(self._seqs, sample.seq)
        if until == 0:
            raise NoEvidence(f"no truth of {self._appliance} up to {at_ms(sample.time_ns)}", [sample.seq])
        ours = [
            (str(resource["sourceId"]).removeprefix(self._system_id), resource)
            for resource in sample.by_id.values()
            if self._is_ours(resource)
        ]
        place = bisect_right(self._begins, sample.time_ns) - 1
        excuse = self._excuses[place] if place >= 0 and sample.time_ns <= self._excuses[place].to_ns else None
        since_ns = sample.time_ns - self._lag_ns
        old_ns = since_ns if excuse is None else min(since_ns, excuse.from_ns - self._lag_ns)
        shown = dict(ours)
        twice = sorted(thing for thing, times in Counter(thing for thing, _ in ours).items() if times > 1)
        now, old = (range(self._valid_at(from_ns), until) for from_ns in (since_ns, old_ns))
        return View(sample, shown, twice, now, old, excuse)

    def _valid_at(self, time_ns: int) -> int:
        return max(0, bisect_right(self._times, time_ns) - 1)

    def _lie(self, thing: str, what: str, truths: range) -> Lie:
        return Lie(f"{self._system_id}{thing} {what}"[:_LONGEST_LIE], (self._seqs[truths[0]], self._seqs[truths[-1]]))

    def _lies(self, view: View) -> Iterator[Lie]:
        yield from (self._lie(thing, "is shown twice", view.now) for thing in view.twice)
        if view.excuse is None or not view.excuse.is_new:
            yield from self._missing(view)
        for thing, resource in view.shown.items():
            source = source_of(resource)
            truths = view.now if source == ONLINE else view.old
            if source != ONLINE and view.excuse is None:
                yield self._lie(thing, f"is {source}, and its appliance can be reached", truths)
            elif not any(thing in self._likeness[number] for number in truths):
                yield self._lie(thing, "is shown, and its appliance has none", truths)
            else:
                yield from self._wrong(view, thing, resource, truths, is_stale=source != ONLINE)

    def _missing(self, view: View) -> Iterator[Lie]:
        """What the appliance had all the time and the sample has not; a disk may be shown as that of another source."""
        for thing, fields in self._likeness[view.old[0]].items():
            if thing in view.shown or not all(thing in self._likeness[number] for number in view.old):
                continue
            if fields["type"] == DISK and self._is_shown_elsewhere(view.sample, fields["serial"]):
                continue
            yield self._lie(thing, "is not shown", view.old)

    def _is_shown_elsewhere(self, sample: ResourceSample, serial: Any) -> bool:
        others = (one for one in sample.by_id.values() if one.get("type") == DISK and not self._is_ours(one))
        return bool(serial) and any((disk.get("facts") or {}).get("serial") == serial for disk in others)

    def _is_ours(self, resource: Mapping[str, Any]) -> bool:
        source_id = str(resource.get("sourceId"))
        return source_id == self._system_id or source_id.startswith(f"{self._system_id}/")

    def _wrong(
        self, view: View, thing: str, resource: Mapping[str, Any], truths: range, *, is_stale: bool
    ) -> Iterator[Lie]:
        facts, alerts = resource.get("facts"), resource.get("alerts")
        seen = (truths, is_stale, *(resource.get(name) for name in ("type", "name", "status", "parentId")))
        known = self._found_true.get(thing)
        # What a difference did not tell anew is the very object of the sample before: most samples need no comparison.
        if known is not None and known[0] is facts and known[1] is alerts and known[2] == seen:
            return
        lies = [*self._wrong_fields(view, thing, resource, truths, is_stale=is_stale)]
        lies += self._wrong_alerts(view, thing, alerts, truths)
        if not lies and view.excuse is None:
            self._found_true[thing] = (facts, alerts, seen)
        yield from lies

    def _wrong_fields(
        self, view: View, thing: str, resource: Mapping[str, Any], truths: range, *, is_stale: bool
    ) -> Iterator[Lie]:
        shown = shown_fields(resource, view.sample.by_id, self._system_id)
        likes = [self._likeness[number][thing] for number in truths if thing in self._likeness[number]]
        is_faulty = view.excuse is not None and view.excuse.is_faulty
        for field in likes[0]:
            true = [when_stale(like[field]) if is_stale and field == "status" else like[field] for like in likes]
            if field not in shown:
                if field in NEEDED[thing.removeprefix("/").partition(":")[0]] and view.excuse is None:
                    self._untold.setdefault(f"{field} of {self._system_id}{thing}", view.sample.seq)
            elif is_faulty and shown[field] in (None, UNKNOWN):
                continue  # what an answer under a fault lacked is not known, and shown as that
            elif not any(is_like(field, shown[field], value) for value in true):
                yield self._lie(thing, f"shows {field} {_short(shown[field])}, not {_short(true[-1])}", truths)

    def _wrong_alerts(self, view: View, thing: str, alerts: Any, truths: range) -> Iterator[Lie]:
        """The system bears every alert of its appliance, each once; a pool or dataset none but these."""
        if alerts is None:
            if view.excuse is None and not thing:
                self._untold.setdefault(f"the alerts of {self._system_id}", view.sample.seq)
            return
        if thing.startswith("/disk:"):
            return  # a disk may be another source's too, and bear what that one says of it
        true = [self._alerts[number] for number in truths]
        for alert in alerts:
            uuid, told = str(alert.get("id")), (alert.get("severity"), alert.get("class"))
            if not any(one.get(uuid) == told for one in true):
                yield self._lie(thing, f"shows the alert {_short(uuid)} as {_short(told)}", truths)
        if thing:
            return
        times = Counter(str(alert.get("id")) for alert in alerts)
        yield from (
            self._lie(thing, f"shows the alert {_short(uuid)} twice", truths) for uuid in times if times[uuid] > 1
        )
        for uuid in true[0]:
            if uuid not in times and all(uuid in one for one in true):
                yield self._lie(thing, f"does not show the alert {_short(uuid)}", truths)


def _short(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True, sort_keys=True)[:_LONGEST]


KINDS: Final[tuple[CheckKind, ...]] = (check_kind("shows_truth", ShowsTruth, expected_truth, find_untruth),)
