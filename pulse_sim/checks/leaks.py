"""Checks: no_leaks."""

from typing import Any, Final

from pulse_sim.checks.judgement import CheckKind, Finding, NoEvidence, check_kind
from pulse_sim.checks.parameters import NoLeaks
from pulse_sim.observation import RunLog


def _unjudged(_log: RunLog, _given: Any) -> Finding:
    raise NoEvidence("this check is not judged yet")


def _expected(_given: Any) -> str:
    return ""


KINDS: Final[tuple[CheckKind, ...]] = (check_kind("no_leaks", NoLeaks, _expected, _unjudged),)
