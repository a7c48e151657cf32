"""Every kind of check by name, and the judging of a whole run.

A check that cannot be judged is errored, never left out.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError

from pulse_sim.canonical import canonical_json, digest
from pulse_sim.checks import (
    aborts,
    alerts,
    availability,
    effects,
    isolation,
    leaks,
    load,
    older_view,
    operations,
    polls,
    reachability,
    recovery,
    rollback,
    rollout,
    safety,
    sources,
    statuses,
    telemetry,
    trends,
    truth,
)
from pulse_sim.checks.judgement import CheckKind, CheckResult
from pulse_sim.observation import RunLog
from pulse_sim.outcome import Outcome

GROUPS: Final = (
    polls,
    statuses,
    recovery,
    safety,
    effects,
    leaks,
    isolation,
    operations,
    aborts,
    alerts,
    availability,
    load,
    telemetry,
    trends,
    rollout,
    rollback,
    truth,
    sources,
    reachability,
    older_view,
)

CHECK_KINDS: Final[Mapping[str, CheckKind]] = {kind.name: kind for group in GROUPS for kind in group.KINDS}

ABORTS: Final = CHECK_KINDS["abort_criteria"]


def judge_run(log: RunLog, checks: Sequence[Mapping[str, Any]]) -> tuple[CheckResult, ...]:
    """The result of every entry ``{"check": name, **parameters}`` of ``checks``, in their order.

    An unknown check, parameters that do not fit and a judge that breaks are ERRORED. A run that did not end by itself,
    or does not tell what it was, passes nothing: what passed becomes INCONCLUSIVE. A run ended by the very abort its
    checks expect ended as it should; the others judge it up to its end.
    """
    doubt = _doubt(log, checks)
    return tuple(_judge(log, check, doubt) for check in checks)


def ended_as_expected(results: Iterable[CheckResult]) -> bool:
    """Whether an abort that ended a run is the one its checks expected."""
    return any(
        result.check == ABORTS.name and "expect_abort" in result.parameters and result.outcome is Outcome.PASSED
        for result in results
    )


def outcome_digest(results: Iterable[CheckResult]) -> str:
    """64 hex digits over what was found, without the sequence numbers, so that other Python minors agree (R4)."""
    return digest(
        [
            [result.check, dict(result.parameters), result.outcome.value, result.expected, result.observed]
            for result in results
        ]
    )


def _judge(log: RunLog, check: Mapping[str, Any], doubt: str) -> CheckResult:
    name = check.get("check")
    raw = {key: value for key, value in check.items() if key != "check"}
    kind = CHECK_KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        return _errored(str(name), raw, "there is no such check")
    try:
        parameters = kind.parameters.model_validate(raw)
    except ValidationError as error:
        return _errored(kind.name, raw, _first_problem(error))
    try:
        found = kind.judge(log, parameters)
    except Exception as error:  # a broken judge is the harness's failure, and must not take the other checks with it
        return _errored(kind.name, parameters.given(), f"the judge broke: {type(error).__name__}")
    outcome, reason = found.outcome, found.reason
    if outcome is Outcome.PASSED and doubt:
        outcome, reason = Outcome.INCONCLUSIVE, doubt
    return CheckResult(kind.name, parameters.given(), outcome, found.expected, found.observed, found.evidence, reason)


def _doubt(log: RunLog, checks: Sequence[Mapping[str, Any]]) -> str:
    """Why nothing in this log is good enough to pass; empty when it is."""
    if log.start is None:
        return "the log does not tell what was run"
    if log.end_reason == "aborted":
        results = [_judge(log, check, "") for check in checks if check.get("check") == ABORTS.name]
        return "" if ended_as_expected(results) else "the run was aborted"
    return "" if log.end_reason == "completed" else f"the run did not complete: {log.end_reason}"


def _first_problem(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    where = "".join(f"{step}: " for step in first["loc"])
    return f"parameters: {where}{first['msg']}"


def _errored(name: str, parameters: Mapping[str, Any], reason: str) -> CheckResult:
    return CheckResult(name, _plain(parameters), Outcome.ERRORED, "a check that can be judged", reason, (), reason)


def _plain(parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        canonical_json(dict(parameters))
    except (ValueError, TypeError, RecursionError):
        return {}
    return parameters
