"""Broken in what is believed, kept and shown: staleness, empty readings, names of resources, files of the data
directory.
"""

import json
from collections.abc import Sequence
from typing import Any

from pulse_sim.stack.cipher import NONCE_BYTES, encrypt
from pulse_sim.stack.connection import Connection
from pulse_sim.stack.keeping import Keeper
from pulse_sim.stack.metrics import Metrics
from pulse_sim.stack.provider import Provider
from pulse_sim.stack.registry import Claim, Key, Registry, Resource
from pulse_sim.stack.resources import Record, ResourceType, Status, canonical_id, when_stale, worst
from pulse_sim.stack.snapshot import Disk, Snapshot
from pulse_sim.stack.store import ConnectionStore


class NeverStale(Registry):
    """Shows what it last heard as if it had just heard it."""

    def is_stale(self, silent_s: float, limit_s: float) -> bool:
        del silent_s, limit_s
        return False


class EmptyBelieved(Provider):
    """Believes the first reading without pools and forgets them."""

    def is_believable(self, snapshot: Snapshot, known_pools: int) -> bool:
        del snapshot, known_pools
        return True


class OfflineLooksBetter(Registry):
    """Shows whatever nobody confirms as a warning, a pool that had failed included."""

    def _resource(self, resource_id: str, claims: list[Claim]) -> Resource:
        told = super()._resource(resource_id, claims)
        stale = not any(claim.fresh for claim in claims)
        return Resource(told.id, Status.WARNING if stale else told.status, told.spoken, told.claims)


class PoolsMerged(Provider):
    """Names pools and datasets without their appliance, so that two called tank are one."""

    def _storage_id(self, kind: str, name: str) -> tuple[str, str]:
        return f"{self.system_id}/{kind}:{name}", canonical_id(ResourceType.STORAGE, f"truenas:{kind}:{name}")


class SerialsBelieved(Provider):
    """Takes every serial number for the name of one disk."""

    def _believable(self, disks: tuple[Disk, ...]) -> frozenset[str]:
        return frozenset((disk.serial or "").strip() for disk in disks)


class DisksRenamed(Provider):
    """Calls a disk by what the last answer tells, so that its name changes with an answer and changes back."""

    def _disks(self, *given: Any) -> tuple[Record, ...]:
        self._disk_ids = {}
        return super()._disks(*given)


class ForgetsOnFailure(Registry):
    """Drops what it knows of an appliance that does not answer."""

    def failed(self, key: Key, error: str) -> None:
        super().failed(key, error)
        if key in self._holdings:
            self._holdings[key].records = {}
            self._changed()


class DragsOthersAlong(Registry):
    """Drops what other sources say when an appliance does not answer."""

    def failed(self, key: Key, error: str) -> None:
        super().failed(key, error)
        for holding in self._holdings.values():
            if holding.key[1] != key[1]:
                holding.records = {}
        self._changed()


class ForgetsOnRemoval(Registry):
    """Drops the records of a connection at once when it is removed, instead of a day later."""

    def retire(self, key: Key, now: float) -> None:
        del now
        if self._holdings.pop(key, None) is not None:
            self._changed()


class StalenessFrozen(Metrics):
    """Sets the staleness when a poll succeeds and never looks at it again."""

    def refresh(self) -> None:
        for gauge, read in self._gauges:
            gauge.set(read())


class SeriesLeft(Metrics):
    """Keeps the series of a removed connection for ever."""

    def unregister(self, instance: str) -> None:
        del instance


class RecordsNotSaved(Keeper):
    """Knows nothing after a restart."""

    def save(self) -> None:
        return


class RecordsLoadedFresh(Keeper):
    """Takes the records of before a restart for news."""

    def load(self) -> None:
        super().load()
        for holding in self._registry.holdings():
            holding.seen_at = self._time()


class StoreNotSynced(ConnectionStore):
    """Overwrites its file in place and leaves it to the system when it gets to the disk."""

    def save(self, connections: Sequence[Connection], org: str = "default") -> None:
        key = self._key_file.read_or_make(self._is_encrypted)
        data = encrypt(
            key, self._entropy(NONCE_BYTES), json.dumps([connection.to_record() for connection in connections]).encode()
        )
        self._disk.write(self._file_of(org), data, 0o600)
        self._loaded[org] = (data, tuple(connections))


class StaleSpeaks(Registry):
    """Believes the worst that was ever said of a resource, although a source that is fresh says otherwise."""

    def _resource(self, resource_id: str, claims: list[Claim]) -> Resource:
        told = super()._resource(resource_id, claims)
        if all(claim.fresh for claim in claims):
            return told
        return Resource(told.id, when_stale(worst(claim.record.status for claim in claims)), told.spoken, told.claims)
