"""A virtual environment for each client, made once for a machine by whoever needs it first. Knows no client's API.

They live in ``.tools``, which git ignores, named by what is in them; nothing is installed but pinned files with hashes.
"""

import fcntl
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
REQUIREMENTS: Final = Path(__file__).parent / "requirements"
_BUILD: Final = REQUIREMENTS / "build.txt"


def python_with(client: str) -> Path:
    """The interpreter that has ``client``. Raises RuntimeError with pip's last words when it cannot be had."""
    wanted = REQUIREMENTS / f"{client}.txt"
    digest = hashlib.sha256(_BUILD.read_bytes() + wanted.read_bytes() + sys.version.encode()).hexdigest()[:12]
    home = ROOT / ".tools" / f"client-{client}-{digest}"
    ready = home / "ready"
    home.parent.mkdir(exist_ok=True)
    with home.with_suffix(".lock").open("w") as lock:
        # Workers of one test run ask at the same time; the others wait for the first.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.is_file():
            shutil.rmtree(home, ignore_errors=True)
            _do(Path(sys.executable), "-m", "venv", str(home))
            for file in (_BUILD, wanted):
                _pip(home, "--require-hashes", "--no-build-isolation", "--no-deps", "-r", str(file))
            ready.touch()
    return home / "bin" / "python"


def source_of(client: str, file: str) -> str:
    """A file of the installed client, by its path in site-packages."""
    home = python_with(client).parents[1]
    (found,) = home.glob(f"lib/python3.*/site-packages/{file}")
    return found.read_text("utf-8")


def _pip(home: Path, *arguments: str) -> None:
    _do(home / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments)


def _do(python: Path, *arguments: str) -> None:
    done = subprocess.run([python, *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines() or [f"exit status {done.returncode}"]
        raise RuntimeError(f"python {' '.join(arguments[:3])}: {said[-1]}")
