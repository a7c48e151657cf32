"""``python -m benchmarks.mock_datasets``: what large answers of the mock cost on real sockets, and whom they hold up.

The mock on one core, its clients on the other. While a large answer is made and read, another connection asks for a
small one every 20 ms: its longest wait is what anybody else would notice. Each figure is of a server of its own, so
that its peak memory is too. Writes nothing; ``--json`` prints the figures for a measurement.
"""

import base64
import json
import os
import select
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console

from benchmarks.figures import MeasurementFailed, Samples
from benchmarks.interpreters import ROOT
from benchmarks.mock_serving import mock
from benchmarks.processes import environment
from benchmarks.table import Goal, Row, table

RUNS: Final = 5
API: Final = "/api/v2.0"
PING_S: Final = 0.02
_CLIENT_CORE: Final = "1"
_TIMEOUT_S: Final = 120


class Connection:
    """A keep-alive connection that reads answers as fast as it can and keeps nothing of them."""

    def __init__(self, port: int, key: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT_S)
        self._key = key
        self._room = memoryview(bytearray(1 << 20))

    def get(self, target: str) -> int:
        """Body bytes of an answer, read to its end. Raises MeasurementFailed unless it is a 200."""
        return self._ask("GET", target, b"")

    def post(self, target: str, body: bytes) -> int:
        """The same of a POST."""
        return self._ask("POST", target, body)

    def _ask(self, verb: str, target: str, body: bytes) -> int:
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        head = f"{verb} {target} HTTP/1.1\r\nHost: nas\r\nAuthorization: Bearer {self._key}\r\n{length}\r\n"
        self._socket.sendall(head.encode() + body)
        answer, rest = self._head()
        if not answer.startswith("HTTP/1.1 200"):
            raise MeasurementFailed(f"{target} was not answered well", answer)
        lines = dict(line.lower().split(": ", 1) for line in answer.split("\r\n")[1:] if line)
        size = int(lines["content-length"])
        self._skip(size - rest)
        return size

    def open_socket(self, path: str) -> None:
        """Make it a WebSocket."""
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [f"GET {path} HTTP/1.1", "Host: nas", "Connection: Upgrade", "Upgrade: websocket"]
        lines += ["Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}", "", ""]
        self._socket.sendall("\r\n".join(lines).encode())
        answer, _ = self._head()
        if not answer.startswith("HTTP/1.1 101"):
            raise MeasurementFailed("no WebSocket", answer)

    def call(self, method: str, *params: Any) -> int:
        """Bytes of the message that answers a JSON-RPC call."""
        message = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        # A mask of zeros leaves the message as it is.
        self._socket.sendall(struct.pack("!BBHI", 0x81, 0x80 | 126, len(message), 0) + message)
        size, final = 0, False
        while not final:
            first, second = self._exactly(2)
            final = bool(first & 0x80)
            length = second & 0x7F
            if length >= 126:
                length = int.from_bytes(self._exactly(2 if length == 126 else 8), "big")
            self._skip(length)
            size += length
        return size

    def close(self) -> None:
        """End it."""
        self._socket.close()

    def _head(self) -> tuple[str, int]:
        """The head of an answer, and how many bytes of its body were read with it."""
        data = b""
        while b"\r\n\r\n" not in data:
            more = self._socket.recv(65536)
            if not more:
                raise MeasurementFailed("the mock closed the connection")
            data += more
        head, _, rest = data.partition(b"\r\n\r\n")
        return head.decode(), len(rest)

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            data += self._socket.recv(count - len(data))
        return data

    def _skip(self, count: int) -> None:
        while count > 0:
            got = self._socket.recv_into(self._room[: min(count, len(self._room))])
            if not got:
                raise MeasurementFailed("the mock closed the connection")
            count -= got


@dataclass(frozen=True)
class Large:
    """A large answer: what is asked of which fixture, and its goals in seconds, ms of others' waiting, and MB."""

    key: str
    title: str
    fixture: str
    ask: Callable[[Connection], int]
    most_s: float | None = None
    most_ms: float | None = None
    most_mb: float | None = None
    rpc: bool = False
    prepare: Callable[[Connection], object] | None = None


def ping(port: int, key: str) -> None:
    """Ask for something small every 20 ms until standard input ends, then print how long each answer took."""
    connection = Connection(port, key)
    waits: list[float] = []
    print("ready", flush=True)
    while True:
        began_s = time.perf_counter()
        connection.get(f"{API}/system/version")
        waits.append(time.perf_counter() - began_s)
        rest_s = max(0.0, PING_S - waits[-1])
        if select.select([sys.stdin], [], [], rest_s)[0]:
            break
    print(json.dumps(waits))


