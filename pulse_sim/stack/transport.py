"""The HTTP session of one connection: TLS policy, deadlines for connecting, and a count of its open sockets.

Knows nothing of the TrueNAS API.
"""

import base64
import ssl
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import aiohttp
from yarl import URL

from pulse_sim.stack.connection import Connection

if TYPE_CHECKING:
    from aiohttp.client_proto import ResponseHandler

USER_AGENT: Final = "pulse-sim"
KEEPALIVE_S: Final = 15.0
_NEVER_ROUNDED: Final = 1e9  # aiohttp rounds longer deadlines up to whole seconds; ours are exact


class CountedConnector(aiohttp.TCPConnector):
    """A connector that can say how many of its connections are open."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._made: list[ResponseHandler] = []

    async def _create_connection(self, req: Any, traces: Any, timeout: Any) -> "ResponseHandler":
        self._made = [made for made in self._made if made.is_connected()]
        made = await super()._create_connection(req, traces, timeout)
        self._made.append(made)
        return made

    def open_connections(self) -> int:
        """Connections whose transport is not closed."""
        return sum(made.is_connected() for made in self._made)


@lru_cache(maxsize=2)  # reading the machine's certificates takes longer than a whole poll
def tls_context(skip_verify: bool) -> ssl.SSLContext:
    """TLS 1.2 or later; with skip-verify neither chain nor name is checked."""
    if skip_verify:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context
    return verifying_context()


def verifying_context() -> ssl.SSLContext:
    """TLS 1.2 or later to a host whose name and chain the machine's authorities vouch for, as they are now."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def authorization(connection: Connection) -> str:
    """The Authorization header: the API key as bearer, otherwise Basic."""
    if connection.api_key:
        return f"Bearer {connection.api_key}"
    pair = f"{connection.username}:{connection.password}".encode()
    return "Basic " + base64.b64encode(pair).decode("ascii")


def base_url(connection: Connection) -> URL:
    """``https://nas:443/api/v2.0``."""
    scheme = "https" if connection.use_https else "http"
    return URL.build(scheme=scheme, host=connection.host, port=connection.effective_port) / "api" / "v2.0"


def open_session(
    connection: Connection,
    connect_s: float | None,
    *,
    authorized: bool = True,
    tracing: list[aiohttp.TraceConfig] | None = None,
) -> tuple[aiohttp.ClientSession, CountedConnector]:
    """A session that sends the connection's credentials, unless not `authorized`, and follows nothing by itself.

    Connecting, name lookup and TLS handshake included, takes at most `connect_s` seconds. With a fingerprint the leaf
    certificate must match it; without skip-verify it must be trusted as well.
    """
    pin = aiohttp.Fingerprint(bytes.fromhex(connection.fingerprint)) if connection.fingerprint else True
    connector = CountedConnector(
        ssl=pin,
        limit=4,
        use_dns_cache=False,  # a name is looked up once per connection, so a moved appliance is found again at once
        keepalive_timeout=KEEPALIVE_S,
        timeout_ceil_threshold=_NEVER_ROUNDED,
    )
    headers = {"User-Agent": USER_AGENT, "Accept": "application/json", "Accept-Encoding": "identity"}
    session = aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={**headers, "Authorization": authorization(connection)} if authorized else headers,
        trace_configs=tracing,
        timeout=aiohttp.ClientTimeout(total=None, connect=connect_s, sock_read=None, ceil_threshold=_NEVER_ROUNDED),
        trust_env=False,
    )
    return session, connector
