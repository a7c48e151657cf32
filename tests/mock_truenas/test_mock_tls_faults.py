"""Faults of TLS on real loopback sockets, seen by OpenSSL's own client: what it is shown, and why it turns away."""

import asyncio
import contextlib
import logging
import ssl
import warnings

import pytest
from cryptography import x509

from mock_truenas.certificate import Certificates
from mock_truenas.faults import FAULT_KINDS
from mock_truenas.server import MockTrueNAS
from tests.mock_truenas.wire import (
    API,
    START_NS,
    Served,
    SetClock,
    appliance,
    lenient,
    read_reply,
    serving,
    serving_tls,
)

INFO = f"{API}/system/info"
CERTIFICATE_KINDS = ("tls.expired", "tls.not_yet_valid", "tls.wrong_name", "tls.rotated")
# X509_V_ERR_… of openssl-verification-options(1)
EXPIRED, NOT_YET_VALID, HOSTNAME_MISMATCH = 10, 9, 62


def trusting(pem: str) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=pem)


async def shown(served: Served) -> tuple[str, x509.Certificate]:
    """The certificate a new connection is shown."""
    _, writer = await served.connect()
    try:
        der: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    finally:
        writer.transport.abort()
    return ssl.DER_cert_to_PEM_cert(der), x509.load_der_x509_certificate(der)


async def verdict(served: Served, context: ssl.SSLContext) -> int:
    """What OpenSSL's verification says of a new connection; 0 when it is content."""
    try:
        _, writer = await asyncio.open_connection(
            "127.0.0.1", served.nas.port, ssl=context, server_hostname="localhost"
        )
    except ssl.SSLCertVerificationError as error:
        return error.verify_code
    writer.transport.abort()
    return 0


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("tls.expired", EXPIRED),
        ("tls.not_yet_valid", NOT_YET_VALID),
        ("tls.wrong_name", HOSTNAME_MISMATCH),
        ("tls.rotated", 0),
    ],
)
@pytest.mark.asyncio
async def test_a_client_that_trusts_the_issuer_turns_away_for_the_reason_the_kind_names(kind: str, code: int) -> None:
    async with serving_tls() as served:
        served.inject("fault-1", kind)
        pem, _ = await shown(served)
        assert await verdict(served, trusting(pem)) == code


@pytest.mark.parametrize("kind", CERTIFICATE_KINDS)
@pytest.mark.asyncio
async def test_the_certificate_changes_for_new_connections_and_comes_back_with_heal(kind: str) -> None:
    async with serving_tls() as served:
        before, original = await shown(served)
        served.inject("fault-1", kind)
        during, other = await shown(served)
        assert during != before
        assert (other.public_key() == original.public_key()) is (kind != "tls.rotated")
        served.nas.heal("fault-1")
        served.nas.heal("fault-1")
        assert (await shown(served))[0] == before


@pytest.mark.asyncio
async def test_the_years_of_a_certificate_leave_no_doubt_on_any_machine() -> None:
    async with serving_tls() as served:
        for kind, years in (("tls.expired", (2000, 2001)), ("tls.not_yet_valid", (2098, 2099))):
            served.inject("fault-1", kind)
            _, certificate = await shown(served)
            served.nas.heal("fault-1")
            assert (certificate.not_valid_before_utc.year, certificate.not_valid_after_utc.year) == years


@pytest.mark.asyncio
async def test_the_wrong_name_may_be_chosen() -> None:
    async with serving_tls() as served:
        served.inject("fault-1", "tls.wrong_name", name="truenas.example")
        _, certificate = await shown(served)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(name.value) for name in names] == ["truenas.example"]


@pytest.mark.parametrize("kind", [kind.name for kind in FAULT_KINDS.values() if kind.needs_tls])
@pytest.mark.asyncio
async def test_no_fault_of_tls_writes_a_log_line(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with serving_tls() as served:
        served.inject("fault-1", kind)
        with contextlib.suppress(ssl.SSLError, TimeoutError):
            await asyncio.wait_for(served.ask(INFO), 0.2)
        served.nas.heal("fault-1")
        assert (await served.ask(INFO)).status == 200
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.INFO] == []


@pytest.mark.parametrize("kind", [kind.name for kind in FAULT_KINDS.values() if kind.needs_tls])
@pytest.mark.asyncio
async def test_an_open_connection_goes_on(kind: str) -> None:
    async with serving_tls() as served:
        reader, writer = await served.connect()
        statuses = []
        for _ in range(2):
            writer.write(served.request(INFO))
            statuses.append((await read_reply(reader)).status)
            if len(statuses) == 1:
                served.inject("fault-1", kind)
        writer.transport.abort()
        assert statuses == [200, 200]


