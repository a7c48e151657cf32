"""The WebSocket that tells what changes (contract A9): `GET /api/ws`.

Messages are JSON objects with `type`: `hello` first, `resources` with `changed` resources and `removed` ids, `resync`
when more changed than is told one by one, and `alert` with an `event` and the alert. A client that does not read is
dropped; it then reads the resources anew. While nobody is connected nothing here runs.
"""

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from aiohttp import WSCloseCode, web

from pulse_sim.stack.alerts.alert import Alert
from pulse_sim.stack.api.answers import Refusal
from pulse_sim.stack.api.middleware import ORG
from pulse_sim.stack.api.operations import Operation
from pulse_sim.stack.api.resources import describe
from pulse_sim.stack.changes import Change
from pulse_sim.stack.instants import rfc3339
from pulse_sim.stack.registry import Registry
from pulse_sim.stack.runtime import Runtime
from pulse_sim.stack.seams import Clock

MAX_CLIENTS: Final = 100
MAX_WAITING: Final = 256
"""Messages kept for a client that does not read; one more drops it."""
MAX_TOLD: Final = 1000
"""Resources told one by one; where more changed at once the client is told to read them all."""
TOLD_AT_ONCE: Final = 100
LOOK_S: Final = 5.0
_HEARTBEAT_S: Final = 30.0
_FAREWELL_S: Final = 2.0
_LARGEST_MESSAGE: Final = 4096
_TOO_SLOW: Final = b"too slow"


class Client:
    """One connected client and what waits for it."""

    def __init__(self, org: str, transport: asyncio.Transport | None) -> None:
        self.org = org
        self.socket = web.WebSocketResponse(
            timeout=_FAREWELL_S, heartbeat=_HEARTBEAT_S, max_msg_size=_LARGEST_MESSAGE, compress=False
        )
        self.waiting: deque[str] = deque()
        self.ready = asyncio.Event()
        self.reading: asyncio.Task[None] | None = None
        self.gone = asyncio.Event()
        self._parting: tuple[int, bytes] | None = None
        self._transport = transport

    def put(self, text: str) -> bool:
        """Whether there was room for one more message."""
        if len(self.waiting) >= MAX_WAITING:
            return False
        self.waiting.append(text)
        self.ready.set()
        return True

    async def write(self) -> None:
        """Sends what waits, as fast as the client reads, until cancelled or closed."""
        while True:
            await self.ready.wait()
            self.ready.clear()
            while self.waiting:
                text = self.waiting.popleft()
                try:
                    await self.socket.send_str(text)
                except ConnectionError:
                    return

    async def read(self) -> None:
        """Reads until the client is gone; what it says is ignored."""
        async for _ in self.socket:
            pass

    def part(self, code: int, message: bytes = b"") -> None:
        """It is to be told goodbye, by the task that serves it: only who does not read at the time gets an answer."""
        self._parting = (code, message)
        if self.reading is not None:
            self.reading.cancel()

    async def end(self, runtime: Runtime) -> None:
        """Says the goodbye that was asked for; who does not answer within two seconds is cut off."""
        if self._parting is None:
            return
        code, message = self._parting
        with contextlib.suppress(TimeoutError):
            async with runtime.within(_FAREWELL_S):
                await self.socket.close(code=code, message=message, drain=False)
        if self._transport is not None and self._transport.get_write_buffer_size():
            self._transport.abort()


