"""The configured connections on disk, encrypted (contract A1).

Every load reads the file, so that one removed by an operator counts at once; it is decrypted only when its bytes
changed. A file that cannot be understood is reported and left alone, and nothing is written over one that changed since
it was loaded.
"""

import contextlib
import logging
import posixpath
import re
from collections.abc import Sequence
from typing import Final

from pulse_sim.stack.cipher import NONCE_BYTES, CipherFailed, decrypt, encrypt
from pulse_sim.stack.connection import DEFAULT_ORG, Connection
from pulse_sim.stack.connection_records import (
    RecordsInvalid,
    decode_records,
    encode_records,
    is_plaintext,
    resembles_plaintext,
)
from pulse_sim.stack.damage import Damage, StoreDamaged
from pulse_sim.stack.key_file import KEY_FILE, KeyFile, disk_damage
from pulse_sim.stack.safe_write import (
    DIRECTORY_MODE,
    FILE_MODE,
    close_to_others,
    make_safe_directory,
    remove_stale_temporaries,
    safe_write,
)
from pulse_sim.stack.seams import Seams

CONNECTIONS_FILE: Final = "truenas.enc"
ORG_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_log = logging.getLogger("pulse.store")

__all__ = ["CONNECTIONS_FILE", "KEY_FILE", "ORG_NAME", "ConnectionStore", "Damage", "StoreDamaged"]


