"""``python -m benchmarks.mock_serving``: what a request to the mock costs on real sockets, and what 200 NAS take.

The mock on one core, wrk on the other; in turn with a bare aiohttp handler that answers as many bytes, so that the
ratio is of one sitting. Writes nothing; ``--json`` prints the figures for a measurement.
"""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp
import click
from aiohttp import web
from rich.console import Console

from benchmarks.figures import Figure, MeasurementFailed, NotMeasured, Samples, interleaved, ratio
from benchmarks.interpreters import ROOT
from benchmarks.processes import environment
from benchmarks.table import Goal, Row, table

RUNS: Final = 5
CONNECTIONS: Final = 8
PATH: Final = "/api/v2.0/system/info"
FLEET: Final = 200
PER_S: Final = 200
_SERVER_CORE: Final = "0"
_CLIENT_CORE: Final = "1"
_PROGRAM: Final = "from mock_truenas.cli import main; raise SystemExit(main())"
_WRK: Final = ROOT / ".tools" / "wrk"


def wrk() -> Path:
    """The load generator: from PATH, or unpacked into .tools. Raises MeasurementFailed where it cannot be had."""
    found = shutil.which("wrk")
    if found:
        return Path(found)
    program = _WRK / "usr" / "bin" / "wrk"
    if not program.exists():
        _WRK.mkdir(parents=True, exist_ok=True)
        try:
            command = ["apt-get", "download", "wrk", "libluajit-5.1-2"]
            subprocess.run(command, cwd=_WRK, check=True, capture_output=True, timeout=120)
            for package in _WRK.glob("*.deb"):
                subprocess.run(["dpkg-deb", "-x", package, _WRK], check=True, capture_output=True, timeout=60)
        except (OSError, subprocess.SubprocessError) as error:
            raise MeasurementFailed("wrk is neither on the PATH nor to be had from apt") from error
    return program


