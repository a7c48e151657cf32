"""Where evidence was made, without what must not be told."""

import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from ruamel.yaml import YAML

import pulse_sim
from pulse_sim.canonical import sha256_hex
from pulse_sim.evidence import describe_environment, mask_arguments, read_attestation
from pulse_sim.evidence.environment import _version, git_revision
from pulse_sim.evidence.names import safe_name
from pulse_sim.scenario.problem import DocumentError
from pulse_sim.verdict import Attestation


@pytest.mark.parametrize(
    ("argv", "masked"),
    [
        (["run", "a.yaml", "--seed", "7"], ["run", "a.yaml", "--seed", "7"]),
        (["--api-key", "1-abc", "x"], ["--api-key", "***", "x"]),
        (["--password=hunter2"], ["--password=***"]),
        (["--password=hunter2", "next"], ["--password=***", "next"]),
        (["key", "value"], ["key", "value"]),
        (["--api-key-file", "key.txt"], ["--api-key-file", "key.txt"]),
        (["--token", "--json"], ["--token", "--json"]),
        (["http://1-PSIMSECRETabc@nas"], ["http://1-***@nas"]),
    ],
)
def test_arguments_that_may_be_secrets_are_masked(argv: list[str], masked: list[str]) -> None:
    assert mask_arguments(argv) == masked


def test_the_environment_names_interpreter_libraries_and_wall_times() -> None:
    told = describe_environment(
        argv=["pulse-sim", "--token", "abc"], started_at="2026-02-09T00:00:00Z", ended_at="2026-02-09T00:00:09Z"
    )
    assert told["argv"] == ["pulse-sim", "--token", "***"]
    assert (told["started_at"], told["ended_at"]) == ("2026-02-09T00:00:00Z", "2026-02-09T00:00:09Z")
    assert isinstance(told["libraries"], dict) and told["libraries"]["pydantic"]
    assert (told["version"], told["package_version"], told["git"]) == (1, pulse_sim.__version__, None)
    assert sorted(told["libraries"]) == [
        "aiohttp",
        "click",
        "cryptography",
        "jinja2",
        "prometheus-client",
        "pydantic",
        "rich",
        "ruamel.yaml",
    ]
    assert told["libraries"]["click"] == metadata.version("click")
    assert isinstance(told["interpreter"], dict)
    assert told["interpreter"] == {
        "implementation": platform.python_implementation(),
        "version": platform.python_version(),
        "system": platform.system(),
        "machine": platform.machine(),
        "development_mode": sys.flags.dev_mode,
    }


def test_a_directory_that_is_no_checkout_has_no_revision(tmp_path: Path) -> None:
    assert git_revision(tmp_path) is None


@pytest.mark.parametrize(("asyncio_debug", "told"), [("1", True), ("", sys.flags.dev_mode)])
def test_what_slows_a_run_down_is_told(monkeypatch: pytest.MonkeyPatch, asyncio_debug: str, told: bool) -> None:
    monkeypatch.setenv("PYTHONASYNCIODEBUG", asyncio_debug)
    interpreter = describe_environment(argv=(), started_at="", ended_at="")["interpreter"]
    assert isinstance(interpreter, dict)
    assert interpreter["development_mode"] is told


def test_a_library_that_is_not_installed_has_no_version() -> None:
    assert (_version("click"), _version("no-such-library-anywhere")) == (metadata.version("click"), None)


def git_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Put a program called git, a shell script, before every other on the PATH."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "git").write_text(f"#!/bin/sh\n{script}\n")
    (tmp_path / "bin" / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")


@pytest.mark.parametrize(
    ("status", "dirty"), [("", False), (" M pulse_sim/cli.py", True)], ids=["as committed", "changed"]
)
def test_a_checkout_is_its_revision_and_whether_it_was_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: str, dirty: bool
) -> None:
    script = f"""
    case "$*" in
      "-C {tmp_path} rev-parse HEAD") echo 0123abcd ;;
      "-C {tmp_path} status --porcelain --untracked-files=no") echo "{status}" ;;
      *) exit 2 ;;
    esac"""
    git_that(tmp_path, monkeypatch, script)
    assert git_revision(tmp_path) == {"revision": "0123abcd", "dirty": dirty}
    told = describe_environment(argv=(), started_at="", ended_at="", checkout=tmp_path)
    assert told["git"] == {"revision": "0123abcd", "dirty": dirty}


@pytest.mark.parametrize("script", ["echo 0123abcd; exit 1", "exit 0"], ids=["fails", "says nothing"])
def test_a_git_that_fails_or_says_nothing_tells_no_revision(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    git_that(tmp_path, monkeypatch, script)
    assert git_revision(tmp_path) is None


def test_without_git_there_is_no_revision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git_revision(tmp_path) is None


def test_a_git_that_does_not_end_tells_no_revision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def late(*arguments: object, timeout: float, **options: object) -> None:
        raise subprocess.TimeoutExpired("git", timeout)

    monkeypatch.setattr(subprocess, "run", late)
    assert git_revision(tmp_path) is None


def test_the_lock_file_is_told_by_its_digest(tmp_path: Path) -> None:
    def told(checkout: Path) -> object:
        return describe_environment(argv=(), started_at="", ended_at="", checkout=checkout)["lock_file"]

    locked = tmp_path / "locked"
    locked.mkdir()
    (locked / "requirements.lock").write_bytes(b"aiohttp==3\n")
    assert told(locked) == sha256_hex(b"aiohttp==3\n")
    assert told(tmp_path) is None


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("auth-revoked[tls=true]", "auth-revoked-tls=true"),
        ("../../etc/passwd", "etc-passwd"),
        (".hidden", "hidden"),
        ("a\x1b[31m b\n", "a-31m-b"),
        ("ünïcödé", "n-c-d"),
        ("///", "unnamed"),
        ("x" * 500, "x" * 120),
    ],
)
def test_a_bundle_name_is_safe_for_a_file_system_and_a_shell(text: str, name: str) -> None:
    assert safe_name(text) == name


def test_an_attest_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "attest.yaml"
    file.write_text("version: 1\nstatements:\n  - {id: sign-off, holds: true, by: the owner, on: 2026-02-09}\n")
    (statement,) = read_attestation(file).statements
    assert (statement.id, statement.holds, statement.by, statement.on.isoformat()) == (
        "sign-off",
        True,
        "the owner",
        "2026-02-09",
    )


@pytest.mark.parametrize(
    "text",
    [
        "version: 2\nstatements: []\n",
        "version: 1\n",
        "version: 1\nstatements: [{id: a}]\n",
        "version: 1\nstatements: [{id: a, holds: yes please, by: b, on: 2026-02-09}]\n",
        "version: 1\nstatements: [{id: a, holds: true, by: b, on: soon}]\n",
        "version: 1\nstatements: [{id: a, holds: true, by: b, on: 2026-02-09, extra: 1}]\n",
        "version: 1\nstatements: [1]\n",
        "[]",
    ],
)
def test_an_attest_file_of_another_shape_is_refused_by_name(tmp_path: Path, text: str) -> None:
    file = tmp_path / "attest.yaml"
    file.write_text(text)
    with pytest.raises(DocumentError, match=r"attest\.yaml") as refusal:
        read_attestation(file)
    problem = refusal.value.problems[0]
    assert (problem.file, problem.line, problem.column, problem.path) == (str(file), 1, 1, "")
    if text != "[]":
        with pytest.raises(ValueError, match=r".+") as told:
            Attestation.from_data(YAML(typ="safe").load(text))
        assert problem.message == str(told.value)
