"""``pulse-sim explain``: why a run, a gate or a verdict is what it is, down to the records, offline from its bundle.

Holds the files to their manifest first and says what is damaged; recomputes nothing and imports no system named in one.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import click

from pulse_sim.checks import CheckResult
from pulse_sim.cli.exit_status import ExitStatus, of_outcome, of_verdict
from pulse_sim.evidence.hostile import BundleDamaged, read_json, require_plain_path
from pulse_sim.evidence.integrity import examine
from pulse_sim.evidence.names import CHECKS, GATE, MANIFEST, PACKETS, RUNS, VERDICT
from pulse_sim.observation import LogDamaged, RunLog
from pulse_sim.outcome import Outcome
from pulse_sim.report.explanation import Scene, chain_lines, scene_data, scene_lines, scene_of
from pulse_sim.report.text import parameters_in_words, plain
from pulse_sim.verdict import RunSummary, run_summary
from pulse_sim.verdict.explanation import Chain, UnknownCheck, explain_gate, explain_run, explain_verdict


@dataclass(frozen=True)
class Told:
    """Everything there is to tell. ``status`` is the one of what is explained; damage makes it no better."""

    root: Path
    kind: str
    damages: tuple[str, ...]
    chain: Chain | None
    status: ExitStatus
    result: CheckResult | None = None
    scene: Scene | None = None


@click.command()
@click.argument("bundle", metavar="RUN|VERDICT", type=click.Path(path_type=Path))
@click.argument("check", metavar="[CHECK]", required=False)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout and nothing else.")
def explain(bundle: Path, check: str | None, as_json: bool) -> None:
    """Say in words why a RUN, a gate or a VERDICT in a bundle is not passed, or passed: the shortest chain of evidence.

    With CHECK, the worst judgement of that check. Ends with the status of what is explained.
    """
    root = bundle.resolve()
    if not (root / MANIFEST).is_file():
        _refuse(f"{bundle} has no {MANIFEST}; name a directory that pulse-sim run, gate or verdict wrote")
    told = _told(root, check)
    if as_json:
        click.echo(json.dumps(_row(told)))
    else:
        _say(told)
    raise SystemExit(told.status)


def _told(root: Path, check: str | None) -> Told:
    kind = "bundle"
    try:
        found = examine(root)
        kind = found.manifest.kind
        damages = tuple(str(damage) for damage in found.damages)
        runs = _runs(root, kind)
        chain, status = _chain(root, kind, runs, check)
    except (BundleDamaged, ValueError) as error:
        return Told(root, kind, (str(error),), None, ExitStatus.OPEN)
    if damages:
        status = ExitStatus.FAILED if kind == "verdict" else max(status, ExitStatus.OPEN, key=_badness)
    if chain.run is None or chain.check is None:
        return Told(root, kind, damages, chain, status)
    place = root if kind == "run" else root / RUNS / chain.run
    try:
        result = _result(place, chain)
        scene = scene_of(RunLog.load(place), result.evidence, result.parameters)
    except (BundleDamaged, LogDamaged, ValueError) as error:
        return Told(root, kind, (*damages, str(error)), chain, max(status, ExitStatus.OPEN, key=_badness))
    return Told(root, kind, damages, chain, status, result, scene)


def _badness(status: ExitStatus) -> int:
    return (ExitStatus.OK, ExitStatus.OPEN, ExitStatus.FAILED, ExitStatus.BROKEN, ExitStatus.USAGE).index(status)


def _chain(root: Path, kind: str, runs: Mapping[str, RunSummary], check: str | None) -> tuple[Chain, ExitStatus]:
    try:
        if kind == "run":
            (run,) = runs.values()
            return explain_run(run, check), of_outcome(run.outcome)
        if kind == "gate":
            gate = _object(read_json(root, GATE), GATE)
            return explain_gate(gate, runs, check), of_outcome(Outcome(str(gate.get("outcome"))))
        verdict, packets = _object(read_json(root, VERDICT), VERDICT), _object(read_json(root, PACKETS), PACKETS)
        word = str(verdict.get("verdict"))
        if word not in ("GO", "GO_WITH_CONDITIONS", "NO_GO"):
            raise BundleDamaged(VERDICT, "says no verdict")
        return explain_verdict(verdict, packets, runs, check), of_verdict(word)
    except UnknownCheck as unknown:
        nearest = f"; nearest: {', '.join(unknown.nearest)}" if unknown.nearest else ""
        _refuse(f"no check {unknown.name} was judged here{nearest}; there are {', '.join(unknown.known) or 'none'}")


def _runs(root: Path, kind: str) -> dict[str, RunSummary]:
    """Every run of a bundle by name, as its ``checks.json`` says."""
    if kind == "run":
        return {root.name: run_summary(root.name, read_json(root, CHECKS))}
    names = sorted(path.name for path in (root / RUNS).iterdir()) if (root / RUNS).is_dir() else []
    found = {}
    for name in names:
        place = require_plain_path(root, f"{RUNS}/{name}")
        found[name] = run_summary(name, read_json(place, CHECKS))
    return found


def _result(place: Path, chain: Chain) -> CheckResult:
    """The check of the chain with its parameters and evidence."""
    assert chain.check is not None
    data = _object(read_json(place, CHECKS), CHECKS).get("checks")
    for line in data if isinstance(data, list) else []:
        result = CheckResult.from_data(line)
        wanted = (chain.check.check, chain.check.outcome, chain.check.expected, chain.check.observed)
        if (result.check, result.outcome, result.expected, result.observed) == wanted:
            return result
    raise BundleDamaged(CHECKS, f"does not list check {chain.check.check}")


def _object(value: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise BundleDamaged(place, "is not of the shape it should have")
    return value


def _refuse(message: str) -> NoReturn:
    click.echo(f"error: {plain(message)}", err=True)
    raise SystemExit(ExitStatus.USAGE)


def _say(told: Told) -> None:
    for damage in told.damages:
        click.echo(plain(f"the bundle is damaged, nothing below is sure: {damage}"))
    for line in () if told.chain is None else chain_lines(told.chain):
        click.echo(line)
    if told.result is not None and told.result.parameters:
        click.echo(plain(f"demanded with: {parameters_in_words(dict(told.result.parameters))}"))
    for line in () if told.scene is None else scene_lines(told.scene):
        click.echo(line)


def _row(told: Told) -> dict[str, Any]:
    chain = told.chain
    return {
        "bundle": str(told.root),
        "kind": told.kind,
        "recorded": None if chain is None else chain.steps[0].outcome,
        "intact": not told.damages,
        "damages": list(told.damages),
        "chain": []
        if chain is None
        else [
            {"kind": step.kind, "id": step.id, "outcome": step.outcome, "about": step.about, "why": step.why}
            for step in chain.steps
        ],
        "more_reasons": 0 if chain is None else chain.beside,
        "check": None if told.result is None else told.result.to_data(),
        "scene": None if told.scene is None else scene_data(told.scene),
    }
