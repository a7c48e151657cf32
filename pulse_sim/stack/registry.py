"""The resources of all sources, how fresh each source is, and what that makes of a resource's status (contract A8).

Times are monotonic seconds it is told; wall times are kept only to be shown. It fetches nothing and writes no file.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from pulse_sim.stack.changes import Listener, Listeners
from pulse_sim.stack.resources import Record, ResourceType, Status, when_stale, worst

STALE_AFTER_S: Final = 120.0
KEPT_AFTER_REMOVAL_S: Final = 24 * 3600.0
SPEAK_LAST: Final = frozenset({"agent"})
"""Sources whose details are shown only where nobody else's are as fresh: an agent knows of no pool."""
_LONG_INTERVAL_S: Final = 60.0

Key = tuple[str, str, str]
"""Organisation, source, connection id."""


@dataclass(slots=True)
class Holding:
    """What one connection told last. `seen_at` is None before its first success; `doubted` are source ids kept although
    the last reading did not have them; `retired_at` is when the connection was removed or disabled.
    """

    key: Key
    limit_s: float = STALE_AFTER_S
    records: dict[str, Record] = field(default_factory=dict)
    changed_ns: dict[str, int] = field(default_factory=dict)
    seen_at: float | None = None
    seen_ns: int | None = None
    doubted: frozenset[str] = frozenset()
    retired_at: float | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """One source's word on a resource, and whether it is fresh."""

    holding: Holding
    record: Record
    fresh: bool


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource with all claims about it; `spoken` is the claim whose details are shown."""

    id: str
    status: Status
    spoken: Claim
    claims: tuple[Claim, ...]

    @property
    def source_id(self) -> str:
        """Its name within a source: an appliance's, also while an agent is fresher and speaks."""
        named = (claim for claim in self.claims if claim.holding.key[1] not in SPEAK_LAST)
        return next(named, self.claims[0]).record.source_id


def stale_limit(interval_s: float, poll_limit_s: float) -> float:
    """Seconds a source may be silent: 120, or two intervals and a poll's deadline for intervals over a minute."""
    return STALE_AFTER_S if interval_s <= _LONG_INTERVAL_S else 2 * interval_s + poll_limit_s


