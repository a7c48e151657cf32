"""The watch over aborts: what it says record by record is what the whole log says, and it keeps no history."""

import pickle
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_sim.checks.abort_watch import ORDER, AbortWatch, first_firings
from pulse_sim.checks.counters import steps
from pulse_sim.checks.firing import Firing
from pulse_sim.observation import Record, RunLog
from pulse_sim.units import MINUTE, SECOND
from tests.checks.log_builder import LogBuilder, poll_errors, poll_total

NAMES = ("nas-1", "nas-2")
OUTCOMES = st.sampled_from(["none", "success", "error", "auth"])
MINUTES = st.lists(st.tuples(OUTCOMES, OUTCOMES, st.booleans(), st.booleans()), min_size=1, max_size=40)


def log_of(minutes: Sequence[tuple[str, str, bool, bool]]) -> LogBuilder:
    """One scrape a minute: how a poll of each connection ended, whether the system restarts, whether the scrape fails.

    A restart begins every counter at 0; a scrape that failed is made up by the next.
    """
    log = LogBuilder({name: name for name in NAMES})
    counts = {(name, what): 0 for name in NAMES for what in ("success", "error", "auth")}
    for minute, (one, other, restarts, fails) in enumerate(minutes):
        time_ns = minute * MINUTE + 17 * SECOND
        if restarts:
            log.add(time_ns - SECOND, "sut/stopped", "pulse").add(time_ns - SECOND, "sut/started", "pulse")
            counts = dict.fromkeys(counts, 0)
        for name, outcome in zip(NAMES, (one, other), strict=True):
            counts[name, "success"] += outcome == "success"
            counts[name, "error"] += outcome in ("error", "auth")
            counts[name, "auth"] += outcome == "auth"
        if fails:
            log.missed(time_ns, "metrics")
            continue
        values = {}
        for name in NAMES:
            values[poll_total("success", name)] = counts[name, "success"]
            values[poll_total("error", name)] = counts[name, "error"]
            values[poll_errors("auth", name)] = counts[name, "auth"]
        log.scrape(time_ns, values)
    return log


def gains(log: RunLog, name: str, metric: str, **labels: str) -> list[tuple[int, float]]:
    labels |= {"instance": name, "instance_type": "truenas"}
    return [(step.time_ns, step.gain or 0.0) for step in steps(log, "pulse", metric, **labels)]


def slowly(log: RunLog) -> dict[str, int]:
    """When the two criteria fire by their words, looking at the whole log again for every pair of scrapes."""
    polls, errors = "pulse_monitor_poll_total", "pulse_monitor_poll_errors_total"
    good = {name: gains(log, name, polls, result="success") for name in NAMES if log.series("pulse", polls)}
    bad = {name: gains(log, name, polls, result="error") for name in good}
    auth = {name: gains(log, name, errors, error_type="auth") for name in good}
    fired: dict[str, int] = {}
    times = [time_ns for time_ns, _ in good.get("nas-1", ())]
    verdicts: dict[str, list[bool | None]] = {"failure_rate": []}
    for index in range(len(times)):
        failed, succeeded = (sum(kind[name][index][1] for name in NAMES) for kind in (bad, good))
        verdicts["failure_rate"].append(failed > succeeded if failed + succeeded else None)
    for name in good:
        pairs = zip(auth[name], good[name], strict=True)
        verdicts[f"auth_errors {name}"] = [True if a else False if g else None for (_, a), (_, g) in pairs]
    for what, holds in verdicts.items():
        limit_ns = (5 if what == "failure_rate" else 10) * MINUTE
        for last in range(len(times)):
            lasting = [
                first
                for first in range(last + 1)
                if holds[first] and holds[last] and False not in holds[first : last + 1]
                if times[last] - times[first] > limit_ns
            ]
            if lasting:
                criterion = what.partition(" ")[0]
                fired[criterion] = min(times[last], fired.get(criterion, times[last]))
                break
    return fired


@settings(deadline=None, max_examples=150)
@given(MINUTES)
def test_it_fires_when_the_words_of_the_criteria_say_so(minutes: Sequence[tuple[str, str, bool, bool]]) -> None:
    log = log_of(minutes).log(len(minutes) * MINUTE + 30 * SECOND)
    found = first_firings(log.records, ORDER)
    assert {name: firing.time_ns for name, firing in found.items()} == slowly(log)


@settings(deadline=None, max_examples=60)
@given(MINUTES, st.integers(0, 200))
def test_what_comes_later_changes_nothing_that_was_said(
    minutes: Sequence[tuple[str, str, bool, bool]], cut: int
) -> None:
    records = log_of(minutes).log(len(minutes) * MINUTE + 30 * SECOND).records
    begin = first_firings(records[:cut], ORDER)
    whole = first_firings(records, ORDER)
    assert {name: whole[name] for name in begin} == begin


def weight(hours: int) -> int:
    """How many bytes the state of a watch takes after so many hours of a log."""
    outcomes = [("success", "success", False, False), ("error", "success", False, False)]
    watch = AbortWatch(ORDER)
    for record in log_of(outcomes * (30 * hours)).records:
        assert watch.see(record) == ()
    return len(pickle.dumps(watch))


def test_a_week_takes_as_much_memory_as_an_hour() -> None:
    assert weight(168) - weight(1) < 50


def test_a_criterion_that_was_not_asked_for_never_fires_and_none_fires_twice() -> None:
    records = log_of([("auth", "auth", False, False)] * 40).records
    assert set(first_firings(records, ("crash", "auth_errors"))) == {"auth_errors"}
    watch = AbortWatch(ORDER)
    fired: list[Firing] = [firing for record in records for firing in watch.see(record)]
    assert [firing.criterion for firing in fired] == ["failure_rate", "auth_errors"]


def test_polls_are_judged_at_the_first_record_after_their_interval() -> None:
    records = log_of([("error", "error", False, False)] * 7).records
    last = records[-1]
    watch = AbortWatch(ORDER)
    assert not [firing for record in records for firing in watch.see(record)]
    early, late = (
        Record(last.seq + 1, 7 * MINUTE + offset, last.source, "health", "pulse", {"status": 200, "error": None})
        for offset in (-1, 0)
    )
    assert watch.see(early) == ()
    (firing,) = watch.see(late)
    assert (firing.criterion, firing.time_ns) == ("failure_rate", 6 * MINUTE + 17 * SECOND)
