"""A directory that becomes a bundle whole or not at all: written as ``.partial-*``, renamed when complete (DESIGN 4.4).

Knows nothing of what a bundle holds.
"""

import ctypes
import errno
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from pulse_sim.canonical import Json
from pulse_sim.evidence.envelope import attest, result_of
from pulse_sim.evidence.manifest import Manifest
from pulse_sim.evidence.names import ATTESTATION, LATEST, MANIFEST, PARTIAL, safe_name
from pulse_sim.evidence.scan import require_no_private_key, require_no_secret
from pulse_sim.evidence.signing_key import signing_key
from pulse_sim.outcome import Outcome
from pulse_sim.verdict import Verdict

_AT_FDCWD: Final = -100
_RENAME_EXCHANGE: Final = 2
_UNSUPPORTED: Final = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP)


class PartialBundle:
    """A directory below ``directory`` that nobody takes for a bundle. Left without :meth:`seal`, it is removed."""

    def __init__(self, directory: Path, label: str) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self.path = Path(tempfile.mkdtemp(prefix=f"{PARTIAL}{safe_name(label)}-", dir=directory))
        self.path.chmod(0o755)

    def write(self, name: str, content: bytes) -> None:
        """Write one file of the bundle; ``name`` may have a directory in it."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def seal(
        self, name: str, kind: str, inputs: Mapping[str, Json], *, result: Outcome | Verdict, scanned: str | None = None
    ) -> Path:
        """Scan for secrets, write and sign the manifest, sync, and rename to ``directory/name``, replacing what is
        there. ``result`` is what the bundle comes to.

        Files below ``scanned`` were scanned when they were sealed themselves. Raises SecretInEvidence, and leaves
        nothing, when a file shows a secret marker or a private key; SigningKeyUnusable when there is no key to sign
        with.
        """
        key = signing_key()
        require_no_secret(self.path, skip=scanned)
        require_no_private_key(self.path, key.seed(), skip=scanned)
        manifest = Manifest.measured(self.path, kind, inputs)
        content = manifest.encode()
        self.write(MANIFEST, content)
        self.write(ATTESTATION, attest(content, manifest.configuration(), result_of(result), key))
        for place in [*manifest.files, MANIFEST, ATTESTATION]:
            _sync(self.path / place)
        target = self._directory / name
        _publish(self.path, target)
        _sync(self._directory)
        return target

    def discard(self) -> None:
        """Remove what was not sealed; does nothing after :meth:`seal`."""
        shutil.rmtree(self.path, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.discard()


def point_latest(bundle: Path) -> Path:
    """Make ``latest`` beside ``bundle`` a relative link to it, swapped in one step. Returns the link."""
    link = bundle.parent / LATEST
    with tempfile.TemporaryDirectory(prefix=f"{PARTIAL}{LATEST}-", dir=bundle.parent) as workplace:
        fresh = Path(workplace) / LATEST
        fresh.symlink_to(bundle.name)
        fresh.replace(link)
    return link


def _publish(path: Path, target: Path) -> None:
    """Rename ``path`` to ``target``; a directory already there changes places with it and is removed after."""
    try:
        path.rename(target)
        return
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
    if not _exchange(path, target):
        # A file system without exchange: for a moment there is no bundle of this name, but never half of one.
        aside = Path(tempfile.mkdtemp(prefix=PARTIAL, dir=target.parent))
        target.rename(aside / target.name)
        path.rename(target)
        path = aside
    shutil.rmtree(path, ignore_errors=True)


def _exchange(one: Path, other: Path) -> bool:
    library = ctypes.CDLL(None, use_errno=True)
    rename = getattr(library, "renameat2", None)
    if rename is None:
        return False
    if rename(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in _UNSUPPORTED:
        return False
    raise OSError(number, os.strerror(number), str(one), None, str(other))


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