@contextmanager
def pinging(port: int, key: str, waits: list[float]) -> Iterator[None]:
    """Pings from a process of its own meanwhile; their waits are added to ``waits`` at the end."""
    command = ["taskset", "-c", _CLIENT_CORE, sys.executable, "-m", "benchmarks.mock_datasets", "--ping", str(port)]
    with subprocess.Popen(
        command, cwd=ROOT, env={**environment(), "KEY": key}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.2)
        yield
        process.stdin.close()
        waits += json.loads(process.stdout.readline())


def measured(large: Large) -> tuple[float, float, float, int]:
    """Seconds an answer took, the longest other wait in ms, the server's peak memory in MB, and the bytes."""
    waits: list[float] = []
    with mock("--release", "25.10", "--fixture", large.fixture) as ((told,), pid):
        port, key = int(told["http"].rpartition(":")[2]), told["api_key"]
        connection = Connection(port, key)
        if large.prepare is not None:
            large.prepare(connection)
        if large.rpc:
            connection.open_socket("/api/current")
            connection.call("auth.login_with_api_key", key)
        with pinging(port, key, waits):
            began_s = time.perf_counter()
            size = large.ask(connection)
            took_s = time.perf_counter() - began_s
        connection.close()
        peak = next(line for line in Path(f"/proc/{pid}/status").read_text("ascii").splitlines() if "VmHWM" in line)
    return took_s, max(waits) * 1000, int(peak.split()[1]) * 1024 / 1e6, size


def _get(target: str) -> Callable[[Connection], int]:
    return lambda connection: connection.get(API + target)


def _take_snapshots(connection: Connection) -> int:
    body = json.dumps({"dataset": "tank", "name": "bench", "recursive": True}).encode()
    return connection.post(f"{API}/pool/snapshot", body)


DATASETS: Final = "many-datasets"
LARGE: Final = (
    Large("datasets", "GET /pool/dataset, 10,000 datasets", DATASETS, _get("/pool/dataset"), 6, 100, 600),
    Large(
        "datasets lean",
        "… ?extra.retrieve_children=false&limit=500",
        DATASETS,
        _get("/pool/dataset?extra.retrieve_children=false&limit=500"),
        0.3,
        100,
    ),
    Large(
        "datasets filtered",
        "… ?type=FILESYSTEM&used.parsed__gt=1000&offset=1&limit=500",
        DATASETS,
        _get("/pool/dataset?type=FILESYSTEM&used.parsed__gt=1000&offset=1&limit=500"),
    ),
    Large("details", "GET /pool/dataset/details", DATASETS, _get("/pool/dataset/details")),
    Large(
        "datasets rpc",
        "pool.dataset.query over JSON-RPC",
        DATASETS,
        lambda connection: connection.call("pool.dataset.query"),
        6,
        100,
        600,
        rpc=True,
    ),
    Large(
        "snapshots",
        "GET /pool/snapshot, 10,000 snapshots",
        DATASETS,
        _get("/pool/snapshot"),
        6,
        100,
        600,
        prepare=_take_snapshots,
    ),
    Large("disks", "GET /disk, 1,200 disks", "datacenter", _get("/disk"), 1, 100),
    Large("pools", "GET /pool, 1,200 disks", "datacenter", _get("/pool"), 1, 100),
)


def rows(runs: int) -> Iterator[Row]:
    """Each large answer: time, the longest wait of others, peak memory; median of ``runs``."""
    for large in LARGE:
        print(f"{large.key} …", file=sys.stderr)
        took, waits, peaks, sizes = zip(*(measured(large) for _ in range(runs)), strict=True)
        title = f"{large.title}, {sizes[0] / 1e6:.1f} MB"
        yield Row(large.key, title, "s", Goal(at_most=large.most_s), Samples(took))
        yield Row(f"{large.key} wait", "longest wait of others", "ms", Goal(at_most=large.most_ms), Samples(waits))
        yield Row(f"{large.key} memory", "peak memory", "MB", Goal(at_most=large.most_mb), Samples(peaks))


@click.command()
@click.option("--quick", is_flag=True, help="One run of everything.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@click.option("--ping", "port", type=int, hidden=True)
def main(*, quick: bool, as_json: bool, port: int | None) -> None:
    """Measure, and print each figure beside its goal."""
    if port is not None:
        ping(port, os.environ["KEY"])
        return
    os.sched_setaffinity(0, {int(_CLIENT_CORE)})
    try:
        found = list(rows(1 if quick else RUNS))
    except MeasurementFailed as failure:
        raise click.ClickException(f"{failure} {failure.detail}") from failure
    if as_json:
        print(json.dumps({row.key: row.to_data() for row in found}, indent=2))
    else:
        Console(width=160).print(table("Large answers of the mock on real sockets", found, {}))


if __name__ == "__main__":
    main()
