"""Checks: poll_errors, poll_success_rate, request_rate."""

from typing import Any, Final

from pulse_sim.checks.judgement import CheckKind, Finding, NoEvidence, check_kind
from pulse_sim.checks.parameters import PollErrors, PollSuccessRate, RequestRate
from pulse_sim.observation import RunLog


def _unjudged(_log: RunLog, _given: Any) -> Finding:
    raise NoEvidence("this check is not judged yet")


def _expected(_given: Any) -> str:
    return ""


KINDS: Final[tuple[CheckKind, ...]] = (
    check_kind("poll_errors", PollErrors, _expected, _unjudged),
    check_kind("poll_success_rate", PollSuccessRate, _expected, _unjudged),
    check_kind("request_rate", RequestRate, _expected, _unjudged),
)
