"""What can be wrong with the files of the config store (contract A1). No path and no content is ever part of it."""

from enum import StrEnum


class Damage(StrEnum):
    """Why the connections cannot be loaded or saved."""

    KEY_MISSING = "key_missing"
    KEY_DAMAGED = "key_damaged"
    UNDECRYPTABLE = "undecryptable"
    """Made with another key, or changed since: AES-GCM cannot tell the one from the other."""
    CONTENT = "content"
    DISK = "disk"
    OPEN_TO_OTHERS = "open_to_others"
    BUSY = "busy"
    """Other processes are writing; trying again is all there is to do."""
    CHANGED = "changed"
    """Another process wrote between load and save; load again, then save."""


class StoreDamaged(Exception):
    """The connections cannot be loaded or saved; the files on disk are as they were. `reason` holds no secret."""

    def __init__(self, file: str, damage: Damage, reason: str) -> None:
        super().__init__(f"{file}: {reason}")
        self.file = file
        self.damage = damage
        self.reason = reason
