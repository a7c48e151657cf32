"""The simulated world: appliances and systems on a deterministic network in virtual time. Mechanism, no policy."""

import json
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final

import aiohttp

from pulse_sim.kernel import Priority, Simulation, Trace
from pulse_sim.observation import Source
from pulse_sim.observation.secrecy import MARKER
from pulse_sim.sut.protocol import Answer, Place, SystemFactory, SystemUnderTest
from pulse_sim.world.appliances import SimulatedAppliance
from pulse_sim.world.cast import Cast
from pulse_sim.world.disk import describe_disk
from pulse_sim.world.faults import WORLD_FAULT_KINDS
from pulse_sim.world.injection import lay
from pulse_sim.world.logs import LogTap
from pulse_sim.world.protocol import Instant, Observe
from pulse_sim.world.receiver import receive

REBOUND: Final = ("aiohttp", "aiohappyeyeballs", "prometheus_client", "pulse_sim.stack", "mock_truenas")
API_PORT: Final = 7655
DATA_DIR: Final = "/etc/pulse"
OPERATOR_TIMEOUT_S: Final = 10
OPERATOR_KEEPALIVE_S: Final = 70
_PRIORITY: Final = {
    Instant.HEAL: Priority.HEAL,
    Instant.INJECT: Priority.INJECT,
    Instant.OPERATOR: Priority.OPERATOR,
    Instant.SAMPLE: Priority.SAMPLE,
}


