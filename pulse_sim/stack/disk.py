"""The disk of the machine, for a stack that runs for real. Only regular files: a link in their place is an error."""

import contextlib
import os
import stat
from pathlib import Path

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC


class RealDisk:
    """The Disk of :mod:`pulse_sim.stack.seams` on the operating system. Raises OSErrors as they come."""

    def read(self, path: str, /) -> bytes:
        """The whole regular file."""
        descriptor = os.open(path, _READ)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise OSError(f"{Path(path).name} is not a regular file")
            return file.read()

    def write(self, path: str, data: bytes, mode: int, /) -> None:
        """Creates or overwrites; the mode holds whatever the umask says, and before the first byte is written."""
        descriptor = os.open(path, _WRITE, mode)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, mode)
            file.write(data)

    def sync(self, path: str, /) -> None:
        """fsync of a file or directory."""
        descriptor = os.open(path, _READ)
        try:
            os.fsync(descriptor)
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
        """Permission bits, of the link itself where it is one."""
        return stat.S_IMODE(Path(path).lstat().st_mode)
