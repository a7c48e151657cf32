"""The disk of the machine, for a stack that runs for real. Only regular files: a link in their place is an error.

The data directory itself may be a link, as administrators make them.
"""

import contextlib
import errno
import fcntl
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

LARGEST_BYTES: Final = 256 * 1024 * 1024
"""No file of the data directory is nearly that large; one that is was not written by us."""

LOCK_WAIT_S: Final = 0.25
"""How long a writer waits for the others: what the loop can stand still without anybody noticing."""

_NAP_S: Final = 0.005
# A named pipe in the place of a file must be an error and not an endless wait.
_READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_WRITE: Final = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_NO_LOCKS: Final = frozenset({errno.EBADF, errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL})


class RealDisk:
    """The Disk of :mod:`pulse_sim.stack.seams` on the operating system. Raises OSErrors as they come."""

    def read(self, path: str, /) -> bytes:
        """The whole regular file."""
        descriptor = os.open(path, _READ)
        try:
            state = os.fstat(descriptor)
            if not stat.S_ISREG(state.st_mode):
                raise OSError(errno.EINVAL, "not a regular file", Path(path).name)
            if state.st_size > LARGEST_BYTES:
                raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), Path(path).name)
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                return file.read()
        finally:
            os.close(descriptor)

    def write(self, path: str, data: bytes, mode: int, /) -> None:
        """Creates or overwrites; the mode holds whatever the umask says, and before the first byte is written."""
        descriptor = os.open(path, _WRITE, mode)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, mode)
            file.write(data)

    def sync(self, path: str, /) -> None:
        """fsync of a file or directory; a directory of a file system that knows no such thing is left to it."""
        descriptor = _opened(path)
        try:
            os.fsync(descriptor)
        except OSError as failure:
            if failure.errno != errno.EINVAL or not stat.S_ISDIR(os.fstat(descriptor).st_mode):
                raise
        finally:
            os.close(descriptor)

    def replace(self, src: str, dst: str, /) -> None:
        """Renames over `dst`."""
        Path(src).replace(dst)

    def remove(self, path: str, /) -> None:
        """Removes a file."""
        Path(path).unlink()

    def make_directory(self, path: str, mode: int, /) -> None:
        """Creates what is missing of the path, each new directory with this mode."""
        for directory in reversed([Path(path), *Path(path).parents]):
            with contextlib.suppress(FileExistsError):
                directory.mkdir(mode)

    def names(self, directory: str, /) -> list[str]:
        """Names in a directory, sorted."""
        return sorted(entry.name for entry in Path(directory).iterdir())

    def mode(self, path: str, /) -> int:
        """Permission bits; of the link itself where one is in the place of a file."""
        found = Path(path)
        return stat.S_IMODE((found.stat() if found.is_dir() else found.lstat()).st_mode)

    def set_mode(self, path: str, mode: int, /) -> None:
        """Changes permission bits, never those of a file that a link points to."""
        descriptor = _opened(path)
        try:
            os.fchmod(descriptor, mode)
        finally:
            os.close(descriptor)

    @contextlib.contextmanager
    def lock(self, directory: str, /) -> Iterator[None]:
        """The advisory lock of the directory itself, so that no file is left of it and it dies with its holder.

        Waits for a quarter of a second at most. A file system without locks gives it to everybody.
        """
        descriptor = _opened(directory)
        try:
            _take(descriptor, round(LOCK_WAIT_S / _NAP_S))
            yield
        finally:
            os.close(descriptor)


def _opened(path: str) -> int:
    """A descriptor of a file, or of a directory behind a link as well."""
    try:
        return os.open(path, _READ)
    except OSError as failure:
        if failure.errno != errno.ELOOP:
            raise
    return os.open(path, (_READ & ~os.O_NOFOLLOW) | os.O_DIRECTORY)


def _take(descriptor: int, attempts: int) -> None:
    """Locks a descriptor. Raises BlockingIOError when it could not be had in so many attempts."""
    for left in reversed(range(attempts)):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not left:
                raise
            time.sleep(_NAP_S)
        except OSError as failure:
            if failure.errno not in _NO_LOCKS:
                raise
            return
        else:
            return