class ConnectionStore:
    """Connections by organisation, in ``<data dir>/truenas.enc`` and ``<data dir>/orgs/<org>/truenas.enc``."""

    def __init__(self, data_dir: str, seams: Seams) -> None:
        self._data_dir = data_dir
        self._disk = seams.disk
        self._entropy = seams.entropy
        self._key_file = KeyFile(seams.disk, data_dir, seams.entropy)
        self._loaded: dict[str, tuple[bytes | None, tuple[Connection, ...]]] = {}
        self._unencrypted: set[str] = set()
        self._orgs: tuple[str, ...] = ()

    def open(self) -> None:
        """Makes the data directory (0700) and, on the first start, the key; tidies up after a crash.

        Raises StoreDamaged, also for a key that is missing although something is encrypted with it.
        """
        try:
            make_safe_directory(self._disk, self._data_dir)
            for directory in self._directories():
                if close_to_others(self._disk, directory, DIRECTORY_MODE):
                    _log.warning("%(file)s was open to others: now 0700", {"file": self._named(directory)})
            self._settle()
        except OSError as failure:
            raise disk_damage("data directory", failure) from None
        self._key_file.read_or_make(self._is_encrypted)

    def orgs(self) -> tuple[str, ...]:
        """Organisations that have a directory, the default one first.

        Those of before where the disk does not tell: an organisation is not gone because of that.
        """
        try:
            names = self._disk.names(self._path("orgs"))
        except FileNotFoundError:
            self._orgs = ()
        except OSError as failure:
            _log.error("organisations not listed: %(exception)s", {"exception": type(failure).__name__})
        else:
            self._orgs = tuple(name for name in names if name != DEFAULT_ORG and ORG_NAME.fullmatch(name))
        return (DEFAULT_ORG, *self._orgs)

    def load(self, org: str = DEFAULT_ORG) -> tuple[Connection, ...]:
        """The connections of an organisation; none when the file is missing or empty. Raises StoreDamaged."""
        path = self._file_of(org)
        kept = self._loaded.pop(org, None)  # what cannot be loaded now must not be what a save builds on
        data: bytes | None = None
        try:
            data = self._disk.read(path)
            if close_to_others(self._disk, path, FILE_MODE):
                _log.warning("%(file)s was open to others: now 0600", {"file": CONNECTIONS_FILE})
        except FileNotFoundError:
            data = None
        except OSError as failure:
            raise disk_damage(CONNECTIONS_FILE, failure) from None
        if data is None or not data.strip():
            kept = data, ()
        elif kept is None or kept[0] != data or org in self._unencrypted:
            kept = self._understood(data, org)
        self._loaded[org] = kept
        return kept[1]

    def save(self, connections: Sequence[Connection], org: str = DEFAULT_ORG) -> None:
        """Replaces the connections of an organisation, whole or not at all.

        Raises StoreDamaged, CHANGED when the file is no longer what this store loaded or saved last.
        """
        if org not in self._loaded:
            self.load(org)
        before, _ = self._loaded[org]
        data = encrypt(
            self._key_file.read_or_make(self._is_encrypted), self._entropy(NONCE_BYTES), encode_records(connections)
        )
        path = self._file_of(org)
        try:
            make_safe_directory(self._disk, posixpath.dirname(path))
            safe_write(self._disk, path, data, expected=before)
        except OSError as failure:
            raise disk_damage(CONNECTIONS_FILE, failure) from None
        self._unencrypted.discard(org)
        self._loaded[org] = (data, tuple(connections))

    def _understood(self, data: bytes, org: str) -> tuple[bytes, tuple[Connection, ...]]:
        """Bytes and connections; a plaintext array is accepted and written back encrypted."""
        if is_plaintext(data):
            connections = _decoded(data, org)
            return self._migrated(data, connections, org), connections
        key = self._key_file.read()
        try:
            plaintext = decrypt(key, data)
        except CipherFailed as failure:
            if resembles_plaintext(data):
                raise StoreDamaged(CONNECTIONS_FILE, Damage.CONTENT, "it is plaintext, and not a JSON array") from None
            raise StoreDamaged(CONNECTIONS_FILE, Damage.UNDECRYPTABLE, str(failure)) from None
        return data, _decoded(plaintext, org)

    def _migrated(self, data: bytes, connections: tuple[Connection, ...], org: str) -> bytes:
        """What is in the file afterwards: its content encrypted, or the plaintext as long as that cannot be written.

        Connections that can be read are polled all the same; the next load tries again.
        """
        try:
            key = self._key_file.read_or_make(self._is_encrypted)
            encrypted = encrypt(key, self._entropy(NONCE_BYTES), encode_records(connections))
            if _decoded(decrypt(key, encrypted), org) != connections:
                raise StoreDamaged(CONNECTIONS_FILE, Damage.CONTENT, "it would not be read back as it is")
            safe_write(self._disk, self._file_of(org), encrypted, expected=data)
        except (StoreDamaged, OSError) as failure:
            damage = disk_damage(CONNECTIONS_FILE, failure) if isinstance(failure, OSError) else failure
            if org not in self._unencrypted:
                fields = {"file": CONNECTIONS_FILE, "reason": damage.reason}
                _log.error("%(file)s is plaintext and could not be encrypted: %(reason)s", fields)
            self._unencrypted.add(org)
            return data
        self._unencrypted.discard(org)
        _log.info("%(file)s was plaintext: now encrypted", {"file": CONNECTIONS_FILE})
        return encrypted

    def _is_encrypted(self) -> bool:
        """Whether a key was used already, as far as can be seen; a new one would then only hide the loss."""
        for org in self.orgs():
            try:
                data = self._disk.read(self._file_of(org))
            except FileNotFoundError:
                continue
            except OSError:
                return True
            if data.strip() and not resembles_plaintext(data):
                return True
        return False

    def _settle(self) -> None:
        """Makes durable what a process killed between rename and sync has left: nothing builds on what may go again."""
        for directory in self._directories():
            self._tidy(directory)
            self._disk.sync(directory)
        with contextlib.suppress(PermissionError):  # the directory above may be one that is not ours to read
            self._disk.sync(posixpath.dirname(self._data_dir))

    def _tidy(self, directory: str) -> None:
        """Removes what interrupted writes left; not being able to is no reason not to start."""
        try:
            stale = remove_stale_temporaries(self._disk, directory)
        except OSError:
            return
        if stale:
            _log.info("%(count)d files of interrupted writes removed", {"count": len(stale)})

    def _directories(self) -> list[str]:
        """The data directory and those of organisations, as far as they are there."""
        orgs = [posixpath.dirname(self._file_of(org)) for org in self.orgs()]
        return [self._data_dir, *([self._path("orgs"), *orgs[1:]] if len(orgs) > 1 else [])]

    def _named(self, directory: str) -> str:
        return posixpath.relpath(directory, self._data_dir).replace(".", "data directory", 1)

    def _path(self, name: str) -> str:
        return posixpath.join(self._data_dir, name)

    def _file_of(self, org: str) -> str:
        return self._path(CONNECTIONS_FILE if org == DEFAULT_ORG else f"orgs/{org}/{CONNECTIONS_FILE}")


def _decoded(plaintext: bytes, org: str) -> tuple[Connection, ...]:
    """Raises StoreDamaged when the text is no array of connections with distinct ids."""
    try:
        return decode_records(plaintext, org)
    except RecordsInvalid as failure:
        raise StoreDamaged(CONNECTIONS_FILE, Damage.CONTENT, str(failure)) from None
