"""Asks a real appliance what a capture needs, over REST up to 25.10, else over JSON-RPC. Changes nothing there.

Over a plain WebSocket a real appliance revokes the key that logs in (truenas-api 5.3), so that is never done to one
that is not on loopback.
"""

import asyncio
import ipaddress
import json
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import aiohttp

from mock_truenas.appliance.releases import Release
from mock_truenas.capture.document import Capture, check_values, release_like
from mock_truenas.capture.wanted import Question, questions
from mock_truenas.complaints import BadInput

LARGEST_ANSWER: Final = 256 << 20
ANSWER_TIMEOUT_S: Final = 300.0
CONNECT_TIMEOUT_S: Final = 15.0
_API: Final = "/api/v2.0"
_SHAPES: Final[Mapping[str, tuple[type, ...]]] = {"rows": (list,), "object": (dict,), "value": (str, int)}


@dataclass(frozen=True)
class Source:
    """An appliance to record. ``tls`` verifies its certificate; False takes any."""

    url: str
    api_key: str
    username: str = "truenas_admin"
    tls: ssl.SSLContext | Literal[False] | None = None
    snapshots: int = 1000
    face: Literal["rest", "rpc"] | None = None

    @property
    def secure(self) -> bool:
        """Whether the key is sent to nobody else."""
        return self.url.startswith("https")

    @property
    def on_loopback(self) -> bool:
        """Whether it is this machine."""
        name = urlsplit(self.url).hostname or ""
        try:
            return ipaddress.ip_address(name).is_loopback
        except ValueError:
            return name == "localhost"


async def record(source: Source) -> Capture:
    """Everything a capture holds, as the appliance told it. Raises BadInput, one line, and then nothing is kept."""
    _check(source)
    timeout = aiohttp.ClientTimeout(total=ANSWER_TIMEOUT_S, sock_connect=CONNECT_TIMEOUT_S)
    connector = aiohttp.TCPConnector(ssl=True if source.tls is None else source.tls)
    try:
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
            if source.face != "rpc":
                found = await _over_rest(session, source)
                if found is not None:
                    return found
            async with _rpc(session, source) as rpc:
                return await _capture(rpc, source)
    except aiohttp.ClientConnectorCertificateError as error:
        what = "its certificate is not trusted; name it with --ca-file, or take any with --insecure"
        raise BadInput("--url", source.url, what) from error
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        reason = str(error) or type(error).__name__
        raise BadInput("--url", source.url, f"cannot be recorded: {reason}".replace("\n", " ")) from error


def _check(source: Source) -> None:
    try:
        parts = urlsplit(source.url)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.path in ("", "/")
        _ = parts.port
    except ValueError:
        sound = False
    if not sound:
        raise BadInput("--url", source.url, "write it as https://nas.example, without a path")


@dataclass(frozen=True)
class _Rest:
    session: aiohttp.ClientSession
    source: Source

    async def ask(self, question: Question) -> Any:
        """The answer; None where there is no such thing. Raises BadInput."""
        verb = "GET" if question.body is None else "POST"
        headers = {"Authorization": f"Bearer {self.source.api_key}"}
        url = f"{self.source.url.rstrip('/')}{_API}{question.rest_path}"
        async with self.session.request(
            verb, url, params=question.rest_query(), json=question.body, headers=headers, allow_redirects=False
        ) as answer:
            body = await _bounded(answer, question.method)
            if answer.status == 404:
                return None
            if answer.status == 401:
                raise BadInput("--api-key-file", "", "the appliance does not take this key")
            if answer.status in (403, 422, 500):
                return None
            if answer.status != 200:
                raise BadInput(question.method, answer.status, f"the appliance answered with {answer.status}")
            return _json(body, question.method)


async def _bounded(answer: aiohttp.ClientResponse, method: str) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in answer.content.iter_any():
        size += len(part)
        if size > LARGEST_ANSWER:
            raise BadInput(method, f"{size} bytes", f"an answer larger than {LARGEST_ANSWER >> 20} MiB")
        parts.append(part)
    return b"".join(parts)


