"""Interpreters to measure under: the project's own, and the first newer one that is found here.

Each environment for peers is made from the hashed lock, in a directory of its own that git ignores; the project's
environment stays as its lock says.
"""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.figures import NotMeasured

ROOT: Final = Path(__file__).resolve().parents[1]
LOCK: Final = Path(__file__).with_name("requirements.lock")
NEWER: Final = ("3.12", "3.13", "3.14")
_INSTALLING_AT_MOST_S: Final = 300
_ASK_VERSION: Final = "import ssl, sys, venv; print('.'.join(map(str, sys.version_info[:3])))"


@dataclass(frozen=True)
class Interpreter:
    """A Python that runs samples. ``version`` in full, such as 3.12.1."""

    program: Path
    version: str

    @property
    def minor(self) -> str:
        return minor_of(self.version)


def minor_of(version: str) -> str:
    """``3.12`` of ``3.12.1``."""
    return ".".join(version.split(".")[:2])


def own() -> Interpreter:
    """The interpreter this runs under, with the project's locked libraries."""
    return Interpreter(Path(sys.executable), ".".join(map(str, sys.version_info[:3])))


def candidates(minor: str, versions: Path) -> Iterator[Path]:
    """Where a Python of that minor may be: on the PATH, then in pyenv's directory of versions, newest patch first."""
    on_path = shutil.which(f"python{minor}")
    if on_path:
        yield Path(on_path)
    found = versions.glob(f"{minor}.*/bin/python")
    yield from sorted(found, key=lambda path: _numbers(path.parents[1].name), reverse=True)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def find(minor: str, versions: Path | None = None) -> Interpreter | None:
    """The first candidate that really runs and is what its name says; a shim may be neither."""
    for program in candidates(minor, versions or Path.home() / ".pyenv" / "versions"):
        try:
            done = subprocess.run(
                [program, "-c", _ASK_VERSION], capture_output=True, text=True, timeout=30, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            continue
        version = done.stdout.strip()
        if done.returncode == 0 and minor_of(version) == minor:
            return Interpreter(program, version)
    return None


def newer() -> Interpreter | None:
    """The oldest of the newer interpreters found here: the peers that need one support it longest."""
    running = own()
    if running.minor in NEWER:
        return running
    return next(filter(None, map(find, NEWER)), None)


def with_peers(interpreter: Interpreter, tools: Path = ROOT / ".tools", lock: Path = LOCK) -> Interpreter | NotMeasured:
    """The same Python in an environment with the peers; made when it is missing or older than the lock."""
    directory = tools / f"bench-{interpreter.minor}"
    stamp = directory / "installed"
    wanted = f"{interpreter.version} {hashlib.sha256(lock.read_bytes()).hexdigest()}"
    program = directory / "bin" / "python"
    if not (stamp.is_file() and stamp.read_text("utf-8") == wanted and program.exists()):
        shutil.rmtree(directory, ignore_errors=True)
        pip = [str(program), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
        for command in ([str(interpreter.program), "-m", "venv", str(directory)], [*pip, "-r", str(lock)]):
            try:
                subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=_INSTALLING_AT_MOST_S)
            except (OSError, subprocess.SubprocessError):
                return NotMeasured(f"the peers could not be installed for Python {interpreter.minor}")
        stamp.write_text(wanted, "utf-8")
    return Interpreter(program, interpreter.version)
