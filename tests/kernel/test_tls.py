"""HTTPS with a self-signed certificate through the standard library's own TLS."""

import asyncio
import ssl

import aiohttp
import pytest
from aiohttp import web

from pulse_sim.kernel import LinkFault, Trace
from pulse_sim.kernel.certificate import self_signed, server_context
from tests.kernel.testbed import Bench, hello


def _pair(bench: Bench, name: str = "nas-1") -> tuple[bytes, bytes]:
    return self_signed(bench.sim.entropy("certificate"), [name], [bench.nas.address])


def _get(bench: Bench, url: str, tls: object, *, name: str = "nas-1") -> tuple[int, str]:
    async def client() -> tuple[int, str]:
        async with aiohttp.ClientSession() as session, session.get(url, ssl=tls) as response:  # type: ignore[arg-type]
            return response.status, await response.text()

    async def main() -> tuple[int, str]:
        await bench.serve(hello, port=443, ssl_context=server_context(*_pair(bench, name)))
        return await bench.pulse.run(client())

    return bench.sim.run(main())


def test_an_untouched_session_reads_https_when_told_not_to_verify(bench: Bench) -> None:
    assert _get(bench, "https://nas-1/", False) == (200, "hello")


def test_a_client_that_trusts_the_certificate_verifies_name_and_address(bench: Bench) -> None:
    certificate, _ = self_signed(Bench().sim.entropy("certificate"), ["nas-1"], [bench.nas.address])
    context = ssl.create_default_context(cadata=certificate.decode())
    assert _get(bench, "https://nas-1/", context) == (200, "hello")


def test_an_unverifiable_certificate_is_a_certificate_error(bench: Bench) -> None:
    with pytest.raises(aiohttp.ClientConnectorCertificateError):
        _get(bench, "https://nas-1/", True)


def test_a_wrong_fingerprint_is_a_mismatch_not_an_attribute_error(bench: Bench) -> None:
    with pytest.raises(aiohttp.ServerFingerprintMismatch):
        _get(bench, "https://nas-1/", aiohttp.Fingerprint(b"\0" * 32))


def test_plain_text_to_a_tls_port_fails_at_once(bench: Bench) -> None:
    with pytest.raises(aiohttp.ClientError):
        _get(bench, "http://nas-1:443/", False)


def test_a_large_body_crosses_tls_whole_in_both_directions(bench: Bench) -> None:
    async def echo(request: web.Request) -> web.Response:
        return web.Response(body=await request.read())

    async def client() -> bool:
        body = bytes(range(256)) * 4_000
        async with (
            aiohttp.ClientSession() as session,
            session.post("https://nas-1/", data=body, ssl=False) as response,
        ):
            return await response.read() == body

    async def main() -> bool:
        runner = await bench.serve(echo, port=443, ssl_context=server_context(*_pair(bench)))
        runner.app._client_max_size = 1 << 22
        return await bench.pulse.run(client())

    assert bench.sim.run(main())


def test_the_trace_of_tls_is_the_same_although_its_ciphertext_is_not() -> None:
    digests = set()
    for _ in range(3):
        bench = Bench(trace=Trace())
        _get(bench, "https://nas-1/", False)
        digests.add(bench.sim.trace.digest())
    assert len(digests) == 1


@pytest.mark.parametrize("accepts", [True, False], ids=["plain server", "never accepting server"])
def test_nor_does_it_show_in_the_trace_of_an_end_that_speaks_no_tls(accepts: bool) -> None:
    """A ClientHello is mostly random bytes, wherever it arrives."""

    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async def client() -> None:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=3)) as session:
            with pytest.raises(TimeoutError):
                await session.get("https://nas-1/", ssl=False)

    async def main(bench: Bench) -> None:
        await bench.nas.run(asyncio.start_server(swallow, "", 443))
        if not accepts:
            bench.sim.network.apply("f", LinkFault("unaccepted"), dst="nas-1")
        await bench.pulse.run(client())

    digests = set()
    for _ in range(3):
        bench = Bench(trace=Trace())
        bench.sim.run(main(bench))
        digests.add(bench.sim.trace.digest())
    assert len(digests) == 1


def test_start_tls_upgrades_an_open_connection_and_traces_its_plaintext() -> None:
    def run() -> tuple[bytes, str]:
        bench = Bench()
        serving = server_context(*_pair(bench))
        trusting = ssl.create_default_context()
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            assert await reader.readline() == b"STARTTLS\n"
            writer.write(b"go\n")
            await writer.start_tls(serving)
            writer.write((await reader.readline()).upper())
            writer.close()

        async def client() -> bytes:
            reader, writer = await asyncio.open_connection("nas-1", 9000)
            writer.write(b"STARTTLS\n")
            assert await reader.readline() == b"go\n"
            await writer.start_tls(trusting, server_hostname="nas-1")
            writer.write(b"secret\n")
            answer = await reader.readline()
            writer.close()
            return answer

        async def main() -> bytes:
            await bench.nas.run(asyncio.start_server(serve, "", 9000))
            return await bench.pulse.run(client())

        return bench.sim.run(main()), bench.sim.trace.digest()

    assert run() == run()
    assert run()[0] == b"SECRET\n"
