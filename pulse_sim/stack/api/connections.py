"""The routes that configure connections (contract A9). Every change is stored first, then polled at once.

What is stored is the truth. A new connection that cannot be polled is taken back, so that a failed add leaves nothing
behind; a change or removal stays, also when the poller could not follow at once: it looks again within a minute, and a
removal that came back would be no kill switch (contract A5, A12).
"""

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable, Iterable, Sequence
from random import Random
from typing import Any, Final, NoReturn

from aiohttp import web

from pulse_sim.stack.api.answers import Refusal, answer
from pulse_sim.stack.api.described import CONNECTION, CONNECTIONS, DONE, REMOVED
from pulse_sim.stack.api.middleware import ORG
from pulse_sim.stack.api.operations import BODY, Operation, Role
from pulse_sim.stack.api.store_refusals import READ_ANSWERS, store_refusal, write_answers
from pulse_sim.stack.connection import (
    LONGEST_INTERVAL_S,
    MASK,
    Connection,
    ConnectionInvalid,
    Redaction,
    read_connection,
)
from pulse_sim.stack.errors import MonitorError
from pulse_sim.stack.poll_status import PollStatus
from pulse_sim.stack.store import ConnectionStore, StoreDamaged

BASE: Final = "/api/truenas/connections"
_log = logging.getLogger("pulse.api")
_TEXT: Final = {"type": ["string", "null"], "maxLength": 512}
_FLAG: Final = {"type": ["boolean", "null"]}
RECORD: Final = {
    "type": "object",
    "properties": {
        "id": {"type": ["string", "null"], "maxLength": 64},
        "name": _TEXT,
        "host": _TEXT,
        "port": {"type": ["integer", "null"], "minimum": 1, "maximum": 65535},
        "apiKey": _TEXT,
        "api_key": _TEXT,
        "username": _TEXT,
        "password": _TEXT,
        "useHttps": _FLAG,
        "insecureSkipVerify": _FLAG,
        "fingerprint": _TEXT,
        "enabled": _FLAG,
        "pollIntervalSeconds": {"type": ["integer", "null"], "minimum": 1, "maximum": LONGEST_INTERVAL_S},
    },
}
"""What a connection looks like in a request (contract A1). Unknown keys are not stored; a null is an absent key."""
_TESTED: Final = {400: "Not valid, or the test failed: `truenas_connection_failed` with `details.error_type`."}


class Admission:
    """Whether a connection may be configured: each only once, and the gates of license and node limit."""

    def __init__(self, node_limit: int | None, licensed: bool = True) -> None:
        self._node_limit = node_limit
        self._licensed = licensed

    def check(self, configured: int) -> None:
        """Raises Refusal when `configured` connections are all there may be."""
        if not self._licensed:
            raise Refusal(402, "license_required", "a license is needed for TrueNAS connections")
        if self._node_limit is not None and configured >= self._node_limit:
            raise Refusal(403, "node_limit_reached", "the node limit is reached")

    def refuse_duplicate(self, connection: Connection, others: Iterable[Connection]) -> None:
        """Raises Refusal where one of the others has the same host, port and user name, or the same id."""
        if any(other.endpoint == connection.endpoint or other.id == connection.id for other in others):
            raise Refusal(409, "duplicate_connection", "this host, port and user name is configured already")


