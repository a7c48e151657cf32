"""Prometheus's own rule checker: from the PATH, or unpacked into ``.tools`` once for a machine. Knows no rule."""

import fcntl
import shutil
import subprocess
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
_HOME: Final = ROOT / ".tools" / "prometheus"
_LIMIT_S: Final = 300


def promtool() -> Path:
    """The program. Raises RuntimeError where it cannot be had."""
    found = shutil.which("promtool")
    if found:
        return Path(found)
    program = _HOME / "usr" / "bin" / "promtool"
    _HOME.parent.mkdir(exist_ok=True)
    with _HOME.with_suffix(".lock").open("w") as lock:
        # Workers of one test run ask at the same time; the others wait for the first.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.is_file():
            _fetch()
    return program


def _fetch() -> None:
    """Unpacks the package aside and renames it, so that a fetch that was cut short is not taken for the whole."""
    partial = _HOME.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    shutil.rmtree(_HOME, ignore_errors=True)
    partial.mkdir()
    try:
        _do(partial, "apt-get", "download", "prometheus")
        (package,) = partial.glob("prometheus_*.deb")
        _do(partial, "dpkg-deb", "-x", str(package), str(partial))
        package.unlink()
        for other in (partial / "usr" / "bin").glob("*"):
            if other.name != "promtool":
                other.unlink()
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise RuntimeError("promtool is neither on the PATH nor to be had from apt") from error
    partial.rename(_HOME)


def _do(place: Path, *command: str) -> None:
    subprocess.run(command, cwd=place, check=True, capture_output=True, timeout=_LIMIT_S)


def run(*arguments: str) -> tuple[int, str]:
    """Exit status and everything the program said."""
    done = subprocess.run([promtool(), *arguments], capture_output=True, text=True, check=False, timeout=_LIMIT_S)
    return done.returncode, done.stdout + done.stderr
