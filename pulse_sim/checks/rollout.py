"""Checks of a rollout phase (pulse-contract A11): its checkpoints, and the time it must have been green on end.

Knows nothing of which phase it is; scenarios say when a checkpoint is and how long is long enough.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import isfinite
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from pulse_sim.checks.counters import rise, steps
from pulse_sim.checks.coverage import connection_of, is_seen_at, require_seen
from pulse_sim.checks.flag import is_ever_polling
from pulse_sim.checks.judgement import CheckKind, Finding, NoEvidence, check_kind
from pulse_sim.checks.parameters import Name, Parameters, Share
from pulse_sim.checks.polls import ERRORS, INSTANCE_TYPE, POLLS
from pulse_sim.checks.recovery import STALENESS
from pulse_sim.checks.wording import amount, at_ms
from pulse_sim.observation import AlertSample, Connection, RunLog, Source
from pulse_sim.units import HOUR, MINUTE, SECOND, Duration, format_duration

STALE_NS: Final = 5 * MINUTE
STALE_INTERVALS: Final = 3
ERROR_SHARE: Final = Fraction(5, 100)
ERROR_WINDOW_NS: Final = HOUR
OF_APPLIANCES: Final = "appliance"
"""The rule of alerts that an appliance raised itself: they say nothing about who watches it."""

Connections = Annotated[list[Name], Field(min_length=1)]
Red = tuple[int, str, int]
"""When something was not green, what, and the record that shows it."""


class Checkpoint(Parameters):
    """A checkpoint of a phase: all connections fresh, nearly all polls well, no alert, no abort."""

    at: Duration
    since: Duration = 0
    success_rate: Share = 0.95
    connections: Connections | None = None

    @model_validator(mode="after")
    def _forwards(self) -> Self:
        if self.since >= self.at:
            raise ValueError("since goes with a later at")
        return self


class GreenFor(Parameters):
    """The exit gate of a phase: everything green for so long on end, up to the end of the run."""

    for_: Annotated[Duration, Field(gt=0)] = Field(alias="for")
    connections: Connections | None = None


def expected_checkpoint(given: Checkpoint) -> str:
    """In words."""
    whose = "every connection" if given.connections is None else ", ".join(given.connections)
    share = f"{int(Fraction(str(given.success_rate)) * 100)} %"
    times = f"since {format_duration(given.since)}" if given.since else "since the start"
    return (
        f"at {format_duration(given.at)} {whose} fresh, at least {share} of polls well {times}, no alert and no abort"
    )


def find_checkpoint(log: RunLog, given: Checkpoint) -> Finding:
    """The first connection that is not as it should be decides."""
    for abort in log.of(Source.WORLD, "abort"):
        if abort.time_ns <= given.at:
            return Finding(False, f"aborted at {at_ms(abort.time_ns)}", [abort.seq])
    evidence: list[int] = []
    polls = 0
    for connection in _watched(log, given.connections, given.at):
        fresh, told, seqs = _fresh_at(log, connection, given.at)
        if not fresh:
            return Finding(False, told, seqs)
        good, bad = (
            rise(log, connection.system, (given.since, given.at), POLLS, **_labels(connection), result=result)
            for result in ("success", "error")
        )
        total = Fraction(good.amount) + Fraction(bad.amount)
        if not good.is_whole or total <= 0:
            raise NoEvidence(f"the polls of {connection.id} were not counted up to the checkpoint", good.evidence)
        if Fraction(good.amount) / total < Fraction(str(given.success_rate)):
            observed = f"{int(good.amount)} of {int(total)} polls of {connection.id} succeeded"
            return Finding(False, observed, bad.evidence)
        polls += int(total)
        evidence += seqs
    for system in sorted({one.system for one in _watched(log, given.connections, given.at)}):
        sample = _alerts_at(log, system, given.at)
        raised = _raised(sample)
        if raised:
            return Finding(False, f"alert {raised[0]} of {system} active at {at_ms(sample.time_ns)}", [sample.seq])
        evidence.append(sample.seq)
    return Finding(True, f"green, {amount(polls, 'poll')} counted", evidence)


def expected_green(given: GreenFor) -> str:
    """In words."""
    whose = "every connection" if given.connections is None else ", ".join(given.connections)
    return f"{whose} green for {format_duration(given.for_)} up to the end"


def find_green(log: RunLog, given: GreenFor) -> Finding:
    """How long ago the last thing that was not green was seen; and that the time since was seen at all times."""
    from_ns = log.end_ns - given.for_
    watched = _watched(log, given.connections, log.end_ns)
    for connection in watched:
        if not log.series(connection.system, STALENESS, **_labels(connection)):
            raise NoEvidence(f"no samples of {STALENESS} of {connection.id}")
    began_ns = max(one.configured[-1].from_ns for one in watched)
    reds = [red for connection in watched for red in _reds(log, connection)]
    systems = sorted({one.system for one in watched})
    reds += [red for system in systems for red in _red_systems(log, system)]
    reds += [(one.time_ns, "the run was aborted", one.seq) for one in log.of(Source.WORLD, "abort")]
    last = max(reds, default=(began_ns, "", -1))
    green_ns = log.end_ns - max(last[0], began_ns)
    told = f"green for {format_duration(green_ns // MINUTE * MINUTE)} at the end"
    if green_ns < given.for_:
        reason = f", {last[1]} at {at_ms(last[0])}" if last[0] > began_ns and last[1] else ", all there was"
        return Finding(False, told + reason, [last[2]] if last[2] >= 0 else ())
    evidence = []
    for connection in watched:
        samples = log.series(connection.system, STALENESS, **_labels(connection))
        times = [one.time_ns for one in samples]
        what = f"sample of the staleness of {connection.id}"
        require_seen(log, connection.system, times, (from_ns, log.end_ns), log.metrics_interval_ns, what)
        evidence.append(samples[-1].seq)
    for system in systems:
        times = [sample.time_ns for sample in log.alerts(system)]
        what = f"sample of the alerts of {system}"
        require_seen(log, system, times, (from_ns, log.end_ns), log.resources_interval_ns, what)
    return Finding(True, told, evidence)


def _watched(log: RunLog, names: Sequence[str] | None, at_ns: int) -> Sequence[Connection]:
    """The named connections, else all that systems were told to poll at that time. NoEvidence without any."""
    if names is not None:
        return [connection_of(log, name) for name in names]
    found = [
        one
        for one in log.connections.values()
        if is_ever_polling(log, one.system)
        and any(span.from_ns <= at_ns and (span.to_ns is None or at_ns <= span.to_ns) for span in one.configured)
    ]
    if not found:
        raise NoEvidence(f"no connection is polled at {format_duration(at_ns)}")
    return [connection_of(log, one.id) for one in found]


def _labels(connection: Connection) -> dict[str, str]:
    return {"instance_type": INSTANCE_TYPE, "instance": connection.id}


def _limit_s(connection: Connection) -> float:
    return max(STALE_NS, STALE_INTERVALS * connection.poll_interval_ns) / SECOND


def _fresh_at(log: RunLog, connection: Connection, at_ns: int) -> tuple[bool, str, list[int]]:
    samples = [one for one in log.series(connection.system, STALENESS, **_labels(connection)) if one.time_ns <= at_ns]
    if not samples or not is_seen_at(log, connection.system, samples[-1].time_ns, at_ns, log.metrics_interval_ns):
        raise NoEvidence(f"no sample of the staleness of {connection.id} just before {format_duration(at_ns)}")
    last = samples[-1]
    if not isfinite(last.value) or last.value < 0:
        raise NoEvidence(f"{STALENESS} of {connection.id} was no age", [last.seq])
    told = f"the last success of {connection.id} was {int(last.value)}s old at {at_ms(last.time_ns)}"
    return last.value < _limit_s(connection), told, [last.seq]


def _alerts_at(log: RunLog, system: str, at_ns: int) -> AlertSample:
    samples = [one for one in log.alerts(system) if one.time_ns <= at_ns]
    if not samples or not is_seen_at(log, system, samples[-1].time_ns, at_ns, log.resources_interval_ns):
        raise NoEvidence(f"no sample of the alerts of {system} just before {format_duration(at_ns)}")
    return samples[-1]


def _raised(sample: AlertSample) -> Sequence[str]:
    """The rules of active alerts, an unreadable one by its id."""
    rules = (str(alert.get("rule") or key[:60]) for key, alert in sample.by_id.items())
    return sorted(rule for rule in rules if rule != OF_APPLIANCES)


def _reds(log: RunLog, connection: Connection) -> Iterator[Red]:
    """What was not green of one connection; a value that is no age is none that is green."""
    for sample in log.series(connection.system, STALENESS, **_labels(connection)):
        if not 0 <= sample.value < _limit_s(connection):
            yield sample.time_ns, f"staleness of {connection.id} over its limit", sample.seq
    for step in steps(log, connection.system, ERRORS, **_labels(connection), error_type="auth"):
        if step.gain:
            yield step.time_ns, f"an auth error of {connection.id}", step.seq
    good, bad = (
        steps(log, connection.system, POLLS, **_labels(connection), result=result) for result in ("success", "error")
    )
    oldest = 0
    succeeded = failed = 0.0
    for last, (success, error) in enumerate(zip(good, bad, strict=True)):
        succeeded += success.gain or 0.0
        failed += error.gain or 0.0
        while good[oldest].time_ns <= success.time_ns - ERROR_WINDOW_NS and oldest < last:
            succeeded -= good[oldest].gain or 0.0
            failed -= bad[oldest].gain or 0.0
            oldest += 1
        total = succeeded + failed
        if total > 0 and Fraction(failed) / Fraction(total) >= ERROR_SHARE:
            yield error.time_ns, f"5 % or more of the polls of {connection.id} failed in an hour", error.seq


def _red_systems(log: RunLog, system: str) -> Iterator[Red]:
    for sample in log.alerts(system):
        for rule in _raised(sample)[:1]:
            yield sample.time_ns, f"alert {rule} of {system}", sample.seq
    for crash in log.of(Source.SUT, "crash", system):
        yield crash.time_ns, f"{system} crashed", crash.seq


KINDS: Final[tuple[CheckKind, ...]] = (
    check_kind("checkpoint", Checkpoint, expected_checkpoint, find_checkpoint),
    check_kind("green_for", GreenFor, expected_green, find_green),
)
