"""The default system under test: our own stack, run in this process behind the same protocol as a foreign one."""

from collections.abc import Mapping
from typing import Any, Final

from pulse_sim import __version__
from pulse_sim.stack.assembly import Parts, Seams, Stack
from pulse_sim.stack.settings import SettingsInvalid
from pulse_sim.sut.protocol import Answer, Capability, Place, SystemFailure

CAPABILITIES: Final = frozenset(
    {
        Capability.API_V2_RESOURCES,
        Capability.METRICS,
        Capability.BREAKER_METRICS,
        Capability.RUNTIME_METRICS,
        Capability.RESTART,
        Capability.KILL,
        Capability.REMOVE_FILE,
        Capability.REST_TRANSPORT,
    }
)


class ReferenceSystem:
    """Our stack in a place a world offers. ``parts`` replaces parts of it; the broken stacks are made that way."""

    version = f"reference {__version__}"
    capabilities = CAPABILITIES

    def __init__(self, place: Place, parts: Parts | None = None) -> None:
        self._place = place
        self._parts = parts if parts is not None else Parts()
        self._stack: Stack | None = None

    async def start(self, environment: Mapping[str, str], variant: str) -> None:
        """Start the stack on its own host. Raises SystemFailure, and leaves nothing running, when that does not work.

        One that runs already is refused and goes on.
        """
        if self._stack is not None:
            raise SystemFailure(f"system {self._place.name} is running already")
        place = self._place
        environ = {
            **environment,
            "PULSE_DATA_DIR": place.data_dir,
            "BIND_ADDRESS": place.address,
            "FRONTEND_PORT": str(place.port),
            "PULSE_API_TOKEN": place.api_token,
        }
        seams = Seams(clock=place.clock, entropy=place.entropy, stream=place.stream, disk=place.disk)
        try:
            self._stack = Stack(environ, seams, self._parts, variant)
            await place.spawn(self._stack.start(), f"{place.name}-start")
            health = await self.request("GET", "/api/health")
        except (SettingsInvalid, OSError) as error:
            await self.stop()
            why = str(error) if isinstance(error, SettingsInvalid) else type(error).__name__
            raise SystemFailure(f"system {place.name} did not start: {why}") from error
        if health.status != 200:
            await self.stop()
            raise SystemFailure(f"system {place.name} answered {health.status} to /api/health after its start")

    async def stop(self) -> None:
        """Stop in order; does nothing when it is not running."""
        stack, self._stack = self._stack, None
        if stack is not None:
            await self._place.spawn(stack.stop(), f"{self._place.name}-stop")

    async def restart(self, environment: Mapping[str, str], variant: str) -> None:
        """Stop, then start again on the same data directory."""
        await self.stop()
        await self.start(environment, variant)

    async def kill(self) -> None:
        """End the stack and whatever else runs on its host; nothing of it runs again."""
        self._stack = None
        self._place.kill()

    async def request(self, method: str, path: str, json: Any = None) -> Answer:
        """One request to the admin API with the admin token, as an operator on another host sends it."""
        headers = {"Authorization": f"Bearer {self._place.api_token}"}
        return await self._place.fetch(method, self._place.base_url + path, headers, json)

    async def request_without_token(self, method: str, path: str, json: Any = None) -> Answer:
        """The same from somebody who has no token."""
        return await self._place.fetch(method, self._place.base_url + path, {}, json)

    async def scrape(self) -> Answer:
        """The metrics page, which needs no token."""
        return await self._place.fetch("GET", self._place.base_url + "/metrics", {}, None)

    async def remove_file(self, name: str) -> None:
        """Remove one file of the data directory. Raises SystemFailure when it is not there."""
        try:
            self._place.disk.remove(f"{self._place.data_dir}/{name}")
        except OSError as error:
            raise SystemFailure(f"{name} is no file in the data directory of system {self._place.name}") from error
