"""The check that a rollback after an abort did what the runbook says it does (pulse-contract A12).

Judged from what was seen after the operators had acted, not from what they asked for. Knows no scenario's phase.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, Final, Literal

from pulse_sim.checks.corruption import is_ours
from pulse_sim.checks.coverage import require_started
from pulse_sim.checks.flag import WITHOUT, is_on
from pulse_sim.checks.judgement import CheckKind, Finding, NoEvidence, check_kind
from pulse_sim.checks.operations import message
from pulse_sim.checks.parameters import Name, Parameters
from pulse_sim.checks.wording import amount, at_most_ms, at_ms
from pulse_sim.observation import Record, ResourceSample, RunLog, Source
from pulse_sim.observation.delta import apply
from pulse_sim.units import MINUTE, SECOND, format_duration

STALE_NS: Final = 2 * MINUTE
POLL_LINE: Final = "TrueNAS poll"
LAST_LINE: Final = "TrueNAS poller stopped"
"""What a poller says as it ends, which is no poll."""


class RolledBack(Parameters):
    """After an abort a system was taken back by an operation of the runbook, and shows it."""

    by: Literal["disable", "kill_switch", "previous_version"]
    system: Name = "pulse"


@dataclass(frozen=True, slots=True)
class Operation:
    """One of the runbook's: the action it is made of, how long polls may go on after it, what is left and shown then.

    ``keeps`` is of connections; a version that knows none answers ``list_status`` 404 and is not asked.
    """

    action: str
    polls_for_ns: int
    list_status: int
    keeps: Literal["all", "none"]
    shows: Literal["stale", "nothing"]


@dataclass(frozen=True, slots=True)
class Done:
    """What was done: the operation, its last action, the actions' records."""

    operation: Operation
    time_ns: int
    seq: int
    actions: Sequence[Record]

    @property
    def quiet_ns(self) -> int:
        """From when on nothing polls any more."""
        return self.time_ns + self.operation.polls_for_ns

    @property
    def stale_ns(self) -> int:
        """From when on everything shown is stale."""
        return self.quiet_ns + STALE_NS


OPERATIONS: Final[Mapping[str, Operation]] = {
    "disable": Operation("restart_system", SECOND, 200, "all", "stale"),
    "kill_switch": Operation("remove_connection", MINUTE, 200, "none", "stale"),
    "previous_version": Operation("restart_system", SECOND, 404, "all", "nothing"),
}


def expected_rollback(given: RolledBack) -> str:
    """In words."""
    return f"{given.system} rolled back by {given.by.replace('_', ' ')} after the abort"


def find_rollback(log: RunLog, given: RolledBack) -> Finding:
    """The first thing that is not as the runbook says decides."""
    require_started(log, given.system)
    done = _done(log, given)
    evidence = [action.seq for action in done.actions[-1:]]
    if isinstance(problem := _not_done(log, given, done), str):
        return Finding(False, problem, [action.seq for action in done.actions])
    if log.end_ns < done.stale_ns:
        raise NoEvidence(f"the run ended at {at_ms(log.end_ns)}, before the rollback could show", evidence)
    for look in LOOKS:
        for problem, seqs in look(log, given.system, done):
            return Finding(False, problem, seqs)
    samples = [one for one in log.resources(given.system) if one.time_ns > done.stale_ns]
    what = f"{amount(len(_of_truenas(samples[-1])), 'resource')} stale"
    told = what if done.operation.shows == "stale" else "nothing of it shown"
    return Finding(True, f"no poll and {told} to the end", [*evidence, samples[0].seq, samples[-1].seq])


def _done(log: RunLog, given: RolledBack) -> Done:
    begun = log.of(Source.WORLD, "rollback")
    if not begun:
        raise NoEvidence("no rollback was carried out")
    operation = OPERATIONS[given.by]
    actions = [
        record
        for record in log.of(Source.OPERATOR, "action", given.system)
        if record.seq > begun[0].seq and record.data["do"] == operation.action
    ]
    last = actions[-1] if actions else begun[0]
    return Done(operation, last.time_ns, last.seq, actions or begun)


def _not_done(log: RunLog, given: RolledBack, done: Done) -> str | None:
    """Why the operation was not carried out at all; None when it was."""
    if done.actions[0].kind != "action":
        return f"nobody did {done.operation.action} to {given.system}"
    refused = [action for action in done.actions if action.data["status"] is None or action.data["status"] >= 400]
    if refused:
        return f"{done.operation.action} was answered {refused[0].data['status']}"
    restarts = [one for one in log.of(Source.SUT, "started", given.system) if one.seq > _begun_seq(log)]
    if given.by == "kill_switch":
        return f"{given.system} was restarted" if restarts else None
    variant, environment = _running(log, given.system)
    if given.by == "previous_version" and variant != WITHOUT:
        return f"the variant is {variant}"
    if given.by == "disable" and is_on(variant, environment):
        return "the flag is on"
    return None if restarts else f"{given.system} was not restarted"


