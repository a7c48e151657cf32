"""Interpreters of other minor versions with the locked libraries, made where the machine has such an interpreter.

They live in ``.tools``, which git ignores. Nothing is fetched but what the lock file names, by its hash.
"""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.nightly.measurement import ROOT

MINORS: Final = ("3.11", "3.12", "3.13")
THIS_MINOR: Final = f"3.{sys.version_info.minor}"
LOCK: Final = ROOT / "requirements.lock"


class NotMeasured(Exception):
    """There is no such interpreter here, and why."""


def with_locked_libraries(minor: str) -> Path:
    """A Python of ``minor`` with what the lock file names, made on first use. Raises NotMeasured with the reason."""
    base = next((found for found in _candidates(minor) if _is(found, minor)), None)
    if base is None:
        raise NotMeasured(f"no python{minor} on this machine")
    home = ROOT / ".tools" / f"locked-{minor}"
    python, stamp = home / "bin" / "python", home / "locked"
    wanted = f"{base} {hashlib.sha256(LOCK.read_bytes()).hexdigest()}"
    if stamp.is_file() and stamp.read_text("utf-8") == wanted:
        return python
    _do(base, "-m", "venv", "--clear", str(home))
    _do(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r", str(LOCK))
    stamp.write_text(wanted, "utf-8")
    return python


def version(python: Path) -> str:
    """``3.12.1``."""
    return _do(python, "-c", "import platform; print(platform.python_version())")


def _candidates(minor: str) -> Iterator[Path]:
    if minor == THIS_MINOR:
        yield Path(sys.executable)
    on_the_path = shutil.which(f"python{minor}")
    if on_the_path:
        yield Path(on_the_path)
    yield from sorted((Path.home() / ".pyenv" / "versions").glob(f"{minor}.*/bin/python"))


def _is(python: Path, minor: str) -> bool:
    """Whether it starts and is what its name says; the shims of version switchers are not always."""
    program = "import sys; print('%d.%d' % sys.version_info[:2])"
    done = subprocess.run([python, "-c", program], capture_output=True, text=True, check=False)
    return done.stdout.strip() == minor


def _do(python: Path, *arguments: str) -> str:
    done = subprocess.run([python, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        raise NotMeasured(f"python {' '.join(arguments[:3])}: {said[-1]}")
    return done.stdout.strip()
