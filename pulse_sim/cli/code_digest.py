"""One digest of all the code that decides what a run comes to; outside every digest of evidence.

An interrupted verdict is resumed only by the code that began it.
"""

import hashlib
import importlib.util
import platform
from collections.abc import Iterable, Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Final

from pulse_sim.cli.job import CHECKOUT

PACKAGES: Final = ("mock_truenas", "pulse_sim")
_PASSED_OVER: Final = ("__pycache__",)


def code_digest(packages: Sequence[str]) -> str:
    """SHA-256 over our packages and ``packages``, the lock file, the interpreter and what is installed with it."""
    sha = hashlib.sha256()
    for part in (platform.python_version(), *_installed()):
        _add(sha, part.encode())
    for place in sorted({*PACKAGES, *packages}):
        for root in _roots(place):
            for file in _files(root):
                _add(sha, f"{place}/{file.relative_to(root.parent).as_posix()}".encode())
                _add(sha, file.read_bytes())
    lock = CHECKOUT / "requirements.lock"
    _add(sha, lock.read_bytes() if lock.is_file() else b"")
    return sha.hexdigest()


def _add(sha: "hashlib._Hash", part: bytes) -> None:
    sha.update(len(part).to_bytes(8, "big"))
    sha.update(part)


def _installed() -> Iterable[str]:
    return sorted(f"{one.metadata['Name']} {one.version}" for one in metadata.distributions())


def _roots(package: str) -> list[Path]:
    """Where a package lies, or the one file a module is."""
    found = importlib.util.find_spec(package)
    if found is None:
        return []
    if found.submodule_search_locations is not None:
        return sorted(Path(place) for place in found.submodule_search_locations)
    return [] if found.origin is None else [Path(found.origin)]


def _files(root: Path) -> Iterator[Path]:
    if root.is_file():
        yield root
        return
    for file in sorted(root.rglob("*")):
        if file.is_file() and not any(part in _PASSED_OVER for part in file.parts):
            yield file
