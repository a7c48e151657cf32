"""What a process that died leaves behind: half a bundle under its partial name, which nobody will ever complete.

Who writes a bundle holds a lock on it, and the lock ends with the process, however that ends. One that has just been
made is not locked yet, so making shares a lock on the directory above, which sweeping has for itself. Knows nothing of
what a bundle holds.
"""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from time import sleep
from typing import Final, Protocol, TypeVar

from pulse_sim.evidence.names import PARTIAL, safe_name

ASKED_TIMES: Final = 50
PAUSE_S: Final = 0.02


class Begun(Protocol):
    """A bundle that is being written."""

    @property
    def path(self) -> Path: ...


_Bundle = TypeVar("_Bundle", bound=Begun)


@contextmanager
def begun(directory: Path, make: Callable[[], AbstractContextManager[_Bundle]]) -> Iterator[_Bundle]:
    """The bundle ``make`` begins below ``directory``, which nobody takes for abandoned while this process lives."""
    with ExitStack() as stack:
        with unswept(directory):
            bundle = stack.enter_context(make())
            stack.enter_context(held(bundle.path))
        yield bundle


@contextmanager
def unswept(directory: Path) -> Iterator[None]:
    """Nothing below ``directory``, which is made if need be, is swept away meanwhile. Several may ask at once."""
    directory.mkdir(parents=True, exist_ok=True)
    with _locked(directory, fcntl.LOCK_SH):
        yield


@contextmanager
def held(directory: Path) -> Iterator[None]:
    """Keep a directory from being taken for abandoned, also under the name it gets meanwhile."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def sweep_dead(directory: Path) -> None:
    """Remove every partial bundle below ``directory`` whose owner is dead, whatever it was to become."""
    if not directory.is_dir():
        return
    with _locked(directory, fcntl.LOCK_EX):
        for path in directory.glob(f"{PARTIAL}*"):
            if path.is_dir() and not path.is_symlink() and _is_free(path):
                shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _locked(directory: Path, operation: int) -> Iterator[None]:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, operation)
        yield
    finally:
        os.close(descriptor)


def sweep(directory: Path, runs: Iterable[tuple[str, int]]) -> None:
    """Remove the partial bundles of ``runs`` (scenario id, seed) that no process holds. Those of others stay.

    A worker that was killed just now may hold its own a moment longer, so one that is held is asked again for a while.
    """
    partial = list(directory.glob(f"{PARTIAL}*")) if directory.is_dir() else []
    if not partial:
        return
    prefixes = tuple(f"{PARTIAL}{safe_name(f'{scenario}-{seed}')}-" for scenario, seed in runs)
    for path in partial:
        if path.name.startswith(prefixes) and not path.is_symlink() and _becomes_free(path):
            shutil.rmtree(path, ignore_errors=True)


def _becomes_free(directory: Path) -> bool:
    for _ in range(ASKED_TIMES):
        if _is_free(directory):
            return True
        sleep(PAUSE_S)
    return False


def _is_free(directory: Path) -> bool:
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True
