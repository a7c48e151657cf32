"""A run's bundle is there whole or not at all, holds what DESIGN 4.4 names, and never a secret."""

import base64
import json
import os
from pathlib import Path
from typing import Any

import pytest

from pulse_sim.canonical import sha256_hex
from pulse_sim.evidence import RunBundle, SecretInEvidence, point_latest, read_run_summary
from pulse_sim.evidence.signing_key import VARIABLE, SigningKeyUnusable, signing_key
from pulse_sim.outcome import Outcome
from tests.evidence.recording import header, record, scenario_yaml, sealed_run

FILES = {
    "manifest.json",
    "attestation.json",
    "scenario.yaml",
    "observations.jsonl",
    "metrics.om",
    "journal.jsonl",
    "checkpoints.jsonl",
    "resources.jsonl",
    "checks.json",
    "report.md",
    "report.html",
    "junit.xml",
    "timeline.json",
    "timeline.svg",
}


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_a_bundle_is_named_after_scenario_seed_and_trace(tmp_path: Path) -> None:
    sealed = sealed_run(tmp_path, scenario="auth-revoked[tls=true]")
    assert names(tmp_path) == ["auth-revoked-tls=true-7-abababab"] == [sealed.path.name]
    assert sealed.summary.run == sealed.path.name


def test_a_bundle_holds_every_file_and_the_environment_only_when_given(tmp_path: Path) -> None:
    assert set(names(sealed_run(tmp_path).path)) == FILES
    with_environment = sealed_run(tmp_path, seed=8, environment={"argv": ["pulse-sim"]})
    assert set(names(with_environment.path)) == FILES | {"environment.json"}


def test_the_manifest_has_digest_and_size_of_every_other_file_and_the_inputs(tmp_path: Path) -> None:
    path = sealed_run(tmp_path).path
    manifest = json.loads((path / "manifest.json").read_bytes())
    assert manifest["files"] == {
        name: {"sha256": sha256_hex((path / name).read_bytes()), "bytes": (path / name).stat().st_size}
        for name in FILES - {"manifest.json", "attestation.json"}
    }
    assert (manifest["kind"], manifest["seed"], manifest["scenario"]) == ("run", 7, "auth-revoked")
    assert manifest["trace_digest"] == "ab" * 32
    assert manifest["scenario_digest"] == "5" * 64
    assert manifest["schemas"]["observations"] == 2


def test_checks_json_has_what_the_command_line_shows(tmp_path: Path) -> None:
    sealed = sealed_run(tmp_path)
    checks = json.loads((sealed.path / "checks.json").read_bytes())
    assert checks["outcome"] == "passed"
    assert [check["check"] for check in checks["checks"]] == ["poll_errors", "never_crashes"]
    assert checks["virtual_seconds"] == 25 * 60
    assert (checks["world"], checks["sut"], checks["schedule"]) == ("simulated", "reference", "fifo")
    assert read_run_summary(sealed.path) == sealed.summary


def test_the_same_run_twice_leaves_the_same_bytes_and_one_bundle(tmp_path: Path) -> None:
    one = {name: (sealed_run(tmp_path / "a").path / name).read_bytes() for name in FILES}
    sealed_run(tmp_path / "b")
    again = sealed_run(tmp_path / "b")
    assert {name: (again.path / name).read_bytes() for name in FILES} == one
    assert names(tmp_path / "b") == [again.path.name]


def test_a_bundle_of_the_same_name_is_replaced_as_a_whole(tmp_path: Path) -> None:
    first = sealed_run(tmp_path)
    (first.path / "left-over").write_text("from before")
    second = sealed_run(tmp_path)
    assert second.path == first.path
    assert set(names(second.path)) == FILES
    assert names(tmp_path) == [second.path.name]


def test_a_run_that_is_not_completed_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), RunBundle(tmp_path, header()) as bundle:
        record(bundle.path, header())
        assert bundle.path.name.startswith(".partial-")
        raise KeyboardInterrupt
    assert names(tmp_path) == []


@pytest.mark.parametrize("call", range(len(FILES) - 1))
def test_a_crash_at_any_sync_leaves_no_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: int) -> None:
    head = header()
    with pytest.raises(OSError, match="no space"), RunBundle(tmp_path, head) as bundle:
        record(bundle.path, head)
        calls = iter(range(100))
        monkeypatch.setattr(os, "fsync", lambda descriptor: _fail() if next(calls) == call else None)
        _complete(bundle)
    assert names(tmp_path) == []


