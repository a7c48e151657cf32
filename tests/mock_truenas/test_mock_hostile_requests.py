"""Whatever comes in: no 500 that nobody asked for, nothing in the log, nothing left for the loop to complain about."""

import asyncio
import contextlib
import logging
import string

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mock_truenas.api.routes import routes_of
from mock_truenas.appliance.releases import RELEASES
from tests.mock_truenas.wire import API, Served, serving

# What ends the appliance for a while would leave nobody to answer the clean request that follows.
_ENDINGS = ("/system/reboot", "/system/shutdown")
ROUTES = {path: routes for path, routes in routes_of(RELEASES["24.10"].dialect).items() if path not in _ENDINGS}
_PRINTABLE = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=40)
_SEGMENTS = st.lists(st.sampled_from(["id", "pool", "%2F", "..", "", "%00", "%ff", "{id}", "tank"]), max_size=4)
_SERVED = st.sampled_from([API + path for path in ROUTES])
_PATHS = st.one_of(
    _SERVED,
    _SERVED,
    _SERVED,
    st.builds(lambda path, segments: API + "/".join([path, *segments]), st.sampled_from(list(ROUTES)), _SEGMENTS),
    st.builds(lambda text: "/" + text, _PRINTABLE),
    st.sampled_from(["*", "http://nas/api/v2.0/pool", "nas:443", "//", "/?", "http://"]),
)
_WORDS = st.sampled_from(
    [
        *("limit", "offset", "count", "sort", "extra.flat", "extra.properties", "extra.", "__", "%5B"),
        *("name", "name__regex", "size__gt", "name__in", "name__rin", "name__C", "size__^", "children__nin"),
        *("scan.state__lt", "id__!$"),
    ]
)
_VALUES = st.one_of(
    st.sampled_from(
        ["1", "-1", "9" * 30, "9" * 5000, "true", "null", "[", '["used"]', "{}", "NaN", "%ff", "(", "(?i)a", "[[a"]
    ),
    _PRINTABLE.map(lambda text: text.replace("#", "").replace("&", "")),
)
_QUERIES = st.lists(st.tuples(_WORDS, _VALUES), max_size=4).map(
    lambda pairs: "&".join(f"{name}={value}" for name, value in pairs)
)
_ODD_HEADERS = st.dictionaries(
    st.sampled_from(
        ["Authorization", "Host", "Accept", "Upgrade", "Connection", "Expect", "Content-Type", "Range", "X-A"]
    ),
    st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=30),
    max_size=4,
)
_HEADERS: st.SearchStrategy[dict[str, str]] = st.one_of(st.just({}), st.just({}), _ODD_HEADERS)
_BODIES = st.one_of(
    st.just(b""),
    st.binary(max_size=60),
    st.sampled_from(
        [b'{"names": ["sda"]}', b'{"names": 1}', b'{"names": [1]}', b"[" * 5000, b'"\\ud800"', b"1e999", b"null"]
    ),
)
# Blank lines before a request are skipped (RFC 9112, 2.2): nothing else, and the server rightly goes on waiting.
_NO_REQUEST = st.one_of(
    st.binary(min_size=1, max_size=200), st.text(string.printable, min_size=1, max_size=200).map(str.encode)
).filter(lambda data: data.strip(b"\r\n"))
_METHODS = st.sampled_from(["GET", "GET", "GET", "POST", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "CONNECT", "BREW"])

pytestmark = pytest.mark.usefixtures("quiet")


@pytest.fixture
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "mock_truenas")
    caplog.set_level(logging.INFO, "aiohttp")


async def _status(served: Served, data: bytes) -> int | None:
    """The status of the answer to raw bytes; None when there was none. Always followed by a clean request."""
    reader, writer = await served.connect()
    writer.write(data)
    with contextlib.suppress(ConnectionResetError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        if writer.can_write_eof():
            writer.write(b"\r\n\r\n")
        line = await asyncio.wait_for(reader.readuntil(b"\r\n"), 5)
        writer.transport.abort()
        assert (await served.ask(f"{API}/core/ping")).body == b'"pong"'
        return int(line.split()[1])
    writer.transport.abort()
    return None


def _noise(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name.startswith(("mock_truenas", "aiohttp"))]


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_METHODS, _PATHS, _QUERIES, _HEADERS, _BODIES)
def test_no_request_gets_an_unasked_500(
    caplog: pytest.LogCaptureFixture, method: str, path: str, query: str, headers: dict[str, str], body: bytes
) -> None:
    async def rehearse() -> None:
        async with serving("small-office") as served:
            target = f"{path}?{query}" if query else path
            status = await _status(served, served.request(target, method, headers, body))
            assert status is None or status < 500 or (status, path) == (501, "/websocket")

    asyncio.run(rehearse())
    assert _noise(caplog) == []


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from([path for path in ROUTES if "{" not in path]), _QUERIES)
def test_query_string_of_a_served_path_is_answered_or_refused(
    caplog: pytest.LogCaptureFixture, path: str, query: str
) -> None:
    async def rehearse() -> None:
        async with serving("small-office") as served:
            method = next(iter(ROUTES[path]))
            reply = await served.ask(f"{API}{path}?{query}", method)
            assert reply.status in (200, 400, 414, 422), reply
            assert reply.status == 200 or reply.header("Content-Type") is not None

    asyncio.run(rehearse())
    assert _noise(caplog) == []


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_NO_REQUEST)
def test_bytes_that_are_no_request_harm_nobody(caplog: pytest.LogCaptureFixture, data: bytes) -> None:
    async def rehearse() -> None:
        async with serving() as served:
            status = await _status(served, data)
            assert status is None or status < 500

    asyncio.run(rehearse())
    assert _noise(caplog) == []


@pytest.mark.parametrize("blank", [b"\n", b"\r", b"\r\n\r\n"])
def test_blank_lines_before_a_request_are_skipped(caplog: pytest.LogCaptureFixture, blank: bytes) -> None:
    async def rehearse() -> None:
        async with serving() as served:
            assert await _status(served, blank + served.request(f"{API}/core/ping")) == 200

    asyncio.run(rehearse())
    assert _noise(caplog) == []
