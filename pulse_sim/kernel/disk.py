"""A disk in memory that keeps its promises like a real one: what was not synced is lost with the power.

Contents are durable after ``sync(path)``; names (creations, renames, removals) after ``sync`` of their directory. What
was not synced may be lost, whole or in part: contents by sectors, names from the latest change backwards, as a journal
loses them. It knows nothing of time.
"""

import errno
import os
import posixpath
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

SECTOR: Final = 512
"""Bytes that reach a disk together or not at all."""


@dataclass(slots=True)
class _File:
    data: bytes
    mode: int
    durable: bytes | None = None


_Rename = tuple[tuple[str, _File | None], ...]
"""A change of names that a journal keeps or loses as one: which file is at each path afterwards."""


def _no_watch(_operation: str, _path: str, _data: bytes) -> None:
    return None


def _error(code: int, path: str) -> OSError:
    return OSError(code, os.strerror(code), path)


class Disk:
    """Files and directories by POSIX path. Raises the OSError a file system raises."""

    def __init__(self, name: str, watch: Callable[[str, str, bytes], None] = _no_watch) -> None:
        """``watch(operation, path, data)`` is told every change, for the trace."""
        self.name = name
        self._watch = watch
        self._files: dict[str, _File] = {}
        self._directories: dict[str, int] = {"/": 0o755}
        self._durable_names: dict[str, _File] = {}
        self._durable_directories: dict[str, int] = {"/": 0o755}
        self._journal: list[_Rename] = []
        self._locked: set[str] = set()

    def read(self, path: str) -> bytes:
        """The contents; FileNotFoundError when there is no such file."""
        return self._file(path).data

    def write(self, path: str, data: bytes, mode: int = 0o600) -> None:
        """Create or overwrite; not durable until synced."""
        path = self._normal(path)
        if path in self._directories:
            raise _error(errno.EISDIR, path)
        self._require_directory(posixpath.dirname(path))
        file = self._files.get(path)
        if file is None:
            self._files[path] = file = _File(bytes(data), mode)
            self._journal.append(((path, file),))
        else:
            file.data, file.mode = bytes(data), mode
        self._watch("write", path, bytes(data))

    def sync(self, path: str) -> None:
        """Make a file's contents, or a directory's names, survive a loss of power."""
        path = self._normal(path)
        if path in self._directories:
            self._sync_directory(path)
        else:
            file = self._file(path)
            file.durable = file.data

    def replace(self, source: str, target: str) -> None:
        """Rename atomically over whatever file was at ``target``."""
        source, target = self._normal(source), self._normal(target)
        file = self._file(source)
        self._require_directory(posixpath.dirname(target))
        if target in self._directories:
            raise _error(errno.EISDIR, target)
        del self._files[source]
        self._files[target] = file
        self._journal.append(((source, None), (target, file)))
        self._watch("replace", target, source.encode())

    def remove(self, path: str) -> None:
        """Remove a file; FileNotFoundError when there is none."""
        path = self._normal(path)
        self._file(path)
        del self._files[path]
        self._journal.append(((path, None),))
        self._watch("remove", path, b"")

    def make_directory(self, path: str, mode: int = 0o700) -> None:
        """Make a directory and its parents; an existing one keeps its mode."""
        path = self._normal(path)
        if path in self._files:
            raise _error(errno.EEXIST, path)
        if path not in self._directories:
            self.make_directory(posixpath.dirname(path), mode)
            self._directories[path] = mode
            self._watch("mkdir", path, b"")

    def names(self, directory: str) -> list[str]:
        """Names directly inside ``directory``, sorted."""
        directory = self._normal(directory)
        self._require_directory(directory)
        paths = [*self._files, *self._directories]
        return sorted(
            posixpath.basename(path) for path in paths if path != "/" and posixpath.dirname(path) == directory
        )

    def mode(self, path: str) -> int:
        """Permission bits of a file or directory."""
        path = self._normal(path)
        return self._directories[path] if path in self._directories else self._file(path).mode

    def set_mode(self, path: str, mode: int) -> None:
        """Change the permission bits of a file or directory."""
        path = self._normal(path)
        if path not in self._directories:
            self._file(path).mode = mode
        else:
            self._directories[path] = mode
            if path in self._durable_directories:
                self._durable_directories[path] = mode
        self._watch("chmod", path, b"")

    @contextmanager
    def lock(self, directory: str) -> Iterator[None]:
        """Hold the advisory lock of a directory; BlockingIOError while somebody else does.

        Not to be held over an await: a host killed there would hold it for ever.
        """
        directory = self._normal(directory)
        self._require_directory(directory)
        if directory in self._locked:
            raise _error(errno.EWOULDBLOCK, directory)
        self._locked.add(directory)
        try:
            yield
        finally:
            self._locked.discard(directory)

    def files(self) -> dict[str, bytes]:
        """Every file by full path, sorted: what an examiner of the disk would find."""
        return {path: self._files[path].data for path in sorted(self._files)}

    def lose_power(self, torn: random.Random | None = None) -> None:
        """Forget what was never synced: all of it, or as much as ``torn`` draws.

        A file overwritten without a sync then has a sector-wise mixture of its old and new contents, and the changes of
        names since the last sync are lost from some point on. A file whose contents were never synced is empty.
        """
        if torn is not None:
            for change in self._journal[: torn.randint(0, len(self._journal))]:
                for path, file in change:
                    self._keep_name(path, file)
        kept: dict[int, _File] = {}
        for path in sorted(self._durable_names):
            file = self._durable_names[path]
            if id(file) not in kept:  # a file may have two names for a while
                data = _survived(file, torn)
                kept[id(file)] = _File(data, file.mode, data)
        self._files = {
            path: kept[id(file)]
            for path, file in self._durable_names.items()
            if torn is not None or file.durable is not None
        }
        self._durable_names = dict(self._files)
        self._directories = dict(self._durable_directories)
        self._journal.clear()

    def _keep_name(self, path: str, file: _File | None) -> None:
        if file is None:
            self._durable_names.pop(path, None)
        elif posixpath.dirname(path) in self._durable_directories:
            self._durable_names[path] = file

    @staticmethod
    def _normal(path: str) -> str:
        normal = posixpath.normpath(posixpath.join("/", path))
        return "/" + normal.lstrip("/")

    def _file(self, path: str) -> _File:
        path = self._normal(path)
        if path in self._directories:
            raise _error(errno.EISDIR, path)
        if path not in self._files:
            raise _error(errno.ENOENT, path)
        return self._files[path]

    def _require_directory(self, path: str) -> None:
        if path not in self._directories:
            raise _error(errno.ENOENT, path)

    def _sync_directory(self, directory: str) -> None:
        def inside(path: str) -> bool:
            return path != "/" and posixpath.dirname(path) == directory

        for path in [path for path in self._durable_names if inside(path)]:
            del self._durable_names[path]
        self._durable_names.update({path: file for path, file in self._files.items() if inside(path)})
        journal = (tuple(part for part in change if not inside(part[0])) for change in self._journal)
        self._journal = [change for change in journal if change]
        # A directory that can be synced exists; so do its parents, as mkdir's journal order has it.
        while directory not in self._durable_directories:
            self._durable_directories[directory] = self._directories[directory]
            directory = posixpath.dirname(directory)
        self._durable_directories.update({path: mode for path, mode in self._directories.items() if inside(path)})


def _survived(file: _File, torn: random.Random | None) -> bytes:
    """The contents of a file after a loss of power."""
    old = file.durable or b""
    if torn is None or file.data == file.durable:
        return old
    length = torn.choice((len(old), len(file.data)))
    sectors = range(0, length, SECTOR)
    mixed = b"".join(
        torn.choice((old, file.data))[at : at + SECTOR].ljust(min(SECTOR, length - at), b"\0") for at in sectors
    )
    return mixed[:length]
