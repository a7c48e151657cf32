"""``environment.json``: where evidence was made, for people; outside every digest (R4).

Knows nothing of the run. Wall times are handed in; arguments that could carry a secret are masked.
"""

import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Final

import pulse_sim
from pulse_sim.canonical import Json, sha256_hex

_LIBRARIES: Final = (
    "aiohttp",
    "click",
    "cryptography",
    "jinja2",
    "prometheus-client",
    "pydantic",
    "rich",
    "ruamel.yaml",
)
_SECRET_OPTION: Final = re.compile(r"(key|token|secret|password|passphrase|credential)", re.IGNORECASE)
_MARKER: Final = re.compile(r"PSIM[A-Za-z0-9]*")
_MASK: Final = "***"
LOCK_FILE: Final = "requirements.lock"
_GIT_TIMEOUT_S: Final = 5


def describe_environment(
    *, argv: Sequence[str], started_at: str, ended_at: str, checkout: Path | None = None
) -> dict[str, Json]:
    """The content of ``environment.json``. ``started_at`` and ``ended_at`` are wall times in RFC 3339.

    ``checkout`` is the directory of the source; the git revision and the SHA-256 of the lock file are read there if
    there are any.
    """
    return {
        "version": 1,
        "package_version": pulse_sim.__version__,
        "interpreter": {
            "implementation": platform.python_implementation(),
            "version": platform.python_version(),
            "system": platform.system(),
            "machine": platform.machine(),
            "development_mode": sys.flags.dev_mode or bool(os.environ.get("PYTHONASYNCIODEBUG")),
        },
        **_loaded(checkout),
        "argv": list(mask_arguments(argv)),
        "started_at": started_at,
        "ended_at": ended_at,
    }


@cache  # of what this process runs: what lies on the disk later is other code
def _loaded(checkout: Path | None) -> dict[str, Json]:
    return {
        "libraries": {name: _version(name) for name in _LIBRARIES},
        "git": None if checkout is None else git_revision(checkout),
        "lock_file": None if checkout is None else _digest_of(checkout / LOCK_FILE),
    }


def mask_arguments(argv: Iterable[str]) -> list[str]:
    """``argv`` with the values of options that sound secret, and anything with a marker, replaced by ``***``.

    Options that name a file (``--api-key-file``) keep their value: a path is not a secret.
    """
    masked: list[str] = []
    hide_next = False
    for argument in argv:
        option, equals, _ = argument.partition("=")
        if hide_next and not argument.startswith("--"):
            masked.append(_MASK)
            hide_next = False
            continue
        hide_next = False
        names_secret = option.startswith("-") and _SECRET_OPTION.search(option) and not option.endswith("file")
        if names_secret and equals:
            masked.append(f"{option}={_MASK}")
        else:
            hide_next = bool(names_secret)
            masked.append(_MARKER.sub(_MASK, argument))
    return masked


def git_revision(checkout: Path) -> dict[str, Json] | None:
    """``{"revision", "dirty"}`` of the checkout, or None when it is none or git is not there."""
    revision = _git(checkout, "rev-parse", "HEAD")
    if not revision:
        return None
    return {"revision": revision, "dirty": bool(_git(checkout, "status", "--porcelain", "--untracked-files=no"))}


def _git(checkout: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603 — a fixed program and fixed arguments, no shell
            ["git", "-C", str(checkout), *arguments],  # noqa: S607 — the git on the PATH is the one wanted
            capture_output=True,
            text=True,
            timeout=_GIT_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _digest_of(file: Path) -> str | None:
    try:
        return sha256_hex(file.read_bytes())
    except OSError:
        return None


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
