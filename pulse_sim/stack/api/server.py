"""The listening side of the API: the aiohttp application on its address. Knows no route by name."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, Protocol

from aiohttp import web

from pulse_sim.stack.api.answers import CLOCK, MAX_BODY
from pulse_sim.stack.api.middleware import admitted, counted, error_bodies, role_of
from pulse_sim.stack.api.openapi import OpenApiRoutes
from pulse_sim.stack.api.operations import Operation, Role
from pulse_sim.stack.metrics import Metrics
from pulse_sim.stack.seams import Clock
from pulse_sim.stack.settings import Settings

SERVER: Final = "pulse-sim"
_SHUTDOWN_S: Final = 1.0


class Routes(Protocol):
    """A group of routes."""

    def operations(self) -> Sequence[Operation]:
        """The rows of the group."""
        ...


async def _name_server(_request: web.Request, response: web.StreamResponse) -> None:
    """aiohttp would name itself and the interpreter."""
    response.headers["Server"] = SERVER


class ApiServer:
    """Serves the routes on the configured address. Raises OSError at start when the address cannot be had."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        metrics: Metrics,
        time: Callable[[], float],
        groups: Iterable[Routes],
        version: str,
    ) -> None:
        self._settings = settings
        operations = [operation for group in groups for operation in group.operations()]
        operations += OpenApiRoutes(operations, version).operations()
        layers = [counted(metrics, time), error_bodies, admitted(settings, self.role)]
        self.application = web.Application(middlewares=layers, client_max_size=self.largest_body())
        self.application[CLOCK] = clock
        self.application.on_response_prepare.append(_name_server)
        for operation in operations:
            self.application.router.add_route(operation.method, operation.path, operation.answer)
        self._runner = web.AppRunner(
            self.application, access_log=None, handle_signals=False, shutdown_timeout=_SHUTDOWN_S
        )

    def role(self, request: web.Request) -> Role:
        """What a request may do."""
        return role_of(request, self._settings)

    def largest_body(self) -> int:
        """Bytes of a body that are read; one byte more is refused."""
        return MAX_BODY

    async def start(self) -> None:
        """Listens; afterwards requests are answered."""
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._settings.bind_address, self._settings.port).start()
        except BaseException:
            await self._runner.cleanup()
            raise

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Where it listens, as host and port."""
        return [(address[0], address[1]) for address in self._runner.addresses]

    async def stop(self) -> None:
        """Stops listening and ends open requests within a second."""
        await self._runner.cleanup()