class ConnectionRoutes:
    """`status_of` gives the poll status of a polled connection; `sync` brings the poller in step; `test` makes one
    authenticated call with a connection's settings, or raises MonitorError; `check` raises ValueError or OSError for
    settings no client can be made for.
    """

    def __init__(
        self,
        store: ConnectionStore,
        redaction: Redaction,
        admission: Admission,
        stream: Random,
        *,
        status_of: Callable[[str, str], PollStatus | None],
        sync: Callable[[], Awaitable[None]],
        test: Callable[[Connection], Awaitable[None]],
        check: Callable[[Connection], Awaitable[None]],
    ) -> None:
        self._store = store
        self._redaction = redaction
        self._admission = admission
        self._stream = stream
        self._status_of = status_of
        self._sync = sync
        self._test = test
        self._check = check
        self._changing = asyncio.Lock()

    def operations(self) -> Sequence[Operation]:
        """The rows of this group."""
        return [*self._configuring(), *self._testing()]

    def _configuring(self) -> Sequence[Operation]:
        one, admin = f"{BASE}/{{id}}", Role.ADMIN
        taken, busy = write_answers("It is configured already."), frozenset(READ_ANSWERS)
        about = "All connections, redacted, with poll status."
        return [
            Operation(
                "GET",
                BASE,
                "listConnections",
                about,
                self.index,
                shape=CONNECTIONS,
                answers=READ_ANSWERS,
                retry_after=busy,
            ),
            Operation(
                "POST",
                BASE,
                "addConnection",
                "Adds a connection and polls it.",
                self.add,
                admin,
                body={**RECORD, "required": ["host"]},
                success=201,
                shape=CONNECTION,
                answers={402: "A license is needed.", 403: "The node limit is reached.", **taken},
                retry_after=busy,
            ),
            Operation(
                "PUT",
                one,
                "changeConnection",
                "Replaces the given fields of a connection.",
                self.change,
                admin,
                body=RECORD,
                shape=CONNECTION,
                answers=taken,
                retry_after=busy,
            ),
            Operation(
                "DELETE",
                one,
                "removeConnection",
                "Removes a connection.",
                self.remove,
                admin,
                shape=REMOVED,
                answers=write_answers(),
                retry_after=busy,
            ),
        ]

    def _testing(self) -> Sequence[Operation]:
        admin = Role.ADMIN
        return [
            Operation(
                "POST",
                f"{BASE}/test",
                "testSettings",
                "Tests settings; stores nothing.",
                self.test_settings,
                admin,
                body={**RECORD, "required": ["host"]},
                shape=DONE,
                answers=_TESTED,
            ),
            Operation(
                "POST",
                f"{BASE}/{{id}}/test",
                "testConnection",
                "Tests a stored connection.",
                self.test_stored,
                admin,
                shape=DONE,
                answers={**_TESTED, **READ_ANSWERS},
                retry_after=frozenset(READ_ANSWERS),
            ),
        ]

    async def index(self, request: web.Request) -> web.Response:
        """All connections, redacted, with poll status."""
        return answer([self._shown(connection) for connection in self._load(request[ORG])])

    async def add(self, request: web.Request) -> web.Response:
        """A new connection. A refused one leaves nothing behind."""
        record = request[BODY]
        async with self._changing:
            existing = self._load(request[ORG])
            connection = self._read({**record, "id": record.get("id") or self._new_id(existing)}, request[ORG])
            self._refuse_mask(connection)
            self._admission.refuse_duplicate(connection, existing)
            self._admission.check(len(existing))
            await self._refuse_unusable(connection)
            self._save([*existing, connection], request[ORG])
            try:
                await self._sync()
            except Exception:
                # What cannot be polled is not kept either; others may have written during the wait.
                self._save([each for each in self._load(request[ORG]) if each.id != connection.id], request[ORG])
                raise
        return answer(self._shown(connection), 201)

    async def change(self, request: web.Request) -> web.Response:
        """Replaces the given fields of a connection; a secret sent as the mask, or not sent, stays.

        Settings no client can be made for are refused, so that the client that works stays (contract A5).
        """
        record = request[BODY]
        async with self._changing:
            existing = self._load(request[ORG])
            before = self._find(existing, request.match_info["id"])
            connection = self._read(_merged(before, record), request[ORG])
            self._admission.refuse_duplicate(connection, [each for each in existing if each.id != before.id])
            await self._refuse_unusable(connection)
            self._save([connection if each.id == before.id else each for each in existing], request[ORG])
            await self._follow(connection)
        return answer(self._shown(connection))

    async def remove(self, request: web.Request) -> web.Response:
        """Removes a connection; its resources stay, go stale, and are dropped a day later."""
        async with self._changing:
            existing = self._load(request[ORG])
            gone = self._find(existing, request.match_info["id"])
            self._save([each for each in existing if each.id != gone.id], request[ORG])
            await self._follow(gone)
        return answer({"success": True, "id": gone.id})

    async def test_settings(self, request: web.Request) -> web.Response:
        """Tests settings without storing them."""
        record = request[BODY]
        connection = self._read({**record, "id": record.get("id") or "test"}, request[ORG])
        self._refuse_mask(connection)
        return await self._tested(connection)

    async def test_stored(self, request: web.Request) -> web.Response:
        """Tests a stored connection."""
        return await self._tested(self._find(self._load(request[ORG]), request.match_info["id"]))

    async def _tested(self, connection: Connection) -> web.Response:
        try:
            await self._test(connection)
        except MonitorError as error:
            details = {"error_type": error.type.value, "op": error.op, "status_code": error.status_code}
            raise Refusal(400, "truenas_connection_failed", error.cause, details) from None
        except (ValueError, OSError):
            _invalid(_unusable())
        return answer({"success": True})

    async def _refuse_unusable(self, connection: Connection) -> None:
        try:
            await self._check(connection)
        except (ValueError, OSError):
            _invalid(_unusable())

    async def _follow(self, connection: Connection) -> None:
        """Tells the poller of what is stored; one that fails tries again by itself."""
        try:
            await self._sync()
        except Exception as failure:
            fields = {"instance": connection.id, "exception": type(failure).__name__}
            _log.warning("change of %(instance)s stored, not polled yet: %(exception)s", fields)

    def _shown(self, connection: Connection) -> dict[str, Any]:
        status = self._status_of(connection.org, connection.id) or PollStatus(connection.poll_interval_s)
        return {**self._redaction.record(connection), "poll": status.to_data()}

    def _load(self, org: str) -> tuple[Connection, ...]:
        try:
            return self._store.load(org)
        except StoreDamaged as damage:
            raise store_refusal(damage, "truenas_load_failed") from None

    def _save(self, connections: list[Connection], org: str) -> None:
        try:
            self._store.save(connections, org)
        except StoreDamaged as damage:
            raise store_refusal(damage, "truenas_save_failed") from None

    def _read(self, record: dict[str, Any], org: str) -> Connection:
        try:
            return read_connection(record, org)
        except ConnectionInvalid as invalid:
            _invalid(invalid)

    def _find(self, connections: tuple[Connection, ...], connection_id: str) -> Connection:
        for connection in connections:
            if connection.id == connection_id:
                return connection
        raise Refusal(404, "truenas_not_found", "no such connection")

    def _refuse_mask(self, connection: Connection) -> None:
        if MASK in connection.secrets():
            _invalid(ConnectionInvalid({"apiKey": "the mask is not a secret"}))

    def _new_id(self, existing: tuple[Connection, ...]) -> str:
        taken = {connection.id for connection in existing}
        while True:  # the stream starts over with every start of the stack
            made = str(uuid.UUID(int=self._stream.getrandbits(128), version=4))
            if made not in taken:
                return made


def _merged(before: Connection, record: dict[str, Any]) -> dict[str, Any]:
    """The stored record with the fields that were sent; masked secrets and another id are not fields to change."""
    if "api_key" in record:
        record = {**record, "apiKey": record["api_key"]}
    changes = {key: value for key, value in record.items() if key not in ("id", "api_key")}
    for key in ("apiKey", "password"):
        if changes.get(key) == MASK:
            del changes[key]
    return {**before.to_record(), **changes}


def _unusable() -> ConnectionInvalid:
    return ConnectionInvalid({"host": "no client can be made for these settings"})


def _invalid(invalid: ConnectionInvalid) -> NoReturn:
    raise Refusal(400, "validation_error", "the connection is not valid", invalid.problems) from None
