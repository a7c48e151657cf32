"""The check that the poll metrics tell the truth: against the appliance's journal, and against each other.

The journal is the other side's word on how many polls there were. Knows what a poll may look like (pulse-contract A2,
A3: a call has 10 s, a second try comes after 1 s), not which calls it makes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pulse_sim.checks.counters import Rise, rise
from pulse_sim.checks.coverage import connection_of, require_seen
from pulse_sim.checks.judgement import CheckKind, Finding, NoEvidence, check_kind
from pulse_sim.checks.parameters import ERROR_TYPES, Name, Parameters
from pulse_sim.checks.polls import ERRORS, INSTANCE_TYPE, POLLS
from pulse_sim.checks.wording import amount, at_ms, number
from pulse_sim.observation import Connection, Record, RunLog, Source
from pulse_sim.units import SECOND, format_duration

COUNT: Final = "pulse_monitor_poll_duration_seconds_count"
CALL_NS: Final = 10 * SECOND
QUIET_NS: Final = 2 * SECOND
"""Longer than the pause before a second try, shorter than the breaker's shortest wait."""

SHORTEST_INTERVAL_NS: Final = 10 * SECOND
"""Polls closer together than this cannot be told apart in a journal."""

UNSEEN: Final = ("connection", "timeout", "validation")
"""Errors of polls that an appliance need not have heard of: nobody reached it, or TLS ended it."""

RESULTS: Final = ("success", "error")
BY_THEMSELVES: Final = ("event", "close")
"""Entries of a journal nobody asked for."""

REFUSALS: Final = 400
MEDDLING: Final = ("remove_connection", "disable_connection", "enable_connection", "test_connection")
"""What an operator does to a connection so that its counters, or the journal, tell of something else as well."""


class PollMetrics(Parameters):
    """The poll metrics of a connection are complete, agree with each other, and with the appliance's journal."""

    connection: Name


@dataclass(frozen=True, slots=True)
class Poll:
    """What a journal has of one poll. ``was_answered``: the last thing it asked was answered without a refusal."""

    from_ns: int
    to_ns: int
    was_answered: bool
    seq: int


@dataclass(frozen=True, slots=True)
class Counted:
    """What the counters gained from the start to the last scrape."""

    results: Mapping[str, float]
    errors: Mapping[str, float]
    durations: float
    until_ns: int
    evidence: tuple[int, ...]

    @property
    def polls(self) -> float:
        """All polls."""
        return sum(self.results.values())


def find_metrics(log: RunLog, given: PollMetrics) -> Finding:
    """The first statement that does not hold; when all hold, what was counted."""
    connection = connection_of(log, given.connection)
    _require_one_life(log, connection)
    missing = _missing_series(log, connection)
    if missing is not None:
        return missing
    counted = _counted(log, connection)
    journal = log.of(Source.APPLIANCE, "request", connection.appliance)
    polls = journal_polls(journal, connection.poll_interval_ns)
    if not polls:
        raise NoEvidence(f"no poll of {connection.id} in the journal of {connection.appliance}")
    seen = [poll for poll in polls if poll.from_ns < counted.until_ns]
    evidence = [*counted.evidence, seen[0].seq, seen[-1].seq] if seen else counted.evidence
    wrong = _contradiction(counted, seen)
    if wrong:
        return Finding(False, wrong, evidence)
    results = ", ".join(f"{number(counted.results[result])} {result}" for result in RESULTS)
    types = ", ".join(f"{number(gain)} {name}" for name, gain in counted.errors.items() if gain) or "no error"
    return Finding(True, f"{results} ({types}); {amount(len(seen), 'poll')} in the journal", evidence)


def _contradiction(counted: Counted, seen: Sequence[Poll]) -> str:
    """What cannot be, in words; empty when everything fits."""
    typed = sum(counted.errors.values())
    if typed != counted.results["error"]:
        return f"{number(counted.results['error'])} failed polls, but {number(typed)} of a type"
    if counted.durations != counted.polls:
        return f"{number(counted.polls)} polls, but {number(counted.durations)} durations"
    unseen = sum(counted.errors[name] for name in UNSEEN)
    # One that was under way at the last scrape may be counted or not.
    over = [poll for poll in seen if poll.to_ns + QUIET_NS <= counted.until_ns]
    if counted.polls < len(over) or counted.polls > len(seen) + unseen:
        return f"{amount(counted.polls, 'poll')} counted, {len(seen)} in the journal, {number(unseen)} perhaps unseen"
    answered = sum(poll.was_answered for poll in seen)
    if counted.results["success"] > answered:
        return f"{number(counted.results['success'])} polls succeeded, {answered} were answered"
    return ""