class EventRoutes:
    """Tells clients of one organisation what changes there. `dropped` counts the clients that were too slow."""

    def __init__(self, registry: Registry, runtime: Runtime, clock: Clock) -> None:
        self._registry = registry
        self._runtime = runtime
        self._clock = clock
        self._clients: dict[Client, None] = {}
        self._pending: dict[str, set[str]] = {}
        self._changed = asyncio.Event()
        self._telling: asyncio.Task[None] | None = None
        self._unsubscribe: Callable[[], None] | None = None
        self.dropped = 0

    @property
    def clients(self) -> int:
        """How many are connected."""
        return len(self._clients)

    def operations(self) -> Sequence[Operation]:
        """The one operation."""
        about = "A WebSocket with an event for every change of a resource or alert."
        answers = {426: "Not a WebSocket request.", 503: "Too many clients."}
        return [Operation("GET", "/api/ws", "watchEvents", about, self.watch, success=101, answers=answers)]

    def publish(self, org: str, message: Mapping[str, Any]) -> None:
        """Tells every client of an organisation; neither waits nor raises."""
        if not any(client.org == org for client in self._clients):
            return
        text = json.dumps({**message, "at": rfc3339(self._clock.now_ns())}, separators=(",", ":"))
        for client in [client for client in self._clients if client.org == org]:
            if not client.put(text):
                self.dropped += 1
                self._leave(client)
                client.part(WSCloseCode.TRY_AGAIN_LATER, _TOO_SLOW)

    def tell_alert(self, event: str, alert: Alert) -> None:
        """Tells of an alert that was `raised`, `acknowledged` or `resolved`."""
        self.publish(alert.subject.org, {"type": "alert", "event": event, "alert": alert.to_data()})

    async def watch(self, request: web.Request) -> web.StreamResponse:
        """One client, from its upgrade to its end. What it sends is read and ignored."""
        if len(self._clients) >= MAX_CLIENTS:
            raise Refusal(503, "too_many_clients", "too many clients are connected")
        client = Client(request[ORG], request.transport)
        if not client.socket.can_prepare(request).ok:
            raise Refusal(426, "upgrade_required", "this is a WebSocket")
        await client.socket.prepare(request)
        self._enter(client)
        client.reading = self._runtime.spawn("api events from a client", client.read())
        writing = self._runtime.spawn("api events to a client", client.write())
        try:
            await asyncio.wait([client.reading])
            writing.cancel()
            await client.end(self._runtime)
        finally:
            client.reading.cancel()
            writing.cancel()
            self._leave(client)
            client.gone.set()
        return client.socket

    async def stop(self) -> None:
        """Says goodbye to everybody."""
        leaving = list(self._clients)
        for client in leaving:
            client.part(WSCloseCode.GOING_AWAY)
        await asyncio.gather(*(client.gone.wait() for client in leaving))

    def _enter(self, client: Client) -> None:
        self._clients[client] = None
        client.put(json.dumps({"type": "hello", "org": client.org}))
        if self._telling is None:
            self._registry.notice_silence(self._runtime.time())
            self._unsubscribe = self._registry.subscribe(self._note)
            self._telling = self._runtime.spawn("api events", self._tell())

    def _leave(self, client: Client) -> None:
        self._clients.pop(client, None)
        if not self._clients and self._telling is not None and self._unsubscribe is not None:
            self._telling.cancel()
            self._unsubscribe()
            self._telling = self._unsubscribe = None
            self._pending.clear()

    def _note(self, change: Change) -> None:
        self._pending.setdefault(change.org, set()).update(change.changed, change.removed)
        self._changed.set()

    async def _tell(self) -> None:
        """Tells what changed, at once, and looks for sources that fell silent every five seconds."""
        while True:
            try:
                async with self._runtime.within(LOOK_S):
                    await self._changed.wait()
            except TimeoutError:
                self._registry.notice_silence(self._runtime.time())
            self._changed.clear()
            pending, self._pending = self._pending, {}
            for org, ids in pending.items():
                self._tell_resources(org, ids)

    def _tell_resources(self, org: str, ids: set[str]) -> None:
        if len(ids) > MAX_TOLD:
            self.publish(org, {"type": "resync"})
            return
        now = self._runtime.time()
        changed = [describe(each, self._registry, now) for each in self._registry.named(org, ids, now)]
        removed = sorted(ids - {each["id"] for each in changed})
        for at in range(0, max(len(changed), 1), TOLD_AT_ONCE):
            told = changed[at : at + TOLD_AT_ONCE]
            self.publish(org, {"type": "resources", "changed": told, "removed": removed if at == 0 else []})
