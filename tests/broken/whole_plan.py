"""The plan of the rollout with everything passed but the runs of one scenario.

Nothing that passes takes back a NO_GO (R10), so this is the mildest verdict a plan can come to when those runs are
what they are. Knows nothing of how runs come about.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final

from pulse_sim.canonical import sha256_hex
from pulse_sim.outcome import Outcome
from pulse_sim.scenario.load import expand, load_scenario, scenario_data, select
from pulse_sim.scenario.plan import CommandEvidence, Plan, ScenarioEvidence, load_plan, scenario_file
from pulse_sim.verdict import EvidenceResult, JudgedCheck, PlanVerdict, RunSummary, fold
from pulse_sim.verdict.model import CommandRun
from tests.cli.command import ROOT

PLAN_FILE: Final = ROOT / "scenarios" / "plans" / "truenas-rollout.yaml"
DAY: Final = date(2026, 2, 16)
OUTPUT: Final = b"1 passed in 0.01s\n"


@cache
def plan() -> Plan:
    """The plan of the rollout."""
    return load_plan(PLAN_FILE)


def verdict_with(scenario: Path, checks: Sequence[Mapping[str, Any]]) -> PlanVerdict:
    """The verdict when every run of ``scenario`` came to ``checks`` (those of ``checks.json``), and all else passed."""
    told = tuple(
        JudgedCheck(one["check"], Outcome(one["outcome"]), one["expected"], one["observed"], one["reason"])
        for one in checks
    )
    results = {}
    for name, result in _all_passed().items():
        item = next(item for packet in plan().packets for item in packet.evidence if item.id == name)
        is_meant = isinstance(item, ScenarioEvidence) and scenario_file(PLAN_FILE, item).resolve() == scenario.resolve()
        results[name] = _replaced(result, told) if is_meant else result
    return fold(plan(), results, None, DAY)


def _replaced(result: EvidenceResult, checks: tuple[JudgedCheck, ...]) -> EvidenceResult:
    outcome = max((check.outcome for check in checks), key=lambda one: one.rank)
    runs = tuple(replace(run, checks=checks, outcome=outcome) for run in result.runs)
    return replace(result, runs=runs, outcome=outcome)


@cache
def _all_passed() -> Mapping[str, EvidenceResult]:
    return {item.id: _passed(item) for packet in plan().packets for item in packet.evidence}


def _passed(item: Any) -> EvidenceResult:
    if isinstance(item, ScenarioEvidence):
        return EvidenceResult(item.id, "scenario", Outcome.PASSED, "", tuple(_runs(item)))
    if isinstance(item, CommandEvidence):
        record = CommandRun(tuple(item.command), 0, False, 0.1, sha256_hex(OUTPUT), len(OUTPUT), tests_run=1)
        return EvidenceResult(item.id, "command", Outcome.PASSED, command=record)
    return EvidenceResult(item.id, "inventory", Outcome.PASSED)


def _runs(item: ScenarioEvidence) -> list[RunSummary]:
    scenarios = select(expand(load_scenario(scenario_file(PLAN_FILE, item))), item.matrix)
    return [
        RunSummary(
            run=f"{scenario.id}-{seed}-00000000",
            scenario=scenario.id,
            seed=seed,
            outcome=Outcome.PASSED,
            checks=tuple(JudgedCheck(check["check"], Outcome.PASSED) for check in scenario_data(scenario)["checks"]),
            virtual_s=scenario.duration // 1_000_000_000,
        )
        for scenario in scenarios
        for seed in item.seeds or (1,)
    ]
