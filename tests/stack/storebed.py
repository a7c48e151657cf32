"""Disks for the tests of the config store: a simulated and a real one behind one look, and one on which writers die."""

import base64
import json
import random
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pulse_sim.kernel import Disk
from pulse_sim.stack.connection import Connection
from pulse_sim.stack.disk import RealDisk
from pulse_sim.stack.seams import Disk as AnyDisk
from pulse_sim.stack.seams import Seams
from pulse_sim.stack.store import ConnectionStore

SECRET = "PSIMSECRET"
ONE = Connection(id="nas", host="nas.lan", api_key=f"1-{SECRET}", port=443, poll_interval_s=30)


class FixedClock:
    def now_ns(self) -> int:
        return 0


@dataclass(frozen=True)
class Place:
    """A data directory on a disk."""

    disk: AnyDisk
    data_dir: str

    @property
    def file(self) -> str:
        return f"{self.data_dir}/truenas.enc"

    @property
    def key(self) -> str:
        return f"{self.data_dir}/.encryption.key"

    def unopened(self, seed: int = 1) -> ConnectionStore:
        return ConnectionStore(
            self.data_dir, Seams(FixedClock(), random.Random(seed).randbytes, random.Random, self.disk)
        )

    def store(self, seed: int = 1) -> ConnectionStore:
        """A store as the next process opens it. Another seed is other entropy."""
        store = self.unopened(seed)
        store.open()
        return store

    def put(self, path: str, data: bytes, mode: int = 0o600) -> None:
        """Writes as an operator does who knows nothing of crashes, with time enough for the disk."""
        self.disk.write(path, data, mode)
        if isinstance(self.disk, Disk):  # a real one does not lose power here, and syncing it takes long
            self.disk.sync(path)
            self.disk.sync(path.rpartition("/")[0])

    def encrypted(self, plaintext: bytes, key: bytes | None = None) -> bytes:
        """What the format makes of it, by the contract's words and not by the store's code."""
        key = base64.b64decode(self.disk.read(self.key)) if key is None else key
        return b"n" * 12 + AESGCM(key).encrypt(b"n" * 12, plaintext, None)

    def decrypted(self, path: str | None = None) -> Any:
        data, key = self.disk.read(path or self.file), base64.b64decode(self.disk.read(self.key), validate=True)
        return json.loads(AESGCM(key).decrypt(data[:12], data[12:], None))

    def files(self, directory: str = "") -> dict[str, bytes]:
        """Every regular file below the data directory by its name there."""
        found: dict[str, bytes] = {}
        base = f"{self.data_dir}/{directory}"
        for name in self.disk.names(base.rstrip("/")):
            try:
                found[directory + name] = self.disk.read(base + name)
            except OSError:
                found |= self.files(f"{directory}{name}/")
        return found


def simulated() -> Place:
    return Place(Disk("d"), "/data")


def real(directory: Path) -> Place:
    return Place(RealDisk(), str(directory / "data"))


def plaintext(connections: Sequence[Connection]) -> bytes:
    return json.dumps([connection.to_record() for connection in connections]).encode()


class Died(BaseException):
    """The process is gone: nothing catches this, and no clean-up of the store runs on it."""


class Deadly:
    """A disk whose user dies at its `dies_at`-th change, after having done a part of it."""

    def __init__(self, disk: AnyDisk, dies_at: int, part: float = 0.0) -> None:
        self._disk = disk
        self._left = dies_at
        self._part = part

    def _act(self) -> None:
        if not self._left:
            raise Died
        self._left -= 1

    def read(self, path: str, /) -> bytes:
        return self._disk.read(path)

    def write(self, path: str, data: bytes, mode: int, /) -> None:
        if not self._left and self._part:
            self._disk.write(path, data[: int(len(data) * self._part)], mode)
        self._act()
        self._disk.write(path, data, mode)

    def sync(self, path: str, /) -> None:
        self._act()
        self._disk.sync(path)

    def replace(self, src: str, dst: str, /) -> None:
        self._act()
        self._disk.replace(src, dst)

    def remove(self, path: str, /) -> None:
        self._act()
        self._disk.remove(path)

    def make_directory(self, path: str, mode: int, /) -> None:
        self._act()
        self._disk.make_directory(path, mode)

    def names(self, directory: str, /) -> list[str]:
        return self._disk.names(directory)

    def mode(self, path: str, /) -> int:
        return self._disk.mode(path)

    def set_mode(self, path: str, mode: int, /) -> None:
        self._act()
        self._disk.set_mode(path, mode)

    def lock(self, directory: str, /) -> AbstractContextManager[None]:
        return self._disk.lock(directory)
