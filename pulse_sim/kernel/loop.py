"""The event loop that unmodified asyncio code runs on: virtual time, simulated network, and no way out.

Executor calls run inline at a step of their own. The network is handed in; the loop knows only that it can resolve,
connect and listen.
"""

import asyncio
import random
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NoReturn

from pulse_sim.kernel.clock import VirtualClock
from pulse_sim.kernel.fences import refuse
from pulse_sim.kernel.schedule import STREAM, RandomOrder, Schedule
from pulse_sim.kernel.scheduling import VirtualTimeLoop
from pulse_sim.kernel.sockets import UnconnectedSocket
from pulse_sim.kernel.tasks import SimulationFuture, SimulationTask

if TYPE_CHECKING:
    from pulse_sim.kernel.network import Network

_EAGER: Final = getattr(asyncio, "eager_task_factory", None)  # since 3.12


class SimulationLoop(VirtualTimeLoop):
    """Deterministic asyncio. Everything asyncio offers that would touch the machine raises FenceError."""

    network: "Network | None" = None

    def set_debug(self, enabled: bool) -> None:
        super().set_debug(enabled)
        # Every future and every task asks, from C: without a frame of Python the answer costs a third. bool() is False.
        self.get_debug = _yes if enabled else bool  # type: ignore[method-assign]

    # ---- tasks and futures

    def create_future(self) -> "asyncio.Future[Any]":
        future = SimulationFuture(loop=self)
        future.number = next(self.numbers)
        return future

    def create_task(self, coro: Any, **options: Any) -> "asyncio.Task[Any]":
        if self._closed:
            raise RuntimeError("Event loop is closed")
        factory = self._task_factory
        if factory is None:
            return SimulationTask(coro, loop=self, **options)
        if factory is _EAGER:  # its own tasks would be hashed by address and named after a counter of the process
            return SimulationTask(coro, loop=self, eager_start=True, **options)
        return super().create_task(coro, **options)

    # ---- what a thread pool would do

    def run_in_executor(  # type: ignore[override]
        self,
        executor: Any,  # noqa: ARG002 - none is asked
        func: Callable[..., Any],
        *args: Any,
    ) -> "asyncio.Future[Any]":
        """Run ``func`` inline, at a scheduled step of its own, whatever executor was asked for."""
        future = self.create_future()

        def run() -> None:
            if future.cancelled():
                return
            try:
                result = func(*args)
            except (SystemExit, KeyboardInterrupt):
                raise
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(result)

        self.call_apart(run)
        return future

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """There is none."""

    # ---- the network

    def _net(self) -> "Network":
        if self.network is None:
            refuse("a network call on a loop without a network")
        return self.network

    async def getaddrinfo(self, host: Any, port: Any, **options: Any) -> Any:
        return await self._net().getaddrinfo(host, port, **options)

    async def getnameinfo(self, sockaddr: Any, flags: int = 0) -> tuple[str, str]:  # noqa: ARG002
        return self._net().getnameinfo(sockaddr)

    async def sock_connect(self, sock: socket.socket, address: Any) -> None:
        await self._net().connect(sock, address)

    async def create_connection(
        self,
        protocol_factory: Any,
        host: Any = None,
        port: Any = None,
        *,
        ssl: Any = None,
        sock: Any = None,
        **more: Any,
    ) -> tuple[Any, Any]:
        if not isinstance(sock, UnconnectedSocket) or ssl or host is not None or port is not None:
            return await super().create_connection(protocol_factory, host, port, ssl=ssl, sock=sock, **more)
        protocol, waiter = protocol_factory(), self.create_future()
        transport = self._net().open_transport(sock, protocol, waiter)
        try:
            await waiter
        except BaseException:
            transport.close()
            raise
        return transport, protocol

    async def create_server(self, protocol_factory: Any, host: Any = None, port: Any = None, **options: Any) -> Any:
        return await self._net().listen(protocol_factory, host, port, **options)

    async def start_tls(self, transport: Any, protocol: Any, sslcontext: Any, **options: Any) -> Any:
        return await self._net().start_tls(transport, protocol, sslcontext, **options)

    def _make_socket_transport(self, sock: Any, protocol: Any, waiter: Any = None, **_options: Any) -> Any:
        return self._net().open_transport(sock, protocol, waiter)

    def _make_ssl_transport(
        self, rawsock: Any, protocol: Any, sslcontext: Any, waiter: Any = None, **options: Any
    ) -> Any:
        return self._net().open_tls_transport(rawsock, protocol, sslcontext, waiter, **options)


def _yes() -> bool:
    return True


class RandomSimulationLoop(RandomOrder, SimulationLoop):
    """The same under the random schedule."""


def simulation_loop(schedule: Schedule, clock: VirtualClock, stream: Callable[[str], random.Random]) -> SimulationLoop:
    """The loop of one run; ``stream`` gives it the run's named generators."""
    if schedule is Schedule.RANDOM:
        return RandomSimulationLoop(clock, stream(STREAM))
    return SimulationLoop(clock)


_FENCED: Final = (
    *("add_signal_handler", "remove_signal_handler", "subprocess_exec", "subprocess_shell"),
    *("connect_read_pipe", "connect_write_pipe", "create_datagram_endpoint", "connect_accepted_socket"),
    *("create_unix_connection", "create_unix_server", "sock_accept", "sock_sendfile"),
    *("add_reader", "remove_reader", "add_writer", "remove_writer"),
    *("sock_recv", "sock_recv_into", "sock_recvfrom", "sock_recvfrom_into", "sock_sendall", "sock_sendto"),
)


def _fenced(name: str) -> Callable[..., NoReturn]:
    def refused(*_args: Any, **_options: Any) -> NoReturn:
        refuse(f"loop.{name}")

    return refused


for _name in _FENCED:
    setattr(SimulationLoop, _name, _fenced(_name))
