"""The abort criteria of the rollout (pulse-contract A11) over a whole run: none fired, or exactly the expected one."""

from collections.abc import Callable, Mapping
from typing import Final

from pulse_sim.checks.corruption import Firing, find_corruption, find_interference
from pulse_sim.checks.counters import Step, steps
from pulse_sim.checks.coverage import require_seen, require_started
from pulse_sim.checks.judgement import CheckKind, Finding, NoEvidence, check_kind
from pulse_sim.checks.parameters import AbortCriteria
from pulse_sim.checks.polls import ERRORS, INSTANCE_TYPE, POLLS
from pulse_sim.checks.wording import at_ms, within
from pulse_sim.observation import Connection, RunLog, Source
from pulse_sim.units import MINUTE

FAILURE_RATE_FOR_NS: Final = 5 * MINUTE
AUTH_ERRORS_FOR_NS: Final = 10 * MINUTE


def expected_criteria(given: AbortCriteria) -> str:
    """In words."""
    names = ", ".join(given.criteria)
    if given.expect_abort is None:
        return f"no abort by {names}"
    return f"of {names} exactly {given.expect_abort.criterion}{within(given.expect_abort.between)}"


def find_aborts(log: RunLog, given: AbortCriteria) -> Finding:
    """When each criterion first fired. One that fired decides, even where another could not be judged."""
    fired: dict[str, Firing] = {}
    gap: NoEvidence | None = None
    for criterion in dict.fromkeys(given.criteria):
        try:
            firing = CRITERIA[criterion](log)
        except NoEvidence as missing:
            gap = gap or NoEvidence(f"{criterion} cannot be judged: {missing.missing}", missing.evidence)
        else:
            if firing is not None:
                fired[criterion] = firing
    expected = given.expect_abort
    evidence = [seq for firing in fired.values() for seq in firing.evidence]
    unexpected = [name for name in fired if expected is None or name != expected.criterion]
    if unexpected:
        return Finding(False, _told(unexpected[0], fired[unexpected[0]]), evidence)
    if gap is not None:
        raise gap
    if expected is None:
        return Finding(True, "none fired", [record.seq for record in log.of(Source.SUT, "started")])
    firing = fired.get(expected.criterion)
    if firing is None:
        return Finding(False, "none fired")
    in_time = expected.between[0] <= firing.time_ns <= expected.between[1]
    return Finding(in_time, _told(expected.criterion, firing), evidence)


def _told(criterion: str, firing: Firing) -> str:
    return f"{criterion} at {at_ms(firing.time_ns)}: {firing.what}"


def _crash(log: RunLog) -> Firing | None:
    for record in log.of(Source.SUT, "crash"):
        return Firing(record.time_ns, f"{record.subject} crashed", (record.seq,))
    _require_scrapes(log)
    return None


def _failure_rate(log: RunLog) -> Firing | None:
    """More than half of all polls failed, from one interval's scrape to a later one's more than 5 minutes apart."""
    counted: dict[int, list[float]] = {}
    last: dict[int, Step] = {}
    for connection in log.connections.values():
        good, bad = (_steps(log, connection, POLLS, result=result) for result in ("success", "error"))
        for success, error in zip(good, bad, strict=True):
            interval = error.time_ns // log.metrics_interval_ns
            polls = counted.setdefault(interval, [0.0, 0.0])
            polls[0] += success.gain or 0.0
            polls[1] += error.gain or 0.0
            last[interval] = max(error, last.get(interval, error), key=lambda step: step.seq)
    if not any(sum(polls) for polls in counted.values()):
        raise NoEvidence("no poll was counted")
    states = [(last[at], bad > good if good + bad else None) for at, (good, bad) in sorted(counted.items())]
    firing = _lasting(states, FAILURE_RATE_FOR_NS, "more than half of the polls failed for more than 5m")
    if firing is None:
        _require_scrapes(log)
    return firing


def _auth_errors(log: RunLog) -> Firing | None:
    """Some connection met auth errors, without a success between, for more than 10 minutes."""
    firings: list[Firing] = []
    for connection in log.connections.values():
        errors = _steps(log, connection, ERRORS, error_type="auth")
        successes = _steps(log, connection, POLLS, result="success")
        states = [
            (error, True if error.gain else False if success.gain else None)
            for error, success in zip(errors, successes, strict=True)
        ]
        firing = _lasting(states, AUTH_ERRORS_FOR_NS, f"auth errors of {connection.id} for more than 10m")
        firings.extend([firing] if firing else [])
    if not firings:
        _require_scrapes(log)
    return min(firings, key=lambda firing: (firing.time_ns, firing.what), default=None)


def _lasting(states: list[tuple[Step, bool | None]], for_ns: int, what: str) -> Firing | None:
    """When a condition was first seen to have held for more than ``for_ns``; ``None`` means nothing new was learnt."""
    since: Step | None = None
    for step, holds in states:
        if holds is None:
            continue
        since = (since or step) if holds else None
        if since is not None and step.time_ns - since.time_ns > for_ns:
            return Firing(step.time_ns, what, (since.seq, step.seq))
    return None


def _steps(log: RunLog, connection: Connection, name: str, **labels: str) -> list[Step]:
    require_started(log, connection.system)
    labels = {**labels, "instance_type": INSTANCE_TYPE, "instance": connection.id}
    if not log.series(connection.system, name, **labels):
        raise NoEvidence(f"no samples of {name} of {connection.id}")
    return list(steps(log, connection.system, name, **labels))


def _require_scrapes(log: RunLog) -> None:
    if not log.systems:
        raise NoEvidence("the log knows no system")
    for system in log.systems:
        require_started(log, system)
        times = [scrape.time_ns for scrape in log.metrics(system).scrapes]
        require_seen(log, system, times, (0, log.end_ns), log.metrics_interval_ns, f"scrape of {system}")


CRITERIA: Final[Mapping[str, Callable[[RunLog], Firing | None]]] = {
    "corruption": find_corruption,
    "interference": find_interference,
    "crash": _crash,
    "failure_rate": _failure_rate,
    "auth_errors": _auth_errors,
}

KINDS: Final[tuple[CheckKind, ...]] = (check_kind("abort_criteria", AbortCriteria, expected_criteria, find_aborts),)
