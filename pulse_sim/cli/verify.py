"""``pulse-sim verify``: are these bundles what their signer left, is the signer trusted, does this code repeat them?

Without ``--rerun`` it runs nothing and imports nothing that could run a scenario.
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import click

from pulse_sim.cli import options
from pulse_sim.cli.exit_status import ExitStatus, combined
from pulse_sim.evidence.recheck import NotABundle
from pulse_sim.evidence.signing_key import (
    VARIABLE,
    SigningKeyUnusable,
    load_public_key,
    load_signing_key,
    signing_key_file,
)
from pulse_sim.evidence.verification import Standing, Verification, bundles_in, verify_bundle
from pulse_sim.report.text import plain

_STATUS: Final = {
    Standing.TRUSTED: ExitStatus.OK,
    Standing.UNTRUSTED: ExitStatus.OPEN,
    Standing.DAMAGED: ExitStatus.FAILED,
}


@click.command()
@click.argument("bundles", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--key",
    "keys",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A public key (PEM) to trust instead of this machine's own; may be given more than once.",
)
@click.option("--rerun", is_flag=True, help="Repeat every run with this code and tell the first difference.")
@click.option("--sut", default=None, help="With --rerun, the system a bundle names may be imported.")
@click.option("--jobs", type=click.IntRange(1, 256), default=None, help="With --rerun, worker processes.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each bundle on stdout and nothing else.")
def verify(
    bundles: tuple[Path, ...], keys: tuple[Path, ...], rerun: bool, sut: str | None, jobs: int | None, as_json: bool
) -> None:
    """Verify BUNDLES of runs, verdicts and gates, or directories of them: sizes, hashes, signature, then everything
    judged again from the recorded logs.

    Exit status 0: intact and trusted; 3: intact, but signed by a key that is not trusted; 1: damaged or different;
    2: no bundle.
    """
    trusted = _trusted(keys)
    try:
        found = [verify_bundle(path, trusted) for given in bundles for path in bundles_in(given)]
    except NotABundle as error:
        options.stop(plain(f"{error}; name a directory that pulse-sim run or verdict wrote"))
    repeated: dict[Path, list[str]] = {}
    if rerun:
        from pulse_sim.cli.repetition import repeat_bundles

        whole = [one.path for one in found if one.standing is not Standing.DAMAGED]
        repeated = repeat_bundles(whole, sut, options.cores(jobs), quiet=as_json)
    for one in found:
        differences = repeated.get(one.path)
        _tell_json(one, differences) if as_json else _tell(one, differences)
    raise SystemExit(combined(_status(one, repeated.get(one.path)) for one in found))


def _trusted(keys: Sequence[Path]) -> list[bytes]:
    """The keys named, or else that of this user on this machine when there is one. Makes none."""
    try:
        if keys:
            return [load_public_key(file) for file in keys]
        own = signing_key_file(os.environ)
        if not os.environ.get(VARIABLE) and not own.exists():
            return []
        return [load_signing_key(own).public]
    except SigningKeyUnusable as error:
        options.stop(plain(error))


def _status(one: Verification, differences: Sequence[str] | None) -> ExitStatus:
    return ExitStatus.FAILED if differences else _STATUS[one.standing]


def _word(one: Verification) -> str:
    if one.found is None:
        return "not judged"
    return str(one.found.verdict.value if one.found.verdict is not None else one.found.outcome)


def _tell_json(one: Verification, differences: Sequence[str] | None) -> None:
    row: dict[str, Any] = {
        "bundle": str(one.path),
        "kind": one.kind,
        "standing": one.standing.value,
        "keyid": one.keyid,
        "verdict": None if one.found is None or one.found.verdict is None else one.found.verdict.value,
        "outcome": None if one.found is None or one.found.outcome is None else one.found.outcome.value,
        "reasons": list(one.reasons),
        "differences": [
            {"place": each.place, "recorded": each.recorded, "recomputed": each.recomputed} for each in one.differences
        ],
        "rerun": None if differences is None else {"same": not differences, "differences": list(differences)},
    }
    click.echo(json.dumps(row))


def _tell(one: Verification, differences: Sequence[str] | None) -> None:
    click.echo(plain(f"{one.standing}: {one.path.name}: {_word(one)}{_signer(one)}"))
    for reason in one.reasons:
        click.echo(plain(f"  {reason}"))
    for each in one.differences:
        click.echo(plain(f"  differs: {each.place}: recorded {each.recorded}, recomputed {each.recomputed}"))
    if differences is not None:
        click.echo("  repeated: the same evidence, byte by byte" if not differences else "  repeated: not the same")
        for told in differences:
            click.echo(plain(f"    {told}"))


def _signer(one: Verification) -> str:
    runs = 0 if one.found is None else len(one.found.runs)
    counted = f", {runs} runs judged again" if one.kind != "run" and runs else ""
    return counted + (f", signed by {one.keyid}" if one.keyid is not None else "")
