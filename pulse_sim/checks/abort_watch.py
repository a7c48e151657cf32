"""The abort criteria of the rollout (pulse-contract A11), record by record: while a run goes on, or over its whole log.

What ends a run and what its log is judged by afterwards is this one definition. Memory is what the systems show at one
time; a record costs what it changes. Knows nothing of how a run is ended, nor of which abort was expected.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from pulse_sim.checks.corruption import ShownResources
from pulse_sim.checks.firing import Firing
from pulse_sim.checks.parameters import Criterion
from pulse_sim.checks.poll_aborts import AuthErrors, FailureRate, PollCounters
from pulse_sim.observation import Record, Source
from pulse_sim.observation.log import DEFAULT_METRICS_INTERVAL_NS

ORDER: Final[tuple[Criterion, ...]] = ("corruption", "interference", "crash", "failure_rate", "auth_errors")
"""Which of two that fire on one record is told."""

UNTIL_ABORT: Final = ("failure_rate", "auth_errors")
"""Polls that fail while a rollback takes hold are no news; corruption, interference and crashes still are."""


class AbortWatch:
    """Every criterion of ``criteria``, each until it fires for the first time."""

    def __init__(self, criteria: Iterable[Criterion]) -> None:
        wanted = set(criteria)
        self._open = {name for name in ORDER if name in wanted}
        self._resources = ShownResources()
        self._counters: dict[str, PollCounters] = {}
        self._rate = FailureRate()
        self._auth = AuthErrors()
        self._interval_ns = DEFAULT_METRICS_INTERVAL_NS
        self._interval_ends_ns = 0

    def see(self, record: Record) -> tuple[Firing, ...]:
        """What fires for the first time by ``record``, the next of the log; in the order of :data:`ORDER`."""
        fired: list[Firing] = []
        is_end = (record.source, record.kind) == (Source.WORLD, "end")
        if record.time_ns >= self._interval_ends_ns or is_end:
            firing = self._rate.end_interval()
            fired += self._first_times([firing]) if firing else []
            self._interval_ends_ns = (record.time_ns // self._interval_ns + 1) * self._interval_ns
        take = _TAKE.get((record.source, record.kind))
        if take is not None:
            fired += self._first_times(take(self, record))
        return tuple(sorted(fired, key=_place)) if fired else ()

    def _first_times(self, fired: list[Firing]) -> list[Firing]:
        first = [one for one in fired if one.criterion in self._open]
        self._open.difference_update(one.criterion for one in first)
        return first

    def _start(self, record: Record) -> list[Firing]:
        given = record.data.get("metrics_every_ns")
        if type(given) is int and given > 0:
            self._interval_ns = given
        self._interval_ends_ns = (record.time_ns // self._interval_ns + 1) * self._interval_ns
        self._resources.topology.start(record)
        return []

    def _abort(self, _record: Record) -> list[Firing]:
        self._open.difference_update(UNTIL_ABORT)
        return []

    def _started(self, record: Record) -> list[Firing]:
        self._counters_of(record.subject).begin_life()
        self._resources.topology.started(record)
        return []

    def _crash(self, record: Record) -> list[Firing]:
        return [Firing("crash", record.time_ns, f"{record.subject} crashed", (record.seq,))]

    def _truth(self, record: Record) -> list[Firing]:
        self._resources.topology.truths[record.subject] = record.data
        return []

    def _act(self, record: Record) -> list[Firing]:
        self._resources.topology.act(record)
        return []

    def _scrape(self, record: Record) -> list[Firing]:
        data = record.data
        if data["status"] != 200:
            return []
        gained = self._counters_of(record.subject).see(data["changed"], data["gone"])
        for connection, (success, _, _) in gained.items():
            self._resources.topology.succeeded(connection, success)
        self._rate.add(record, gained)
        firing = self._auth.add(record, gained)
        return [firing] if firing else []

    def _look(self, record: Record) -> list[Firing]:
        return list(self._resources.see(record)) if record.data["status"] == 200 else []

    def _counters_of(self, system: str) -> PollCounters:
        return self._counters.setdefault(system, PollCounters())


_TAKE: Final = {
    (Source.WORLD, "start"): AbortWatch._start,
    (Source.WORLD, "abort"): AbortWatch._abort,
    (Source.SUT, "started"): AbortWatch._started,
    (Source.SUT, "crash"): AbortWatch._crash,
    (Source.APPLIANCE, "truth"): AbortWatch._truth,
    (Source.OPERATOR, "action"): AbortWatch._act,
    (Source.SAMPLER, "metrics"): AbortWatch._scrape,
    (Source.SAMPLER, "resources"): AbortWatch._look,
}


def _place(firing: Firing) -> int:
    return [str(name) for name in ORDER].index(firing.criterion)


def first_firings(records: Iterable[Record], criteria: Iterable[Criterion]) -> Mapping[str, Firing]:
    """By criterion when it first fired, in the order of the records."""
    watch = AbortWatch(criteria)
    return {firing.criterion: firing for record in records for firing in watch.see(record)}
