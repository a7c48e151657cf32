"""``mock-truenas`` with a control port, a fleet, a journal and captures: as commands, against one another."""

import json
import re
import signal
import stat
from pathlib import Path

import pytest

from tests.mock_truenas.test_mock_cli import KEY, Run, _get, _served, run

__all__ = ["run"]


@pytest.mark.system
def test_faults_are_added_listed_and_cleared_from_a_shell(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _served("--control-port", "0", "--control-token-dir", str(tmp_path)) as (told, process):
        file = Path(told["control"]["token_file"])
        assert (file.parent, stat.S_IMODE(file.stat().st_mode)) == (tmp_path, 0o600)
        monkeypatch.setenv("MOCK_TRUENAS_CONTROL", told["control"]["url"])
        monkeypatch.setenv("MOCK_TRUENAS_TOKEN_FILE", str(file))
        done = run("fault", "add", "http.status", "status=502", "path=/pool", "--id", "gateway", "--for", "1h")
        assert (done.returncode, done.stderr) == (0, "")
        assert json.loads(done.stdout)["id"] == "gateway"
        assert _get(told["http"], "/api/v2.0/pool", told["api_key"])[0] == 502
        assert [json.loads(line)["met"] for line in run("fault", "list").stdout.splitlines()] == [1]
        for arguments, complaint in (
            (("add", "http.statu"), "kind http.statu: unknown; did you mean http.status?"),
            (("add", "http.status"), "parameters.status is missing: Field required"),
            (("add", "http.status", "502"), "parameter 502: write it as NAME=VALUE"),
            (("clear", "other"), "fault other: unknown; available: gateway"),
            (("clear",), "name a fault, or say --all"),
            (("list", "--nas", "nas-7"), "appliance nas-7: unknown; did you mean nas-1? available: nas-1"),
            (("list", "--token-file", "/nonexistent"), "--token-file /nonexistent: cannot be read: No such file"),
            (("list", "--control", "http://127.0.0.1:1"), "--control http://127.0.0.1:1: no control API answers"),
            (("list", "--control", told["http"]), "is something else than a control API"),
            (("list", "--control", "nas"), "--control nas: is no address such as http://127.0.0.1:8081"),
        ):
            failed = run("fault", *arguments)
            assert (failed.returncode, failed.stdout, failed.stderr.count("\n")) == (2, "", 1), failed
            assert complaint in failed.stderr
        assert json.loads(run("fault", "clear", "gateway").stdout) == {"cleared": ["gateway"]}
        assert _get(told["http"], "/api/v2.0/pool", told["api_key"])[0] == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert not file.exists()


def test_fault_without_a_control_port_says_what_is_missing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MOCK_TRUENAS_CONTROL", raising=False)
    done = run("fault", "list")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "missing --control URL (or MOCK_TRUENAS_CONTROL)" in done.stderr


@pytest.mark.system
def test_a_fleet_tells_one_line_each_and_writes_one_journal(tmp_path: Path) -> None:
    journal = tmp_path / "journal.jsonl"
    with _served("--fleet", "3", "--release", "25.10", "--journal", str(journal)) as (first, process):
        assert process.stdout is not None
        told = [first, *(json.loads(process.stdout.readline()) for _ in range(2))]
        assert [each["name"] for each in told] == ["nas-1", "nas-2", "nas-3"]
        assert len({each["http"] for each in told} | {each["api_key"] for each in told}) == 6
        for each in told:
            assert _get(each["http"], "/api/v2.0/system/info", each["api_key"])[0] == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    rows = [json.loads(line) for line in journal.read_text().splitlines()]
    assert [(row["nas"], row["path"], row["status"]) for row in rows] == [
        (f"nas-{number}", "/api/v2.0/system/info", 200) for number in (1, 2, 3)
    ]
    assert stat.S_IMODE(journal.stat().st_mode) == 0o600
    assert not [each for each in told if each["api_key"] in journal.read_text()]


@pytest.mark.system
def test_a_journal_that_cannot_be_written_any_more_ends_the_serving() -> None:
    with _served("--journal", "/dev/full") as (told, process):
        _get(told["http"], "/api/v2.0/core/ping", told["api_key"])
        assert process.wait(30) == 1
        assert process.stderr is not None
        assert process.stderr.read() == (
            "mock-truenas: broke while serving: --journal /dev/full: No space left on device\n"
        )


@pytest.mark.system
def test_a_capture_is_taken_from_one_and_served_by_another(run: Run, tmp_path: Path) -> None:
    key = tmp_path / "key"
    out = tmp_path / "nas.json"
    with _served("--release", "25.10", "--fixture", "small-office") as (told, _):
        key.write_text(told["api_key"])
        key.chmod(0o600)
        done = run("capture", "--url", told["http"], "--api-key-file", str(key), "--out", str(out))
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        before = json.loads(_get(told["http"], "/api/v2.0/pool/dataset", told["api_key"])[2])
        printed = run("capture", "--url", told["http"], "--api-key-file", str(key))
        assert json.loads(printed.stdout)["format"] == "mock-truenas capture"
        key.write_text(KEY)
        failed = run("capture", "--url", told["http"], "--api-key-file", str(key))
        assert (failed.returncode, failed.stdout, failed.stderr.count("\n")) == (2, "", 1)
        assert KEY not in failed.stderr
    with _served("--capture", str(out)) as (told, _):
        assert told["release"] == "25.10"
        after = json.loads(_get(told["http"], "/api/v2.0/pool/dataset", told["api_key"])[2])
        assert [row["name"] for row in after] == [row["name"] for row in before]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--capture", "/nonexistent"), "capture /nonexistent: cannot be read: No such file or directory"),
        (("--capture", "/dev/null"), "capture /dev/null: is not JSON that can be used: Expecting value"),
        (("--fleet", "0"), "'--fleet': 0 is not in the range"),
        (("--fleet", "9", "--port", "65530"), "--port 65530: a fleet of 9 needs the ports after it too"),
        (("--journal", "/nonexistent/j"), "--journal /nonexistent/j: cannot be written to: No such file"),
        (("--control-port", "0", "--control-token-dir", "/nonexistent"), "does not exist"),
    ],
)
def test_bad_input_is_one_line_with_the_way_out(run: Run, arguments: tuple[str, ...], told: str) -> None:
    done = run("serve", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert re.match(f"mock-truenas: .*{re.escape(told)}", done.stderr), done.stderr
