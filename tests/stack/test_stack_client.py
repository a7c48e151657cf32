"""Contract A2: what the client sends, how it is identified, and what it never follows or trusts."""

import base64
import json
from dataclasses import replace
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from pulse_sim.kernel import Host, Simulation
from pulse_sim.kernel.certificate import self_signed
from pulse_sim.stack.client import Client
from pulse_sim.stack.connection import Connection
from pulse_sim.stack.deadlines import Deadlines
from pulse_sim.stack.errors import Classifier, MonitorError
from pulse_sim.stack.runtime import Runtime
from tests.stack.stackbed import REBOUND, START_NS, Bed

PLAIN = Connection(id="n", host="nas", port=80, use_https=False, api_key="1-PSIMSECRET")


class Recording:
    """An appliance that remembers requests and answers with `answers[path]`, a status or JSON."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers = answers
        self.seen: list[tuple[str, str, dict[str, str]]] = []

    async def open(self, host: Host) -> None:
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(application, access_log=None, handle_signals=False)
        await runner.setup()
        await web.TCPSite(runner, host.address, 80).start()

    async def _answer(self, request: web.Request) -> web.Response:
        self.seen.append((request.method, request.raw_path, dict(request.headers)))
        found = self.answers.get(request.path.removeprefix("/api/v2.0"), [])
        if callable(found):
            found = found(request)
        if isinstance(found, web.Response):
            return found
        return web.json_response(found)


def run_client(answers: dict[str, Any], connection: Connection, ask: Any, *others: str) -> tuple[Recording, Any]:
    sim = Simulation(1, START_NS, rebind=REBOUND)
    pulse, nas = sim.host("pulse"), sim.host("nas")
    recordings = Recording(answers)

    async def story() -> Any:
        await nas.run(recordings.open(nas))
        runtime = Runtime()
        client = Client(connection, runtime, pulse.clock, deadlines=Deadlines(), classifier=Classifier())
        try:
            return await ask(client)
        except MonitorError as error:
            return error
        finally:
            await client.close()
            await client.close()
            assert runtime.open_connections == 0

    return recordings, sim.run(story(), host=pulse)


def test_a_request_carries_our_name_no_compression_and_the_key() -> None:
    recording, _ = run_client({}, PLAIN, lambda client: client.pools())
    ((method, path, headers),) = recording.seen
    assert (method, path) == ("GET", "/api/v2.0/pool")
    assert headers["User-Agent"] == "pulse-sim"
    assert headers["Accept-Encoding"] == "identity"
    assert headers["Authorization"] == "Bearer 1-PSIMSECRET"


def test_without_a_key_user_name_and_password_are_sent_as_basic() -> None:
    connection = replace(PLAIN, api_key="", username="root", password="p\u00e4ss:word")
    recording, _ = run_client({}, connection, lambda client: client.disks())
    scheme, _, value = recording.seen[0][2]["Authorization"].partition(" ")
    assert (scheme, base64.b64decode(value).decode()) == ("Basic", "root:p\u00e4ss:word")


def test_datasets_are_asked_for_in_pages_with_only_the_mapped_properties() -> None:
    everything = [{"name": f"p{at}"} for at in range(1203)]

    def page(request: web.Request) -> Any:
        offset, limit = int(request.query["offset"]), int(request.query["limit"])
        return everything[offset : offset + limit]

    recording, found = run_client({"/pool/dataset": page}, PLAIN, lambda client: client.datasets())
    assert found == everything
    queries = [parse_qs(urlsplit(path).query) for _, path, _ in recording.seen]
    assert [(query["limit"], query["offset"]) for query in queries] == [
        (["500"], ["0"]), (["500"], ["500"]), (["500"], ["1000"]),
    ]  # fmt: skip
    assert {query["extra.flat"][0] for query in queries} == {"false"}
    assert "used" in json.loads(queries[0]["extra.properties"][0])


def test_a_redirect_is_not_followed() -> None:
    moved = web.Response(status=307, headers={"Location": "http://nas/api/v2.0/disk"})
    recording, error = run_client({"/pool": lambda _: moved}, PLAIN, lambda client: client.pools())
    assert (error.type, error.status_code, error.retryable) == ("api", 307, False)
    assert len(recording.seen) == 1


def test_the_same_body_is_not_parsed_twice() -> None:
    async def twice(client: Client) -> tuple[Any, Any]:
        return await client.pools(), await client.pools()

    _, (first, second) = run_client({"/pool": [{"name": "tank"}]}, PLAIN, twice)
    assert first is second


def test_an_answer_that_is_no_truenas_fails_the_test() -> None:
    _, error = run_client({"/system/info": {"hello": 1}}, PLAIN, lambda client: client.test())
    assert (error.type, error.retryable) == ("api", False)


def fingerprint_of(bed: Bed, name: str) -> str:
    """The pin an operator would note down: the same seeded certificate the bed serves."""
    pem, _ = self_signed(Simulation(7, START_NS).entropy(f"tls {name}"), [name])
    return sha256(x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)).hexdigest()


@pytest.mark.parametrize(
    ("pinned", "skip_verify", "error_type"),
    [
        ("right", True, None),
        ("wrong", True, "validation"),
        ("none", True, None),
        ("none", False, "validation"),
        ("right", False, "validation"),  # the pin narrows trust, it does not replace it
    ],
)
def test_pin_and_skip_verify(pinned: str, skip_verify: bool, error_type: str | None) -> None:
    async def story(bed: Bed) -> None:
        pin = {"right": fingerprint_of(bed, "nas-1"), "wrong": "ab" * 32, "none": ""}[pinned]
        await bed.start()
        await bed.add(fingerprint=pin, insecureSkipVerify=skip_verify)
        await bed.wait(20)
        assert set(await bed.errors()) == ({error_type} if error_type else set())
        assert await bed.metric("monitor_poll_total", result="success") == (0 if error_type else 1)

    Bed(tls=True).run(story)
