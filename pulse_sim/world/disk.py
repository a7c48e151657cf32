"""What lies in a system's data directory at the end of a run: sizes, modes, digests, and secrets in the clear."""

from collections.abc import Iterator
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
    """The data of a ``world/disk`` record, subdirectories included; a directory that was never made has no files."""
    files = {}
    leaks = []
    for name, content in _files_below(disk, directory):
        mode = disk.mode(f"{directory}/{name}")
        files[name] = {"bytes": len(content), "mode": f"{mode:04o}", "sha256": sha256_hex(content)}
        if find_secret_forms(content):
            leaks.append(name)
    return {"files": files, "leaks": leaks}


def _files_below(disk: ReadableDisk, directory: str, prefix: str = "") -> Iterator[tuple[str, bytes]]:
    """Every file below a directory: its path from there, and its bytes."""
    try:
        names = sorted(disk.names(directory))
    except FileNotFoundError:
        return
    for name in names:
        path = f"{directory}/{name}"
        try:
            content = disk.read(path)
        except IsADirectoryError:
            yield from _files_below(disk, path, f"{prefix}{name}/")
        else:
            yield prefix + name, content
