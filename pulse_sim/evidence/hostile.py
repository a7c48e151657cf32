"""Reading files of a bundle that anybody may have written: bounded, without following links, without leaving it (R13).

Knows nothing of what the files mean. Everything refused is a :class:`BundleDamaged` that names the file.
"""

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from pulse_sim.observation.strict_json import strict_json
from pulse_sim.scenario.document import parse_document
from pulse_sim.scenario.problem import DocumentError

MAX_FILE_BYTES: Final = 1024 * 1024 * 1024
MAX_DOCUMENT_BYTES: Final = 4 * 1024 * 1024
MAX_FILES: Final = 20_000
MAX_NESTING: Final = 16
_CHUNK: Final = 1024 * 1024


class BundleDamaged(ValueError):
    """A bundle is not what it claims to be. ``place`` is the file inside it."""

    def __init__(self, place: str, what: str) -> None:
        super().__init__(f"{place}: {what}")
        self.place = place
        self.what = what


def files_below(root: Path) -> list[str]:
    """Every file below ``root`` as a relative path with ``/``, sorted. Links, sockets and devices are refused."""
    found: list[str] = []
    pending = [""]
    seen = 0
    while pending:
        above = pending.pop()
        try:
            with os.scandir(root / above) as entries:
                for entry in entries:
                    seen += 1
                    if seen > MAX_FILES:
                        raise BundleDamaged(".", f"more than {MAX_FILES} files and directories")
                    place = f"{above}{entry.name}"
                    if _is_directory(place, entry):
                        pending.append(f"{place}/")
                    else:
                        found.append(place)
        except OSError as error:
            raise BundleDamaged(above or ".", f"cannot be read: {error.strerror or 'unknown error'}") from None
    return sorted(found)


def _is_directory(place: str, entry: "os.DirEntry[str]") -> bool:
    if entry.is_symlink():
        raise BundleDamaged(place, "is a link; a bundle holds plain files only")
    if entry.is_dir(follow_symlinks=False):
        if place.count("/") >= MAX_NESTING:
            raise BundleDamaged(place[:200], f"is nested deeper than {MAX_NESTING} directories")
        return True
    if not entry.is_file(follow_symlinks=False):
        raise BundleDamaged(place, "is neither a file nor a directory")
    return False


def require_plain_path(root: Path, place: str) -> Path:
    """The path of ``place`` below ``root``. BundleDamaged where it is absolute, climbs out or meets a link."""
    parts = place.split("/")
    if place.startswith("/") or "\\" in place or "\0" in place or any(part in ("", ".", "..") for part in parts):
        raise BundleDamaged(place[:200], "is not a plain path inside the bundle")
    path = root
    for part in parts:
        path = path / part
        if path.is_symlink():
            raise BundleDamaged(place, "is or goes through a link")
    return path


def size_of(root: Path, place: str) -> int:
    """The size of one file in bytes, told by the file system."""
    path = require_plain_path(root, place)
    try:
        return path.lstat().st_size
    except OSError as error:
        raise BundleDamaged(place, f"cannot be read: {error.strerror or 'unknown error'}") from None


def measure(root: Path, place: str) -> tuple[str, int]:
    """SHA-256 (64 hex) and size in bytes of one file."""
    total, sha = 0, hashlib.sha256()
    for chunk in _chunks(root, place, MAX_FILE_BYTES):
        sha.update(chunk)
        total += len(chunk)
    return sha.hexdigest(), total


def read_document(root: Path, place: str, *, limit: int = MAX_DOCUMENT_BYTES) -> bytes:
    """One small file whole; more than ``limit`` bytes is refused before they are read."""
    return b"".join(_chunks(root, place, limit))


def read_json(root: Path, place: str) -> Any:
    """One JSON document, strictly: no duplicate keys, no NaN, bounded depth."""
    try:
        return strict_json(read_document(root, place))
    except BundleDamaged:
        raise
    except ValueError as error:
        raise BundleDamaged(place, f"is not JSON as written here: {error}") from None


def read_yaml(root: Path, place: str) -> dict[str, Any]:
    """One YAML document, a mapping, by the loader that refuses aliases, tags, duplicate keys and depth."""
    try:
        document = parse_document(place, read_document(root, place))
        document.refuse_problems()
    except DocumentError as error:
        first = error.problems[0]
        raise BundleDamaged(place, f"line {first.line}: {first.message}") from None
    return document.data


def _chunks(root: Path, place: str, limit: int) -> Iterator[bytes]:
    path = require_plain_path(root, place)
    total = 0
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise BundleDamaged(place, "is not a plain file")
            if status.st_size > limit:  # before the first byte; what grows meanwhile is refused below
                raise BundleDamaged(place, f"is larger than {limit} bytes")
            while chunk := file.read(_CHUNK):
                total += len(chunk)
                if total > limit:
                    raise BundleDamaged(place, f"is larger than {limit} bytes")
                yield chunk
    except OSError as error:
        raise BundleDamaged(place, f"cannot be read: {error.strerror or 'unknown error'}") from None
