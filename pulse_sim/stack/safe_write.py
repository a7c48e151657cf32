"""Replaces a file of the data directory so that a crash leaves the old or the new content, whole (contract A1).

A temporary file beside it, fsync, rename, fsync of the directory; all of it under the directory's advisory lock, so
that several processes take turns. Knows neither what is in a file nor who reads it.
"""

import contextlib
import hashlib
import posixpath
import re
from typing import Final

from pulse_sim.stack.seams import Disk

FILE_MODE: Final = 0o600
DIRECTORY_MODE: Final = 0o700
OTHERS: Final = 0o077
"""Permission bits that nothing below the data directory has."""

_TEMPORARY: Final = re.compile(r".+\.[0-9a-f]{16}\.tmp")


class FileChanged(OSError):
    """The file was not what the writer believed it to be; it was left as it is."""


class StaysOpen(PermissionError):
    """The disk does not let a file be closed to others."""


class Whatever:
    """Says of a write that it replaces whatever is there."""


WHATEVER: Final = Whatever()


def safe_write(disk: Disk, path: str, data: bytes, *, expected: bytes | Whatever | None = WHATEVER) -> None:
    """Writes the file with mode 0600. It is durable when this returns.

    `expected` is the content it must still have right before the rename, None for a file that must not exist. Raises
    FileChanged, BlockingIOError when other processes keep the lock, and the disk's own OSErrors; the file is then as
    it was, but for an error of the very last step: its new content is then there and may not outlive a loss of power.
    """
    directory, temporary = posixpath.dirname(path), _temporary_for(path, data)
    with disk.lock(directory):
        try:
            disk.write(temporary, data, FILE_MODE)
            disk.sync(temporary)
            if not isinstance(expected, Whatever) and _content(disk, path) != expected:
                raise FileChanged(f"{posixpath.basename(path)} was changed by somebody else")
            disk.replace(temporary, path)
        except OSError:
            with contextlib.suppress(OSError):
                disk.remove(temporary)
            raise
        disk.sync(directory)


def make_safe_directory(disk: Disk, path: str) -> None:
    """Makes a directory and what is missing above it (0700), durable when this returns. Raises OSErrors."""
    missing = path
    made = []
    while missing not in ("", "/") and not _exists(disk, missing):
        made.append(missing)
        missing = posixpath.dirname(missing)
    if not made:
        return
    disk.make_directory(path, DIRECTORY_MODE)
    for directory in made:
        # One may create in a directory that one may not read; its owner's own syncs have to do then.
        with contextlib.suppress(PermissionError):
            disk.sync(posixpath.dirname(directory))


def close_to_others(disk: Disk, path: str, mode: int) -> bool:
    """Takes a file or directory away from everybody but its owner; whether it had been open.

    Raises OSErrors, StaysOpen when it cannot be closed.
    """
    if not disk.mode(path) & OTHERS:
        return False
    with contextlib.suppress(PermissionError):
        disk.set_mode(path, mode)
    if disk.mode(path) & OTHERS:
        raise StaysOpen(f"{posixpath.basename(path)} stays open to others")
    return True


def remove_stale_temporaries(disk: Disk, directory: str) -> list[str]:
    """Removes what writers that died have left; the names. Raises OSErrors, BlockingIOError while others write."""
    if not any(_TEMPORARY.fullmatch(name) for name in disk.names(directory)):
        return []
    with disk.lock(directory):  # whoever writes holds it, so what is there now has no writer
        stale = [name for name in disk.names(directory) if _TEMPORARY.fullmatch(name)]
        for name in stale:
            disk.remove(posixpath.join(directory, name))
    return stale


def _temporary_for(path: str, data: bytes) -> str:
    """A name of its own for every content: where a file system has no locks, no two writers share a file."""
    return f"{path}.{hashlib.sha256(data).hexdigest()[:16]}.tmp"


def _content(disk: Disk, path: str) -> bytes | None:
    try:
        return disk.read(path)
    except FileNotFoundError:
        return None


def _exists(disk: Disk, path: str) -> bool:
    try:
        disk.mode(path)
    except FileNotFoundError:
        return False
    return True