def test_a_crash_at_the_rename_leaves_what_was_there_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = sealed_run(tmp_path)
    content = (before.path / "manifest.json").read_bytes()
    head = header()
    with pytest.raises(OSError, match="no space"), RunBundle(tmp_path, head) as bundle:
        record(bundle.path, head, fails=(5, 5))
        monkeypatch.setattr(os, "rename", lambda *_: _fail())
        _complete(bundle)
    assert names(tmp_path) == [before.path.name]
    assert (before.path / "manifest.json").read_bytes() == content


def test_a_secret_in_any_file_keeps_the_bundle_from_being_written(tmp_path: Path) -> None:
    with pytest.raises(SecretInEvidence, match=r"observations\.jsonl") as caught:
        sealed_run(tmp_path, secret="key 1-PSIMSECRETabcdef sent")
    assert "abcdef" not in str(caught.value)
    assert names(tmp_path) == []


def test_a_secret_in_the_environment_keeps_the_bundle_from_being_written(tmp_path: Path) -> None:
    with pytest.raises(SecretInEvidence, match=r"environment\.json"):
        sealed_run(tmp_path, environment={"argv": ["1-PSIMSECRETabcdef"]})
    assert names(tmp_path) == []


def test_a_run_whose_log_was_cut_is_sealed_as_inconclusive_and_says_why(tmp_path: Path) -> None:
    head = header()
    with RunBundle(tmp_path, head) as bundle:
        record(bundle.path, head)
        log = bundle.path / "observations.jsonl"
        log.write_bytes(log.read_bytes()[:-40])
        sealed = _complete(bundle)
    assert sealed.summary.outcome is Outcome.INCONCLUSIVE
    assert "the log is damaged" in sealed.summary.reason
    assert "the log is damaged" in (sealed.path / "report.md").read_text()


@pytest.mark.parametrize(("reason", "outcome"), [("deadline", Outcome.INCONCLUSIVE), ("crashed", Outcome.ERRORED)])
def test_a_run_that_did_not_complete_is_never_passed(tmp_path: Path, reason: str, outcome: Outcome) -> None:
    assert sealed_run(tmp_path, reason=reason).summary.outcome is outcome


@pytest.mark.parametrize(
    "document",
    [
        scenario_yaml().replace("checks:\n", "checks: []\nextra:\n"),
        scenario_yaml().partition("checks:")[0],
        scenario_yaml("another"),
        "- not a mapping",
    ],
    ids=["no checks", "no list", "another scenario", "no mapping"],
)
def test_a_scenario_that_lists_no_checks_of_this_run_is_inconclusive(tmp_path: Path, document: str) -> None:
    assert sealed_run(tmp_path, document=document).summary.outcome is Outcome.INCONCLUSIVE


def test_latest_is_a_relative_link_that_moves_on(tmp_path: Path) -> None:
    for seed in (7, 8):
        path = sealed_run(tmp_path, seed=seed).path
        link = point_latest(path)
        assert link == tmp_path / "latest"
        assert str(link.readlink()) == path.name
    assert not [name for name in names(tmp_path) if name.startswith(".")]


def _complete(bundle: RunBundle) -> Any:
    return bundle.complete(
        scenario_yaml=scenario_yaml(), scenario_digest="5" * 64, trace_digest="ab" * 32, environment=None
    )


def _fail() -> None:
    raise OSError("no space left on device")


@pytest.mark.parametrize("form", ["pem", "base64", "hex", "raw"])
def test_a_private_key_in_any_file_keeps_the_bundle_from_being_written(tmp_path: Path, form: str) -> None:
    seed = signing_key().seed()
    shown = {
        "pem": b"-----BEGIN EC PRIVATE KEY-----",
        "base64": base64.b64encode(b"a" + seed),
        "hex": seed.hex().encode(),
        "raw": bytes.fromhex("302e020100300506032b657004220420"),
    }
    head = header()
    with pytest.raises(SecretInEvidence, match="a private key is readable in note") as caught:  # noqa: SIM117
        with RunBundle(tmp_path, head) as bundle:
            record(bundle.path, head)
            (bundle.path / "note").write_bytes(b"see " + shown[form] + b" there")
            _complete(bundle)
    assert seed.hex() not in str(caught.value)
    assert names(tmp_path) == []


def test_without_a_key_nothing_is_sealed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "absent.pem"))
    with pytest.raises(SigningKeyUnusable, match="is not there"):
        sealed_run(tmp_path / "out")
    assert names(tmp_path / "out") == []


def test_the_attestation_is_the_same_for_the_same_run_and_key(tmp_path: Path) -> None:
    one, other = (sealed_run(tmp_path / place).path / "attestation.json" for place in ("a", "b"))
    assert one.read_bytes() == other.read_bytes()
