"""Puts the stack together from its parts and runs it. The one place that knows them all."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from pulse_sim.stack import host_agent
from pulse_sim.stack.alerts.book import AlertBook
from pulse_sim.stack.alerts.file import AlertFile
from pulse_sim.stack.alerts.webhook import Webhook
from pulse_sim.stack.api.agents import AgentRoutes
from pulse_sim.stack.api.alerts import AlertRoutes
from pulse_sim.stack.api.connections import Admission, ConnectionRoutes
from pulse_sim.stack.api.context import ContextRoutes
from pulse_sim.stack.api.events import EventRoutes
from pulse_sim.stack.api.health import HealthRoutes
from pulse_sim.stack.api.resources import ResourceRoutes
from pulse_sim.stack.api.server import ApiServer, Routes
from pulse_sim.stack.breaker import Breaker
from pulse_sim.stack.client import Client
from pulse_sim.stack.connection import DEFAULT_ORG, Connection, Redaction
from pulse_sim.stack.context import Followed
from pulse_sim.stack.deadlines import Deadlines
from pulse_sim.stack.errors import Classifier
from pulse_sim.stack.fetcher import ApiFetcher, Fetcher, Retries
from pulse_sim.stack.keeping import Keeper
from pulse_sim.stack.logins import Logins
from pulse_sim.stack.metrics import Metrics
from pulse_sim.stack.negotiation import ApplianceClient, NegotiatedClient
from pulse_sim.stack.poll_status import PollStatus
from pulse_sim.stack.poller import STOP_S, Poller
from pulse_sim.stack.provider import Provider
from pulse_sim.stack.registry import Registry
from pulse_sim.stack.rpc_client import RpcClient
from pulse_sim.stack.runtime import Runtime
from pulse_sim.stack.schedule import Schedule
from pulse_sim.stack.seams import Seams
from pulse_sim.stack.settings import Settings, read_settings
from pulse_sim.stack.slots import PollSlots
from pulse_sim.stack.store import ConnectionStore, StoreDamaged
from pulse_sim.stack.watch import SOURCE, Outcomes, Polled, Watch

VERSION: Final = "0.1.0"
_log = logging.getLogger("pulse")

__all__ = ["Parts", "Seams", "Stack"]


@dataclass(frozen=True)
class Parts:
    """The constructors the stack is made of. A variant of the stack replaces one of them by a subclass."""

    settings: type[Settings] = Settings
    runtime: type[Runtime] = Runtime
    deadlines: type[Deadlines] = Deadlines
    classifier: type[Classifier] = Classifier
    client: type[Client] = Client
    rpc_client: type[RpcClient] = RpcClient
    logins: type[Logins] = Logins
    retries: type[Retries] = Retries
    fetcher: Callable[[ApplianceClient, Runtime, Retries], Fetcher] = ApiFetcher
    provider: type[Provider] = Provider
    registry: type[Registry] = Registry
    breaker: type[Breaker] = Breaker
    schedule: type[Schedule] = Schedule
    metrics: type[Metrics] = Metrics
    outcomes: type[Outcomes] = Outcomes
    watch: type[Watch] = Watch
    poller: type[Poller] = Poller
    store: type[ConnectionStore] = ConnectionStore
    keeper: type[Keeper] = Keeper
    redaction: type[Redaction] = Redaction
    admission: type[Admission] = Admission
    alerts: type[AlertBook] = AlertBook
    webhook: type[Webhook] = Webhook
    context: type[ContextRoutes] = ContextRoutes
    server: type[ApiServer] = ApiServer


class Stack:
    """One Pulse. Build it and start it inside a running loop; `start` returns when it listens.

    Raises SettingsInvalid for an environment that cannot be used, OSError when the address cannot be had.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        seams: Seams,
        parts: Parts | None = None,
        variant: str = "truenas-off-by-default",
    ) -> None:
        self._seams = seams
        self._parts = parts or Parts()
        self.settings = read_settings(environ, variant, self._parts.settings)
        self._standing: list[Any] = []
        self._started = False

    async def start(self) -> None:
        """Loads what is on disk, polls when the flag is on, and serves the API."""
        parts, seams, settings = self._parts, self._seams, self.settings
        self._deadlines, self._classifier = parts.deadlines(), parts.classifier()
        self._runtime = parts.runtime()
        self._logins = parts.logins(self._runtime)
        self._registry = parts.registry()
        self._metrics = parts.metrics(self._runtime.time)
        self._slots = PollSlots(settings.concurrent_polls)
        self._outcomes = parts.outcomes(self._registry, self._metrics, seams.clock)
        self._store = parts.store(settings.data_dir, seams)
        self._keeper = parts.keeper(
            self._registry,
            seams.disk,
            settings.data_dir,
            seams.clock,
            self._runtime.time,
            foreign=() if settings.has_truenas else (SOURCE,),
        )
        self._poller = parts.poller(
            self._runtime,
            self._registry,
            self._metrics,
            load=self._configured,
            watch_over=self._watch_over,
            poll_limit=self._deadlines.for_poll,
        )
        self._alerts = parts.alerts(
            seams.clock,
            self._metrics,
            self._registry,
            AlertFile(seams.disk, settings.data_dir),
            self._runtime.time,
            monitored=self._monitored,
        )
        self._events = EventRoutes(self._registry, self._runtime, seams.clock)
        self._alerts.subscribe(self._events.tell_alert)
        self._watch_runtime()
        self._open_store()
        time, routes = self._runtime.time, self._routes()
        self._server = parts.server(settings, seams.clock, self._metrics, time, routes, VERSION)
        await self._server.start()
        self._started = True
        self._keeper.load()
        self._standing.append(self._runtime.spawn("records", self._keeper.run(self._runtime)))
        if settings.has_truenas:
            self._start_alerts()
        if settings.polls_truenas():
            await self._poller.start()
        fields = {"version": VERSION, "variant": settings.variant, "enabled": settings.truenas_enabled}
        _log.info("Pulse %(version)s started: %(variant)s, TrueNAS enabled: %(enabled)s", fields)

    async def stop(self) -> None:
        """Stops listening, ends every poll within five seconds, saves the records. Once more does nothing."""
        if not self._started:
            return
        self._started = False
        await self._events.stop()
        await self._server.stop()  # first, so that no request changes what is being stopped
        if self.settings.polls_truenas():
            await self._poller.stop()
        await self._runtime.cancel(self._standing, STOP_S)
        self._keeper.save()
        if self.settings.has_truenas:
            self._alerts.save()
        _log.info("Pulse stopped")

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Where the API listens."""
        return self._server.addresses

    def _open_store(self) -> None:
        """A store that cannot be opened does not keep the rest from running; the API says what is wrong."""
        try:
            self._store.open()
        except StoreDamaged as damage:
            _log.error("store not opened: %(file)s: %(reason)s", {"file": damage.file, "reason": damage.reason})

    def _start_alerts(self) -> None:
        self._alerts.load()
        if self.settings.alert_webhook:
            webhook = self._parts.webhook(self.settings.alert_webhook, self._runtime, self._alerts.notifies)
            self._alerts.subscribe(webhook.listen)
            self._standing.append(self._runtime.spawn("alert webhook", webhook.run()))
        self._standing.append(self._runtime.spawn("alerts", self._alerts.run(self._runtime)))

    def _monitored(self) -> list[Connection]:
        return [polled.connection for polled in self._poller.running()]

    def _watch_runtime(self) -> None:
        runtime, watch = self._runtime, self._metrics.watch
        watch("pulse_runtime_tasks", "Tasks of the stack.", lambda: runtime.tasks)
        watch("pulse_runtime_open_connections", "Open connections of its clients.", lambda: runtime.open_connections)
        for source in (SOURCE, host_agent.SOURCE):
            watch(
                "pulse_registry_resources", "Resources by source.", partial(self._registry.count, source), source=source
            )
        watch("pulse_api_event_clients", "Clients of the event socket.", lambda: self._events.clients)
        watch("pulse_api_event_clients_dropped", "Clients dropped for not reading.", lambda: self._events.dropped)
        watch("pulse_runtime_timers", "Timers of the stack.", lambda: runtime.timers)

    def _routes(self) -> list[Routes]:
        settings, time = self.settings, self._runtime.time
        groups: list[Routes] = [
            HealthRoutes(
                self._metrics,
                self._seams.clock,
                polled=self._poller.running,
                time=time,
                is_healthy=self._is_healthy,
                enabled=settings.truenas_enabled,
            ),
            ResourceRoutes(self._registry, time),
            AgentRoutes(host_agent.HostAgents(self._registry, self._seams.clock, time)),
            self._events,
        ]
        if settings.has_truenas:
            groups += [
                AlertRoutes(self._alerts),
                self._parts.context(
                    self._registry, self._alerts, self._seams.clock, followed=self._followed, time=time
                ),
            ]
            stream = self._seams.stream("stack connection ids")
            groups.append(
                ConnectionRoutes(
                    self._store,
                    self._parts.redaction(),
                    self._parts.admission(settings.node_limit, settings.licensed),
                    stream,
                    status_of=self._status_of,
                    sync=self._sync,
                    test=self._test,
                    check=self._check,
                )
            )
        return groups

    def _is_healthy(self) -> bool:
        return not self._runtime.has_deaths

    def _status_of(self, org: str, connection_id: str) -> PollStatus | None:
        return self._poller.status(org, connection_id)

    def _followed(self, org: str) -> list[Followed]:
        return [(connection, self._status_of(org, connection.id)) for connection in self._store.load(org)]

    async def _sync(self) -> None:
        if self.settings.polls_truenas():
            await self._poller.sync_connections()

    async def _test(self, connection: Connection) -> None:
        client = self._client(connection)
        try:
            try:
                async with self._runtime.within(self._deadlines.for_poll(connection.poll_interval_s)):
                    await client.ready()
            except TimeoutError as failure:
                raise client.error(failure, "login") from None
            await client.test()
        finally:
            await client.close()

    async def _check(self, connection: Connection) -> None:
        await self._client(connection).close()

    def _configured(self) -> dict[str, tuple[Connection, ...] | StoreDamaged]:
        """Connections by organisation. A file nobody can read is the trouble of one organisation, not of all."""
        found: dict[str, tuple[Connection, ...] | StoreDamaged] = {}
        for org in self._store.orgs() if self.settings.multi_tenant else (DEFAULT_ORG,):
            try:
                found[org] = self._store.load(org)
            except StoreDamaged as damage:
                found[org] = damage
        return found

    def _client(self, connection: Connection) -> NegotiatedClient:
        return NegotiatedClient(
            connection,
            self._runtime,
            self._seams.clock,
            deadlines=self._deadlines,
            classifier=self._classifier,
            rest=self._parts.client,
            rpc=partial(self._parts.rpc_client, logins=self._logins),
            transport=self.settings.transport,
        )

    def _watch_over(self, connection: Connection, before: Polled | None) -> Watch:
        """A watch for a connection. What is known of its polls goes on; a new way in starts with a closed breaker."""
        parts, stream = self._parts, self._seams.stream
        same_access = before is not None and before.connection.access == connection.access
        if before is not None and same_access:
            fetcher, breaker = before.fetcher, before.breaker
        else:
            fetcher = parts.fetcher(self._client(connection), self._runtime, parts.retries(self._deadlines))
            draws = stream(f"stack breaker {connection.id}")
            breaker = parts.breaker(lambda: draws.uniform(-1.0, 1.0))
        status = PollStatus(connection.poll_interval_s) if before is None else before.status
        status.interval_s = connection.poll_interval_s
        if before is not None and before.connection.endpoint[:2] == connection.endpoint[:2]:
            provider = before.provider
        else:  # what lies behind another address has other disks; none of them is called as one of before
            known = {} if before is not None else self._registry.known((connection.org, SOURCE, connection.id))
            provider = parts.provider(connection.id, known)
        schedule = parts.schedule(
            self._runtime.time(), connection.poll_interval_s, stream(f"stack schedule {connection.id}")
        )
        polled = Polled(connection, fetcher, provider, schedule, breaker, status)
        return parts.watch(
            polled,
            self._outcomes,
            self._runtime,
            self._seams.clock,
            deadlines=self._deadlines,
            classifier=self._classifier,
            slots=self._slots,
        )
