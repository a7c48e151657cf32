"""A simulated world with one Pulse and some appliances, for the timed tests of the stack. It judges nothing."""

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

import aiohttp

from mock_truenas.appliance.build import build_appliance
from mock_truenas.appliance.nas import Appliance
from mock_truenas.behaviour import AS_DELIVERED, Behaviour
from mock_truenas.faults import FAULT_KINDS
from mock_truenas.faults.kind import CertificateOrder
from mock_truenas.server import MockTrueNAS
from pulse_sim.kernel import Host, Simulation
from pulse_sim.kernel.certificate import self_signed, server_context
from pulse_sim.stack.assembly import Parts, Seams, Stack

T = TypeVar("T")
START_NS = 1_770_595_200_000_000_000  # 2026-02-09T00:00:00Z
REBOUND = ("aiohttp", "aiohappyeyeballs", "prometheus_client", "pulse_sim.stack", "mock_truenas")
TOKEN = "an-admin-token"


class Collected(logging.Handler):
    """Log records of the stack as (level, logger, template, fields)."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[tuple[str, str, str, Mapping[str, Any]]] = []

    def emit(self, record: logging.LogRecord) -> None:
        fields = record.args if isinstance(record.args, Mapping) else {}
        self.lines.append((record.levelname, record.name, str(record.msg), fields))

    def texts(self) -> list[str]:
        return [template % fields if fields else template for _, _, template, fields in self.lines]


class Bed:
    """Hosts `pulse` and one per appliance. Appliances listen on port 80, or 443 with TLS."""

    def __init__(
        self,
        *appliances: str,
        seed: int = 7,
        tls: bool = False,
        fixture: str = "baseline",
        release: str = "24.10",
        behaviour: Behaviour = AS_DELIVERED,
    ) -> None:
        self.sim = Simulation(seed, START_NS, rebind=REBOUND)
        self.pulse = self.sim.host("pulse")
        self.tls = tls
        self.fixture = fixture
        self.release = release
        self.behaviour = behaviour
        self.hosts: dict[str, Host] = {name: self.sim.host(name) for name in appliances or ("nas-1",)}
        self.appliances: dict[str, Appliance] = {}
        self.mocks: dict[str, MockTrueNAS] = {}
        self.keys: dict[str, str] = {}
        self.journals: dict[str, list[dict[str, Any]]] = {name: [] for name in self.hosts}
        self.fingerprints: dict[str, str] = {}
        self.logs = Collected()
        self.disk = self.sim.disk("pulse")
        self.stack: Stack | None = None
        self._faults: dict[str, str] = {}

    def run(self, story: Callable[["Bed"], Coroutine[Any, Any, T]]) -> T:
        """Starts the appliances, runs the story on the host of Pulse, and returns its result."""
        loggers = [logging.getLogger(name) for name in ("pulse", "TrueNASPoller")]
        for logger in loggers:
            logger.addHandler(self.logs)
            logger.setLevel(logging.INFO)
        try:
            return self.sim.run(self._whole(story), host=self.pulse)
        finally:
            for logger in loggers:
                logger.removeHandler(self.logs)
                logger.setLevel(logging.NOTSET)

    async def _whole(self, story: Callable[["Bed"], Awaitable[T]]) -> T:
        for name, host in self.hosts.items():
            await host.run(self._open(name, host), name=f"open {name}")
        try:
            return await story(self)
        finally:
            await self.stop()
            for name, host in self.hosts.items():
                await host.run(self.mocks[name].stop(), name=f"close {name}")

    async def _open(self, name: str, host: Host) -> None:
        appliance = build_appliance(
            fixture=self.fixture,
            release=self.release,
            hostname=name,
            clock=host.clock,
            entropy=self.sim.entropy(f"appliance {name}"),
            rng=self.sim.stream(f"appliance {name}"),
        )
        if name in self.keys:  # the same appliance, of another release
            appliance.adopt_api_key("pulse", self.keys[name])
        else:
            self.keys[name] = appliance.mint_api_key("pulse", prefix="PSIMSECRET")
        context = issue = None
        if self.tls:
            certificate, key = self_signed(self.sim.entropy(f"tls {name}"), [name])
            context, issue = server_context(certificate, key), partial(self._issue, name, key)
        journal = self.journals[name]
        mock = MockTrueNAS(
            appliance,
            clock=host.clock,
            journal=lambda entry: journal.append({"at_ns": self.sim.now_ns, **entry.to_data()}),
            ssl_context=context,
            issue=issue,
            behaviour=self.behaviour,
        )
        await mock.start(host.address, 443 if self.tls else 80)
        self.appliances[name], self.mocks[name] = appliance, mock

    def _issue(self, name: str, key: bytes, order: CertificateOrder, purpose: str) -> ssl.SSLContext:
        """A certificate that differs from the appliance's own as a fault orders it."""
        first, end = order.years or (2020, 2090)
        valid = (datetime(first, 1, 1, tzinfo=UTC), datetime(end, 1, 1, tzinfo=UTC))
        entropy = self.sim.entropy(f"tls {name} {purpose}")
        return server_context(
            *self_signed(entropy, [order.name or name], valid=valid, key_pem=None if order.new_key else key)
        )

    async def change_release(self, release: str, away_s: float, name: str = "nas-1") -> None:
        """The appliance goes down, and comes back as another release with the same keys."""
        host = self.hosts[name]
        await host.run(self.mocks[name].stop(), name=f"close {name}")
        await self.wait(away_s)
        self.release = release
        await host.run(self._open(name, host), name=f"open {name}")

    def environ(self, **more: str) -> dict[str, str]:
        return {"PULSE_ENABLE_TRUENAS": "true", "PULSE_DATA_DIR": "/data", "PULSE_API_TOKEN": TOKEN, **more}

    def seams(self) -> Seams:
        return Seams(self.pulse.clock, self.sim.entropy("pulse"), self.sim.stream, self.disk)

    async def start(
        self,
        parts: Parts | None = None,
        variant: str = "truenas-off-by-default",
        environ: Mapping[str, str] | None = None,
        **more: str,
    ) -> Stack:
        """`environ` and `more` go on top of an environment with the flag on and a token."""
        self.stack = Stack({**self.environ(**more), **(environ or {})}, self.seams(), parts, variant)
        await self.stack.start()
        return self.stack

    async def stop(self) -> None:
        if self.stack is not None:
            await self.stack.stop()
            self.stack = None

    def record(self, connection_id: str, /, **changes: Any) -> dict[str, Any]:
        return {
            "id": connection_id,
            "host": connection_id,
            "apiKey": self.keys[connection_id],
            "useHttps": self.tls,
            **changes,
        }

    async def api(
        self, method: str, path: str, body: Any = None, *, token: str | None = TOKEN, **headers: str
    ) -> tuple[int, Any]:
        if token is not None:
            headers["X-API-Token"] = token
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.request(method, f"http://127.0.0.1:7655{path}", json=body) as answer,
        ):
            text = await answer.text()
            return answer.status, await answer.json() if answer.content_type == "application/json" else text

    async def add(self, connection_id: str = "nas-1", /, **changes: Any) -> dict[str, Any]:
        status, answer = await self.api("POST", "/api/truenas/connections", self.record(connection_id, **changes))
        assert status == 201, answer
        return dict(answer)

    async def metrics(self) -> dict[str, float]:
        status, text = await self.api("GET", "/metrics", token=None)
        assert status == 200
        lines = [line for line in text.splitlines() if line and not line.startswith("#")]
        return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}

    async def metric(self, name: str, instance: str = "nas-1", **labels: str) -> float:
        """A series of `name` (without its `pulse_` prefix) for an instance."""
        every = sorted({"instance": instance, "instance_type": "truenas", **labels}.items())
        inner = ",".join(f'{key}="{value}"' for key, value in every)
        return (await self.metrics())[f"pulse_{name}{{{inner}}}"]

    async def errors(self, instance: str = "nas-1") -> dict[str, float]:
        """Error counts by type, without the zeros."""
        found = {}
        for series, value in (await self.metrics()).items():
            if series.startswith("pulse_monitor_poll_errors_total") and f'instance="{instance}"' in series and value:
                found[series.split('error_type="')[1].split('"')[0]] = value
        return found

    async def resources(self, query: str = "limit=100") -> list[dict[str, Any]]:
        status, answer = await self.api("GET", f"/api/v2/resources?{query}")
        assert status == 200, answer
        return list(answer["data"])

    async def statuses(self) -> dict[str, str]:
        """Resource statuses by source id."""
        return {each["identity"]["sourceId"]: each["status"] for each in await self.resources()}

    async def source_statuses(self) -> set[str]:
        return {each["sourceStatus"]["truenas"]["status"] for each in await self.resources()}

    async def poll_of(self, connection_id: str = "nas-1") -> dict[str, Any]:
        _, answer = await self.api("GET", "/api/truenas/connections")
        return dict(next(each for each in answer if each["id"] == connection_id)["poll"])

    def inject(self, kind: str, on: str = "nas-1", **parameters: Any) -> None:
        self._faults[on] = kind
        self.mocks[on].inject(kind, kind, FAULT_KINDS[kind].parameters(**parameters))

    def heal(self, kind: str, on: str = "nas-1") -> None:
        self.mocks[on].heal(kind)

    async def wait(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
