"""What the stack asks of the place it runs in: wall time, entropy, seeded streams and a disk.

Knows no implementation. Monotonic time is not here because it is the running loop's ``time()``.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from random import Random
from typing import Protocol


class Clock(Protocol):
    """The wall clock of the host the stack runs on."""

    def now_ns(self) -> int:
        """Unix time in nanoseconds; it may step in either direction."""
        ...


class Disk(Protocol):
    """A POSIX-like disk. Paths are absolute text; a write is durable once its file and directory were synced."""

    def read(self, path: str, /) -> bytes:
        """The whole file. Raises FileNotFoundError; other OSErrors as the disk has them."""
        ...

    def write(self, path: str, data: bytes, mode: int, /) -> None:
        """Creates or overwrites the file with permission bits `mode`; not durable until synced."""
        ...

    def sync(self, path: str, /) -> None:
        """Makes a file's bytes, or a directory's names, durable."""
        ...

    def replace(self, src: str, dst: str, /) -> None:
        """Renames over `dst` in one step."""
        ...

    def remove(self, path: str, /) -> None:
        """Removes a file. Raises FileNotFoundError."""
        ...

    def make_directory(self, path: str, mode: int, /) -> None:
        """Creates the directory and its parents; an existing one is left as it is."""
        ...

    def names(self, directory: str, /) -> list[str]:
        """Names in a directory, sorted. Raises FileNotFoundError."""
        ...

    def mode(self, path: str, /) -> int:
        """Permission bits. Raises FileNotFoundError."""
        ...

    def set_mode(self, path: str, mode: int, /) -> None:
        """Changes permission bits. Raises FileNotFoundError."""
        ...

    def lock(self, directory: str, /) -> AbstractContextManager[None]:
        """The advisory lock of a directory among processes. Raises BlockingIOError when others keep it.

        Not to be held over an await: it blocks whoever waits for it, and a process may die at an await.
        """
        ...


@dataclass(frozen=True)
class Seams:
    """Everything ambient, handed in at a composition root.

    `entropy` gives that many unpredictable bytes; `stream` gives the random generator of one purpose, so that a new
    draw for one purpose never shifts another.
    """

    clock: Clock
    entropy: Callable[[int], bytes]
    stream: Callable[[str], Random]
    disk: Disk
