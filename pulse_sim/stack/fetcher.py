"""Where snapshots come from: the API of an appliance, or a fixture. Retries a failed call once (contract A3)."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Protocol, TypeVar

from pulse_sim.stack.deadlines import Deadlines
from pulse_sim.stack.decoding import decode_alerts, decode_datasets, decode_disks, decode_pools, decode_system
from pulse_sim.stack.errors import MonitorError
from pulse_sim.stack.negotiation import ApplianceClient
from pulse_sim.stack.runtime import Runtime
from pulse_sim.stack.snapshot import Snapshot

Value = TypeVar("Value")


class Fetcher(Protocol):
    """Takes one whole reading of an appliance."""

    async def ready(self) -> None:
        """Returns when a reading may begin, which may be minutes later; raises nothing."""
        ...

    async def fetch(self) -> Snapshot:
        """A complete snapshot, never half of one. Raises MonitorError, or what the classifier makes one of."""
        ...

    async def close(self) -> None:
        """Gives everything back that the fetcher holds open."""
        ...


class Retries:
    """Whether and when a failed call is tried again inside a poll."""

    def __init__(self, deadlines: Deadlines) -> None:
        self._deadlines = deadlines

    def delay(self, error: MonitorError, tries: int) -> float | None:
        """Seconds until the next try after `tries` tries, or None when the failure stands."""
        return self._deadlines.retry_after_s if error.retryable and tries == 1 else None


class _Decoder:
    """Decodes the parts of a snapshot, handing back the part of before while its answer is the same object."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[Any, Any, list[str]]] = {}

    def part(self, name: str, answer: Any, decode: Callable[[Any, list[str]], Value]) -> Value:
        kept = self._kept.get(name)
        if kept is None or kept[0] is not answer:
            unreadable: list[str] = []
            value = decode(answer, unreadable)
            if kept is not None and kept[1] == value:
                value = kept[1]
            kept = self._kept[name] = (answer, value, unreadable)
        found: Value = kept[1]
        return found

    def unreadable(self) -> tuple[str, ...]:
        return tuple(path for _, _, paths in self._kept.values() for path in paths)


class ApiFetcher:
    """Reads an appliance through its client, one call after the other: five calls on one connection."""

    def __init__(self, client: ApplianceClient, runtime: Runtime, retries: Retries) -> None:
        self.client = client
        self._runtime = runtime
        self._retries = retries
        self._decoder = _Decoder()

    async def ready(self) -> None:
        """Waits for the client."""
        await self.client.ready()

    async def fetch(self) -> Snapshot:
        """System, pools, datasets, disks, alerts, in this order. Raises MonitorError."""
        client, decoder = self.client, self._decoder
        return Snapshot(
            system=await self._call("system/info", client.system_info, decode_system),
            pools=await self._call("pool", client.pools, decode_pools),
            datasets=await self._call("pool/dataset", client.datasets, decode_datasets),
            disks=await self._call("disk", client.disks, decode_disks),
            alerts=await self._call("alert/list", client.alerts, decode_alerts),
            unreadable=decoder.unreadable(),
        )

    async def _call(
        self, name: str, ask: Callable[[], Awaitable[Any]], decode: Callable[[Any, list[str]], Value]
    ) -> Value:
        tries = 0
        while True:
            tries += 1
            try:
                return self._decoder.part(name, await ask(), decode)
            except Exception as failure:
                error = self.client.error(failure, f"reading {name}")
                assert isinstance(error, MonitorError)
                delay = self._retries.delay(error, tries)
            if delay is None:
                raise error
            await self._runtime.sleep_until(self._runtime.time() + delay)

    async def close(self) -> None:
        """Closes the client."""
        await self.client.close()


class FixtureFetcher:
    """Hands out a reading made from recorded answers: the same five parts, no network."""

    _PARTS: Final = ("system", "pools", "datasets", "disks", "alerts")

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self.answers = dict(answers)

    async def ready(self) -> None:
        """A recording is always ready."""

    async def fetch(self) -> Snapshot:
        """The recorded reading. Raises AnswerUnusable where a recording could not be used."""
        unreadable: list[str] = []
        system, pools, datasets, disks, alerts = (self.answers.get(part, []) for part in self._PARTS)
        return Snapshot(
            decode_system(system, unreadable),
            decode_pools(pools, unreadable),
            decode_datasets(datasets, unreadable),
            decode_disks(disks, unreadable),
            decode_alerts(alerts, unreadable),
            tuple(unreadable),
        )

    async def close(self) -> None:
        """Nothing is open."""
