"""Which transport an appliance is spoken to over, found out on first contact (contract A2).

A WebSocket is tried first where TLS protects the login; an appliance that has none says so by the status of the
handshake, and is then asked over REST. A choice that stops to fit is made anew, and so is REST where the appliance may
have been upgraded: after it could not be reached, and when it tells another version.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol

from pulse_sim.stack.connection import Connection
from pulse_sim.stack.deadlines import Deadlines
from pulse_sim.stack.errors import Classifier, ErrorType, MonitorError, StatusRefused
from pulse_sim.stack.runtime import Runtime
from pulse_sim.stack.seams import Clock

_NO_WEB_SOCKET: Final = frozenset({301, 302, 303, 307, 308, 404, 405, 410, 501})
"""Statuses of a handshake on an appliance that has no such endpoint: before 25.04 the front redirects to its pages."""
_MOVED_ON: Final = _NO_WEB_SOCKET
"""What a session that is opened again meets once the endpoint is gone; REST, once it was removed (26.0), has 404."""


class ApplianceClient(Protocol):
    """The questions a poll asks, whatever the transport. `instance` is the connection id."""

    instance: str

    def __init__(
        self, connection: Connection, runtime: Runtime, clock: Clock, *, deadlines: Deadlines, classifier: Classifier
    ) -> None: ...

    async def system_info(self) -> Any: ...
    async def pools(self) -> Any: ...
    async def datasets(self) -> Any: ...
    async def disks(self) -> Any: ...
    async def alerts(self) -> Any: ...
    async def test(self) -> None: ...
    async def ready(self) -> None: ...
    async def close(self) -> None: ...
    def error(self, failure: BaseException, op: str) -> Exception: ...


class WebSocketClient(ApplianceClient, Protocol):
    """One that can be opened before the first question."""

    async def open(self) -> None: ...


class NegotiatedClient:
    """Speaks to one appliance over the transport that fits. Close it, or its sockets stay open.

    ``transport`` is ``auto``, or ``rest`` or ``rpc`` for no choice. Raises ValueError where JSON-RPC alone is asked
    for without TLS, OSError when no client can be built for these settings.
    """

    def __init__(
        self,
        connection: Connection,
        runtime: Runtime,
        clock: Clock,
        *,
        deadlines: Deadlines,
        classifier: Classifier,
        rest: type[ApplianceClient],
        rpc: Callable[..., WebSocketClient],
        transport: str = "auto",
    ) -> None:
        def rest_client() -> ApplianceClient:
            return rest(connection, runtime, clock, deadlines=deadlines, classifier=classifier)

        def rpc_client() -> WebSocketClient:
            return rpc(connection, runtime, clock, deadlines=deadlines, classifier=classifier)

        self.instance = connection.id
        self._rest, self._rpc = rest_client, rpc_client
        self._may_choose = transport == "auto" and connection.use_https
        self._error = _Errors(classifier, connection.id, clock)
        self._chosen: ApplianceClient | None = None
        self._is_rest = False
        self._version: object = None
        self._candidate: WebSocketClient | None = None
        self._closed = False
        if self._may_choose:
            self._candidate = rpc_client()
        else:
            self._chosen = rpc_client() if transport == "rpc" else rest_client()

    async def system_info(self) -> Any:
        """`system.info`. A version that is not the one of before is a reason to choose anew."""
        answer = await self._ask(lambda client: client.system_info())
        version = answer.get("version") if type(answer) is dict else None
        if version is not None:
            before, self._version = self._version, version
            if before not in (None, version) and self._may_choose and self._is_rest and self._chosen is not None:
                await self._choose_anew(self._chosen)
        return answer

    async def pools(self) -> Any:
        """Pools with their topology."""
        return await self._ask(lambda client: client.pools())

    async def datasets(self) -> Any:
        """Datasets as a tree."""
        return await self._ask(lambda client: client.datasets())

    async def disks(self) -> Any:
        """Disks."""
        return await self._ask(lambda client: client.disks())

    async def alerts(self) -> Any:
        """The appliance's own alerts."""
        return await self._ask(lambda client: client.alerts())

    async def test(self) -> None:
        """One authenticated call; returns when the appliance answered it as one does."""
        await self._ask(lambda client: client.test())

    async def ready(self) -> None:
        """Returns when the next question may be asked; only who has to log in may have to wait for its turn."""
        client = self._chosen or self._candidate
        if client is not None:
            await client.ready()

    async def close(self) -> None:
        """Closes whatever is open; a second call does nothing."""
        chosen, self._chosen = self._chosen, None
        candidate, self._candidate = self._candidate, None
        self._closed = True
        for client in (chosen, candidate):
            if client is not None:
                await client.close()

    def error(self, failure: BaseException, op: str) -> Exception:
        """The MonitorError of a failure of this appliance."""
        return self._error.of(failure, op)

    async def _ask(self, question: Callable[[ApplianceClient], Awaitable[Any]]) -> Any:
        client = self._chosen or await self._choose()
        try:
            return await question(client)
        except MonitorError as error:
            # An appliance that was upgraded goes on answering over REST for some releases, but it was away before.
            is_reason = error.status_code in _MOVED_ON or (self._is_rest and error.type is ErrorType.CONNECTION)
            if self._may_choose and not self._closed and is_reason and client is self._chosen:
                await self._choose_anew(client)
            raise

    async def _choose_anew(self, client: ApplianceClient) -> None:
        """Forgets the choice; the next question makes it. At most one handshake more for each reason to."""
        self._chosen, self._candidate = None, self._rpc()
        await client.close()

    async def _choose(self) -> ApplianceClient:
        candidate = self._candidate
        if candidate is None:
            raise self.error(ConnectionError(), "connect")
        try:
            await candidate.open()
        except StatusRefused as refused:
            if refused.status not in _NO_WEB_SOCKET:
                raise self.error(refused, "connect") from None
            await candidate.close()
            if self._closed:
                raise self.error(ConnectionError(), "connect") from None
            self._candidate, self._chosen, self._is_rest = None, self._rest(), True
        except Exception as failure:
            raise self.error(failure, "connect") from None
        else:
            self._candidate, self._chosen, self._is_rest = None, candidate, False
        return self._chosen


class _Errors:
    """Classifies for one connection."""

    def __init__(self, classifier: Classifier, instance: str, clock: Clock) -> None:
        self._classifier = classifier
        self._instance = instance
        self._clock = clock

    def of(self, failure: BaseException, op: str) -> MonitorError:
        return self._classifier.error(failure, op, self._instance, self._clock.now_ns())
