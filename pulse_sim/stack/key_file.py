"""The key of the config store on disk: made once, never replaced, never deleted (contract A1)."""

import logging
import posixpath
from collections.abc import Callable
from typing import Final

from pulse_sim.stack.cipher import KEY_BYTES, CipherFailed, decode_key, encode_key
from pulse_sim.stack.damage import Damage, StoreDamaged
from pulse_sim.stack.safe_write import (
    FILE_MODE,
    FileChanged,
    StaysOpen,
    close_to_others,
    safe_write,
)
from pulse_sim.stack.seams import Disk

KEY_FILE: Final = ".encryption.key"
_log = logging.getLogger("pulse.store")


class KeyFile:
    """``<data dir>/.encryption.key``. A key that is damaged stays as it is: what it was may still be mended."""

    def __init__(self, disk: Disk, data_dir: str, entropy: Callable[[int], bytes]) -> None:
        self._disk = disk
        self._path = posixpath.join(data_dir, KEY_FILE)
        self._entropy = entropy

    def read(self) -> bytes:
        """The key. Raises StoreDamaged."""
        try:
            data = self._disk.read(self._path)
            if close_to_others(self._disk, self._path, FILE_MODE):
                _log.warning("%(file)s was open to others: now 0600", {"file": KEY_FILE})
        except FileNotFoundError:
            raise StoreDamaged(KEY_FILE, Damage.KEY_MISSING, "the key file is missing") from None
        except OSError as failure:
            raise disk_damage(KEY_FILE, failure) from None
        try:
            return decode_key(data)
        except CipherFailed as failure:
            raise StoreDamaged(KEY_FILE, Damage.KEY_DAMAGED, str(failure)) from None

    def read_or_make(self, is_needed: Callable[[], bool]) -> bytes:
        """The key; a new one where there is none and none `is_needed` for what lies there. Raises StoreDamaged."""
        try:
            return self.read()
        except StoreDamaged as damage:
            if damage.damage is not Damage.KEY_MISSING or is_needed():
                raise
        try:
            safe_write(self._disk, self._path, encode_key(self._entropy(KEY_BYTES)), expected=None)
        except FileChanged:
            pass  # another process made one at the same time: that one counts
        except OSError as failure:
            raise disk_damage(KEY_FILE, failure) from None
        return self.read()


def disk_damage(file: str, failure: OSError) -> StoreDamaged:
    """The StoreDamaged of an error of the disk."""
    if isinstance(failure, FileChanged):
        return StoreDamaged(file, Damage.CHANGED, "changed by another process meanwhile")
    if isinstance(failure, BlockingIOError):
        return StoreDamaged(file, Damage.BUSY, "another process is writing")
    if isinstance(failure, StaysOpen):
        return StoreDamaged(file, Damage.OPEN_TO_OTHERS, "others have access to it, and the disk keeps it so")
    return StoreDamaged(file, Damage.DISK, f"disk error {type(failure).__name__}")
