"""Broken in what goes over the wire and who gets to see what: sessions, redirects, certificates, sizes, secrets."""

import logging
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from aiohttp import web
from yarl import URL

from pulse_sim.stack.api.connections import Admission
from pulse_sim.stack.api.operations import Role
from pulse_sim.stack.api.server import ApiServer
from pulse_sim.stack.client import Client
from pulse_sim.stack.connection import Connection, Redaction
from pulse_sim.stack.deadlines import Deadlines
from pulse_sim.stack.errors import Classifier
from pulse_sim.stack.logins import Logins
from pulse_sim.stack.rpc_client import RpcClient
from pulse_sim.stack.runtime import Runtime
from pulse_sim.stack.seams import Clock
from pulse_sim.stack.settings import Settings
from pulse_sim.stack.watch import Outcomes, Polled

_log = logging.getLogger("TrueNASPoller")


class SessionPerCall(RpcClient):
    """Connects and logs in for every call, and hangs up after it."""

    async def _answer(self, method: str, params: tuple[Any, ...]) -> Any:
        try:
            return await super()._answer(method, params)
        finally:
            await self._drop(farewell=True)


class RedirectsFollowed(Client):
    """Takes its credentials wherever an answer sends it."""

    async def _body(self, url: Any) -> bytes:
        async with self._session.get(url, ssl=self._tls, allow_redirects=False) as answer:
            location = answer.headers.get("Location")
        return await super()._body(url if location is None else url.join(type(url)(location)))


class PinIgnored(Client):
    """Takes any certificate, pinned or not."""

    def __init__(
        self, connection: Connection, runtime: Runtime, clock: Clock, *, deadlines: Deadlines, classifier: Classifier
    ) -> None:
        careless = replace(connection, fingerprint="", insecure_skip_verify=True)
        super().__init__(careless, runtime, clock, deadlines=deadlines, classifier=classifier)


class UnboundedAnswers(RpcClient):
    """Reads answers of any size into memory."""

    def _largest(self) -> int:
        return 0


class SecretsInLogs(Outcomes):
    """Says at every poll how it logs in, for debugging."""

    def begun(self, polled: Polled) -> None:
        _log.info("TrueNAS poll with %(key)s", {"key": polled.connection.api_key})
        super().begun(polled)


class SecretsUnredacted(Redaction):
    """Shows connections as they are stored."""

    def record(self, connection: Connection) -> dict[str, Any]:
        return connection.to_record()


class DismissedShown(Client):
    """Shows alerts that somebody has dismissed on the appliance."""

    async def alerts(self) -> Any:
        return [{**alert, "dismissed": False} for alert in await super().alerts()]


class CredentialsInClear(RpcClient):
    """Logs in over an unprotected WebSocket where TLS is switched off."""

    def _endpoint(self) -> URL:
        scheme = "wss" if self._connection.use_https else "ws"
        host, port = self._connection.host, self._connection.effective_port
        return URL.build(scheme=scheme, host=host, port=port) / "api" / "current"


class LoginsUnpaced(Logins):
    """Logs in as often as anybody wants, until the appliance refuses it."""

    def opens_at(self, host: object) -> float:
        del host
        return self._runtime.time()


class RolesIgnored(ApiServer):
    """Lets everybody do everything."""

    def role(self, request: web.Request) -> Role:
        del request
        return Role.ADMIN


class BodiesUnbounded(ApiServer):
    """Reads bodies of any size."""

    def largest_body(self) -> int:
        return 0


class DuplicatesAccepted(Admission):
    """Polls the same appliance twice where somebody adds it twice."""

    def refuse_duplicate(self, connection: Connection, others: Iterable[Connection]) -> None:
        del connection, others


class FlagIgnored(Settings):
    """Polls whether or not the feature is switched on."""

    def polls_truenas(self) -> bool:
        return self.has_truenas
