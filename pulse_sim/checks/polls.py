"""Checks of polls counted: errors and successes on ``/metrics``, and requests in the appliances' journals."""

from fractions import Fraction
from typing import Final

from pulse_sim.checks.counters import Rise, rise
from pulse_sim.checks.coverage import connection_of
from pulse_sim.checks.judgement import CheckKind, Finding, NoEvidence, check_kind
from pulse_sim.checks.parameters import PollErrors, PollSuccessRate, RequestRate
from pulse_sim.checks.wording import amount, at_ms, number, percent, within
from pulse_sim.observation import Request, RunLog
from pulse_sim.units import MINUTE

INSTANCE_TYPE: Final = "truenas"
ERRORS: Final = "pulse_monitor_poll_errors_total"
POLLS: Final = "pulse_monitor_poll_total"


def expected_errors(given: PollErrors) -> str:
    """In words."""
    noun = f"{given.error_type} error"
    least, most = given.at_least, given.at_most
    if least is None or most is None:
        bound = f"at most {amount(most, noun)}" if most is not None else f"at least {amount(least or 0, noun)}"
    else:
        bound = f"at least {least} and at most {amount(most, noun)}"
    return f"{bound} of {given.connection}{within(given.between)}"


def find_errors(log: RunLog, given: PollErrors) -> Finding:
    """A bound already decided by what was seen is decided; otherwise the scrapes must reach the window's end."""
    system = connection_of(log, given.connection).system
    labels = {"instance_type": INSTANCE_TYPE, "instance": given.connection, "error_type": given.error_type}
    seen = rise(log, system, given.between, ERRORS, **labels)
    too_many = given.at_most is not None and seen.amount > given.at_most
    too_few = given.at_least is not None and seen.amount < given.at_least
    is_open = too_few or (given.at_most is not None and not too_many)
    if is_open and not seen.is_whole:
        raise NoEvidence("the scrapes end before the window does", seen.evidence)
    return Finding(not (too_many or too_few), amount(seen.amount, f"{given.error_type} error"), seen.evidence)


def expected_rate(given: PollSuccessRate) -> str:
    """In words."""
    share = percent(Fraction(str(given.at_least)))
    return f"at least {share} of the polls of {given.connection} succeed{within(given.between)}"


def find_rate(log: RunLog, given: PollSuccessRate) -> Finding:
    """Judged only when polls were counted and the scrapes reach the window's end."""
    system = connection_of(log, given.connection).system
    good, bad = (_polls(log, system, given, result) for result in ("success", "error"))
    total = good.amount + bad.amount
    evidence = [*good.evidence, *bad.evidence]
    if total <= 0:
        raise NoEvidence(f"no poll of {given.connection} was counted", evidence)
    if not good.is_whole:
        raise NoEvidence("the scrapes end before the window does", evidence)
    share = Fraction(good.amount) / Fraction(total)
    observed = f"{percent(share)}: {number(good.amount)} of {number(total)} polls succeeded"
    return Finding(share >= Fraction(str(given.at_least)), observed, bad.evidence if bad.amount else good.evidence)


def _polls(log: RunLog, system: str, given: PollSuccessRate, result: str) -> Rise:
    labels = {"instance_type": INSTANCE_TYPE, "instance": given.connection, "result": result}
    return rise(log, system, given.between, POLLS, **labels)


def expected_requests(given: RequestRate) -> str:
    """In words."""
    limit = amount(given.at_most_per_minute, "request")
    return f"at most {limit} to {given.appliance} in any 60 s{within(given.between)}"


def find_requests(log: RunLog, given: RequestRate) -> Finding:
    """The fullest span of 60 s, its end not included.

    Without a request there is nothing to judge, not a rate of 0; only where silence is what is demanded does silence
    pass, and then the journal must show by requests at other times that it was listening.
    """
    from_ns, to_ns = given.between or (0, log.end_ns)
    if to_ns > log.end_ns:
        raise NoEvidence(f"the run ended at {at_ms(log.end_ns)}, before the window did")
    requests = [request for request in log.requests(given.appliance) if from_ns <= request.arrival_ns <= to_ns]
    elsewhere = log.requests(given.appliance)
    if not requests and elsewhere and given.at_most_per_minute == 0:
        return Finding(True, f"none, and {len(elsewhere)} at other times", [elsewhere[0].seq, elsewhere[-1].seq])
    if not requests:
        raise NoEvidence(f"no request to {given.appliance} in the journal{within(given.between)}")
    fullest = _fullest_minute(requests)
    observed = f"{amount(len(fullest), 'request')} in the 60 s from {at_ms(fullest[0].arrival_ns)}"
    return Finding(len(fullest) <= given.at_most_per_minute, observed, [request.seq for request in fullest])


def _fullest_minute(requests: list[Request]) -> list[Request]:
    best = (0, 0)
    first = 0
    for last, request in enumerate(requests):
        while request.arrival_ns - requests[first].arrival_ns >= MINUTE:
            first += 1
        if last + 1 - first > best[1] - best[0]:
            best = (first, last + 1)
    return requests[best[0] : best[1]]


KINDS: Final[tuple[CheckKind, ...]] = (
    check_kind("poll_errors", PollErrors, expected_errors, find_errors),
    check_kind("poll_success_rate", PollSuccessRate, expected_rate, find_rate),
    check_kind("request_rate", RequestRate, expected_requests, find_requests),
)