def journal_polls(journal: Sequence[Record], interval_ns: int) -> Sequence[Poll]:
    """A journal put together to polls, by arrival: what follows within two seconds belongs together.

    A call nobody answered lasts as long as its client waits, at most half a poll interval.
    """
    patience_ns = min(CALL_NS, interval_ns // 2)
    polls: list[Poll] = []
    for arrival_ns, entry in sorted(((_arrival(entry), entry) for entry in journal), key=lambda one: one[0]):
        data = entry.data
        if data.get("kind") in BY_THEMSELVES:
            continue
        end_ns = arrival_ns + (patience_ns if data["ended"] == "silent" else min(data["duration_ns"], patience_ns))
        if polls and arrival_ns - polls[-1].to_ns <= QUIET_NS:
            last = polls[-1]
            polls[-1] = Poll(last.from_ns, max(last.to_ns, end_ns), _is_answered(data), last.seq)
        else:
            polls.append(Poll(arrival_ns, end_ns, _is_answered(data), entry.seq))
    return polls


def _arrival(entry: Record) -> int:
    return int(entry.time_ns - entry.data["duration_ns"])


def _is_answered(data: Mapping[str, Any]) -> bool:
    refused = data.get("error") is not None or (data["status"] is not None and data["status"] >= REFUSALS)
    return data["ended"] == "complete" and not refused


def _counted(log: RunLog, connection: Connection) -> Counted:
    labels = {"instance_type": INSTANCE_TYPE, "instance": connection.id}

    def gained(name: str, **more: str) -> Rise:
        return rise(log, connection.system, None, name, **labels, **more)

    results = {result: gained(POLLS, result=result) for result in RESULTS}
    errors = {name: gained(ERRORS, error_type=name) for name in ERROR_TYPES}
    scrapes = log.metrics(connection.system).scrapes
    return Counted(
        {result: rise.amount for result, rise in results.items()},
        {name: rise.amount for name, rise in errors.items()},
        gained(COUNT).amount,
        scrapes[-1].time_ns,
        (*results["success"].evidence[:2], *results["error"].evidence[:2], scrapes[-1].seq),
    )


def _missing_series(log: RunLog, connection: Connection) -> Finding | None:
    """Every series is there from the first scrape after registration on, at 0 (pulse-contract A7)."""
    scrapes = [one for one in log.metrics(connection.system).scrapes if connection.is_configured_at(one.time_ns)]
    what = f"scrape of {connection.system} with {connection.id}"
    window = (connection.configured[0].from_ns, log.end_ns)
    require_seen(log, connection.system, [one.time_ns for one in scrapes], window, log.metrics_interval_ns, what)
    wanted = [(POLLS, "result", result) for result in RESULTS] + [(ERRORS, "error_type", name) for name in ERROR_TYPES]
    for name, label, value in wanted:
        labels = {"instance_type": INSTANCE_TYPE, "instance": connection.id, label: value}
        shown = {one.seq for one in log.series(connection.system, name, **labels)}
        without = [one for one in scrapes if one.seq not in shown]
        if without:
            observed = f'no {name} with {label}="{value}" at {at_ms(without[0].time_ns)}'
            return Finding(False, observed, [one.seq for one in without])
    return None


def _require_one_life(log: RunLog, connection: Connection) -> None:
    """Raises NoEvidence where the counters, or the journal, are not those of this one connection alone."""
    if len(log.up(connection.system)) != 1:
        raise NoEvidence(f"{connection.system} was started again: its counters began anew")
    done = [
        (record.data["do"], record.seq)
        for record in log.of(Source.OPERATOR, "action", connection.system)
        if record.data["with"].get("id") == connection.id
    ]
    added = [seq for do, seq in done if do == "add_connection"]
    apart = [seq for do, seq in done if do in MEDDLING] + added[1:]
    if apart:
        raise NoEvidence(f"{connection.id} was tested by hand, or not polled all the time", apart)
    others = [one.id for one in log.connections.values() if one.appliance == connection.appliance]
    if others != [connection.id]:
        raise NoEvidence(f"{connection.appliance} is polled by others too: {', '.join(others)}")
    if connection.poll_interval_ns < SHORTEST_INTERVAL_NS:
        shortest = format_duration(SHORTEST_INTERVAL_NS)
        raise NoEvidence(f"polls less than {shortest} apart cannot be told apart in a journal")


KINDS: Final[tuple[CheckKind, ...]] = (
    check_kind(
        "poll_metrics",
        PollMetrics,
        lambda given: f"the poll metrics of {given.connection} complete, and as many polls as the journal saw",
        find_metrics,
    ),
)
