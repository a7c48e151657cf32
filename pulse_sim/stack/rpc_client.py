"""The JSON-RPC client of one appliance (contract A2): the same questions as over REST, on a session that stays open.

Every call has a deadline and a size limit. It maps nothing; a session that was lost is opened again by the next call.
"""

import asyncio
from typing import Any, Final

from yarl import URL

from pulse_sim.stack.client import DATASET_PROPERTIES, MAX_BODY, PAGE, forms_of
from pulse_sim.stack.connection import MASK, Connection
from pulse_sim.stack.deadlines import Deadlines
from pulse_sim.stack.errors import AnswerUnusable, Classifier, SessionClosed, TurnAwaited
from pulse_sim.stack.logins import USE_WITHIN_S, Logins
from pulse_sim.stack.rpc import RpcSession, endpoint, log_in, open_rpc, refuse_redirects, session_was_lost
from pulse_sim.stack.runtime import Runtime
from pulse_sim.stack.seams import Clock
from pulse_sim.stack.transport import CountedConnector, open_session, tls_context

_MAX_PAGES: Final = 200
_DATASET_EXTRAS: Final = {"flat": False, "properties": list(DATASET_PROPERTIES)}


class RpcClient:
    """Speaks to one appliance over one WebSocket. Built inside a running loop; close it, or its socket stays open.

    Raises ValueError for a connection without TLS, OSError when it cannot be built for these settings.
    """

    def __init__(
        self,
        connection: Connection,
        runtime: Runtime,
        clock: Clock,
        *,
        deadlines: Deadlines,
        classifier: Classifier,
        logins: Logins | None = None,
    ) -> None:
        self.instance = connection.id
        self._connection = connection
        self._url = self._endpoint()
        self._runtime = runtime
        self._clock = clock
        self._deadlines = deadlines
        self._classifier = classifier
        self._tls = tls_context(connection.insecure_skip_verify)
        self._connector: CountedConnector | None = None
        self._forget = runtime.add_connections(self._open_connections)
        self._secrets = [form.decode() for form in forms_of(connection.secrets())]
        self._rpc: RpcSession | None = None
        self._answers: dict[str, Any] = {}
        self._closed = False
        self._logins = Logins(runtime) if logins is None else logins
        self._turn_at: float | None = None

    async def system_info(self) -> Any:
        """`system.info`."""
        return await self._call("system.info")

    async def pools(self) -> Any:
        """`pool.query`."""
        return await self._call("pool.query")

    async def datasets(self) -> Any:
        """`pool.dataset.query`, as a tree in pages of 500 and with only the properties that are mapped."""
        found: list[Any] = []
        for page in range(_MAX_PAGES):
            options = {"extra": _DATASET_EXTRAS, "limit": PAGE, "offset": page * PAGE}
            answer = await self._call("pool.dataset.query", [], options, key=f"pool.dataset.query {page}")
            if type(answer) is not list:
                raise self.error(AnswerUnusable("dataset is not a list"), "pool.dataset.query")
            if page == 0 and len(answer) < PAGE:
                return answer
            found.extend(answer)
            if len(answer) < PAGE:
                return found
        raise self.error(AnswerUnusable("more datasets than can be read", final=True), "pool.dataset.query")

    async def disks(self) -> Any:
        """`disk.query`."""
        return await self._call("disk.query")

    async def alerts(self) -> Any:
        """`alert.list`."""
        return await self._call("alert.list")

    async def test(self) -> None:
        """Log in and make one call; returns when the appliance answered it as one does."""
        answer = await self.system_info()
        if type(answer) is not dict or "version" not in answer:
            raise self.error(AnswerUnusable("the answer is not a TrueNAS system", final=True), "system.info")

    async def ready(self) -> None:
        """Waits for a turn to log in where the next call needs one; no call's deadline runs meanwhile."""
        if not self._closed and (self._rpc is None or not self._rpc.is_open) and not self._has_turn():
            self._give_back()
            self._turn_at = await self._logins.turn(self._connection.host)

    async def open(self) -> None:
        """Connect and log in now. Raises what the attempt raised, unclassified, so that a refused handshake is seen."""
        async with self._runtime.within(self._deadlines.for_request()):
            await self._session()

    async def close(self) -> None:
        """Closes the session and its socket; a second call does nothing."""
        if not self._closed:
            self._closed = True
            self._give_back()
            await self._drop(farewell=True)
            self._forget()

    def error(self, failure: BaseException, op: str) -> Exception:
        """The MonitorError of a failure of this appliance."""
        return self._classifier.error(failure, op, self.instance, self._clock.now_ns())

    async def _call(self, method: str, *params: Any, key: str | None = None) -> Any:
        """The result of a call; the very same object as before when it is equal. Raises MonitorError only."""
        try:
            async with self._runtime.within(self._deadlines.for_request()):
                value = await self._answer(method, params)
        except asyncio.CancelledError:
            if self._rpc is not None:
                self._rpc.abandon()  # a poll out of time: whoever asks next gets a session that owes nothing
            raise
        except Exception as failure:
            if isinstance(failure, TimeoutError | SessionClosed):
                # An answer that comes late must not be met by whoever asks next, and a dead session says nothing more.
                await self._drop(farewell=False)
            raise self.error(failure, method) from None
        return self._kept(key or method, value)

    async def _answer(self, method: str, params: tuple[Any, ...]) -> Any:
        session = await self._session()
        try:
            return await session.call(method, params)
        except Exception as failure:
            if not session_was_lost(failure):
                raise
        # Logged out while the socket lived on; once more on the same socket, and only once: no storm of logins.
        self._claim_turn()
        self._use_turn()
        await log_in(session, self._connection)
        return await session.call(method, params)

    def _has_turn(self) -> bool:
        return self._turn_at is not None and self._runtime.time() - self._turn_at <= USE_WITHIN_S

    def _claim_turn(self) -> None:
        """Takes a turn to log in if there is one now. Raises TurnAwaited: a call has no time to wait for one."""
        if self._has_turn():
            return
        self._give_back()
        self._turn_at = self._logins.turn_at_once(self._connection.host)
        if self._turn_at is None:
            raise TurnAwaited("login", self.instance, self._clock.now_ns())

    def _use_turn(self) -> None:
        self._turn_at = None

    def _give_back(self) -> None:
        turn_at, self._turn_at = self._turn_at, None
        if turn_at is not None:
            self._logins.give_back(self._connection.host, turn_at)

    def _largest(self) -> int:
        return MAX_BODY

    def _endpoint(self) -> URL:
        return endpoint(self._connection)

    async def _session(self) -> RpcSession:
        if self._rpc is not None and not self._rpc.is_open:
            await self._drop(farewell=False)
        if self._closed:
            raise ConnectionError
        if self._rpc is None:
            self._claim_turn()
            http, self._connector = open_session(
                self._connection, self._deadlines.for_connect(), authorized=False, tracing=[refuse_redirects()]
            )
            try:
                opened = await open_rpc(
                    http,
                    self._url,
                    self._connection,
                    self._runtime,
                    ssl=self._tls,
                    largest=self._largest(),
                    clean=self._clean,
                    logging_in=self._use_turn,
                )
            finally:
                self._give_back()  # of a turn that was not used, because it did not come to the login
            if self._closed:  # meanwhile: nobody would close this one
                await opened.close(farewell=False)
                raise ConnectionError
            self._rpc = opened
        return self._rpc

    async def _drop(self, *, farewell: bool) -> None:
        session, self._rpc = self._rpc, None
        if session is not None:
            await session.close(farewell=farewell)

    def _open_connections(self) -> int:
        return 0 if self._connector is None else self._connector.open_connections()

    def _clean(self, text: str) -> str:
        """An appliance that echoes our credential must not get it into our state."""
        for secret in self._secrets:
            if secret in text:
                text = text.replace(secret, MASK)
        return text

    def _kept(self, key: str, value: Any) -> Any:
        kept = self._answers.get(key)
        if kept is not None and kept == value:
            return kept
        self._answers[key] = value
        return value
