"""``pulse-sim serve``: the reference stack on real sockets, on loopback, until it is told to stop."""

import http.client
import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pulse_sim.cli.exit_status import ExitStatus
from tests.cli.command import ended, pulse_sim, under_way, wait_until

pytestmark = pytest.mark.system

EVERYWHERE = "0.0.0.0"  # noqa: S104 - what is refused here


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def ask(port: int, path: str, token: str = "") -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"} if token else {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def tell(port: int, path: str, body: dict[str, Any]) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("POST", path, json.dumps(body))
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_it_is_told_to_stop_and_ends_well(tmp_path: Path, number: signal.Signals) -> None:
    port, data_dir = free_port(), tmp_path / "data"
    with under_way(
        "serve", "--port", str(port), "--data-dir", data_dir, environment={"PULSE_API_TOKEN": "let-me-in"}
    ) as process:
        wait_until(lambda: process.poll() is not None or is_listening(port), "the port")
        status, body = ask(port, "/api/health")
        assert (status, json.loads(body)["status"]) == (200, "healthy")
        status, page = ask(port, "/metrics")
        assert (status, b"pulse_runtime_tasks" in page) == (200, True)
        assert ask(port, "/api/truenas/connections")[0] == 401
        assert ask(port, "/api/truenas/connections", "let-me-in") == (200, b"[]")
        process.send_signal(number)
        done = ended(process)
    assert (done.status, done.out) == (0, "")
    assert "let-me-in" not in done.err
    assert "Traceback" not in done.err
    assert not is_listening(port)
    assert stat.S_IMODE((data_dir / ".encryption.key").stat().st_mode) == 0o600


@contextmanager
def appliance(*arguments: str) -> Iterator[dict[str, Any]]:
    """What `mock-truenas serve` prints of a NAS in a process of its own."""
    argv = [sys.executable, "-c", "from mock_truenas.cli import main; main()", "serve", *arguments]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()


@pytest.mark.parametrize(("release", "transport"), [("25.10", "auto"), ("25.10", "rest"), ("26.0", "auto")])
def test_it_polls_an_appliance_with_tls_that_is_added_over_the_api(
    tmp_path: Path, release: str, transport: str
) -> None:
    port, environment = free_port(), {"PULSE_TRUENAS_TRANSPORT": transport, "NO_PROXY": "127.0.0.1"}
    with (
        appliance("--release", release, "--tls") as nas,
        under_way("serve", "--port", str(port), "--data-dir", tmp_path, environment=environment) as process,
    ):
        wait_until(lambda: process.poll() is not None or is_listening(port), "the port")
        record = {"host": nas["https"], "apiKey": nas["api_key"], "username": "truenas_admin", "pollIntervalSeconds": 1}
        status, answer = tell(port, "/api/truenas/connections/test", record)
        assert (status, answer["details"]["error_type"]) == (400, "validation"), "nobody vouches for its certificate"
        record["insecureSkipVerify"] = True
        assert tell(port, "/api/truenas/connections/test", record) == (200, {"success": True})
        assert tell(port, "/api/truenas/connections", record)[0] == 201

        def shown() -> list[dict[str, Any]]:
            return list(json.loads(ask(port, "/api/v2/resources")[1])["data"])

        wait_until(lambda: len(shown()) > 0, "resources")
        assert {each["type"] for each in shown()} == {"host", "storage", "physical_disk"}
        assert {each["sourceStatus"]["truenas"]["status"] for each in shown()} == {"online"}
        process.send_signal(signal.SIGTERM)
        done = ended(process)
    assert (done.status, "Traceback" in done.err) == (0, False)
    assert nas["api_key"] not in done.err
    assert nas["api_key"].encode() not in b"".join(file.read_bytes() for file in tmp_path.iterdir() if file.is_file())


@pytest.mark.parametrize(
    ("arguments", "environment", "told"),
    [
        (["--host", EVERYWHERE], {}, "add --allow-remote if that is meant"),
        (["--host", "192.0.2.1"], {"PULSE_API_TOKEN": "x"}, "add --allow-remote if that is meant"),
        (["--host", "nas.example"], {}, "can be reached from other machines"),
        (["--host", EVERYWHERE, "--allow-remote"], {}, "needs PULSE_API_TOKEN to be set"),
        (["--port", "0"], {}, "0 is not in the range"),
        (["--variant", "other"], {}, "truenas-on-by-default"),
        ([], {"PULSE_NODE_LIMIT": "many"}, "PULSE_NODE_LIMIT must be a whole number"),
        ([], {"PULSE_LICENSE": "perhaps"}, "PULSE_LICENSE must be one of"),
    ],
)
def test_what_it_will_not_do_is_wrong_usage_and_nothing_is_served(
    tmp_path: Path, arguments: list[str], environment: dict[str, str], told: str
) -> None:
    done = pulse_sim("serve", "--data-dir", tmp_path / "data", *arguments, environment=environment)
    assert done.status == ExitStatus.USAGE
    assert told in done.err
    assert "Traceback" not in done.err
    assert not (tmp_path / "data").exists()


def test_a_port_in_use_is_one_clear_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = pulse_sim("serve", "--port", str(port), "--data-dir", tmp_path)
    assert done.status == ExitStatus.USAGE
    (line,) = [line for line in done.err.splitlines() if line.startswith("error: ")]
    assert f"127.0.0.1:{port}" in line
    assert os.strerror(98) in line
    assert "choose another --port" in line
    assert "Traceback" not in done.err


def test_a_data_directory_that_is_a_file_is_wrong_usage(tmp_path: Path) -> None:
    file = tmp_path / "data"
    file.write_text("", "utf-8")
    done = pulse_sim("serve", "--port", str(free_port()), "--data-dir", file)
    assert (done.status, "Traceback" in done.err) == (ExitStatus.USAGE, False)
