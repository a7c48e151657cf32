"""Commands as evidence: executed without a shell, bounded in time and output, and killed with all they started.

Decides nothing: what a command came to is :mod:`pulse_sim.verdict.commands`'s to say, then and years later.
"""

import os
import selectors
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pulse_sim.canonical import sha256_hex
from pulse_sim.cli.wall import stopwatch_s
from pulse_sim.observation.secrecy import find_secret_forms
from pulse_sim.verdict.model import CommandRun

RUNS_PLACE: Final = "${runs}"
OUTPUT_AT_MOST: Final = 4_000_000
"""Bytes; a bundle's documents are read up to 4 MiB."""
_GRACE_S: Final = 1.0
_OURS: Final[Mapping[str, Sequence[str]]] = {
    # Not the scripts beside the interpreter: those run what is installed, which need not be what decides here.
    "pulse-sim": ("-c", "import sys; from pulse_sim.cli.main import main; sys.exit(main())"),
    "mock-truenas": ("-c", "import sys; from mock_truenas.cli import main; sys.exit(main())"),
    "pytest": ("-m", "pytest", "-p", "no:cacheprovider"),
}
_KEPT: Final = (
    "HOME",
    "PATH",
    "PULSE_SIM_SIGNING_KEY_FILE",
    "PYTHONPATH",
    "TMPDIR",
    "VIRTUAL_ENV",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
)
_PINNED: Final = {
    "COLUMNS": "120",
    "LC_ALL": "C.UTF-8",
    "NO_COLOR": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",
    "TZ": "UTC",
}


@dataclass(frozen=True)
class Executed:
    """A command and everything it printed, standard output and standard error as they came."""

    record: CommandRun
    output: bytes


def execute(argv: Sequence[str], *, runs: Path, cwd: Path, timeout_s: float) -> Executed:
    """Run ``argv`` of a plan in ``cwd``; ``${runs}`` in an argument stands for the directory ``runs``.

    The name of that directory is the one thing replaced in the output: evidence must not depend on where it was made.
    Never raises for what the command is or does.
    """
    program = _program(argv[0])
    if program is None:
        return _not_executed(argv, f"{argv[0]} is not installed here")
    whole = [*program, *(argument.replace(RUNS_PLACE, str(runs)) for argument in argv[1:])]
    started_s = stopwatch_s()
    try:
        process = subprocess.Popen(  # noqa: S603 - an argument list without a shell, its program one of four
            whole,
            cwd=cwd,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        return _not_executed(argv, f"{argv[0]} cannot be started: {error.strerror}")
    with process:
        try:
            output, truncated, timed_out = _followed(process, started_s + timeout_s)
        finally:
            _end(process)
    output = output.replace(str(runs).encode(), RUNS_PLACE.encode())
    withheld = bool(find_secret_forms(output))
    if withheld:
        output = b""
    record = CommandRun(
        argv=tuple(argv),
        exit_status=None if timed_out else process.returncode,
        timed_out=timed_out,
        duration_s=round(stopwatch_s() - started_s, 3),
        output_sha256=sha256_hex(output),
        output_bytes=len(output),
        truncated=truncated,
        withheld=withheld,
    )
    return Executed(record, output)


def _program(name: str) -> Sequence[str] | None:
    """How a program of a plan is started: ours by this interpreter, others from its environment, then from the path."""
    if name in _OURS:
        return sys.executable, *_OURS[name]
    beside = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    return None if beside is None else (beside,)


def _environment() -> dict[str, str]:
    """What a command may know of where it runs: nothing that could hold a secret or change its words."""
    return {**{name: os.environ[name] for name in _KEPT if name in os.environ}, **_PINNED}


def _followed(process: "subprocess.Popen[bytes]", deadline_s: float) -> tuple[bytes, bool, bool]:
    """Output up to the bound, whether more came (it is read away), and whether the deadline passed."""
    assert process.stdout is not None
    pipe = process.stdout.fileno()
    os.set_blocking(pipe, False)
    kept = bytearray()
    truncated = False
    ended_s: float | None = None
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while True:
            left_s = deadline_s - stopwatch_s()
            if left_s <= 0:
                return bytes(kept), truncated, ended_s is None
            if ended_s is not None and stopwatch_s() - ended_s > _GRACE_S:
                return bytes(kept), truncated, False  # something it left behind keeps the pipe open
            selector.select(min(left_s, 0.2))
            with suppress(BlockingIOError):
                part = os.read(pipe, 1 << 16)
                room = OUTPUT_AT_MOST - len(kept)
                kept += part[:room]
                truncated = truncated or len(part) > room
                if not part:
                    break
            if ended_s is None and process.poll() is not None:
                ended_s = stopwatch_s()
                _kill_group(process)
    try:
        process.wait(max(0.0, deadline_s - stopwatch_s()))
    except subprocess.TimeoutExpired:
        return bytes(kept), truncated, True
    return bytes(kept), truncated, False


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Nothing of a command is left, however it ended."""
    _kill_group(process)
    process.wait()


def _kill_group(process: "subprocess.Popen[bytes]") -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _not_executed(argv: Sequence[str], trouble: str) -> Executed:
    record = CommandRun(tuple(argv), None, False, 0.0, sha256_hex(b""), 0, trouble=trouble)
    return Executed(record, b"")
