"""Checks of the load on an appliance, by its journal: how often somebody tries to log in, and no storm of retries.

Knows the journal's words for a login and nothing of who sent it.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Annotated, Final

from pydantic import Field

from pulse_sim.checks.judgement import CheckKind, Finding, NoEvidence, check_kind
from pulse_sim.checks.parameters import Limit, Name, Parameters, Window
from pulse_sim.checks.wording import amount, at_ms, within
from pulse_sim.observation import Record, RunLog, Source
from pulse_sim.units import MINUTE, format_duration

LOGIN: Final = "auth.login"
"""What every method that logs in begins with; an appliance counts them all (truenas-api 4)."""

UNAUTHORIZED: Final = 401
"""What REST answers to credentials it does not take; there every request carries them."""

Times = Annotated[float, Field(ge=1, allow_inf_nan=False)]


class LoginRate(Parameters):
    """The most logins and refused credentials an appliance met in any 60 seconds."""

    appliance: Name
    at_most_per_minute: Limit
    between: Window | None = None


class NoRetryStorm(Parameters):
    """Trouble makes nobody ask an appliance much more often than usual."""

    appliance: Name
    at_most_times: Times


def expected_logins(given: LoginRate) -> str:
    """In words."""
    limit = amount(given.at_most_per_minute, "login")
    return f"at most {limit} to {given.appliance} in any 60 s{within(given.between)}"


def find_logins(log: RunLog, given: LoginRate) -> Finding:
    """Without any request in the window the journal tells nothing; with some, no login among them is none."""
    from_ns, to_ns = given.between or (0, log.end_ns)
    if to_ns > log.end_ns:
        raise NoEvidence(f"the run ended at {at_ms(log.end_ns)}, before the window did")
    entries = [
        (arrival_ns, record)
        for record in log.of(Source.APPLIANCE, "request", given.appliance)
        if from_ns <= (arrival_ns := record.time_ns - record.data["duration_ns"]) <= to_ns
    ]
    if not entries:
        raise NoEvidence(f"no request to {given.appliance} in the journal{within(given.between)}")
    logins = sorted((arrival_ns, record.seq) for arrival_ns, record in entries if _is_login(record))
    if not logins:
        first, last = entries[0][1], entries[-1][1]
        return Finding(True, f"none, and {amount(len(entries), 'other request')}", [first.seq, last.seq])
    fullest = _fullest_minute(logins)
    observed = f"{amount(len(fullest), 'login')} in the 60 s from {at_ms(fullest[0][0])}"
    return Finding(len(fullest) <= given.at_most_per_minute, observed, [seq for _, seq in fullest])


def _is_login(record: Record) -> bool:
    """Raises NoEvidence for a call that does not say of which method it is."""
    data = record.data
    if data.get("kind") == "call":
        call = data.get("call")
        if not isinstance(call, str):
            raise NoEvidence("the journal does not tell which method was called", [record.seq])
        return call.startswith(LOGIN)
    return bool(data["status"] == UNAUTHORIZED)


def expected_calm(given: NoRetryStorm) -> str:
    """In words."""
    return f"never more than {_plain(given.at_most_times)} times the usual requests to {given.appliance} in any 60 s"


def find_storm(log: RunLog, given: NoRetryStorm) -> Finding:
    """Usual is the fullest 60 s from the steady state to the first fault on the way to this appliance."""
    troubles = [fault.from_ns for fault in log.faults() if given.appliance in _struck(log, fault.on, fault.connections)]
    if not troubles:
        raise NoEvidence(f"no fault struck {given.appliance}")
    steady = next((record.time_ns for record in log.phases() if record.data["phase"] == "steady"), None)
    if steady is None or min(troubles) - steady < MINUTE:
        raise NoEvidence("no steady state of a minute before the first fault")
    entries = [(request.arrival_ns, request.seq) for request in log.requests(given.appliance)]
    usual = _fullest_minute([one for one in entries if steady <= one[0] < min(troubles)])
    later = _fullest_minute([one for one in entries if one[0] >= min(troubles)])
    if not usual or not later:
        when = "before" if not usual else "since"
        raise NoEvidence(f"no request to {given.appliance} {when} the first fault at {format_duration(min(troubles))}")
    observed = f"{amount(len(later), 'request')} in the 60 s from {at_ms(later[0][0])}, usual {len(usual)}"
    allowed = Fraction(str(given.at_most_times)) * len(usual)
    return Finding(len(later) <= allowed, observed, [usual[0][1], usual[-1][1], later[0][1], later[-1][1]])


def _struck(log: RunLog, on: str, connections: Sequence[str]) -> set[str]:
    """The appliances a fault is about: where it was set, or those its connections poll."""
    return {on} | {log.connections[name].appliance for name in connections if name in log.connections}


def _fullest_minute(entries: Sequence[tuple[int, int]]) -> Sequence[tuple[int, int]]:
    """The fullest span of 60 s, its end not included, of (time, record) in the order of time."""
    best = (0, 0)
    first = 0
    for last, (time_ns, _) in enumerate(entries):
        while time_ns - entries[first][0] >= MINUTE:
            first += 1
        if last + 1 - first > best[1] - best[0]:
            best = (first, last + 1)
    return entries[best[0] : best[1]]


def _plain(times: float) -> str:
    return f"{times:g}"


KINDS: Final[tuple[CheckKind, ...]] = (
    check_kind("login_rate", LoginRate, expected_logins, find_logins),
    check_kind("no_retry_storm", NoRetryStorm, expected_calm, find_storm),
)