def _json(text: bytes | str, method: str) -> Any:
    try:
        value = json.loads(text)
        check_values(value)
    except (ValueError, RecursionError) as error:
        raise BadInput(method, "", f"the appliance answered something that is no JSON of use: {error}") from error
    return value


async def _over_rest(session: aiohttp.ClientSession, source: Source) -> Capture | None:
    rest = _Rest(session, source)
    url = f"{source.url.rstrip('/')}{_API}/core/ping"
    async with session.get(url, headers={"Authorization": f"Bearer {source.api_key}"}, allow_redirects=False) as answer:
        status, location = answer.status, answer.headers.get("Location", "")
    if status in (301, 307, 308) and location.startswith("https://"):
        raise BadInput("--url", source.url, "the appliance wants https; use that")
    if status == 404 and source.face is None:
        return None
    if status == 401:
        raise BadInput("--api-key-file", "", "the appliance does not take this key")
    return await _capture(rest, source)


class _Rpc:
    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._asked = 0

    async def call(self, method: str, params: list[Any]) -> dict[str, Any]:
        """The whole reply."""
        self._asked += 1
        await self._socket.send_json({"jsonrpc": "2.0", "id": self._asked, "method": method, "params": params})
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            while True:
                message = await self._socket.receive()
                if message.type is not aiohttp.WSMsgType.TEXT:
                    raise BadInput(method, "", "the appliance closed the connection")
                reply = _json(message.data, method)
                if isinstance(reply, dict) and reply.get("id") == self._asked:
                    return reply

    async def ask(self, question: Question) -> Any:
        """The answer; None where there is no such thing, or it would not tell."""
        reply = await self.call(question.method, question.rpc_params())
        return reply.get("result")


@asynccontextmanager
async def _rpc(session: aiohttp.ClientSession, source: Source) -> AsyncIterator[_Rpc]:
    if not source.secure and not source.on_loopback:
        raise BadInput("--url", source.url, "over ws:// the appliance would revoke this API key; use https")
    url = f"ws{source.url.rstrip('/').removeprefix('http')}/api/current"
    async with session.ws_connect(url, max_msg_size=LARGEST_ANSWER) as socket:
        rpc = _Rpc(socket)
        login = {"mechanism": "API_KEY_PLAIN", "username": source.username, "api_key": source.api_key}
        reply = await rpc.call("auth.login_ex", [login])
        result = reply.get("result")
        if not isinstance(result, Mapping) or result.get("response_type") != "SUCCESS":
            told = result.get("response_type") if isinstance(result, Mapping) else "an error"
            raise BadInput("--api-key-file", "", f"the appliance refused the login of {source.username}: {told}")
        yield rpc


async def _capture(face: _Rest | _Rpc, source: Source) -> Capture:
    info = await face.ask(Question("system.info", shape="object"))
    if not isinstance(info, dict) or not isinstance(info.get("version"), str):
        raise BadInput(
            "system.info", "", "the appliance does not tell its version; is the key valid, and may it read that?"
        )
    release: Release = release_like(info["version"])
    answers: dict[str, Any] = {"system.info": info}
    for question in questions(release.dialect, source.snapshots):
        if question.method not in answers:
            answers[question.method] = _shaped(question, await face.ask(question))
    at = info.get("datetime")
    at_ms = at.get("$date") if isinstance(at, dict) else None
    if not isinstance(at_ms, int):
        raise BadInput("system.info", "", "the appliance does not tell its time")
    return Capture(release.name, info["version"], at_ms, answers)


def _shaped(question: Question, answer: Any) -> Any:
    if answer is not None and not isinstance(answer, _SHAPES[question.shape]):
        raise BadInput(question.method, "", "the appliance answered in a shape that was not expected")
    return answer
