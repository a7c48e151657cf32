"""The check that a run went where it was meant to: a rare branch was taken, and something outside tells of it.

A branch that was not reached says nothing of the system, so it is never a failure: INCONCLUSIVE. Which branches are
rare is the scenario's business.
"""

import json
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Annotated, Any, Final, Self

from pydantic import Field, model_validator

from pulse_sim.checks.coverage import require_started
from pulse_sim.checks.judgement import CheckKind, Finding, NoEvidence, check_kind
from pulse_sim.checks.operations import message
from pulse_sim.checks.parameters import Name, Parameters, Text, Window
from pulse_sim.checks.wording import amount, at_ms, number, within
from pulse_sim.observation import Request, RunLog, Source

Finite = Annotated[float, Field(allow_inf_nan=False)]


class SeenRequest(Parameters):
    """What an exchange of an appliance's journal must be like; what is not given may be anything."""

    appliance: Name
    method: Text | None = None
    path: Text | None = None
    status: Annotated[int, Field(ge=100, le=599)] | None = None
    ended: Text | None = None
    fault: Text | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if len(self.model_fields_set) < 2:
            raise ValueError("say of the request more than its appliance")
        return self


class SeenMetric(Parameters):
    """What a series must be like in a scrape: the sum of those with ``labels`` at ``above`` or more."""

    name: Text
    labels: dict[str, str] = Field(default_factory=dict)
    at_least: Finite


class Branch(Parameters):
    """By what a branch is told: one of a text in a line of the log, a request, or a metric."""

    log: Text | None = None
    request: SeenRequest | None = None
    metric: SeenMetric | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(part is not None for part in (self.log, self.request, self.metric)) != 1:
            raise ValueError("give exactly one of log, request and metric")
        return self


class Seen(Parameters):
    """A rare branch was seen: a line of the log, an exchange of a journal or a value of a metric."""

    what: Branch
    system: Name = "pulse"
    at_least: Annotated[int, Field(ge=1)] = 1
    between: Window | None = None


def expected_branch(given: Seen) -> str:
    """In words."""
    times = "" if given.at_least == 1 else f" at least {given.at_least} times"
    return f"{_called(given)} seen{times}{within(given.between)}"


def _called(given: Seen) -> str:
    branch = given.what
    if branch.log is not None:
        return f"a line of {given.system} with {json.dumps(branch.log)}"
    if branch.request is not None:
        rest = {name: value for name, value in branch.request.given().items() if name != "appliance"}
        return f"a request to {branch.request.appliance} with {json.dumps(rest, sort_keys=True)}"
    assert branch.metric is not None
    labels = json.dumps(branch.metric.labels, sort_keys=True)
    return f"{branch.metric.name} {labels} of {given.system} at {number(branch.metric.at_least)} or more"


def find_branch(log: RunLog, given: Seen) -> Finding:
    """Seen often enough is seen, whatever else the log lacks; all else is not known."""
    from_ns, to_ns = given.between or (0, log.end_ns)
    hits = [(time_ns, seq) for time_ns, seq in _hits(log, given) if from_ns <= time_ns <= to_ns]
    if len(hits) >= given.at_least:
        return Finding(True, f"{amount(len(hits), 'time')}, first at {at_ms(hits[0][0])}", [seq for _, seq in hits])
    raise NoEvidence(
        f"{_called(given)} was seen {amount(len(hits), 'time')}{within(given.between)}", [s for _, s in hits]
    )


def _hits(log: RunLog, given: Seen) -> Sequence[tuple[int, int]]:
    branch = given.what
    if branch.request is not None:
        wanted = branch.request
        return [(one.arrival_ns, one.seq) for one in log.exchanges(wanted.appliance) if _fits(one, wanted)]
    require_started(log, given.system)
    if branch.log is not None:
        lines = log.of(Source.SUT, "log", given.system)
        return [(line.time_ns, line.seq) for line in lines if branch.log in message(line)]
    assert branch.metric is not None
    samples = log.series(given.system, branch.metric.name, **branch.metric.labels)
    least = branch.metric.at_least
    return [(one.time_ns, one.seq) for one in samples if isfinite(one.value) and one.value >= least]


def _fits(request: Request, wanted: SeenRequest) -> bool:
    shown: Mapping[str, Any] = {
        "method": request.method,
        "path": request.path,
        "status": request.status,
        "ended": request.ended,
    }
    asked = wanted.model_dump(include=set(shown), exclude_none=True)
    return shown.items() >= asked.items() and (wanted.fault is None or wanted.fault in request.faults)


KINDS: Final[tuple[CheckKind, ...]] = (check_kind("seen", Seen, expected_branch, find_branch),)