@contextmanager
def serving(*command: str, lines: int = 1) -> Iterator[tuple[list[dict[str, Any]], int]]:
    """A server on its core: the JSON lines it printed, and its process id."""
    with subprocess.Popen(
        ["taskset", "-c", _SERVER_CORE, sys.executable, *command],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            yield [json.loads(process.stdout.readline()) for _ in range(lines)], process.pid
        finally:
            process.terminate()


@contextmanager
def mock(*options: str, lines: int = 1) -> Iterator[tuple[list[dict[str, Any]], int]]:
    """``mock-truenas serve`` on the server's core."""
    with serving("-c", _PROGRAM, "serve", *options, lines=lines) as served:
        yield served


@contextmanager
def with_idle_fault(*options: str) -> Iterator[tuple[dict[str, Any], int]]:
    """A mock with an active fault that no request here meets."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as directory,
        mock("--control-port", "0", "--control-token-dir", directory, *options) as ((told,), pid),
    ):
        control = told["control"]
        where = {"MOCK_TRUENAS_CONTROL": control["url"], "MOCK_TRUENAS_TOKEN_FILE": control["token_file"]}
        subprocess.run(
            [sys.executable, "-c", _PROGRAM, "fault", "add", "http.delay", "delay=1s", "path=/nowhere"],
            env={**environment(), **where},
            check=True,
            capture_output=True,
            timeout=60,
        )
        yield told, pid


def per_second(url: str, key: str, seconds: int) -> float:
    """Requests a second that wrk gets from a server. Raises MeasurementFailed for any that was not answered well."""
    libraries = ":".join(map(str, _WRK.glob("usr/lib/*")))
    with tempfile.NamedTemporaryFile("w", prefix="bench-", suffix=".lua") as script:
        script.write(f'wrk.headers["Authorization"] = "Bearer {key}"\n')
        script.flush()
        command = ["taskset", "-c", _CLIENT_CORE, str(wrk()), "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s"]
        done = subprocess.run(
            [*command, "-s", script.name, url],
            env={**environment(), "LD_LIBRARY_PATH": libraries},
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds + 60,
        )
    lines = dict(line.strip().split(":", 1) for line in done.stdout.splitlines() if line.count(":") == 1)
    if "Requests/sec" not in lines or "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
        raise MeasurementFailed("wrk was not answered well", done.stdout + done.stderr)
    return float(lines["Requests/sec"])


def serve_bare(size: int) -> None:
    """A bare aiohttp handler that answers ``size`` bytes of JSON."""
    body = b'"' + b"x" * (size - 2) + b'"'

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=body, content_type="application/json")

    async def main() -> None:
        app = web.Application()
        app.router.add_get(PATH, answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        print(json.dumps({"http": f"http://127.0.0.1:{runner.addresses[0][1]}"}), flush=True)
        await asyncio.Event().wait()

    asyncio.run(main())


async def _size_of(url: str, key: str) -> int:
    headers = {"Authorization": f"Bearer {key}"}
    async with aiohttp.ClientSession(headers=headers) as session, session.get(url) as answer:
        return len(await answer.read())


def info_rows(seconds: int, runs: int) -> Iterator[Row]:
    """``GET /system/info`` with keep-alive, key, journal and an idle fault, beside the bare handler."""
    with with_idle_fault("--release", "25.10") as (told, _):
        url, key = told["http"] + PATH, told["api_key"]
        size = asyncio.run(_size_of(url, key))
        with serving("-m", "benchmarks.mock_serving", "--bare", str(size)) as ((bare,), _):
            figures = interleaved(
                {
                    "mock": lambda: per_second(url, key, seconds),
                    "bare": lambda: per_second(bare["http"] + PATH, key, seconds),
                },
                runs,
                lambda told: print(told, file=sys.stderr),
            )
    yield Row("info mock", f"GET /system/info, {size} bytes, {CONNECTIONS} connections", "/s", Goal(), figures["mock"])
    yield Row("info bare", "bare aiohttp handler, as many bytes", "/s", Goal(), figures["bare"])
    of = ratio(figures["mock"], figures["bare"])
    yield Row("info mock/bare", "mock / bare handler", "×", Goal(at_least=0.6), of)


def fleet_rows(seconds: int) -> Iterator[Row]:
    """200 NAS in one process: memory when idle, and how long the slowest of a hundred requests waits."""
    try:
        with mock("--fleet", str(FLEET), "--release", "25.10", lines=FLEET) as (told, pid):
            idle = _resident_mb(pid)
            os.sched_setaffinity(0, {int(_CLIENT_CORE)})
            waits = asyncio.run(_asked(told, seconds))
            busy = _resident_mb(pid)
    except (OSError, aiohttp.ClientError) as error:
        figure: Figure = NotMeasured(type(error).__name__)
        yield Row("fleet", "fleet", "", Goal(), figure)
        return
    waits.sort()
    p99_ms = waits[len(waits) * 99 // 100] * 1000
    yield Row("fleet idle", f"{FLEET} NAS, idle", "MB", Goal(at_most=300), Samples((idle,)))
    yield Row("fleet busy", f"{FLEET} NAS, after {len(waits)} requests", "MB", Goal(), Samples((busy,)))
    title = f"{FLEET} NAS, {PER_S} requests a second in all, 99th percentile"
    yield Row("fleet p99", title, "ms", Goal(at_most=50), Samples((p99_ms,)))


def _resident_mb(pid: int) -> float:
    # taskset becomes the server, so the process that was started is the server.
    pages = int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


async def _asked(told: list[dict[str, Any]], seconds: int) -> list[float]:
    """How long each of ``PER_S`` × ``seconds`` requests took, sent on time whatever became of those before."""
    paths = ("/system/info", "/pool", "/pool/dataset", "/disk", "/alert/list")
    waits: list[float] = []
    loop = asyncio.get_running_loop()

    async def ask(session: aiohttp.ClientSession, nas: Mapping[str, Any], path: str) -> None:
        began_s = time.perf_counter()
        headers = {"Authorization": f"Bearer {nas['api_key']}"}
        async with session.get(f"{nas['http']}/api/v2.0{path}", headers=headers) as answer:
            await answer.read()
            answer.raise_for_status()
        waits.append(time.perf_counter() - began_s)

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        began_s = loop.time()
        asking = []
        for number in range(PER_S * seconds):
            await asyncio.sleep(max(0.0, began_s + number / PER_S - loop.time()))
            nas, path = told[number % len(told)], paths[number // len(told) % len(paths)]
            asking.append(loop.create_task(ask(session, nas, path)))
        await asyncio.gather(*asking)
    return waits


@click.command()
@click.option("--quick", is_flag=True, help="One short run of everything, to see that it runs.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@click.option("--bare", type=int, hidden=True)
def main(*, quick: bool, as_json: bool, bare: int | None) -> None:
    """Measure, and print each figure beside its goal."""
    if bare is not None:
        serve_bare(bare)
        return
    try:
        wrk()
        rows = [*info_rows(1 if quick else 5, 1 if quick else RUNS), *fleet_rows(2 if quick else 20)]
    except MeasurementFailed as failure:
        raise click.ClickException(f"{failure} {failure.detail}") from failure
    if as_json:
        print(json.dumps({row.key: row.to_data() for row in rows}, indent=2))
    else:
        Console(width=160).print(table("The mock on real sockets", rows, {}))


if __name__ == "__main__":
    main()
