"""Where evidence was made, without what must not be told."""

import sys
from pathlib import Path

import pytest

from pulse_sim.canonical import sha256_hex
from pulse_sim.evidence import describe_environment, mask_arguments, read_attestation
from pulse_sim.evidence.environment import git_revision
from pulse_sim.evidence.names import safe_name
from pulse_sim.scenario.problem import DocumentError


@pytest.mark.parametrize(
    ("argv", "masked"),
    [
        (["run", "a.yaml", "--seed", "7"], ["run", "a.yaml", "--seed", "7"]),
        (["--api-key", "1-abc", "x"], ["--api-key", "***", "x"]),
        (["--password=hunter2"], ["--password=***"]),
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
    assert told["git"] is None
    assert isinstance(told["interpreter"], dict)
    assert told["interpreter"]["development_mode"] is sys.flags.dev_mode


def test_a_directory_that_is_no_checkout_has_no_revision(tmp_path: Path) -> None:
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
    with pytest.raises(DocumentError, match=r"attest\.yaml"):
        read_attestation(file)
