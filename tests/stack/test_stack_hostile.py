"""No answer makes a poll raise anything but a counted error, lose a resource, or show a key (contract A2, A3)."""

import asyncio
import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_sim.kernel import Host, Simulation
from pulse_sim.stack.assembly import Seams, Stack
from pulse_sim.stack.errors import AnswerUnusable, Classifier, MonitorError
from pulse_sim.stack.fetcher import ApiFetcher, FixtureFetcher, Retries
from pulse_sim.stack.provider import Provider
from tests.stack.stackbed import REBOUND, START_NS

POOL = {"id": 1, "name": "tank", "status": "ONLINE", "healthy": True, "size": 100, "allocated": 10, "free": 90,
        "scan": {"function": "SCRUB", "state": "FINISHED", "percentage": 100.0, "errors": 0},
        "topology": {"data": [{"type": "DISK", "status": "ONLINE", "disk": "sda", "children": [], "unavail_disk": None,
                               "stats": {"read_errors": 0, "write_errors": 0, "checksum_errors": 0}}]}}  # fmt: skip
ANSWERS: dict[str, Any] = {
    "system": {"version": "24.10.2", "hostname": "nas", "loadavg": [0.1], "physmem": 5, "uptime_seconds": 9.5},
    "pools": [POOL],
    "datasets": [{"name": "tank", "pool": "tank", "type": "FILESYSTEM", "mountpoint": "/mnt/tank", "locked": False,
                  "used": {"parsed": 1, "rawvalue": "1"}, "readonly": {"parsed": False, "rawvalue": "off"}}],
    "disks": [{"name": "sda", "serial": "S1", "size": 1, "bus": "ATA"}],
    "alerts": [{"uuid": "u", "level": "WARNING", "formatted": "tank", "args": {"volume": "tank"}, "dismissed": False,
                "datetime": {"$date": 1}}],
}  # fmt: skip
EXPECTED = {"system:n", "system:n/pool:tank", "system:n/dataset:tank", "system:n/disk:sda"}


def paths(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(path for key, each in inner for path in paths(each, (*at, key)))]


def with_change(path: tuple[Any, ...], put: Any) -> dict[str, Any]:
    changed = json.loads(json.dumps(ANSWERS))
    spot = changed
    for key in path[:-1]:
        spot = spot[key]
    spot[path[-1]] = put
    return dict(changed)


PUTS: list[Any] = [None, True, -1, 0.5, 1e308, 10**400, "", "x", "\ud800", [], {}, [None], {"$date": "x"},
                   {"parsed": {}}, [[[]]], float("nan"), float("inf")]  # fmt: skip
SPOTS = [path for path in paths(ANSWERS) if path and path[-1] not in ("name", "mountpoint")]


@settings(deadline=None)
@given(path=st.sampled_from(SPOTS), put=st.sampled_from(PUTS))
def test_a_changed_field_makes_the_answer_unusable_or_costs_no_resource(path: tuple[Any, ...], put: Any) -> None:
    emptied = len(path) == 1 and put == []
    try:
        snapshot = asyncio.run(FixtureFetcher(with_change(path, put)).fetch())
    except AnswerUnusable:
        return
    found = {record.source_id for record in Provider("n").records(snapshot)}
    assert found == EXPECTED or emptied


class Answering:
    """A client whose answers are given; its errors are those of the real one."""

    instance = "n"

    def __init__(self, answer: Callable[[], Any]) -> None:
        self._answer = answer

    def error(self, failure: BaseException, op: str) -> Exception:
        return Classifier().error(failure, op, "n", 0)

    async def system_info(self) -> Any:
        return ANSWERS["system"]

    async def anything(self) -> Any:
        return self._answer()

    pools = disks = alerts = datasets = anything


class NoWaiting:
    def time(self) -> float:
        return 0.0

    async def sleep_until(self, when: float) -> None:
        return None


@settings(deadline=None)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
                    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))  # fmt: skip
def test_a_poll_raises_nothing_but_monitor_errors(answer: Any) -> None:
    from pulse_sim.stack.deadlines import Deadlines

    fetcher = ApiFetcher(Answering(lambda: answer), NoWaiting(), Retries(Deadlines()))  # type: ignore[arg-type]
    try:
        asyncio.run(fetcher.fetch())
    except MonitorError:
        return
    assert answer == []