def _running(log: RunLog, system: str) -> tuple[Any, Mapping[str, Any]]:
    """The variant and the environment a system was last started with."""
    declared: Mapping[str, Any] = log.start.data["systems"].get(system, {}) if log.start else {}
    variant, environment = declared.get("variant"), dict(declared.get("environment") or {})
    for record in log.of(Source.OPERATOR, "action", system):
        if record.data["do"] == "restart_system":
            variant = record.data["with"].get("variant") or variant
            environment |= record.data["with"].get("environment") or {}
    return variant, environment


Problem = tuple[str, Sequence[int]]


def _polls(log: RunLog, system: str, done: Done) -> Iterator[Problem]:
    """No request at an appliance that only this system polls, and no line about a poll."""
    connections = log.connections.values()
    others = {one.appliance for one in connections if one.system != system}
    own = sorted({one.appliance for one in connections if one.system == system} - others)
    requests = [request for appliance in own for request in log.requests(appliance)]
    if not requests and own:
        raise NoEvidence(f"no request to {', '.join(own)} in the journal")
    late = [request for request in requests if request.arrival_ns > done.quiet_ns]
    if late:
        yield f"{late[0].appliance} was polled at {at_ms(late[0].arrival_ns)}", [late[0].seq]
    lines = log.of(Source.SUT, "log", system)
    told = [one for one in lines if one.time_ns > done.quiet_ns and _is_of_polling(message(one))]
    if told:
        yield f"the log told of a poll at {at_ms(told[0].time_ns)}", [told[0].seq]


def _is_of_polling(line: str) -> bool:
    return line.startswith(POLL_LINE) and not line.startswith(LAST_LINE)


def _of_truenas(sample: ResourceSample) -> Sequence[Mapping[str, Any]]:
    return [resource for resource in sample.by_id.values() if is_ours(resource)]


def _shown(log: RunLog, system: str, done: Done) -> Iterator[Problem]:
    """Everything of TrueNAS kept, stale and no longer online; or nothing of it at all."""
    samples = [one for one in log.resources(system) if one.time_ns > done.stale_ns]
    if not samples:
        raise NoEvidence(f"no sample of the resources of {system} after {format_duration(done.stale_ns)}")
    for sample in samples:
        ours = _of_truenas(sample)
        when = at_ms(sample.time_ns)
        if done.operation.shows == "nothing":
            if ours:
                yield f"{amount(len(ours), 'resource')} of TrueNAS shown at {when}", [sample.seq]
            continue
        if not ours:
            yield f"nothing of TrueNAS is left at {when}", [sample.seq]
        fresh = [one for one in ours if _source(one) != "stale" or (one.get("status") == "online" and _is_only(one))]
        if fresh:
            took = at_most_ms(sample.time_ns - done.time_ns)
            yield f"{str(fresh[0].get('sourceId'))[:120]} still fresh {took} after the rollback", [sample.seq]


def _source(resource: Mapping[str, Any]) -> Any:
    return ((resource.get("sourceStatus") or {}).get("truenas") or {}).get("status")


def _is_only(resource: Mapping[str, Any]) -> bool:
    return list(resource.get("sources") or ()) == ["truenas"]


def _listed(log: RunLog, system: str, done: Done) -> Iterator[Problem]:
    """The list of connections: gone with the version, empty after the kill switch, as it was after disabling."""
    shown: dict[str, Any] = {}
    before: Set[str] = frozenset()
    last: Record | None = None
    for record in log.of(Source.SAMPLER, "connections", system):
        if record.data["status"] == 200:
            shown = apply(shown, record.data)
        if record.seq < done.actions[0].seq:
            before = frozenset(shown)
        last = record
    if last is None or last.seq < done.seq:
        raise NoEvidence(f"no sample of the connections of {system} after the rollback")
    if last.data["status"] != done.operation.list_status:
        yield f"the list of connections is answered {last.data['status']}", [last.seq]
    elif done.operation.keeps == "none" and shown:
        yield f"{amount(len(shown), 'connection')} left", [last.seq]
    elif done.operation.list_status == 200 and done.operation.keeps == "all" and shown.keys() != before:
        yield "the connections are not those of before", [last.seq]


def _health(log: RunLog, _system: str, done: Done) -> Iterator[Problem]:
    """Every system answers its health probe, and none crashed since."""
    for crash in log.of(Source.SUT, "crash"):
        if crash.seq > _begun_seq(log):
            yield f"{crash.subject} crashed at {at_ms(crash.time_ns)}", [crash.seq]
    for system in log.systems:
        probes = [probe for probe in log.health(system) if probe.time_ns > done.quiet_ns]
        if not probes:
            raise NoEvidence(f"nobody looked at the health of {system} after the rollback")
        sick = [probe for probe in probes if not probe.ok]
        if sick:
            yield f"health of {system} answered {sick[0].status} at {at_ms(sick[0].time_ns)}", [sick[0].seq]


def _begun_seq(log: RunLog) -> int:
    return log.of(Source.WORLD, "rollback")[0].seq


LOOKS: Final[Sequence[Callable[[RunLog, str, Done], Iterator[Problem]]]] = (_polls, _shown, _listed, _health)

KINDS: Final[tuple[CheckKind, ...]] = (check_kind("rolled_back", RolledBack, expected_rollback, find_rollback),)
