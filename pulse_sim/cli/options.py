"""What the commands that run scenarios share: options, checked before anything starts, and how wrong usage is told."""

import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, NoReturn

import click

from pulse_sim.cli.exit_status import ExitStatus
from pulse_sim.evidence.signing_key import (
    VARIABLE,
    SigningKeyUnusable,
    load_signing_key,
    make_signing_key,
    signing_key_file,
)
from pulse_sim.report.text import plain
from pulse_sim.scenario.problem import DocumentError

SEEDS_AT_MOST: Final = 10_000
DEFAULT_SEED: Final = 1
_RANGE: Final = re.compile(r"(\d{1,18})\.\.(\d{1,18})")


class SeedRange(click.ParamType[range]):
    """``A..B``, both ends included."""

    name = "A..B"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> range:
        """The seeds of a range; a usage error for anything else, and for more than 10,000 at once."""
        if isinstance(value, range):
            return value
        match = _RANGE.fullmatch(str(value))
        if match is None:
            self.fail(f"{value!r} is not a range of seeds; write it like 1..20, both ends included", param, ctx)
        first, last = int(match[1]), int(match[2])
        if not first <= last < first + SEEDS_AT_MOST:
            self.fail(f"{value!r} is empty or holds more than {SEEDS_AT_MOST} seeds", param, ctx)
        return range(first, last + 1)


def _sign_with(ctx: click.Context, _param: click.Parameter, file: Path | None) -> None:
    """Keep ``--key`` where this process and its workers look for it, for as long as the command takes."""
    if file is not None:
        before = os.environ.get(VARIABLE)
        os.environ[VARIABLE] = str(file.absolute())
        ctx.call_on_close(lambda: _restore(before))


def _restore(before: str | None) -> None:
    if before is None:
        os.environ.pop(VARIABLE, None)
    else:
        os.environ[VARIABLE] = before


def run_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options every command that runs scenarios takes."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="One JSON object a line on stdout and nothing else."),
        click.option(
            "--out",
            "out",
            type=click.Path(file_okay=False, path_type=Path),
            default=Path("reports"),
            show_default=True,
            help="Where bundles go.",
        ),
        click.option(
            "--jobs", type=click.IntRange(1, 256), default=None, help="Worker processes; one for each core by default."
        ),
        click.option(
            "--key",
            type=click.Path(path_type=Path),
            callback=_sign_with,
            expose_value=False,
            help=f"The private key to sign bundles with; {VARIABLE}, or one made on first use, by default.",
        ),
        click.option("--sut", default="reference", show_default=True, help="reference, or package.module:factory."),
    ):
        command = option(command)
    return command


def cores(jobs: int | None) -> int:
    """How many workers to run at once."""
    return jobs if jobs is not None else len(os.sched_getaffinity(0))


def refuse_development_mode() -> None:
    """Development mode and asyncio debug change how aiohttp parses, and with it what is rehearsed (R4)."""
    if sys.flags.dev_mode or os.environ.get("PYTHONASYNCIODEBUG"):
        stop("development mode and PYTHONASYNCIODEBUG change what is simulated; run without -X dev and unset both")


def require_system(name: str) -> None:
    """Stop with wrong usage when ``--sut`` names nothing that loads."""
    from pulse_sim.sut.loading import UnknownSystem, load_system

    try:
        load_system(name)
    except UnknownSystem as error:
        stop(str(error))


def require_directory(out: Path) -> None:
    """Stop with wrong usage when bundles cannot be written to ``out`` or not be signed."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        stop(f"--out {out}: {error.strerror}; name a directory that can be written")
    if not os.access(out, os.W_OK):
        stop(f"--out {out} cannot be written; name a directory that can")
    require_signing_key()


def require_signing_key() -> None:
    """Have a key to sign bundles with, made now if this is the first use. Stop with wrong usage when there is none."""
    try:
        file = signing_key_file(os.environ)
        if not os.environ.get(VARIABLE):
            make_signing_key(file, os.urandom)
        load_signing_key(file)
    except SigningKeyUnusable as error:
        stop(plain(error))


def stop(message: str) -> NoReturn:
    """End with exit status 2 and one clear line on stderr."""
    click.echo(f"error: {message}", err=True)
    raise SystemExit(ExitStatus.USAGE)


def stop_for_problems(error: DocumentError) -> NoReturn:
    """End with exit status 2 and one line for each problem of the files."""
    for problem in error.problems:
        click.echo(str(problem), err=True)
    raise SystemExit(ExitStatus.USAGE)


def masked_argv() -> Sequence[str]:
    """How this process was called; secrets are masked where it is written down."""
    return tuple(sys.argv)
