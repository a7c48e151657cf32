"""``pulse-sim verdict``: run a plan's evidence, fold it, leave a bundle, print the verdict."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeAlias

import click
from rich.console import Console

from pulse_sim.cli import options
from pulse_sim.cli.coverage import coverage_of
from pulse_sim.cli.exit_status import of_verdict
from pulse_sim.cli.job import CHECKOUT, RunJob
from pulse_sim.cli.wall import now_text
from pulse_sim.cli.workers import run_all
from pulse_sim.evidence.attestation import read_attestation
from pulse_sim.evidence.environment import describe_environment
from pulse_sim.evidence.hostile import BundleDamaged
from pulse_sim.evidence.partial import point_latest
from pulse_sim.evidence.run_bundle import read_run_summary
from pulse_sim.evidence.verdict_bundle import VerdictBundle
from pulse_sim.outcome import Outcome, worst
from pulse_sim.report.terminal import print_verdict
from pulse_sim.scenario.load import expand, load_scenarios, select
from pulse_sim.scenario.plan import (
    Plan,
    ScenarioEvidence,
    load_plan,
    missing_scenarios,
    scenario_evidence,
    scenario_file,
)
from pulse_sim.scenario.problem import DocumentError
from pulse_sim.verdict import EvidenceResult, RunSummary, condition_data

DEFAULT_PLAN: Final = Path("scenarios/plans/truenas-rollout.yaml")
NO_RUN_DAY: Final = date(2000, 1, 1)
Key: TypeAlias = tuple[str, str, int]


@dataclass(frozen=True)
class Order:
    """What has to be run for a plan: the jobs of each evidence item, and the items whose scenario is not there."""

    jobs: Mapping[str, Sequence[RunJob]]
    missing: Mapping[str, Path]


@click.command()
@click.argument("plan_file", metavar="[PLAN]", default=DEFAULT_PLAN, type=click.Path(path_type=Path))
@click.option(
    "--seed", type=click.IntRange(0, 2**63 - 1), default=options.DEFAULT_SEED, help="Where a plan names none."
)
@click.option("--attest", "attest_file", type=click.Path(path_type=Path), default=None, help="Human inputs.")
@options.run_options
def verdict(
    plan_file: Path,
    seed: int,
    attest_file: Path | None,
    sut: str,
    jobs: int | None,
    out: Path,
    as_json: bool,
) -> None:
    """Rehearse a plan and decide: GO, GO_WITH_CONDITIONS or NO_GO. The bundle is linked as OUT/latest."""
    options.refuse_development_mode()
    started_at = now_text()
    try:
        plan = load_plan(plan_file)
        attest = None if attest_file is None else read_attestation(attest_file)
        options.require_system(sut)
        options.require_directory(out)
        with VerdictBundle(out, plan.id, seed) as bundle:
            order = _order(plan, plan_file, seed, sut, bundle.runs_path)
            planned = {job.key: job for wanted in order.jobs.values() for job in wanted}
            told = run_all(list(planned.values()), options.cores(jobs), quiet=as_json)
            rows = dict(zip(planned, told, strict=True))
            results, capabilities = _results(plan, order, rows), _capabilities(rows.values())
            sealed = bundle.complete(
                plan,
                plan_yaml=plan_file.read_text("utf-8"),
                results=results,
                decided_on=_decided_on(planned.values()),
                environment=describe_environment(
                    argv=options.masked_argv(), started_at=started_at, ended_at=now_text(), checkout=CHECKOUT
                ),
                attest=attest,
                capabilities=capabilities,
                source_file=str(plan_file),
                coverage=coverage_of(plan, results, bundle.runs_path, capabilities),
            )
    except DocumentError as error:
        options.stop_for_problems(error)
    point_latest(sealed.path)
    decided = sealed.verdict
    if as_json:
        row = {
            "plan": plan.id,
            "verdict": decided.verdict.value,
            "conditions": [condition_data(one) for one in decided.conditions],
            "bundle": str(sealed.path),
            "outcome_digest": decided.outcome_digest,
        }
        click.echo(json.dumps(row))
    else:
        print_verdict(Console(highlight=False), sealed.report, sealed.path)
    raise SystemExit(of_verdict(decided.verdict.value))


def _order(plan: Plan, plan_file: Path, seed: int, sut: str, directory: Path) -> Order:
    """Load every scenario of the plan. Raises DocumentError with all problems of all files that are there."""
    missing = missing_scenarios(plan, plan_file)
    wanted = [item for item in scenario_evidence(plan) if item.id not in missing]
    files = list(dict.fromkeys(scenario_file(plan_file, item) for item in wanted))
    loaded = dict(zip(files, load_scenarios(files, world="simulated"), strict=True))
    argv = options.masked_argv()
    jobs = {
        item.id: [
            RunJob(scenario, number, sut, "fifo", directory, str(scenario_file(plan_file, item)), argv)
            for scenario in select(expand(loaded[scenario_file(plan_file, item)]), item.matrix)
            for number in item.seeds or (seed,)
        ]
        for item in wanted
    }
    return Order(jobs, missing)


def _results(plan: Plan, order: Order, rows: Mapping[Key, dict[str, Any]]) -> dict[str, EvidenceResult]:
    results = {}
    for packet in plan.packets:
        for item in packet.evidence:
            if not isinstance(item, ScenarioEvidence):
                why = "this version runs no commands as evidence"
                results[item.id] = EvidenceResult(item.id, "command", Outcome.INCONCLUSIVE, why)
            elif item.id in order.missing:
                why = f"scenario file {item.scenario} is missing"
                results[item.id] = EvidenceResult(item.id, "scenario", Outcome.INCONCLUSIVE, why)
            else:
                runs = tuple(_summary(job, rows[job.key]) for job in order.jobs[item.id])
                why = "" if runs else "no combination of the scenario's matrix has the values asked for"
                outcome = worst(run.outcome for run in runs)
                results[item.id] = EvidenceResult(item.id, "scenario", outcome, why, runs)
    return results


def _summary(job: RunJob, row: Mapping[str, Any]) -> RunSummary:
    if row["bundle"] is not None:
        try:
            return read_run_summary(Path(row["bundle"]))
        except (BundleDamaged, ValueError) as error:
            row = {**row, "reason": str(error)}
    name = f"{job.scenario.id}-{job.seed}"
    return RunSummary(name, job.scenario.id, job.seed, Outcome.ERRORED, reason=str(row["reason"]), sut=job.sut)


def _decided_on(jobs: Iterable[RunJob]) -> date:
    """The day on which the last run ends, in scenario time; decisions have no other clock."""
    ends = [job.scenario.start + timedelta(microseconds=job.scenario.duration // 1000) for job in jobs]
    return max(ends, default=datetime.combine(NO_RUN_DAY, datetime.min.time(), UTC)).date()


def _capabilities(rows: Any) -> frozenset[str] | None:
    """What the system can do, as its runs told; None when no run told."""
    told = [frozenset(row["capabilities"]) for row in rows if row.get("capabilities") is not None]
    return frozenset.intersection(*told) if told else None
