"""``mock-truenas`` as a command: serving in a process of its own, complaints in this one."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from ssl import CERT_NONE, SSLContext, create_default_context
from typing import Any, Protocol
from urllib.parse import urlsplit

import pytest

from mock_truenas.appliance.releases import RELEASES
from mock_truenas.cli import main
from mock_truenas.complaints import read_fault

COMMAND = [sys.executable, "-W", "error", "-c", "from mock_truenas.cli import main; raise SystemExit(main())"]
KEY = "3-" + "abcDEF78" * 8


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


class Run(Protocol):
    def __call__(self, *arguments: str) -> Done: ...


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command in this process, with what it printed."""

    def command(*arguments: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["mock-truenas", *arguments])
        status = main()
        printed = capsys.readouterr()
        return Done(status, printed.out, printed.err)

    return command


@contextmanager
def _served(*arguments: str) -> Iterator[tuple[dict[str, Any], subprocess.Popen[str]]]:
    with subprocess.Popen(
        [*COMMAND, "serve", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline()), process
        finally:
            process.kill()


def _get(url: str, path: str, key: str) -> tuple[int, str | None, bytes]:
    where = urlsplit(url)
    assert where.hostname is not None
    if where.scheme == "https":
        context: SSLContext = create_default_context()
        context.check_hostname, context.verify_mode = False, CERT_NONE
        connection: HTTPConnection = HTTPSConnection(where.hostname, where.port, timeout=30, context=context)
    else:
        connection = HTTPConnection(where.hostname, where.port, timeout=30)
    connection.request("GET", path, headers={"Authorization": f"Bearer {key}"})
    answer = connection.getresponse()
    result = answer.status, answer.getheader("Server"), answer.read()
    connection.close()
    return result


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.system
def test_serve_says_where_answers_and_stops_cleanly_on_a_signal(number: signal.Signals) -> None:
    with _served("--fixture", "small-office") as (told, process):
        assert list(told) == ["release", "http", "https", "ws", "control", "api_key"]
        assert (told["release"], told["https"], told["control"]) == ("24.10", None, None)
        assert told["ws"] == "ws" + told["http"].removeprefix("http")
        assert re.fullmatch(r"http://127\.0\.0\.1:[0-9]+", told["http"])
        assert re.fullmatch(r"1-[A-Za-z0-9]{64}", told["api_key"])
        status, server, body = _get(told["http"], "/api/v2.0/system/info", told["api_key"])
        assert (status, server, json.loads(body)["hostname"]) == (200, "nginx", "office-nas")
        process.send_signal(number)
        assert process.wait(30) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""


@pytest.mark.system
def test_serve_takes_the_key_from_a_file_and_does_not_print_it(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(KEY + "\n")
    file.chmod(0o600)
    with _served("--api-key-file", str(file)) as (told, _):
        assert "api_key" not in told
        assert _get(told["http"], "/api/v2.0/core/ping", KEY) == (200, "nginx", b'"pong"')
        assert _get(told["http"], "/api/v2.0/core/ping", KEY[:-1] + "x")[0] == 401


@pytest.mark.system
def test_serve_with_tls_is_https_only() -> None:
    with _served("--tls") as (told, _):
        assert told["http"] is None
        assert re.fullmatch(r"https://127\.0\.0\.1:[0-9]+", told["https"])
        assert _get(told["https"], "/api/v2.0/core/ping", told["api_key"]) == (200, "nginx", b'"pong"')


@pytest.mark.system
def test_same_seed_is_the_same_appliance_with_another_key() -> None:
    serials, keys = [], []
    for seed in ("5", "5", "6"):
        with _served("--seed", seed) as (told, _):
            body = _get(told["http"], "/api/v2.0/disk", told["api_key"])[2]
            serials.append([disk["serial"] for disk in json.loads(body)])
            keys.append(told["api_key"])
    assert serials[0] == serials[1] != serials[2]
    assert len(set(keys)) == 3


@pytest.mark.system
def test_port_in_use_is_said_with_the_way_out(run: Run) -> None:
    with _served() as (told, _):
        port = told["http"].rpartition(":")[2]
        done = run("serve", "--port", port)
        assert (done.returncode, done.stdout) == (2, "")
        assert (
            done.stderr == f"mock-truenas: --port {port}: is in use on 127.0.0.1; choose another, or 0 for a free one\n"
        )


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--release", "25.1"), r"--release 25.1: .*did you mean 25[.0-9]+\? available: 24.04, 24.10, "),
        (("--release", "11"), "--release 11: .*is not a release that can be served; available: 24.04, 24.10, "),
        (("--fixture", "big"), "--fixture big: unknown; available: baseline, small-office, homelab"),
        (("--port", "70000"), "'--port': 70000 is not in the range"),
        (("--host", "0.0.0.0"), "--host 0.0.0.0: .*add --allow-remote"),  # noqa: S104  # it is refused
        (("--host", "::"), "--host ::: .*add --allow-remote"),
        (("--host", "nas.example"), "--host nas.example: .*use 127.0.0.1, or add --allow-remote"),
        (("--host", "192.0.2.1", "--allow-remote"), "--host 192.0.2.1: is not an address of this machine"),
        (("--api-key-file", "/nonexistent/key"), "--api-key-file /nonexistent/key: cannot be read: No such file"),
        (("--api-key-file", "/"), "--api-key-file /: cannot be read: Is a directory"),
        (("--sed", "1"), "No such option"),
    ],
)
def test_bad_input_is_one_line_with_the_way_out(run: Run, arguments: tuple[str, ...], told: str) -> None:
    done = run("serve", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert re.match(f"mock-truenas: .*{told}", done.stderr), done.stderr


@pytest.mark.parametrize(
    ("content", "mode", "told"),
    [
        (b"", 0o600, "is empty; write an API key"),
        (b"\n\n", 0o600, "is empty"),
        (KEY.encode(), 0o644, "is open to every user of this machine; chmod 600 it"),
        (b"hunter2", 0o600, "an API key reads <id>-<64 letters and digits>"),
        (b"\xff\xfe", 0o600, "holds something else than an API key"),
    ],
)
def test_bad_key_file_is_refused_without_showing_what_is_in_it(
    run: Run, tmp_path: Path, content: bytes, mode: int, told: str
) -> None:
    file = tmp_path / "key"
    file.write_bytes(content)
    file.chmod(mode)
    done = run("serve", "--api-key-file", str(file))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert f"--api-key-file {file}: " in done.stderr
    assert told in done.stderr
    assert "hunter2" not in done.stderr
    assert KEY not in done.stderr


def test_catalogue_of_faults_is_for_people_and_for_programs(run: Run) -> None:
    done = run("faults", "--json")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0
    assert {"http.delay", "appliance.down"} <= {row["name"] for row in rows}
    for_people = run("faults").stdout
    for row in rows:
        assert sorted(row) == ["doc", "entries", "name", "needs_tls", "parameters", "stage", "worlds"]
        assert re.search(rf"^{re.escape(row['name'])} *\*? *{re.escape(row['doc'])}", for_people, re.MULTILINE)


def test_catalogue_by_symptom_goes_from_f01_to_f53_and_names_kinds_there_are(run: Run) -> None:
    rows = [json.loads(line) for line in run("faults", "--by-symptom", "--json").stdout.splitlines()]
    assert [row["number"] for row in rows] == [f"F{number:02d}" for number in range(1, 54)]
    for row in rows:
        assert row["faults"] or row["without_fault"]
        for fault in row["faults"]:
            read_fault(fault["kind"], fault["parameters"])
    told = run("faults", "--by-symptom").stdout
    assert all(f"{row['number']}  {row['symptom']}" in told for row in rows)


def test_methods_lists_what_a_release_serves(run: Run) -> None:
    rows = {row["name"]: row for row in map(json.loads, run("methods", "--json").stdout.splitlines())}
    assert {"method": "POST", "path": "/api/v2.0/disk/temperatures"} in rows["disk.temperatures"]["rest"]
    assert "update.check_available" in rows
    newest = {
        row["name"]: row for row in map(json.loads, run("methods", "--release", "26.0", "--json").stdout.splitlines())
    }
    assert "update.check_available" not in newest
    assert not [row for row in newest.values() if row["rest"]]
    told = run("methods").stdout
    assert re.search(r"^system.info +.*\n +GET /api/v2.0/system/info$", told, re.MULTILINE)
    assert run("methods", "--release", "11").returncode == 2


def test_releases_are_listed_with_their_faces(run: Run) -> None:
    rows = [json.loads(line) for line in run("releases", "--json").stdout.splitlines()]
    assert [row["name"] for row in rows] == list(RELEASES)
    assert [row["name"] for row in rows if not row["rest"]] == ["26.0"]
    assert re.search(r"^24.10 +TrueNAS-SCALE-24.10.* REST, /websocket$", run("releases").stdout, re.MULTILINE)


def test_no_command_is_the_help_and_wrong_usage(run: Run) -> None:
    done = run()
    assert (done.returncode, "Commands:" in done.stderr) == (2, True)
    assert run("--help").returncode == 0