class SimulatedWorld:
    """One scenario's hosts.

    ``factory`` makes every system; ``rebound`` names further packages whose clocks are rebound for the run.
    ``schedule`` is ``fifo`` or ``random``.
    """

    name = "simulated"

    def __init__(
        self,
        cast: Cast,
        seed: int,
        factory: SystemFactory,
        trace: Trace,
        rebound: tuple[str, ...] = (),
        schedule: str = "fifo",
    ) -> None:
        rebind = (*REBOUND, *rebound)
        self._sim = Simulation(seed=seed, start_ns=cast.start_ns, rebind=rebind, trace=trace, schedule=schedule)
        self._operator = self._sim.host("operator")
        self._observe: Observe | None = None
        self.broken: list[str] = []
        """What died unhandled outside the systems: the harness itself broke, and the run is errored."""
        self._http: aiohttp.ClientSession | None = None
        self._tap = LogTap(self._note_log)
        self._healers: dict[str, Callable[[], None]] = {}
        self._appliances = {name: self._appliance(name, plan) for name, plan in cast.appliances.items()}
        self._systems = {name: factory(self._place(name)) for name in cast.systems}
        for name, plan in cast.appliances.items():
            for other in [host for host in self._sim.network.hosts if host != name]:
                self._sim.network.link(other, name).latency_ns = plan.latency_ns
                self._sim.network.link(name, other).latency_ns = plan.latency_ns

    @property
    def systems(self) -> Mapping[str, SystemUnderTest]:
        """The systems of the scenario by name."""
        return self._systems

    def now_ns(self) -> int:
        """Virtual nanoseconds since the scenario's start."""
        return self._sim.now_ns

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run to the end of ``coroutine``, as the operator, in virtual time."""
        return self._sim.run(coroutine, host=self._operator)

    def at(self, at_ns: int, instant: Instant, action: Callable[[], None]) -> None:
        """Call ``action`` at a virtual time, in the order of :class:`Instant` at equal times."""
        self._sim.at(max(at_ns, self._sim.now_ns), _PRIORITY[instant], action)

    def spawn(self, coroutine: Coroutine[Any, Any, Any], name: str) -> None:
        """Run something on the operator's host."""
        self._operator.run(coroutine, name=name)

    async def open(self, observe: Observe) -> None:
        """Start every appliance and begin to listen to logs and to what nobody handled."""
        self._observe = observe
        self._sim.on_unhandled(self._note_unhandled)
        self._tap.install()
        connector = aiohttp.TCPConnector(keepalive_timeout=OPERATOR_KEEPALIVE_S)
        timeout = aiohttp.ClientTimeout(total=OPERATOR_TIMEOUT_S)
        self._http = aiohttp.ClientSession(connector=connector, timeout=timeout)
        for appliance in self._appliances.values():
            await appliance.start(observe)

    async def close(self) -> None:
        """Stop the operator and every appliance, also of a world that did not open to the end."""
        try:
            if self._http is not None:
                await self._http.close()
            for appliance in self._appliances.values():
                await appliance.stop()
            # A task that died inside a reference cycle tells of it only when collected; it must do so in the log.
            self._sim.collect_garbage()
        finally:
            self._tap.remove()

    def connection_record(self, appliance: str, verify_tls: str, credentials: str) -> dict[str, Any]:
        """Address and secrets of an appliance as fields of a connection record."""
        return self._appliances[appliance].connection_record(verify_tls, credentials)

    def inject(self, fault_id: str, kind: str, on: str, parameters: Any) -> None:
        """Set a fault: the world's own kinds on a host or the way to it, every other on the appliance."""
        if kind in WORLD_FAULT_KINDS:
            effect = WORLD_FAULT_KINDS[kind].between(parameters)
            self._healers[fault_id] = lay(self._sim.network, fault_id, effect, on)
        else:
            appliance = self._appliances[on]
            appliance.inject(fault_id, kind, parameters)
            self._healers[fault_id] = lambda: appliance.heal(fault_id)

    def heal(self, fault_id: str) -> None:
        """Take a fault back; does nothing when it is not set."""
        healer = self._healers.pop(fault_id, None)
        if healer is not None:
            healer()

    def note_truth(self, appliance: str) -> None:
        """Record what the appliance really is, where that differs from what is on record."""
        self._appliances[appliance].note_truth()

    def counts(self) -> Mapping[str, int]:
        """Tasks, transports and timers alive in the simulation."""
        return self._sim.counts()

    def serials(self, appliance: str) -> list[str]:
        """The serial numbers of an appliance's disks, in the order of their names."""
        return self._appliances[appliance].serials()

    async def receive(self, port: int, for_ns: int) -> list[bytes]:
        """Listen on the operator's host; the bodies that were posted by then."""
        return await receive(self._operator.address, port, for_ns)

    def power_off(self, system: str, *, torn: bool) -> None:
        """Take the power of a system's machine; with ``torn`` its disk keeps a part of what was not synced."""
        self._sim.power_off(self._sim.network.hosts[system], torn=torn)

    def power_on(self, system: str) -> None:
        """Give it back; nothing runs there yet."""
        self._sim.power_on(self._sim.network.hosts[system])

    def disk(self, system: str) -> dict[str, Any]:
        """The files in a system's data directory, and which of them show a secret in the clear."""
        return describe_disk(self._sim.disk(system), DATA_DIR)

    def _appliance(self, name: str, plan: Any) -> SimulatedAppliance:
        return SimulatedAppliance(self._sim, self._sim.host(name), plan)

    def _place(self, name: str) -> Place:
        host = self._sim.host(name)
        token = MARKER.decode() + self._sim.entropy(f"{name}:api-token")(16).hex()
        return Place(
            name=name,
            address=host.address,
            port=API_PORT,
            base_url=f"http://{name}:{API_PORT}",
            data_dir=DATA_DIR,
            api_token=token,
            clock=host.clock,
            entropy=self._sim.entropy(f"{name}:entropy"),
            stream=lambda purpose: self._sim.stream(f"{name}:{purpose}"),
            disk=self._sim.disk(name),
            spawn=lambda coroutine, task: host.run(coroutine, name=task),
            kill=lambda: self._sim.kill(host),
            fetch=self._fetch,
        )

    async def _fetch(self, method: str, url: str, headers: Mapping[str, str], body: Any) -> Answer:
        if self._http is None:
            raise ConnectionError("the world is not open")
        data = None if body is None else json.dumps(body).encode()
        sent = dict(headers) if data is None else {**headers, "Content-Type": "application/json"}
        try:
            async with self._http.request(method, url, data=data, headers=sent, allow_redirects=False) as response:
                return Answer(response.status, await response.read())
        except aiohttp.ClientError as error:
            raise ConnectionError(type(error).__name__) from error

    def _note_log(self, entry: dict[str, Any]) -> None:
        host = self._sim.current_host()
        if host is None or self._observe is None:
            return
        if host.name in self._systems:
            self._observe(Source.SUT, "log", host.name, entry)
            if LogTap.tells_of_a_crash(entry):
                self._note_crash(host.name, "log", str(entry["fields"].get("exception", "")), entry["template"])
        elif host.name in self._appliances:
            self._observe(Source.APPLIANCE, "log", host.name, entry)

    def _note_unhandled(self, host: str | None, kind: str, exception: str, template: str) -> None:
        if host in self._systems:
            self._note_crash(host, kind, exception, template)
        else:
            self.broken.append(f"{kind} on host {host or 'unknown'}: {exception}: {template}")

    def _note_crash(self, system: str, kind: str, exception: str, template: str) -> None:
        assert self._observe is not None
        self._observe(Source.SUT, "crash", system, {"kind": kind, "exception": exception, "template": template})
