"""One recorded run judged: its log and its checks in, results and one outcome out. The same at sealing and years later.

Knows nothing of manifests; whoever calls it has verified the files or has just written them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pulse_sim.canonical import Json
from pulse_sim.checks import CheckResult, ended_as_expected, judge_run, outcome_digest
from pulse_sim.evidence.agreement import disagreement
from pulse_sim.evidence.hostile import BundleDamaged, read_yaml
from pulse_sim.evidence.names import SCENARIO
from pulse_sim.observation import Header, LogDamaged, RunLog
from pulse_sim.outcome import Outcome, worst
from pulse_sim.units import SECOND

CHECKS_VERSION: Final = 1
_ENDINGS: Final = {
    "completed": (Outcome.PASSED, ""),
    "aborted": (Outcome.INCONCLUSIVE, "the run was aborted"),
    "deadline": (Outcome.INCONCLUSIVE, "the run did not end in time"),
    "crashed": (Outcome.ERRORED, "the harness crashed during the run"),
}


@dataclass(frozen=True, slots=True)
class JudgedRun:
    """What a run came to. ``log`` is None when it could not be read; ``reason`` says what is wrong with the run as a
    whole, and is empty when its checks say it all.
    """

    scenario: Mapping[str, Any]
    log: RunLog | None
    results: tuple[CheckResult, ...]
    outcome: Outcome
    reason: str = ""

    @property
    def outcome_digest(self) -> str:
        """64 hex digits over what was demanded and seen."""
        return outcome_digest(self.results)


def judge_directory(directory: Path) -> JudgedRun:
    """The run whose ``scenario.yaml`` and log lie in ``directory``. Damage is an outcome here, not an exception."""
    try:
        scenario = read_yaml(directory, SCENARIO)
    except BundleDamaged as damage:
        return JudgedRun({}, None, (), Outcome.INCONCLUSIVE, str(damage))
    try:
        log = RunLog.load(directory)
    except LogDamaged as damage:
        return JudgedRun(scenario, None, (), Outcome.INCONCLUSIVE, f"the log is damaged: {damage}")
    return judge_log(scenario, log)


def judge_log(scenario: Mapping[str, Any], log: RunLog) -> JudgedRun:
    """The run of ``log``, judged on the checks its resolved scenario lists."""
    checks = scenario.get("checks")
    if not isinstance(checks, list) or not all(isinstance(check, Mapping) for check in checks):
        return JudgedRun(scenario, log, (), Outcome.INCONCLUSIVE, f"{SCENARIO} lists no checks")
    if scenario.get("id") != log.header.scenario:
        why = f"the log is of scenario {log.header.scenario!r}, {SCENARIO} of {scenario.get('id')!r}"
        return JudgedRun(scenario, log, (), Outcome.INCONCLUSIVE, why)
    if why := disagreement(scenario, log):
        return JudgedRun(scenario, log, (), Outcome.INCONCLUSIVE, why)
    results = judge_run(log, checks)
    reached = "completed" if log.end_reason == "aborted" and ended_as_expected(results) else log.end_reason
    ending, reason = _ENDINGS.get(reached, (Outcome.ERRORED, f"the run ended as {log.end_reason!r}"))
    outcome = worst([ending, *(result.outcome for result in results)]) if results else Outcome.INCONCLUSIVE
    return JudgedRun(scenario, log, results, outcome, reason)


def checks_data(judged: JudgedRun, header: Header, trace_digest: str) -> dict[str, Json]:
    """The content of ``checks.json``."""
    log = judged.log
    return {
        "version": CHECKS_VERSION,
        "scenario": header.scenario,
        "seed": header.seed,
        "world": header.world,
        "sut": header.sut,
        "schedule": header.schedule,
        "outcome": judged.outcome.value,
        "reason": judged.reason,
        "trace_digest": trace_digest,
        "outcome_digest": judged.outcome_digest,
        "virtual_seconds": None if log is None else virtual_seconds(log),
        "checks": [result.to_data() for result in judged.results],
    }


def virtual_seconds(log: RunLog) -> int | float:
    """How long the run was, in virtual seconds; an integer when it is whole."""
    whole, rest = divmod(log.end_ns, SECOND)
    return whole if rest == 0 else log.end_ns / SECOND
