"""What a worker that died leaves behind: half a bundle under its partial name, which nobody will ever complete.

A worker holds a lock on the bundle it writes, and the lock ends with the process, however that ends. Knows nothing of
what a bundle holds.
"""

import fcntl
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import sleep
from typing import Final

from pulse_sim.evidence.names import PARTIAL, safe_name

ASKED_TIMES: Final = 50
PAUSE_S: Final = 0.02


@contextmanager
def held(directory: Path) -> Iterator[None]:
    """Keep a directory from being taken for abandoned, also under the name it gets meanwhile."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
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
