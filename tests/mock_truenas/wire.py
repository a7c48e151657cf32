"""Raw sockets against the mock: what is on the wire, byte by byte. Uses no HTTP library on purpose."""

import asyncio
import random
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from mock_truenas.appliance import Appliance, build_appliance
from mock_truenas.behaviour import AS_DELIVERED, Behaviour
from mock_truenas.certificate import Certificates
from mock_truenas.faults import FAULT_KINDS, CertificateOrder
from mock_truenas.journal import JournalEntry
from mock_truenas.server import MockTrueNAS
from mock_truenas.tls import Issue

START_NS = 1_770_595_200_000_000_000  # 2026-02-09T00:00:00Z
API = "/api/v2.0"


@dataclass
class SetClock:
    """A wall clock that stands still until it is set."""

    at_ns: int = START_NS

    def now_ns(self) -> int:
        return self.at_ns


class Journal:
    """Keeps the entries and lets a test wait for the next one it has not seen."""

    def __init__(self) -> None:
        self.entries: list[JournalEntry] = []
        self._unseen: asyncio.Queue[JournalEntry] = asyncio.Queue()

    def __call__(self, entry: JournalEntry) -> None:
        self.entries.append(entry)
        self._unseen.put_nowait(entry)

    async def next(self) -> JournalEntry:
        return await asyncio.wait_for(self._unseen.get(), 5)


@dataclass(frozen=True)
class Reply:
    """An answer as it came; ``ended`` is ``open`` when it was complete and the connection stayed."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    ended: str

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


def appliance(
    fixture: str = "baseline", clock: SetClock | None = None, seed: int = 1, release: str = "24.10"
) -> Appliance:
    return build_appliance(
        fixture=fixture,
        release=release,
        clock=clock or SetClock(),
        entropy=random.Random(f"{seed}:entropy").randbytes,
        rng=random.Random(f"{seed}:appliance"),
    )


@dataclass
class Served:
    """A running mock with a key, a clock to set and a journal to read."""

    nas: MockTrueNAS
    key: str
    clock: SetClock
    journal: Journal
    loop_complaints: list[Mapping[str, Any]] = field(default_factory=list)
    client_tls: ssl.SSLContext | None = None

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(
            "127.0.0.1", self.nas.port, ssl=self.client_tls, server_hostname="localhost" if self.client_tls else None
        )

    def request(
        self, target: str, method: str = "GET", headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> bytes:
        """The bytes of a request with our key; a header given here replaces ours, an empty one leaves it out."""
        given = {"Host": "nas", "Authorization": f"Bearer {self.key}", **(headers or {})}
        if body:
            given.setdefault("Content-Length", str(len(body)))
        lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items() if value)]
        return "\r\n".join([*lines, "", ""]).encode() + body

    async def ask(
        self, target: str, method: str = "GET", headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Reply:
        """One request on a connection of its own."""
        return await self.ask_bytes(self.request(target, method, headers, body), method)

    async def ask_bytes(self, data: bytes, method: str = "GET") -> Reply:
        reader, writer = await self.connect()
        try:
            writer.write(data)
            return await asyncio.wait_for(read_reply(reader, method), 10)
        finally:
            writer.transport.abort()

    def inject(self, fault_id: str, kind: str, **parameters: Any) -> None:
        self.nas.inject(fault_id, kind, FAULT_KINDS[kind].parameters.model_validate(parameters))


async def read_reply(reader: asyncio.StreamReader, method: str = "GET") -> Reply:
    """Read one answer, as much of it as comes. A status of 0 means that nothing came."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return Reply(0, "", (), b"", "fin")
    except ConnectionResetError:
        return Reply(0, "", (), b"", "reset")
    first, *lines = head.decode().split("\r\n")[:-2]
    _, status, reason = first.split(" ", 2)
    headers = tuple((name, value.strip()) for name, _, value in (line.partition(":") for line in lines))
    if dict(headers).get("Transfer-Encoding") == "chunked":
        body, ended = await _read_chunks(reader)
        return Reply(int(status), reason, headers, body, ended)
    length = 0 if method == "HEAD" else int(dict(headers)["Content-Length"])
    body, ended = b"", "open"
    while len(body) < length:
        try:
            part = await reader.read(length - len(body))
        except ConnectionResetError:
            ended = "reset"
            break
        if not part:
            ended = "fin"
            break
        body += part
    return Reply(int(status), reason, headers, body, ended)


async def _read_chunks(reader: asyncio.StreamReader) -> tuple[bytes, str]:
    """A body whose length was not told, and how it ended."""
    body = b""
    try:
        while True:
            length = int(await reader.readuntil(b"\r\n"), 16)
            part = await reader.readexactly(length + 2)
            assert part.endswith(b"\r\n")
            if not length:
                return body, "open"
            body += part[:-2]
    except asyncio.IncompleteReadError as error:
        return body + error.partial, "fin"
    except ConnectionResetError:
        return body, "reset"


@asynccontextmanager
async def serving(
    fixture: str = "baseline",
    ssl_context: ssl.SSLContext | None = None,
    client_tls: ssl.SSLContext | None = None,
    issue: Issue | None = None,
    *,
    release: str = "24.10",
    behaviour: Behaviour = AS_DELIVERED,
) -> AsyncIterator[Served]:
    """A mock on a free loopback port; whatever reaches the loop's exception handler fails the test at the end."""
    clock, journal = SetClock(), Journal()
    nas = MockTrueNAS(
        appliance(fixture, clock, release=release),
        clock=clock,
        journal=journal,
        ssl_context=ssl_context,
        issue=issue,
        behaviour=behaviour,
    )
    served = Served(nas, nas.appliance.mint_api_key("pulse"), clock, journal, client_tls=client_tls)
    asyncio.get_running_loop().set_exception_handler(lambda _, context: served.loop_complaints.append(context))
    await nas.start("127.0.0.1", 0)
    try:
        yield served
    finally:
        await nas.stop()
    assert served.loop_complaints == []


def lenient() -> ssl.SSLContext:
    """A client of today, TLS 1.2 or later, that takes any certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


@asynccontextmanager
async def serving_tls(fixture: str = "baseline") -> AsyncIterator[Served]:
    """The same over TLS, with certificates for localhost."""
    certificates = Certificates("localhost", START_NS / 1e9)

    def issue(order: CertificateOrder, purpose: str) -> ssl.SSLContext:
        # Clients judge dates by the machine's clock, so what is sound must be sound in any year the tests run in.
        return certificates.issue(replace(order, years=order.years or (2000, 2099)), purpose)

    async with serving(fixture, issue(CertificateOrder(), ""), lenient(), issue) as served:
        yield served
