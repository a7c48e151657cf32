"""``pulse-sim verdict``: run a plan's evidence, fold it, leave a bundle, print the verdict."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console

from pulse_sim.canonical import Json, sha256_hex
from pulse_sim.cli import options
from pulse_sim.cli.abandoned import begun, sweep_dead, unswept
from pulse_sim.cli.code_digest import code_digest
from pulse_sim.cli.coverage import coverage_of
from pulse_sim.cli.exit_status import of_verdict
from pulse_sim.cli.inventory import changed_since, inventory_of
from pulse_sim.cli.job import CHECKOUT
from pulse_sim.cli.plan_evidence import (
    Key,
    Order,
    capabilities_of,
    decided_on,
    executed_commands,
    order_of,
    results_of,
)
from pulse_sim.cli.resumption import Kept, kept_runs
from pulse_sim.cli.wall import now_text
from pulse_sim.cli.workers import run_all
from pulse_sim.evidence.attestation import read_attestation
from pulse_sim.evidence.environment import describe_environment
from pulse_sim.evidence.names import LATEST
from pulse_sim.evidence.partial import point_latest
from pulse_sim.evidence.verdict_bundle import SealedVerdict, VerdictBundle
from pulse_sim.report.terminal import print_verdict
from pulse_sim.report.text import plain
from pulse_sim.scenario.plan import Plan, load_plan
from pulse_sim.scenario.problem import DocumentError
from pulse_sim.sut.loading import package_of
from pulse_sim.verdict import Attestation, condition_data

DEFAULT_PLAN: Final = Path("scenarios/plans/truenas-rollout.yaml")


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
    """Rehearse a plan and decide: GO, GO_WITH_CONDITIONS or NO_GO. The bundle is linked as OUT/latest.

    Runs of a verdict that was interrupted are taken over when they are whole and of the same plan, seed, system and
    code.
    """
    options.refuse_development_mode()
    try:
        plan = load_plan(plan_file)
        attest = None if attest_file is None else read_attestation(attest_file)
        options.require_system(sut)
        options.require_directory(out)
        order = order_of(plan, plan_file, seed, sut)
        sealed = _decide(plan, plan_file, attest, order, seed, sut, workers=options.cores(jobs), out=out, quiet=as_json)
    except DocumentError as error:
        options.stop_for_problems(error)
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


def _decide(
    plan: Plan,
    plan_file: Path,
    attest: Attestation | None,
    order: Order,
    seed: int,
    sut: str,
    *,
    workers: int,
    out: Path,
    quiet: bool,
) -> SealedVerdict:
    """Make or take over every run, execute every command, fold and seal."""
    started_at = now_text()
    plan_yaml = plan_file.read_text("utf-8")
    key = {"plan": sha256_hex(plan_yaml.encode()), "sut": sut, "code": code_digest(package_of(sut))}
    sweep_dead(out)
    with (
        begun(out, lambda: VerdictBundle(out, plan.id, seed)) as bundle,
        kept_runs(out, plan.id, seed, key) as kept,
    ):
        sweep_dead(kept.runs_path)
        order = order.below(kept.runs_path)
        rows, taken_over = _made(order, kept, bundle.runs_path, workers, quiet)
        results = results_of(plan, order, rows)
        capabilities = capabilities_of(rows.values())
        inventory = inventory_of(plan, plan_yaml, sut, order.planned.values(), rows.values())
        commands = executed_commands(plan, bundle.runs_path)
        changed = changed_since(out / LATEST, plan, inventory)
        environment: dict[str, Json] = {
            **describe_environment(
                argv=options.masked_argv(), started_at=started_at, ended_at=now_text(), checkout=CHECKOUT
            ),
            "taken_over": list[Json](taken_over),
            "changed_since": changed,
        }
        sealed = bundle.complete(
            plan,
            plan_yaml=plan_yaml,
            results=results,
            decided_on=decided_on(order.planned.values()),
            environment=environment,
            attest=attest,
            capabilities=capabilities,
            commands=commands,
            inventory=inventory,
            source_file=str(plan_file),
            coverage=coverage_of(plan, results, bundle.runs_path, capabilities),
            notes=tuple(_notes(taken_over, changed)),
        )
        with unswept(out):
            point_latest(sealed.path)
        kept.discard()
    return sealed


def _notes(taken_over: Sequence[str], changed: Mapping[str, Any] | None) -> Iterator[str]:
    """How this verdict was made, in words; nothing when it was made at once and like the last one."""
    if taken_over:
        yield f"Taken over from a verdict that was interrupted, as they were sealed then: {', '.join(taken_over)}."
    if changed is not None and changed["changes"]:
        told = "; ".join(f"{one['what']}: {one['then']} then, {one['now']} now" for one in changed["changes"])
        yield f"Changed since {changed['bundle']}: {told}."


def _made(
    order: Order, kept: Kept, runs_path: Path, workers: int, quiet: bool
) -> tuple[Mapping[Key, dict[str, Any]], list[str]]:
    """A row for every job of the plan, in its order, with its bundle in ``runs_path``; and which were taken over."""
    planned = order.planned
    rows = {key: row for key, job in planned.items() if (row := kept.row(job)) is not None}
    taken_over = [Path(row["bundle"]).name for row in rows.values()]
    if taken_over:
        told = f"{len(taken_over)} of {len(planned)} runs are taken over from a verdict that was interrupted"
        click.echo(plain(told), err=True)
    # Longest first: a week begun last would be waited for by all the other cores.
    missing = sorted((job for key, job in planned.items() if key not in rows), key=lambda job: -job.scenario.duration)
    made = run_all(missing, workers, quiet=quiet, on_row=kept.keep)
    rows.update(zip([job.key for job in missing], made, strict=True))
    ordered = [rows[key] for key in planned]
    return dict(zip(planned, kept.hand_over(ordered, runs_path), strict=True)), taken_over
