"""What a plan needs to be decided: its runs to be made, its commands to be executed, and what they came to.

Decides nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeAlias

from pulse_sim.cli import options
from pulse_sim.cli.commands import execute
from pulse_sim.cli.job import CHECKOUT, RunJob
from pulse_sim.evidence.hostile import BundleDamaged
from pulse_sim.evidence.run_bundle import read_run_summary
from pulse_sim.outcome import Outcome, worst
from pulse_sim.scenario.load import expand, load_scenarios, select
from pulse_sim.scenario.plan import (
    CommandEvidence,
    Plan,
    ScenarioEvidence,
    missing_scenarios,
    scenario_evidence,
    scenario_file,
)
from pulse_sim.units import SECOND
from pulse_sim.verdict import CommandRun, EvidenceResult, RunSummary

NO_RUN_DAY: Final = date(2000, 1, 1)
Key: TypeAlias = tuple[str, str, int]


@dataclass(frozen=True)
class Order:
    """What has to be run for a plan: the jobs of each evidence item, and the items whose scenario is not there."""

    jobs: Mapping[str, Sequence[RunJob]]
    missing: Mapping[str, Path]

    def below(self, directory: Path) -> "Order":
        """The same jobs with their bundles below ``directory``."""
        jobs = {name: [replace(job, directory=directory) for job in wanted] for name, wanted in self.jobs.items()}
        return Order(jobs, self.missing)

    @property
    def planned(self) -> Mapping[Key, RunJob]:
        """Every job once, in the order of the plan."""
        return {job.key: job for wanted in self.jobs.values() for job in wanted}


def order_of(plan: Plan, plan_file: Path, seed: int, sut: str) -> Order:
    """Load every scenario of the plan. Raises DocumentError with all problems of all files that are there."""
    missing = missing_scenarios(plan, plan_file)
    wanted = [item for item in scenario_evidence(plan) if item.id not in missing]
    files = list(dict.fromkeys(scenario_file(plan_file, item) for item in wanted))
    loaded = dict(zip(files, load_scenarios(files, world="simulated"), strict=True))
    argv = options.masked_argv()
    jobs = {
        item.id: [
            RunJob(scenario, number, sut, "fifo", plan_file.parent, str(scenario_file(plan_file, item)), argv)
            for scenario in select(expand(loaded[scenario_file(plan_file, item)]), item.matrix)
            for number in item.seeds or (seed,)
        ]
        for item in wanted
    }
    return Order(jobs, missing)


def results_of(plan: Plan, order: Order, rows: Mapping[Key, Mapping[str, Any]]) -> dict[str, EvidenceResult]:
    """What the plan's scenarios came to, by evidence id."""
    results = {}
    for item in scenario_evidence(plan):
        if item.id in order.missing:
            why = f"scenario file {item.scenario} is missing"
            results[item.id] = EvidenceResult(item.id, "scenario", Outcome.INCONCLUSIVE, why)
        else:
            runs = tuple(_summary(job, rows[job.key]) for job in order.jobs[item.id])
            why = "" if runs else "no combination of the scenario's matrix has the values asked for"
            results[item.id] = EvidenceResult(item.id, "scenario", worst(run.outcome for run in runs), why, runs)
    return results


def executed_commands(plan: Plan, runs: Path) -> dict[str, tuple[CommandRun, bytes]]:
    """Every command of the plan, one after the other, in the checkout; ``runs`` is where the sealed runs lie."""
    done = {}
    for packet in plan.packets:
        for item in packet.evidence:
            if isinstance(item, CommandEvidence):
                executed = execute(item.command, runs=runs, cwd=CHECKOUT, timeout_s=item.timeout / SECOND)
                done[item.id] = (executed.record, executed.output)
    return done


def decided_on(jobs: Iterable[RunJob]) -> date:
    """The day on which the last run ends, in scenario time; decisions have no other clock."""
    ends = [job.scenario.start + timedelta(microseconds=job.scenario.duration // 1000) for job in jobs]
    return max(ends, default=datetime.combine(NO_RUN_DAY, datetime.min.time(), UTC)).date()


def capabilities_of(rows: Iterable[Mapping[str, Any]]) -> frozenset[str] | None:
    """What the system can do, as its runs told; None when no run told."""
    told = [frozenset(row["capabilities"]) for row in rows if row.get("capabilities") is not None]
    return frozenset.intersection(*told) if told else None


def wants_inventory(plan: Plan) -> bool:
    """Whether any evidence of the plan is the inventory."""
    return any(
        not isinstance(item, ScenarioEvidence | CommandEvidence) for packet in plan.packets for item in packet.evidence
    )


def _summary(job: RunJob, row: Mapping[str, Any]) -> RunSummary:
    if row["bundle"] is not None:
        try:
            return read_run_summary(Path(row["bundle"]))
        except (BundleDamaged, ValueError) as error:
            row = {**row, "reason": str(error)}
    name = f"{job.scenario.id}-{job.seed}"
    return RunSummary(name, job.scenario.id, job.seed, Outcome.ERRORED, reason=str(row["reason"]), sut=job.sut)
