"""Events as values: what subscribers are told, with the fields of their version (truenas-api 5.5). Knows no wire."""

from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from mock_truenas.api.errors import MethodError, NoSuchMethod
from mock_truenas.api.methods import performing
from mock_truenas.api.methods.method import Call, Face, Kind, Method, Principal
from mock_truenas.api.methods.query import Query
from mock_truenas.api.resources.moment import Moment
from mock_truenas.appliance.changes import Change
from mock_truenas.appliance.dialect import Dialect
from mock_truenas.appliance.nas import Appliance

_KEYS: Final = {"disk.query": "identifier"}
_LISTS: Final = frozenset({"alert.list", "core.get_jobs"})
SCAN: Final = "zfs.pool.scan"
# Names that are no method; whoever may read may hear of them.
PLAIN: Final = frozenset({SCAN, "failover.status", "docker.state", "network.config", "auth.sessions"})
# Anybody logged in hears of these.
OPEN: Final = frozenset({"system.ready", "system.reboot", "system.shutdown"})


@dataclass(frozen=True)
class Event:
    """Something happened. ``id`` and ``fields`` are left out where there are none."""

    msg: str
    collection: str
    id: Any = None
    fields: Any = None

    def params(self) -> dict[str, Any]:
        """What is sent of it, in order."""
        told: dict[str, Any] = {"msg": self.msg, "collection": self.collection}
        if self.id is not None:
            told["id"] = self.id
        if self.fields is not None:
            told["fields"] = self.fields
        return told


@dataclass(frozen=True)
class Ended:
    """An event source is over; with ``error`` because it failed."""

    collection: str
    error: MethodError | None = None


@dataclass(frozen=True)
class Teller:
    """Makes events of changes, as one version of the API shows them to whom ``listener`` gives."""

    appliance: Appliance
    dialect: Dialect
    face: Face
    listener: Callable[[], Principal | None]

    async def events(self, changes: Iterable[Change]) -> AsyncIterator[Event]:
        """What to tell of changes, in their order. A row that is gone again is not told: its removal follows."""
        for collection, group in groupby(changes, key=lambda change: change.collection):
            together = list(group)
            rows = await self._rows(collection, [change.id for change in together if change.msg != "removed"])
            for change in together:
                if change.msg == "removed":
                    yield Event("removed", collection, change.id)
                elif rows is None:
                    yield Event(change.msg, collection, change.id, {})
                elif change.id in rows:
                    yield Event(change.msg, collection, change.id, rows[change.id])

    async def _rows(self, collection: str, ids: list[Any]) -> dict[Any, Any] | None:
        """The rows of a collection by id; None for one that has no rows."""
        if collection == SCAN:
            pools = await self._queried("pool.query", "name", ids) or {}
            return {name: {"name": name, "scan": row["scan"]} for name, row in pools.items()}
        return await self._queried(collection, _KEYS.get(collection, "id"), ids)

    async def _queried(self, name: str, key: str, ids: list[Any]) -> dict[Any, Any] | None:
        if not ids:
            return {}
        method = _listing(name, self.dialect)
        if method is None:
            return None
        only = [key, "=", ids[0]] if len(ids) == 1 else [key, "in", ids]
        moment = Moment.of(self.appliance, self.appliance.now_ns())
        query = Query((only,)) if method.filterable else None
        call = Call(method, self.appliance, self.dialect, moment, self.face, query=query, principal=self.listener())
        rows = await performing.perform(call)
        return {row[key]: row for row in rows if row[key] in set(ids)}


def may_hear(principal: Principal, collection: str, dialect: Dialect) -> bool:
    """Whether somebody may subscribe; only full administrators to what nobody knows, and to everything (``*``)."""
    if principal.allowlist is not None:
        return any(verb in ("*", "SUBSCRIBE") for verb, _ in principal.allowlist)
    if "FULL_ADMIN" in principal.roles or collection in OPEN:
        return True
    if collection in PLAIN:
        return "READONLY_ADMIN" in principal.roles
    method = _listing(collection, dialect)
    if method is None:
        return False
    try:
        performing.allowed(method, principal, dialect)
    except MethodError:
        return False
    return True


def _listing(collection: str, dialect: Dialect) -> Method | None:
    """The method that lists the rows of a collection. Events are named like methods that do something, too."""
    try:
        method = performing.find(collection, dialect)
    except NoSuchMethod:
        return None
    return method if method.kind is Kind.QUERY or collection in _LISTS else None
