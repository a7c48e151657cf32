"""What lies in a system's data directory at the end of a run: sizes, modes, digests, and secrets in the clear."""

from typing import Any, Protocol

from pulse_sim.canonical import sha256_hex
from pulse_sim.observation.secrecy import find_secret_forms


class ReadableDisk(Protocol):
    """The part of a disk this needs."""

    def names(self, directory: str) -> list[str]:
        """Names in a directory; FileNotFoundError when it is not there."""
        ...

    def read(self, path: str) -> bytes:
        """The bytes of a file."""
        ...

    def mode(self, path: str) -> int:
        """Permission bits of a file."""
        ...


def describe_disk(disk: ReadableDisk, directory: str) -> dict[str, Any]:
    """The data of a ``world/disk`` record; a directory that was never made has no files."""
    try:
        names = sorted(disk.names(directory))
    except FileNotFoundError:
        names = []
    files = {}
    leaks = []
    for name in names:
        path = f"{directory}/{name}"
        content = disk.read(path)
        files[name] = {"bytes": len(content), "mode": f"{disk.mode(path):04o}", "sha256": sha256_hex(content)}
        if find_secret_forms(content):
            leaks.append(name)
    return {"files": files, "leaks": leaks}