class Registry:
    """Holdings by connection. `version` rises with every change that could alter what is shown or saved."""

    def __init__(self) -> None:
        self._holdings: dict[Key, Holding] = {}
        self._counts: dict[str, tuple[int, int]] = {}
        self._listeners = Listeners()
        self._told: dict[Key, str] = {}
        self.version = 0
        self._shape = 0

    def holdings(self) -> Iterable[Holding]:
        """All holdings, in order of registration."""
        return self._holdings.values()

    def restore(self, holding: Holding) -> None:
        """Takes a holding as it was saved."""
        self._holdings[holding.key] = holding
        self._changed()

    def register(self, key: Key, limit_s: float) -> None:
        """A connection is polled from now on; what is known of it stays."""
        holding = self._holdings.setdefault(key, Holding(key))
        holding.limit_s, holding.retired_at = limit_s, None
        self.version += 1

    def known(self, key: Key) -> Mapping[str, Record]:
        """Records of a connection by source id."""
        holding = self._holdings.get(key)
        return {} if holding is None else holding.records

    def ingest(self, key: Key, records: Sequence[Record], now: float, unix_ns: int, *, believed: bool = True) -> None:
        """Replaces all that a connection said before. A reading not believed adds and updates but removes nothing, and
        what it lacks counts as stale at once.
        """
        holding = self._holdings.setdefault(key, Holding(key))
        fresh = {record.source_id: record for record in records}
        before = holding.records
        missing = before.keys() - fresh.keys()
        was_told = not holding.doubted and self.source_status(holding, now) == "online" and holding.error is None
        changed: list[Record] = []
        gone: list[Record] = [before[source_id] for source_id in missing] if believed else []
        doubted = frozenset() if believed else frozenset(missing)
        for source_id, record in fresh.items():
            kept = before.get(source_id)
            if kept is not record and kept != record:
                holding.changed_ns[source_id] = unix_ns
                changed.append(record)
                if kept is not None and kept.resource_id != record.resource_id:
                    gone.append(kept)  # a serial came or went, and with it the name
        if missing or len(fresh) != len(before):
            self._shape += 1
        if believed:
            for source_id in missing:
                holding.changed_ns.pop(source_id, None)
            holding.records = fresh
        else:
            holding.records = before | fresh
        holding.doubted, holding.seen_at, holding.seen_ns, holding.error = doubted, now, unix_ns, None
        self.version += 1
        if self._listeners:
            self._told[key] = "online"
            everything = not was_told or doubted
            self._tell(key[0], holding.records.values() if everything else changed, gone)

    def failed(self, key: Key, error: str) -> None:
        """A poll failed: everything known stays, and the source says why it is silent."""
        holding = self._holdings.get(key)
        if holding is not None and holding.error != error:
            holding.error = error
            self._tell(key[0], holding.records.values())

    def retire(self, key: Key, now: float) -> None:
        """A connection was removed or disabled: its records stay, go stale, and are dropped a day later."""
        holding = self._holdings.get(key)
        if holding is not None and holding.retired_at is None:
            holding.retired_at = now
            self.version += 1

    def drop_expired(self, now: float) -> None:
        """Drops what was retired more than 24 hours ago."""
        expired = [
            h.key
            for h in self._holdings.values()
            if h.retired_at is not None and now - h.retired_at >= KEPT_AFTER_REMOVAL_S
        ]
        for key in expired:
            dropped = self._holdings.pop(key)
            self._told.pop(key, None)
            self._changed()
            self._tell(key[0], (), dropped.records.values())

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Tells `listener` of every change from now on; call what is returned to end that.

        A source that falls silent changes nothing by itself: `notice_silence` says when to look.
        """
        return self._listeners.subscribe(listener)

    def notice_silence(self, now: float) -> None:
        """Tells listeners of sources whose status became another one only because time passed."""
        for key, holding in self._holdings.items():
            status = self.source_status(holding, now)
            if self._told.setdefault(key, status) != status:
                self._told[key] = status
                self._tell(key[0], holding.records.values())

    def _tell(self, org: str, changed: Iterable[Record], gone: Collection[Record] = ()) -> None:
        """Tells of changed records, and of gone ones: removed where nobody else speaks of the resource."""
        if not self._listeners:
            return
        told = {record.resource_id for record in changed}
        lost = {record.resource_id for record in gone}
        if lost:
            known = {r.resource_id for h in self._holdings.values() if h.key[0] == org for r in h.records.values()}
            told, lost = told | (lost & known), lost - known
        self._listeners.tell(org, told, lost)

    def is_stale(self, silent_s: float, limit_s: float) -> bool:
        """Whether a source is stale that was silent for so long: strictly longer than its limit."""
        return silent_s > limit_s

    def source_status(self, holding: Holding, now: float) -> str:
        """`online`, `stale`, or `unknown` before anything was heard."""
        if holding.seen_at is None:
            return "unknown"
        return "stale" if self.is_stale(now - holding.seen_at, holding.limit_s) else "online"

    def resources(self, org: str, now: float) -> list[Resource]:
        """All resources of an organisation, ordered by id."""
        claims: dict[str, list[Claim]] = {}
        for key, holding in self._holdings.items():
            if key[0] == org:
                for claim in self._claims(holding, now):
                    claims.setdefault(claim.record.resource_id, []).append(claim)
        return [self._resource(name, claims[name]) for name in sorted(claims)]

    def named(self, org: str, ids: Collection[str], now: float) -> list[Resource]:
        """Those resources of an organisation that have one of these ids, ordered by id."""
        claims: dict[str, list[Claim]] = {}
        for key, holding in self._holdings.items():
            if key[0] == org and any(record.resource_id in ids for record in holding.records.values()):
                for claim in self._claims(holding, now):
                    if claim.record.resource_id in ids:
                        claims.setdefault(claim.record.resource_id, []).append(claim)
        return [self._resource(name, claims[name]) for name in sorted(claims)]

    def _claims(self, holding: Holding, now: float) -> Iterator[Claim]:
        fresh = self.source_status(holding, now) == "online"
        for source_id, record in holding.records.items():
            yield Claim(holding, record, fresh and source_id not in holding.doubted)

    def _resource(self, resource_id: str, claims: list[Claim]) -> Resource:
        claims.sort(key=lambda claim: (not claim.fresh, claim.holding.key[1] in SPEAK_LAST, claim.record.source_id))
        speaking = [claim for claim in claims if claim.fresh]
        if speaking:
            status = worst(claim.record.status for claim in speaking)
        else:
            status = when_stale(worst(claim.record.status for claim in claims))
        return Resource(resource_id, status, claims[0], tuple(claims))

    def count(self, source: str) -> int:
        """How many resources a source speaks of, over all organisations."""
        kept = self._counts.get(source)
        if kept is None or kept[0] != self._shape:
            found = {
                (key[0], record.resource_id)
                for key, holding in self._holdings.items()
                if key[1] == source
                for record in holding.records.values()
            }
            kept = self._counts[source] = (self._shape, len(found))
        return kept[1]

    def pools(self, key: Key) -> int:
        """How many pools are known of a connection."""
        return sum(r.type is ResourceType.STORAGE and r.details.get("kind") == "pool" for r in self.known(key).values())

    def _changed(self) -> None:
        self.version += 1
        self._shape += 1