@pytest.mark.asyncio
async def test_a_stalled_handshake_is_silence_and_the_next_after_healing_is_answered() -> None:
    async with serving_tls() as served:
        served.inject("fault-1", "tls.stalled")
        reader, writer = await asyncio.open_connection("127.0.0.1", served.nas.port)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        hello = lenient().wrap_bio(incoming, outgoing, server_hostname="localhost")
        with pytest.raises(ssl.SSLWantReadError):
            hello.do_handshake()
        writer.write(outgoing.read())
        await writer.drain()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.2)
        writer.transport.abort()
        served.nas.heal("fault-1")
        assert (await served.ask(INFO)).status == 200


@pytest.mark.asyncio
async def test_a_client_of_today_gets_the_alert_protocol_version_from_an_old_server() -> None:
    async with serving_tls() as served:
        served.inject("fault-1", "tls.old_version")
        with pytest.raises(ssl.SSLError, match="TLSV1_ALERT_PROTOCOL_VERSION"):
            await served.connect()
        served.nas.heal("fault-1")
        assert (await served.ask(INFO)).status == 200


@pytest.mark.asyncio
async def test_a_client_that_still_speaks_tls_1_1_is_served_by_an_old_server() -> None:
    async with serving_tls() as served:
        served.inject("fault-1", "tls.old_version")
        assert served.client_tls is not None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            served.client_tls.minimum_version = ssl.TLSVersion.TLSv1
        served.client_tls.set_ciphers("DEFAULT:@SECLEVEL=0")
        _, writer = await served.connect()
        version = writer.get_extra_info("ssl_object").version()
        writer.transport.abort()
        assert version == "TLSv1.1"


@pytest.mark.asyncio
async def test_overlapping_faults_end_one_by_one_and_the_later_certificate_wins() -> None:
    async with serving_tls() as served:
        served.inject("first", "tls.expired")
        served.inject("second", "tls.rotated")
        served.inject("third", "tls.expired")
        seen = [(await shown(served))[1].not_valid_after_utc.year]
        for fault_id in ("third", "first", "second"):
            served.nas.heal(fault_id)
            seen.append((await shown(served))[1].not_valid_after_utc.year)
    assert seen == [2001, 2099, 2099, 2099]


@pytest.mark.asyncio
async def test_an_old_version_shows_through_a_later_certificate_and_silence_through_both() -> None:
    async with serving_tls() as served:
        served.inject("old", "tls.old_version")
        served.inject("expired", "tls.expired")
        with pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"):
            await served.connect()
        served.inject("stalled", "tls.stalled")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(served.connect(), 0.2)


@pytest.mark.asyncio
async def test_a_fault_of_tls_is_refused_by_a_nas_without_it_and_leaves_nothing_behind() -> None:
    async with serving() as served:
        with pytest.raises(ValueError, match=r"tls\.expired needs a NAS that serves TLS"):
            served.inject("fault-1", "tls.expired")
        served.inject("fault-1", "http.status", status=503)
        assert (await served.ask(INFO)).status == 503


@pytest.mark.asyncio
async def test_a_nas_that_was_given_a_context_only_makes_the_certificates_of_faults_itself() -> None:
    clock = SetClock()
    context = Certificates("localhost", START_NS / 1e9).context()
    nas = MockTrueNAS(appliance(clock=clock), clock=clock, journal=lambda _: None, ssl_context=context)
    await nas.start("127.0.0.1", 0)
    nas.inject("fault-1", "tls.expired", FAULT_KINDS["tls.expired"].parameters())
    _, writer = await asyncio.open_connection("127.0.0.1", nas.port, ssl=lenient())
    der: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.transport.abort()
    await nas.stop()
    assert x509.load_der_x509_certificate(der).not_valid_after_utc.year == 2001


@pytest.mark.asyncio
async def test_plain_http_on_the_port_of_tls_gets_the_page_that_says_so() -> None:
    async with serving_tls() as served:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.nas.port)
        writer.write(served.request(INFO))
        reply = await asyncio.wait_for(read_reply(reader), 5)
        writer.transport.abort()
        assert (reply.status, reply.reason, reply.header("Content-Type")) == (400, "Bad Request", "text/html")
        assert (reply.header("Server"), reply.header("Connection")) == ("nginx", "close")
        assert reply.body == (
            b"<html>\r\n<head><title>400 The plain HTTP request was sent to HTTPS port</title></head>\r\n<body>\r\n"
            b"<center><h1>400 Bad Request</h1></center>\r\n"
            b"<center>The plain HTTP request was sent to HTTPS port</center>\r\n"
            b"<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
        )
        assert (await served.ask(INFO)).status == 200


@pytest.mark.asyncio
async def test_a_rotation_with_a_reload_of_the_front_resets_live_connections() -> None:
    async with serving_tls() as served:
        before, _ = await shown(served)
        reader, writer = await served.connect()
        writer.write(served.request(INFO))
        assert (await read_reply(reader)).status == 200
        served.inject("fault-1", "tls.rotated", reload=True)
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.transport.abort()
        during, _ = await shown(served)
        assert during != before
        served.nas.heal("fault-1")
        assert (await shown(served))[0] == before
        assert (await served.ask(INFO)).status == 200
