"""A bundle is trusted when it is whole, comes to what it says, and a key we trust signed it; nothing less will do."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pulse_sim.canonical import canonical_json
from pulse_sim.evidence import NotABundle
from pulse_sim.evidence.envelope import Result
from pulse_sim.evidence.signing_key import PUBLISHED_TEST_KEYID, load_signing_key, signing_key
from pulse_sim.evidence.verification import Standing, Verification, bundles_in, verify_bundle
from pulse_sim.outcome import Outcome
from pulse_sim.verdict import Verdict
from tests.evidence.keys import key_file, key_named, signing_with
from tests.evidence.recording import sealed_run
from tests.evidence.reference import PUBLISHED_KEY
from tests.evidence.resealing import reseal
from tests.evidence.rollout import OPEN_GATE, PLAN, sealed_verdict

ROOT = Path(__file__).resolve().parents[2]
RUN = "auth-revoked-tls=true-7-abababab"


@pytest.fixture(scope="module")
def run_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sealed_run(tmp_path_factory.mktemp("run")).path


@pytest.fixture(scope="module")
def verdict_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sealed_verdict(tmp_path_factory.mktemp("verdict")).path


@pytest.fixture
def copy(verdict_bundle: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(verdict_bundle, tmp_path / verdict_bundle.name))


def verify(bundle: Path) -> Verification:
    return verify_bundle(bundle, [signing_key().public])


def test_what_this_machine_signed_is_trusted_here_and_elsewhere(run_bundle: Path, copy: Path) -> None:
    run, verdict = verify(run_bundle), verify(copy)
    assert (run.standing, run.kind, run.reasons) == (Standing.TRUSTED, "run", ())
    assert (verdict.standing, verdict.kind, verdict.reasons) == (Standing.TRUSTED, "verdict", ())
    assert run.keyid == signing_key().keyid
    assert run.found is not None and run.found.outcome is Outcome.PASSED
    assert verdict.found is not None and verdict.found.verdict is Verdict.GO and len(verdict.found.runs) == 2


def test_a_bad_outcome_honestly_told_is_trusted(tmp_path: Path) -> None:
    run = verify(sealed_run(tmp_path / "run", fails=(5, 5)).path)
    no_go = verify(sealed_verdict(tmp_path / "verdict", second={"fails": (5, 5)}).path)
    conditions = verify(sealed_verdict(tmp_path / "conditions", plan_yaml=PLAN + OPEN_GATE).path)
    assert [one.standing for one in (run, no_go, conditions)] == [Standing.TRUSTED] * 3
    assert run.found is not None and run.found.outcome is Outcome.FAILED
    assert no_go.found is not None and no_go.found.verdict is Verdict.NO_GO


def test_what_an_unknown_key_signed_is_whole_and_untrusted(run_bundle: Path, tmp_path: Path) -> None:
    for trusted in ([], [key_named(tmp_path, "another").public]):
        told = verify_bundle(run_bundle, trusted)
        assert told.standing is Standing.UNTRUSTED
        assert told.reasons == (f"the bundle is signed by an unknown key (keyid {signing_key().keyid})",)


def test_the_published_test_key_is_never_trusted_not_even_when_asked_to(tmp_path: Path) -> None:
    with signing_with(PUBLISHED_KEY) as key:
        bundle = sealed_run(tmp_path).path
        told = verify(bundle)
    assert told.standing is Standing.UNTRUSTED
    assert told.reasons == (
        f"the bundle is signed by the published test key, which everybody has (keyid {PUBLISHED_TEST_KEYID})",
    )
    assert key.keyid == PUBLISHED_TEST_KEYID == load_signing_key(PUBLISHED_KEY).keyid


def test_every_run_of_a_verdict_must_be_signed_by_somebody_trusted(tmp_path: Path) -> None:
    with signing_with(key_file(tmp_path, "stranger")) as stranger:
        bundle = sealed_verdict(tmp_path / "out").path
    reseal(bundle, runs_too=False)
    told = verify(bundle)
    assert told.standing is Standing.UNTRUSTED
    assert told.reasons == (
        f"runs/auth-revoked-tls=false-7-abababab is signed by an unknown key (keyid {stranger.keyid})",
    )


@pytest.mark.parametrize("result", [Result.WARNED, Result.FAILED])
def test_a_signed_result_that_the_evidence_does_not_come_to_is_damage(
    run_bundle: Path, tmp_path: Path, result: Result
) -> None:
    copy = Path(shutil.copytree(run_bundle, tmp_path / "copy"))
    reseal(copy, result=result)
    told = verify(copy)
    assert told.standing is Standing.DAMAGED
    assert told.reasons == (f"attestation.json: says {result}, the evidence comes to passed",)


def test_a_failed_run_signed_as_passed_is_damage(tmp_path: Path) -> None:
    bundle = sealed_run(tmp_path, fails=(5, 5)).path
    reseal(bundle, result=Result.PASSED)
    assert verify(bundle).reasons == ("attestation.json: says PASSED, the evidence comes to failed",)


def edit(file: Path, change: Callable[[Any], Any]) -> None:
    file.write_bytes(canonical_json(change(json.loads(file.read_bytes()))) + b"\n")


def test_a_signature_does_not_make_a_forged_verdict_true(tmp_path: Path) -> None:
    bundle = sealed_verdict(tmp_path, second={"fails": (5, 5)}).path
    edit(bundle / "verdict.json", lambda data: {**data, "verdict": "GO", "reasons": []})
    reseal(bundle, results={RUN: Result.FAILED})
    told = verify(bundle)
    assert told.standing is Standing.DAMAGED
    assert any(one.place == "verdict.json verdict" for one in told.differences)


def test_a_run_the_verdict_does_not_rest_on_is_held_to_its_own_evidence(copy: Path) -> None:
    stray = sealed_run(copy / "runs", scenario="stray", fails=(5, 5)).path
    reseal(copy, results={stray.name: Result.FAILED})
    assert verify(copy).standing is Standing.TRUSTED
    reseal(copy)
    told = verify(copy)
    assert told.standing is Standing.DAMAGED
    assert told.reasons == (f"runs/{stray.name}/attestation.json: says PASSED, the evidence comes to failed",)


def test_a_run_without_its_manifest_does_not_slip_through_a_resigned_verdict(copy: Path) -> None:
    (copy / "runs" / RUN / "manifest.json").unlink()
    reseal(copy)
    told = verify(copy)
    assert told.standing is Standing.DAMAGED
    assert f"runs/{RUN}" in told.reasons[0] or "manifest.json" in told.reasons[0]


def test_without_an_attestation_nothing_is_trusted(copy: Path) -> None:
    (copy / "attestation.json").unlink()
    assert verify(copy).reasons == ("attestation.json: cannot be read: No such file or directory",)


def test_the_attestation_of_another_bundle_of_the_same_signer_is_damage(copy: Path, run_bundle: Path) -> None:
    shutil.copy(run_bundle / "attestation.json", copy / "attestation.json")
    assert verify(copy).reasons == ("attestation.json: is signed, but its statement is not about this manifest.json",)


def test_damage_is_told_before_anything_is_parsed(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (copy / "plan.yaml").write_text("a: &a [*a]")

    def parsed(_root: Path) -> None:
        raise AssertionError("a damaged bundle was parsed")

    monkeypatch.setattr("pulse_sim.evidence.verification.recheck", parsed)
    told = verify(copy)
    assert told.standing is Standing.DAMAGED
    assert told.reasons[0].startswith("plan.yaml: has 10 bytes, the manifest says ")


def test_a_verifier_that_breaks_trusts_nothing(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(_root: Path) -> None:
        raise RecursionError

    monkeypatch.setattr("pulse_sim.evidence.verification.recheck", breaks)
    assert verify(copy).reasons == ("the bundle cannot be judged: RecursionError",)


def test_a_file_of_another_size_is_not_read(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.truncate(copy / "report.html", 64 * 1024**3)  # holds no blocks
    told = verify(copy)
    assert told.reasons[0].startswith(f"report.html: has {64 * 1024**3} bytes, the manifest says ")


def test_files_that_share_their_blocks_with_others_are_files(copy: Path, tmp_path: Path) -> None:
    linked = tmp_path / "linked"
    shutil.copytree(copy, linked, copy_function=os.link)
    assert verify(linked).standing is Standing.TRUSTED


def test_a_directory_of_bundles_is_each_of_them_and_latest_only_once(verdict_bundle: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(verdict_bundle / "runs", out)
    (out / "latest").symlink_to(RUN)
    (out / ".partial-being-written").mkdir()
    (out / "README.md").write_text("not a bundle")
    assert [path.name for path in bundles_in(out)] == ["auth-revoked-tls=false-7-abababab", RUN]
    assert bundles_in(verdict_bundle) == [verdict_bundle]


def test_in_a_directory_of_bundles_one_without_a_manifest_is_damaged(verdict_bundle: Path, tmp_path: Path) -> None:
    out = Path(shutil.copytree(verdict_bundle / "runs", tmp_path / "out"))
    (out / RUN / "manifest.json").unlink()
    assert [verify(path).standing for path in bundles_in(out)] == [Standing.TRUSTED, Standing.DAMAGED]


def test_where_there_is_no_bundle_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    for name, why in (
        ("absent", "is not a directory"),
        ("file", "is not a directory"),
        ("empty", "has no manifest.json, and no directory in it has one"),
    ):
        with pytest.raises(NotABundle) as told:
            bundles_in(tmp_path / name)
        assert str(told.value) == f"{tmp_path / name} {why}"
    with pytest.raises(NotABundle):
        bundles_in(tmp_path)


@pytest.fixture
def without_what_runs(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    yield """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        gone = ("stack", "world", "run", "kernel", "sut")
        if name.startswith(("mock_truenas", *("pulse_sim." + one for one in gone))):
            raise ImportError(name)
sys.meta_path.insert(0, Refuse())
"""


def test_the_command_needs_neither_world_nor_run_nor_kernel_nor_system_nor_mock(
    verdict_bundle: Path, without_what_runs: str
) -> None:
    program = f"{without_what_runs}\nfrom pulse_sim.cli.main import cli\ncli(['verify', {str(verdict_bundle)!r}])"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"trusted: {verdict_bundle.name}: GO, 2 runs judged again")


def test_no_process_is_started_and_nothing_new_imported_for_what_a_bundle_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hostile_system.py").write_text("raise SystemExit('imported')")
    bundle = sealed_run(tmp_path / "out").path
    edit(bundle / "checks.json", lambda data: {**data, "sut": "hostile_system:factory"})
    reseal(bundle)
    monkeypatch.syspath_prepend(tmp_path)

    def started(event: str, _arguments: object) -> None:
        if watching and event in ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork"):
            raise AssertionError(event)

    watching = True
    sys.addaudithook(started)
    try:
        told = verify(bundle)
    finally:
        watching = False
    assert told.standing is Standing.DAMAGED and "hostile_system" not in sys.modules
