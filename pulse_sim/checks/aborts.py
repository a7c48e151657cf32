"""The abort criteria of the rollout (pulse-contract A11) over a whole run: none fired, or exactly the expected one.

When they fire is said by :mod:`pulse_sim.checks.abort_watch`; here, whether the log saw enough to say that one did not,
and whether the run ended by the abort it should have ended by.
"""

from collections.abc import Callable, Mapping
from typing import Final

from pulse_sim.checks.abort_watch import first_firings
from pulse_sim.checks.corruption import is_ours
from pulse_sim.checks.counters import Step, steps
from pulse_sim.checks.coverage import require_seen, require_started
from pulse_sim.checks.firing import Firing
from pulse_sim.checks.flag import is_ever_polling
from pulse_sim.checks.judgement import CheckKind, Finding, NoEvidence, check_kind
from pulse_sim.checks.parameters import AbortCriteria
from pulse_sim.checks.polls import ERRORS, INSTANCE_TYPE, POLLS
from pulse_sim.checks.wording import at_ms, within
from pulse_sim.observation import Connection, RunLog, Source


def expected_criteria(given: AbortCriteria) -> str:
    """In words."""
    names = ", ".join(given.criteria)
    if given.expect_abort is None:
        return f"no abort by {names}"
    return f"of {names} exactly {given.expect_abort.criterion}{within(given.expect_abort.between)}"


def find_aborts(log: RunLog, given: AbortCriteria) -> Finding:
    """When each criterion first fired. One that fired decides, even where another could not be judged."""
    fired = first_firings(log.records, given.criteria)
    expected = given.expect_abort
    evidence = [seq for firing in fired.values() for seq in firing.evidence]
    unexpected = [name for name in given.criteria if name in fired and (not expected or name != expected.criterion)]
    if unexpected:
        return Finding(False, _told(fired[unexpected[0]]), evidence)
    for criterion in dict.fromkeys(given.criteria):
        if criterion not in fired:
            _require_evidence(log, criterion)
    told = _told_by_the_run(log, fired)
    if expected is None:
        return Finding(True, "none fired", [record.seq for record in log.of(Source.SUT, "started")])
    firing = fired.get(expected.criterion)
    if firing is None:
        return Finding(False, "none fired")
    if told is None:
        return Finding(False, f"{_told(firing)}, and the run went on", evidence)
    in_time = expected.between[0] <= firing.time_ns <= expected.between[1]
    return Finding(in_time, _told(firing), [*evidence, told])


def _told(firing: Firing) -> str:
    return f"{firing.criterion} at {at_ms(firing.time_ns)}: {firing.what}"


def _told_by_the_run(log: RunLog, fired: Mapping[str, Firing]) -> int | None:
    """The record that says the run was ended by one of ``fired``; None where no abort ended it.

    Raises NoEvidence for a log that tells of an abort its records do not show, and for an end without an abort.
    """
    aborts = log.of(Source.WORLD, "abort")
    if len(aborts) > 1 or bool(aborts) != (log.end_reason == "aborted"):
        raise NoEvidence("the log does not tell how the run was aborted", [record.seq for record in aborts])
    for record in aborts:
        firing = fired.get(record.data["criterion"])
        if firing is None or firing.what != record.data["what"] or firing.time_ns > record.time_ns:
            raise NoEvidence(f"an abort by {record.data['criterion']} that the records do not show", [record.seq])
        return record.seq
    return None


def _require_evidence(log: RunLog, criterion: str) -> None:
    try:
        _EVIDENCE[criterion](log)
    except NoEvidence as missing:
        raise NoEvidence(f"{criterion} cannot be judged: {missing.missing}", missing.evidence) from None


def _require_polls(log: RunLog) -> None:
    counts = [
        step.gain
        for connection in _polled(log)
        for result in ("success", "error")
        for step in _counted(log, connection, POLLS, result=result)
    ]
    if not any(counts):
        raise NoEvidence("no poll was counted")
    _require_scrapes(log)


def _require_auth_errors(log: RunLog) -> None:
    for connection in _polled(log):
        _counted(log, connection, ERRORS, error_type="auth")
        _counted(log, connection, POLLS, result="success")
    _require_scrapes(log)


def _polled(log: RunLog) -> list[Connection]:
    """The connections of systems that were ever told to poll."""
    return [one for one in log.connections.values() if is_ever_polling(log, one.system)]


def _counted(log: RunLog, connection: Connection, name: str, **labels: str) -> list[Step]:
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


def _require_looks(log: RunLog) -> None:
    if not log.systems:
        raise NoEvidence("the log knows no system")
    for system in log.systems:
        require_started(log, system)
        times = [sample.time_ns for sample in log.resources(system)]
        what = f"sample of the resources of {system}"
        require_seen(log, system, times, (0, log.end_ns), log.resources_interval_ns, what)
        shown = [resource for sample in log.resources(system) for resource in sample.by_id.values()]
        if any(is_ours(one) for one in shown) and not any(one.get("sourceId") for one in shown):
            raise NoEvidence(f"the resources of {system} carry no source id")


_EVIDENCE: Final[Mapping[str, Callable[[RunLog], None]]] = {
    "corruption": _require_looks,
    "interference": _require_looks,
    "crash": _require_scrapes,
    "failure_rate": _require_polls,
    "auth_errors": _require_auth_errors,
}

KINDS: Final[tuple[CheckKind, ...]] = (check_kind("abort_criteria", AbortCriteria, expected_criteria, find_aborts),)