def http(body: bytes, *headers: str, status: str = "200 OK", length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    head = [f"HTTP/1.1 {status}", "Content-Type: application/json", f"Content-Length: {size}", *headers]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


BOMB = gzip.compress(b"[" + b" " * 20_000_000 + b"]", mtime=0)
CASES = {
    "nothing": (b"", "connection"),
    "garbage": (b"\x00\xff\x13garbage\r\n\r\n", "api"),
    "bad status line": (b"HTTP/9 banana\r\n\r\n", "api"),
    "endless header": (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000 + b"\r\n\r\n", "api"),
    "not json": (http(b"<html>"), "api"),
    "latin-1": (http(b'{"version":"\xff"}'), "api"),
    "wrong type": (http(b'"pong"'), "api"),
    "deep": (http(b"[" * 100_000), "api"),
    "long integer": (http(b'{"version":"x","physmem":' + b"1" * 10_000 + b"}"), "api"),
    "too long": (http(b"[" + b" " * 5_000_000 + b"]"), "api"),
    "promised too long": (http(b"[]", length=10**12), "api"),
    "chunked without end": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"100000\r\n" + b" " * 0x100000
                            + b"\r\n" + b"100000\r\n" + b" " * 50, "api"),
    "bomb": (http(BOMB, "Content-Encoding: gzip"), "api"),
    "broken gzip": (http(b"\x1f\x8bnot", "Content-Encoding: gzip"), "api"),
    "short": (http(b"[]", length=50), "api"),
    "redirect": (http(b"", "Location: http://elsewhere/", status="302 Found"), "api"),
    "echoed key": (http(b'{"message":"1-PSIMSECRET is bad"}', status="401 Unauthorized"), "auth"),
    "long error": (http(b"x" * 3_000_000, status="500 No"), "api"),
    "empty error": (http(b"", status="503 No"), "api"),
}  # fmt: skip


async def listen(host: Host, answer: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            await writer.drain()
            writer.close()
        except (ConnectionError, asyncio.IncompleteReadError):
            writer.close()

    await asyncio.start_server(serve, host.address, 80)


@pytest.mark.parametrize("name", CASES)
def test_a_hostile_answer_is_one_counted_error_and_the_stack_goes_on(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer, error_type = CASES[name]
    sim = Simulation(1, START_NS, rebind=REBOUND)
    pulse, nas = sim.host("pulse"), sim.host("nas")
    environ = {"PULSE_ENABLE_TRUENAS": "1", "PULSE_DATA_DIR": "/data"}

    async def story() -> bytes:
        await nas.run(listen(nas, answer))
        disk = sim.disk("pulse")
        disk.make_directory("/data", 0o700)
        record = {"id": "n", "host": "nas", "port": 80, "useHttps": False, "apiKey": "1-PSIMSECRET"}
        disk.write("/data/truenas.enc", json.dumps([record]).encode(), 0o600)
        stack = Stack(environ, Seams(pulse.clock, sim.entropy("e"), sim.stream, disk))
        await stack.start()
        await asyncio.sleep(100)
        text = stack._metrics.render()
        await stack.stop()
        return text

    text = sim.run(story(), host=pulse).decode()
    counted = [line for line in text.splitlines() if line.startswith("pulse_monitor_poll_errors_total")]
    nonzero = {line.split('error_type="')[1].split('"')[0] for line in counted if not line.endswith(" 0.0")}
    assert nonzero == {error_type}
    assert 'pulse_monitor_poll_total{instance="n",instance_type="truenas",result="error"} 2.0' in text
    assert not sim.unhandled
    assert "PSIMSECRET" not in text + caplog.text


def test_an_appliance_that_echoes_the_key_does_not_get_it_into_the_resources() -> None:
    from pulse_sim.stack.client import Client

    client = Client.__new__(Client)
    client._secrets, client._answers = [b"1-PSIMSECRET"], {}
    assert client._parsed("/pool", b'[{"name":"1-PSIMSECRET"}]') == [{"name": "********"}]
