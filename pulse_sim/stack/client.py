"""The REST v2.0 client of one appliance (contract A2): bytes in, JSON values out, MonitorError when it fails.

Every call has a deadline and a size limit. It maps nothing and retries nothing.
"""

import json
import ssl
from collections.abc import Mapping
from typing import Any, Final

import aiohttp
from yarl import URL

from pulse_sim.stack.connection import MASK, Connection
from pulse_sim.stack.deadlines import Deadlines
from pulse_sim.stack.errors import AnswerUnusable, Classifier, StatusRefused
from pulse_sim.stack.runtime import Runtime
from pulse_sim.stack.seams import Clock
from pulse_sim.stack.transport import base_url, open_session, tls_context
from pulse_sim.stack.wire import parse

MAX_BODY: Final = 4 * 1024 * 1024
MAX_ERROR_BODY: Final = 4 * 1024
PAGE: Final = 500
_MAX_PAGES: Final = 200
DATASET_PROPERTIES: Final = (
    "used",
    "available",
    "quota",
    "mountpoint",
    "readonly",
    "encryption",
    "encryptionroot",
    "keystatus",
)


class Client:
    """Speaks to one appliance over one session. Built inside a running loop; close it, or its sockets stay open.

    Raises ValueError or OSError when it cannot be built for these settings.
    """

    def __init__(
        self, connection: Connection, runtime: Runtime, clock: Clock, *, deadlines: Deadlines, classifier: Classifier
    ) -> None:
        self.instance = connection.id
        self._runtime = runtime
        self._clock = clock
        self._deadlines = deadlines
        self._classifier = classifier
        self._tls: ssl.SSLContext | bool = (
            tls_context(connection.insecure_skip_verify) if connection.use_https else True
        )
        self._base = base_url(connection)
        self._urls: dict[str, URL] = {}
        self._session, connector = open_session(connection, deadlines.for_connect())
        self._forget = runtime.add_connections(connector.open_connections)
        self._secrets = forms_of(connection.secrets())
        self._answers: dict[str, tuple[bytes, Any]] = {}
        self._closed = False

    async def system_info(self) -> Any:
        """`GET /system/info`."""
        return await self._get("/system/info")

    async def pools(self) -> Any:
        """`GET /pool`."""
        return await self._get("/pool")

    async def datasets(self) -> list[Any]:
        """`GET /pool/dataset`, as a tree in pages of 500 and with only the properties that are mapped.

        Asked for without children, every release answers with the pools' root datasets alone; asked for as a list, it
        repeats each dataset inside all of its ancestors. As a tree each dataset comes once.
        """
        found: list[Any] = []
        for page in range(_MAX_PAGES):
            answer = await self._get("/pool/dataset", {"limit": PAGE, "offset": page * PAGE, **_DATASET_EXTRAS})
            if type(answer) is not list:
                raise self.error(AnswerUnusable("dataset is not a list"), "GET /pool/dataset")
            if page == 0 and len(answer) < PAGE:
                return answer
            found.extend(answer)
            if len(answer) < PAGE:
                return found
        raise self.error(AnswerUnusable("more datasets than can be read", final=True), "GET /pool/dataset")

    async def disks(self) -> Any:
        """`GET /disk`."""
        return await self._get("/disk")

    async def alerts(self) -> Any:
        """`GET /alert/list`."""
        return await self._get("/alert/list")

    async def test(self) -> None:
        """One authenticated call; returns when the appliance answered it as one does."""
        answer = await self.system_info()
        if type(answer) is not dict or "version" not in answer:
            raise self.error(AnswerUnusable("the answer is not a TrueNAS system", final=True), "GET /system/info")

    async def ready(self) -> None:
        """At once: who sends credentials with every request logs in nowhere."""

    async def close(self) -> None:
        """Closes the session and its sockets; a second call does nothing."""
        if not self._closed:
            self._closed = True
            await self._session.close()
            self._forget()

    def error(self, failure: BaseException, op: str) -> Exception:
        """The MonitorError of a failure of this appliance."""
        return self._classifier.error(failure, op, self.instance, self._clock.now_ns())

    async def _get(self, path: str, query: Mapping[str, object] | None = None) -> Any:
        """The parsed answer of a GET; the very same object as before when the body is the same.

        Answers must not be changed by the caller. Raises MonitorError only.
        """
        key = path if query is None else f"{path}?{query['offset']}"
        url = self._urls.get(key)
        if url is None:
            url = self._urls[key] = _url(self._base, path, query)
        try:
            async with self._runtime.within(self._deadlines.for_request()):
                body = await self._body(url)
            return self._parsed(key, body)
        except Exception as failure:
            raise self.error(failure, f"GET {path}") from None

    async def _body(self, url: URL) -> bytes:
        async with self._session.get(url, ssl=self._tls, allow_redirects=False) as answer:
            if answer.status != 200:
                raise StatusRefused(answer.status, await _at_most(answer, MAX_ERROR_BODY))
            if (answer.content_length or 0) > MAX_BODY:
                raise AnswerUnusable("answer longer than 4 MiB", final=True)
            body = await _at_most(answer, MAX_BODY + 1)
            if len(body) > MAX_BODY:
                raise AnswerUnusable("answer longer than 4 MiB", final=True)
            return body

    def _parsed(self, key: str, body: bytes) -> Any:
        kept = self._answers.get(key)
        if kept is not None and kept[0] == body:
            return kept[1]
        clean = body
        for secret in self._secrets:
            if secret in clean:  # an appliance that echoes our credential must not get it into our state
                clean = clean.replace(secret, MASK.encode())
        value = parse(clean)
        self._answers[key] = (body, value)
        return value


async def _at_most(answer: aiohttp.ClientResponse, limit: int) -> bytes:
    """The body up to about `limit` bytes, counted after decompression; it reads no further than that."""
    chunk = await answer.content.readany()
    if not chunk or answer.content.at_eof():
        return chunk[:limit]
    parts, size = [chunk], len(chunk)
    while size < limit:
        chunk = await answer.content.readany()
        if not chunk:
            break
        parts.append(chunk)
        size += len(chunk)
    return b"".join(parts)[:limit]


def forms_of(secrets: tuple[str, ...]) -> list[bytes]:
    """Secrets as they would stand in a JSON body, plain and escaped; the longest first, as one may contain another."""
    forms = {form for secret in secrets for form in (secret.encode(), json.dumps(secret)[1:-1].encode())}
    return sorted(forms, key=lambda form: (-len(form), form))


def _url(base: URL, path: str, query: Mapping[str, object] | None) -> URL:
    url = base.joinpath(*path.strip("/").split("/"))
    return url if query is None else url.with_query({key: str(value) for key, value in query.items()})


_DATASET_EXTRAS: Final = {"extra.flat": "false", "extra.properties": json.dumps(DATASET_PROPERTIES)}
