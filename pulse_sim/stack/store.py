"""The configured connections on disk, encrypted (contract A1).

Every load reads the file, so that one removed by an operator counts at once; it is decrypted only when its bytes
changed. A file that cannot be understood is reported and left alone.
"""

import json
import logging
import posixpath
import re
from collections.abc import Sequence
from typing import Any, Final

from pulse_sim.stack.cipher import KEY_BYTES, NONCE_BYTES, CipherFailed, decode_key, decrypt, encode_key, encrypt
from pulse_sim.stack.connection import DEFAULT_ORG, Connection, ConnectionInvalid, read_connection
from pulse_sim.stack.seams import Seams

CONNECTIONS_FILE: Final = "truenas.enc"
KEY_FILE: Final = ".encryption.key"
ORG_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_log = logging.getLogger("pulse.store")


class StoreDamaged(Exception):
    """The connections cannot be loaded or saved; the files on disk are as they were. `reason` holds no secret."""

    def __init__(self, file: str, reason: str) -> None:
        super().__init__(f"{file}: {reason}")
        self.file = file
        self.reason = reason


class ConnectionStore:
    """Connections by organisation, in ``<data dir>/truenas.enc`` and ``<data dir>/orgs/<org>/truenas.enc``."""

    def __init__(self, data_dir: str, seams: Seams) -> None:
        self._data_dir = data_dir
        self._disk = seams.disk
        self._entropy = seams.entropy
        self._loaded: dict[str, tuple[bytes, tuple[Connection, ...]]] = {}

    def open(self) -> None:
        """Makes the data directory (0700) and, on the first start, the key. Raises StoreDamaged."""
        try:
            self._disk.make_directory(self._data_dir, 0o700)
            path = self._path(KEY_FILE)
            try:
                data, mode = self._disk.read(path), self._disk.mode(path)
            except FileNotFoundError:
                self._write(path, encode_key(self._entropy(KEY_BYTES)))
                return
            if mode & 0o077:
                _log.warning("%(file)s was readable by others: now 0600", {"file": KEY_FILE})
                self._write(path, data)
        except OSError as failure:
            raise StoreDamaged(KEY_FILE, f"disk error {type(failure).__name__}") from None

    def orgs(self) -> tuple[str, ...]:
        """Organisations that have a directory, the default one first."""
        try:
            names = self._disk.names(self._path("orgs"))
        except OSError:
            names = []
        return (DEFAULT_ORG, *(name for name in names if name != DEFAULT_ORG and ORG_NAME.fullmatch(name)))

    def load(self, org: str = DEFAULT_ORG) -> tuple[Connection, ...]:
        """The connections of an organisation; none when the file is missing or empty. Raises StoreDamaged."""
        path = self._file_of(org)
        try:
            data = self._disk.read(path)
        except FileNotFoundError:
            return ()
        except OSError as failure:
            raise StoreDamaged(CONNECTIONS_FILE, f"disk error {type(failure).__name__}") from None
        if not data.strip():
            return ()
        kept = self._loaded.get(org)
        if kept is None or kept[0] != data:
            kept = self._loaded[org] = self._understood(data, org)
        return kept[1]

    def save(self, connections: Sequence[Connection], org: str = DEFAULT_ORG) -> None:
        """Replaces the connections of an organisation, whole or not at all. Raises StoreDamaged."""
        plaintext = json.dumps([c.to_record() for c in connections], separators=(",", ":")).encode()
        data = encrypt(self._key(), self._entropy(NONCE_BYTES), plaintext)
        try:
            if org != DEFAULT_ORG:
                self._disk.make_directory(posixpath.dirname(self._file_of(org)), 0o700)
            self._write(self._file_of(org), data)
        except OSError as failure:
            raise StoreDamaged(CONNECTIONS_FILE, f"disk error {type(failure).__name__}") from None
        self._loaded[org] = (data, tuple(connections))

    def _understood(self, data: bytes, org: str) -> tuple[bytes, tuple[Connection, ...]]:
        """Bytes and connections; a plaintext array is accepted and written back encrypted."""
        records = _plaintext_records(data)
        if records is not None:
            connections = _connections(records, org)
            self.save(connections, org)
            _log.info("%(file)s was plaintext: now encrypted", {"file": CONNECTIONS_FILE})
            return self._loaded[org]
        try:
            plaintext = decrypt(self._key(), data)
        except CipherFailed as failure:
            raise StoreDamaged(CONNECTIONS_FILE, str(failure)) from None
        try:
            records = json.loads(plaintext)
        except (ValueError, RecursionError):
            raise StoreDamaged(CONNECTIONS_FILE, "the content is not JSON") from None
        return data, _connections(records, org)

    def _key(self) -> bytes:
        try:
            return decode_key(self._disk.read(self._path(KEY_FILE)))
        except CipherFailed as failure:
            raise StoreDamaged(KEY_FILE, str(failure)) from None
        except OSError as failure:
            raise StoreDamaged(KEY_FILE, f"disk error {type(failure).__name__}") from None

    def _write(self, path: str, data: bytes) -> None:
        write_whole(self._disk, path, data)

    def _path(self, name: str) -> str:
        return posixpath.join(self._data_dir, name)

    def _file_of(self, org: str) -> str:
        return self._path(CONNECTIONS_FILE if org == DEFAULT_ORG else f"orgs/{org}/{CONNECTIONS_FILE}")


def write_whole(disk: Any, path: str, data: bytes) -> None:
    """Writes a file (0600) so that after a crash at any point either the old or the new content is there."""
    temporary = f"{path}.tmp"
    disk.write(temporary, data, 0o600)
    disk.sync(temporary)
    disk.replace(temporary, path)
    disk.sync(posixpath.dirname(path))


def _plaintext_records(data: bytes) -> Any | None:
    """The records of a file from before encryption, or None when it is not one."""
    if not data.lstrip().startswith(b"["):
        return None
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def _without_zeros(record: dict[str, Any]) -> dict[str, Any]:
    """Pulse itself writes numbers that are not set as 0."""
    return {key: value for key, value in record.items() if value != 0 or isinstance(value, bool)}


def _connections(records: Any, org: str) -> tuple[Connection, ...]:
    """Raises StoreDamaged when the records are not connections with distinct ids."""
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise StoreDamaged(CONNECTIONS_FILE, "the content is not a list of records")
    try:
        connections = tuple(read_connection(_without_zeros(record), org) for record in records)
    except ConnectionInvalid as failure:
        raise StoreDamaged(CONNECTIONS_FILE, f"a record is not valid: {failure}") from None
    if len({connection.id for connection in connections}) != len(connections):
        raise StoreDamaged(CONNECTIONS_FILE, "two records have the same id")
    return connections
